"""The compose files and the image, as far as they can be held to something without an engine."""

import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from jsonschema import Draft7Validator

from models.access.kafka_settings import VARIABLE as KAFKA_VARIABLE
from models.access.kafka_settings import KafkaSettings
from stream_app.cli import COMMANDS, run
from stream_app.stack.kafka import CLUSTER_ID
from stream_app.stack.kafka_jars import kafka_version

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "stream_app" / "stack" / "settings"
SCHEMA = ROOT / "tests" / "support" / "compose_spec" / "compose-spec.json"
FILES = ("docker-compose.yml", "docker-compose.secure.yml")
PROCESSES = ("score", "watch", "archive", "retrain", "console")
READ_OUTSIDE_COMMANDS = {
    "FRAUDSTREAM_DATA",
    *(f"FRAUDSTREAM_REDIS_{name}" for name in ("USERNAME", "PASSWORD", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE")),
    *(f"FRAUDSTREAM_REDIS_RELEASER_{name}" for name in ("USERNAME", "PASSWORD")),
}
"""Variables that models.access and the data folder read, for whatever command."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


SECURED = ROOT / "docker-compose.secure.yml"


@pytest.fixture(scope="module")
def secured(compose: dict[str, Any]) -> dict[str, Any]:
    """What `docker compose -f docker-compose.yml -f docker-compose.secure.yml` runs, as far as these tests look."""
    overlay: dict[str, Any] = yaml.safe_load(SECURED.read_text())
    services = {name: dict(one) for name, one in compose["services"].items()}
    for name, changes in overlay["services"].items():
        service = services.setdefault(name, {})
        environment = {**service.get("environment", {}), **changes.get("environment", {})}
        depends = {**service.get("depends_on", {}), **changes.get("depends_on", {})}
        health = {**service.get("healthcheck", {}), **changes.get("healthcheck", {})}
        merged = {"environment": environment, "depends_on": depends, "healthcheck": health}
        volumes = [*service.get("volumes", []), *changes.get("volumes", [])]
        service |= changes | {key: found for key, found in (merged | {"volumes": volumes}).items() if found}
    return {"services": services, "secrets": overlay["secrets"], "volumes": overlay["volumes"]}


@pytest.fixture(scope="module")
def services(secured: dict[str, Any]) -> dict[str, Any]:
    """All services of both files together."""
    found: dict[str, Any] = secured["services"]
    return found


def test_compose_pins_every_image(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
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


def size_bytes(text: str) -> int:
    return int(text[:-1]) << {"m": 20, "g": 30}[text[-1]]


def leaf(arguments: list[str]) -> tuple[click.Command, list[str]]:
    """The command that is called, and what follows its name."""
    command: click.Command = COMMANDS[arguments[0]].load()
    rest = arguments[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, rest[0]
        command, rest = found, rest[1:]
    return command, rest


def variables(name: str, command: click.Command) -> set[str]:
    """Variables that set an option of a command: those that it names, and the one that the command line gives it."""
    named: set[str] = set()
    for option in command.params:
        named |= {option.envvar} if isinstance(option.envvar, str) else set(option.envvar or ())
        named.add(f"FRAUDSTREAM_{name}_{option.name}".upper().replace("-", "_"))
    return named


@pytest.mark.parametrize("file", FILES)
def test_a_compose_file_fits_the_compose_specification(file: str) -> None:
    schema = json.loads(SCHEMA.read_text())
    errors = Draft7Validator(schema).iter_errors(yaml.safe_load((ROOT / file).read_text()))
    assert [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors] == []


def test_the_schema_refuses_what_is_no_compose_file() -> None:
    validator = Draft7Validator(json.loads(SCHEMA.read_text()))
    assert not validator.is_valid({"services": {"score": {"image": "a:1", "memory": "2g"}}})


def test_every_process_has_a_service_and_every_service_a_purpose(services: dict[str, Any]) -> None:
    others = {"kafka", "redis", "topics", "prometheus", "grafana", "jaeger", "redis-users", "access"}
    assert set(services) == others | set(PROCESSES)


def test_services_run_commands_that_exist_with_options_that_exist(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if "build" not in service:
            continue
        program, *arguments = service["command"]
        assert program == "fraudstream"
        command, rest = leaf(arguments)
        command.make_context(name, list(rest), resilient_parsing=True)
        known = {one for option in command.params for one in option.opts}
        assert {one for one in rest if one.startswith("--")} <= known


def test_variables_of_a_service_set_options_that_it_has(services: dict[str, Any]) -> None:
    for service in services.values():
        ours = {name: text for name, text in service.get("environment", {}).items() if name.startswith("FRAUDSTREAM_")}
        if "build" not in service:
            assert not ours
            continue
        command, _ = leaf(service["command"][1:])
        kafka = {name: text for name, text in ours.items() if name.startswith(KAFKA_VARIABLE)}
        shared = {"FRAUDSTREAM_BROKER", "FRAUDSTREAM_REDIS", "FRAUDSTREAM_LOG_FORMAT"}
        assert ours.keys() - kafka.keys() - shared <= variables(service["command"][1], command) | READ_OUTSIDE_COMMANDS
        files = {name for name in kafka if name.endswith(("_LOCATION", "_PASSWORD"))}
        KafkaSettings.read({name: text for name, text in kafka.items() if name not in files})


def test_a_wrong_variable_is_seen() -> None:
    command, _ = leaf(["score"])
    assert "FRAUDSTREAM_SCORE_WEB_HOST" in variables("score", command)
    assert "FRAUDSTREAM_SCORE_WEBHOST" not in variables("score", command)
    assert "FRAUDSTREAM_BROKER" in variables("score", command)


def test_every_service_has_limits_and_none_gains_rights(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert size_bytes(service["mem_limit"]) <= 4 << 30, name
        assert 0 < service["cpus"] <= 2, name
        assert 0 < service["pids_limit"] <= 512, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("read_only") is True or name == "kafka", name  # its start script writes its settings
        assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc"}, name


def test_what_runs_on_is_watched_and_started_again_and_what_ends_is_not(services: dict[str, Any]) -> None:
    ending = {"topics", "access", "redis-users"}
    for name, service in services.items():
        if name in ending:
            assert service["restart"] == "on-failure:3"
            assert "healthcheck" not in service
        else:
            assert service["restart"] == "unless-stopped"
            assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
            assert service["healthcheck"]["interval"]


def test_a_process_is_stopped_as_patiently_as_it_needs(services: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "operations" / "README.md").read_text()
    needed = dict(re.findall(r"^\| `([a-z]+)` \| .* \| (\d+) s \|$", page, flags=re.MULTILINE))
    assert needed.keys() == set(PROCESSES)
    for name, seconds in needed.items():
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > int(seconds)


def test_no_port_is_open_beyond_this_machine(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert len({port.split(":")[1] for port in published}) == len(published)


def test_what_a_service_mounts_and_waits_for_is_there(compose: dict[str, Any], services: dict[str, Any]) -> None:
    overlay = yaml.safe_load(SECURED.read_text())
    for service in services.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert mount.endswith(":ro")
            else:
                assert source in compose["volumes"] | overlay["volumes"]
        for other, wanted in service.get("depends_on", {}).items():
            healthy = wanted["condition"] == "service_healthy"
            assert ("healthcheck" in services[other]) is healthy, other


def test_prometheus_has_a_job_for_every_process_at_the_port_where_it_serves(services: dict[str, Any]) -> None:
    settings = yaml.safe_load((ROOT / "ops" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job["dns_sd_configs"][0] for job in settings["scrape_configs"]}
    assert jobs.keys() == {f"fraudstream-{name}" for name in PROCESSES}
    for name in PROCESSES:
        environment = services[name]["environment"]
        found = jobs[f"fraudstream-{name}"]
        assert (found["names"], found["type"]) == ([name], "A")
        assert str(found["port"]) == environment[f"FRAUDSTREAM_{name.upper()}_WEB_PORT"]
        assert environment[f"FRAUDSTREAM_{name.upper()}_WEB_HOST"] == "0.0.0.0"
        assert f"127.0.0.1:{found['port']}/healthz" in services[name]["healthcheck"]["test"][-1]
    mounted = {mount.split(":")[1] for mount in services["prometheus"]["volumes"]}
    assert {f"/etc/prometheus/{file}" for file in settings["rule_files"]} <= mounted
    assert f"--config.file={'/etc/prometheus/prometheus.yml'}" in services["prometheus"]["command"]


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_image_is_built_in_stages_from_a_pinned_one_and_runs_without_rights() -> None:
    found = instructions()
    stages = [text for name, text in found if name == "FROM"]
    assert len(stages) == 2
    assert all(re.match(r"python:\d+\.\d+\.\d+-slim-[a-z]+( AS build)?$", text) for text in stages)
    last = found[max(at for at, (name, _) in enumerate(found) if name == "FROM") :]
    user = [text for name, text in last if name == "USER"]
    assert user
    assert all(re.fullmatch(r"[1-9]\d+:[1-9]\d+", one) for one in user)
    assert [name for name, _ in last].index("USER") < [name for name, _ in last].index("CMD")
    assert not re.search(r"\b(gcc|g\+\+|build-essential|clang|make)\b", " ".join(text for _, text in found))
    (installed,) = (text for name, text in found if "--requirement" in text)
    assert "--only-binary=:all:" in installed
    assert "--require-hashes" in installed
    assert "constraints.runtime.txt" in installed


def test_kernels_are_compiled_into_a_folder_that_the_user_may_write() -> None:
    last = instructions()
    environment = dict(pair.split("=", 1) for name, text in last if name == "ENV" for pair in text.split())
    (volume,) = (text for name, text in last if name == "VOLUME")
    assert environment["NUMBA_CACHE_DIR"].startswith(f"{volume}/")
    assert environment["FRAUDSTREAM_DATA"] == volume
    assert environment["MPLCONFIGDIR"].startswith("/tmp/")
    assert f"--owner=fraudstream --group=fraudstream --mode=0750 {volume}" in " ".join(text for _, text in last)


def test_what_the_image_copies_exists_and_is_sent_to_the_engine_and_nothing_else_is() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    copied = {
        one for name, text in instructions() if name == "COPY" and "--from" not in text for one in text.split()[:-1]
    }
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert not hidden(source, rules), source
    for secret in ("secrets", ".git", ".fraudstream", ".venv", "tests", "constraints.txt"):
        assert hidden(secret, rules), secret


def hidden(path: str, rules: list[str]) -> bool:
    """Whether the last rule that fits a path keeps it out."""
    out = False
    for rule in rules:
        if fnmatch(path, rule.removeprefix("!")):
            out = not rule.startswith("!")
    return out


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
    for process in PROCESSES:
        service = secured["services"][process]
        environment = service["environment"]
        in_redis = {"console": "operator"}.get(process, process)  # people act through it
        own = {"ca.pem", f"kafka-{process}", f"redis-{in_redis}"}
        assert set(service["secrets"]) == (own | {"redis-releaser"} if process == "retrain" else own)
        assert environment["FRAUDSTREAM_KAFKA_SASL_USERNAME"] == process
        assert environment["FRAUDSTREAM_REDIS_USERNAME"] == in_redis
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
