"""The line under a passage: where it is and when it was marked, in English whatever the locale."""

from functools import lru_cache

from kindlehl.domain.library import Highlight

_MONTH = {  # strftime would ask the locale
    "-01-": "January",
    "-02-": "February",
    "-03-": "March",
    "-04-": "April",
    "-05-": "May",
    "-06-": "June",
    "-07-": "July",
    "-08-": "August",
    "-09-": "September",
    "-10-": "October",
    "-11-": "November",
    "-12-": "December",
}


@lru_cache(maxsize=4096)  # far fewer days than passages
def day(at: str) -> str:
    """`2024-08-22T18:10:00` as `22 August 2024`; what cannot be read as a date stays as it is written."""
    month, number = _MONTH.get(at[4:8]), at[8:10]
    return f"{int(number)} {month} {at[:4]}" if month and number.isdecimal() else at


def moment(at: str) -> str:
    """The day and the time of day as the source's own clock had them, never moved to another time zone."""
    date = at[:10]
    written = day(date)
    if written == date:
        return at
    return f"{written}, {at[11:16]}" if len(at) >= 16 else written


def span(first: str | None, last: str | None) -> str:
    """From one day to another, as far as they are known."""
    days = dict.fromkeys(day(at) for at in (first, last) if at)
    return " – ".join(days)


def caption(passage: Highlight) -> list[str]:
    """What is known about a passage beside its words, the nearest first. Free text of the source: escape it."""
    known: list[str] = []
    if passage.page:
        known.append(f"page {passage.page}")
    start, end = passage.location_start, passage.location_end
    if start is not None:
        known.append(f"location {start}" if end is None or end == start else f"location {start}–{end}")
    if passage.added_at:
        known.append(moment(passage.added_at))
    if passage.color:
        known.append(passage.color)
    if passage.favorite:
        known.append("favorite")
    if passage.truncated:
        known.append("cut by the publisher's clipping limit")
    return known
