"""One round of sync: pull what has come, push what is new here, and make sure by digests that both hold the same.

Whatever happens to a round, nothing has to be remembered about it: each page and its cursor are kept in one
transaction, and every step can be repeated.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import Raw

from kindlehl import wire
from kindlehl.domain import fold, withholding
from kindlehl.domain.batches import batches
from kindlehl.domain.errors import CorruptLibraryError, WireError
from kindlehl.domain.facts import Id
from kindlehl.ports import Library, Progress, Rotten
from kindlehl.services import traces
from kindlehl.services.sync.bounds import refusal
from kindlehl.services.sync.digests import differing, together, written
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
    States,
    Welcome,
)

_LAPS = 5
"""How often a round pulls and pushes while others go on writing."""
_MANY = 128
"""So many buckets differ that it pays to ask for smaller ones."""
_CROWDED = 32
"""Facts in a bucket from which on smaller ones are worth their digests."""
_UNSEEN = withholding.ALL + 1
"""Passed over by cursors together with what is withheld: what both held before they met."""
_PASSING = frozenset(("withheld",))
"""Refusals that are a wish of the moment, and not a property of the fact."""
_ASKED = 1_024
"""Buckets named in one question."""

Ask = Callable[[Question], Answer]
"""Puts a question to the peer. Raises KindlehlError where it failed or could not be asked: `OfflineError`."""
A = TypeVar("A", Welcome, Page, Pushed, Digests, States)


@dataclass(slots=True)
class Done:
    """What a round did."""

    received: int = 0
    """Facts that advanced this library."""
    sent: int = 0
    refused: int = 0
    """Facts that the peer did not take."""
    damaged: int = 0
    """Facts that were found to be damaged here."""
    healed: int = 0
    """Buckets that differed though cursors said that all was exchanged."""
    anew: bool = False
    """The peer was not the one it was: restored, or emptied."""
    told: bool = False
    """The peer's owner has told it since what to keep nothing of."""
    released: bool = False
    """Cursors had passed over something that both are to have: why buckets differ."""
    equal: bool = False
    """Both held the same facts at the end."""
    refuses: int = 0
    """What the peer keeps nothing of."""
    withheld: int = 0
    """What one of both keeps to itself: of that `equal` says nothing."""
    fold: int = fold.REVISION
    """The peer's revision of the fold."""
    now: str = ""
    """The peer's wall clock, when the round began."""
    took: float = 0.0
    """Seconds since then."""


def _is_fact(body: bytes) -> bool:
    try:
        wire.decode(body.decode())
    except (UnicodeDecodeError, wire.Malformed):
        return False
    return True


def sync(library: Library, peer: str, ask: Ask, withheld: int = 0) -> Done:
    """Make a library and a peer's equal. Raises what `ask` raises; then what was done so far stays done."""
    return Round(library, peer, ask, withheld).run()


@dataclass(slots=True)
class Round:
    """One round under way."""

    library: Library
    peer: str
    ask: Ask
    withheld: int
    done: Done = field(default_factory=Done)
    progress: Progress = field(default_factory=Progress)
    theirs: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Runs of our numbers that came from the peer in this round: (behind, up to)."""
    head: int = 0
    digest: str = ""
    """The peer's, as far as is known."""

    def run(self) -> Done:
        """The whole of it."""
        self._hello()
        began = time.monotonic()
        for _ in range(_LAPS):
            with suppress(CorruptLibraryError):
                if self._is_lap_the_last():
                    break
                continue
            # Not while it is handled: an error holds on to what was being read.
            if not self._go_on_without(mend(self.library)) and self._is_lap_the_last():  # which raises it again
                break
        self.done.took = time.monotonic() - began
        return self.done

    def _is_lap_the_last(self) -> bool:
        """Pull, push and compare. Whether both are found equal."""
        self._pull()
        self._push()
        return self.head <= self.progress.pulled and self._is_compared()

    def _put(self, question: Question, kind: type[A]) -> A:
        answer = self.ask(question)
        if not isinstance(answer, kind):
            raise WireError("The server gave an answer to another question.", hint="Update kindlehl, and the server.")
        return answer

    def _hello(self) -> None:
        self.progress = self.library.peers.progress(self.peer)
        wish = self.progress.refuses, self.progress.wished
        welcome = self._put(Hello((messages.PROTOCOL, messages.PROTOCOL), fold.REVISION, self.withheld, *wish), Welcome)
        known = bool(self.progress.epoch)
        self.done.told = welcome.wished > wish[1] and (known or bool(welcome.refuses))
        # The later wish holds: what the owner wished last does not go to a peer that does not know of it, either.
        refuses, wished = (welcome.refuses, welcome.wished) if welcome.wished >= wish[1] else wish
        self.withheld |= welcome.refuses | refuses
        self.done.refuses = welcome.refuses | refuses
        self.done.withheld = self.withheld
        if self.progress.epoch != welcome.epoch or self.progress.pulled > welcome.head:
            self.done.anew = known
            with self.library.transaction():
                self.library.peers.forget(self.peer)  # what it refused, too: it may be another one now
                self._advance(self._begun(welcome)._replace(refuses=refuses, wished=wished))
        pushed = min(self.progress.pushed, self.library.facts.head())  # fewer, where rotten facts were set aside
        self.progress = self.progress._replace(pushed=pushed, refuses=refuses, wished=wished)
        passed_over = self.progress.withheld
        self.done.released = bool(passed_over & ~self.withheld)
        # Cursors pass over what is withheld, and until both are equal nobody knows how much of it.
        self.progress = self.progress._replace(withheld=passed_over | self.withheld)
        self.head, self.digest = welcome.head, welcome.digest
        self.done.fold, self.done.now = welcome.fold, welcome.now

    def _begun(self, welcome: Welcome) -> Progress:
        """Where to begin with a peer that is met for the first time, or again after it was restored. Where both hold
        something, much of it is often the same, and digests tell what is not."""
        mine = self.library.facts.head()
        if not (mine and welcome.head):
            return Progress(welcome.epoch)
        return Progress(welcome.epoch, welcome.head, mine, _UNSEEN)

    def _go_on_without(self, damaged: Rotten) -> bool:
        """What is damaged here stays here; what the peer has of it comes whole. Our numbers may be fewer by it. Whether
        there is anything."""
        self.done.damaged += sum(damaged)
        self.progress = self.progress._replace(pushed=min(self.progress.pushed, self.library.facts.head()))
        self.theirs.clear()
        return any(damaged)

    # -- cursors --------------------------------------------------------------------------------------------------

    def _pull(self) -> None:
        while self.progress.pulled < self.head:
            cursor = self.progress.pulled
            page = self._put(Pull(self.progress.epoch, cursor, self.withheld), Page)
            if page.cursor <= cursor:
                raise WireError("The server sends no end of the same page.")
            with self.library.transaction():
                before, after = self._take(page.facts)
                sent = after if self.progress.pushed == before else self.progress.pushed
                self._advance(self.progress._replace(pulled=page.cursor, pushed=sent))
            if sent != after:
                self.theirs.append((before, after))
            self.head, self.digest = page.head, page.digest

    def _take(self, facts: Sequence[Raw]) -> tuple[int, int]:
        """Keep facts of the peer's; returns our head before and after."""
        before = self.library.facts.head()
        try:
            bodies = [bytes(raw).decode() for raw in facts]
            if traces.erased(self.library, bodies):
                traces.mark(self.library)
            self.done.received += self.library.facts.add_raw(bodies)
        except (UnicodeDecodeError, wire.Malformed) as error:
            if all(_is_fact(bytes(raw)) for raw in facts):
                raise CorruptLibraryError(
                    "This library holds a fact that is none.", hint="kindlehl db verify"
                ) from error
            raise WireError("The server sent something that is no fact.", hint="Update the server.") from error
        self.library.shelf.settle()
        return before, self.library.facts.head()

    def _advance(self, progress: Progress) -> None:
        self.progress = progress
        self.library.peers.keep(self.peer, progress)

    def _push(self) -> None:
        for behind, until in [*self.theirs, (self.library.facts.head(), None)]:
            self._push_until(behind)
            if until is not None and self.progress.pushed < until:
                with self.library.transaction():
                    self._advance(self.progress._replace(pushed=until))
        self.theirs.clear()

    def _push_until(self, until: int) -> None:
        """Push what is ours, up to this number of our own."""
        while self.progress.pushed < until:
            feed = self.library.facts.since(
                self.progress.pushed, messages.PAGE_FACTS, messages.PAGE_BYTES, self.withheld, until
            )
            if feed.bodies:
                self._send(feed.bodies)
            with self.library.transaction():
                self._advance(self.progress._replace(pushed=feed.cursor))

    def _send(self, bodies: Sequence[str]) -> None:
        """Have the peer keep these. Where nothing else has come to it since we last pulled, nothing is to be pulled."""
        data = [body.encode() for body in bodies]
        refused: dict[Id, str] = {}
        sent: list[bytes] = []
        for each in data:
            if code := refusal(each):  # so much that no message may hold it
                refused[wire.header(each).id] = code
            else:
                sent.append(each)
        self.done.refused += len(refused)
        if sent:
            answer = self._put(Push(self.progress.epoch, [*map(Raw, sent)], self.withheld), Pushed)
            self.done.sent += len(sent)
            self.done.refused += len(answer.refused)
            self.head, self.digest = answer.head, answer.digest
            if answer.before == self.progress.pulled:
                self.progress = self.progress._replace(pulled=answer.head)
            refused |= {each.id: each.code for each in answer.refused if each.code not in _PASSING}
        if refused:
            digests = [(wire.header(each).id, wire.digest(each)) for each in data]
            with self.library.transaction():
                self._advance(self.progress)
                self.library.peers.refuse(self.peer, [(id_, d, refused[id_]) for id_, d in digests if id_ in refused])

    # -- digests --------------------------------------------------------------------------------------------------

    def _is_compared(self) -> bool:
        """Compare digests, and mend what differs. False where one of both has gone on meanwhile."""
        with self.library.snapshot():
            if self.library.facts.head() != self.progress.pushed:
                return False
            mine = self._digests(2)
        if together(mine.values()) != self.digest:
            theirs = self._put(Compare(self.progress.epoch, 2, self.withheld), Digests).buckets
            if differ := differing(mine, theirs):  # else its digest has changed since, by what turned out to be damaged
                self._heal(differ)
                return False
        self.done.equal = True
        with self.library.transaction():
            self._advance(self.progress._replace(withheld=self.withheld, met=self.done.now))
        return True

    def _digests(self, digits: int) -> dict[str, int]:
        """The digests of our buckets, without what the peer does not take."""
        buckets = dict(self.library.facts.digests(digits, self.withheld))
        refused = self.library.peers.refused(self.peer)
        for body in self.library.facts.named([*refused], self.withheld) if refused else ():
            id_, digest = wire.header(body).id, wire.digest(body)
            if refused[id_] == digest:
                buckets[id_[-digits:]] = buckets.get(id_[-digits:], 0) ^ digest
        return {bucket: digest for bucket, digest in buckets.items() if digest}

    def _heal(self, buckets: list[str]) -> None:
        """Exchange what differs in some buckets."""
        if len(buckets) >= _MANY and self.library.facts.head() > _CROWDED * 256:
            theirs = self._put(Compare(self.progress.epoch, 4, self.withheld), Digests).buckets
            buckets = differing(self._digests(4), theirs)
        if not self.progress.withheld & _UNSEEN & ~withholding.ALL:  # else it was to be expected
            self.done.healed += len(buckets)
        after = ""
        while buckets:
            question = AskStates(self.progress.epoch, buckets[: 1 if after else _ASKED], self.withheld, after)
            answer = self._put(question, States)
            until = "" if answer.buckets else max(answer.facts, default="")
            if answer.buckets > len(question.buckets) or not (answer.buckets or until > after):
                raise WireError("The server did not say which facts it has.")
            self._exchange(buckets[: answer.buckets or 1], answer.facts, after, until)
            buckets, after = buckets[answer.buckets :], until

    def _exchange(self, buckets: Sequence[str], theirs: dict[Id, str], after: Id, until: Id) -> None:
        """Fetch what the peer has and we have not, or in another state; then send what it has not. Of one bucket that
        may be those facts only whose ids are between two."""
        mine = {id_: written(digest) for id_, digest in self._states(buckets, after, until).items()}
        missing: list[Id] = sorted(id_ for id_, digest in theirs.items() if mine.get(id_) != digest)
        while missing:
            page = self._put(Fetch(self.progress.epoch, missing[: messages.PAGE_FACTS], self.withheld), Page)
            if not page.facts:
                break  # they are gone by now
            with self.library.transaction():
                was, head = self._take(page.facts)
                if self.progress.pushed == was:
                    self._advance(self.progress._replace(pushed=head))
            last = max(wire.header(bytes(raw)).id for raw in page.facts)
            if last < missing[0]:
                raise WireError("The server sent other facts than it was asked for.")
            missing = [id_ for id_ in missing if id_ > last]
        refused = self.library.peers.refused(self.peer)
        after_all = [id_ for id_, digest in refused.items() if theirs.get(id_) == written(digest)]
        if after_all:  # a newer server took them from somebody else
            with self.library.transaction():
                self.library.peers.took(self.peer, after_all)
        unsent = [
            id_
            for id_, digest in self._states(buckets, after, until).items()
            if theirs.get(id_) != written(digest) and refused.get(id_) != digest
        ]
        for ids in batches(sorted(unsent), messages.PAGE_FACTS):
            last = ""
            while ids[-1] > last:
                bodies = self._page_of([id_ for id_ in ids if id_ > last])
                if bodies:
                    self._send(bodies)
                last = wire.header(bodies[-1]).id if bodies else ids[-1]

    def _page_of(self, ids: Sequence[Id]) -> list[str]:
        """Of these facts the first, as many as a message holds."""
        with self.library.snapshot():
            return next(pages(self.library.facts.named(ids, self.withheld)), list[str]())

    def _states(self, buckets: Sequence[str], after: Id, until: Id) -> dict[Id, int]:
        held = self.library.facts.states(buckets, self.withheld)
        return {id_: digest for id_, digest in held.items() if id_ > after and (not until or id_ <= until)}
