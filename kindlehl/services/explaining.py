"""Explaining: why a request finds nothing, in a sentence that leads on."""

from collections.abc import Iterator, Sequence

from kindlehl.domain.text import holds, loose
from kindlehl.ports import Field, Filter, Library, Query, Term
from kindlehl.services.querying import nearest

_SHORTEST = 3
"""Letters of a word that is worth looking for in names: shorter ones are part of many."""
EMPTY = "The library is empty. Plug in the Kindle, then: kindlehl import"


def why_nothing(library: Library, wanted: Filter) -> str:
    """The first reason that is known: an empty library, a name that is nowhere, words that only a title holds."""
    titles = library.shelf.titles()
    if not titles:
        return EMPTY
    names: dict[Field, Sequence[str]] = {
        "title": [title for _, title, _ in titles],
        "author": [author for _, _, author in titles if author],
    }
    for term in _names(wanted):
        known = names.get(term.field) or library.shelf.tags()
        reason = _unknown(term, known)
        if reason:
            return reason
    if wanted.query is not None:
        for field in ("title", "author"):
            reason = _in_names(wanted.query, field, names[field])
            if reason:
                return reason
        return "No highlight has these words."
    if wanted.books is not None:
        return "Nothing matches. `kindlehl books` lists the books there are."
    return "Nothing matches."


def _names(wanted: Filter) -> Iterator[Term]:
    """The titles, authors and tags that must hold, each by itself."""
    for group in wanted.terms:
        if len(group) == 1 and not group[0].negated and group[0].field in ("title", "author", "tag"):
            yield group[0]


def _unknown(term: Term, known: Sequence[str]) -> str | None:
    value, tag = str(term.value), term.field == "tag"

    def is_known(value: str) -> bool:
        return any(loose(name) == loose(value) if tag else holds(name, value) for name in known)

    if is_known(value):
        return None
    # A name is guessed by one of its words: who types `thoreu` means no whole "Thoreau, Henry David".
    words = {_key(name) for name in known} if tag else {word for name in known for word in _plain(name)}
    near = nearest(_key(value), words)
    what = {"title": "No title has", "author": "No author has", "tag": "There is no tag"}[term.field]
    first, _, others = value.partition(" ")
    if others and is_known(first):  # in one pair of quotes, as somebody writes a query who thinks of the shell
        return f"{what} “{value}”. For other words beside it, leave the quotes out: {term.field}:{first} {others}"
    return f"{what} “{value}”." + (f" Did you mean {term.field}:{near}?" if near else "")


def _in_names(query: Query, field: str, names: Sequence[str]) -> str | None:
    """Whether the words that were looked for in highlights stand in titles or authors."""
    words = [each.text for each in query.wanted if each.part is None]
    meant = " ".join(words)
    if not words or any(word.isascii() and len(word) < _SHORTEST for word in words):
        return None
    count = sum(holds(name, meant) for name in names)
    if not count:
        return None
    whose = f"the {field} of {count} book{'s' if count > 1 else ''}"
    return f"No highlight has these words; {whose} has: try {field}:{_key(meant)}"


def _plain(name: str) -> list[str]:
    return ["".join(filter(str.isalnum, word)) for word in loose(name).split()]


def _key(name: str) -> str:
    """A name as it is typed after a key: without spaces."""
    return "-".join(loose(name).split())
