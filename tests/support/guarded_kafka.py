"""A Kafka with the settings of docker-compose.secure.yml: TLS, SCRAM and rights, on a port of this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import yaml

from stream_app.access.fresh_secrets import make_secrets
from stream_app.access.kafka_rights import KAFKA_RIGHTS
from stream_app.stack.kafka import LocalKafka
from stream_app.stack.port import LOOPBACK, free_ports

_COMPOSE = Path(__file__).parents[2] / "docker-compose.secure.yml"


def broker_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Names of variables as the image of Kafka turns them into settings."""
    return {
        name.removeprefix("KAFKA_")
        .lower()
        .replace("___", "-")
        .replace("__", "\0")
        .replace("_", ".")
        .replace("\0", "_"): value
        for name, value in environment.items()
    }


class GuardedKafka:
    """Runs until the end of a `with`.

    Parameters
    ----------
    folder: data, log, passwords and certificates.
    """

    def __init__(self, folder: Path) -> None:
        self.secrets = folder / "secrets"
        self.users = {name: f"kafka-{name}" for name in KAFKA_RIGHTS}
        make_secrets(self.secrets, self.users.values(), ["kafka-server"], [LOOPBACK])
        local, controller, guarded = free_ports(3)
        self.broker = f"{LOOPBACK}:{guarded}"
        compose = yaml.safe_load(_COMPOSE.read_text())["services"]["kafka"]["environment"]
        settings = broker_settings(compose) | {
            "listeners": f"LOCAL://{LOOPBACK}:{local},CONTROLLER://{LOOPBACK}:{controller},BROKER://{self.broker}",
            "advertised.listeners": f"LOCAL://{LOOPBACK}:{local},BROKER://{self.broker}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "ssl.keystore.location": str(self.secrets / "kafka-server.pem"),
        }
        self._server = LocalKafka(folder / "kafka", port=local, settings=settings)
        self.local = self._server.broker
        """Where nobody is asked for a password, as inside the container."""

    def environment(self, user: str) -> dict[str, str]:
        """The variables of a process of this user."""
        return {
            "FRAUDSTREAM_BROKER": self.broker,
            "FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "FRAUDSTREAM_KAFKA_SASL_MECHANISMS": "SCRAM-SHA-512",
            "FRAUDSTREAM_KAFKA_SSL_CA_LOCATION": str(self.secrets / "ca.pem"),
            "FRAUDSTREAM_KAFKA_SASL_USERNAME": user,
            "FRAUDSTREAM_KAFKA_SASL_PASSWORD": f"file:{self.secrets / f'kafka-{user}'}",
        }

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
