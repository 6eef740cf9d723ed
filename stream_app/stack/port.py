"""TCP ports on this machine: a free one, or the asked one if nobody listens there."""

import socket
from typing import Final

from models.errors import FraudstreamError

LOOPBACK: Final = "127.0.0.1"


class PortTakenError(FraudstreamError):
    """Raised when somebody listens on the port that was asked for."""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def require_free(port: int, option: str) -> None:
    """Raise unless a server could listen on the port; `option` is how a person chooses another."""
    with socket.socket() as probe:
        # As the servers do: a port whose last connection closed a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortTakenError(
                f"port {port} on {LOOPBACK} cannot be used ({error.strerror}); "
                f"give another with {option}, or leave it out for a free one"
            ) from error


def answers(port: int) -> bool:
    """Tell whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
