"""Filters and queries as plain conditions on a passage: the reference for what SQL and FTS5 make of them."""

from collections.abc import Collection, Sequence

from kindlehl.domain.facts import Id
from kindlehl.domain.library import Highlight
from kindlehl.domain.text import holds, loose
from kindlehl.domain.tokens import tokens
from kindlehl.ports import Filter, Query, Term, Words


def matches(h: Highlight, members: Collection[Id], wanted: Filter) -> bool:
    """Whether a passage with these members is meant."""
    return (
        h.kind in wanted.kinds
        and (wanted.books is None or h.book in wanted.books)
        and (wanted.color is None or h.color == wanted.color)
        and (wanted.tag is None or wanted.tag in h.tags)
        and (wanted.since is None or _since(h, wanted.since))
        and (wanted.until is None or _until(h, wanted.until))
        and (wanted.has_note is None or (h.note is not None) == wanted.has_note)
        and all(any(_holds(h, members, term) != term.negated for term in group) for group in wanted.terms)
        and (wanted.query is None or found(h, wanted.query))
    )


def _since(h: Highlight, day: str) -> bool:
    return h.added_at is not None and h.added_at >= day


def _until(h: Highlight, day: str) -> bool:
    return h.added_at is not None and h.added_at < (day if "T" in day else f"{day}T~")


def _holds(h: Highlight, members: Collection[Id], term: Term) -> bool:
    if isinstance(term.value, Words):
        return _stands(h, term.value)
    value = term.value
    match term.field:
        case "title":
            begins = len(loose(value)) >= 6 and loose(h.book).startswith(loose(value))
            return holds(h.title, value) or begins
        case "author" | "chapter" | "source":
            whole: str | None = getattr(h, term.field)
            return whole is not None and holds(whole, value)
        case "tag":
            return loose(value) in map(loose, h.tags)
        case "color":
            return h.color is not None and loose(h.color) == loose(value)
        case "kind":
            return h.kind == value
        case "id":
            return any(member.startswith(value) for member in members)
        case "since":
            return _since(h, value)
        case "until":
            return _until(h, value)
        case "on":
            return (h.added_at or "").startswith(value)
        case _:
            return _is(h, value)


def _is(h: Highlight, what: str) -> bool:
    return {
        "note": h.note is not None,
        "tag": bool(h.tags),
        "color": h.color is not None,
        "chapter": h.chapter is not None,
        "favorite": h.favorite,
        "truncated": h.truncated,
        "conflict": bool(h.conflicts),
    }[what]


def found(h: Highlight, query: Query) -> bool:
    """Whether everything wanted is found in a passage or its note, and nothing unwanted."""
    return (
        all(_stands(h, words) for words in query.wanted)
        and all(any(_stands(h, words) for words in group) for group in query.either)
        and not any(_stands(h, words) for words in query.unwanted)
    )


def _stands(h: Highlight, words: Words) -> bool:
    """Whether words are found in a passage, as the index holds it: bookmarks and clips are not in there."""
    texts = {"text": h.text, "note": h.note or ""}
    return h.kind in ("highlight", "note") and any(
        _in_a_row(tokens(text), words) for part, text in texts.items() if words.part in (None, part)
    )


def _in_a_row(held: Sequence[str], words: Words) -> bool:
    parts = tokens(words.text)
    for start in range(len(held) - len(parts) + 1):
        run = held[start : start + len(parts)]
        if run[:-1] == parts[:-1] and (run[-1].startswith(parts[-1]) if words.prefix else run[-1] == parts[-1]):
            return bool(parts)
    return False
