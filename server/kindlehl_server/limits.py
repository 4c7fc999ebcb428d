"""How often somebody may ask: guesses of secrets cost time."""

import time
from ipaddress import ip_address, ip_network

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kindlehl.domain.errors import TooOftenError

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
        item, who = self._guesses[what], _network(who)
        if not self._limiter.hit(item, what, who):
            reset = self._limiter.get_window_stats(item, what, who).reset_time
            error = TooOftenError("That was tried too often.", hint="Wait a few minutes, then try again.")
            error.retry_after = max(1.0, reset - time.time())
            raise error


def _network(who: str) -> str:
    """The network of an address of IPv6, of which one household has as many as it likes; else what it is."""
    try:
        address = ip_address(who)
    except ValueError:
        return who
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else who
