"""Clients that cost next to nothing, so that what is measured is the server: they know no more of HTTP and WebSocket
than these servers say.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from kindlehl.wire import messages

PATIENCE = 30.0
"""Seconds, after which nothing will come any more."""
_STALLED_FOR = 30.0
"""Seconds; after 40 the server closes a socket that has answered no ping."""
_HANGING_UP = 0.5
"""Seconds in which a server notices that sockets closed."""


class Poster:
    """One connection on which requests follow each other."""

    def __init__(self, url: str, token: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = urlsplit(url).netloc
        self._token = token
        self._reader = reader
        self._writer = writer

    async def post(self, path: str, body: bytes, key: str = "") -> float:
        """Send it; returns the seconds until the whole answer was here. Raises RuntimeError where it is no success."""
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {self._token}\r\n"
        once = f"Idempotency-Key: {key}\r\n" if key else ""
        start = time.perf_counter()
        self._writer.write(f"{head}{once}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        said = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(said.partition(b"content-length:")[2].partition(b"\r")[0])
        answer = await self._reader.readexactly(length)
        took = time.perf_counter() - start
        if not said.startswith((b"http/1.1 200", b"http/1.1 201")):
            message = f"{path}: {said.decode()}{answer.decode()}"
            raise RuntimeError(message)
        return took


@asynccontextmanager
async def poster(url: str, token: str = "") -> AsyncIterator[Poster]:
    """A connection."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Poster(url, token, reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


class Listener(asyncio.Protocol):
    """A socket that notes when it was told something."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._data = b""
        self._transport: asyncio.WriteTransport | None = None
        self.open = asyncio.Event()
        self.told = asyncio.Event()
        self.at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        at = time.perf_counter()
        self._data += data
        if not self.open.is_set():
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self.open.set()
            self._data = rest
        while len(self._data) > 1 and len(self._data) >= (size := 2 + self._data[1]):
            kind, said, self._data = self._data[0] & 15, self._data[2:size], self._data[size:]
            if kind == 1:
                self.at = at
                self.told.set()
            elif kind == 9 and self._transport is not None:
                self._transport.write(bytes((0x8A, 0x80 | len(said))) + bytes(4) + said)  # a mask of zeros

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def listeners(url: str, tokens: Sequence[str]) -> AsyncIterator[Sequence[Listener]]:
    """A socket for each of these tokens, all of them open."""
    loop, address = asyncio.get_running_loop(), urlsplit(url)
    here: list[Listener] = []
    try:
        for token in tokens:
            request = _upgrade(url, token)
            _, one = await loop.create_connection(lambda r=request: Listener(r), address.hostname, address.port)
            here.append(one)
            await asyncio.wait_for(one.open.wait(), PATIENCE)
        yield here
    finally:
        for one in here:
            one.close()
        await asyncio.sleep(_HANGING_UP)


async def all_told(here: Sequence[Listener], start: float) -> list[float]:
    """For each the seconds until it was told; from then on it waits anew."""
    for one in here:
        await asyncio.wait_for(one.told.wait(), PATIENCE)
        one.told.clear()
    return [one.at - start for one in here]


class Stalled:
    """Sockets that open and are never read again, with as little room in the kernel as it grants."""

    def __init__(self, url: str, token: str, count: int) -> None:
        self._url = url
        self._token = token
        self._since = time.monotonic()
        self.sockets = [self._opened() for _ in range(count)]

    def renew(self) -> None:
        """Others in their place, before the server closes them: the kernel does not tell that of a socket whose end is
        still behind what nobody reads."""
        if time.monotonic() - self._since < _STALLED_FOR:
            return
        self.close()
        self._since = time.monotonic()
        self.sockets = [self._opened() for _ in self.sockets]

    def close(self) -> None:
        for one in self.sockets:
            one.close()

    def _opened(self) -> socket.socket:
        address = urlsplit(self._url)
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        one.settimeout(PATIENCE)
        one.connect((address.hostname, address.port))
        one.sendall(_upgrade(self._url, self._token))
        said = b""
        while b"\r\n\r\n" not in said:
            said += one.recv(1)
        assert b" 101 " in said, said
        return one


def _upgrade(url: str, token: str) -> bytes:
    return (
        f"GET /api/v1/socket HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {token}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {messages.SUBPROTOCOL}\r\n\r\n"
    ).encode()
