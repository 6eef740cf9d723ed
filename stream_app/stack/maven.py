"""What Maven fetches or builds: made once into the user's cache, whole or not at all."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError

TIMEOUT_S: Final = 600


class MavenError(FraudstreamError):
    """Raised when Maven is missing, or does not do what it is asked for."""


def default_cache() -> Path:
    """Return the folder for what can always be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fraudstream"


def made_once(cache: Path, name: str, lock_name: str, make: Callable[[Path], Path]) -> Path:
    """Return the folder `name` of the cache, making it first when it is not there.

    Two processes may call at a time: one makes it, the other waits.

    Parameters
    ----------
    cache: where it is kept.
    name: holds a hash of all that it is made of, so that changed sources never meet an old result.
    lock_name: file of the cache that is locked meanwhile.
    make: takes an empty folder to work in and returns the folder in it that is kept.
    """
    kept = cache / name
    if kept.is_dir():
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / lock_name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as folder:
                make(Path(folder)).rename(kept)
    return kept


def run_maven(folder: Path, arguments: Sequence[str], purpose: str) -> None:
    """Run Maven on the pom of a folder; `purpose` completes "Maven could not …".

    Raises
    ------
    MavenError: with what Maven said and a remedy.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise MavenError(f"no mvn on PATH, which is needed to {purpose}: apt-get install maven")
    command = [maven, "-q", "-B", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise MavenError(f"mvn did not {purpose} within {TIMEOUT_S} s; try again") from error
    if done.returncode != 0:
        told = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise MavenError(
            f"mvn could not {purpose}: {told[0].strip() if told else 'it said nothing'}; "
            "check the network and Maven's settings, then try again"
        )
