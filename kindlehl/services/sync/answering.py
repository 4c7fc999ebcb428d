"""The answering side of a round: one question, one answer, and nothing to remember in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import Raw

from kindlehl import wire
from kindlehl.domain import clock, fold, withholding
from kindlehl.domain.errors import KindlehlError, MovedError, UpgradeError, WireError
from kindlehl.ports import Library, Progress
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

OWN = ""
"""Under this name a library keeps its own owner's wish."""


def heed(library: Library, wish: int, at: str) -> int:
    """Keep nothing of what a library's owner refuses from now on, not even what is here already. Returns how many facts
    are gone."""
    gone = 0
    with library.transaction():
        library.peers.keep(OWN, Progress(refuses=wish, wished=at))
        if wish:
            gone = library.facts.drop(wish)
        if gone:
            library.shelf.rebuild()
            library.peers.renew()
    if gone:
        library.scrub()
    return gone


def refuses(library: Library) -> int:
    """What a library keeps nothing of, by its owner's wish."""
    return library.peers.progress(OWN).refuses


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
        withheld = question.withheld | refuses(self.library)
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
        if self.library.peers.progress(OWN).wished < question.wished <= stamp:  # nobody wishes in the future
            heed(self.library, question.refuses, question.wished)  # this library was restored since
        with self.library.snapshot():
            wish = self.library.peers.progress(OWN)
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
            withheld |= refuses(self.library)  # in the transaction: what was refused a moment ago is not kept
            for raw in facts:
                code, id_, body = _looked_at(bytes(raw), withheld)
                if code:
                    refused.append(Refused(id_, code))
                else:
                    taken.append(body)
            before = self.library.facts.head()
            if taken:
                self.library.facts.add_raw(taken)
                self.library.shelf.settle()
            return Pushed(before, self.library.facts.head(), self._digest(withheld), refused)

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


def _looked_at(data: bytes, withheld: int) -> tuple[str, str, str]:
    """Why a fact is not taken, if so; its id and its body. Raises WireError for what is no fact at all."""
    try:
        body = data.decode()
        head, fact = wire.header(body), wire.decode(body)
    except (UnicodeDecodeError, wire.Malformed) as error:
        raise WireError("Something that was sent is no fact.") from error
    if len(data) > messages.FACT_BYTES:
        return "too_large", head.id, body
    if withholding.falls_under(fact) & withheld:
        return "withheld", head.id, body
    return "", head.id, body
