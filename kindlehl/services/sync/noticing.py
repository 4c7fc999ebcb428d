"""What a round changed that its reader would want to know."""

from collections.abc import Callable
from typing import NamedTuple

from kindlehl.domain.library import SHOWN_KINDS
from kindlehl.ports import Filter, Library, Term
from kindlehl.services.sync.round import Done

IN_CONFLICT = Filter(SHOWN_KINDS, terms=((Term("has", "conflict"),),))
_DELETED = Filter(SHOWN_KINDS, deleted=True)


class Noticed(NamedTuple):
    """Counts, before and after a round."""

    deleted: int = 0
    """Passages that went to the trash, of which nobody here said so."""
    conflicts: int = 0
    """Passages of which two things are said now."""


def noticing(library: Library, round_: Callable[[], Done]) -> tuple[Done, Noticed]:
    """A round, and what it changed."""
    with library.snapshot():
        deleted, conflicts = library.shelf.count(_DELETED), library.shelf.count(IN_CONFLICT)
    done = round_()
    if not done.received:
        return done, Noticed()
    with library.snapshot():
        deleted, conflicts = library.shelf.count(_DELETED) - deleted, library.shelf.count(IN_CONFLICT) - conflicts
    return done, Noticed(max(0, deleted), max(0, conflicts))
