"""Settings of Kafka clients beside the address, written once in librdkafka's words and rendered for both clients.

They come from the file that FRAUDSTREAM_KAFKA_CONFIG names (`name=value` lines) and from variables such as
FRAUDSTREAM_KAFKA_SASL_PASSWORD for `sasl.password`, which come first. A value may be `file:PATH`. A process has one
identity, so all its clients have the same settings.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from models.access.secret import HIDDEN, hidden, resolved
from models.errors import FraudstreamError

VARIABLE: Final = "FRAUDSTREAM_KAFKA_"
FILE_VARIABLE: Final = "FRAUDSTREAM_KAFKA_CONFIG"

OWN: Final = frozenset({
    "auto.offset.reset", "batch.size", "bootstrap.servers", "compression.type", "delivery.report.only.error",
    "delivery.timeout.ms", "enable.auto.commit", "enable.auto.offset.store", "enable.idempotence",
    "enable.partition.eof", "fetch.message.max.bytes", "fetch.queue.backoff.ms", "fetch.wait.max.ms", "group.id",
    "isolation.level", "linger.ms", "max.partition.fetch.bytes", "message.max.bytes", "metadata.max.age.ms",
    "on_delivery", "partitioner", "queue.buffering.max.messages", "queued.max.messages.kbytes", "queued.min.messages",
    "session.timeout.ms", "transactional.id",
})  # fmt: skip
"""Settings that the code gives its clients itself: what fraudstream promises hangs on them."""

SECRETS: Final = frozenset({
    "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config", "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
})  # fmt: skip

_FILES: Final = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.keystore.location")

_SAME_IN_AIOKAFKA: Final = {
    "client.id": "client_id",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "sasl.kerberos.service.name": "sasl_kerberos_service_name",
}
_MILLISECONDS_IN_AIOKAFKA: Final = {
    "socket.timeout.ms": "request_timeout_ms",
    "connections.max.idle.ms": "connections_max_idle_ms",
    "retry.backoff.ms": "retry_backoff_ms",
}
_OF_TLS: Final = frozenset({
    "security.protocol", "ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location", "ssl.key.location",
    "ssl.key.password", "ssl.endpoint.identification.algorithm", "enable.ssl.certificate.verification",
    "ssl.cipher.suites",
})  # fmt: skip

LIBRDKAFKA_ONLY: Final = frozenset({
    "broker.address.family", "broker.address.ttl", "client.dns.lookup", "client.rack", "debug", "log_level",
    "reconnect.backoff.max.ms", "reconnect.backoff.ms", "retry.backoff.max.ms", "sasl.kerberos.keytab",
    "sasl.kerberos.kinit.cmd", "sasl.kerberos.min.time.before.relogin", "sasl.kerberos.principal",
    "socket.connection.setup.timeout.ms", "socket.keepalive.enable", "socket.nagle.disable",
    "statistics.interval.ms", "topic.metadata.refresh.interval.ms",
})  # fmt: skip
"""Settings without a counterpart in aiokafka whose absence there changes neither who connects nor what is promised."""

_PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


class KafkaSettingsError(FraudstreamError):
    """Raised when a setting of the Kafka clients cannot be used."""


@dataclass(frozen=True, slots=True, repr=False)
class KafkaSettings:
    """What a process tells Kafka beside its address.

    Parameters
    ----------
    values: librdkafka's names and values, secrets in the clear; shown only without them.

    Raises
    ------
    KafkaSettingsError: a setting is fraudstream's own, a file is missing, or the protocol is unknown.

    Examples
    --------
    >>> KafkaSettings({"security.protocol": "SASL_SSL", "sasl.username": "score", "sasl.password": "s3cret"})
    KafkaSettings(security.protocol=SASL_SSL, sasl.username=score, sasl.password=***)
    """

    values: Mapping[str, str]

    def __post_init__(self) -> None:
        for name in self.values:
            if name in OWN:
                raise KafkaSettingsError(f"Kafka setting {name} is fraudstream's own; remove it")
        if self.protocol not in _PROTOCOLS:
            raise KafkaSettingsError(f"security.protocol {self.protocol} is none of {', '.join(_PROTOCOLS)}")
        for name in _FILES:
            path = self.values.get(name)
            if path is not None and not Path(path).exists():
                raise KafkaSettingsError(f"{name} names {path}, which is not there; mend the setting or the file")

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return what the file and the variables say, the process's own environment by default.

        Raises
        ------
        KafkaSettingsError, SecretError: naming the setting and never its value.
        """
        environment = os.environ if environment is None else environment
        found: dict[str, str] = {}
        file = environment.get(FILE_VARIABLE)
        if file:
            found = _in_file(Path(file))
        for variable, value in environment.items():
            if variable.startswith(VARIABLE) and variable != FILE_VARIABLE and value:
                found[_setting_of(variable)] = value
        if "sasl.mechanism" in found:  # librdkafka knows both, and calls the second one the name
            found["sasl.mechanisms"] = found.pop("sasl.mechanism")
        return cls({name: resolved(f"Kafka setting {name}", value) for name, value in found.items()})

    @property
    def protocol(self) -> str:
        """How clients speak to the broker: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
        return self.values.get("security.protocol", "PLAINTEXT").upper()

    @property
    def user(self) -> str | None:
        """The SASL user; None where there is none."""
        return self.values.get("sasl.username")

    def confluent(self, broker: str) -> dict[str, Any]:
        """Settings for confluent-kafka; librdkafka itself refuses a name that it does not know."""
        return {"bootstrap.servers": broker, **self.values}

    def aiokafka(self, broker: str) -> dict[str, Any]:
        """Keyword arguments that aiokafka's consumer, producer and admin client all take.

        Raises
        ------
        KafkaSettingsError: a setting has no counterpart and its absence would matter, or the TLS files do not fit.
        """
        rendered: dict[str, Any] = {"bootstrap_servers": broker}
        for name, value in self.values.items():
            if name in _SAME_IN_AIOKAFKA:
                rendered[_SAME_IN_AIOKAFKA[name]] = value
            elif name in _MILLISECONDS_IN_AIOKAFKA:
                rendered[_MILLISECONDS_IN_AIOKAFKA[name]] = _milliseconds(name, value)
            elif name not in _OF_TLS and name not in LIBRDKAFKA_ONLY:
                raise KafkaSettingsError(
                    f"Kafka setting {name} has no counterpart in aiokafka, which this process uses beside librdkafka; "
                    "remove it, or check its name"
                )
        if self.protocol != "PLAINTEXT":
            rendered["security_protocol"] = self.protocol
        if self.protocol.endswith("SSL"):
            rendered["ssl_context"] = self._tls()
        return rendered

    def hide(self, text: str) -> str:
        """Return a text without any secret of these settings."""
        return hidden(text, *(self.values[name] for name in SECRETS & self.values.keys()))

    def __repr__(self) -> str:
        shown = (f"{name}={HIDDEN if name in SECRETS else value}" for name, value in self.values.items())
        return f"KafkaSettings({', '.join(shown)})"

    def _tls(self) -> ssl.SSLContext:
        get = self.values.get
        ca, certificate = get("ssl.ca.location"), get("ssl.certificate.location")
        is_folder = ca is not None and Path(ca).is_dir()
        try:
            context = ssl.create_default_context(
                cafile=None if is_folder else ca, capath=ca if is_folder else None, cadata=get("ssl.ca.pem")
            )
            if certificate is not None:
                # Without a password a callback answers: OpenSSL would ask at the terminal.
                context.load_cert_chain(certificate, get("ssl.key.location"), get("ssl.key.password") or str)
            if "ssl.cipher.suites" in self.values:
                context.set_ciphers(self.values["ssl.cipher.suites"])
        except (OSError, ValueError) as error:
            raise KafkaSettingsError(
                f"TLS cannot be set up from ssl.ca.location {ca}, ssl.certificate.location {certificate} and "
                f"ssl.key.location {get('ssl.key.location')} ({self.hide(str(error))}); mend the files or the settings"
            ) from None
        verifies = get("enable.ssl.certificate.verification", "true").lower() != "false"
        context.check_hostname = verifies and get("ssl.endpoint.identification.algorithm", "https") != "none"
        if not verifies:
            context.verify_mode = ssl.CERT_NONE
        return context


def settings_error(reason: str) -> KafkaSettingsError:
    """Return the error for settings that librdkafka has refused, without any secret in its reason."""
    return KafkaSettingsError(
        f"librdkafka refuses the Kafka settings ({KafkaSettings.read().hide(reason)}); check {FILE_VARIABLE} and the "
        f"variables {VARIABLE}..."
    )


def confluent_settings(broker: str) -> dict[str, Any]:
    """Return what a client of confluent-kafka is made with in this process: the address and who connects how.

    Raises
    ------
    KafkaSettingsError, SecretError: naming the setting and never a secret.
    """
    return KafkaSettings.read().confluent(broker)


def aiokafka_settings(broker: str) -> dict[str, Any]:
    """Return the same as keyword arguments for a client of aiokafka."""
    return KafkaSettings.read().aiokafka(broker)


def _in_file(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise KafkaSettingsError(f"{FILE_VARIABLE} names {file}, which cannot be read ({reason}); mend it") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not (name and equals and value):
            raise KafkaSettingsError(f"line {number} of {file} is no setting; write name=value")
        if name in found:
            raise KafkaSettingsError(f"line {number} of {file} sets {name} a second time; remove one")
        found[name] = value
    return found


def _setting_of(variable: str) -> str:
    name = variable.removeprefix(VARIABLE).lower()
    return name if name == "log_level" else name.replace("_", ".")


def _milliseconds(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise KafkaSettingsError(f"Kafka setting {name} is {value!r}, no number of milliseconds; mend it") from None
