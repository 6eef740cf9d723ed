"""Fetching Kafka's jars, with a stand-in for Maven."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stream_app.stack.kafka_jars import kafka_jars, kafka_version
from stream_app.stack.maven import MavenError

FETCHES = """#!/bin/sh
echo x >> "$CALLS"
mkdir jars && touch jars/kafka_2.13-{version}.jar
"""
FAILS = """#!/bin/sh
mkdir jars && touch jars/half.jar
echo '[ERROR] no route to the repository'
exit 1
"""


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text(FETCHES.format(version=kafka_version()))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return program


def test_jars_are_fetched_once(maven: Path, tmp_path: Path) -> None:
    first = kafka_jars(tmp_path / "cache")
    assert [jar.name for jar in first.iterdir()] == [f"kafka_2.13-{kafka_version()}.jar"]
    assert kafka_jars(tmp_path / "cache") == first
    assert (tmp_path / "calls").read_text().count("x") == 1


def test_two_at_a_time_fetch_once(maven: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(kafka_jars, [tmp_path / "cache"] * 4))
    assert len(found) == 1
    assert (tmp_path / "calls").read_text().count("x") == 1


def test_a_failed_fetch_leaves_nothing_and_says_why(maven: Path, tmp_path: Path) -> None:
    maven.write_text(FAILS)
    with pytest.raises(MavenError, match="no route to the repository"):
        kafka_jars(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["kafka.lock"]


def test_a_missing_maven_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MavenError, match="apt-get install maven"):
        kafka_jars(tmp_path / "cache")
