"""The Java that runs Kafka: found, and new enough."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError

NEEDED_VERSION: Final = 17
"""Kafka 4 brokers are compiled for Java 17."""


class JavaError(FraudstreamError):
    """Raised when there is no Java, or one too old."""


def find_java(java_home: str | None) -> str:
    """Return the path of a `java` that can run Kafka: that of JAVA_HOME if given, else the first on PATH.

    Raises
    ------
    JavaError
        When there is none, or it is older than 17.
    """
    remedy = f"Kafka needs Java {NEEDED_VERSION} or newer: apt-get install openjdk-17-jre-headless"
    found = str(Path(java_home) / "bin" / "java") if java_home else shutil.which("java")
    if found is None or not Path(found).exists():
        where = f"in JAVA_HOME ({java_home})" if java_home else "on PATH"
        raise JavaError(f"no java {where}; {remedy}")
    try:
        told = subprocess.run([found, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise JavaError(f"{found} -version failed ({error}); {remedy}") from error
    version = parse_version(told.stderr + told.stdout)
    if version is None or version < NEEDED_VERSION:
        raise JavaError(f"{found} is Java {version or 'of an unknown version'}; {remedy}, or set JAVA_HOME to it")
    return found


def parse_version(text: str) -> int | None:
    """Return the major version in what `java -version` prints.

    Examples
    --------
    >>> parse_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> parse_version('java version "1.8.0_392"')
    8
    """
    match = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if match is None:
        return None
    major, minor = int(match[1]), match[2]
    return int(minor) if major == 1 and minor else major
