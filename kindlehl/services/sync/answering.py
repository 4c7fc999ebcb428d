"""The answering side of a round: one question, one answer, and nothing to remember in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from msgspec import Raw

from kindlehl import wire
from kindlehl.domain import clock, fold, withholding
from kindlehl.domain.errors import KindlehlError, MovedError, UpgradeError, WireError
from kindlehl.domain.facts import Edit, Id
from kindlehl.ports import Library
from kindlehl.services import traces
from kindlehl.services.sync import wishes
from kindlehl.services.sync.digests import together, written
from kindlehl.services.sync.pages import pages
from kindlehl.wire import messages
from kindlehl.wire.messages import (
    Answer,
    AskStates,
    Compare,
    Digests,
    Failed,
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


def mend(library: Library) -> int:
    """Set aside what rotted here, so that the next round fetches it from whoever has it whole. Returns how many facts
    that are."""
    with library.transaction():
        found = library.facts.set_aside_rotten()
        if found:
            library.shelf.rebuild()
            library.peers.renew()
    return found


@dataclass(frozen=True, slots=True)
class Desk:
    """A library that others sync with."""

    library: Library

    def answer(self, question: Question, now: datetime) -> Answer:
        """What to say to a question. What cannot be done is an answer, too."""
        try:
            return self.ask(question, now)
        except KindlehlError as error:
            return Failed(error.code, error.message, error.hint, error.retry_after)

    def ask(self, question: Question, now: datetime) -> Answer:
        """The same, but what cannot be done is raised."""
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
            return self._states(question.buckets, withheld)
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
            crowd = self._crowd(looked)
            for code, id_, body, _ in looked:
                if code or id_ in crowd:
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

    def _crowd(self, looked: "Sequence[_Looked]") -> set[Id]:
        """The edits for which there is no room beside those that their target has."""
        by_target: dict[Id, list[Id]] = {}
        for each in looked:
            if each.target:
                by_target.setdefault(each.target, []).append(each.id)
        held = self.library.facts.edited([*by_target])
        crowd: set[Id] = set()
        for target, ids in by_target.items():
            room = messages.EDITS - held.get(target, 0)
            if len(ids) > room:
                known = {wire.header(body).id for body in self.library.facts.named(ids)}
                crowd.update([id_ for id_ in ids if id_ not in known][max(0, room) :])
        return crowd

    def _states(self, buckets: Sequence[str], withheld: int) -> States:
        """Those of as many of the first buckets as an answer holds: a bucket holds about as many as any other."""
        if len({len(bucket) for bucket in buckets}) > 1:
            raise WireError("Buckets of two sizes cannot be asked for together.")
        found = self.library.facts.states(buckets, withheld)
        count = len(buckets)
        while len(found) > messages.STATES and count > 1:
            count = (count + 1) // 2
            some = tuple(buckets[:count])
            found = {id_: digest for id_, digest in found.items() if id_.endswith(some)}
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
    target: Id
    """Of an edit."""


def _looked_at(data: bytes, withheld: int) -> _Looked:
    """What was sent. Raises WireError for what is no fact at all."""
    try:
        body = data.decode()
        head, fact = wire.header(body), wire.decode(body)
    except (UnicodeDecodeError, wire.Malformed) as error:
        raise WireError("Something that was sent is no fact.") from error
    edit = fact if isinstance(fact, Edit) else None
    code = ""
    if len(data) > messages.FACT_BYTES or (edit and len(edit.seen) > messages.FACT_SEEN):
        code = "too_large"
    elif withholding.falls_under(fact) & withheld:
        code = "withheld"
    return _Looked(code, head.id, body, edit.target if edit and not code else "")
