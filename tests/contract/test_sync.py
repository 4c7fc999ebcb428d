"""The contract of a round, whatever kind of library answers: both get the facts of both, and nothing is told twice."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.histories import edit, import_of, keep, made_id, picture, record

from kindlehl import wire
from kindlehl.domain.erasure import skeleton
from kindlehl.domain.errors import KindlehlError, MovedError, OfflineError, UpgradeError, WireError
from kindlehl.domain.facts import Edit
from kindlehl.domain.withholding import ALL, HIGHLIGHTS, NOTES, NOTHING
from kindlehl.ports import Filter, Library
from kindlehl.services import traces
from kindlehl.services.sync import round as rounds
from kindlehl.services.sync import wishes
from kindlehl.services.sync.answering import Desk
from kindlehl.services.sync.mending import mend
from kindlehl.services.sync.round import Done, sync
from kindlehl.store.library import empty_library, open_library
from kindlehl.store.memory import MemoryLibrary
from kindlehl.wire import messages
from kindlehl.wire.messages import Answer, Hello, Page, Pull, Push, Pushed, Question, Welcome

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
HIS = [record("highlight", "Tale (Dickens, Charles)", f"His words {n}", n, 1, n % 30, False) for n in range(1, 40)]
HERS = [record("highlight", "Woods (Muir, John)", f"Her words {n}", n, 1, n % 30, False) for n in range(1, 30)]


def renewed(library: Library, epoch: str) -> None:
    """A library whose numbers go by this name."""
    with library.transaction():
        library.peers.renew(epoch)


STRANGE = wire.encode(edit(1, HIS[0].id, "note", "not what was asked for"))


def held(library: Library) -> dict[str, str]:
    return {wire.header(body).id: body for body in library.facts.bodies()}


@dataclass
class Home:
    """A server, and the wire to it."""

    library: Library
    asked: list[Question] = field(default_factory=list)
    answered: list[Answer] = field(default_factory=list)
    meddle: Callable[[Question], None] = lambda _: None
    now: datetime = NOW

    @property
    def epoch(self) -> str:
        """Of its library."""
        return self.library.peers.epoch()

    def refuse(self, refused: int, at: str = "2020-01-01T00:00:00.000+00:00") -> int:
        """Its owner wishes that it keeps nothing of this. Returns how many facts are gone."""
        before = len(held(self.library))
        wishes.change(self.library, refused, ALL & ~refused, datetime.fromisoformat(at))
        return before - len(held(self.library))

    def ask(self, question: Question) -> Answer:
        """One exchange, as bytes both ways."""
        self.meddle(question)
        question = messages.decode_question(messages.encode(question))
        self.asked.append(question)
        answer = Desk(self.library).answer(question, self.now)
        answer = messages.decode_answer(messages.encode(answer))
        self.answered.append(answer)
        return answer

    def told(self) -> tuple[list[str], list[str]]:
        """The facts that went to it and came from it, and the wire is forgotten."""
        up = [bytes(raw).decode() for q in self.asked if isinstance(q, Push) for raw in q.facts]
        down = [bytes(raw).decode() for a in self.answered if isinstance(a, Page) for raw in a.facts]
        self.asked.clear()
        self.answered.clear()
        return up, down

    def names(self) -> list[str]:
        """What was asked."""
        return [type(question).__name__ for question in self.asked]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    if request.param == "postgresql":
        with request.getfixturevalue("somebodys")() as held:
            yield Home(held)
        return
    library = MemoryLibrary() if request.param == "memory" else open_library(tmp_path / "home.db")
    yield Home(library)
    library.close()


@pytest.fixture
def mine() -> Iterator[Library]:
    with closing(empty_library()) as library:
        keep(library, *HIS, import_of(1, "clippings", HIS))
        yield library


@pytest.fixture
def hers() -> Iterator[Library]:
    with closing(empty_library()) as library:
        keep(library, *HERS, import_of(2, "clippings", HERS))
        yield library


def met(library: Library, home: Home, withheld: int = NOTHING) -> Done:
    """A round after which both are equal."""
    done = sync(library, "home", home.ask, withheld)
    assert done.equal
    return done


def same(*libraries: Library) -> bool:
    """Whether they hold and show the same."""
    first = libraries[0]
    return all(held(first) == held(each) and picture(first) == picture(each) for each in libraries[1:])


class TestRound:
    """Two libraries become equal."""

    def test_what_is_here_goes_there_once(self, mine: Library, home: Home) -> None:
        """And is not told back."""
        bodies = [*mine.facts.bodies()]
        done = met(mine, home)
        assert (done.sent, done.received, done.healed) == (len(bodies), 0, 0)
        assert home.told() == (bodies, [])
        assert same(mine, home.library)

    def test_who_meets_for_the_first_time_exchanges_what_differs_and_no_more(self, mine: Library, home: Home) -> None:
        """Both imported the same Kindle; and so it is with a server that was restored since, or emptied in part."""
        met(mine, home)
        with closing(empty_library()) as twin:
            keep(twin, *HIS, import_of(3, "clippings", HIS))
            home.told()
            done = met(twin, home)
            assert (done.sent, done.received, done.healed) == (1, 1, 0)
            assert [len(each) for each in home.told()] == [1, 1]
            met(mine, home)
            assert same(mine, twin, home.library)
            keep(twin, edit(60, HIS[0].id, "note", "of today"))
            renewed(home.library, "5e11ed")
            done = met(twin, home)
            assert (done.anew, done.sent, done.received, done.healed) == (True, 1, 0, 0)

    def test_a_first_meeting_that_broke_off_goes_on_and_nobody_wonders_why_something_differs(
        self, mine: Library, hers: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Wherever it broke off."""
        monkeypatch.setattr(messages, "PAGE_FACTS", 7)
        met(mine, home)

        left = 0

        def unplug(_: Question) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OfflineError("The server cannot be reached.")

        home.meddle = unplug
        for questions in range(1, 40):
            left = questions
            with suppress(OfflineError):
                assert sync(hers, "home", home.ask).healed == 0
                break
        else:
            pytest.fail("it never comes to its end")
        home.meddle = lambda _: None
        assert met(hers, home).healed == met(mine, home).healed == 0
        assert same(mine, hers, home.library)

    def test_what_is_there_comes_here_once(self, mine: Library, hers: Library, home: Home) -> None:
        """And is not sent back, though there was something to send."""
        met(mine, home)
        home.told()
        before = [*hers.facts.bodies()]
        done = met(hers, home)
        up, down = home.told()
        assert (sorted(up), sorted(down)) == (sorted(before), sorted(mine.facts.bodies()))
        assert (done.sent, done.received) == (len(before), len(held(mine)))
        met(mine, home)
        up, down = home.told()
        assert (up, sorted(down)) == ([], sorted(before))
        assert same(mine, hers, home.library)

    def test_a_round_without_news_is_one_exchange(self, mine: Library, home: Home) -> None:
        """Cron asks every few minutes."""
        met(mine, home)
        home.told()
        met(mine, home)
        assert home.names() == ["Hello"]

    def test_a_change_is_two_exchanges(self, mine: Library, home: Home) -> None:
        """And on the other side as many."""
        with closing(empty_library()) as other:
            met(mine, home)
            met(other, home)
            home.told()
            keep(mine, edit(9, HIS[0].id, "note", "so true"))
            met(mine, home)
            assert home.names() == ["Hello", "Push"]
            home.told()
            met(other, home)
            assert home.names() == ["Hello", "Pull"]
            assert same(mine, other, home.library)

    def test_a_fact_travels_as_it_is(self, mine: Library, home: Home) -> None:
        """Of a type and with fields that this version does not know, with spaces where somebody put them."""
        bodies = [
            f'{{"type": "star",  "id": "{made_id(70)}", "points": [1.50, {{"a": null}}], "text": "\\u0041 é"}}',
            f'{{"type":"edit","id":"{made_id(71)}","target":"{HIS[0].id}","field":"mood","value":{{"x":1}},"hlc":9}}',
        ]
        with mine.transaction():
            mine.facts.add_raw(bodies)
        met(mine, home)
        assert [held(home.library)[made_id(n)] for n in (70, 71)] == bodies

    def test_pages_are_small_and_a_long_fact_has_one_of_its_own(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both ways; a round that breaks off goes on where it was."""
        monkeypatch.setattr(messages, "PAGE_FACTS", 7)
        monkeypatch.setattr(messages, "PAGE_BYTES", 2_000)
        long = replace(HIS[0], id=made_id(5), text="long " * 1_000)
        keep(mine, long, import_of(3, "clippings", [long]))
        pages = 0

        def unplug(question: Question) -> None:
            nonlocal pages
            pages += isinstance(question, Push | Pull)
            if pages == 3 and isinstance(question, Push | Pull):
                raise OfflineError("The server cannot be reached.")

        home.meddle = unplug
        with pytest.raises(OfflineError):
            sync(mine, "home", home.ask)
        there = held(home.library)
        assert 0 < len(there) < len(held(mine))
        home.told()
        met(mine, home)
        assert set(home.told()[0]).isdisjoint(there.values())
        with closing(empty_library()) as other:
            met(other, home)
            sizes = [[len(raw) for raw in page.facts] for page in home.answered if isinstance(page, Page)]
            assert all(len(page) == 1 or (len(page) <= 7 and sum(page) <= 2_000) for page in sizes)
            assert same(mine, other, home.library)

    def test_what_came_before_a_round_broke_off_is_not_sent_back(
        self, mine: Library, hers: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nor told again."""
        monkeypatch.setattr(messages, "PAGE_FACTS", 7)
        met(hers, home)
        with closing(empty_library()) as other:
            pulls = iter(range(9))

            def unplug(question: Question) -> None:
                if isinstance(question, Pull) and next(pulls) == 3:
                    raise OfflineError("The server cannot be reached.")

            home.meddle = unplug
            with pytest.raises(OfflineError):
                sync(other, "home", home.ask)
            assert len(held(other)) == 21
            home.told()
            met(other, home)
            up, down = home.told()
            assert (up, len(down)) == ([], len(held(hers)) - 21)

    def test_others_may_write_on_both_sides_meanwhile(self, mine: Library, hers: Library, home: Home) -> None:
        """The round goes on until it is quiet."""
        met(mine, home)
        number = 100

        def somebody(question: Question) -> None:
            nonlocal number
            if number < 106 and not isinstance(question, Hello):
                number += 1
                keep(home.library if number % 2 else hers, edit(number, HIS[number % 9].id, "tag:x", True))

        home.meddle = somebody
        assert met(hers, home).healed == met(mine, home).healed == 0
        assert same(mine, hers, home.library)
        assert len([body for body in held(mine).values() if '"tag:x"' in body]) == 6

    def test_a_round_that_finds_no_quiet_ends(self, hers: Library, home: Home) -> None:
        """And says that it did not see both equal."""
        numbers = iter(range(100, 200))
        home.meddle = lambda _: keep(hers, edit(next(numbers), HIS[0].id, "tag:x", True))
        assert not sync(hers, "home", home.ask).equal

    def test_what_the_peer_runs_is_told(self, mine: Library, home: Home) -> None:
        """Its clock, and the revision of its fold."""
        done = met(mine, home)
        assert (done.now, done.fold) == ("2024-03-01T12:00:00.000Z", 3)


class TestHealing:
    """Cursors for speed, digests for truth."""

    def test_a_server_that_was_emptied_or_restored_is_filled_again(self, mine: Library, home: Home) -> None:
        """A new epoch says so; the round does too."""
        met(mine, home)
        home.told()
        with closing(empty_library()) as empty:
            assert empty.peers.epoch() != home.epoch
            home.library = empty
            done = met(mine, home)
            assert (done.anew, done.healed) == (True, 0)
            assert same(mine, empty)

    @pytest.mark.parametrize("ahead", [False, True])
    def test_a_server_that_was_restored_silently_is_filled_again(
        self, mine: Library, home: Home, *, ahead: bool
    ) -> None:
        """Also where it has come further since than it was before."""
        met(mine, home)
        with closing(empty_library()) as older:
            keep(older, *HIS[:5], import_of(1, "clippings", HIS))
            renewed(older, home.epoch)
            if ahead:
                for n in range(200, 260):
                    keep(older, edit(n, HIS[0].id, f"tag:{n}", True))
            home.library = older
            done = met(mine, home)
            assert (done.anew, done.healed > 0) == (not ahead, ahead)
            assert same(mine, older)

    def test_of_two_states_both_keep_the_greater(self, mine: Library, home: Home) -> None:
        """Wherever it is, though no cursor tells of it."""
        met(mine, home)
        here, there = (replace(HIS[n], text="Better", revision=2) for n in (0, 1))
        keep(mine, here)
        keep(home.library, there)
        with mine.transaction():
            mine.peers.keep("home", mine.peers.progress("home")._replace(
                pulled=home.library.facts.head(), pushed=mine.facts.head()
            ))  # fmt: skip
        home.told()
        assert met(mine, home).healed == 2
        up, down = home.told()
        assert up == [wire.encode(here)]
        assert set(down) == {wire.encode(fact) for fact in (there, HIS[0])}  # a digest does not tell which is greater
        assert same(mine, home.library)

    def test_where_much_differs_smaller_buckets_are_compared(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So that what is equal is not named."""
        monkeypatch.setattr(rounds, "_MANY", 2)
        monkeypatch.setattr(rounds, "_CROWDED", 0)
        monkeypatch.setattr(rounds, "_ASKED", 3)
        monkeypatch.setattr(messages, "STATES", 2)
        monkeypatch.setattr(messages, "PAGE_FACTS", 3)
        met(mine, home)
        missing = [edit(n, HIS[n % 20].id, f"tag:{n}", True) for n in range(300, 330)]
        keep(home.library, *missing[:20])
        keep(mine, *missing[20:])
        with mine.transaction():
            mine.peers.keep("home", mine.peers.progress("home")._replace(
                pulled=home.library.facts.head(), pushed=mine.facts.head()
            ))  # fmt: skip
        home.told()
        assert met(mine, home).healed >= 25
        assert next(len(q.buckets) for q in home.asked if isinstance(q, messages.AskStates)) == 3
        assert {q.digits for q in home.asked if isinstance(q, messages.Compare)} == {2, 4}
        up, _ = home.told()
        assert sorted(up) == sorted(wire.encode(fact) for fact in missing[20:])
        assert same(mine, home.library)

    def test_a_bucket_of_any_size_is_told_in_parts(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody chose ids that end alike: whoever meets them for the first time holds some, and lacks others."""
        monkeypatch.setattr(messages, "STATES", 4)
        ids = [f"{made_id(n)[:-4]}00{n % 2:02x}" for n in range(1_000, 1_030)]
        bodies = [f'{{"type":"star","id":"{id_}"}}' for id_ in ids]
        with home.library.transaction():
            home.library.facts.add_raw([*bodies[:20], wire.encode(HIS[0])])
        with mine.transaction():
            mine.facts.add_raw([*bodies[15:], f'{{"type":"star","id":"{ids[3]}","better":true}}'])
        done = met(mine, home)
        assert done.received >= 14
        assert all(len(answer.facts) <= 4 for answer in home.answered if isinstance(answer, messages.States))
        up, down = home.told()
        assert len(up) == len({*up})
        assert {*down}.isdisjoint(bodies[15:20])
        assert same(mine, home.library)

    def test_a_device_that_is_restored_or_copied_needs_no_healing(self, hers: Library, home: Home) -> None:
        """What it knows of the server is as old as what it holds."""
        with closing(empty_library()) as device, closing(empty_library()) as older:
            for library in (device, older):
                keep(library, *HIS, import_of(1, "clippings", HIS))
                met(library, home)
            met(hers, home)
            keep(device, edit(9, HIS[0].id, "note", "lost with the device, kept by the server"))
            met(device, home)
            done = met(older, home)
            assert (done.healed, done.anew) == (0, False)
            assert same(device, older, home.library)


class TestWithholding:
    """What a reader keeps to himself."""

    NOTE = edit(50, HIS[0].id, "note", "private words")

    def test_notes_that_are_withheld_do_not_travel(self, mine: Library, home: Home) -> None:
        """In neither direction, and both are equal in the rest."""
        others = edit(51, HIS[1].id, "note", "of somebody else")
        keep(mine, self.NOTE)
        keep(home.library, others)
        met(mine, home, NOTES)
        assert "private words" not in json.dumps(held(home.library))
        assert "of somebody else" not in json.dumps(held(mine))
        assert set(held(mine)) - set(held(home.library)) == {self.NOTE.id}

    def test_what_is_released_travels_then(self, mine: Library, home: Home) -> None:
        """By digests, and the round says why they differed."""
        keep(mine, self.NOTE)
        met(mine, home, NOTES)
        met(mine, home, NOTES)
        done = met(mine, home)
        assert (done.released, done.sent) == (True, 1)
        assert same(mine, home.library)
        assert not met(mine, home).released

    def test_what_a_round_passed_over_before_it_broke_off_is_known_to_be_released(
        self, mine: Library, home: Home
    ) -> None:
        """Cursors went on while it was withheld, though the round never came to its end."""
        keep(home.library, self.NOTE)

        def unplug(question: Question) -> None:
            if isinstance(question, Push):
                raise OfflineError("The server cannot be reached.")

        met(mine, home)
        keep(home.library, edit(51, HIS[1].id, "note", "passed over"))
        keep(mine, edit(52, HIS[2].id, "color", "blue"))
        home.meddle = unplug
        with pytest.raises(OfflineError):
            sync(mine, "home", home.ask, NOTES)
        home.meddle = lambda _: None
        done = met(mine, home)
        assert (done.released, done.healed) == (True, 1)
        assert same(mine, home.library)
        assert not met(mine, home).released

    def test_what_the_server_refuses_to_hold_stays_here(self, mine: Library, home: Home) -> None:
        """Whatever the device would send."""
        home.refuse(HIGHLIGHTS)
        keep(mine, self.NOTE)
        assert met(mine, home).refused == 0
        assert not any("His words" in body for body in home.told()[0])
        assert set(held(home.library)) == {self.NOTE.id, import_of(1, "clippings", HIS).id}
        answer = Desk(home.library).answer(Push(home.epoch, [messages.Raw(wire.encode(HIS[0]).encode())]), NOW)
        assert isinstance(answer, Pushed)
        assert [(each.id, each.code) for each in answer.refused] == [(HIS[0].id, "withheld")]

    def test_what_was_refused_in_the_middle_of_a_round_travels_when_it_is_taken_again(
        self, mine: Library, home: Home
    ) -> None:
        """A wish of that moment is not remembered as a property of the facts."""

        def change_of_mind(question: Question) -> None:
            home.refuse(HIGHLIGHTS if isinstance(question, Push) else NOTHING)

        home.meddle = change_of_mind
        sync(mine, "home", home.ask)
        assert len(held(home.library)) == 1
        home.meddle = lambda _: None
        home.refuse(NOTHING)
        met(mine, home)
        assert same(mine, home.library)

    def test_what_the_owner_wants_erased_is_gone_from_there_and_stays_here(
        self, mine: Library, hers: Library, home: Home
    ) -> None:
        """Every device keeps what it has, nobody brings it back, and cursors begin anew."""
        keep(mine, self.NOTE)
        for library in (mine, hers, mine):
            met(library, home)
        epoch = home.epoch
        assert home.refuse(HIGHLIGHTS | NOTES) == len(HIS) + len(HERS) + 1
        assert home.epoch != epoch
        assert not any("words" in body for body in home.library.facts.bodies())
        assert [*home.library.shelf.highlights(Filter())] == []
        for library in (mine, hers):
            before = held(library)
            met(library, home)
            assert held(library) == before
        assert not any("words" in body for body in home.library.facts.bodies())

    def test_a_restored_server_learns_of_its_owners_wish_again(self, mine: Library, home: Home) -> None:
        """From any device that has met it since; a wish that is older than its own, or after which none could be, is
        none."""
        met(mine, home)
        home.refuse(HIGHLIGHTS, "2020-01-01T00:00:00.000Z")
        met(mine, home)
        home.library = MemoryLibrary()
        keep(home.library, *HIS, import_of(1, "clippings", HIS))
        assert met(mine, home).refuses == HIGHLIGHTS
        assert not any("words" in body for body in home.library.facts.bodies())
        home.refuse(NOTHING, "2021-01-01T00:00:00.000Z")
        assert met(mine, home).refuses == NOTHING
        assert same(mine, home.library)
        for at in ("2020-06-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z", "2", "2024-13-01T00:00:00.000Z", "~"):
            hello = Hello((1, 1), 1, NOTHING, HIGHLIGHTS, at)
            answer = Desk(home.library).answer(hello, NOW)
            assert isinstance(answer, messages.Welcome)
            assert answer.refuses == NOTHING
        assert same(mine, home.library)
        home.refuse(NOTES, "2022-01-01T00:00:00.000Z")  # whatever was said there can be followed by something else

    def test_a_wish_holds_though_the_servers_clock_fell_back(self, mine: Library, home: Home) -> None:
        """It came back on a machine that does not know what time it is."""
        home.refuse(HIGHLIGHTS, "2031-01-01T00:00:00.000Z")
        met(mine, home)
        home.library = MemoryLibrary()
        assert met(mine, home).refuses == HIGHLIGHTS
        assert not any("words" in body for body in home.library.facts.bodies())
        assert wishes.refuses(home.library) == HIGHLIGHTS

    def test_what_the_owner_wished_last_does_not_go_to_a_server_that_does_not_heed_it(
        self, mine: Library, home: Home
    ) -> None:
        """The device remembers it for both."""
        home.refuse(HIGHLIGHTS)
        met(mine, home)
        home.library = MemoryLibrary()
        ask = home.ask

        def deaf(question: Question) -> Answer:
            if isinstance(question, Hello):
                question = Hello(question.protocol, question.fold, question.withheld)
            return ask(question)

        for _ in range(2):
            done = sync(mine, "home", deaf)
            assert (done.equal, done.refuses) == (True, HIGHLIGHTS)
        assert not any("words" in body for body in home.library.facts.bodies())
        assert met(mine, home).refuses == HIGHLIGHTS

    def test_a_wish_is_remembered_though_a_round_breaks_off_at_a_server_that_forgot_it(
        self, mine: Library, home: Home
    ) -> None:
        """Nothing of it is lost with the cursors."""
        home.refuse(HIGHLIGHTS)
        met(mine, home)

        def unplug(question: Question) -> None:
            if not isinstance(question, Hello):
                raise OfflineError("The server cannot be reached.")

        home.meddle = unplug
        for _ in range(2):
            home.library = MemoryLibrary()
            with pytest.raises(OfflineError):
                met(mine, home)
        home.library = MemoryLibrary()
        home.meddle = lambda _: None
        assert met(mine, home).refuses == HIGHLIGHTS

    def test_a_later_wish_is_later_whatever_the_clock_says(self, mine: Library, home: Home) -> None:
        """A clock that fell back brings no earlier wish in force again."""
        met(mine, home)
        home.refuse(NOTHING, "2024-01-01T12:00:00.000+00:00")
        met(mine, home)
        home.refuse(NOTES, "2024-01-01T10:00:00.000+00:00")
        assert met(mine, home).refuses == NOTES
        assert wishes.wish(home.library).wished == "2024-01-01T12:00:00.001Z"

    def test_what_was_dropped_leaves_no_trace_though_somebody_read_at_that_moment(
        self, mine: Library, tmp_path: Path
    ) -> None:
        """Not even of what had been set aside as rotten; at the latest ten minutes later, with a hello."""
        path = tmp_path / "home.db"
        with closing(open_library(path)) as library, closing(sqlite3.connect(path)) as db:
            home = Home(library)
            keep(mine, self.NOTE, edit(70, HIS[2].id, "note", "a thought that rots"))
            met(mine, home)
            with db:
                db.execute("UPDATE facts SET body = replace(body, 'that rots', 'that rotz') WHERE type = 'edit'")
            assert sum(mend(library)) == 1
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM facts").fetchone()
            home.refuse(NOTES)
            db.execute("COMMIT")
            db.close()
            home.now += timedelta(minutes=11)
            met(mine, home)
            library.close()
        said = b"".join(each.read_bytes() for each in tmp_path.glob("home.db*"))
        assert b"that rot" not in said
        assert self.NOTE.value.encode() not in said

    @pytest.mark.parametrize("here", ["server", "device"])
    def test_what_somebody_else_erased_leaves_no_trace_either(self, mine: Library, tmp_path: Path, here: str) -> None:
        """On a server, or on another device: who empties a trash empties it everywhere."""
        path = tmp_path / "other.db"
        with closing(open_library(path)) as other:
            home = Home(other if here == "server" else MemoryLibrary())
            met(mine, home)
            if here == "device":
                met(other, home)
            keep(mine, skeleton(HIS[7]))
            met(mine, home)
            if here == "device":
                met(other, home)
            traces.scrub(other, NOW)
            assert held(other)[HIS[7].id] == held(mine)[HIS[7].id]
        said = b"".join(each.read_bytes() for each in tmp_path.glob("other.db*"))
        assert b"His words 8" not in said
        assert b"His words 9" in said


class TestRot:
    """A body that is not what arrived."""

    def test_what_rotted_is_fetched_anew(self, mine: Library, home: Home, tmp_path: Path) -> None:
        """From whoever has it whole. Until then it is not sent, and shown if it can be read, or else kept aside."""
        met(mine, home)
        with closing(open_library(tmp_path / "rots.db")) as rots, closing(sqlite3.connect(tmp_path / "rots.db")) as db:
            met(rots, home)
            whole = held(rots)
            with db:
                db.execute("UPDATE facts SET body = replace(body, 'His words 1', 'His w?rds 1') WHERE type = 'record'")
            spoilt = {whole[id_] for id_, body in held(rots).items() if whole[id_] != body} | {whole[HIS[3].id]}
            with db:
                db.execute("UPDATE facts SET body = '{' WHERE id = ?", (HIS[3].id,))
            assert len(spoilt) > 2
            assert mend(rots) == rots.facts.rotten() == (len(spoilt) - 1, 1)
            assert mend(rots) == (0, 0)
            assert held(rots).keys() == whole.keys() - {HIS[3].id}
            assert "His w?rds 1" in json.dumps([*held(rots).values()])
            home.told()
            assert met(rots, home).healed > 0
            up, down = home.told()
            assert (up, set(down)) == ([], spoilt)
            assert mend(rots) == rots.facts.rotten() == (0, 0)
            assert same(rots, home.library, mine)

    def test_what_nobody_else_has_stops_nothing(self, mine: Library, home: Home, tmp_path: Path) -> None:
        """It stays aside; what is written next goes out all the same, though its number was another's."""
        met(mine, home)
        with closing(open_library(tmp_path / "rots.db")) as rots, closing(sqlite3.connect(tmp_path / "rots.db")) as db:
            met(rots, home)
            own = edit(60, HIS[0].id, "note", "known to nobody else")
            keep(rots, own)
            with rots.transaction():
                rots.peers.keep("home", rots.peers.progress("home")._replace(pushed=rots.facts.head()))
            with db:
                db.execute("UPDATE facts SET body = '{' WHERE id = ?", (own.id,))
            assert sum(mend(rots)) == 1
            following = edit(61, HIS[1].id, "note", "written next")
            keep(rots, following)
            met(rots, home)
            assert following.id in held(home.library)
            assert db.execute("SELECT id FROM rotten").fetchall() == [(own.id,)]
            assert same(rots, home.library)

    def test_a_sound_library_loses_nothing_by_being_looked_at(self, mine: Library, home: Home) -> None:
        """Whatever store it is in, and its numbers go on."""
        met(mine, home)
        epoch = home.epoch
        assert not any(mend(home.library))
        assert home.epoch == epoch
        assert same(mine, home.library)


class TestRefusal:
    """What cannot be kept there is kept here, and stops nothing."""

    def test_of_too_many_edits_of_one_thing_some_stay_here(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each new one would be folded with all others. What is there already is taken again, and what is said of other
        things travels."""
        monkeypatch.setattr(messages, "EDITS", 20)
        keep(mine, *(edit(1_000 + n, HIS[0].id, "note", f"thought {n}") for n in range(15)))
        assert met(mine, home).refused == 0
        keep(
            mine,
            *(edit(2_000 + n, HIS[0].id, "note", f"thought {n}") for n in range(15)),
            edit(9, HIS[1].id, "note", "x"),
        )
        assert met(mine, home).refused == 10
        assert met(mine, home).refused == 0
        assert len(home.library.facts.edits([HIS[0].id])) == 20
        assert len(home.library.facts.edits([HIS[1].id])) == 1
        raws = [messages.Raw(body.encode()) for body in mine.facts.named([made_id(1_000 + n) for n in range(15)])]
        answer = Desk(home.library).answer(Push(home.epoch, raws), NOW)
        assert isinstance(answer, Pushed)
        assert answer.refused == []

    def test_an_edit_that_names_too_much_as_seen_stays_here(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No person has seen so much."""
        monkeypatch.setattr(messages, "FACT_SEEN", 20)
        seen = edit(9, HIS[0].id, "note", "x", [made_id(5_000 + n) for n in range(21)])
        keep(mine, seen, edit(10, HIS[0].id, "note", "x", [made_id(5_000 + n) for n in range(20)]))
        assert met(mine, home).refused == 1
        assert set(held(mine)) - set(held(home.library)) == {seen.id}

    def test_a_fact_that_is_too_long_is_refused_once(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is sent no second time, shown here, and both count as equal; a lesser state of it travels again."""
        monkeypatch.setattr(messages, "FACT_BYTES", 3_000)
        long = edit(60, HIS[0].id, "note", "long " * 1_000)
        last = edit(61, HIS[1].id, "note", "short")
        keep(mine, long, last)
        done = met(mine, home)
        assert (done.refused, set(held(mine)) - set(held(home.library))) == (1, {long.id})
        home.told()
        assert met(mine, home).refused == 0
        assert home.told() == ([], [])
        near = edit(60 + 256, HIS[2].id, "note", "in the same bucket, and unknown to any cursor")
        keep(home.library, near)
        with mine.transaction():
            mine.peers.keep("home", mine.peers.progress("home")._replace(pulled=home.library.facts.head()))
        assert (met(mine, home).healed, home.told()) == (1, ([], [wire.encode(near)]))
        keep(mine, replace(long, value=None, erased=True))
        assert met(mine, home).refused == 0
        assert same(mine, home.library)

    def test_what_was_refused_and_is_there_all_the_same_counts_as_there(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that takes more by now has it from another device."""
        long = edit(60, HIS[0].id, "note", "long " * 1_000)
        keep(mine, long)
        with monkeypatch.context() as patch:
            patch.setattr(messages, "FACT_BYTES", 3_000)
            assert met(mine, home).refused == 1
        keep(home.library, long)
        assert met(mine, home).equal
        assert met(mine, home).healed == 0
        assert same(mine, home.library)

    def test_what_no_message_holds_is_not_sent_and_keeps_nothing_else_back(self, mine: Library, home: Home) -> None:
        """As long as an importer takes, in a script of which each letter is three bytes."""
        long = replace(HIS[0], id=made_id(5), text="漢" * 1_000_000)
        keep(mine, long, import_of(3, "clippings", [long]), edit(9, HIS[1].id, "note", "behind it"))
        assert met(mine, home).refused == 1
        assert all(len(messages.encode(q)) < messages.MESSAGE_BYTES for q in home.asked)
        assert set(held(mine)) - set(held(home.library)) == {long.id}
        home.told()
        assert met(mine, home).refused == 0
        assert home.told() == ([], [])
        with mine.transaction():
            mine.peers.forget("home")
        assert met(mine, home).refused == 1

    def test_a_fact_that_holds_too_much_inside_each_other_stays_here(self, mine: Library, home: Home) -> None:
        """Whoever reads it would call himself as often. Brackets in a text are none."""
        deep, flat, said = (
            f'{{"type":"star","id":"{made_id(70)}","a":{"[" * messages.DEPTH}{"]" * messages.DEPTH}}}',
            f'{{"type":"star","id":"{made_id(71)}","a":{"[" * (messages.DEPTH - 1)}{"]" * (messages.DEPTH - 1)}}}',
            f'{{"type":"star","id":"{made_id(72)}","a":"{"[" * 999}\\"{"{" * 999}","b":[{"[{}]," * 99}1]}}',
        )
        raws = [messages.Raw(body.encode()) for body in (deep, flat, said)]
        answer = Desk(home.library).answer(Push(home.epoch, raws), NOW)
        assert isinstance(answer, Pushed)
        assert answer.refused == [messages.Refused(made_id(70), "too_deep")]
        with mine.transaction():
            mine.facts.add_raw([deep])
        assert met(mine, home).refused == 1
        assert sorted(set(held(home.library)) - set(held(mine))) == []
        assert made_id(70) not in held(home.library)

    @pytest.mark.parametrize("other", ['"1.2"', "[]", "null", "-1", "1.5", "{}", "true", "9" * 99])
    @pytest.mark.parametrize("field", ["revision", "certainty", "erased"])
    def test_a_kind_that_is_yet_unknown_may_say_anything_in_its_own_way(
        self, mine: Library, home: Home, field: str, other: str
    ) -> None:
        """Of two such states both keep the same, and what is sent twice arrives once."""
        one, two = (f'{{"type":"review","id":"{made_id(70)}","{field}":{each}}}' for each in (other, '"x"'))
        for library, bodies in ((mine, [one, two]), (home.library, [two, two, one])):
            for body in bodies:
                with library.transaction():
                    library.facts.add_raw([body])
        assert met(mine, home).equal
        assert same(mine, home.library)
        head = home.library.facts.head()
        with home.library.transaction():
            assert home.library.facts.add_raw([held(mine)[made_id(70)]]) == 0
        assert home.library.facts.head() == head

    @pytest.mark.parametrize(
        ("bound", "most"), [("EDITS_NAME", 95), ("EDITS_BYTES", 3_500)], ids=["what they name", "their bytes"]
    )
    def test_edits_of_one_thing_have_a_bound_in_all(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
    ) -> None:
        """What all of them name as seen, and their length: each new one is folded with all others."""
        monkeypatch.setattr(messages, bound, most)
        seen = [made_id(5_000 + n) for n in range(10)]
        for first in (0, 5, 10):
            keep(mine, *(edit(1_000 + n, HIS[0].id, "note", "x", seen) for n in range(first, first + 5)))
            met(mine, home)
        held_there = home.library.facts.edited([HIS[0].id])[HIS[0].id]
        assert held_there.edits < 10
        assert min(most - held_there.names if bound == "EDITS_NAME" else most - held_there.size, 0) == 0
        raws = [messages.Raw(wire.encode(each).encode()) for each in home.library.facts.edits([HIS[0].id])]
        answer = Desk(home.library).answer(Push(home.epoch, raws), NOW)
        assert isinstance(answer, Pushed)
        assert answer.refused == []
        keep(mine, edit(9, HIS[1].id, "note", "of another one", seen[:9]))
        assert met(mine, home).refused == 0

    def test_another_server_is_offered_what_the_one_before_refused(
        self, mine: Library, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may take more."""
        long = edit(60, HIS[0].id, "note", "long " * 1_000)
        keep(mine, long)
        with monkeypatch.context() as patch:
            patch.setattr(messages, "FACT_BYTES", 3_000)
            assert met(mine, home).refused == 1
        with closing(empty_library()) as other:
            home.library = other
            met(mine, home)
            assert same(mine, other)

    @pytest.mark.parametrize(
        "fact", ['{"type":"edit"}', "[]", '{"type":"edit","id":"../../etc"}', '"x"', '{"id":"' + made_id(1) + '"}']
    )
    def test_what_is_no_fact_is_an_error_and_nothing_is_kept(self, home: Home, fact: str) -> None:
        """Not even what came with it."""
        raws = [messages.Raw(body.encode()) for body in (wire.encode(HIS[0]), fact)]
        with pytest.raises(WireError):
            Desk(home.library).answer(Push(home.epoch, raws), NOW)
        assert held(home.library) == {}

    def test_a_question_of_another_epoch_changes_nothing(self, home: Home) -> None:
        """The server was restored in the middle of a round."""
        for question in (
            Push("e0", [messages.Raw(wire.encode(HIS[0]).encode())]), Pull("e0", 3), messages.Compare("e0", 2),
            messages.AskStates("e0", ["00"]), messages.Fetch("e0", [HIS[0].id]),
        ):  # fmt: skip
            with pytest.raises(MovedError):
                Desk(home.library).answer(question, NOW)
            assert held(home.library) == {}

    @pytest.mark.parametrize(("protocol", "older"), [((0, 0), "your kindlehl"), ((2, 9), "the server")])
    def test_versions_that_do_not_understand_each_other_say_which_is_too_old(
        self, home: Home, protocol: tuple[int, int], older: str
    ) -> None:
        """Before anything is exchanged."""
        with pytest.raises(UpgradeError) as told:
            Desk(home.library).answer(Hello(protocol, 3), NOW)
        assert told.value.hint == f"Update {older}."

    def test_buckets_of_two_sizes_are_not_asked_for_together(self, home: Home) -> None:
        """They would not be found."""
        with pytest.raises(WireError):
            Desk(home.library).answer(messages.AskStates(home.epoch, ["00", "0000"]), NOW)


class TestBrokenServer:
    """A server that answers nonsense is an error, and no endless loop."""

    @pytest.mark.parametrize(
        "answers",
        [
            [Page([], 0, 0)],
            [Welcome(1, 3, "e1", 9, "", 0, ""), Page([], 0, 9)],
            [Welcome(1, 3, "e1", 9, "", 0, ""), Pushed(0, 0, "")],
            [Welcome(1, 3, "e1", 9, "", 0, ""), Page([messages.Raw(b"{}")], 9, 9)],
            [Welcome(1, 3, "e1", 0, "x", 0, ""), Pushed(0, 1, "x"), messages.Digests(1, {"zz": "0"}),
             messages.States(0, {})],
            [Welcome(1, 3, "e1", 0, "x", 0, ""), Pushed(0, 1, "x"), messages.Digests(1, {"ff": "0"}),
             messages.States(1, {made_id(255): "0"}), Page([messages.Raw(STRANGE.encode())], 1, 1)],
        ],
        ids=["another answer", "no end", "a push for a pull", "no fact", "no states", "other facts"],
    )  # fmt: skip
    def test_it_is_told_and_nothing_is_lost(self, mine: Library, answers: Sequence[Answer]) -> None:
        """What was here is here."""
        before = held(mine)
        said = iter(answers)
        with pytest.raises(KindlehlError):
            sync(mine, "home", lambda _: next(said))
        assert held(mine) == before

    def test_digests_that_never_agree_end_the_round(self, mine: Library, home: Home) -> None:
        """It says that both are not equal."""
        ask = home.ask

        def lying(question: Question) -> Answer:
            answer = ask(question)
            if isinstance(answer, Welcome | Pushed):
                answer.digest = "0" * 16
            if isinstance(answer, messages.Digests):
                answer.buckets = {}
            return answer

        assert not sync(mine, "home", lying).equal


def test_the_clock_of_a_library_goes_on_from_what_it_has_seen(mine: Library, hers: Library, home: Home) -> None:
    """An edit made after a round comes after all that came with it."""
    keep(hers, edit(1_000_000, HERS[0].id, "note", "later"))
    met(hers, home)
    met(mine, home)
    assert mine.facts.greatest_stamp() == 1_000_000
    assert isinstance(mine.facts.edits([HERS[0].id])[0], Edit)


def test_the_digests_of_every_bucket_fit_a_message() -> None:
    """A library of millions fills all of them."""
    every = messages.Digests(1 << 40, {f"{bucket:04x}": "f" * 16 for bucket in range(1 << 16)})
    assert len(messages.encode(every)) < messages.MESSAGE_BYTES
    page = messages.PAGE_BYTES + messages.FACT_BYTES + 4_096
    assert page < messages.MESSAGE_BYTES
