"""The hybrid logical clock: orders edits that nobody had seen when they were made. It chooses what is shown, never what
is kept."""

from datetime import UTC, datetime
from typing import Literal

LIMIT = 1 << 62
"""A stamp this high is refused."""


def tick(wall_ms: int, greatest_seen: int) -> int:
    """The stamp of a new edit: after everything seen, and not before this device's wall clock in milliseconds.

    A clock that is wrong is never corrected here: a rule that depended on when a fact arrived would make replicas
    differ. At the end of its range, where only a forged stamp can bring it, it stands still, and ids order what is said
    from then on: nobody can keep others from editing.
    """
    return min(max(wall_ms, greatest_seen) + 1, LIMIT - 1)


def stamp(at: datetime, timespec: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """A wall clock's time as it is kept and sent: UTC, ISO 8601 with Z."""
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
