"""What the project stands on: pinned, under known licences, and what the checks say where it is not."""

import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from ops import supply_chain
from ops.supply_chain import SupplyChainError, is_allowed, licence_of, main, needed


def test_everything_that_is_needed_is_installed_as_pinned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pins"]) == 0
    assert "installed as pinned" in capsys.readouterr().out
    assert {"msgspec", "aiohttp", "multidict"} <= needed().keys()
    assert "pytest" not in needed()
    assert "pytest" in needed("dev")


def test_every_licence_is_allowed_and_the_published_list_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licences"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("msgspec==0.0.1 \\\n    --hash=sha256:aa", "constraints.txt pins 0.0.1; run make setup"),
        ("msgspec==0.0.1", "msgspec==0.0.1 has no hash"),
        ("msgspec==0.0.1 ; python_version < '3' \\\n    --hash=sha256:aa", "pins no version of it"),
    ],
)
def test_what_is_not_as_pinned_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], entries: str, said: str
) -> None:
    (tmp_path / "constraints.txt").write_text(entries)
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["msgspec"]\noptional-dependencies.dev = []\n')
    monkeypatch.setattr(supply_chain, "ROOT", tmp_path)
    assert main(["pins"]) == 1
    assert said in capsys.readouterr().err


class Made(Distribution):
    """A distribution that says of itself what it is told to say."""

    def __init__(self, *lines: str) -> None:
        self._text = "\n".join(("Metadata-Version: 2.4", "Name: Made_Up", *lines))

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


@pytest.mark.parametrize(
    ("distribution", "licence"),
    [
        (Made("License-Expression: MIT"), "MIT"),
        (Made("Classifier: License :: OSI Approved :: BSD License", "License: see file"), "BSD"),
        (Made("License: BSD-2-Clause"), "BSD-2-Clause"),
        (Made(), ""),
    ],
)
def test_a_licence_is_read_from_the_metadata(distribution: Distribution, licence: str) -> None:
    assert licence_of(distribution, {}) == licence
    assert licence_of(distribution, {"made-up": "MIT"}) == "MIT"


def test_a_licence_that_nobody_knows_is_not_allowed() -> None:
    assert not is_allowed("", frozenset({"MIT"}))
    assert not is_allowed("MIT AND LicenseRef-Own", frozenset({"MIT"}))
    assert is_allowed("GPL-2.0-only OR MIT", frozenset({"MIT"}))


def test_a_run_time_licence_that_is_not_allowed_fails_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["msgspec"]\noptional-dependencies.dev = []\n'
        '[tool.fraudstream.licences]\nallowed = ["MIT"]\nstated = {}\ncarried = {}\n'
    )
    monkeypatch.setattr(supply_chain, "ROOT", tmp_path)
    with pytest.raises(SupplyChainError, match="msgspec is under BSD-3-Clause: look it up"):
        supply_chain.check_licences(write=False)


def test_the_audit_says_when_it_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert supply_chain.audit().startswith("audit skipped: pip-audit is not installed")
    (tmp_path / "pip-audit").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "pip-audit").chmod(0o755)
    assert supply_chain.audit() == "audit skipped: no answer about vulnerabilities (no answer)"


def test_a_known_vulnerability_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = '{"dependencies": [{"name": "made-up", "version": "1.0", "vulns": [{"id": "CVE-1"}]}]}'
    (tmp_path / "pip-audit").write_text(f"#!/bin/sh\necho '{found}'\nexit 1\n")
    (tmp_path / "pip-audit").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SupplyChainError, match=r"made-up 1\.0: CVE-1; run make constraints"):
        supply_chain.audit()
