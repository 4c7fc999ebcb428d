"""This computer, as a server tells it from a copy of itself."""

import hashlib
from pathlib import Path

HEADER = "Kindlehl-Computer"
"""Of a request: the name of the computer's start."""
COPIED = "Kindlehl-Copied"
"""Of an answer: another computer comes under the same token."""
_START = Path("/proc/sys/kernel/random/boot_id")
"""Linux: random, and new whenever the computer starts (`man 4 random`)."""


def start(token: str) -> str:
    """A name of this start of this computer that says nothing to anybody who does not know the token; nothing where the
    system gives none."""
    try:
        boot = _START.read_bytes()
    except OSError:
        return ""
    return hashlib.blake2b(boot, key=token.encode()[:64], digest_size=8).hexdigest()
