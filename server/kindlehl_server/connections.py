"""Connections: so many at once and no more, each with so much time to say what it wants.

Whoever connects is nobody yet. Without a bound, a few thousand half-open requests take every file that the process may
open: then nobody is answered, and no library can be opened.
"""

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

try:
    import resource
except ImportError:  # Windows: no such bound
    resource = None  # type: ignore[assignment]  # asked for before every use

MOST = 2_048
"""Connections at once; a household has a few dozen."""
PATIENCE = 10.0
"""Seconds for the head of a request, from the moment that one can come."""
BACKLOG = 128
"""Connections that wait to be accepted."""
_FILES = 8 * MOST
"""Files that a process needs to be allowed to open, at most."""


def bounds() -> tuple[int, int]:
    """How many connections are held, and how many wait to be accepted, by how many files this process may open, which
    is raised as far as it can be. Half of them stay for libraries; and whoever accepts does so some times before it
    learns of the first."""
    if not resource:
        return MOST, BACKLOG
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return min(MOST, files // 2), max(4, min(BACKLOG, files // 16))


class Guarded(H11Protocol):
    """A connection. Where there are too many, the one that has been silent for longest gives way; where each has said
    what it wants, the new one does."""

    most = MOST
    patience = PATIENCE

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent
        """Somebody connects."""
        super().connection_made(transport)
        self._waiting()
        if len(self.connections) > self.most:
            silent = [each for each in self.connections if isinstance(each, Guarded) and each.is_silent()]
            min(silent, key=lambda each: each._since, default=self).transport.abort()

    def is_silent(self) -> bool:
        """Whether it has not said all of what it wants."""
        asked = self._asked()
        return not self.transport.is_closing() and (asked is None or asked.more_body)

    def handle_events(self) -> None:
        """Something was said."""
        super().handle_events()
        if self._asked():
            self._heard()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """It becomes a socket, which is looked after elsewhere."""
        self._heard()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """It may ask for something else."""
        self._waiting()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._heard()
        super().connection_lost(exc)

    def _asked(self) -> RequestResponseCycle | None:
        """The request that is not answered yet."""
        return self.cycle if self.cycle and not self.cycle.response_complete else None

    def _waiting(self) -> None:
        self._heard()
        self._since = time.monotonic()
        self._timer = self.loop.call_later(self.patience, self.transport.close)

    def _heard(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def guarded(most: int, patience: float = PATIENCE) -> type[Guarded]:
    """Connections with these bounds."""
    return type("Guarded", (Guarded,), {"most": most, "patience": patience})
