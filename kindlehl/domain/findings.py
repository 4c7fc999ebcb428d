"""What a check found, and what to do about it."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at. Neither field ever holds a text of the reader's."""

    name: str
    """Stable, for programs."""
    ok: bool
    what: str
    """A sentence."""
    remedy: str | None = None
    """What to do, where something is wrong."""
