"""The contract of a library whose disk does not keep what it was given: what is damaged never travels, nothing that can
be read vanishes, and whoever has it whole brings it back."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.histories import edit, import_of, keep, made_id, picture, record
from support.rot import body_of, rots

from kindlehl import wire
from kindlehl.domain.erasure import skeleton
from kindlehl.domain.errors import CorruptLibraryError, MovedError
from kindlehl.domain.facts import Fact
from kindlehl.domain.withholding import HIGHLIGHTS, NOTES
from kindlehl.ports import Filter, Library, Rotten
from kindlehl.services.sync import mending
from kindlehl.services.sync import round as rounds
from kindlehl.services.sync.answering import Desk
from kindlehl.services.sync.mending import mend
from kindlehl.services.sync.round import Done, sync
from kindlehl.store.library import empty_library, open_library
from kindlehl.wire import messages
from kindlehl.wire.messages import Answer, Question

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
FOXES = [record("highlight", "Tale (Dickens, Charles)", f"The brown fox {n}", n, 1, n, False) for n in range(1, 9)]
FOX = FOXES[0]
NOTE = edit(50, FOX.id, "note", "so true")


@dataclass
class Wire:
    """To a library that answers."""

    library: Library

    def ask(self, question: Question) -> Answer:
        """As bytes both ways."""
        answer = Desk(self.library).answer(messages.decode_question(messages.encode(question)), NOW)
        return messages.decode_answer(messages.encode(answer))


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    if request.param == "postgresql":
        with request.getfixturevalue("somebodys")() as held:
            yield held
        return
    with closing(open_library(tmp_path / "home.db")) as library:
        yield library


@pytest.fixture
def mine(home: Library) -> Iterator[Library]:
    """A device that has what the server has."""
    with closing(empty_library()) as library:
        keep(library, *FOXES, import_of(1, "clippings", FOXES), NOTE)
        assert met(library, home).equal
        yield library


@pytest.fixture
def new() -> Iterator[Library]:
    """A device that has nothing yet."""
    with closing(empty_library()) as library:
        yield library


def met(library: Library, home: Library, withheld: int = 0) -> Done:
    """A round; another one where the server's library became another meanwhile."""
    try:
        return sync(library, "home", Wire(home).ask, withheld)
    except MovedError:
        return sync(library, "home", Wire(home).ask, withheld)


def bodies(library: Library) -> set[str]:
    return {*library.facts.bodies()}


def texts(library: Library) -> list[str]:
    return sorted(h.text for h in library.shelf.highlights(Filter()))


def flips(library: Library, fact: Fact = FOX) -> str:
    """One letter of a fact; its body now."""
    body = body_of(library, fact.id).replace("brown", "brxwn").replace("so true", "so trxe")
    rots(library, fact.id, body)
    return body


class TestOnTheServer:
    """Where many devices meet."""

    @pytest.mark.parametrize("fact", [FOX, NOTE])
    def test_what_is_damaged_reaches_nobody_and_is_sent_again(
        self, home: Library, mine: Library, new: Library, fact: Fact
    ) -> None:
        """Whoever comes first, and however great the hash of what a disk made of it."""
        whole, shown = bodies(mine), picture(mine)
        flips(home, fact)
        assert met(new, home).equal
        assert bodies(new) == whole - {wire.encode(fact)}
        done = met(mine, home)
        assert (done.equal, done.sent, done.received) == (True, 1, 0)
        assert met(new, home).equal
        assert bodies(mine) == bodies(home) == bodies(new) == whole
        assert picture(mine) == picture(home) == picture(new) == shown
        assert home.facts.rotten() == (0, 0)

    @pytest.mark.parametrize("broken", ["{", '{"type":"record","id":"' + FOX.id, wire.encode(FOXES[1]), "null", ""])
    def test_what_says_nothing_any_more_stops_nobody(
        self, home: Library, mine: Library, new: Library, broken: str
    ) -> None:
        """Or says it of another one."""
        rots(home, FOX.id, broken)
        assert met(new, home).equal
        assert bodies(new) == bodies(mine) - {wire.encode(FOX)} == bodies(home)
        assert home.facts.rotten() == (0, 1)
        assert met(mine, home).sent == 1
        assert home.facts.rotten() == (0, 0)
        assert picture(home) == picture(mine)

    def test_what_is_asked_for_by_its_id_is_looked_at_as_well(self, home: Library, mine: Library, new: Library) -> None:
        """Both hold something, so the round begins with digests and fetches what differs."""
        keep(new, *FOXES[3:])
        flips(home)
        done = met(new, home)
        assert done.equal
        assert wire.encode(FOX) not in bodies(new)
        assert "brxwn" not in "".join(bodies(new))

    def test_what_can_be_read_is_shown_until_it_comes_whole(self, home: Library, mine: Library) -> None:
        """Also where all is folded anew meanwhile: no client that is no replica would send it again."""
        damaged = flips(home)
        assert mend(home) == (1, 0)
        with home.transaction():
            home.shelf.rebuild()
        assert damaged in bodies(home)
        assert len(texts(home)) == len(FOXES)
        assert (mend(home), home.facts.rotten()) == ((0, 0), (1, 0))
        assert home.facts.digests(2) != mine.facts.digests(2)
        assert met(mine, home).equal
        assert home.facts.digests(2) == mine.facts.digests(2)

    def test_a_push_meets_what_is_damaged_and_goes_on(self, home: Library, mine: Library) -> None:
        """It touches the passage, whose record is none any more."""
        rots(home, FOX.id, "{")
        keep(mine, edit(51, FOX.id, "note", "and more"))
        assert met(mine, home).equal
        assert bodies(home) == bodies(mine)
        assert picture(home) == picture(mine)

    def test_a_better_state_takes_the_place_of_a_damaged_one_that_nobody_found(
        self, home: Library, mine: Library
    ) -> None:
        """And the digests tell of it alone."""
        flips(home)
        keep(mine, replace(FOX, text="The brown fox, read better", revision=2))
        assert met(mine, home).equal
        assert home.facts.digests(2) == mine.facts.digests(2)
        assert picture(home) == picture(mine)

    def test_a_lesser_state_brings_nothing_back_that_was_erased(self, home: Library, mine: Library) -> None:
        """The damaged skeleton is the best there is; it counts as whole then, and both are equal."""
        bare = skeleton(replace(FOX, length=len(FOX.text)))
        keep(home, bare)
        rots(home, FOX.id, body_of(home, FOX.id).replace('"length":', '"lengtx":'))
        assert mend(home) == (1, 0)
        assert met(mine, home).equal
        assert bodies(home) == bodies(mine)
        assert FOX.text not in texts(mine) + texts(home)

    def test_what_rotted_into_a_higher_revision_does_not_win(self, home: Library, mine: Library) -> None:
        """What its row says of it counts."""
        rots(home, FOX.id, body_of(home, FOX.id).replace('"revision":1', '"revision":9'))
        assert mend(home) == (1, 0)
        assert met(mine, home).equal
        assert wire.encode(FOX) in bodies(home)

    def test_what_is_dropped_is_dropped_though_it_is_damaged(self, home: Library, mine: Library) -> None:
        """By what it was part of."""
        flips(home, NOTE)
        assert mend(home) == (1, 0)
        with home.transaction():
            home.facts.drop(NOTES)
        assert home.facts.rotten() == (0, 0)
        assert home.facts.digests(2) == mine.facts.digests(2, NOTES)


class TestHere:
    """On a device, where the only copy may be."""

    @pytest.fixture
    def own(self, home: Library, tmp_path: Path) -> Iterator[Library]:
        """A device with a highlight and a note that nobody else has yet."""
        with closing(open_library(tmp_path / "own.db")) as library:
            keep(library, *FOXES, import_of(2, "clippings", FOXES), NOTE)
            yield library

    def test_what_is_damaged_is_not_sent_and_stops_nothing(self, home: Library, own: Library) -> None:
        """The round says so; what it is of is shown."""
        flips(own)
        done = met(own, home)
        assert (done.equal, done.damaged, done.sent) == (True, 1, len(FOXES) + 1)
        assert bodies(home) == bodies(own) - {body_of(own, FOX.id)}
        assert len(texts(own)) == len(FOXES)
        assert met(own, home).damaged == 0

    def test_somebody_who_writes_at_that_moment_is_no_hindrance(
        self, home: Library, own: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was read until damage was met is let go of, before it is seen to."""
        flips(own)
        with closing(open_library(tmp_path / "own.db")) as another:

            def meanwhile(library: Library) -> Rotten:
                keep(another, edit(80, FOX.id, "color", "blue"))
                return mend(library)

            monkeypatch.setattr(rounds, "mend", meanwhile)
            done = met(own, home)
        assert (done.equal, done.damaged) == (True, 1)

    def test_what_says_nothing_any_more_is_not_sent_and_stops_nothing(self, home: Library, own: Library) -> None:
        """What is written next, under a number that was another's, goes out all the same."""
        met(own, home)
        last = edit(60, FOX.id, "color", "blue")
        keep(own, last)
        rots(own, last.id, "{")
        done = met(own, home)
        assert (done.equal, done.damaged, own.facts.rotten()) == (True, 1, (0, 1))
        keep(own, edit(61, FOX.id, "color", "pink"))
        assert met(own, home).equal
        assert bodies(home) == bodies(own)

    def test_what_comes_meets_what_is_damaged_and_is_kept(self, home: Library, own: Library) -> None:
        """It touches the passage, whose record is none any more; the server has it whole."""
        met(own, home)
        keep(home, edit(70, FOX.id, "same", FOXES[1].id), edit(71, FOX.id, "note", "and more", [NOTE.id]))
        rots(own, FOX.id, "{")
        done = met(own, home)
        assert (done.equal, done.damaged, own.facts.rotten()) == (True, 1, (0, 0))
        assert bodies(own) == bodies(home)
        assert picture(own) == picture(home)

    def test_what_is_wrong_with_the_server_is_no_damage_here(self, own: Library, home: Library) -> None:
        """It is told as it was."""

        def broken(question: Question) -> Answer:
            if isinstance(question, messages.Push):
                raise CorruptLibraryError("The server’s disk is broken.")
            return Wire(home).ask(question)

        with pytest.raises(CorruptLibraryError, match="The server’s disk"):
            sync(own, "home", broken)

    def test_what_nobody_has_whole_is_kept_as_it_reads(self, home: Library, own: Library, new: Library) -> None:
        """If its owner wants that; then it travels as it is."""
        damaged = flips(own)
        assert met(own, home).equal
        assert mending.keep(own) == 1
        assert (own.facts.rotten(), mend(own)) == ((0, 0), (0, 0))
        assert met(own, home).sent == 1
        assert met(new, home).equal
        assert damaged in bodies(new) & bodies(own) & bodies(home)
        assert texts(new) == texts(own) == texts(home)
        assert "The brxwn fox 1" in texts(own)

    def test_what_the_server_was_not_asked_for_is_not_taken_for_whole(self, home: Library, own: Library) -> None:
        """It has it whole, and gives it once it is asked."""
        met(own, home)
        flips(own, NOTE)
        mend(own)
        done = met(own, home, NOTES)
        assert (done.equal, mending.keep(own, NOTES), own.facts.rotten()) == (True, 0, (1, 0))
        assert mending.keep(own, HIGHLIGHTS | NOTES) == 0
        met(own, home)
        assert wire.encode(NOTE) in bodies(own)
        assert own.facts.rotten() == (0, 0)

    def test_bytes_that_are_no_text_are_damage_like_any_other(self, home: Library, tmp_path: Path) -> None:
        """The highest bit of a letter flipped."""
        with closing(open_library(tmp_path / "own.db")) as own:
            keep(own, *FOXES, import_of(2, "clippings", FOXES))
            own._db.execute(
                "UPDATE facts SET body = CAST(replace(CAST(body AS BLOB), x'62726f776e', x'6272ef776e') AS TEXT) "
                "WHERE id = ?",
                (FOX.id,),
            )
            with pytest.raises(CorruptLibraryError), own.snapshot():
                own.facts.since(0, 99, 1 << 20)
            done = met(own, home)
            assert (done.equal, own.facts.rotten()) == (True, (0, 1))
            keep(own, FOX)
            assert own.facts.rotten() == (0, 0)


def test_only_what_a_page_holds_is_read(home: Library) -> None:
    """Long facts that are asked for by the hundred."""
    keep(home, *(edit(n, FOX.id, "note", f"{n} " + "x" * 1_000) for n in range(40)))
    rots(home, made_id(30), "{")
    with home.snapshot():
        named = home.facts.named([made_id(n) for n in range(40)])
        assert len([next(named) for _ in range(5)]) == 5
        del named
    assert len(home.facts.since(0, 99, 5_000).bodies) == 4
