"""TCP ports on this machine: a free one, or the asked one if nobody listens there."""

import random
import socket
from typing import Final

from models.errors import FraudstreamError

LOOPBACK: Final = "127.0.0.1"
BELOW_EPHEMERAL: Final = range(20_000, 32_000)


class PortTakenError(FraudstreamError):
    """Raised when somebody listens on the port that was asked for."""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now, all different.

    A server may bind its port seconds later. So they lie below the range from which the system gives every outgoing
    connection one: there, a busy machine takes them again before the server does.
    """
    found: list[int] = []
    for port in random.sample(BELOW_EPHEMERAL, len(BELOW_EPHEMERAL)):
        if len(found) == count:
            break
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if _bind(probe, port) is None:
                found.append(port)
    return found


def _bind(probe: socket.socket, port: int) -> OSError | None:
    try:
        probe.bind((LOOPBACK, port))
    except OSError as error:
        return error
    return None


def require_free(port: int, option: str) -> None:
    """Raise unless a server could listen on the port; `option` is how a person chooses another."""
    with socket.socket() as probe:
        # As the servers do: a port whose last connection closed a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        error = _bind(probe, port)
    if error is not None:
        raise PortTakenError(
            f"port {port} on {LOOPBACK} cannot be used ({error.strerror}); "
            f"give another with {option}, or leave it out for a free one"
        ) from error


def answers(port: int) -> bool:
    """Tell whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
