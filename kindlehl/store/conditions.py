"""The terms of a filter as SQL conditions on highlights `h` and books `b`. Values are bound, never written into SQL."""

from typing import Any

from kindlehl.domain.text import loose
from kindlehl.ports import Field, Filter, Term, Words
from kindlehl.store.expressions import phrase

_IS = {
    "note": "h.note IS NOT NULL",
    "tag": "h.tags <> '[]'",
    "color": "h.color IS NOT NULL",
    "chapter": "h.chapter IS NOT NULL",
    "favorite": "h.favorite",
    "truncated": "h.truncated",
    "conflict": "h.conflicts <> '[]'",
}
_OF_BOOKS: dict[Field, str] = {
    "title": "holds(b.title, ?) OR (length(?) >= 6 AND instr(replace(b.id, '-', ' '), ?) = 1)",
    "author": "holds(b.author, ?)",
}
_SQL: dict[Field, str] = {
    **{field: f"h.book IN (SELECT key FROM books b WHERE {sql})" for field, sql in _OF_BOOKS.items()},  # noqa: S608 -- ours
    "tag": "h.tags <> '[]' AND EXISTS (SELECT 1 FROM json_each(h.tags) WHERE loose(value) = ?)",
    "color": "loose(h.color) = ?",
    "chapter": "holds(h.chapter, ?)",
    "source": "holds(h.source, ?)",
    "kind": "h.kind = ?",
    "id": """h.key IN (SELECT r.passage FROM facts f JOIN records r ON r.key = f.key
                       WHERE f.id >= ? AND f.id < ? || 'g')""",
    "since": "h.added_at >= ?",
    "until": "h.added_at < ?",
    "on": "h.added_at >= ? AND h.added_at < ? || '~'",  # begins like this; as a range it takes two thirds of the time
    "words": "h.key IN (SELECT rowid FROM search WHERE search MATCH ?)",
}


def condition(group: tuple[Term, ...]) -> tuple[str, list[Any]]:
    """One of these terms holds: an SQL condition, and its values."""
    return _one_of(group, _SQL)


def of_books(wanted: Filter) -> tuple[str, list[Any], Filter]:
    """What a filter asks of books alone: a condition on `b`, its values, and the filter without it."""
    alone = [group for group in wanted.terms if all(term.field in _OF_BOOKS for term in group)]
    parts = [_one_of(group, _OF_BOOKS) for group in alone]
    values = [value for _, given in parts for value in given]
    others = tuple(group for group in wanted.terms if group not in alone)
    return " AND ".join(["1", *(sql for sql, _ in parts)]), values, wanted._replace(terms=others)


def _one_of(group: tuple[Term, ...], sql: dict[Field, str]) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for term in group:
        written = _IS[str(term.value)] if term.field == "has" else sql[term.field]
        parts.append(f"({written}) IS {'NOT ' if term.negated else ''}TRUE")
        values += [_value(term)] * written.count("?")
    return f"({' OR '.join(parts)})", values


def _value(term: Term) -> str:
    if isinstance(term.value, Words):
        return phrase(term.value)
    if term.field in ("title", "author", "tag", "color", "chapter", "source"):
        return loose(term.value)
    if term.field == "until":
        return end_of(term.value)
    return term.value


def end_of(day: str) -> str:
    """What every time of a day, month or year comes before. "T~" sorts behind them all."""
    return day if "T" in day else f"{day}T~"
