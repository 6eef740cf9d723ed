"""Finding a Java that can run Kafka."""

from pathlib import Path

import pytest

from stream_app.stack.java import JavaError, find_java


def java_home(folder: Path, told: str, code: int = 0) -> str:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{told}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return str(folder)


def test_a_new_enough_java_is_found(tmp_path: Path) -> None:
    home = java_home(tmp_path, 'openjdk version "21.0.2" 2024-01-16')
    assert find_java(home) == f"{home}/bin/java"


def test_an_old_java_is_refused_with_the_version_found_and_the_one_needed(tmp_path: Path) -> None:
    home = java_home(tmp_path, 'java version "1.8.0_392"')
    with pytest.raises(JavaError, match=r"is Java 8; Kafka needs Java 17 or newer: apt-get install"):
        find_java(home)


def test_a_java_that_tells_no_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JavaError, match="of an unknown version"):
        find_java(java_home(tmp_path, "hello"))


def test_a_java_that_fails_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JavaError, match="-version failed"):
        find_java(java_home(tmp_path, "no memory", code=1))


def test_no_java_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JavaError, match=r"no java on PATH; .*apt-get install"):
        find_java(None)
    with pytest.raises(JavaError, match="no java in JAVA_HOME"):
        find_java(str(tmp_path))
