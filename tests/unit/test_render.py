"""What people read in a terminal: no book can command it, and columns are counted as they are shown."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.cli import render
from kindlehl.cli.render import Terminal
from kindlehl.domain.library import Book, Highlight
from kindlehl.services.items import book_item, item

SHOWN = Highlight(
    "0123456789-x", "highlight", "b1", "Tale", "Dickens", "It was the best of times", "so true", page="12"
)
EVIL = "\x1b]0;title\x07\x1b[31mred\x9b2J\x08\x7f\r\x85\u202eevil\u2066\x00"
COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def terminal(width: int = 40, *, colored: bool = False) -> Terminal:
    made = Terminal(io.StringIO())
    made.width, made.colored = width, colored
    return made


def printed(h: Highlight, **more: Any) -> list[str]:
    return list(render.passage(terminal(**more), h, h.text, h.note))


class TestCommands:
    """Control characters never reach the terminal."""

    @given(st.text(st.one_of(st.characters(max_codepoint=0xA0), st.characters()), max_size=30))
    def test_a_clean_text_commands_nothing(self, text: str) -> None:
        """No escape, no bell, no backspace, no C1, no direction override; line feeds stay."""
        assert not COMMANDS.search(render.clean(text))
        assert render.clean(text).count("\n") == text.count("\n")

    @pytest.mark.parametrize("field", ["text", "note", "title", "author", "page", "tags"])
    def test_no_field_of_a_passage_commands_the_terminal(self, field: str) -> None:
        """Whoever wrote the book, the file or the note."""
        h = replace(SHOWN, **{field: (EVIL,) if field == "tags" else EVIL})
        lines = [*printed(h), *render.heading(terminal(), h.title, h.author), render.plain(h)]
        assert not COMMANDS.search("".join(lines).replace("\t", ""))

    @pytest.mark.parametrize("field", ["color", "added_at"])
    def test_colours_and_times_are_words_of_somebody_too(self, field: str) -> None:
        """Of another device, a third party's importer, or a library that somebody shared."""
        assert not COMMANDS.search("".join(printed(replace(SHOWN, **{field: EVIL}))))

    @pytest.mark.parametrize(
        "field",
        [
            "author",
            "page",
            "tags",
        ],
    )
    def test_a_line_feed_in_a_field_begins_no_line_that_looks_like_ours(self, field: str) -> None:
        """An author's name could else pretend to be another highlight."""
        h = replace(SHOWN, **{field: ("a\nfake",) if field == "tags" else "a\nfake"})
        lines = [*printed(h), *render.heading(terminal(), h.title, h.author)]
        assert not any(line.startswith("fake") for text in lines for line in text.split("\n"))


class TestWidths:
    """Columns, not characters."""

    @pytest.mark.parametrize(
        ("text", "columns"),
        [
            ("abc", 3),
            ("草枕", 4),
            ("ＡＢ", 4),
            ("ｶﾅ", 2),
            ("한국", 4),
            ("e\u0301", 1),
            ("a\u200bb", 2),
            ("\u00ad", 0),
            ("“é”", 3),
            ("", 0),
        ],
    )
    def test_a_text_takes_its_columns(self, text: str, columns: int) -> None:
        """Wide characters two, combining and invisible ones none."""
        assert render.cells(text) == columns

    @given(st.text("ab 草枕\u0301\u200b-字\n　", max_size=60), st.integers(2, 20))
    def test_no_line_is_wider_than_asked_and_nothing_is_lost(self, text: str, width: int) -> None:
        """Broken at spaces, or anywhere in scripts that have none."""
        lines = list(render.wrapped(text, width))
        assert all(render.cells(line) <= width for line in lines)
        assert "".join("".join(lines).split()) == "".join(text.split())

    def test_words_are_kept_whole_where_there_is_room(self) -> None:
        """And a word too long for any line is broken."""
        assert list(render.wrapped("best of times", 8)) == ["best of", "times"]
        assert list(render.wrapped("incomprehensible", 8)) == ["incompre", "hensible"]
        assert list(render.wrapped("智に働けば角が立つ", 8)) == ["智に働け", "ば角が立", "つ"]

    @given(st.text("ab 草枕字", max_size=80), st.integers(31, 60))
    def test_a_passage_keeps_within_the_terminal(self, text: str, width: int) -> None:
        """Margin, id and note included."""
        h = replace(SHOWN, text=text, note=text or None)
        assert all(render.cells(line) <= width for line in printed(h, width=width))


class TestPassage:
    """One passage as it is shown."""

    def test_id_text_note_and_what_is_known(self) -> None:
        """In this order; later lines under the first."""
        lines = printed(
            replace(SHOWN, color="blue", tags=("craft",), favorite=True, added_at="2024-01-01T10:00:00"), width=80
        )
        assert lines == [
            "01234567  It was the best of times",
            "          note: so true",
            "          page 12 · 2024-01-01 10:00:00 · blue · #craft · ★",
        ]

    def test_what_has_no_words_is_named_by_its_kind(self) -> None:
        """A bookmark."""
        assert printed(replace(SHOWN, kind="bookmark", text="", note=None, page="9"))[0] == "01234567  bookmark"

    def test_a_bare_note_has_its_id_too(self) -> None:
        """Without it nothing could be done to it."""
        assert printed(replace(SHOWN, kind="note", text=""))[0] == "01234567  note: so true"

    @pytest.mark.parametrize(
        ("where", "shown"),
        [
            ({"location_start": 5, "location_end": 7}, "location 5–7"),
            ({"location_start": 5, "location_end": 5}, "location 5"),
            ({"location_start": 5}, "location 5"),
            ({"page": "xii", "location_start": 5}, "page xii · location 5"),
            ({}, ""),
        ],
    )
    def test_its_place(self, where: dict[str, Any], shown: str) -> None:
        """As far as it is known."""
        assert render.position(replace(SHOWN, **{"page": None, **where})) == shown

    @given(st.integers(0, 20), st.integers(1, 20), st.integers(20, 60))
    def test_what_was_found_stands_out_on_every_line_it_runs_over(self, begin: int, length: int, width: int) -> None:
        """Each line closes the style it opened, and the words are the same."""
        text = "best of times worst of times " * 3
        lines = list(render.passage(terminal(width, colored=True), SHOWN, text, None, [(begin, begin + length)]))
        bare = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
        assert bare == list(render.passage(terminal(width), SHOWN, text, None))
        for line in lines:
            on = False
            for code in re.findall(r"\x1b\[([0-9;]*)m", line):
                on = code != "0"
            assert not on


class TestPlain:
    """For programs that read lines."""

    @given(*[st.text(st.one_of(st.sampled_from("\t\n\r\x0b\x1c\x85\u2028\u2029 a"), st.characters()), max_size=12)] * 3)
    def test_a_passage_is_one_line_of_eleven_fields(self, text: str, note: str, title: str) -> None:
        """Whatever line ends, tabs or separators its words hold."""
        line = render.plain(replace(SHOWN, text=text, note=note, title=title, author=text, tags=(note,), color=title))
        assert len(line.splitlines()) == 1
        assert line.count("\t") == 10

    def test_the_fields_are_in_their_order(self) -> None:
        """Documented, so it never changes."""
        h = replace(
            SHOWN, location_start=5, location_end=7, added_at="2024-01-01T10:00:00", color="blue", tags=("a", "b")
        )
        assert render.plain(h).split("\t") == [
            h.id, "highlight", "Tale", "Dickens", "12", "5-7", "2024-01-01T10:00:00", "blue", "a b",
            "It was the best of times", "so true",
        ]  # fmt: skip

    def test_a_location_without_an_end_is_one_number(self) -> None:
        """Never the word None."""
        assert "None" not in render.plain(replace(SHOWN, location_start=5))


class TestTerminal:
    """A stream with its width, and whether it takes colour."""

    @pytest.mark.parametrize(
        ("variables", "colored"),
        [
            ({}, False),
            ({"FORCE_COLOR": "1"}, True),
            ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            ({"FORCE_COLOR": "1", "TERM": "dumb"}, False),
        ],
    )
    def test_a_pipe_takes_no_colour_unless_it_is_forced(
        self, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], colored: bool
    ) -> None:
        """NO_COLOR comes before all."""
        for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert Terminal(io.StringIO()).colored is colored
        assert Terminal(io.StringIO()).width == 80


def test_json_is_one_document_with_its_schema_and_jsonl_an_object_a_line() -> None:
    """Every field of a passage and of a book is there, under a name that never changes."""
    import json

    out, lines = io.StringIO(), io.StringIO()
    evil = replace(SHOWN, text=EVIL)
    render.write_json("kindlehl/highlights/1", [item(SHOWN), item(evil)], out, total=2)
    render.write_jsonl([item(SHOWN), item(evil)], lines)
    document = json.loads(out.getvalue())
    assert (document["schema"], document["total"]) == ("kindlehl/highlights/1", 2)
    assert [json.loads(line) for line in lines.getvalue().split("\n")[:-1]] == document["items"]
    assert document["items"][1]["text"] == EVIL
    assert set(document["items"][0]) == {*SHOWN.__slots__, "book_id"} - {"book"}
    assert set(book_item(Book("b", "T"))) == set(Book.__slots__) - {"raw_titles"}
    empty = io.StringIO()
    render.write_json("s", [], empty)
    assert json.loads(empty.getvalue()) == {"schema": "s", "items": []}


@pytest.mark.parametrize("width", [40, 43, 60, 80])
def test_a_command_that_is_named_is_not_broken(width: int) -> None:
    """Whoever copies it copies one line; one that no line holds is broken like anything else."""
    told = "Of one highlight two things are said now; both are kept. Decide: kindlehl conflicts"
    assert list(render.wrapped(told, width))[-1].endswith("kindlehl conflicts")
    told = "13 are in the trash. See them: kindlehl trash list. Bring them back: kindlehl restore"
    lines = list(render.wrapped(told, width))
    assert [sum(command in line for line in lines) for command in ("kindlehl trash list.", "kindlehl restore")] == [
        1,
        1,
    ]
    assert all(render.cells(line) <= width for line in lines)
    long = f"Pair it: kindlehl pair http://{'x' * 30}.example.org/{'y' * 20} --again"
    assert " ".join(render.wrapped(long, width, whole=True)) == long
