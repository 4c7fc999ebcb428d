"""Watching: a round whenever there is a reason, and patience with whatever passes."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from support.histories import edit, record

from kindlehl.domain.errors import BusyError, KindlehlError, MovedError, OfflineError, RevokedError, WireError
from kindlehl.ports import Progress
from kindlehl.services.sync.noticing import Noticed
from kindlehl.services.sync.patience import Pauses, patiently
from kindlehl.services.sync.round import Done
from kindlehl.services.sync.watch import Watch
from kindlehl.store.memory import MemoryLibrary

MARKED = record("highlight", "Tale (Dickens, Charles)", "His words", 1, 1, 1, False)


class OverError(Exception):
    """The story is over."""


@dataclass
class Story:
    """A world in which time passes only when somebody waits, and things happen at their time."""

    library: MemoryLibrary = field(default_factory=MemoryLibrary)
    now: float = 0.0
    asleep: float = 0.0
    """By how much the clock on the wall is ahead of ours."""
    events: dict[float, Callable[[], object]] = field(default_factory=dict)
    rounds: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    failures: list[tuple[float, str, float]] = field(default_factory=list)
    stalls: list[tuple[float, int]] = field(default_factory=list)
    wrong: KindlehlError | None = None
    """What a round, or opening a socket, raises at present."""
    broken: KindlehlError | None = None
    """What waiting on a socket raises at present."""
    deaf: bool = False
    poked: bool = False

    def run(self, until: float) -> None:
        """Let it happen."""
        self.events[until] = self._end
        watch = Watch(
            self.library, "server", self.round, self.listen, self, lambda: self.now, lambda: self.now + self.asleep,
            self.pass_, Pauses(lambda _, bound: bound),
        )  # fmt: skip
        with pytest.raises(OverError):
            watch.run()

    def _end(self) -> None:
        raise OverError

    def pass_(self, seconds: float) -> None:
        """Time passes, up to the next thing that happens in it; then to the end."""
        end = self.now + seconds
        for at in sorted(at for at in self.events if self.now < at <= end):
            self.now = at
            self.events.pop(at)()
        self.now = end

    def round(self) -> tuple[Done, Noticed]:
        """Takes a tenth of a second, and takes everything along."""
        self.pass_(0.1)
        if self.wrong:
            raise self.wrong
        self.rounds.append(round(self.now, 1))
        self.library.peers.keep("server", Progress("e", pushed=self.library.facts.head()))
        return Done(equal=True), Noticed()

    @contextmanager
    def listen(self) -> Generator["Story"]:
        """A socket."""
        if self.deaf:
            raise WireError("No socket.")
        if self.wrong:
            raise self.wrong
        self.opened.append(round(self.now, 1))
        self.poked, self.broken = False, None
        yield self

    def wait(self, seconds: float) -> bool:
        """On it."""
        end = self.now + seconds
        while self.now < end and not self.poked:
            self.pass_(min(0.1, end - self.now))
            if self.broken:
                raise self.broken
        poked, self.poked = self.poked, False
        return poked

    def done(self, done: Done, noticed: Noticed) -> None:
        """A round went well."""

    def failed(self, error: KindlehlError, pause: float) -> None:
        """Something failed."""
        self.failures.append((round(self.now, 1), error.message, pause))

    def stalled(self, unsent: int, seconds: float) -> None:
        """Something waits."""
        self.stalls.append((round(self.now, 1), unsent))

    def write(self) -> None:
        """Something is written here."""
        self.library.facts.add([edit(self.library.facts.head() + 1, MARKED.id, "note", "x")])

    def poke(self) -> None:
        """Something was written elsewhere."""
        self.poked = True


def test_a_round_follows_a_poke_and_a_word_written_here_at_once() -> None:
    """Within the half second between two looks; without a reason, once a minute."""
    story = Story()
    story.events = {10.0: story.poke, 20.0: story.write}
    story.run(150)
    assert [at for at in story.rounds if at < 60] == [0.1, pytest.approx(10.1, abs=0.2), pytest.approx(20.4, abs=0.4)]
    assert [round(b - a) for a, b in pairwise(story.rounds[2:])] == [60, 61]
    assert story.opened == [0.0]


def test_a_broken_socket_is_opened_again_and_followed_by_a_round() -> None:
    """What happened in between has been missed."""
    story = Story()

    def breaks() -> None:
        story.broken = OfflineError("It broke.")

    story.events = {10.0: breaks}
    story.run(20)
    assert len(story.opened) == 2
    assert 10 < story.opened[1] < story.rounds[1] < 11.5
    assert [message for _, message, _ in story.failures] == ["It broke."]


@pytest.mark.parametrize("wrong", [OfflineError("No."), BusyError("No."), MovedError("No."), WireError("No.")])
def test_a_server_that_is_away_is_asked_again_ever_more_rarely_and_found_when_it_is_back(wrong: KindlehlError) -> None:
    """Whatever it says instead of an answer; pauses double up to five seconds, and after minutes up to one minute."""
    story = Story(wrong=wrong)

    def back() -> None:
        story.wrong = None

    story.events = {600.0: back}
    story.run(700)
    pauses = [pause for _, _, pause in story.failures]
    assert pauses[:5] == [0.5, 1, 2, 4, 5]
    assert 600 < story.rounds[0] < 661


def test_a_server_that_says_when_is_not_asked_before() -> None:
    """`Retry-After` is the least that is waited."""
    wrong = BusyError("Later.")
    wrong.retry_after = 30
    story = Story(wrong=wrong)
    story.run(100)
    times = [at for at, _, _ in story.failures]
    assert all(b - a >= 30 for a, b in pairwise(times))


def test_what_waits_for_a_minute_is_told_once() -> None:
    """And again after it has gone and other things wait."""
    story = Story()

    def away() -> None:
        story.wrong = story.broken = OfflineError("Away.")

    def back() -> None:
        story.wrong = None

    story.events = {10.0: story.write, 10.05: away, 300.0: back, 400.0: away, 400.05: story.write}
    story.run(600)
    assert [unsent for _, unsent in story.stalls] == [1, 1]
    assert 70 <= story.stalls[0][0] < 85
    assert 460 <= story.stalls[1][0] < 485


def test_after_sleep_the_socket_is_opened_anew() -> None:
    """It may be half open, and nothing would ever come."""
    story = Story()

    def sleeps() -> None:
        story.asleep += 3600

    story.events = {30.0: sleeps}
    story.run(45)
    assert len(story.opened) == 2
    assert 30 <= story.opened[1] < 32


def test_where_no_socket_gets_through_it_looks_every_two_seconds() -> None:
    """And a word written here goes out at once."""
    story = Story(deaf=True)
    story.events = {10.25: story.write}
    story.run(30)
    gaps = [b - a for a, b in pairwise(story.rounds)]
    assert len(gaps) > 10
    assert all(gap < 2.8 for gap in gaps)
    assert story.opened == []


def test_a_socket_is_tried_again_after_ten_minutes_without_one() -> None:
    """What let none through, a proxy that was set up wrongly, may be mended meanwhile."""
    story = Story(deaf=True)
    story.events = {400.0: lambda: setattr(story, "deaf", False)}
    story.run(700)
    assert len(story.opened) == 1
    assert 600 <= story.opened[0] < 603
    assert not story.failures


def test_what_no_patience_mends_ends_it() -> None:
    """A device that is let in no more."""
    story = Story(wrong=RevokedError("Gone."))
    watch = Watch(story.library, "server", story.round, story.listen, story, lambda: 0.0, lambda: 0.0, story.pass_)
    with pytest.raises(RevokedError):
        watch.run()


class TestPatience:
    """A round that is tried again."""

    def attempts(
        self, outcomes: list[KindlehlError | int], budget: float, progress: list[int] | None = None
    ) -> list[float]:
        """The pauses between attempts that end like this, until one goes well or the budget is used up."""
        now = 0.0
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            nonlocal now
            now += seconds
            pauses.append(seconds)

        def attempt() -> int:
            outcome = outcomes.pop(0)
            if isinstance(outcome, int):
                return outcome
            if progress is not None:
                progress[0] += 1
            raise outcome

        patiently(attempt, lambda: (progress or [0])[0], budget, now=lambda: now, sleep=sleep,
                  pauses=Pauses(lambda _, bound: bound))  # fmt: skip
        return pauses

    def test_what_passes_is_tried_again(self) -> None:
        """With pauses that double."""
        assert self.attempts([OfflineError("x"), BusyError("x"), MovedError("x"), 1], 30) == [0.5, 1, 2]

    def test_what_does_not_pass_is_raised_at_once(self) -> None:
        """Nothing is gained by asking again."""
        with pytest.raises(RevokedError):
            self.attempts([RevokedError("x"), 1], 30)

    def test_it_ends_within_the_budget(self) -> None:
        """No pause is begun that would end after it."""
        with pytest.raises(OfflineError):
            self.attempts([OfflineError("x")] * 50, 30)
        later = BusyError("x")
        later.retry_after = 31
        with pytest.raises(BusyError):
            self.attempts([later, 1], 30)

    def test_nobody_stays_away_for_a_day(self) -> None:
        """Whatever a proxy's page about its maintenance says."""
        wrong = OfflineError("x")
        wrong.retry_after = 86_400
        assert Pauses(lambda _, bound: bound).next(wrong) == 300

    def test_who_makes_progress_has_time(self) -> None:
        """A first sync over a line that breaks all the time comes to its end."""
        assert len(self.attempts([*[OfflineError("x")] * 100, 1], 5, [0])) == 100

    def test_pauses_are_drawn_from_nothing_to_the_bound(self) -> None:
        """So that a household does not come back in one moment."""
        drawn: list[tuple[float, float]] = []
        pauses = Pauses(lambda least, most: drawn.append((least, most)) or most)
        for _ in range(200):
            pauses.next(OfflineError("x"))
        assert drawn[:4] == [(0, 0.5), (0, 1), (0, 2), (0, 4)]
        assert (drawn[50], drawn[-1]) == ((0, 5), (0, 60))
