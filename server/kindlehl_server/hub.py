"""Who listens: open sockets by person, each told when that person's library has more.

A poke is a number and no queue: of many that come while a socket is busy, the last one is sent. Whoever writes never
waits for anybody who listens. All of it runs on the event loop.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager

from kindlehl.domain.errors import BusyError

SOCKETS = 100
"""Of one person at once."""


class Listener:
    """One socket, from the inside."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.behind_since: float | None = None
        """When it was told of something that it has not come for."""
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

    def poke(self, head: int, *, known: bool) -> None:
        """There is more, which this very device may have brought."""
        if self.behind_since is None and not known:
            self.behind_since = time.monotonic()
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

    def poke(self, owner: str, head: int, by: str) -> None:
        """A person's library has come so far, durably, by what one of his devices brought."""
        for listener in self._listeners.get(owner, ()):
            listener.poke(head, known=listener.device == by)

    def dismiss(self, owner: str, device: str) -> None:
        """Close the sockets of a device that is let in no more."""
        for listener in self._listeners.get(owner, ()):
            if listener.device == device:
                listener.dismiss()

    def came(self, owner: str, device: str) -> float | None:
        """A device comes for what there is; returns how many seconds ago it was first told, if it was."""
        since: list[float] = []
        for listener in self._listeners.get(owner, ()):
            if listener.device == device and listener.behind_since is not None:
                since.append(listener.behind_since)
                listener.behind_since = None
        return time.monotonic() - min(since) if since else None

    def behind(self) -> Sequence[float]:
        """For how many seconds each socket was told of something that its device has not come for."""
        now = time.monotonic()
        # A watcher asks from a thread of its own.
        listeners = [listener for mine in [*self._listeners.values()] for listener in [*mine]]
        return [now - since for listener in listeners if (since := listener.behind_since) is not None]

    def hears(self, owner: str, device: str) -> bool:
        """Whether a device listens."""
        return any(listener.device == device for listener in self._listeners.get(owner, ()))

    def __len__(self) -> int:
        """How many sockets are open."""
        return sum(len(listeners) for listeners in [*self._listeners.values()])
