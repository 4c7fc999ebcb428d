"""How often somebody may ask: guesses of secrets cost time."""

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kindlehl.domain.errors import KindlehlError, TooOftenError

GUESSES = {
    "sign in from": parse("20 per 5 minutes"),
    "sign in as": parse("10 per 5 minutes"),
    "code": parse("10 per 5 minutes"),
    "invitation": parse("10 per 5 minutes"),
    "pairing": parse("10 per minute"),
    "collecting": parse("60 per minute"),
}
"""By what is guessed, for one address, person or name."""


class Limits:
    """Counts in memory: a server that is started anew has forgotten them, and nobody waits longer than they last."""

    def __init__(self, guesses: dict[str, RateLimitItem] = GUESSES) -> None:
        self._guesses = guesses
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def guess(self, what: str, who: str) -> None:
        """Somebody tries. Raises TooOftenError, with the seconds to wait."""
        if not self._limiter.hit(self._guesses[what], what, _network(who)):
            raise self._too_often(what, who)

    @contextmanager
    def guessing(self, what: str, who: str, wrong: type[KindlehlError]) -> Generator[None]:
        """Somebody tries, and what is `wrong` counts, nothing else. Raises TooOftenError, also afterwards: of many who
        try at the same moment no more are told than one after another."""
        self._look(what, who)
        try:
            yield
        except wrong:
            self.guess(what, who)
            raise
        self._look(what, who)

    def _look(self, what: str, who: str) -> None:
        if not self._limiter.test(self._guesses[what], what, _network(who)):
            raise self._too_often(what, who)

    def _too_often(self, what: str, who: str) -> TooOftenError:
        left = self._limiter.get_window_stats(self._guesses[what], what, _network(who)).reset_time - time.time()
        minutes = max(1, math.ceil(left / 60))
        error = TooOftenError(
            "That was tried too often.", hint=f"Wait {minutes} minute{'s' * (minutes > 1)}, then try again."
        )
        error.retry_after = max(1.0, left)
        return error


def _network(who: str) -> str:
    """The network of an address of IPv6, of which one household has as many as it likes; else what it is."""
    try:
        address = ip_address(who)
    except ValueError:
        return who
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else who
