"""Queries in the language of FTS5."""

from kindlehl.domain.tokens import indexable
from kindlehl.ports import Query, Words


def phrase(words: Words) -> str:
    """Words in FTS5's own language. What a reader typed is quoted, so nothing of it is taken for an operator."""
    quoted = indexable(words.text).replace('"', " ").replace("\0", " ")
    return (f"{words.part} : " if words.part else "") + f'"{quoted}"' + ("*" if words.prefix else "")


def expression(query: Query) -> str:
    """A query, which must want something, in FTS5's own language."""
    wanted = [*map(phrase, query.wanted), *(f"({_any(group)})" for group in query.either)]
    all_ = " AND ".join(wanted)
    return f"({all_}) NOT ({_any(query.unwanted)})" if query.unwanted else all_


def _any(words: tuple[Words, ...]) -> str:
    return " OR ".join(map(phrase, words))
