"""Filters as conditions on the tables `highlights` and `books`."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, any_, func, literal, or_, select, true

from kindlehl.domain.text import loose
from kindlehl.ports import Field, Filter, Term, Words
from kindlehl.store.conditions import end_of
from kindlehl_server.store.postgresql import phrases, tables
from kindlehl_server.store.postgresql.session import among, contains

_H, _B, _R, _S = tables.highlights.c, tables.books.c, tables.records.c, tables.search.c

BEHIND = "\U0010ffff"
"""What begins with a text comes before that text with this behind it."""


def rows(owner: int) -> Select[*tuple[Any, ...]]:
    """The passages of a library with their books, of which columns are still to be named."""
    book = and_(_B.owner == _H.owner, _B.id == _H.book)
    return select().select_from(tables.highlights.join(tables.books, book)).where(_H.owner == owner)


def meant(owner: int, wanted: Filter) -> ColumnElement[bool]:
    """Which passages of a library a filter means."""
    where = [_H.hidden == (1 if wanted.deleted else 0), among(_H.kind, wanted.kinds)]
    if not wanted.deleted and not wanted.hidden_books:
        where.append(~_B.hidden)
    if wanted.books is not None:
        where.append(among(_H.book, wanted.books))
    if wanted.color is not None:
        where.append(_H.color == wanted.color)
    if wanted.tag is not None:
        where.append(literal(wanted.tag, tables.AnyText) == any_(_H.tags))
    if wanted.since is not None:
        where.append(_H.added_at >= wanted.since)
    if wanted.until is not None:
        where.append(_H.added_at < end_of(wanted.until))
    if wanted.has_note is not None:
        where.append(_H.note.is_not(None) if wanted.has_note else _H.note.is_(None))
    where += [or_(*(_holds(owner, term) for term in group)) for group in wanted.terms]
    if wanted.query is not None:
        where.append(_found(owner, phrases.found(wanted.query)))
    return and_(*where)


def begins(column: ColumnElement[str], value: str) -> ColumnElement[bool]:
    """Whether a text begins like this; an index helps."""
    return and_(column >= value, column < value + BEHIND)


def _holds(owner: int, term: Term) -> ColumnElement[bool]:
    said = _words(owner, term.value) if isinstance(term.value, Words) else _TERMS[term.field](owner, term.value)
    return said.is_not(true()) if term.negated else said.is_(true())


def _words(owner: int, words: Words) -> ColumnElement[bool]:
    return _found(owner, phrases.parts(words))


def _found(owner: int, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return _in(select(_S.id).where(_S.owner == owner, condition))


def _in(asked: Select[Any]) -> ColumnElement[bool]:
    """Whether a passage is one of these. What is asked to be true is found first and looked up by its hash; else it is
    a join, planned by guesses about tables of which little is known."""
    return _H.id.in_(asked).is_(true())


def _named(column: ColumnElement[str | None], value: str) -> ColumnElement[bool]:
    """Whether a name, in its loose form, holds all of these words."""
    return and_(column.is_not(None), *(contains(column, word) for word in loose(value).split()))


def _title(_: int, value: str) -> ColumnElement[bool]:
    begun = begins(func.replace(_H.book, "-", " "), loose(value))
    return or_(_named(_B.loose_title, value), begun) if len(loose(value)) >= 6 else _named(_B.loose_title, value)


def _member(owner: int, value: str) -> ColumnElement[bool]:
    return _in(select(_R.passage).where(_R.owner == owner, begins(_R.id, value)))


_TERMS: dict[Field, Callable[[int, str], ColumnElement[bool]]] = {
    "title": _title,
    "author": lambda _, value: _named(_B.loose_author, value),
    "chapter": lambda _, value: _named(_H.loose_chapter, value),
    "source": lambda _, value: _named(_H.loose_source, value),
    "tag": lambda _, value: literal(loose(value), tables.AnyText) == any_(_H.loose_tags),
    "color": lambda _, value: _H.loose_color == loose(value),
    "kind": lambda _, value: _H.kind == value,
    "id": _member,
    "since": lambda _, value: _H.added_at >= value,
    "until": lambda _, value: _H.added_at < end_of(value),
    "on": lambda _, value: begins(func.coalesce(_H.added_at, ""), value),
    "has": lambda _, value: _HAS[value],
}
_HAS: dict[str, ColumnElement[bool]] = {
    "note": _H.note.is_not(None),
    "tag": func.cardinality(_H.tags) > 0,
    "color": _H.color.is_not(None),
    "chapter": _H.chapter.is_not(None),
    "favorite": _H.favorite.is_(true()),
    "truncated": _H.truncated.is_(true()),
    "conflict": func.cardinality(_H.conflicts) > 0,
}
