"""Kafka's jars: fetched once by Maven into the user's cache, shared by every stack afterwards."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError

MAVEN_TIMEOUT_S: Final = 600


class KafkaJarsError(FraudstreamError):
    """Raised when Maven is missing or cannot fetch Kafka."""


def default_cache() -> Path:
    """Return the folder for what can always be fetched again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fraudstream"


def kafka_version() -> str:
    """Return the version of Kafka that the pom asks for."""
    match = re.search(r"kafka_2\.13</artifactId><version>([\d.]+)<", _pom())
    if match is None:
        raise KafkaJarsError("the pom names no version of kafka_2.13")
    return match[1]


def kafka_jars(cache: Path) -> Path:
    """Return the folder of jars, fetching them first when they are not there.

    Two processes may call at a time: one fetches, the other waits. The folder appears whole or not at all, under a
    name that holds the pom's hash, so a changed pom never meets old jars.
    """
    pom = _pom()
    jars = cache / f"kafka-{kafka_version()}-{hashlib.sha256(pom.encode()).hexdigest()[:8]}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as folder:
                _fetch(pom, Path(folder))
                (Path(folder) / "jars").rename(jars)
    return jars


def _pom() -> str:
    return (files("stream_app.stack") / "settings" / "pom.xml").read_text()


def _fetch(pom: str, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaJarsError("no mvn on PATH; Maven fetches Kafka's jars: apt-get install maven")
    (folder / "pom.xml").write_text(pom)
    command = [maven, "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MAVEN_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise KafkaJarsError(f"mvn did not fetch Kafka within {MAVEN_TIMEOUT_S} s; try again") from error
    if done.returncode != 0 or not any((folder / "jars").glob("kafka_2.13-*.jar")):
        told = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise KafkaJarsError(
            f"mvn could not fetch Kafka {kafka_version()}: {told[0].strip() if told else 'it said nothing'}; "
            "check the network and Maven's settings, then try again"
        )
