"""What became of edits: heads, the five policies, and what is hidden by a deletion."""

import random as randoms
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.domain import fields
from kindlehl.domain.facts import Edit, Id, Record

from .makers import Seen, edit, made, mark, note


def heads(*edits: Edit, beside: tuple[Edit, ...] = ()) -> dict[str, list[Any]]:
    """Field → values of the heads."""
    found = fields.heads(edits, Seen([*edits, *beside]))
    return {field: [e.value for e in es] for field, es in found.items()}


class TestHeads:
    """An edit is replaced only by somebody who had seen it."""

    def test_an_edit_replaces_what_it_had_seen(self) -> None:
        """And nothing else, whatever the clocks say."""
        first, second = edit(9, made(1), "note", "a", hlc=99), edit(8, made(1), "note", "b", [made(9)], hlc=1)
        assert heads(first, second) == {"note": ["b"]}

    def test_two_edits_that_had_not_seen_each_other_are_both_heads_by_their_clocks(self) -> None:
        """Equal stamps go by id."""
        assert heads(edit(2, "x", "color", "b", hlc=1), edit(1, "x", "color", "a", hlc=2)) == {"color": ["b", "a"]}
        assert heads(edit(2, "x", "color", "b", hlc=1), edit(1, "x", "color", "a", hlc=1)) == {"color": ["a", "b"]}

    def test_what_was_seen_is_followed_through_edits_of_other_passages(self) -> None:
        """A split takes the edit between away; what it knew stays known."""
        first, last = edit(1, "x", "note", "a"), edit(3, "x", "note", "c", [made(2)])
        between = edit(2, "y", "note", "b", [made(1)])
        assert heads(first, last, beside=(between,)) == {"note": ["c"]}
        assert heads(first, last) == {"note": ["a", "c"]}

    def test_an_erased_edit_is_no_head_and_still_replaces(self) -> None:
        """Its skeleton keeps what it had seen."""
        assert heads(edit(1, "x", "note", "a"), edit(2, "x", "note", None, [made(1)], erased=True)) == {}

    def test_fields_do_not_meet(self) -> None:
        """Each tag is a field of its own."""
        assert heads(edit(1, "x", "tag:a", True), edit(2, "x", "tag:b", True), edit(3, "x", "note", "n")) == {
            "tag:a": [True],
            "tag:b": [True],
            "note": ["n"],
        }

    @given(
        st.lists(
            st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.lists(st.integers(0, 9), max_size=3)), max_size=9
        ),
        st.randoms(use_true_random=False),
    )
    def test_the_order_of_edits_never_matters(
        self, specs: list[tuple[str, int, list[int]]], random: randoms.Random
    ) -> None:
        """Nor does one edit disappear unless another, transitively, had seen it."""
        edits = [
            edit(n, "x", f, n, [made(s) for s in seen if s < n], hlc=hlc) for n, (f, hlc, seen) in enumerate(specs)
        ]
        found = fields.heads(edits, Seen(edits))
        seen_by_any = Seen(edits).before(id_ for e in edits for id_ in e.seen)
        assert {e.id for es in found.values() for e in es} == {e.id for e in edits} - seen_by_any
        random.shuffle(edits)
        assert fields.heads(edits, Seen(edits)) == found


class TestPolicies:
    """Five ways to show several heads."""

    def test_colour_favourite_and_title_are_the_newest(self) -> None:
        """Nothing, where nobody said anything."""
        assert fields.newest([edit(1, "x", "color", "a"), edit(2, "x", "color", "b")]) == "b"
        assert fields.newest([edit(1, "x", "color", "a"), edit(2, "x", "color", None)]) is None
        assert fields.newest([]) is None

    @pytest.mark.parametrize(
        ("values", "there"),
        [([False, True], True), ([True, False], True), ([False], False), ([], False), ([None], False)],
    )
    def test_a_tag_is_there_if_any_head_says_so(self, values: list[bool | None], there: bool) -> None:
        """Of two devices the one that wanted it wins."""
        assert fields.any_true([edit(n, "x", "tag:a", v) for n, v in enumerate(values)]) is there

    @pytest.mark.parametrize(
        ("values", "shown"),
        [
            ([], "private"),
            (["public"], "public"),
            (["public", "friends"], "friends"),
            (["everyone", "public"], "everyone"),
            (["public", "secret"], "private"),
            ([None, "public"], "private"),
            ([True], "private"),
            (["Public"], "private"),
        ],
    )
    def test_visibility_is_the_most_private_and_what_is_not_understood_is_private(
        self, values: list[Any], shown: str
    ) -> None:
        """Nothing is published by a disagreement."""
        assert fields.most_private([edit(n, "x", "visibility", v) for n, v in enumerate(values)]) == shown

    def test_texts_are_kept_beside_each_other_and_equal_ones_are_one(self) -> None:
        """Oldest first; a cleared one adds no words."""
        assert fields.variants([edit(n, "x", "note", v) for n, v in enumerate(["b", "a", None, "b", ""])]) == ["b", "a"]


FORM = mark(1, 5, 8, "it was the best", "2024-01-10")
LATER = mark(2, 5, 8, "it was the best of times", "2024-02-10")
SAME = mark(3, 5, 9, "it was the best of times", "2024-01-10")
EARLIER = mark(4, 5, 9, "it was the best of", "2024-01-01")
TIMELESS = mark(5, 5, 9, "it was", None)


def deletion(number: int, *covers: Record, mark: dict[str, str] | None = None, knew: tuple[Edit, ...] = ()) -> Edit:
    return edit(
        number, covers[0].id, "deleted", True, covers=tuple(r.id for r in covers), knew=tuple(e.id for e in knew),
        mark={"k": "2024-01-31"} if mark is None else mark,
    )  # fmt: skip


def hidden(
    records: tuple[Record, ...],
    deletions: tuple[Edit, ...],
    edits: tuple[Edit, ...] = (),
    sources: dict[Id, tuple[str, ...]] | None = None,
    related: dict[Id, set[Id]] | None = None,
) -> bool:
    """Whether a passage is hidden; all of its records are forms of each other and come from source k, unless told."""
    ids = {r.id for r in records}
    return fields.is_hidden(
        records,
        [*edits, *deletions],
        deletions,
        related or {r.id: ids for r in records},
        {r.id: ("k",) for r in records} | (sources or {}),
        Seen([*edits, *deletions]),
    )


class TestHidden:
    """Deleted stays deleted; a deliberate re-highlight revives."""

    def test_what_nobody_deleted_is_shown(self) -> None:
        """Whatever it holds."""
        assert not hidden((FORM, LATER), ())

    def test_what_the_deletion_covers_is_hidden(self) -> None:
        """All that its author was shown."""
        assert hidden((FORM,), (deletion(9, FORM),))
        assert hidden((FORM, LATER), (deletion(9, FORM, LATER),))

    def test_a_later_mark_on_the_same_source_is_a_new_wish(self) -> None:
        """The reader marked it again on that Kindle."""
        assert not hidden((FORM, LATER), (deletion(9, FORM),))

    @pytest.mark.parametrize("form", [EARLIER, SAME])
    def test_an_earlier_or_equal_mark_on_the_same_source_revives_nothing(self, form: Record) -> None:
        """The author's copy of that file had reached it; up to the mark itself."""
        assert hidden((FORM, form), (deletion(9, FORM, mark={"k": "2024-01-10"}),))

    def test_a_mark_without_a_time_is_never_later(self) -> None:
        """Nothing tells that it was made after the deletion."""
        assert hidden((FORM, TIMELESS), (deletion(9, FORM),))

    def test_a_mark_on_a_clock_behind_the_deletion_stays_hidden(self) -> None:
        """A Kindle that was reset to 1970: the import says so, with the line that restores it."""
        assert hidden((FORM, mark(6, 5, 8, "it was the best", "1970-01-01")), (deletion(9, FORM),))

    def test_another_device_that_imports_an_old_file_revives_nothing(self) -> None:
        """The deletion knows no mark of that source, however late its clock."""
        assert hidden((FORM, LATER), (deletion(9, FORM),), sources={LATER.id: ("other",)})

    def test_a_record_that_two_sources_hold_has_to_be_later_on_one_of_their_clocks(self) -> None:
        """The unmarked source says nothing against the one that is marked."""
        assert not hidden((FORM, LATER), (deletion(9, FORM),), sources={LATER.id: ("other", "k")})

    def test_a_record_of_no_source_is_known(self) -> None:
        """One that only an edit keeps present has no clock."""
        assert hidden((FORM, LATER), (deletion(9, FORM),), sources={LATER.id: ()})

    def test_what_is_no_form_of_anything_covered_brings_the_passage_back(self) -> None:
        """It was never shown to whoever deleted, in any form."""
        apart = {FORM.id: {FORM.id}, EARLIER.id: {EARLIER.id}}
        assert not hidden((FORM, EARLIER), (deletion(9, FORM),), related=apart)

    def test_an_edit_the_deleter_had_not_seen_brings_the_passage_back(self) -> None:
        """Anna's tablet edited it."""
        by_anna = edit(7, FORM.id, "note", "keep this")
        assert not hidden((FORM,), (deletion(9, FORM),), (by_anna,))
        assert hidden((FORM,), (deletion(9, FORM, knew=(by_anna,)),), (by_anna,))

    def test_an_edit_seen_by_one_the_deleter_knew_is_known(self) -> None:
        """Heads stand for all they replaced."""
        first = edit(6, FORM.id, "note", "a")
        head = edit(7, FORM.id, "note", "b", [first.id])
        assert hidden((FORM,), (deletion(9, FORM, knew=(head,)),), (first, head))

    def test_an_edit_that_had_seen_a_known_one_is_unknown(self) -> None:
        """Somebody went on writing elsewhere."""
        first = edit(6, FORM.id, "note", "a")
        after = edit(7, FORM.id, "note", "b", [first.id])
        assert not hidden((FORM,), (deletion(9, FORM, knew=(first,)),), (first, after))

    def test_an_erased_edit_brings_nothing_back(self) -> None:
        """There is nothing left to keep."""
        assert hidden((FORM,), (deletion(9, FORM),), (edit(7, FORM.id, "note", None, erased=True),))

    def test_two_deletions_of_one_passage_do_not_revive_it(self) -> None:
        """Neither had seen the other."""
        assert hidden((FORM,), (deletion(8, FORM), deletion(9, FORM)))

    def test_several_deletions_hide_together_what_each_knew_in_part(self) -> None:
        """Two passages, deleted one by one, that a later record makes one."""
        assert hidden((FORM, LATER), (deletion(8, FORM), deletion(9, LATER)))
        a, b = edit(5, FORM.id, "note", "a"), edit(6, LATER.id, "note", "b")
        assert hidden((FORM, LATER), (deletion(8, FORM, knew=(a,)), deletion(9, LATER, knew=(b,))), (a, b))
        assert not hidden((FORM, LATER), (deletion(8, FORM, knew=(a,)), deletion(9, LATER)), (a, b))

    def test_a_note_written_later_on_that_kindle_is_a_new_wish_and_an_older_one_is_not(self) -> None:
        """A note is related to the highlight it sits on."""
        assert hidden((FORM, note(6, 8, "n", "2024-01-20")), (deletion(9, FORM),))
        assert not hidden((FORM, note(6, 8, "n", "2024-02-20")), (deletion(9, FORM),))

    @given(
        st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.booleans()), min_size=1, max_size=4),
        st.lists(st.tuples(st.integers(0, 15), st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=3),
        st.lists(st.booleans(), max_size=2),
        st.randoms(use_true_random=False),
    )
    def test_hidden_if_every_record_and_every_edit_is_known_to_a_deletion(
        self,
        specs: list[tuple[bool, int, bool]],
        gone: list[tuple[int, int, int]],
        written: list[bool],
        random: randoms.Random,
    ) -> None:
        """Rule 5 as it is written, in any order of everything."""
        records = [mark(n, 5, 8, "x", f"2024-01-0{at}" if timed else None) for n, (timed, at, _) in enumerate(specs)]
        sources = {r.id: ("k",) if here else ("other",) for r, (_, _, here) in zip(records, specs, strict=True)}
        edits = [edit(50 + n, records[0].id, "note", "x") for n, _ in enumerate(written)]
        deletions = []
        for n, (cover, reach, knew) in enumerate(gone):
            covers = [r for m, r in enumerate(records) if cover >> m & 1]
            if covers:
                knows = tuple(e for m, e in enumerate(edits) if knew >> m & 1)
                deletions.append(deletion(90 + n, *covers, mark={"k": f"2024-01-0{reach}"}, knew=knows))

        def known(record: Record) -> bool:
            return any(
                record.id in d.covers
                or record.at is None
                or any(s not in d.mark or record.at <= d.mark[s] for s in sources[record.id])
                for d in deletions
            )

        expected = (
            bool(deletions) and all(map(known, records)) and all(any(e.id in d.knew for d in deletions) for e in edits)
        )
        for order in (records, edits, deletions):
            random.shuffle(order)
        assert hidden(tuple(records), tuple(deletions), tuple(edits), sources) is expected
