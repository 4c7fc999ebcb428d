"""Finding: what a reader types becomes a query, and a hit shows the words that were found."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.histories import edit, import_of, record

from kindlehl.domain.errors import NotFoundError, UsageError
from kindlehl.domain.facts import Record
from kindlehl.ports import Library, Words
from kindlehl.services import finding
from kindlehl.services.finding import SNIPPET, Hit, books_matching, by_short_id, matches
from kindlehl.services.querying import read
from kindlehl.store.library import empty_library
from kindlehl.store.memory import MemoryLibrary


@pytest.fixture(params=[empty_library, MemoryLibrary])
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Both stores."""
    lib = request.param()
    yield lib
    lib.close()


def hold(library: Library, *rows: Record) -> None:
    with library.transaction():
        library.facts.add([*rows, import_of(1, "clippings", rows)])
        library.shelf.settle()


def searched(library: Library, text: str) -> list[Hit]:
    """What a reader finds who types this."""
    return finding.search(library, read(text), limit=5).hits


def quote(text: str, title: str = "Tale (Dickens, Charles)", start: int = 1, kind: str = "highlight") -> Record:
    return record(kind, title, text, start, 0, 1, False)


@pytest.mark.parametrize(
    ("typed", "text", "marked"),
    [
        ("best", "It was the Best of times", ["Best"]),
        ("of", "of coffee, of office", ["of", "of"]),
        ("cour*", "Courage and discourage", ["Courage"[:4]]),
        ('"best of"', "best, of best of", ["best, of", "best of"]),
        ("cafe", "Ein Café, zwei Cafés", ["Café"]),
        ("Café", "the cafe", ["cafe"]),
        ("strasse", "die Straße", ["Straße"]),
        ("ﬁrst", "first", ["first"]),
        ("若水", "上善若水。若水", ["若水", "若水"]),
        ("ｶﾞ", "ガ", ["ガ"]),
        ("한국", "나는한국사람", ["한국"]),
        ("ελλας", "Ελλάς", ["Ελλάς"]),
        ("don't", "I don’t", ["don’t"]),
        ("best -worst", "worst best", ["best"]),
        ("a.b", "a-b", ["a-b"]),
    ],
)
def test_marks_point_at_the_words_as_they_stand_in_the_text(typed: str, text: str, marked: list[str]) -> None:
    """Whatever diacritics, ligatures, case or script lie between what was typed and what stands there."""
    assert [text[a:b] for a, b in matches(text, read(typed).marked)] == marked


def test_a_mark_holds_the_whole_letter() -> None:
    """With the accent that some devices write after it."""
    text = "un cafe\u0301 noir"
    assert [text[a:b] for a, b in matches(text, read("café").marked)] == ["cafe\u0301"]


def test_words_of_other_alphabets_are_marked_whole() -> None:
    """The index finds `кот` as a word; `который` is another."""
    assert matches("который кот", [Words("кот")]) == [(8, 11)]


@given(st.text(max_size=30), st.text(max_size=5), st.text(max_size=10))
def test_marks_lie_within_the_text(before: str, word: str, after: str) -> None:
    """In order, none empty."""
    text = before + word + after
    found = matches(text, [Words(word)])
    assert all(0 <= a < b <= len(text) for a, b in found)
    assert found == sorted(found)


@given(
    st.integers(0, 120),
    st.integers(0, 120),
    st.sampled_from(["courage", "若水", "Café"]),
    st.sampled_from(["word ", "wörd ", "字"]),
)
def test_a_snippet_of_a_long_text_holds_the_first_word_found_and_marks_point_at_it(
    before: int, after: int, word: str, filler: str
) -> None:
    """Cut at white space; an ellipsis for what was cut off."""
    text = f"{filler * before} {word} {filler * after}"
    lib = MemoryLibrary()
    hold(lib, quote(text))
    (hit,) = searched(lib, word)
    assert len(hit.snippet) <= SNIPPET + 2
    (a, b), *_ = hit.marks
    assert hit.snippet[a:b] == word
    assert hit.snippet.strip("…").strip() in text
    assert hit.snippet.startswith("…") or text.startswith(hit.snippet.rstrip("…"))
    assert hit.snippet.endswith("…") or text.endswith(hit.snippet.lstrip("…"))


def test_a_hit_in_the_note_shows_the_note(library: Library) -> None:
    """And one in the text shows the text."""
    hold(library, quote("It was the best of times"), quote("so very true", kind="note"))
    (hit,) = searched(library, "very")
    assert (hit.snippet, [hit.snippet[a:b] for a, b in hit.marks]) == ("so very true", ["very"])
    (hit,) = searched(library, "best")
    assert hit.snippet == "It was the best of times"


def test_words_may_stand_one_in_the_text_and_one_in_the_note(library: Library) -> None:
    """A passage and its note are one thing to the reader."""
    hold(library, quote("It was the best of times"), quote("so very true", kind="note"))
    assert len(searched(library, "best true")) == 1
    assert searched(library, "best -true") == []


class TestBooks:
    """The books that are meant."""

    @pytest.fixture(autouse=True)
    def books(self, library: Library) -> None:
        """Three books."""
        hold(
            library,
            quote("a", "Les Misérables (Hugo, Victor)"),
            quote("b", "Tale (Dickens, Charles)"),
            quote("c", "草枕 (夏目 漱石)"),
        )

    @pytest.mark.parametrize(
        ("title", "author", "found"),
        [
            ("miserables", None, ["Les Misérables"]),
            ("MISÉR les", None, ["Les Misérables"]),
            ("草", None, ["草枕"]),
            (None, "victor hugo", ["Les Misérables"]),
            ("tale", "dickens", ["Tale"]),
            ("tale", "hugo", []),
            ("nothing", None, []),
            (None, None, ["Les Misérables", "Tale", "草枕"]),
        ],
    )
    def test_all_words_have_to_be_in_title_and_author(
        self, library: Library, title: str | None, author: str | None, found: list[str]
    ) -> None:
        """In any order, without diacritics."""
        assert [b.title for b in books_matching(library, title=title, author=author)] == found

    def test_a_book_is_known_by_the_beginning_of_its_id(self, library: Library) -> None:
        """From six letters on: fewer are a word."""
        book = books_matching(library, title="tale")[0]
        assert books_matching(library, title=book.id[:6].upper()) == [book]
        assert book not in books_matching(library, title=book.id[:5])


class TestShortIds:
    """Git-style short ids."""

    def test_the_first_letters_are_enough(self, library: Library) -> None:
        """Typed in capitals or with spaces round them."""
        row = quote("It was the best of times")
        hold(library, row)
        for typed in (row.id, row.id[:4], f" {row.id[:9].upper()} "):
            assert by_short_id(library, typed).id == row.id

    def test_a_revisions_id_finds_its_passage(self, library: Library) -> None:
        """What was once shown or exported goes on working."""
        old = quote("It was the best")
        new = record("highlight", "Tale (Dickens, Charles)", "It was the best of times", 1, 0, 2, False)
        hold(library, old, new)
        assert by_short_id(library, new.id).text == by_short_id(library, old.id).text == new.text

    @pytest.mark.parametrize("typed", ["abc", "", "xyz1", "1234%", "12_4", "a" * 37, "best"])
    def test_what_is_no_id_is_told_so(self, library: Library, typed: str) -> None:
        """Rather than not found."""
        with pytest.raises(UsageError, match="no id"):
            by_short_id(library, typed)

    def test_an_id_that_is_not_there_or_was_deleted_is_not_found(self, library: Library) -> None:
        """What is hidden is not shown by its id either."""
        row = quote("It was the best of times")
        hold(library, row)
        with library.transaction():
            library.facts.add([edit(2, row.id, "deleted", True, covers=(row.id,))])
            library.shelf.settle()
        for typed in (row.id, "00000000"):
            with pytest.raises(NotFoundError):
                by_short_id(library, typed)

    def test_several_that_start_alike_are_named(self, library: Library) -> None:
        """So that the reader can give more of it."""
        rows = [
            Record(f"abcd{n}000-0000-7000-8000-000000000000", "highlight", "T", "T", text=f"t{n}", location_start=n * 9)
            for n in (1, 2)
        ]
        hold(library, *rows)
        with pytest.raises(UsageError, match=r"abcd1000.*abcd2000"):
            by_short_id(library, "abcd")
        assert by_short_id(library, "abcd2").text == "t2"
