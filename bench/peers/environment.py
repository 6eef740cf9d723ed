"""The environment of peers whose pins contradict this project's: made once into the user's cache, from hashed pins."""

import fcntl
import hashlib
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

from stream_app.stack.maven import default_cache

REQUIREMENTS: Final = Path(__file__).parent / "requirements.txt"
INSTALL_TIMEOUT_S: Final = 600


def peers_python(cache: Path | None = None) -> Path:
    """Return the interpreter that has what the peers need, installing it first where it is not there.

    The folder's name holds the Python and the pins' hash, so that changed pins never meet an old environment. Two
    processes may call at a time: one installs, the other waits.
    """
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    folder = (cache or default_cache()) / f"peers-{sys.version_info.major}.{sys.version_info.minor}-{pins}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            venv.create(folder, with_pip=True, clear=True)
            pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
            only = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(REQUIREMENTS)]
            subprocess.run([*pip, *only], check=True, timeout=INSTALL_TIMEOUT_S)
            ready.touch()
    return python
