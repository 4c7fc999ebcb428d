"""What two versions of a text differ in, word by word."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal, NamedTuple, TypeAlias

Change: TypeAlias = Literal["same", "gone", "new"]

# A word, a run of white space, or a single sign or character of a script that does not part its words.
_PIECE = re.compile(r"[^\W\u0e00-\u0eff\u2e80-\ua4cf\uf900-\ufaff]+|\s+|.", re.DOTALL)


class Piece(NamedTuple):
    """A run of a text that is in both versions, or in one of them."""

    change: Change
    text: str


def difference(before: str, after: str) -> list[Piece]:
    """The pieces of both versions in order; those without the new ones are `before`, those without the gone `after`."""
    a, b = _PIECE.findall(before), _PIECE.findall(after)
    return list(_pieces(a, b))


def _pieces(a: list[str], b: list[str]) -> Iterator[Piece]:
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(a[a0:a1]))
            continue
        if a0 < a1:
            yield Piece("gone", "".join(a[a0:a1]))
        if b0 < b1:
            yield Piece("new", "".join(b[b0:b1]))
