"""Correcting: when nothing is found, words that the library does not hold give way to the nearest that it holds."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from string import ascii_lowercase
from typing import TypeAlias

from kindlehl.domain.text import searchable
from kindlehl.ports import Library, Words
from kindlehl.services.querying import Request

Vocabulary: TypeAlias = Callable[[str], Sequence[tuple[str, int]]]
"""The words that start like this, and how many passages hold each."""
SHORTEST = 4
"""Letters of a word that may be corrected: one letter of three changed is another word, not a slip."""
_LONG = 6
"""Letters from which on two slips are forgiven, else one."""
_FIRST_UNPARTED = "\u0e00"
"""From here on are the scripts that do not part their words, whose characters are indexed one by one."""


def corrected(library: Library, request: Request) -> tuple[Request, Mapping[str, str]]:
    """A request that finds nothing, with the nearest words that the library holds; and which stand for which.

    Words that the library holds stay, and so do short ones, what is quoted, begun or excluded, and what has nothing
    near: then no word is replaced, for without it something else would be found than was asked for.
    """
    query = request.query
    if query is None:
        return request, {}
    asked = [*query.wanted, *(words for group in query.either for words in group)]
    vocabulary = cache(library.index.vocabulary)  # read once, however many words a query has
    changed: dict[str, str] = {}
    for words in asked:
        new = _instead(vocabulary, words, request)
        if new is None:
            return request, {}
        if new != words.text:
            changed[words.text] = new

    def mended(words: Sequence[Words]) -> tuple[Words, ...]:
        return tuple(each._replace(text=changed.get(each.text, each.text)) for each in words)

    query = query._replace(wanted=mended(query.wanted), either=tuple(map(mended, query.either)))
    return request._replace(query=query), changed


def _instead(vocabulary: Vocabulary, words: Words, request: Request) -> str | None:
    """The word itself if the library holds it or if it may not be replaced, else the nearest; None where none is."""
    word = searchable(words.text)
    may = words.text in request.replaceable and word.isalpha() and len(word) >= SHORTEST
    if not may or any(letter >= _FIRST_UNPARTED for letter in word):
        return words.text
    # Few slips are in the first letter, and the words that share it are read in a tenth of the time.
    near = vocabulary(word[0])
    if any(term == word for term, _ in near):
        return words.text
    most = 1 if len(word) < _LONG else 2
    return (
        _nearest(word, near, most) or _nearest(word, _begun_otherwise(vocabulary, word), 1)
        or _nearest(word, vocabulary(""), most)
    )  # fmt: skip


def _begun_otherwise(vocabulary: Vocabulary, word: str) -> list[tuple[str, int]]:
    """Words that a slip in the first letter alone may have made this one of: another letter, one too many or too few,
    the first two swapped. They are read in a tenth of the time that all words take."""
    if not word.isascii():
        return []
    rests = (word[1:3], word[:2])
    swapped = word[1] + word[0] + word[2]
    starts = {word[1:3], swapped, *(letter + rest for letter in ascii_lowercase for rest in rests)}
    return sorted({term for start in starts for term in vocabulary(start)})


def _nearest(word: str, vocabulary: Sequence[tuple[str, int]], most: int) -> str | None:
    """The word with the fewest slips between, at most so many; of several the one that most passages hold."""
    from rapidfuzz import process  # only when nothing was found
    from rapidfuzz.distance import OSA

    terms = [term for term, _ in vocabulary if abs(len(term) - len(word)) <= most]
    found = process.extract(word, terms, scorer=OSA.distance, score_cutoff=most, limit=None)
    counts = dict(vocabulary) if found else {}
    near = [(slips, -counts[term], term) for term, slips, _ in found if term.isalpha()]
    return min(near)[2] if near else None
