"""Trying again: exponential pauses with full jitter, so that many who wait do not come at the same moment."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from kindlehl.domain.errors import BusyError, KindlehlError, MovedError, OfflineError, TooOftenError

T = TypeVar("T")
PASSING = (OfflineError, BusyError, TooOftenError, MovedError)
"""What goes by itself."""
_FIRST, _SOON, _LATE = 0.5, 5.0, 60.0
"""Seconds: the bound of the first pause, of those that follow, and of those after many failures."""
_MANY = 60
"""Failures after which it is no matter of moments."""
_LONGEST = 300.0
"""Seconds: nobody is told to stay away for longer, whatever a proxy's page says."""


@dataclass(slots=True)
class Pauses:
    """How long to wait before the next attempt."""

    draw: Callable[[float, float], float] = random.uniform
    failures: int = field(default=0)

    def next(self, error: KindlehlError) -> float:
        """Seconds, after one more failure; no shorter than whoever failed asks for."""
        bound = min(_SOON if self.failures < _MANY else _LATE, _FIRST * 2 ** min(self.failures, 30))
        self.failures += 1
        return max(self.draw(0, bound), min(error.retry_after or 0, _LONGEST))

    def over(self) -> None:
        """It went well."""
        self.failures = 0


def patiently(
    attempt: Callable[[], T],
    progress: Callable[[], object],
    budget: float,
    *,
    now: Callable[[], float],
    sleep: Callable[[float], None],
    pauses: Pauses | None = None,
) -> T:
    """Try until it goes well. What does not pass by itself is raised, and what does once no `progress` was made for
    `budget` seconds, or would not be by the next attempt."""
    waits = pauses or Pauses()
    reached, since = progress(), now()
    while True:
        try:
            return attempt()
        except PASSING as error:
            if progress() != reached:
                reached, since = progress(), now()
                waits.over()
            pause = waits.next(error)
            if now() + pause - since > budget:
                raise
        sleep(pause)
