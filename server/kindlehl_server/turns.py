"""Turns: one person's requests wait for each other rather than for everybody's threads, and fill no more than so much
memory meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from kindlehl.domain.errors import BusyError

AT_ONCE = 4
"""Requests of one person that are worked on; the others wait."""
WAITING = 50
"""Requests of one person that may wait."""
HELD = 16 << 20
"""Bytes of one person's messages that are held, while they arrive and while they wait."""


class Turns:
    """Who works, and who waits, by person. Runs on the event loop."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._at_once = at_once
        self._waiting = waiting
        self._gates: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def turn(self, owner: str) -> AsyncGenerator[None]:
        """One person's turn. Raises BusyError where too many wait."""
        gate, here = self._gates.get(owner, (asyncio.Semaphore(self._at_once), 0))
        if here >= self._at_once + self._waiting:
            raise _busy()
        self._gates[owner] = gate, here + 1
        try:
            async with gate:
                yield
        finally:
            here = self._gates[owner][1] - 1
            if here:
                self._gates[owner] = gate, here
            else:
                del self._gates[owner]


class Room:
    """How much is held of messages, by person. Runs on the event loop."""

    def __init__(self, most: int = HELD) -> None:
        self._most = most
        self._held: dict[str, int] = {}

    @contextmanager
    def of(self, owner: str) -> Generator[Callable[[int], None]]:
        """Room for one message of a person's, to be taken byte by byte as it arrives; given back afterwards. Taking
        raises BusyError where too much is held."""
        mine = 0

        def take(more: int) -> None:
            nonlocal mine
            held = self._held.get(owner, 0) + more
            if held > self._most:
                raise _busy()
            self._held[owner] = held
            mine += more

        try:
            yield take
        finally:
            left = self._held.get(owner, 0) - mine
            if left:
                self._held[owner] = left
            else:
                self._held.pop(owner, None)


def _busy() -> BusyError:
    error = BusyError("Too much of yours is under way.", hint="Try again in a moment.")
    error.retry_after = 1.0
    return error
