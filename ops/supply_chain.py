"""What the project stands on: that it is installed as pinned, under which licences, and with known faults or none.

    python ops/supply_chain.py pins        every distribution that is needed is installed as constraints.txt pins it
    python ops/supply_chain.py licences    every licence is one that pyproject.toml allows; --write renews the list
    python ops/supply_chain.py audit       known vulnerabilities, by pip-audit, where it and the network are there

Only `audit` uses the network, and it fails on a finding, never because nobody answers.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
LIST: Final = ROOT / "docs" / "licences.md"
PROJECT: Final = "fraudstream"
_LONGEST_REASON: Final = 200
_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.1-only",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Repoze Public License": "LicenseRef-Repoze",
}
_HEAD: Final = """# Licences

Of everything that is installed with the project; written by `python ops/supply_chain.py licences --write` from what
each distribution says of itself, and checked by `make check`. At run time only those are allowed that
`tool.fraudstream.licences` in `pyproject.toml` names. The development tools are used, not shipped.

"""


class SupplyChainError(Exception):
    """Raised with one line for each thing that is not as it must be."""


def _settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _holds(requirement: Requirement, extras: Iterable[str] = ("",)) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)


def needed(*extras: str) -> dict[str, Distribution]:
    """Return the distributions that the project, and its extras, need here, by name, those behind them included."""
    project = _settings()["project"]
    stated = project["dependencies"] + [one for extra in extras for one in project["optional-dependencies"][extra]]
    found: dict[str, Distribution] = {}
    open_requirements = [one for one in map(Requirement, stated) if _holds(one)]
    while open_requirements:
        requirement = open_requirements.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        try:
            found[name] = distribution(requirement.name)
        except PackageNotFoundError:
            raise SupplyChainError(f"{requirement} is needed and not installed; run make setup") from None
        behind = map(Requirement, found[name].requires or ())
        open_requirements += [one for one in behind if _holds(one, {"", *requirement.extras})]
    return dict(sorted(found.items()))


def pinned() -> dict[str, str]:
    """Return the versions that constraints.txt pins here, by name; SupplyChainError for an entry without a hash."""
    entries = re.split(r"\n(?=\S)", (ROOT / "constraints.txt").read_text(encoding="utf-8").strip())
    bare = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    if bare:
        raise SupplyChainError("\n".join(f"{entry} has no hash; run make constraints" for entry in bare))
    pins = [Requirement(entry.partition("\\")[0]) for entry in entries]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins if _holds(pin)}


def check_pins() -> str:
    """Hold what is installed against what is pinned."""
    pins, wanted = pinned(), needed("dev")
    wrong = [
        f"{name} {found.version} is installed, constraints.txt pins {pins.get(name, 'no version of it')}; "
        "run make setup"
        for name, found in wanted.items()
        if pins.get(name) != found.version
    ]
    if wrong:
        raise SupplyChainError("\n".join(wrong))
    installed = {canonicalize_name(one.metadata["Name"]) for one in distributions()}
    strangers = sorted(installed - pins.keys() - {PROJECT, "pip"})
    others = f"; installed besides and needed by nothing here: {', '.join(strangers)}" if strangers else ""
    return f"{len(wanted)} distributions are installed as pinned, each with its hash{others}"


def licence_of(found: Distribution, stated: Mapping[str, str]) -> str:
    """Return a distribution's SPDX expression: as looked up, or from its metadata or classifiers; "" where none is."""
    metadata: Any = found.metadata
    name = canonicalize_name(metadata["Name"])
    if name in stated:
        return stated[name]
    if metadata.get("License-Expression"):
        return str(metadata["License-Expression"])
    classifiers = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier", []) if "License ::" in line]
    known = [_CLASSIFIERS[line] for line in classifiers if line in _CLASSIFIERS]
    return " OR ".join(known) or str(metadata.get("License") or "").partition("\n")[0].strip()


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Whether every part of an SPDX expression, or one of those to choose from, is allowed.

    Examples
    --------
    >>> is_allowed("MIT AND (GPL-3.0-only OR BSD-3-Clause)", frozenset({"MIT", "BSD-3-Clause"}))
    True
    >>> is_allowed("MIT AND GPL-3.0-only", frozenset({"MIT"}))
    False
    """
    parts = re.split(r"\s+AND\s+(?![^(]*\))", expression)
    return all(
        any(choice.strip("() ") in allowed for choice in re.split(r"\s+OR\s+", part.strip("() "))) for part in parts
    )


def licence_list() -> tuple[str, list[str]]:
    """Return the text of docs/licences.md, and what is not allowed."""
    settings = _settings()["tool"][PROJECT]["licences"]
    allowed, stated = frozenset(settings["allowed"]), settings["stated"]
    shipped, tools = needed(), needed("dev")
    rows = {name: licence_of(found, stated) for name, found in tools.items()}
    wrong = [
        f"{name} is under {rows[name] or 'no licence that it names'}: look it up, then add the licence to `allowed` "
        "or what the distribution leaves out to `stated` in tool.fraudstream.licences, or do without it"
        for name in shipped
        if not is_allowed(rows[name], allowed)
    ]
    parts = [
        ("At run time", shipped),
        ("For development", {name: tools[name] for name in tools if name not in shipped}),
    ]
    text = _HEAD + "\n".join(
        f"## {title}\n\n| distribution | licence |\n|---|---|\n"
        + "".join(f"| {name} | {rows[name] or 'not stated'} |\n" for name in names)
        for title, names in parts
    )
    text += "\n## Carried in this repository\n\n| file | licence |\n|---|---|\n"
    text += "".join(f"| {file} | {licence} |\n" for file, licence in settings["carried"].items())
    return text, wrong


def check_licences(*, write: bool) -> str:
    """Hold licences against the allowed ones, and the published list against what is installed."""
    text, wrong = licence_list()
    if wrong:
        raise SupplyChainError("\n".join(wrong))
    if write:
        LIST.write_text(text, encoding="utf-8")
    published = set(LIST.read_text(encoding="utf-8").splitlines()) if LIST.is_file() else set()
    # Another Python or system needs some less: what is published besides is no fault.
    missing = [line for line in text.splitlines() if line not in published]
    if missing:
        raise SupplyChainError(f"{LIST.name} lacks {missing[0]!r}; run python ops/supply_chain.py licences --write")
    return f"{len(needed())} run-time distributions, all under licences that are allowed"


def audit() -> str:
    """Ask for known vulnerabilities of what is pinned."""
    command = shutil.which("pip-audit") or shutil.which("pip-audit", path=str(Path(sys.executable).parent))
    if command is None:
        return "audit skipped: pip-audit is not installed; get it with pipx install pip-audit"
    pins = str(ROOT / "constraints.txt")
    arguments = [command, "--format", "json", "--progress-spinner", "off", "--require-hashes", "--disable-pip"]
    done = subprocess.run([*arguments, "--requirement", pins], capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):  # it tells of what it has found, or of nothing at all
        why = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return f"audit skipped: no answer about vulnerabilities ({why[:_LONGEST_REASON]})"
    known = [f"{one['name']} {one['version']}: {fault['id']}" for one in found for fault in one.get("vulns", ())]
    if known:
        raise SupplyChainError("\n".join(f"{line}; run make constraints for newer versions" for line in known))
    return "audit: no known vulnerabilities"


def main(arguments: list[str]) -> int:
    """Run one of the checks, print one line, and return the exit code."""
    checks = {"pins": check_pins, "licences": lambda: check_licences(write="--write" in arguments), "audit": audit}
    if not arguments or arguments[0] not in checks:
        sys.stderr.write(f"say which: {', '.join(checks)}\n")
        return 2
    try:
        said = checks[arguments[0]]()
    except SupplyChainError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
