"""Turns: one person's requests wait for each other rather than for everybody's threads."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from kindlehl.domain.errors import BusyError

AT_ONCE = 4
"""Requests of one person that are worked on; the others wait."""
WAITING = 50
"""Requests of one person that may wait."""


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
            error = BusyError("Too much of yours is under way.", hint="Try again in a moment.")
            error.retry_after = 1.0
            raise error
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
