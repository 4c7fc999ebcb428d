"""The answering side of a round: one question, one answer, and nothing to remember in between."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from msgspec import Raw

from kindlehl import wire
from kindlehl.domain import clock, fold, withholding
from kindlehl.domain.errors import CorruptLibraryError, MovedError, UpgradeError, WireError
from kindlehl.domain.facts import Edit, Id
from kindlehl.ports import Library
from kindlehl.services import traces
from kindlehl.services.sync import wishes
from kindlehl.services.sync.bounds import refusal
from kindlehl.services.sync.crowds import crowd
from kindlehl.services.sync.digests import together, written
from kindlehl.services.sync.mending import mend
from kindlehl.services.sync.pages import pages
from kindlehl.wire import messages
from kindlehl.wire.messages import (
    Answer,
    AskStates,
    Compare,
    Digests,
    Fetch,
    Hello,
    Page,
    Pull,
    Push,
    Pushed,
    Question,
    Refused,
    States,
    Welcome,
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A library that others sync with."""

    library: Library

    def answer(self, question: Question, now: datetime) -> Answer:
        """What to say to a question; what cannot be done is raised as a KindlehlError. Where a fact turns out to be
        damaged it stays here, and digests tell of it no more: whoever has it whole sends it again."""
        with suppress(CorruptLibraryError, wire.Malformed):
            return self._answer(question, now)
        mend(self.library)  # not while it is handled: an error holds on to what was being read
        return self._answer(question, now)

    def _answer(self, question: Question, now: datetime) -> Answer:
        if isinstance(question, Hello):
            return self._welcome(question, now)
        if question.epoch != self.library.peers.epoch():
            raise MovedError("The server's library is not the one it was.", hint="Sync again.")
        if isinstance(question, Push):
            return self._take(question.facts, question.withheld)
        withheld = question.withheld | wishes.refuses(self.library)
        if isinstance(question, Pull):
            return self._page(question.cursor, withheld)
        facts = self.library.facts
        if isinstance(question, Compare):
            with self.library.snapshot():
                buckets = facts.digests(question.digits, withheld)
                return Digests(facts.head(), {bucket: written(digest) for bucket, digest in buckets.items()})
        if isinstance(question, AskStates):
            return self._states(question.buckets, withheld, question.after)
        return self._named(question, withheld)

    def _welcome(self, question: Hello, now: datetime) -> Welcome:
        least, greatest = question.protocol
        if not least <= messages.PROTOCOL <= greatest:
            older = "your kindlehl" if greatest < messages.PROTOCOL else "the server"
            raise UpgradeError(f"The server and your kindlehl do not understand each other: {older} is too old.",
                               hint=f"Update {older}.")  # fmt: skip
        stamp = clock.stamp(now, "milliseconds")
        wishes.remind(self.library, question.refuses, question.wished)
        traces.scrub(self.library, now)
        with self.library.snapshot():
            wish = wishes.wish(self.library)
            epoch, head = self.library.peers.epoch(), self.library.facts.head()
            digest = self._digest(question.withheld | wish.refuses)
        return Welcome(messages.PROTOCOL, fold.REVISION, epoch, head, digest, wish.refuses, stamp, wish.wished)

    def _digest(self, withheld: int) -> str:
        return together(self.library.facts.digests(2, withheld).values())

    def _page(self, cursor: int, withheld: int) -> Page:
        with self.library.snapshot():
            head = self.library.facts.head()
            feed = self.library.facts.since(cursor, messages.PAGE_FACTS, messages.PAGE_BYTES, withheld)
            digest = self._digest(withheld) if feed.cursor >= head else ""
        return Page([Raw(body.encode()) for body in feed.bodies], feed.cursor, head, digest)

    def _take(self, facts: Sequence[Raw], withheld: int) -> Pushed:
        refused: list[Refused] = []
        taken: list[str] = []
        with self.library.transaction():
            withheld |= wishes.refuses(self.library)  # in the transaction: what was refused a moment ago is not kept
            looked = [_looked_at(bytes(raw), withheld) for raw in facts]
            crowded = crowd(self.library.facts, [(each.edit, each.size) for each in looked if each.edit])
            for code, id_, body, *_ in looked:
                if code or id_ in crowded:
                    refused.append(Refused(id_, code or "too_many"))
                else:
                    taken.append(body)
            before = self.library.facts.head()
            if taken:
                if traces.erased(self.library, taken):
                    traces.mark(self.library)
                self.library.facts.add_raw(taken)
                self.library.shelf.settle()
            return Pushed(before, self.library.facts.head(), self._digest(withheld), refused)

    def _states(self, buckets: Sequence[str], withheld: int, after: Id) -> States:
        """Those of as many of the first buckets as an answer holds: a bucket holds about as many as any other."""
        if len({len(bucket) for bucket in buckets}) > 1:
            raise WireError("Buckets of two sizes cannot be asked for together.")
        held = self.library.facts.states(buckets, withheld)
        found = {id_: digest for id_, digest in held.items() if id_ > after}
        count = len(buckets)
        while len(found) > messages.STATES and count > 1:
            count = (count + 1) // 2
            some = tuple(buckets[:count])
            found = {id_: digest for id_, digest in found.items() if id_.endswith(some)}
        if len(found) > messages.STATES:  # of one bucket: somebody chose its ids
            count, found = 0, dict(sorted(found.items())[: messages.STATES])
        return States(count, {id_: written(digest) for id_, digest in found.items()})

    def _named(self, question: Fetch, withheld: int) -> Page:
        with self.library.snapshot():
            named = self.library.facts.named(question.ids, withheld)
            page = [Raw(body.encode()) for body in next(pages(named), list[str]())]
            return Page(page, len(page), self.library.facts.head())


class _Looked(NamedTuple):
    """A fact that was sent."""

    code: str
    """Why it is not taken, if so."""
    id: Id
    body: str
    edit: Edit | None
    """Which it is, if it would be taken by itself."""
    size: int
    """Bytes."""


def _looked_at(data: bytes, withheld: int) -> _Looked:
    """What was sent. Raises WireError for what is no fact at all."""
    try:
        body = data.decode()
        head, fact = wire.header(body), wire.decode(body)
    except (UnicodeDecodeError, wire.Malformed) as error:
        raise WireError("Something that was sent is no fact.") from error
    code = refusal(data, fact)
    if not code and withholding.falls_under(fact) & withheld:
        code = "withheld"
    return _Looked(code, head.id, body, fact if isinstance(fact, Edit) and not code else None, len(data))
