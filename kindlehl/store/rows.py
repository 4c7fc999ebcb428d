"""Rows of a library's tables as what they show, and filters as conditions on them."""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
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
    shown = "h.hidden = 1" if wanted.deleted else "NOT h.hidden"
    books = [] if wanted.deleted or wanted.hidden_books else ["NOT b.hidden"]
    where = [shown, *books, f"h.kind IN ({', '.join('?' * len(wanted.kinds))})"]
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
    if wanted.terms:
        from kindlehl.store import conditions  # most lists and searches have none

        for group in wanted.terms:
            sql, given = conditions.condition(group)
            where.append(sql)
            values += given
    if wanted.query is not None:
        from kindlehl.store.expressions import expression  # a list of words in the order of a book

        where.append("h.key IN (SELECT rowid FROM search WHERE search MATCH ?)")
        values.append(expression(wanted.query))
    return " AND ".join(where), values


def teach(connection: sqlite3.Connection) -> None:
    """Give SQLite the forms in which a person's words are compared with names: `loose(x)` and `holds(x, words)`."""
    connection.create_function("loose", 1, _loose, deterministic=True)
    connection.create_function("holds", 2, _holds, deterministic=True)


# Names recur in row after row. What they are compared by is loaded when a filter first asks for it.


@lru_cache(maxsize=4096)
def _loose(name: str | None) -> str | None:
    from kindlehl.domain.text import loose

    return None if name is None else loose(name)


@lru_cache(maxsize=4096)
def _holds(name: str | None, words: str) -> bool:
    from kindlehl.domain.text import holds

    return name is not None and holds(name, words)
