"""The hybrid logical clock: orders edits that nobody had seen when they were made. It chooses what is shown, never what
is kept."""

from kindlehl.domain.errors import UsageError

LIMIT = 1 << 62
"""A stamp this high is refused: nothing could ever come after it."""


def tick(wall_ms: int, greatest_seen: int) -> int:
    """The stamp of a new edit: after everything seen, and not before this device's wall clock in milliseconds.

    A clock that is wrong is never corrected here: a rule that depended on when a fact arrived would make replicas
    differ.
    """
    stamp = max(wall_ms, greatest_seen) + 1
    if stamp >= LIMIT:
        raise UsageError(
            "This device's clock is set to an impossible time.", hint="Set the date and time, then try again."
        )
    return stamp
