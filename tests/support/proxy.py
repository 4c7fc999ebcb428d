"""A network between devices and a server on which anything may happen: TCP proxies, each with a fault of its own."""

import asyncio
import random
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, TypeVar

from support.cli import TIMEOUT

T = TypeVar("T")
Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
WELL = "well"
FORGOTTEN = "forgotten"
"""All is well, but for connections that are open now: they carry nothing any more, and nobody says so."""
FAULTS = ("cut", "silent", "late", "lossy", "dripping", "repeating", "refused")
"""Connections break after a few bytes; are taken and then carry nothing; carry everything 200 ms late; lose one chunk
in a hundred and break; carry a few bytes at a time; carry each request to the server twice; are not taken."""
_LATE = 0.2
_LOST = 0.01
_CHUNK, _DROP = 1_024, 48
"""Bytes that are carried at a time, and where they drip."""
_DRIP = 0.02
"""Seconds between two drops."""


class Proxy:
    """A way to a server, on a port of its own. All of it runs on the loop of its network, but for `change`."""

    def __init__(self, network: "Network", target: int, dice: random.Random) -> None:
        self._network = network
        self._target = target
        self._dice = dice
        self._fault = WELL
        self._changed = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where the server seems to be."""
        return f"http://127.0.0.1:{self.port}"

    def change(self, fault: str) -> None:
        """Another fault from now on. Connections that were silent break at its end, as do all where none are taken."""
        self._network.run(self.become(fault))

    async def become(self, fault: str) -> None:
        """The same, on the loop."""
        if fault == FORGOTTEN:
            self._forgotten |= self._open
        elif fault in ("cut", "refused") or (self._fault == "silent" and fault != "silent"):
            self.cut()
        self._fault = fault
        self._changed.set()
        self._changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        if fault == "refused" and self._listener:
            loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        elif fault != "refused" and not self._listener:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]
            loop.add_reader(self._listener, self._accept, self._listener)

    def cut(self) -> None:
        """Break every connection."""
        for task in self._serving:
            task.cancel()

    def _accept(self, listener: socket.socket) -> None:
        """A connection is there. No server of asyncio's: one that closes leaves open what it has just accepted."""
        with suppress(BlockingIOError):
            taken, _ = listener.accept()
            task = asyncio.create_task(self._serve(taken))
            self._serving.add(task)  # the loop does not keep hold of it
            task.add_done_callback(self._serving.discard)
            task.add_done_callback(lambda _: taken.close())  # though it was cut before it began

    async def _serve(self, taken: socket.socket) -> None:
        with suppress(OSError):
            taken.setblocking(False)
            device, to_device = await asyncio.open_connection(sock=taken)
            try:
                server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
                await self._join((device, to_device), (server, to_server))
            finally:
                to_device.transport.abort()

    async def _join(self, near: Ends, far: Ends) -> None:
        """Carry in both ways until one of them ends."""
        writers = {near[1], far[1]}
        self._open |= writers
        ways = {
            asyncio.create_task(self._requests(near[0], far[1])),
            asyncio.create_task(self._bytes(far[0], near[1])),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= writers
            self._forgotten -= writers
            far[1].transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _bytes(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._carry(data, sink)

    async def _requests(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Whole requests, so that one can be repeated; what follows an upgrade is no request."""
        while True:
            head = await source.readuntil(b"\r\n\r\n")
            request = head + await source.readexactly(_length(head))
            upgrade = b"\r\nupgrade:" in head.lower()
            first = self._dice.random() < 0.5
            if self._fault == "repeating" and not upgrade and first:
                await self._repeat(request)
            for n in range(0, len(request), _CHUNK):
                await self._carry(request[n : n + _CHUNK], sink)
            if upgrade:
                await self._bytes(source, sink)
                return
            if self._fault == "repeating" and not first:
                await self._repeat(request)

    async def _repeat(self, request: bytes) -> None:
        """To the server once more; nobody hears the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            writer.write(request)
            with suppress(TimeoutError, OSError):
                await asyncio.wait_for(reader.read(_CHUNK), 5)
        finally:
            writer.transport.abort()

    async def _carry(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        while self._fault == "silent" or sink in self._forgotten:
            await self._changed.wait()
        match self._fault:
            case "late":
                await asyncio.sleep(_LATE)
            case "lossy" if self._dice.random() < _LOST:
                raise ConnectionAbortedError
            case "cut" if self._dice.random() < 0.5:
                raise ConnectionAbortedError
            case _:
                pass
        while self._fault == "dripping" and data:
            sink.write(data[:_DROP])
            data = data[_DROP:]
            await asyncio.sleep(_DRIP)
        sink.write(data)
        await sink.drain()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, said = line.partition(b":")
        if name.lower() == b"content-length":
            return int(said)
    return 0


class Network:
    """A loop on which proxies run, in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.proxies: list[Proxy] = []

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        """Have something done there."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(TIMEOUT)

    def proxy(self, target: int, dice: random.Random) -> Proxy:
        """One more way to a server on this port, on which all is well."""
        made = Proxy(self, target, dice)
        made.change(WELL)
        self.proxies.append(made)
        return made

    async def close(self) -> None:
        """Nothing is carried any more."""
        for proxy in self.proxies:
            await proxy.become("refused")
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def network() -> Iterator[Network]:
    """A network, as long as it is needed."""
    made = Network()
    thread = threading.Thread(target=made.loop.run_forever)
    thread.start()
    try:
        yield made
    finally:
        made.run(made.close())
        made.loop.call_soon_threadsafe(made.loop.stop)
        thread.join(TIMEOUT)
        made.loop.close()
