"""Which records are one passage, which of them is shown, and which note sits where."""

import random as randoms
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kindlehl.domain import erasure, passages
from kindlehl.domain.erasure import skeleton
from kindlehl.domain.facts import Id, Record, text_hash
from kindlehl.domain.passages import LOCATION, NOWHERE, PAGE, Place
from kindlehl.domain.text import matching

from .makers import made, mark, note, on_page

BEST = "It was the best of times"
WORST = "it was the worst of times"
BOTH = f"{BEST}, {WORST}"


def shown(*records: Record, apart: dict[Id, set[Id]] | None = None) -> list[str]:
    """The texts that are shown, by id."""
    heirs = passages.forms(records, apart)
    by_id = {r.id: r for r in records}
    return [by_id[id_].text for id_ in sorted(set(heirs.values()))]


class TestPages:
    """The order of printed page labels."""

    @pytest.mark.parametrize(
        ("label", "number"),
        [
            ("12", 12), (" 7 ", 7), ("007", 7), ("0", 0), ("9" * 40, (1 << 62) - 1),
            ("", None), ("A-3", None), ("12a", None), ("-1", None), ("1.5", None), ("١٢", None), ("²", None),
            ("cover", None), ("i" * 16, None),
        ],
    )  # fmt: skip
    def test_a_number_is_itself_and_an_unknown_label_is_nowhere(self, label: str, number: int | None) -> None:
        """What cannot be ordered is not guessed."""
        assert passages.page_number(label) == number

    def test_roman_pages_come_first_and_in_their_own_order(self) -> None:
        """Front matter is read before page 1."""
        roman = [
            "i",
            "II",
            "iii",
            "iv",
            "v",
            "vi",
            "ix",
            "x",
            "xi",
            "xiv",
            "xix",
            "xl",
            "xlix",
            "xc",
            "cd",
            "cm",
            "MCMXCIX",
        ]
        numbers = [passages.page_number(label) for label in roman]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) == len(roman)
        assert max(numbers) < 0
        assert numbers[-1] - numbers[0] == 1998

    @pytest.mark.parametrize(
        ("where", "place"),
        [
            ({"location_start": 5, "location_end": 7}, Place(LOCATION, 5, 7)),
            ({"location_start": 5}, Place(LOCATION, 5, 5)),
            ({"location_start": 7, "location_end": 5}, Place(LOCATION, 7, 7)),
            ({"location_start": 5, "page": "9"}, Place(LOCATION, 5, 5)),
            ({"page": "9"}, Place(PAGE, 9, 9)),
            ({"page": "12-9"}, Place(PAGE, 9, 12)),
            ({"page": "12-"}, Place(PAGE, 12, 12)),
            ({"page": "back cover"}, Place(NOWHERE, 0, 0)),
            ({"page": "3-x1"}, Place(NOWHERE, 0, 0)),
            ({}, Place(NOWHERE, 0, 0)),
        ],
    )
    def test_a_record_is_at_its_location_or_else_on_its_page(self, where: dict[str, object], place: Place) -> None:
        """Locations are exact, so they come before pages; what has neither is nowhere."""
        assert passages.place(replace(mark(1, None, None, "x"), **where)) == place

    def test_the_greatest_numbers_stay_within_what_a_database_holds(self) -> None:
        """A damaged file may state any number."""
        at = passages.place(mark(1, 10**30, 10**40, "x"))
        assert 0 <= at.start <= at.stop < 1 << 63


class TestIslands:
    """Runs of overlapping positions."""

    def test_touching_runs_are_one_and_the_next_location_is_another(self) -> None:
        """Ends are inclusive; lanes never touch; nowhere is alone."""
        located = [
            (0, 1, 5, "a"),
            (0, 2, 3, "b"),
            (0, 5, 6, "c"),
            (0, 7, 9, "d"),
            (1, 7, 9, "e"),
            (2, 0, 0, "f"),
            (2, 0, 0, "g"),
        ]
        assert list(passages.islands(located)) == [["a", "b", "c"], ["d"], ["e"], ["f"], ["g"]]

    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 5)), max_size=12))
    def test_nothing_overlaps_anything_of_another_island(self, spans: list[tuple[int, int, int]]) -> None:
        """And together they hold everything once."""
        located = sorted((lane, start, start + size, n) for n, (lane, start, size) in enumerate(spans))
        by_item = {item: (lane, start, stop) for lane, start, stop, item in located}
        runs = list(passages.islands(located))
        assert [item for run in runs for item in run] == [item for *_, item in located]
        for n, run in enumerate(runs):
            for other in runs[n + 1 :]:
                for a in (by_item[i] for i in run):
                    for b in (by_item[i] for i in other):
                        assert a[0] != b[0] or a[0] == NOWHERE or a[2] < b[1] or b[2] < a[1]


class TestForms:
    """A resized highlight is one highlight."""

    @pytest.mark.parametrize(("first", "then"), [(BEST, BOTH), (BOTH, BEST), (WORST, BOTH), (BOTH, WORST)])
    def test_of_a_resized_highlight_the_later_form_is_shown_longer_or_not(self, first: str, then: str) -> None:
        """Extended or shrunk, at the end or at the start: shrinking is deliberate."""
        rows = [mark(2, 5, 7, first, "2024-01-01T10:00:00"), mark(1, 5, 6, then, "2024-01-01T10:00:05")]
        assert shown(*rows) == shown(*rows[::-1]) == [then]

    def test_a_neighbour_is_never_eaten(self) -> None:
        """Two sentences of one opening, that share a location and words."""
        assert shown(mark(1, 5, 6, BEST), mark(2, 6, 7, WORST, "2024-01-02")) == [BEST, WORST]

    def test_one_text_at_two_places_is_two_passages(self) -> None:
        """A refrain is marked twice."""
        assert len(shown(mark(1, 5, 6, BEST), mark(2, 7, 8, BEST))) == 2

    def test_a_large_form_followed_by_two_disjoint_parts_leaves_both_parts(self) -> None:
        """Not transitive: neither part is a form of the other."""
        rows = [
            mark(1, 5, 8, BOTH, "2024-01-01"),
            mark(2, 5, 6, BEST, "2024-01-02"),
            mark(3, 7, 8, WORST, "2024-01-03"),
        ]
        assert shown(*rows) == [BEST, WORST]

    def test_two_parts_followed_by_a_large_form_are_that_form(self) -> None:
        """The other way round there is one heir."""
        rows = [
            mark(1, 5, 6, BEST, "2024-01-01"),
            mark(2, 7, 8, WORST, "2024-01-02"),
            mark(3, 5, 8, BOTH, "2024-01-03"),
        ]
        assert shown(*rows) == [BOTH]

    def test_a_text_that_was_cut_never_replaces_a_whole_one(self) -> None:
        """The publisher's limit was reached after the first marking."""
        assert shown(mark(1, 5, 8, BOTH, "2024-01-01"), mark(2, 5, 8, BEST, "2024-01-09", truncated=True)) == [BOTH]

    def test_a_cut_text_is_completed_by_an_earlier_whole_one_without_a_time(self) -> None:
        """Such as a notebook export, which states no times."""
        assert shown(mark(1, 5, 8, BOTH, None), mark(2, 5, 8, BEST, "2024-01-09", truncated=True)) == [BOTH]

    def test_an_unknown_time_replaces_no_known_one(self) -> None:
        """What has no time cannot be later."""
        assert shown(mark(2, 5, 8, BEST, "1970-01-01"), mark(1, 5, 8, BOTH, None)) == [BEST]

    def test_at_one_time_the_longer_form_is_later_and_then_the_greater_id(self) -> None:
        """Old Kindles state minutes."""
        assert shown(mark(2, 5, 8, BEST), mark(1, 5, 8, BOTH)) == [BOTH]
        assert passages.forms([mark(1, 5, 8, BEST), mark(2, 5, 8, BEST)]) == {made(1): made(2), made(2): made(2)}

    def test_the_heir_is_the_form_of_greatest_overlap_and_then_the_latest(self) -> None:
        """A long form that was parted in two goes on in the larger part."""
        whole, small, large = (
            mark(1, 0, 9, "one two three four", "2024-01-01"),
            mark(2, 0, 2, "one", "2024-01-03"),
            mark(3, 3, 9, "two three four", "2024-01-02"),
        )
        assert passages.forms([whole, small, large])[whole.id] == large.id

    def test_heirs_are_followed_to_the_end(self) -> None:
        """A form, its extension, the extension's extension."""
        rows = [
            mark(1, 0, 1, "a b", "2024-01-01"),
            mark(2, 0, 2, "a b c", "2024-01-02"),
            mark(3, 0, 3, "a b c d", "2024-01-03"),
        ]
        assert set(passages.forms(rows).values()) == {made(3)}

    @pytest.mark.parametrize("kind", ["bookmark", "clip"])
    def test_bookmarks_and_clips_are_one_only_where_they_are_equal(self, kind: str) -> None:
        """A bookmark beside another is another."""
        same = [mark(1, 5, 6, "", kind=kind), mark(2, 5, 6, "", "2024-01-02", kind=kind)]
        assert len(set(passages.forms(same).values())) == 1
        assert len(set(passages.forms([*same, mark(3, 5, 7, "", kind=kind)]).values())) == 2

    def test_a_bookmark_is_no_form_of_a_highlight(self) -> None:
        """Nor is a clip, whatever their texts."""
        rows = [mark(1, 5, 6, BEST), mark(2, 5, 6, BEST, kind="clip"), mark(3, 5, 6, "", kind="bookmark")]
        assert len(set(passages.forms(rows).values())) == 3

    def test_position_alone_makes_no_forms(self) -> None:
        """It would eat 246 neighbours of the corpus."""
        assert len(shown(mark(1, 5, 6, "one thing"), mark(2, 5, 6, "another"), mark(3, 5, 6, ""))) == 3

    def test_what_has_no_position_is_no_form_of_anything(self) -> None:
        """The same words may stand in many places."""
        assert len(shown(mark(1, None, None, BEST), mark(2, None, None, BEST, "2024-01-02"))) == 2

    def test_an_erased_form_stays_with_its_equals(self) -> None:
        """Deleted stays deleted: what comes back in another file meets its skeleton."""
        gone = skeleton(mark(1, 5, 8, BEST))
        back = mark(2, 5, 8, f"“{BEST}”".strip("“”").upper(), "2024-01-02")
        assert set(passages.forms([gone, back]).values()) == {back.id}
        assert len(set(passages.forms([gone, mark(3, 5, 8, WORST)]).values())) == 2

    def test_what_the_reader_keeps_apart_is_apart_from_either_side(self) -> None:
        """Named from one record or from the other."""
        rows = [mark(1, 5, 8, BEST), mark(2, 5, 8, BOTH, "2024-01-02")]
        assert shown(*rows, apart={made(1): {made(2)}}) == shown(*rows, apart={made(2): {made(1)}}) == [BEST, BOTH]

    def test_equal_records_kept_apart_are_two(self) -> None:
        """Collapsing equal texts does not undo a parting."""
        rows = [mark(1, 5, 8, BEST), mark(2, 5, 8, BEST, "2024-01-02")]
        assert len(set(passages.forms(rows, {made(1): {made(2)}}).values())) == 2


class TestPagesAlone:
    """A page is a wide place, where words recur by chance."""

    def test_two_passages_of_one_page_are_two(self) -> None:
        """As a PDF has them."""
        assert shown(on_page(1, "12", "Highlight 1"), on_page(2, "12", "Highlight 2")) == ["Highlight 1", "Highlight 2"]

    def test_a_word_inside_a_sentence_of_the_page_is_a_passage_of_its_own(self) -> None:
        """Eleven characters are no passage yet, whichever was first."""
        assert (
            len(shown(on_page(1, "12", f"{BEST} of eleven char"), on_page(2, "12", "eleven char", "2024-01-02"))) == 2
        )
        assert (
            len(shown(on_page(1, "12", f"{BEST} of eleven char", "2024-01-02"), on_page(2, "12", "eleven char"))) == 2
        )

    def test_a_resized_passage_is_one(self) -> None:
        """Twelve characters are: every such pair of the corpus was made within minutes."""
        assert shown(on_page(1, "12", BOTH), on_page(2, "12", "best of time", "2024-01-02")) == ["best of time"]

    def test_an_equal_word_is_the_same_passage(self) -> None:
        """Shorter than a passage, but equal after normalising."""
        assert shown(on_page(1, "12", "Sapere"), on_page(2, "12", "sapere", "2024-01-02")) == ["sapere"]

    def test_a_page_and_a_location_are_never_compared(self) -> None:
        """They are different lanes."""
        assert len(shown(on_page(1, "5", BEST))) + len(shown(mark(2, 5, 5, BEST))) == 2
        assert passages.are_forms(on_page(1, "5", BEST), mark(2, 5, 5, BEST)) is False


WORDS = ("a", "a b", "b", "a b c", "c", "b c", "the long one of them all", "long one of them", "A  B", "")
made_marks = st.builds(
    lambda start, size, text, at, cut, kind, page, gone: (start, size, text, at, cut, kind, page, gone),
    st.integers(0, 6),
    st.integers(0, 4),
    st.sampled_from(WORDS),
    st.one_of(st.none(), st.integers(1, 5)),
    st.sampled_from([False, False, False, True]),
    st.sampled_from(["highlight"] * 5 + ["bookmark"]),
    st.just(False),
    st.sampled_from([False] * 6 + [True]),
)


def built(n: int, spec: tuple[int, int, str, int | None, bool, str, bool, bool], *, page: bool = False) -> Record:
    start, size, text, at, cut, kind, _, gone = spec
    stamp = None if at is None else f"2024-01-{at:02}"
    more = {"truncated": cut, "kind": kind}
    made_ = (
        on_page(n, f"{start}-{start + size}", text, stamp, **more)
        if page
        else mark(n, start, start + size, text, stamp, **more)
    )
    return skeleton(made_) if gone else made_


def related(one: Record, other: Record) -> bool:
    """Whether two records are forms of one passage."""
    a, b = passages.place(one), passages.place(other)
    if one.kind != other.kind or a.lane != b.lane or a.start > b.stop or b.start > a.stop:
        return False
    x, y = matching(one.text), matching(other.text)
    hashes = [r.text_hash or text_hash(matching(r.text)) for r in (one, other)]
    if one.kind != "highlight":
        return a == b and x == y and one.erased == other.erased and one.text_hash == other.text_hash
    if (not x and not one.erased) or (not y and not other.erased):
        # Never for empty text; two that are equal in every respect are collapsed all the same.
        return a == b and x == y and not one.erased and not other.erased
    if one.erased or other.erased:
        sketches = [(r.sketch or "") if r.erased else erasure.sketch(matching(r.text)) for r in (one, other)]
        return hashes[0] == hashes[1] or erasure.overlapping(*sketches)
    short = a.lane == PAGE and min(len(x), len(y)) < 12
    return x == y if short else x in y or y in x


def all_pairs(records: list[Record]) -> dict[Id, Id]:
    """sync.md word for word, every record against every other, nothing collapsed."""

    heir: dict[Id, Id] = {}
    for one in records:
        a = passages.place(one)
        claims = []
        for other in records:
            if passages.later(other) > passages.later(one) and related(one, other):
                b = passages.place(other)
                claims.append((min(a.stop, b.stop) - max(a.start, b.start), passages.later(other), other.id))
        if claims:
            heir[one.id] = max(claims)[2]
    out = {}
    for one in records:
        end = one.id
        while end in heir:
            end = heir[end]
        out[one.id] = end
    return out


@given(st.lists(made_marks, max_size=10), st.booleans(), st.randoms(use_true_random=False))
@example([(0, 0, "a", 1, False, "highlight", False, False)] * 3, False, randoms.Random(1))
def test_the_sweep_finds_what_comparing_all_pairs_finds(
    specs: list[tuple[int, int, str, int | None, bool, str, bool, bool]], page: bool, random: randoms.Random
) -> None:
    """Equal texts collapsed, places sorted, in any order of records: no shortcut shows."""
    records = [built(n, spec, page=page) for n, spec in enumerate(specs)]
    expected = all_pairs(records)
    random.shuffle(records)
    assert passages.forms(records) == expected


@given(st.lists(made_marks, min_size=2, max_size=10))
def test_what_is_shown_is_later_than_all_it_replaces_and_no_two_shown_are_forms(
    specs: list[tuple[int, int, str, int | None, bool, str, bool, bool]],
) -> None:
    """Each passage once, and always its latest."""
    records = [r for n, spec in enumerate(specs) if (r := built(n, spec)).kind == "highlight" and r.text]
    heirs = passages.forms(records) if records else {}
    by_id = {r.id: r for r in records}
    for old, new in heirs.items():
        assert passages.later(by_id[new]) >= passages.later(by_id[old])
    ends = sorted(set(heirs.values()))
    for n, one in enumerate(ends):
        assert not any(passages.are_forms(by_id[one], by_id[other]) for other in ends[n + 1 :])


class TestNotes:
    """The note sits on its highlight."""

    @staticmethod
    def _on(written: Record, *highlights: Record) -> Id | None:
        for order in (highlights, highlights[::-1]):
            found = passages.attach(written, order)
            answer = found and found.id
        return answer

    def test_the_same_time_comes_before_everything(self) -> None:
        """Kindles write note and highlight in one second."""
        rows = mark(1, 5, 9, "x", "2024-01-02"), mark(2, 3, 7, "y", "2024-01-01")
        assert self._on(note(9, 7, "n", "2024-01-02"), *rows) == made(1)

    def test_then_the_highlight_that_ends_there(self) -> None:
        """A note stands at its highlight's end."""
        rows = mark(1, 5, 9, "x", "2024-01-03"), mark(2, 3, 7, "y", "2024-01-01")
        assert self._on(note(9, 7, "n", "2024-01-04"), *rows) == made(2)

    def test_then_the_latest_not_after_it(self) -> None:
        """The form that was there when the note was written."""
        rows = [mark(n, 5, 7, "x", f"2024-01-0{n}") for n in (1, 2, 3)]
        assert self._on(note(9, 7, "n", "2024-01-02T12"), *rows) == made(2)

    def test_then_the_next_after_it(self) -> None:
        """A note may come before its highlight."""
        rows = [mark(n, 5, 7, "x", f"2024-01-0{n}") for n in (2, 3, 4)]
        assert self._on(note(9, 7, "n", "2024-01-01"), *rows) == made(2)

    def test_of_two_made_in_one_minute_the_order_of_the_file_does_not_choose(self) -> None:
        """The ids do."""
        rows = mark(1, 5, 7, "x"), mark(2, 5, 7, "y")
        assert self._on(note(9, 7, "n", "2024-01-02"), *rows) == made(2)
        assert self._on(note(9, 7, "n", "2023-01-02"), *rows) == made(1)

    @pytest.mark.parametrize("location", [4, 8])
    def test_a_note_beside_every_highlight_is_bare(self, location: int) -> None:
        """Before its start and after its end."""
        assert self._on(note(9, location, "n"), mark(1, 5, 7, "x")) is None

    def test_a_note_without_a_position_is_bare(self) -> None:
        """And one on a page does not sit on a location."""
        assert self._on(mark(9, None, None, "n", kind="note"), mark(1, None, None, "x")) is None
        assert self._on(on_page(9, "5", "n", kind="note"), mark(1, 5, 5, "x")) is None
        assert self._on(on_page(9, "5", "n", kind="note"), on_page(1, "5", "x")) == made(1)

    @given(
        st.lists(st.tuples(st.integers(1, 6), st.integers(0, 4), st.one_of(st.none(), st.integers(1, 3))), max_size=6),
        st.integers(1, 9),
        st.one_of(st.none(), st.integers(1, 3)),
        st.randoms(use_true_random=False),
    )
    def test_the_order_of_the_highlights_never_matters(
        self, spans: list[tuple[int, int, int | None]], location: int, at: int | None, random: randoms.Random
    ) -> None:
        """Nor of the files they came from."""
        rows = [
            mark(n, start, start + size, "x", when and f"2024-01-0{when}")
            for n, (start, size, when) in enumerate(spans)
        ]
        written = note(99, location, "n", at and f"2024-01-0{at}")
        found = passages.attach(written, rows)
        random.shuffle(rows)
        assert passages.attach(written, rows) == found

    def test_of_the_drafts_at_one_location_the_last_is_shown(self) -> None:
        """An edited note is another record, whatever became of its words."""
        rows = [note(1, 7, "draft"), note(2, 7, "other words", "2024-01-02"), note(3, 9, "elsewhere")]
        assert (
            [n.text for n in passages.drafts(rows)]
            == [n.text for n in passages.drafts(rows[::-1])]
            == ["other words", "elsewhere"]
        )

    def test_notes_on_a_page_alone_are_drafts_only_where_one_holds_the_other(self) -> None:
        """A page has room for many notes."""
        rows = [
            on_page(n, "7", text, f"2024-01-0{n}", kind="note") for n, text in ((1, "so"), (2, "so true"), (3, "why?"))
        ]
        assert [n.text for n in passages.drafts(rows)] == ["so true", "why?"]

    def test_notes_without_a_position_are_all_shown(self) -> None:
        """Nothing tells that one is a draft of another."""
        rows = [mark(n, None, None, "so", f"2024-01-0{n}", kind="note") for n in (1, 2)]
        assert len(passages.drafts(rows)) == 2
