"""The frame: where an entry ends and the next begins, cut anywhere."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from kindlehl_plugins.clippings.frame import NO_META, SEPARATOR, TOO_LONG, Block, blocks

DATA = Path(__file__).parents[3] / "data" / "clippings"
META = "- Your Highlight on Location 20-21 | Added on Monday, April 18, 2016 7:30:27 AM"
FOREIGN = "- Zakładka na stronie 5 | Dodano: 18 kwietnia 2016 07:28:27"


def entry(title: str, body: str, meta: str = META) -> str:
    return f"{title}\n{meta}\n\n{body}\n==========\n"


def parts(text: str, limit: int = 1000) -> list[tuple[str, str, str]]:
    return [block[1:4] for block in blocks([text], limit)]


def faults(text: str, limit: int = 1000) -> list[str | None]:
    return [block.fault for block in blocks([text], limit)]


def test_an_entry_is_title_meta_line_and_body() -> None:
    """Blank lines before the body and white space after it are not part of it; spaces before its first word are."""
    assert parts(entry("Emma", " one\n\ntwo  ")) == [("Emma", META, " one\n\ntwo")]
    assert parts(f"Emma\n{META}\none\n\n==========\n") == [("Emma", META, "one")]
    assert parts(f"Emma\n{META}\n\n \t\n  one\n==========\n") == [("Emma", META, "  one")]
    assert parts(entry("Emma", "")) == [("Emma", META, "")]


def test_titles_and_lines_are_where_they_are() -> None:
    """The title keeps its spaces; the line is the title's own, blank lines and separators before it not counted."""
    text = f"\n==========\n\nA  \n{META}\n\none\n==========\n==========\n{entry('B', 'two')}"
    assert list(blocks([text])) == [Block(4, "A  ", META, "one"), Block(10, "B", META, "two")]


@pytest.mark.parametrize("end", ["\n==========\n", "\n==========", "\n", ""])
def test_the_last_separator_may_be_cut(end: str) -> None:
    """Without its line end, or missing, it makes no difference to the entry."""
    assert parts(f"Emma\n{META}\n\none{end}") == [("Emma", META, "one")]


def test_white_space_alone_is_no_entry() -> None:
    """An empty file, and one of separators only, have no entries."""
    assert parts("") == parts("\n \n\t\n") == parts("==========\n" * 5) == parts("\n==========\n\n") == []


def test_a_rule_inside_a_text_belongs_to_it() -> None:
    """What has no meta line goes on with the text before it, several times if need be, blank lines kept."""
    text = entry("A", f"one{SEPARATOR}two\n\nthree{SEPARATOR}four") + entry("B", "five")
    assert parts(text) == [("A", META, f"one{SEPARATOR}two\n\nthree{SEPARATOR}four"), ("B", META, "five")]


def test_longer_and_shorter_rules_are_text() -> None:
    """Only ten signs alone on a line part two entries."""
    for rule in ("===========", "=========", " ==========", "========== x"):
        assert parts(entry("A", f"one\n{rule}\ntwo")) == [("A", META, f"one\n{rule}\ntwo")]


def test_what_cannot_be_text_stays_visible() -> None:
    """Stray lines at the start, after a stray line, or after an entry without text are entries with a fault."""
    text = f"x\n==========\ny\n==========\n{entry('A', '')}z\n==========\n{entry('B', 'two')}"
    assert faults(text) == [NO_META, NO_META, None, NO_META, None]
    assert [block.body for block in blocks([text])] == ["x", "y", "", "z", "two"]


def test_a_file_cut_off_spoils_no_entry_before_it() -> None:
    """What the end of the file cuts off is never added to the text of the last whole entry."""
    whole = entry("A", "one")
    following = f"Emma (Austen)\n{META}"
    for length in range(1, len(following)):
        first, *rest = blocks([whole + following[:length]])
        assert first == Block(1, "A", META, "one")
        assert len(rest) == 1


def test_no_language_is_needed() -> None:
    """A meta line in a language that nobody knows parts entries as well as any: ids must not change with the table."""
    text = entry("A", "one") + entry("B", "two", FOREIGN) + entry("C", "three", "- no digit and no bar")
    assert [block[1:4] for block in blocks([text])] == [
        ("A", META, "one"),
        ("B", FOREIGN, "two"),
        ("C", "- no digit and no bar", "three"),
    ]


def test_blank_lines_can_part_entries() -> None:
    """Where separators are missing, a blank line, a title and a meta line begin an entry; a list in a note does not."""
    text = f"A\n{META}\n\none\n\ntwo\n- 3 points\n\n\nB\n{META}\n\nthree\n"
    assert list(blocks([text])) == [Block(1, "A", META, "one\n\ntwo\n- 3 points"), Block(10, "B", META, "three")]


def test_a_separator_glued_to_a_title_parts_entries() -> None:
    """Two files joined by hand, the first without a line end at its end, keep all of their entries."""
    text = entry("A", "one").rstrip("\n") + entry("B", "two")
    assert list(blocks([text])) == [Block(1, "A", META, "one"), Block(5, "B", META, "two")]


def test_an_entry_behind_a_stray_line_is_found() -> None:
    """A title cut off by a device that lost power does not swallow the entry written after it."""
    text = entry("A", "one") + "Em\n" + entry("B", "two")
    assert [(block.title, block.body, block.fault) for block in blocks([text])] == [
        ("A", "one", None),
        ("", "Em", NO_META),
        ("B", "two", None),
    ]


def test_a_title_may_be_missing() -> None:
    """A meta line without a title is an entry of a book without a name."""
    assert parts(f"{META}\n\none\n==========\n") == [("", META, "one")]


def test_an_entry_too_long_is_cut_and_nothing_lost() -> None:
    """The first piece is the entry, the rest comes in pieces with a fault; then all is as before."""
    text = entry("A", "x" * 5000) + entry("B", "two")
    found = list(blocks([text], limit=1000))
    assert [block.fault for block in found] == [None, *[TOO_LONG] * 5, None]
    assert "".join(block.body for block in found[:-1]) == "x" * 5000
    assert found[-1] == Block(6, "B", META, "two")


def test_a_long_file_without_separators_is_read_entry_by_entry() -> None:
    """The limit holds for an entry, not for a file whose separators are missing."""
    text = "\n".join(f"Book {number}\n{META}\n\n{'x' * 200}\n" for number in range(50))
    found = list(blocks([text], limit=1000))
    assert [(block.title, block.body, block.fault) for block in found] == [
        (f"Book {number}", "x" * 200, None) for number in range(50)
    ]
    assert [block.line for block in found] == [1 + 5 * number for number in range(50)]


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.txt")))
@pytest.mark.parametrize("limit", [150, 400, 100_000])
def test_where_the_text_is_cut_makes_no_difference(name: str, limit: int) -> None:
    """Pieces of every size give the same entries."""
    text = (DATA / name).read_bytes().decode().replace("\r\n", "\n")
    whole = list(blocks([text], limit))
    for size in (*range(1, 40), 97, 1000):
        assert list(blocks([text[at : at + size] for at in range(0, len(text), size)], limit)) == whole


@pytest.mark.parametrize(
    "line", ["x", "\n", "- 1 | 2\n", "==========", "(" * 100 + "\n", "9|", "- 9\n", "\n\n- 9 | 9\nT"]
)
def test_memory_does_not_grow_with_the_file(line: str) -> None:
    """Megabytes of one line, of blank lines, of meta lines or of brackets pass within a few times the limit."""
    limit = 16 * 1024

    def texts() -> Iterator[str]:
        piece = line * (limit // len(line))
        for _ in range(64):
            yield piece

    tracemalloc.start()
    for _ in blocks(texts(), limit):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * limit
