"""Finding: what a request means, in the order a reader wants; and a hit shows the words that were found."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from kindlehl.domain.errors import NotFoundError, UsageError
from kindlehl.domain.library import Book, Highlight
from kindlehl.ports import Library, Order, Words
from kindlehl.services.querying import Request

_FIRST_UNPARTED = "\u0e00"
"""From here on are the scripts that do not part their words: Thai, Chinese, Japanese and others."""
SNIPPET = 240
"""Characters of a passage that a hit shows."""

Way: TypeAlias = Literal["best"] | Order
"""In which order to show what is found."""


class Hit(NamedTuple):
    """A passage that was found."""

    highlight: Highlight
    snippet: str
    """The part of the text or note round the first match."""
    marks: tuple[tuple[int, int], ...]
    """Where in the snippet the words stand: start and end."""
    in_note: bool = False
    """Whether the snippet is of the note."""


def find(library: Library, request: Request, way: Way = "best", limit: int | None = None) -> Iterator[Highlight]:
    """What a reader asks for, at most so many. Without words nothing is better than another: then by book."""
    if way == "best" and request.query is not None:
        return iter(library.index.search(request.query, request.filter, limit))
    return library.shelf.highlights(request.whole, order="book" if way == "best" else way, limit=limit)


class Found(NamedTuple):
    """What a search found."""

    hits: list[Hit]
    corrected: Mapping[str, str]
    """Words that gave way to others because nothing was found with them."""


def search(
    library: Library, request: Request, way: Way = "best", limit: int | None = None, *, exact: bool = False
) -> Found:
    """The hits. Where there are none, and unless it has to be `exact`, those of the nearest words there are."""
    found = list(find(library, request, way, limit))
    if found or exact:
        return Found(hits(found, request), {})
    from kindlehl.services.correcting import corrected  # few searches find nothing

    nearest, changed = corrected(library, request)
    found = list(find(library, nearest, way, limit)) if changed else []
    return Found(hits(found, nearest), changed if found else {})


def glance(library: Library, request: Request, limit: int) -> list[Highlight]:
    """What a reader may mean who is still typing: the last word may go on, from two letters on."""
    query = request.query
    if query is None:
        return list(library.shelf.highlights(request.whole, limit=limit))
    last = query.wanted[-1] if query.wanted else None
    if (
        last is not None
        and last.text in request.replaceable
        and len(last.text) > 1
        and request.text.endswith(last.text)
    ):
        query = query._replace(wanted=(*query.wanted[:-1], last._replace(prefix=True)))
    return list(library.index.glance(query, request.filter, limit))


def every(library: Library, request: Request) -> Iterator[Highlight]:
    """All passages that a request means, by book and in reading order: for who wants to do something with them."""
    return library.shelf.highlights(request.whole)


def hits(found: Iterable[Highlight], request: Request) -> list[Hit]:
    """What was found, with the words for which it was."""
    return [_hit(highlight, request.marked) for highlight in found]


def _hit(highlight: Highlight, words: Sequence[Words]) -> Hit:
    for part, text in (("text", highlight.text), ("note", highlight.note or "")):
        found = matches(text, [each for each in words if each.part in (None, part)])
        if found:
            return Hit(highlight, *_cut(text, found), part == "note")
    return Hit(highlight, *_cut(highlight.text or highlight.note or "", []), not highlight.text)


def beginning(text: str) -> str:
    """As much of a text as a hit shows."""
    return _cut(text, [])[0]


def matches(text: str, wanted: Iterable[Words]) -> list[tuple[int, int]]:
    """Where the wanted words stand in a text, diacritics and case aside."""
    plain, origin = _bare(text)
    found: set[tuple[int, int]] = set()
    for words in wanted:
        parts = re.findall(r"\w+", _bare(words.text)[0])
        if not parts:
            continue
        pattern = r"\W+".join(map(re.escape, parts))
        if not any(c >= _FIRST_UNPARTED for part in parts for c in part):
            pattern = rf"\b{pattern}" + ("" if words.prefix else r"\b")
        for match in re.finditer(pattern, plain):
            end = origin[match.end() - 1] + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            found.add((origin[match.start()], end))
    return sorted(found)


def _bare(text: str) -> tuple[str, Sequence[int]]:
    """A text decomposed, without case and diacritics, and for each of its letters the character it came from."""
    if text.isascii():
        return text.lower(), range(len(text))
    letters: list[str] = []
    origin: list[int] = []
    for n, character in enumerate(text):
        for letter in _letters(character):
            letters.append(letter)
            origin.append(n)
    return "".join(letters), origin


@lru_cache(maxsize=8192)
def _letters(character: str) -> str:
    """What is left of a character; a text is made of few different ones."""
    return "".join(c for c in unicodedata.normalize("NFKD", character).casefold() if not unicodedata.combining(c))


def _cut(text: str, found: Sequence[tuple[int, int]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The part of a text round its first match, cut at white space, with what was cut off shown as an ellipsis."""
    if len(text) <= SNIPPET:
        return text, tuple(found)
    first = found[0][0] if found else 0
    start = max(0, min(first - SNIPPET // 3, len(text) - SNIPPET))
    stop = min(len(text), start + SNIPPET)
    if start:
        space = text.find(" ", start, start + 20)
        start = space + 1 if 0 <= space < first else start
    if stop < len(text):
        space = text.rfind(" ", stop - 20, stop)
        stop = space if space > 0 else stop
    lead, trail = "…" if start else "", "…" if stop < len(text) else ""
    shift = len(lead) - start
    marks = tuple((a + shift, b + shift) for a, b in found if a >= start and b <= stop)
    return lead + text[start:stop] + trail, marks


def books_matching(
    library: Library, *, title: str | None = None, author: str | None = None, hidden: bool = False
) -> Sequence[Book]:
    """The books whose title and author hold all of these words, or whose id starts like the title's."""
    from kindlehl.domain.text import holds  # searches for words alone need no names

    return library.shelf.books(
        [
            id_
            for id_, called, by in library.shelf.titles(hidden=hidden)
            if (title is None or holds(called, title) or (len(title) >= 6 and id_.startswith(title.lower())))
            and (author is None or holds(by or "", author))
        ],
        hidden=hidden,
    )


def by_short_id(library: Library, text: str, *, deleted: bool = False) -> Highlight:
    """The passage with this id, or the only one whose id starts like this; a revision's id finds its passage. Of those
    in the trash if `deleted`."""
    prefix = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f-]{4,36}", prefix):
        raise UsageError(
            f"`{text}` is no id.",
            hint="Ids are shown by `kindlehl list`; the first letters of one are enough, at least 4.",
        )
    found = library.shelf.starting_with(prefix, 6, deleted=deleted)
    if len(found) > 1:
        raise UsageError(
            f"Several ids start with {text}: {', '.join(id_[:13] for id_ in found[:5])}.", hint="Give more of it."
        )
    highlight = library.shelf.get(found[0], deleted=deleted) if found else None
    if highlight is not None:
        return highlight
    if library.shelf.starting_with(prefix, 1, deleted=not deleted):
        if deleted:
            raise NotFoundError(f"The highlight {text} is not in the trash.", hint="See: kindlehl trash list")
        raise NotFoundError(f"The highlight {text} is in the trash.", hint=f"Bring it back: kindlehl restore {text}")
    raise NotFoundError(
        f"There is no highlight with the id {text}{' in the trash' if deleted else ''}.",
        hint="See `kindlehl trash list`." if deleted else "See `kindlehl list`.",
    )


def book_by_name(library: Library, text: str) -> Book:
    """The one book with this id or its first letters, with this very title, or whose title holds these words; hidden
    ones too. Raises NotFoundError, and UsageError where several are meant."""
    from kindlehl.domain.text import searchable  # as above

    found = books_matching(library, title=text, hidden=True)
    exact = [
        book
        for book in found
        if searchable(book.title) == searchable(text) or (len(text) >= 6 and book.id.startswith(text.lower()))
    ]
    found = exact or found
    if not found:
        raise NotFoundError(f"There is no book called {text}.", hint="`kindlehl books` lists the books there are.")
    if len(found) > 1:
        named = ", ".join(f"{book.title} ({book.id[:8]})" for book in found[:4])
        raise UsageError(f"Several books are called like this: {named}.", hint="Give the id of the one you mean.")
    return found[0]
