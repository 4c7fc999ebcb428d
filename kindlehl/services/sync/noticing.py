"""What a round changed that its reader would want to know."""

from collections.abc import Callable
from typing import NamedTuple

from kindlehl.domain.library import SHOWN_KINDS
from kindlehl.ports import Filter, Library, Term
from kindlehl.services.sync.round import Ask, Done
from kindlehl.wire.messages import Answer, Page, Question

IN_CONFLICT = Filter(SHOWN_KINDS, terms=((Term("has", "conflict"),),))
_DELETED = Filter(SHOWN_KINDS, deleted=True)


class Noticed(NamedTuple):
    """Counts, before and after a round."""

    deleted: int = 0
    """Passages that went to the trash, of which nobody here said so."""
    conflicts: int = 0
    """Passages of which two things are said now."""


def noticing(library: Library, ask: Ask, round_: Callable[[Ask], Done]) -> tuple[Done, Noticed]:
    """A round, and what it changed. Counting takes a while, and most rounds bring nothing: it is done when the first
    facts have come, before any is kept."""
    before: list[Noticed] = []

    def asked(question: Question) -> Answer:
        answer = ask(question)
        if isinstance(answer, Page) and answer.facts and not before:
            before.append(_counted(library))
        return answer

    done = round_(asked)
    if not done.received:
        return done, Noticed()
    now = _counted(library)
    return done, Noticed(*(max(0, after - first) for after, first in zip(now, before[0], strict=True)))


def _counted(library: Library) -> Noticed:
    with library.snapshot():
        return Noticed(library.shelf.count(_DELETED), library.shelf.count(IN_CONFLICT))
