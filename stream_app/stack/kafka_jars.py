"""Kafka's jars: fetched once by Maven into the user's cache, shared by every stack afterwards."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

from stream_app.stack.maven import MavenError, made_once, run_maven


def kafka_version() -> str:
    """Return the version of Kafka that the pom asks for."""
    match = re.search(r"kafka_2\.13</artifactId><version>([\d.]+)<", _pom())
    if match is None:
        raise MavenError("the pom of the local Kafka names no version of kafka_2.13")
    return match[1]


def kafka_jars(cache: Path) -> Path:
    """Return the folder of jars, fetching them first when they are not there; MavenError when that fails."""
    name = f"kafka-{kafka_version()}-{hashlib.sha256(_pom().encode()).hexdigest()[:8]}"
    return made_once(cache, name, "kafka.lock", _fetched)


def _pom() -> str:
    return (files("stream_app.stack") / "settings" / "pom.xml").read_text()


def _fetched(folder: Path) -> Path:
    (folder / "pom.xml").write_text(_pom())
    arguments = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"]
    run_maven(folder, arguments, f"fetch Kafka {kafka_version()}")
    if not any((folder / "jars").glob("kafka_2.13-*.jar")):
        raise MavenError(f"mvn fetched other jars than those of Kafka {kafka_version()}: look at the pom")
    return folder / "jars"
