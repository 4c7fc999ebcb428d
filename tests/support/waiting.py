"""Waiting for what happens by itself, in another process or thread."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], seconds: float = 5) -> float:
    """Wait until something holds, which it must within so many seconds. Returns how many it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began
