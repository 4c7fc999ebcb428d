"""The fold of one island: from records and edits to the passages a person sees."""

import random as randoms
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import histories

from kindlehl.domain import passages
from kindlehl.domain.erasure import skeleton, skeleton_of_edit
from kindlehl.domain.facts import Edit, Record
from kindlehl.domain.fold import Island, Passage, fold, single

from .makers import Seen, edit, made, mark, note, on_page

BEST = mark(3, 5, 6, "It was the best of times", "2024-01-01")
BOTH = mark(2, 5, 8, "It was the best of times, it was the worst of times", "2024-01-02")
SHORT = mark(1, 5, 5, "It was the best", "2024-01-03")


def folded(records: Sequence[Record], *edits: Edit, sources: dict[str, tuple[str, ...]] | None = None) -> list[Passage]:
    """The passages, by place."""
    deletions = [e for e in edits if e.field == "deleted" and e.value]
    held = sources or {r.id: ("k",) for r in records}
    return sorted(fold(Island(records, held, edits, deletions), Seen(edits)), key=lambda p: (p.place, p.id))


def one(records: Sequence[Record], *edits: Edit, **more: Any) -> Passage:
    """The only passage."""
    (passage,) = folded(records, *edits, **more)
    return passage


class TestPassage:
    """One marked place."""

    def test_the_public_id_is_the_earliest_members(self) -> None:
        """By the source's clock, so it stays when the highlight is resized again."""
        assert one([BEST, BOTH]).id == BEST.id
        assert one([SHORT, BEST, BOTH]).id == BEST.id
        assert one([SHORT, BEST, BOTH]).members == (BEST.id, BOTH.id, SHORT.id)

    def test_text_and_time_are_those_of_the_form_shown(self) -> None:
        """The latest."""
        found = one([BOTH, SHORT, BEST])
        assert (found.text, found.at, found.location_start, found.location_end) == (SHORT.text, SHORT.at, 5, 5)

    def test_colour_chapter_and_page_come_from_the_latest_form_that_states_them(self) -> None:
        """Sources of one passage complete each other."""
        rows = [
            replace(BEST, color="pink", chapter="I", page="4"),
            replace(BOTH, color="blue", chapter="II"),
            SHORT,
        ]
        found = one(rows)
        assert (found.color, found.chapter, found.page) == ("blue", "II", "4")

    def test_a_note_before_a_highlight_gives_it_no_colour_chapter_or_id(self) -> None:
        """It belongs to the passage, and hangs on it."""
        found = one([BEST, note(1, 6, "n", "2023-01-01", color="red", chapter="X")])
        assert (found.id, found.kind, found.color, found.chapter, found.note) == (BEST.id, "highlight", None, None, "n")
        assert set(found.members) == {BEST.id, made(1)}

    def test_identical_passages_of_two_sources_are_one(self) -> None:
        """With one of their sources named, always the same."""
        rows = [BEST, replace(BEST, id=made(9))]
        assert one(rows, sources={BEST.id: ("z",), made(9): ("b", "c")}).source == "b"

    def test_a_record_alone_needs_no_folding(self) -> None:
        """The short cut gives what the long way gives."""
        for record in (BEST, note(1, 6, "n"), mark(1, 5, 6, "", kind="bookmark"), mark(1, 5, 6, "x", kind="clip")):
            unrelated = edit(7, made(99), "note", "x")
            assert folded([record], unrelated) == [single(record, ("k",))] == folded([record])

    def test_a_kind_that_nobody_sees_is_a_mistake_of_the_caller(self) -> None:
        """Limited, empty and unreadable records never come here."""
        with pytest.raises(ValueError, match="limited"):
            folded([replace(BEST, kind="limited")])


class TestEdits:
    """What people did to it."""

    def test_edits_of_any_form_are_edits_of_the_passage(self) -> None:
        """They follow the heirs of the record they were made on."""
        found = one(
            [BEST, BOTH], edit(7, BEST.id, "color", "blue"), edit(8, BOTH.id, "tag:craft", True),
            edit(9, BEST.id, "favorite", True), edit(10, BOTH.id, "tag:art", True), edit(11, BOTH.id, "tag:no", False),
        )  # fmt: skip
        assert (found.color, found.tags, found.favorite, found.text) == ("blue", ("art", "craft"), True, BOTH.text)

    def test_a_colour_that_was_cleared_is_gone(self) -> None:
        """Though the source states one."""
        assert one([replace(BEST, color="pink")], edit(7, BEST.id, "color", None)).color is None

    def test_an_edited_text_is_shown_instead_and_a_cleared_edit_gives_the_source_back(self) -> None:
        """The record itself is never changed."""
        first = edit(7, BEST.id, "text", "mine")
        assert one([BEST], first).text == "mine"
        assert one([BEST], first, edit(8, BEST.id, "text", None, [first.id])).text == BEST.text

    def test_two_texts_nobody_reconciled_are_an_open_conflict(self) -> None:
        """Both are shown, until an edit that has seen both."""
        a, b = edit(7, BEST.id, "text", "one"), edit(8, BEST.id, "text", "two")
        assert (one([BEST], a, b).text, one([BEST], a, b).conflicts) == ("one\n\ntwo", ("text",))
        settled = one([BEST], a, b, edit(9, BEST.id, "text", "three", [a.id, b.id]))
        assert (settled.text, settled.conflicts) == ("three", ())

    def test_equal_texts_are_no_conflict(self) -> None:
        """Two people wrote the same."""
        same = [edit(n, BEST.id, "text", "one") for n in (7, 8)]
        assert (one([BEST], *same).text, one([BEST], *same).conflicts) == ("one", ())

    def test_a_text_cleared_here_and_written_there_is_an_open_conflict(self) -> None:
        """Two different heads, sync.md rule 4."""
        assert one([BEST], edit(7, BEST.id, "note", "one"), edit(8, BEST.id, "note", None)).conflicts == ("note",)

    def test_a_split_record_is_a_passage_of_its_own_and_stays_one(self) -> None:
        """Whatever forms of the other come later."""
        split = edit(7, BOTH.id, "not-same", BEST.id)
        later = mark(8, 5, 6, "It was the best of times", "2024-05-01")
        assert [p.members for p in folded([BEST, BOTH, later], split)] == [(BEST.id, later.id), (BOTH.id,)]

    def test_a_note_that_was_split_off_is_bare(self) -> None:
        """Its highlight goes on without it."""
        written = note(7, 6, "n")
        assert [p.kind for p in folded([BEST, written], edit(8, written.id, "not-same", BEST.id))] == [
            "highlight",
            "note",
        ]

    def test_a_split_that_was_cleared_joins_again(self) -> None:
        """Undo sets the old value back."""
        split = edit(7, BOTH.id, "not-same", BEST.id)
        assert len(folded([BEST, BOTH], split, edit(8, BOTH.id, "not-same", None, [split.id]))) == 1


class TestNotes:
    """What was written at it, on the Kindle and here."""

    DRAFT, NOTE = note(11, 6, "draft", "2024-01-01"), note(12, 6, "so true", "2024-01-02")

    def test_the_last_draft_is_shown(self) -> None:
        """The others are members, so their ids find the passage."""
        found = one([BEST, self.DRAFT, self.NOTE])
        assert (found.note, found.conflicts, len(found.members)) == ("so true", (), 3)

    def test_notes_at_different_locations_are_all_shown(self) -> None:
        """In reading order."""
        assert one([BEST, note(13, 5, "first", "2024-01-09"), self.NOTE]).note == "first\n\nso true"

    def test_an_edit_that_had_seen_the_note_replaces_it(self) -> None:
        """It stays with that edit."""
        found = one([BEST, self.NOTE], edit(20, BEST.id, "note", "mine", [self.NOTE.id]))
        assert (found.note, found.conflicts) == ("mine", ())

    def test_a_note_the_edit_did_not_know_stands_beside_it(self) -> None:
        """As an open conflict, not lost."""
        found = one([BEST, self.NOTE], edit(20, BEST.id, "note", "mine"))
        assert (found.note, found.conflicts) == ("so true\n\nmine", ("note",))

    def test_a_newer_draft_than_the_edit_knew_stands_beside_it(self) -> None:
        """The reader went on writing on the Kindle."""
        found = one([BEST, self.DRAFT, self.NOTE], edit(20, BEST.id, "note", "mine", [self.DRAFT.id]))
        assert (found.note, found.conflicts) == ("so true\n\nmine", ("note",))

    def test_a_note_that_was_cleared_is_gone(self) -> None:
        """Kindle's own note too, where the one who cleared it had seen it."""
        assert one([BEST, self.NOTE], edit(20, BEST.id, "note", None, [self.NOTE.id])).note is None

    def test_a_later_edit_still_keeps_the_note_replaced(self) -> None:
        """Through the edit before it."""
        first = edit(20, BEST.id, "note", "mine", [self.NOTE.id])
        assert one([BEST, self.NOTE], first, edit(21, BEST.id, "note", "mine 2", [first.id])).note == "mine 2"

    def test_a_bare_note_is_shown_at_its_place_with_its_drafts(self) -> None:
        """There is no highlight for it."""
        found = one([self.DRAFT, self.NOTE])
        assert (found.kind, found.text, found.note, found.id, len(found.members)) == (
            "note",
            "",
            "so true",
            self.DRAFT.id,
            2,
        )

    def test_a_note_that_an_edit_replaced_does_not_come_back_on_a_highlight_that_is_marked_later(self) -> None:
        """Without the edit it would sit on that highlight, which has its time."""
        old, written = mark(1, 5, 6, "one thing"), note(2, 6, "draft", "2024-01-02")
        new = mark(3, 6, 6, "quite another", "2024-01-02")
        said = edit(20, old.id, "note", "mine", [written.id])
        assert [(p.text, p.note) for p in folded([old, new, written])] == [("one thing", None), (new.text, "draft")]
        for history in ([said], [said, edit(21, old.id, "note", "mine", [said.id])]):
            shown = folded([old, new, written], *history)
            assert [(p.text, p.note, p.conflicts) for p in shown] == [("one thing", "mine", ()), (new.text, None, ())]

    def test_an_edit_of_a_bare_note_takes_what_it_had_seen_along_to_the_highlight_that_comes(self) -> None:
        """The drafts that it replaced, whatever highlight would suit them better."""
        draft, written = note(1, 6, "draft", "2024-01-02"), note(2, 6, "so true", "2024-01-03")
        marks = mark(3, 5, 6, "one thing", "2024-01-03"), mark(4, 5, 6, "quite another", "2024-01-02")
        said = edit(20, written.id, "note", "mine", [draft.id, written.id])
        shown = folded([*marks, draft, written], said)
        assert {p.text: p.note for p in shown} == {"one thing": "mine", "quite another": None}

    def test_a_note_that_was_parted_is_bare_though_an_edit_had_seen_it(self) -> None:
        """Parting is what its reader asked for last."""
        said = edit(20, BEST.id, "note", "mine", [self.NOTE.id])
        parted = edit(21, self.NOTE.id, "not-same", BEST.id)
        assert [(p.kind, p.note) for p in folded([BEST, self.NOTE], said, parted)] == [
            ("highlight", "mine"),
            ("note", "so true"),
        ]

    def test_a_bare_note_keeps_what_its_source_said_of_it_when_it_is_edited(self) -> None:
        """Its colour too, like that of a note nobody touched."""
        alone = replace(self.NOTE, color="blue", chapter="I")
        assert one([alone]) == single(alone, ("k",))
        found = one([alone], edit(20, alone.id, "tag:x", True))
        assert (found.color, found.chapter, found.tags) == ("blue", "I", ("x",))

    def test_a_note_on_an_older_form_belongs_to_the_passage(self) -> None:
        """It was written at the end of what was marked then."""
        assert one([BEST, SHORT, note(11, 6, "n", "2024-01-01")]).note == "n"


class TestErased:
    """An emptied trash leaves skeletons."""

    def test_what_is_erased_as_a_whole_is_hidden(self) -> None:
        """There is nothing to show."""
        assert one([skeleton(BEST)]).hidden
        assert one([skeleton(BEST), skeleton(replace(BEST, id=made(9)))]).hidden

    def test_a_form_that_was_erased_gives_way_to_an_equal_one_that_was_not(self) -> None:
        """Its text is shown, not the emptiness."""
        twin = replace(BEST, id=made(9), at="2023-01-01")
        found = one([skeleton(BEST), twin])
        assert (found.hidden, found.text, found.id) == (False, BEST.text, twin.id)

    def test_an_erased_note_is_not_shown(self) -> None:
        """Its highlight is."""
        found = one([BEST, skeleton(note(11, 6, "n"))])
        assert (found.note, found.hidden) == (None, False)

    def test_an_erased_passage_stays_deleted_when_its_twin_comes_from_another_device(self) -> None:
        """The skeleton is enough to know it by."""
        gone = skeleton(BEST)
        twin = replace(BEST, id=made(9))
        deleted = edit(20, BEST.id, "deleted", True, covers=(BEST.id,), mark={"k": "2024-01-31"})
        assert one([gone, twin], deleted).hidden

    def test_an_erased_passage_stays_deleted_when_an_older_form_of_it_comes_from_an_old_file(self) -> None:
        """The form is earlier than the mark; before the trash was emptied it is hidden, so it has to be after."""
        older = replace(BOTH, at="2023-01-01")
        deleted = edit(20, BEST.id, "deleted", True, covers=(BEST.id,), mark={"k": "2024-01-31"})
        assert all(p.hidden for p in folded([BEST, older], deleted))
        assert all(p.hidden for p in folded([skeleton(BEST), older], deleted))

    @pytest.mark.parametrize(
        ("field", "value", "shown"),
        [
            ("note", "mine", ("note", "", "mine", ())),
            ("text", "corrected", ("highlight", "corrected", None, ())),
            ("tag:x", True, ("note", "", None, ("x",))),
        ],
    )
    def test_what_somebody_says_who_knew_of_no_deletion_is_shown_though_the_words_are_erased(
        self, field: str, value: object, shown: tuple[object, ...]
    ) -> None:
        """Another device edited the passage before it heard that the trash was emptied: that edit is not lost."""
        deleted = edit(20, BEST.id, "deleted", True, covers=(BEST.id,), mark={"k": "2024-01-31"})
        found = one([skeleton(BEST)], deleted, edit(21, BEST.id, field, value))
        assert (found.kind, found.text, found.note, found.tags) == shown
        assert (found.hidden, found.erased) == (False, False)

    def test_that_can_be_deleted_and_erased_in_turn(self) -> None:
        """Once it is known, it goes like everything else."""
        said = edit(20, BEST.id, "note", "mine")
        deleted = edit(21, BEST.id, "deleted", True, covers=(BEST.id,), knew=(said.id,))
        found = one([skeleton(BEST)], said, deleted)
        assert (found.hidden, found.erased) == (True, False)
        found = one([skeleton(BEST)], skeleton_of_edit(said), deleted)
        assert (found.hidden, found.erased) == (True, True)

    def test_a_cleared_field_shows_nothing_of_what_is_erased(self) -> None:
        """Who took a note away, or a tag, or shared it, says nothing that one could see."""
        cleared = [edit(20, BEST.id, "note", None), edit(21, BEST.id, "tag:x", False)]
        found = one([skeleton(BEST)], *cleared, edit(22, BEST.id, "visibility", "friends"))
        assert (found.hidden, found.erased) == (True, True)

    def test_an_erased_note_between_two_others_of_its_page_stops_nothing(self) -> None:
        """Its words are gone, and with them what led from it to the note that held them."""
        first, longer = note_on_page(2, "abc", "2024-01-02"), note_on_page(3, "abc and more", "2024-01-03")
        gone = skeleton(note_on_page(1, "abc", "2024-01-01"))
        assert {p.note for p in folded([gone, first, longer])} == {"abc and more"}

    def test_a_highlight_on_which_a_deleted_note_comes_to_sit_is_not_deleted(self) -> None:
        """Nobody ever saw it together with the note."""
        old, new = mark(1, 10, 12, "one thing"), mark(3, 11, 12, "quite another", "2024-01-02")
        written = note(2, 12, "n", "2024-01-02")
        deleted = edit(20, old.id, "deleted", True, covers=(old.id, written.id), mark={"k": "2024-01-31"})
        assert [p.text for p in folded([old, new, written], deleted) if not p.hidden] == ["quite another"]


def note_on_page(number: int, text: str, at: str) -> Record:
    return on_page(number, "5", text, at, kind="note")


islands_ = st.lists(histories.records, min_size=1, max_size=8, unique_by=lambda r: r.id)
changes = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(["note", "text", "color", "tag:x", "favorite", "deleted", "not-same"]),
        st.integers(0, 3),
        st.lists(st.integers(0, 20), max_size=2),
        st.integers(0, 4),
    ),
    max_size=7,
)


@given(islands_, changes, st.randoms(use_true_random=False))
def test_no_order_of_records_edits_or_sources_shows(
    records: list[Record], specs: list[tuple[int, str, int, list[int], int]], random: randoms.Random
) -> None:
    """Each record is in one passage, and the passages are the same whatever arrived first."""
    records = [r for r in records if r.kind in passages.SHOWN]
    edits: list[Edit] = []
    for n, (target, field, value, seen, hlc) in enumerate(specs):
        if not records:
            break
        chosen = records[target % len(records)]
        known = [made(100 + s) for s in seen if s < n]
        more: dict[str, Any] = {"hlc": hlc}
        said: Any = None if value == 0 else f"{field} {value}"
        if field == "deleted":
            said = bool(value)
            if said:
                more |= {"covers": (chosen.id,), "knew": tuple(known), "mark": {"k": f"2024-01-0{value}T99"}}
        elif field == "not-same":
            said = records[value % len(records)].id
        edits.append(edit(100 + n, chosen.id, field, said, known, **more))
    sources = {r.id: ("k", "z")[: 1 + n % 2] for n, r in enumerate(records)}
    expected = folded(records, *edits, sources=sources)
    assert sorted(id_ for p in expected for id_ in p.members) == sorted(r.id for r in records)
    assert all(p.id in p.members for p in expected)
    random.shuffle(records)
    random.shuffle(edits)
    assert folded(records, *edits, sources={k: v[::-1] for k, v in sources.items()}) == expected
