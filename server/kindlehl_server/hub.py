"""Who listens: open sockets by person, each told when that person's library has more.

A poke is a number and no queue: of many that come while a socket is busy, the last one is sent. Whoever writes never
waits for anybody who listens. All of it runs on the event loop.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

from kindlehl.domain.errors import BusyError

SOCKETS = 100
"""Of one person at once."""


class Listener:
    """One socket, from the inside."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._head = 0
        self._told = asyncio.Event()
        self._dismissed = False

    async def heads(self) -> AsyncGenerator[int]:
        """The last head since the one before, as soon as there is one; ends when the device is let in no more."""
        while True:
            await self._told.wait()
            self._told.clear()
            if self._dismissed:
                return
            yield self._head

    def poke(self, head: int) -> None:
        """There is more."""
        self._head = head
        self._told.set()

    def dismiss(self) -> None:
        """The device is let in no more."""
        self._dismissed = True
        self._told.set()


class Hub:
    """All sockets of this process."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}

    @contextmanager
    def listening(self, owner: str, device: str) -> Generator[Listener]:
        """A socket of a device, as long as it is open. Raises BusyError where that person has too many."""
        mine = self._listeners.setdefault(owner, set())
        if len(mine) >= SOCKETS:
            raise BusyError("Too many devices of yours are connected.", hint="Close one of them.")
        listener = Listener(device)
        mine.add(listener)
        try:
            yield listener
        finally:
            mine.discard(listener)
            if not mine:
                self._listeners.pop(owner, None)

    def poke(self, owner: str, head: int) -> None:
        """A person's library has come so far, durably."""
        for listener in self._listeners.get(owner, ()):
            listener.poke(head)

    def dismiss(self, owner: str, device: str) -> None:
        """Close the sockets of a device that is let in no more."""
        for listener in self._listeners.get(owner, ()):
            if listener.device == device:
                listener.dismiss()

    def hears(self, owner: str, device: str) -> bool:
        """Whether a device listens."""
        return any(listener.device == device for listener in self._listeners.get(owner, ()))

    def __len__(self) -> int:
        """How many sockets are open."""
        return sum(len(listeners) for listeners in self._listeners.values())
