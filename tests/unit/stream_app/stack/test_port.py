"""Ports on this machine."""

import socket

import pytest

from stream_app.stack.port import LOOPBACK, PortTakenError, answers, free_ports, require_free


def test_free_ports_are_different_and_can_be_used() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        require_free(port, "--kafka-port")
        assert not answers(port)


def test_a_taken_port_is_named_with_the_option_that_chooses_another() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert answers(port)
        with pytest.raises(PortTakenError, match=f"port {port} on 127.0.0.1 .*--kafka-port"):
            require_free(port, "--kafka-port")
