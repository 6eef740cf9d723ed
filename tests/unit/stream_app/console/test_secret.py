"""The secret that signs cookies."""

import stat
from pathlib import Path

import pytest

from stream_app.console.secret import VARIABLE, console_secret
from stream_app.console.settings import ConsoleSettingsError


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    file = tmp_path / "folder" / "secret"
    made = console_secret(file)
    assert len(made) >= 48
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert console_secret(file) == made


def test_a_variable_comes_first_and_may_name_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "given").write_text("g" * 32)
    monkeypatch.setenv(VARIABLE, f"file:{tmp_path / 'given'}")
    assert console_secret(tmp_path / "secret") == "g" * 32
    assert not (tmp_path / "secret").exists()


def test_a_short_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(ConsoleSettingsError, match="fewer than 32"):
        console_secret(tmp_path / "secret")
