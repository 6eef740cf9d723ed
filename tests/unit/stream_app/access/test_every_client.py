"""No client of Kafka or Redis is made but through models.access, so that none connects without the settings."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.access.kafka_settings import OWN

ROOT = Path(__file__).parents[4]
FILES = sorted(path for folder in ("models", "producers", "stream_app") for path in (ROOT / folder).rglob("*.py"))

CONFLUENT = {"AdminClient", "Consumer", "DeserializingConsumer", "Producer", "SerializingProducer"}
AIOKAFKA = {"AIOKafkaAdminClient", "AIOKafkaConsumer", "AIOKafkaProducer"}
LOCAL_STACK = Path("stream_app/stack/kafka.py")
"""Its own broker on loopback, which asks nobody for anything."""
REDIS = {"Redis", "StrictRedis", "from_url", "ConnectionPool", "Sentinel", "RedisCluster"}
MAKES_REDIS = Path("models/access/redis_access.py")


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name | ast.Attribute):
                yield function.id if isinstance(function, ast.Name) else function.attr, node


def imported(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
    return modules


def clients(makers: set[str], library: str) -> list[tuple[Path, ast.Call]]:
    return [
        (path.relative_to(ROOT), call)
        for path in FILES
        if library in imported(path)
        for name, call in calls(path)
        if name in makers
    ]


def test_the_clients_are_found() -> None:
    assert len(clients(CONFLUENT, "confluent_kafka")) >= 15
    assert len(clients(AIOKAFKA, "aiokafka")) >= 10


@pytest.mark.parametrize(
    ("path", "library", "renders"),
    [(path, "confluent_kafka", "confluent_settings") for path, _ in clients(CONFLUENT, "confluent_kafka")]
    + [(path, "aiokafka", "aiokafka_settings") for path, _ in clients(AIOKAFKA, "aiokafka")],
)
def test_a_client_of_kafka_has_the_settings_of_the_process(path: Path, library: str, renders: str) -> None:
    if path == LOCAL_STACK:
        return
    makers = CONFLUENT if library == "confluent_kafka" else AIOKAFKA
    found = list(calls(ROOT / path))
    made = [name for name, _ in found if name in makers]
    rendered = [name for name, _ in found if name == renders]
    assert len(rendered) == len(made), f"{path}: every client takes **{renders}(broker)"


def test_no_file_names_the_brokers_by_itself() -> None:
    allowed = {Path("models/access/kafka_settings.py"), LOCAL_STACK}
    naming = {
        path.relative_to(ROOT)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Constant) and node.value == "bootstrap.servers")
        or (isinstance(node, ast.keyword) and node.arg == "bootstrap_servers")
    }
    assert naming <= allowed


def test_what_a_client_is_given_by_the_code_cannot_be_set_from_outside() -> None:
    given = {
        key.value
        for path in FILES
        if "confluent_kafka" in imported(path)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Dict) and any(key is None for key in node.keys) | _is_settings(node)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and "." in key.value
    }
    # What the look for a broker may take is a default, and comes before the settings.
    assert given - {"socket.timeout.ms"} <= OWN
    assert {"group.id", "enable.idempotence", "isolation.level"} <= given


def _is_settings(node: ast.Dict) -> bool:
    return any(isinstance(key, ast.Constant) and key.value in OWN for key in node.keys)


def test_redis_is_connected_to_in_one_place() -> None:
    making = {
        path.relative_to(ROOT)
        for path in FILES
        if "redis" in imported(path)
        for name, call in calls(path)
        if name in REDIS and isinstance(call.func, ast.Name | ast.Attribute)
    }
    assert making <= {MAKES_REDIS}
