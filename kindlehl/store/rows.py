"""Rows of a library's tables as what they show, and filters as conditions on them."""

from collections.abc import Sequence
from typing import Any

from kindlehl.domain.library import Highlight
from kindlehl.ports import Filter

COLUMNS = """h.id, h.kind, b.id, b.title, b.author, h.text, h.note, h.color, h.tags, h.favorite, h.page,
  h.location_start, h.location_end, h.chapter, h.added_at, h.added_offset, h.truncated, h.source, h.conflicts"""


def highlight(row: Sequence[Any]) -> Highlight:
    """A row of `COLUMNS` as what it shows."""
    *head, tags, favorite, page, start, end, chapter, at, offset, truncated, source, conflicts = row
    id_, kind, book, title, author, text, note, color = head
    return Highlight(
        id_, kind, book, title, author, text, note, color, _names(tags), bool(favorite), page, start, end, chapter, at,
        offset, bool(truncated), source, _names(conflicts),
    )  # fmt: skip


def _names(listed: str) -> tuple[str, ...]:
    if listed == "[]":
        return ()
    from json import loads  # most passages have neither tags nor conflicts, and most lists none at all

    return tuple(loads(listed))


def condition(wanted: Filter) -> tuple[str, list[Any]]:
    """A filter as an SQL condition on highlights `h` and books `b`, and its parameters."""
    shown = "h.hidden = 1" if wanted.deleted else "NOT h.hidden AND NOT b.hidden"
    where = [shown, f"h.kind IN ({', '.join('?' * len(wanted.kinds))})"]
    values: list[Any] = list(wanted.kinds)
    if wanted.books is not None:
        if len(wanted.books) == 1:
            where.append("h.book = (SELECT key FROM books WHERE id = ?)")
        else:
            where.append("h.book IN (SELECT key FROM books WHERE instr(?, id))")
        values.append(" ".join(wanted.books))
    if wanted.color is not None:
        where.append("h.color = ?")
        values.append(wanted.color)
    if wanted.tag is not None:
        where.append("EXISTS (SELECT 1 FROM json_each(h.tags) WHERE value = ?)")
        values.append(wanted.tag)
    if wanted.since is not None:
        where.append("h.added_at >= ?")
        values.append(wanted.since)
    if wanted.until is not None:
        # A date is before every time of its own day; "T~" sorts behind them all.
        where.append("h.added_at < ?")
        values.append(wanted.until if "T" in wanted.until else wanted.until + "T~")
    if wanted.has_note is not None:
        where.append("h.note IS NOT NULL" if wanted.has_note else "h.note IS NULL")
    return " AND ".join(where), values
