"""Tells a broker that refuses from one that is silent: librdkafka says why only to a callback, or not at all."""

import socket
from typing import Final, Protocol

from models.access.kafka_settings import KafkaSettings

_CONNECT_S: Final = 2.0
_SETTINGS: Final = "FRAUDSTREAM_KAFKA_CONFIG or the variables FRAUDSTREAM_KAFKA_..."


class _Error(Protocol):
    """What is used of confluent-kafka's KafkaError."""

    def name(self) -> str: ...

    def str(self) -> str: ...


class KafkaRefusal:
    """Give it to a client as `error_cb`; `text` is the first refusal in words, None while there is none.

    Only what waiting does not mend counts: a wrong password, a certificate that does not verify, another protocol.
    """

    def __init__(self) -> None:
        self.text: str | None = None

    def __call__(self, error: _Error) -> None:
        """Take note of an error."""
        if self.text is None:
            self.text = _in_words(error.name(), error.str(), KafkaSettings.read())


def _in_words(name: str, reason: str, settings: KafkaSettings) -> str | None:
    # Without the address and the timing that librdkafka puts around it.
    said = settings.hide(" ".join(reason.split()))
    if name == "_AUTHENTICATION":
        return (
            f"it refuses user {settings.user} ({said}); check sasl.username, sasl.password and sasl.mechanisms in "
            f"{_SETTINGS}"
        )
    if name == "_SSL" or "connecting to a PLAINTEXT" in reason:
        return (
            f"no TLS connection is made ({said}); check security.protocol {settings.protocol} and ssl.ca.location "
            f"{settings.values.get('ssl.ca.location')} in {_SETTINGS}"
        )
    return None


def silence(broker: str, waited_s: float, reason: str) -> str:
    """Return what to say of a broker that has not answered: whether anybody listens there tells what to do.

    Of another security protocol than its own a broker says nothing at all; it hangs up.
    """
    host, _, port = broker.partition(",")[0].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, ValueError):
        return (
            f"no Kafka broker answers at {broker} within {waited_s:g} s ({reason}); "
            "start one with `fraudstream stack up`, or give its address with --broker"
        )
    protocol = KafkaSettings.read().protocol
    return (
        f"{broker} takes connections, but no Kafka broker answers there within {waited_s:g} s ({reason}); if it wants "
        f"another security.protocol than {protocol}, set that in {_SETTINGS}"
    )
