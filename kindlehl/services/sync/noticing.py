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


class Noticing:
    """Rounds, and what they change. Counting takes a while, and most rounds bring nothing: it is done when the first
    facts have come, before any is kept, and again when a round has come to its end."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._before: Noticed | None = None

    def round(self, ask: Ask, exchange: Callable[[Ask], Done]) -> tuple[Done, Noticed]:
        """One round, and what has changed since the last one that came to its end."""

        def asked(question: Question) -> Answer:
            answer = ask(question)
            if isinstance(answer, Page) and answer.facts and self._before is None:
                self._before = self._counted()
            return answer

        done = exchange(asked)
        before, self._before = self._before, None
        if before is None:
            return done, Noticed()
        return done, Noticed(*(max(0, now - was) for now, was in zip(self._counted(), before, strict=True)))

    def _counted(self) -> Noticed:
        with self._library.snapshot():
            return Noticed(self._library.shelf.count(_DELETED), self._library.shelf.count(IN_CONFLICT))
