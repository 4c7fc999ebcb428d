"""The contract of the `Library` port, run on every store. The memory store folds from scratch and is the reference."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import reduce
from itertools import permutations
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.histories import deletion, edit, import_of, keep, made_id, picture, record, records

from kindlehl import wire
from kindlehl.domain.effects import Effects
from kindlehl.domain.erasure import skeleton, skeleton_of_edit
from kindlehl.domain.facts import Edit, Fact, Import, Record
from kindlehl.domain.withholding import HIGHLIGHTS, NOTES, NOTHING
from kindlehl.ports import Edited, Filter, Library, Progress, Query, Term, Words
from kindlehl.store.library import empty_library, open_library
from kindlehl.store.memory import MemoryLibrary

SOURCES = ("clippings", "clippings:G1", "clippings:G2")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    if request.param == "postgresql":
        with request.getfixturevalue("somebodys")() as held:
            yield held
        return
    lib = MemoryLibrary() if request.param == "memory" else open_library(tmp_path / "library.db")
    yield lib
    lib.close()


def shown(library: Library) -> list[str]:
    return [h.text for h in library.shelf.highlights(Filter())]


BEST = record("highlight", "Tale (Dickens, Charles)", "It was the best of times", 5, 1, 1, False)
LONG = record(
    "highlight", "Tale (Dickens, Charles)", "It was the best of times, it was the worst of times", 5, 2, 2, False
)
WORST = record("highlight", "Tale (Dickens, Charles)", "it was the worst of times", 6, 1, 3, False)


FORGED = (
    import_of(5, "clippings", [WORST]),
    import_of(5, "clippings:G1", [BEST, WORST]),
    edit(5, BEST.id, "note", "one thing"),
    edit(5, WORST.id, "note", "another"),
    edit(5, BEST.id, "color", "blue", [made_id(8)]),
    edit(5, made_id(9), "withdrawn", True),
    replace(WORST, id=made_id(5)),
    replace(LONG, id=made_id(5), raw_title="Another (Somebody)", kind="note", text="said", revision=2),
)
"""Facts of one id that say different things."""
FORGED_AS = {wire.encode(fact): f"{type(fact).__name__.lower()}{number}" for number, fact in enumerate(FORGED)}


class TestFacts:
    """What a library is."""

    def test_a_fact_that_is_added_twice_is_there_once(self, library: Library) -> None:
        """The second time nothing advances, and nothing is shown twice."""
        facts = [BEST, import_of(1, "clippings", [BEST])]
        with library.transaction():
            assert library.facts.add(facts) == 2
            assert library.facts.add(facts) == 0
            library.shelf.settle()
        assert shown(library) == [BEST.text]
        assert len(list(library.facts.bodies())) == 2

    def test_of_two_states_the_higher_revision_is_kept_whatever_comes_first(self, library: Library) -> None:
        """A better parser repairs what an older one misread, without a second highlight."""
        better = replace(BEST, text="It was the best of times.", revision=2)
        keep(library, better, import_of(1, "clippings", [BEST]))
        keep(library, BEST)
        assert shown(library) == [better.text]

    @pytest.mark.parametrize(
        ("first", "second"), [*permutations(FORGED, 2)], ids=lambda fact: FORGED_AS[wire.encode(fact)]
    )
    def test_one_id_under_two_facts_is_one_fact_whatever_comes_first(
        self, library: Library, first: Fact, second: Fact
    ) -> None:
        """Only a forger writes them; who holds the same facts still shows the same."""
        keep(library, BEST, WORST, edit(8, WORST.id, "note", "known"), import_of(9, "clippings", [BEST]))
        keep(library, first)
        keep(library, second)
        reference = MemoryLibrary()
        keep(
            reference, BEST, WORST, second, first, edit(8, WORST.id, "note", "known"), import_of(9, "clippings", [BEST])
        )
        assert {*library.facts.bodies()} == {*reference.facts.bodies()}
        assert picture(library) == picture(reference)
        before = picture(library)
        with library.transaction():
            library.shelf.rebuild()
        assert picture(library) == before

    def test_edits_are_counted_by_what_they_are_of(self, library: Library) -> None:
        """Of what has none, nothing is said."""
        keep(
            library,
            BEST,
            edit(1, BEST.id, "note", "a"),
            edit(2, BEST.id, "color", "blue"),
            edit(3, LONG.id, "note", "b"),
            edit(4, BEST.id, "note", "ç", [made_id(1), made_id(9), made_id(9)]),
            edit(5, BEST.id, "deleted", True, covers=(BEST.id, WORST.id)),
        )
        size = sum(len(wire.encode(each).encode()) for each in library.facts.edits([BEST.id]))
        assert dict(library.facts.edited([BEST.id, WORST.id])) == {BEST.id: Edited(4, 4, size)}

    def test_what_is_dropped_is_as_though_it_had_never_come(self, library: Library) -> None:
        """By class, with its digests, and with what it folded to once that is made anew."""
        keep(library, BEST, import_of(1, "clippings", [BEST]))
        alone, digests = picture(library), dict(library.facts.digests(2))
        keep(library, edit(2, BEST.id, "note", "a thought"))
        with library.transaction():
            assert library.facts.drop(NOTES) == 1
            library.shelf.rebuild()
        assert picture(library) == alone
        assert dict(library.facts.digests(2)) == digests
        with library.transaction():
            assert library.facts.drop(HIGHLIGHTS) == 1
            library.shelf.rebuild()
        assert shown(library) == []

    def test_a_record_that_arrives_after_its_import_is_shown(self, library: Library) -> None:
        """Sync may bring the list before what it lists."""
        keep(library, import_of(1, "clippings", [BEST]))
        assert shown(library) == []
        keep(library, BEST)
        assert shown(library) == [BEST.text]

    def test_a_record_that_no_import_lists_is_not_shown(self, library: Library) -> None:
        """Presence is a fact of its own."""
        keep(library, BEST)
        assert shown(library) == []

    def test_an_import_that_is_withdrawn_takes_its_records_away_and_another_brings_them_back(
        self, library: Library
    ) -> None:
        """Undo of an import; importing again is a new wish."""
        first = import_of(1, "clippings", [BEST])
        keep(library, BEST, first)
        keep(library, edit(2, first.id, "withdrawn", True))
        assert shown(library) == []
        keep(library, import_of(3, "clippings", [BEST]))
        assert shown(library) == [BEST.text]

    def test_a_withdrawn_record_stays_where_another_import_or_an_edit_holds_it(self, library: Library) -> None:
        """What another device imported too, or somebody edited, stays."""
        first = import_of(1, "clippings", [BEST, WORST])
        keep(library, BEST, WORST, first, import_of(2, "clippings:G1", [BEST]), edit(3, WORST.id, "color", "blue"))
        keep(library, edit(4, first.id, "withdrawn", True))
        assert sorted(shown(library)) == sorted([BEST.text, WORST.text])

    def test_standing_tells_live_here_and_erased_apart(self, library: Library) -> None:
        """What an import asks before it lists a record."""
        gone = skeleton(WORST)
        keep(library, BEST, gone, import_of(1, "clippings", [BEST]))
        standing = library.facts.standing([BEST.id, WORST.id, LONG.id], "clippings:G1")
        assert standing[BEST.id] == (True, False, False, 1, 0)
        assert standing[WORST.id] == (False, False, True, 1, 0)
        assert LONG.id not in standing
        assert library.facts.standing([BEST.id], "clippings")[BEST.id].here

    @pytest.mark.parametrize("at", ["2024-01-01T09:00:00", "2024-03-01T09:00:00", None])
    def test_how_far_a_source_has_come_follows_a_better_reading_of_its_records(
        self, library: Library, at: str | None
    ) -> None:
        """A date that a better parser reads otherwise is not remembered as it was."""
        keep(library, BEST, LONG, import_of(1, "clippings", [BEST, LONG]))
        assert library.facts.reached("2025") == {"clippings": LONG.at}
        keep(library, replace(LONG, revision=9, at=at))
        assert library.facts.reached("2025") == {"clippings": max(at or "", BEST.at or "")}

    def test_words_are_found_in_the_trash_and_in_hidden_books_where_those_are_meant(self, library: Library) -> None:
        """And nowhere else."""
        keep(library, BEST, WORST, import_of(1, "clippings", [BEST, WORST]))
        keep(library, deletion(2, library, WORST.id, []), edit(3, BEST.atom, "hidden", True))
        words = Query((Words("times"),))
        assert not list(library.shelf.highlights(Filter(query=words)))
        assert [h.id for h in library.shelf.highlights(Filter(query=words, hidden_books=True))] == [BEST.id]
        assert [h.id for h in library.shelf.highlights(Filter(query=words, deleted=True))] == [WORST.id]

    def test_what_was_settled_is_not_counted_again(self, library: Library) -> None:
        """A page of a round may be settled in the middle of a transaction."""
        with library.transaction():
            library.facts.add([BEST, import_of(1, "clippings", [BEST])])
            library.shelf.settle()
            assert library.shelf.settle() == Effects()
        assert shown(library) == [BEST.text]

    def test_a_better_reading_is_nothing_new(self, library: Library) -> None:
        """A reader is not told of a highlight that she had."""
        keep(library, BEST, import_of(1, "clippings", [BEST]))
        assert keep(library, replace(BEST, text="It was the best of times.", revision=2)) == Effects()

    def test_what_only_an_edit_holds_is_still_of_its_source(self, library: Library) -> None:
        """Nobody else has listed it since."""
        listed = import_of(1, "clippings", [BEST])
        keep(library, BEST, listed, edit(2, BEST.id, "color", "blue"), edit(3, listed.id, "withdrawn", True))
        assert [h.source for h in library.shelf.highlights(Filter())] == ["clippings"]
        keep(library, import_of(4, "kobo", [BEST]))
        assert [h.source for h in library.shelf.highlights(Filter())] == ["kobo"]

    def test_a_fact_of_an_unknown_type_is_kept_untouched(self, library: Library) -> None:
        """What a newer kindlehl writes travels through this one."""
        body = f'{{"type":"star","id":"{made_id(9)}","points":[1,2]}}'
        with library.transaction():
            assert library.facts.add_raw([body]) == 1
            library.shelf.settle()
        assert list(library.facts.bodies()) == [body]

    def test_an_unknown_field_of_a_known_fact_is_kept_untouched(self, library: Library) -> None:
        """The raw body is what is stored."""
        body = f'{{"type":"record","id":"{BEST.id}","kind":"highlight","raw_title":"T","title":"T","mood":"blue"}}'
        with library.transaction():
            library.facts.add_raw([body])
        assert list(library.facts.bodies()) == [body]

    def test_nothing_of_a_transaction_that_fails_is_kept(self, library: Library) -> None:
        """All or nothing, and the next one works."""

        def fail() -> None:
            with library.transaction():
                library.facts.add([BEST, import_of(1, "clippings", [BEST])])
                library.shelf.settle()
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert list(library.facts.bodies()) == []
        keep(library, BEST, import_of(1, "clippings", [BEST]))
        assert shown(library) == [BEST.text]

    def test_what_is_remembered_is_forgotten_when_an_import_is_withdrawn(self, library: Library) -> None:
        """Otherwise a file whose import was undone would count as known."""
        first = import_of(1, "clippings", [BEST])
        keep(library, BEST, first)
        with library.transaction():
            library.memo.remember("file:x", "1")
        assert library.memo.recall("file:x") == "1"
        keep(library, edit(2, first.id, "withdrawn", True))
        assert library.memo.recall("file:x") is None

    def test_what_is_remembered_is_forgotten_when_a_record_is_erased(self, library: Library) -> None:
        """Its words are gone; a file that held them is not known any more."""
        keep(library, BEST, import_of(1, "clippings", [BEST]))
        with library.transaction():
            library.memo.remember("file:x", "1")
        keep(library, skeleton(BEST))
        assert library.memo.recall("file:x") is None


MINE = edit(3, BEST.id, "note", "mine")
SORTED = (BEST, LONG, import_of(1, "clippings", [BEST, LONG]), MINE, edit(4, BEST.id, "color", "blue"))


def xor(digests: Iterable[int]) -> int:
    return reduce(operator.xor, digests, 0)


class TestTravelling:
    """What another library asks of one."""

    def test_what_has_come_since_is_told_in_order_of_arrival(self, library: Library) -> None:
        """A page ends where it is full; one fact is always in it. A state that advances comes once more, at the end."""
        bodies = [wire.encode(fact) for fact in SORTED]
        keep(library, *SORTED[:3])
        middle = library.facts.head()
        keep(library, *SORTED[3:])
        since = library.facts.since
        assert since(0, 99, 1 << 20) == (tuple(bodies), library.facts.head())
        assert since(middle, 99, 1 << 20) == (tuple(bodies[3:]), library.facts.head())
        assert since(0, 99, 1 << 20, until=middle) == (tuple(bodies[:3]), middle)
        first = since(0, 2, 1 << 20)
        assert first.bodies == tuple(bodies[:2])
        assert since(first.cursor, 99, 1 << 20).bodies == tuple(bodies[2:])
        assert since(0, 99, 1).bodies == (bodies[0],)
        assert since(0, 99, len(bodies[0]) + len(bodies[1])).bodies == tuple(bodies[:2])
        head = library.facts.head()
        assert since(head, 99, 1 << 20) == ((), head)
        better = replace(BEST, text="It was the best of times.", revision=2)
        keep(library, better)
        assert since(head, 99, 1 << 20).bodies == (wire.encode(better),)
        assert since(0, 99, 1 << 20).bodies == (*bodies[1:], wire.encode(better))
        assert library.facts.head() > head

    def test_a_state_that_does_not_advance_does_not_arrive(self, library: Library) -> None:
        """Neither the same once more nor a lower one."""
        keep(library, replace(BEST, revision=2))
        head = library.facts.head()
        keep(library, BEST, replace(BEST, revision=2))
        assert library.facts.head() == head

    def test_digests_depend_on_what_is_held_and_on_nothing_else(self, library: Library) -> None:
        """Not on order, repetition, or what was there before; they are the sum of the bodies' digests."""
        better = replace(LONG, text="Another", revision=2)
        keep(library, *SORTED)
        keep(library, better, BEST)
        with closing(empty_library()) as other:
            for fact in (better, *reversed(SORTED), better):
                keep(other, fact)
            for digits in (2, 4):
                assert library.facts.digests(digits) == other.facts.digests(digits)
        held = {wire.header(body).id: wire.digest(body) for body in library.facts.bodies()}
        for digits in (2, 4):
            buckets = sorted({id_[-digits:] for id_ in held})
            assert library.facts.states(buckets) == held
            for bucket in buckets:
                inside = {id_: digest for id_, digest in held.items() if id_.endswith(bucket)}
                assert library.facts.states([bucket]) == inside
                assert library.facts.digests(digits).get(bucket, 0) == xor(inside.values())
        assert library.facts.states([]) == {}

    def test_two_states_of_one_fact_in_one_go_leave_the_digest_of_the_greater(self, library: Library) -> None:
        """Also where a still lower one was there before."""
        states = [replace(BEST, text=f"It was {n}", revision=n) for n in range(4)]
        keep(library, states[0])
        keep(library, states[3], states[1], states[2])
        keep(library, replace(WORST, revision=1), replace(WORST, revision=2))
        assert library.facts.digests(2) == {
            fact.id[-2:]: wire.digest(wire.encode(fact)) for fact in (states[3], replace(WORST, revision=2))
        }

    def test_what_is_withheld_is_in_no_answer(self, library: Library) -> None:
        """By kind and field; what a newer version wrote may be anything."""
        said = record("note", "Tale (Dickens, Charles)", "so true", 6, 0, 1, False)
        unread = replace(BEST, id=made_id(7), kind="unreadable")
        star = f'{{"type":"star","id":"{made_id(8)}"}}'
        gone = edit(5, BEST.id, "deleted", True, covers=(BEST.id,))
        keep(library, *SORTED, said, unread, gone)
        with library.transaction():
            library.facts.add_raw([star])
        everything = set(library.facts.bodies())
        both = {wire.encode(unread), star}
        notes = {wire.encode(fact) for fact in (said, MINE)} | both
        highlights = {wire.encode(fact) for fact in (BEST, LONG, SORTED[-1])} | both
        ids = [wire.header(body).id for body in everything]
        for withheld, hidden in ((NOTHING, set[str]()), (NOTES, notes), (HIGHLIGHTS, highlights)):
            told = everything - hidden
            assert set(library.facts.since(0, 99, 1 << 20, withheld).bodies) == told
            assert set(library.facts.named(ids, withheld)) == told
            assert library.facts.since(0, 99, 1 << 20, withheld).cursor == library.facts.head()
            buckets = sorted({id_[-2:] for id_ in ids})
            assert library.facts.states(buckets, withheld) == {wire.header(body).id: wire.digest(body) for body in told}
            assert xor(library.facts.digests(2, withheld).values()) == xor(map(wire.digest, told))
            assert xor(library.facts.digests(4, withheld).values()) == xor(map(wire.digest, told))

    def test_facts_are_found_by_their_names(self, library: Library) -> None:
        """In the order of their ids; what is not there is left out."""
        keep(library, *SORTED)
        ids = sorted([BEST.id, MINE.id])
        bodies = {fact.id: wire.encode(fact) for fact in SORTED}
        assert [*library.facts.named([made_id(99), *reversed(ids)])] == [bodies[id_] for id_ in ids]

    def test_nothing_of_a_transaction_that_fails_is_in_the_digests(self, library: Library) -> None:
        """Nor in what has arrived."""
        keep(library, BEST)
        was = library.facts.digests(2), library.facts.head()

        def fail() -> None:
            with library.transaction():
                library.facts.add([*SORTED, replace(BEST, revision=9)])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert (library.facts.digests(2), library.facts.head()) == was

    def test_a_rebuild_changes_no_digest_and_no_number(self, library: Library) -> None:
        """The facts are what they are."""
        keep(library, *SORTED)
        was = library.facts.digests(2), library.facts.digests(4, NOTES), library.facts.since(0, 99, 1 << 20)
        with library.transaction():
            library.shelf.rebuild()
        assert (library.facts.digests(2), library.facts.digests(4, NOTES), library.facts.since(0, 99, 1 << 20)) == was


class TestPeers:
    """How far a library is with others."""

    def test_an_epoch_stays_until_it_is_renewed(self, library: Library) -> None:
        """And may be set, for a file that was copied."""
        first = library.peers.epoch()
        keep(library, BEST)
        with library.transaction():
            library.shelf.rebuild()
        assert library.peers.epoch() == first
        with library.transaction():
            library.peers.renew()
        assert library.peers.epoch() != first
        with library.transaction():
            library.peers.renew("1f")
        assert library.peers.epoch() == "1f"

    def test_two_libraries_have_two_epochs(self, tmp_path: Path) -> None:
        """One that was emptied is another."""
        epochs: set[str] = set()
        for name in ("a.db", "b.db"):
            with closing(open_library(tmp_path / name)) as made:
                epochs.add(made.peers.epoch())
        assert len(epochs) == 2

    def test_nothing_is_known_of_a_stranger(self, library: Library) -> None:
        """The beginning."""
        assert library.peers.progress("home") == Progress()
        assert library.peers.refused("home") == {}

    def test_progress_is_kept_for_each_peer(self, library: Library) -> None:
        """The last that was said, with everything else of its transaction."""
        with library.transaction():
            library.peers.keep("home", Progress("e1", 1, 2))
            library.peers.keep("home", Progress("e2", 3, 4, NOTES))
            library.peers.keep("work", Progress("e1", 5, 6))
            library.peers.refuse("home", [(BEST.id, 7, "too_large")])
            library.peers.refuse("home", [(BEST.id, 8, "too_large"), (LONG.id, 9, "withheld")])
        assert library.peers.progress("home") == Progress("e2", 3, 4, NOTES)
        assert library.peers.refused("home") == {BEST.id: 8, LONG.id: 9}
        with library.transaction():
            library.peers.refuse("work", [(BEST.id, 8, "too_large")])
            library.peers.took("work", [])
            library.peers.took("home", [BEST.id])
        assert (library.peers.refused("home"), library.peers.refused("work")) == ({LONG.id: 9}, {BEST.id: 8})
        with library.transaction():
            library.peers.forget("home")
        assert (library.peers.progress("home"), library.peers.refused("home")) == (Progress(), {})
        assert library.peers.progress("work") == Progress("e1", 5, 6)


class TestShelf:
    """What a person sees."""

    def test_a_resized_highlight_is_one_and_the_later_form_is_shown(self, library: Library) -> None:
        """Its neighbour, whose text it does not contain, stays."""
        keep(library, BEST, LONG, import_of(1, "clippings", [BEST, LONG]))
        assert shown(library) == [LONG.text]
        assert library.shelf.members(LONG.id) == sorted([BEST.id, LONG.id])

    def test_a_note_comes_off_when_what_lay_between_is_gone(self, library: Library) -> None:
        """It stays with the edit that saw it as long as they are in one island; whether a third record joins both is
        for the fold to say, whichever passage that belongs to."""
        between = record("highlight", "Tale (Dickens, Charles)", "the age of wisdom", 6, 3, 2, False)
        note = record("note", "Tale (Dickens, Charles)", "so true", 9, 0, 3, False)
        listed = import_of(2, "clippings", [between])
        keep(library, BEST, note, between, import_of(1, "clippings", [BEST, note]), listed)
        keep(library, edit(3, BEST.id, "note", "mine", [note.id]))
        assert [h.note for h in library.shelf.highlights(Filter())] == ["mine", None]
        keep(library, edit(4, listed.id, "withdrawn", True))
        assert [h.note for h in library.shelf.highlights(Filter())] == ["mine", "so true"]
        keep(library, edit(5, listed.id, "withdrawn", None, [made_id(4)]))
        assert [h.note for h in library.shelf.highlights(Filter())] == ["mine", None]

    def test_what_an_edit_leads_to_is_folded_when_it_arrives_last(self, library: Library) -> None:
        """It is of another passage, and joins what somebody said here with what he had not seen himself."""
        other = record("highlight", "Woods (Muir, John)", "The clearest way", 1, 0, 4, False)
        note = record("note", "Tale (Dickens, Charles)", "so true", 6, 0, 1, False)
        keep(library, BEST, note, other, import_of(1, "clippings", [BEST, note, other]))
        keep(library, edit(2, BEST.id, "note", "mine", [made_id(3)]))
        assert [h.note for h in library.shelf.highlights(Filter())] == ["so true\n\nmine", None]
        keep(library, edit(3, other.id, "color", "blue", [note.id]))
        assert [h.note for h in library.shelf.highlights(Filter())] == ["mine", None]
        knew = (made_id(2), made_id(5))
        keep(library, edit(4, BEST.id, "color", "red"))
        keep(library, edit(6, BEST.id, "deleted", True, covers=(BEST.id, note.id), knew=knew))
        assert library.shelf.count(Filter()) == 2
        keep(library, edit(5, other.id, "favorite", True, [made_id(4)]))
        assert shown(library) == [other.text]

    def test_what_is_joined_no_more_is_two_again(self, library: Library) -> None:
        """Also where the join was erased, so that nobody can tell what it said."""
        far = record("highlight", "Tale (Dickens, Charles)", "the age of wisdom", 90, 1, 4, False)
        joined = edit(2, BEST.id, "same", far.id)
        keep(library, BEST, far, import_of(1, "clippings", [BEST, far]), joined)
        assert shown(library) == [far.text]
        keep(library, skeleton_of_edit(joined))
        assert shown(library) == [BEST.text, far.text]

    def test_a_deleter_knows_what_those_edits_had_seen_that_he_knew(self, library: Library) -> None:
        """Though they are of another passage, to which a part of this one once belonged."""
        other = record("highlight", "Woods (Muir, John)", "The clearest way", 1, 0, 4, False)
        keep(library, BEST, other, import_of(1, "clippings", [BEST, other]))
        keep(library, edit(2, BEST.id, "color", "blue"), edit(3, other.id, "note", "x", [made_id(2)]))
        keep(library, edit(4, BEST.id, "deleted", True, covers=(BEST.id,), knew=(made_id(3),)))
        assert shown(library) == [other.text]

    def test_every_member_id_finds_the_passage(self, library: Library) -> None:
        """An id that was once exported goes on finding."""
        keep(library, BEST, LONG, import_of(1, "clippings", [BEST, LONG]))
        one, other = library.shelf.get(BEST.id), library.shelf.get(LONG.id)
        assert one is not None
        assert one == other
        assert library.shelf.starting_with(LONG.id[:8], 5) == [one.id]

    def test_two_titles_that_differ_in_typography_are_one_book_and_a_different_author_is_another(
        self, library: Library
    ) -> None:
        """Two books with one short title never collide."""
        rows = [
            record("highlight", "Tale (Dickens, Charles)", "a", 1, 0, 1, False),
            record("highlight", "Tale  (Charles Dickens)", "b", 9, 0, 1, False),
            record("highlight", "Tale", "c", 1, 0, 1, False),
        ]
        keep(library, *rows, import_of(1, "clippings", rows))
        assert [(b.title, b.highlights, len(b.raw_titles)) for b in library.shelf.books()] == [
            ("Tale", 1, 1),
            ("Tale", 2, 2),
        ] or [(b.title, b.highlights) for b in library.shelf.books()] == [("Tale", 2), ("Tale", 1)]

    def test_a_book_is_what_its_present_records_say(self, library: Library) -> None:
        """A source that was taken back lends it neither its id nor what it called it."""
        rows = [
            record("highlight", "Tale (Dickens, Charles)", "a", 1, 0, 1, False),
            record("highlight", "Tale  (Charles Dickens)", "b", 9, 0, 1, False),
        ]
        imports = [import_of(n, "clippings", [held]) for n, held in enumerate(rows, 1)]
        keep(library, *rows, *imports)
        for n, (gone, left) in enumerate(((0, 1), (1, 0))):
            keep(library, edit(10 + 2 * n, imports[gone].id, "withdrawn", True))
            (book,) = library.shelf.books()
            assert (book.id, book.raw_titles) == (rows[left].atom, (rows[left].raw_title,))
            assert library.shelf.atoms(book.id) == [rows[left].atom]
            keep(library, edit(11 + 2 * n, imports[gone].id, "withdrawn", None, [made_id(10 + 2 * n)]))
            (book,) = library.shelf.books()
            assert library.shelf.atoms(book.id) == sorted(held.atom for held in rows)

    def test_books_stand_in_the_order_of_their_titles_without_case(self, library: Library) -> None:
        """In every list of theirs, and of what is in them."""
        names = ["alpha", "Beta", "gamma", "Δέλτα", "δέλτα two"]
        rows = [record("highlight", name, name, 1, 0, 1, False) for name in reversed(names)]
        keep(library, *rows, import_of(1, "clippings", rows))
        assert [book.title for book in library.shelf.books()] == names
        assert [title for _, title, _ in library.shelf.titles()] == names
        assert shown(library) == names

    def test_books_that_are_joined_or_parted_take_their_passages_along(self, library: Library) -> None:
        """All of them, whichever was there first, and what is joined is folded as one book."""
        other = record("highlight", "Tail", "best of times", 5, 1, 4, False)
        far = record("highlight", "Tail", "the age of wisdom", 90, 1, 4, False)
        keep(library, BEST, other, far, import_of(1, "clippings", [BEST, other, far]))
        apart = {BEST.id: BEST.atom, other.id: other.atom, far.id: other.atom}
        book = min(BEST.atom, other.atom)

        def books() -> dict[str, str]:
            return {h.id: h.book for h in library.shelf.highlights(Filter())}

        assert books() == apart
        keep(library, edit(2, BEST.atom, "same", other.atom))
        assert books() == {BEST.id: book, far.id: book}
        assert library.shelf.members(BEST.id) == sorted([BEST.id, other.id])
        keep(library, edit(3, BEST.atom, "not-same", other.atom, [made_id(2)]))
        assert books() == apart
        assert library.shelf.count(Filter(books=(other.atom,))) == 2

    def test_titles_and_tags_are_those_of_what_is_shown(self, library: Library) -> None:
        """Neither a book all of whose passages are deleted, nor a tag that only a deleted passage has."""
        other = record("highlight", "Woods (Muir, John)", "The clearest way", 1, 0, 4, False)
        keep(library, BEST, WORST, other, import_of(1, "clippings", [BEST, WORST, other]))
        keep(library, edit(2, BEST.id, "tag:opening", True), edit(3, WORST.id, "tag:a b", True))
        keep(library, edit(4, other.id, "tag:trees", True), edit(5, BEST.id, "tag:dull", False))
        assert [row[1:] for row in library.shelf.titles()] == [("Tale", "Dickens, Charles"), ("Woods", "Muir, John")]
        assert library.shelf.tags() == ["a b", "opening", "trees"]
        keep(library, deletion(6, library, other.id, []))
        assert [id_ for id_, *_ in library.shelf.titles()] == [book.id for book in library.shelf.books()]
        assert (len(library.shelf.titles()), library.shelf.tags()) == (1, ["a b", "opening"])

    def test_filters_all_have_to_hold(self, library: Library) -> None:
        """Colour, tag, time, note, kind and book."""
        note = record("note", "Tale (Dickens, Charles)", "so true", 6, 0, 1, False)
        mark = record("bookmark", "Tale (Dickens, Charles)", "", 9, 0, 1, False)
        held = [BEST, WORST, note, mark]
        keep(library, *held, import_of(1, "clippings", held))
        keep(library, edit(2, BEST.id, "color", "blue"), edit(3, BEST.id, "tag:craft", True))
        count = library.shelf.count
        assert count(Filter()) == 2
        assert count(Filter(color="blue")) == count(Filter(tag="craft")) == 1
        assert count(Filter(color="blue", has_note=True)) == 1
        assert count(Filter(has_note=False)) == 1
        assert count(Filter(kinds=("bookmark",))) == 1
        assert WORST.at is not None
        assert count(Filter(since=WORST.at)) == count(Filter(since="2024-01-01", until=WORST.at)) == 1
        assert count(Filter(since="2024", until=WORST.at[:10])) == 2
        assert count(Filter(until="2023")) == 0
        assert count(Filter(books=())) == 0

    @pytest.mark.parametrize(
        ("term", "found"),
        [
            (Term("title", "tale"), "bwn"),
            (Term("title", "OTHER two"), "o"),
            (Term("title", "two-other"), "o"),
            (Term("author", "charles-dickens"), "bwn"),
            (Term("author", "thackeray"), ""),
            (Term("author", "dickens", negated=True), "o"),
            (Term("tag", "Le Guin"), "b"),
            (Term("tag", "le-guin"), "b"),
            (Term("tag", "guin"), ""),
            (Term("tag", "le guin", negated=True), "wno"),
            (Term("color", "BLUE"), "b"),
            (Term("chapter", "one"), ""),
            (Term("source", "clippings"), "bwno"),
            (Term("source", "clippings g2"), ""),
            (Term("kind", "note"), "n"),
            (Term("id", BEST.id[:6]), "b"),
            (Term("since", "2024-01-01T10:02:00"), "bw"),
            (Term("since", "2024-01-01T10:02:00", negated=True), "no"),
            (Term("until", "2024-01-01T10:02:00"), "n"),
            (Term("until", "2023", negated=True), "bwno"),
            (Term("on", "2024-01"), "bwn"),
            (Term("on", "2024-01-01T10:03"), "bw"),
            (Term("has", "note"), "n"),
            (Term("has", "tag"), "b"),
            (Term("has", "color"), "b"),
            (Term("has", "chapter"), ""),
            (Term("has", "favorite"), "w"),
            (Term("has", "truncated"), ""),
            (Term("has", "conflict"), "w"),
            (Term("words", Words("times")), "b"),
            (Term("words", Words("true", part="text")), ""),
            (Term("words", Words("true", part="note")), "n"),
            (Term("words", Words("times"), negated=True), "wno"),
        ],
    )
    def test_each_condition_holds_of_what_it_says(self, library: Library, term: Term, found: str) -> None:
        """Alone, turned round, beside another and to choice; dashes, case and order of words aside in names."""
        best = record("highlight", "Tale (Dickens, Charles)", "It was the best of times", 5, 1, 3, False)
        best = replace(best, id=BEST.id)
        worst = record("highlight", "Tale (Dickens, Charles)", "it was the worst", 16, 1, 3, False)
        bare = record("note", "Tale (Dickens, Charles)", "so true", 90, 0, 1, False)
        other = record("highlight", "Other Two", "the age of wisdom", 1, 0, None, False)
        held = [best, worst, bare, other]
        keep(library, *held, import_of(1, "clippings", held), edit(2, best.id, "tag:Le Guin", True))
        keep(library, edit(3, best.id, "color", "blue"), edit(4, worst.id, "favorite", True))
        keep(library, edit(5, worst.id, "text", "the worst"), edit(6, worst.id, "text", "it was"))
        names = dict(zip((r.id for r in held), "bwno", strict=True))

        def meant(*groups: tuple[Term, ...]) -> set[str]:
            found = Filter(terms=groups)
            listed = [h.id for h in library.shelf.highlights(found)]
            assert library.shelf.ids(found) == sorted(listed)
            assert library.shelf.count(found) == len(listed)
            return {names[id_] for id_ in listed}

        assert meant((term,)) == set(found)
        assert meant((term._replace(negated=not term.negated),)) == {*"bwno"} - set(found)
        assert meant((term,), (Term("kind", "highlight"),)) == set(found) - {"n"}
        assert meant((term, Term("kind", "note"))) == {*found, "n"}

    def test_a_books_id_begins_a_title_from_six_letters_on(self, library: Library) -> None:
        """As `kindlehl books` shows it."""
        keep(library, BEST, import_of(1, "clippings", [BEST]))
        (book,) = library.shelf.books()
        for length, count in ((36, 1), (9, 1), (6, 1), (5, 0)):
            assert library.shelf.count(Filter(terms=((Term("title", book.id[:length]),),))) == count

    def test_words_can_be_a_condition_in_any_order_of_the_list(self, library: Library) -> None:
        """For who wants the newest of what is found."""
        keep(library, BEST, WORST, import_of(1, "clippings", [BEST, WORST]))
        wanted = Filter(query=Query((Words("times"),), (Words("xylophone"),), ((Words("best"), Words("worst")),)))
        assert [h.id for h in library.shelf.highlights(wanted, order="newest")] == [WORST.id, BEST.id]
        assert [h.id for h in library.shelf.highlights(wanted, order="oldest")] == [BEST.id, WORST.id]

    def test_what_has_no_time_comes_last_in_both_orders_of_time(self, library: Library) -> None:
        """Nobody asks for the newest to see what has no date."""
        undated = record("highlight", "Other", "the age of wisdom", 1, 0, None, False)
        keep(library, BEST, undated, WORST, import_of(1, "clippings", [BEST, undated, WORST]))
        for order, ids in (("newest", [WORST.id, BEST.id]), ("oldest", [BEST.id, WORST.id])):
            assert [h.id for h in library.shelf.highlights(Filter(), order=order)] == [*ids, undated.id]

    def test_titles_are_those_of_the_books_that_show_something(self, library: Library) -> None:
        """Without the cost of counting what is in them."""
        other = record("highlight", "Other", "the age of wisdom", 1, 0, 1, False)
        keep(library, BEST, other, import_of(1, "clippings", [BEST, other]))
        assert library.shelf.titles() == [(b.id, b.title, b.author) for b in library.shelf.books()]
        assert [b.title for b in library.shelf.books([library.shelf.titles()[0][0], "nobody's"])] == ["Other"]
        assert library.shelf.books([]) == []
        keep(library, deletion(2, library, other.id, []))
        assert [title for _, title, _ in library.shelf.titles()] == ["Tale"]

    def test_tags_are_those_that_are_shown(self, library: Library) -> None:
        """Each once."""
        keep(library, BEST, WORST, import_of(1, "clippings", [BEST, WORST]), edit(2, WORST.id, "tag:b", True))
        keep(library, edit(3, BEST.id, "tag:b", True), edit(4, BEST.id, "tag:a", True))
        assert library.shelf.tags() == ["a", "b"]
        keep(library, deletion(5, library, BEST.id, []))
        assert library.shelf.tags() == ["b"]

    def test_newest_first_and_a_limit(self, library: Library) -> None:
        """The two ways to cut a list."""
        keep(library, BEST, WORST, import_of(1, "clippings", [BEST, WORST]))
        assert [h.text for h in library.shelf.highlights(Filter(), order="newest", limit=1)] == [WORST.text]

    def test_the_newest_few_do_not_depend_on_what_arrived_last(self, library: Library) -> None:
        """An old file may be imported after a new one; what has no time fills up what is left."""
        texts = ("may", "march", "june", "none", "summer", "april")
        hours = (5, 3, 6, None, 6, 4)
        rows = [
            record("highlight", "Year", text, n, n, hour, False)
            for n, (text, hour) in enumerate(zip(texts, hours, strict=True), 1)
        ]
        keep(library, *rows, import_of(1, "clippings", rows))
        keep(library, deletion(2, library, rows[0].id, []))
        newest = sorted((r for r in rows[1:] if r.at), key=lambda r: r.id)
        newest.sort(key=lambda r: r.at or "", reverse=True)
        for limit in range(7):
            found = library.shelf.highlights(Filter(), order="newest", limit=limit)
            assert [h.id for h in found] == [r.id for r in [*newest, rows[3]][:limit]]


class TestIndex:
    """What finds it."""

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            ("worst", "it was the worst of times"),
            ("WORST of", "it was the worst of times"),
            ("cafe", "Das Café am Eck"),
            ("Café", "the cafe"),
            ("若水", "上善若水。水善利万物而不争"),
            ("水", "上善若水"),
            ("情け", "とかくに情けは"),
            ("ＡＢＣ", "the abc of it"),
            ("한국", "나는한국사람"),
            ("don't", "I don’t know"),
            ("naïve", "nai\u0308ve"),
        ],
    )
    def test_words_are_found_whatever_their_case_marks_or_script(self, library: Library, words: str, text: str) -> None:
        """Two characters of Chinese inside a sentence, and letters without their diacritics."""
        held = record("highlight", "Tale", text, 1, 0, 1, False)
        keep(library, held, import_of(1, "clippings", [held]))
        assert [h.text for h in library.index.search(Query((Words(words),)), Filter(), 5)] == [text]

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            (Query((Words("times"),)), 2),
            (Query((Words("times"),), (Words("best"),)), 1),
            (Query((Words("best of times"),)), 1),
            (Query((Words("times of best"),)), 0),
            (Query((Words("wor", prefix=True),)), 1),
            (Query((Words("wor"),)), 0),
            (Query((Words('" OR text:'),)), 0),
            (Query((), (), ((Words("best"), Words("worst")),)), 2),
            (Query((Words("times"),), (Words("worst"), Words("x")), ((Words("best"), Words("worst")),)), 1),
            (Query((Words("best", part="text"),)), 1),
            (Query((Words("best", part="note"),)), 0),
            (Query((Words("wor", prefix=True, part="text"),), (Words("best", part="note"),)), 1),
        ],
    )
    def test_all_wanted_words_and_none_of_the_unwanted(self, library: Library, query: Query, count: int) -> None:
        """Phrases keep their order; what looks like an operator is a word."""
        keep(library, BEST, WORST, import_of(1, "clippings", [BEST, WORST]))
        assert len(library.index.search(query, Filter(), 5)) == count
        assert len(library.index.search(query, Filter(), None)) == count
        assert len(library.index.glance(query, Filter(), 5)) == count
        assert library.shelf.count(Filter(query=query)) == count

    def test_what_is_hidden_or_replaced_is_not_found(self, library: Library) -> None:
        """The index follows the shelf."""
        keep(library, BEST, WORST, import_of(1, "clippings", [BEST, WORST]))
        keep(library, deletion(2, library, BEST.id, []), edit(3, WORST.id, "text", "the age of wisdom"))
        search = library.index.search
        assert search(Query((Words("best"),)), Filter(), 5) == []
        assert search(Query((Words("worst"),)), Filter(), 5) == []
        assert len(search(Query((Words("wisdom"),)), Filter(), 5)) == 1

    def test_a_search_can_be_narrowed(self, library: Library) -> None:
        """The filters of a list."""
        keep(library, BEST, WORST, import_of(1, "clippings", [BEST, WORST]), edit(2, BEST.id, "color", "blue"))
        assert [h.text for h in library.index.search(Query((Words("times"),)), Filter(color="blue"), 5)] == [BEST.text]

    def test_the_vocabulary_counts_the_passages_that_hold_a_word(self, library: Library) -> None:
        """Bare of case and diacritics, of what is shown alone."""
        other = record("highlight", "Other", "Café, café, TIMES", 1, 0, 1, False)
        keep(library, BEST, WORST, other, import_of(1, "clippings", [BEST, WORST, other]))
        assert library.index.vocabulary("t") == [("the", 2), ("times", 3)]
        assert dict(library.index.vocabulary())["cafe"] == 1
        keep(library, deletion(2, library, BEST.id, []))
        assert library.index.vocabulary("ti") == [("times", 2)]


# -- histories --------------------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ("import", "import", "import", "note", "color", "tag", "text", "delete", "delete", "restore", "withdraw",
             "same", "not-same", "title", "hidden", "erase", "split", "reread")
        ),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
    min_size=2,
    max_size=14,
)  # fmt: skip


def play(
    pool: list[Record],
    script: list[tuple[str, int, int]],
    library: Library,
    watch: Callable[[Sequence[Fact], Effects], None] = lambda _facts, _effects: None,
) -> list[Fact]:
    """Let people do things to a library; returns every fact that came about."""
    facts: list[Fact] = []
    everything = Filter(kinds=("highlight", "note", "bookmark", "clip"))
    for n, (verb, a, b) in enumerate(script, start=100):
        new: list[Fact] = []
        seen = list(library.shelf.highlights(everything))
        target = seen[a % len(seen)] if seen else None
        imports = [fact for fact in facts if isinstance(fact, Import)]
        if verb == "import":
            first = a % len(pool)
            held = pool[first : first + 1 + b % len(pool)]
            new = [*held, import_of(n, SOURCES[(a + b) % 3], held)]
        elif verb == "withdraw" and imports:
            new = [
                edit(
                    n,
                    imports[a % len(imports)].id,
                    "withdrawn",
                    b % 3 > 0,
                    [e.id for e in facts if isinstance(e, Edit) and e.field == "withdrawn"] if b % 2 else [],
                )
            ]
        elif verb == "restore":
            gone = [e for e in facts if isinstance(e, Edit) and e.field == "deleted" and e.value]
            if gone:
                new = [edit(n, gone[a % len(gone)].target, "deleted", None, [gone[a % len(gone)].id])]
        elif verb == "reread":
            better = replace(
                pool[a % len(pool)], revision=2 + b % 3, at=f"2024-01-0{1 + b % 4}T10:00:00" if b % 5 else None
            )
            new = [better]
        elif target is None:
            continue
        elif verb == "delete":
            new = [deletion(n, library, target.id, facts)]
        elif verb == "erase":
            new = [skeleton(r) for r in library.facts.records([target.id]).values()]
        elif verb in ("same", "not-same", "title", "hidden"):
            atoms = sorted({r.atom for r in pool})
            value = {"title": "Renamed", "hidden": b % 3 > 0}.get(verb, atoms[b % len(atoms)])
            new = [edit(n, atoms[a % len(atoms)], verb, value)]
        elif verb == "split":
            new = [edit(n, target.id, "not-same", pool[b % len(pool)].id)]
        else:
            field = "tag:x" if verb == "tag" else verb
            members = library.shelf.members(target.id)
            known = [e.id for e in library.facts.edits(members) if e.field == field] if b % 2 else []
            notes = (
                [r.id for r in library.facts.records(members).values() if r.kind == "note"]
                if verb == "note" and b % 3
                else []
            )
            new = [edit(n, members[a % len(members)], field, f"{verb} {b % 3}" if b % 5 else None, [*known, *notes])]
        event(verb)
        watch(new, keep(library, *new))
        facts += new
    return facts


pools = st.lists(records, min_size=1, max_size=12)
Made: TypeAlias = Callable[[], AbstractContextManager[Library]]
fewer = settings(max_examples=settings().max_examples // 5)
"""For PostgreSQL, which answers from another process: a history of fourteen steps takes it twenty times as long."""


def in_sqlite() -> AbstractContextManager[Library]:
    return closing(empty_library())


def is_folded_as_it_arrives(made: Made, pool: list[Record], script: list[tuple[str, int, int]]) -> None:
    with made() as library, closing(MemoryLibrary()) as memory:
        facts = play(pool, script, library)
        keep(memory, *facts)
        assert picture(library) == picture(memory)
        before = picture(library)
        for until in ("2024-01-02T10:00:00", "2025"):
            assert library.facts.reached(until) == memory.facts.reached(until)
        with library.transaction():
            library.shelf.rebuild()
        assert picture(library) == before


@given(pools, steps)
def test_what_is_folded_as_facts_arrive_equals_the_fold_from_scratch(
    pool: list[Record], script: list[tuple[str, int, int]]
) -> None:
    """Incremental = rebuilt = the reference, after every kind of history."""
    is_folded_as_it_arrives(in_sqlite, pool, script)


@given(pools, steps)
@fewer
def test_postgresql_folds_as_facts_arrive_what_it_folds_from_scratch(
    somebodys: Made, pool: list[Record], script: list[tuple[str, int, int]]
) -> None:
    """As above."""
    is_folded_as_it_arrives(somebodys, pool, script)


@given(pools, steps)
@fewer
def test_both_databases_count_alike_what_a_reader_is_told(
    somebodys: Made, pool: list[Record], script: list[tuple[str, int, int]]
) -> None:
    """New highlights, resized ones, notes, what is back: after every step."""
    with in_sqlite() as sqlite, somebodys() as postgresql:

        def same(facts: Sequence[Fact], effects: Effects) -> None:
            assert keep(postgresql, *facts) == effects

        play(pool, script, sqlite, same)


def shows_no_order(
    made: Made, pool: list[Record], script: list[tuple[str, int, int]], random: "st.Random", size: int
) -> None:
    with made() as one, made() as other:
        facts = play(pool, script, one)
        again = [*facts, *random.sample(facts, len(facts) // 2)]
        random.shuffle(again)
        for n in range(0, len(again), size):
            keep(other, *again[n : n + size])
        assert picture(other) == picture(one)
        assert other.facts.digests(2) == one.facts.digests(2)


@given(pools, steps, st.randoms(use_true_random=False), st.integers(1, 6))
def test_the_order_in_which_facts_arrive_does_not_show(
    pool: list[Record], script: list[tuple[str, int, int]], random: "st.Random", size: int
) -> None:
    """Shuffled, in batches of any size, some of them twice: the same library."""
    shows_no_order(in_sqlite, pool, script, random, size)


@given(pools, steps, st.randoms(use_true_random=False), st.integers(1, 6))
@fewer
def test_the_order_in_which_facts_arrive_does_not_show_in_postgresql(
    somebodys: Made, pool: list[Record], script: list[tuple[str, int, int]], random: "st.Random", size: int
) -> None:
    """As above."""
    shows_no_order(somebodys, pool, script, random, size)


@given(st.lists(records, min_size=1, max_size=14), st.lists(st.integers(0, 13), min_size=1, max_size=8))
def test_versions_of_one_file_in_any_order_give_each_passage_once(pool: list[Record], cuts: list[int]) -> None:
    """Imported twice, in halves, shuffled, from several versions of the file: what one import of all gives."""
    with closing(empty_library()) as whole, closing(empty_library()) as parts:
        keep(whole, *pool, import_of(1, "clippings", pool))
        for n, cut in enumerate([*cuts, 0], start=1):
            version = pool[cut % len(pool) :] if n % 2 else pool[: cut % len(pool) + 1]
            keep(parts, *version, import_of(n, "clippings", version))
        keep(parts, *reversed(pool), import_of(99, "clippings", list(reversed(pool))))
        assert picture(parts) == picture(whole)


plain_words = st.sampled_from(("best", "worst", "of times", "was", "智に", "x", "color", "note"))
found_words = st.builds(
    Words, plain_words, st.booleans(), st.sampled_from((None, None, "text", "note"))
)  # fmt: skip
plain_terms = st.one_of(
    st.builds(Term, st.sampled_from(("title", "author")), st.sampled_from(("tale", "charles dickens", "草枕", "ren"))),
    st.builds(Term, st.just("tag"), st.sampled_from(("x", "X", "y"))),
    st.builds(Term, st.just("color"), st.sampled_from(("color 1", "Color-1", "blue"))),
    st.builds(Term, st.just("source"), st.sampled_from(("clippings", "g1", "x"))),
    st.builds(Term, st.just("kind"), st.sampled_from(("highlight", "note", "bookmark", "clip"))),
    st.builds(Term, st.just("id"), st.text("0123456789abcdef", min_size=1, max_size=2)),
    st.builds(
        Term, st.just("has"),
        st.sampled_from(("note", "tag", "color", "chapter", "favorite", "truncated", "conflict")),
    ),
    st.builds(
        Term, st.sampled_from(("since", "until", "on")),
        st.sampled_from(("2024", "2024-01-01", "2024-01-02T10:05:00", "2023-12")),
    ),
    st.builds(Term, st.just("words"), found_words),
)  # fmt: skip
any_terms = st.builds(Term._replace, plain_terms, negated=st.booleans())
queries = st.builds(
    Query, st.lists(found_words, min_size=1, max_size=2).map(tuple), st.lists(found_words, max_size=1).map(tuple),
    st.lists(st.lists(found_words, min_size=2, max_size=2).map(tuple), max_size=1).map(tuple),
)  # fmt: skip
filters = st.builds(
    Filter,
    kinds=st.sampled_from((("highlight", "note"), ("highlight", "note", "bookmark", "clip"))),
    color=st.sampled_from((None, None, None, "color 1")),
    has_note=st.sampled_from((None, None, None, True, False)),
    terms=st.lists(st.lists(any_terms, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
    query=st.none() | queries,
    deleted=st.sampled_from((False, False, True)),
    hidden_books=st.booleans(),
)


def answers_as_the_reference(
    made: Made, pool: list[Record], script: list[tuple[str, int, int]], wanted: list[Filter]
) -> None:
    with made() as library, closing(MemoryLibrary()) as memory:
        keep(memory, *play(pool, script, library))
        for each in wanted:
            listed = list(memory.shelf.highlights(each))
            event("something is meant" if listed else "nothing is meant")
            assert list(library.shelf.highlights(each)) == listed
            for order in ("newest", "oldest"):
                expected = list(memory.shelf.highlights(each, order=order, limit=3))
                assert list(library.shelf.highlights(each, order=order, limit=3)) == expected
            assert library.shelf.count(each) == len(listed)
            assert library.shelf.ids(each) == memory.shelf.ids(each) == sorted(h.id for h in listed)
            if each.query is not None and not each.deleted:  # what is in the trash is not in the index
                alone = each._replace(query=None)
                for search in (library.index.search, library.index.glance):
                    found = [h.id for h in search(each.query, alone, 100)]
                    assert sorted(found) == sorted(h.id for h in listed)
        for hidden in (False, True):
            titles = library.shelf.titles(hidden=hidden)
            assert titles == memory.shelf.titles(hidden=hidden)
            books = library.shelf.books(hidden=hidden)
            assert titles == [(book.id, book.title, book.author) for book in books]
            some = {book.id for book in books[::2]}
            assert library.shelf.books(some, hidden=hidden) == books[::2]
        assert library.shelf.tags() == memory.shelf.tags()
        assert library.index.vocabulary("t") == memory.index.vocabulary("t")


@given(pools, steps, st.lists(filters, min_size=1, max_size=4))
def test_any_request_means_the_same_on_every_store(
    pool: list[Record], script: list[tuple[str, int, int]], wanted: list[Filter]
) -> None:
    """Whatever is asked of whatever history: the list in each order, the count, the ids and the search."""
    answers_as_the_reference(in_sqlite, pool, script, wanted)


@given(pools, steps, st.lists(filters, min_size=1, max_size=4))
@fewer
def test_any_request_means_the_same_in_postgresql(
    somebodys: Made, pool: list[Record], script: list[tuple[str, int, int]], wanted: list[Filter]
) -> None:
    """As above."""
    answers_as_the_reference(somebodys, pool, script, wanted)
