"""What `kindlehl serve` listens on."""

import socket

import pytest

from kindlehl.domain.errors import UsageError
from kindlehl_server.commands.serving import listening


class TestListening:
    """The socket that connections come from."""

    def test_a_connection_sends_at_once(self) -> None:
        """And does not keep the end of an answer back until its beginning is acknowledged."""
        with (
            listening("127.0.0.1", 0, 8) as bound,
            socket.create_connection(bound.getsockname()),
            bound.accept()[0] as accepted,
        ):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_a_port_that_is_taken_is_said(self) -> None:
        """With what to do about it."""
        with listening("127.0.0.1", 0, 8) as bound, pytest.raises(UsageError, match="Nothing can listen"):
            listening("127.0.0.1", bound.getsockname()[1], 8)
