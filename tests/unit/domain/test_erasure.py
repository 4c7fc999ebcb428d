"""What is left of a fact whose words are gone: enough to know its other forms by, and no words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl import wire
from kindlehl.domain import erasure, passages
from kindlehl.domain.text import matching, units

from .makers import edit, mark, note, on_page

BEST = "It was the best of times, it was the worst of times"


def sketch(text: str) -> str:
    return erasure.sketch(matching(text))


class TestSketch:
    """By which a longer or a shorter form of an erased passage is known."""

    @pytest.mark.parametrize(
        ("part", "whole"),
        [
            ("it was the best of times", BEST),
            ("the best of times", BEST),
            ("s the best of times, it wa", BEST),
            ("“It was the BEST of times”", f"He said: {BEST}"),
            ("若水。水善", "上善若水。水善利万物而不争"),
            ("не могу поступить иначе", "Здесь я стою и не могу поступить иначе."),
        ],
    )
    def test_a_part_is_known_in_the_whole_and_the_whole_by_its_part(self, part: str, whole: str) -> None:
        """Whatever the typography, and where words at the ends are cut."""
        assert erasure.overlapping(sketch(part), sketch(whole))
        assert erasure.overlapping(sketch(whole), sketch(part))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("it was the best of times", "it was the worst of times"),
            ("the best", BEST),
            ("", BEST),
            ("", ""),
            ("…", BEST),
        ],
    )
    def test_neighbours_and_a_few_words_are_not(self, one: str, other: str) -> None:
        """Three words are no evidence: a neighbour that only begins alike must not be hidden."""
        assert not erasure.overlapping(sketch(one), sketch(other))

    def test_it_is_pinned(self) -> None:
        """Replicas compare sketches that others made."""
        assert sketch(BEST) == "468553468e53"
        assert sketch("上善若水 is water") == "195f14"

    @given(st.text(max_size=200))
    def test_it_takes_one_digit_for_a_unit_and_none_of_the_words(self, text: str) -> None:
        """Four bits a word, and never an error."""
        made = sketch(text)
        assert len(made) == len(units(matching(text)))
        assert set(made) <= set("0123456789abcdef")


class TestSkeleton:
    """What stays in the library's file."""

    def test_no_word_of_a_record_or_an_edit_is_left(self) -> None:
        """Neither of the passage, nor of its note, tag, title, chapter or file."""
        secret = mark(1, 5, 6, "Sapere aude, dixit", raw_title="Sapere (Horatius)", chapter="Sapere", color="Sapere")
        left = [wire.encode(erasure.skeleton(secret)), wire.encode(erasure.skeleton(note(2, 6, "Sapere")))]
        left += [wire.encode(erasure.skeleton_of_edit(edit(3, secret.id, "tag:Sapere", True)))]
        left += [wire.encode(erasure.skeleton_of_edit(edit(4, secret.id, "note", "Sapere")))]
        assert not [body for body in left if "sapere" in body.lower() or "horat" in body.lower()]

    @pytest.mark.parametrize("record", [mark(1, 5, 6, BEST), note(1, 6, BEST), on_page(1, "xii", BEST)])
    def test_kind_place_time_book_and_order_stay(self, record: object) -> None:
        """So nothing else moves when it is erased."""
        left = erasure.skeleton(record)
        assert (left.kind, left.at, left.atom, passages.place(left)) == (
            record.kind, record.at, record.atom, passages.place(record),
        )  # fmt: skip
        assert passages.later(left) == passages.later(record)
        assert erasure.skeleton(left) == left

    def test_a_note_leaves_no_sketch(self) -> None:
        """It is the reader's own, and stands in no book."""
        assert erasure.skeleton(note(1, 6, BEST)).sketch is None
