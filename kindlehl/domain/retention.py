"""Which of several backups to keep: the last one of so many days, weeks, months and years."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from kindlehl.domain.errors import UsageError


class Retention(NamedTuple):
    """How many days, weeks, months and years of which the last backup is kept. Those in which there is none do not
    count, so that a month without the computer costs nothing."""

    days: int = 0
    weeks: int = 0
    months: int = 0
    years: int = 0

    def kept(self, times: Iterable[datetime]) -> set[datetime]:
        """Those to keep, always the newest among them."""
        newest_first = sorted(set(times), reverse=True)
        kept = set(newest_first[:1])
        for count, form in zip(self, ("%Y-%m-%d", "%G-%V", "%Y-%m", "%Y"), strict=True):
            last: dict[str, datetime] = {}
            for time in newest_first:
                last.setdefault(time.strftime(form), time)
            kept |= set([*last.values()][:count])
        return kept


def parse_retention(text: str) -> Retention:
    """A policy as it is written: `7d,4w,12m`. Raises UsageError."""
    parts = [part.strip() for part in text.split(",")]
    found = {part[-1:]: int(part[:-1]) for part in parts if re.fullmatch(r"[0-9]{1,4}[dwmy]", part)}
    if len(found) != len(parts) or not any(found.values()):
        raise UsageError(
            f"`{text}` does not say which backups to keep.",
            hint="Days, weeks, months and years, each once: 7d,4w,12m keeps the last of 7 days, 4 weeks, 12 months.",
        )
    return Retention(*(found.get(unit, 0) for unit in "dwmy"))
