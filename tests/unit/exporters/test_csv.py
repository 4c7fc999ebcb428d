"""The CSV exporter: a table that each reader reads alike, and that no spreadsheet runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl_exporters.csv import COLUMNS, CsvExporter

from . import shelves
from .shelves import MemoryShelf, bare_note, book, one, passage


def written(shelf: MemoryShelf) -> bytes:
    (document,) = CsvExporter().render(shelf)
    assert (document.id, document.title, document.suffix) == ("csv", "highlights", ".csv")
    return b"".join(block.data for block in document.blocks)


def rows(shelf: MemoryShelf) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(shelf).decode(), newline=""), strict=True))


def test_a_row_holds_all_that_is_known() -> None:
    """Every column of the header, in its order; true and false as words, tags parted by a semicolon."""
    of = book()
    known = passage(
        of,
        'He said "no",\nthen left.',
        id="0f1e2d3c-4b5a-5968-8776-655443322110",
        note="Why?",
        color="blue",
        tags=("irony", "to read"),
        page="xvi",
        location_start=1300,
        location_end=1301,
        chapter="One",
        added_at="2024-08-22T18:10:00",
        added_offset="-05:00",
        truncated=True,
        source="clippings:G0012345",
        favorite=True,
    )
    assert written(one(of, known)).decode() == (
        "id,kind,title,author,text,note,color,tags,page,location_start,location_end,chapter,added_at,added_offset,"
        "truncated,source,favorite,book_id\r\n"
        "0f1e2d3c-4b5a-5968-8776-655443322110,highlight,Walden,Henry David Thoreau,"
        '"He said ""no"",\nthen left.",Why?,blue,irony;to read,xvi,1300,1301,One,2024-08-22T18:10:00,-05:00,'
        f"true,clippings:G0012345,true,{of.id}\r\n"
    )


def test_what_is_unknown_is_an_empty_cell() -> None:
    """A bare note has no text, and nobody's author is not the word None."""
    of = book("T", None)
    (row,) = rows(one(of, bare_note(of, "Who?")))
    assert (row["kind"], row["text"], row["note"], row["author"], row["page"]) == ("note", "", "Who?", "", "")


@pytest.mark.parametrize("first", list("=+-@\t\r\n＝＋－＠"))
@pytest.mark.parametrize(
    "column", ["text", "note", "color", "page", "chapter", "source", "added_at", "added_offset", "tags"]
)
def test_no_cell_begins_a_formula(column: str, first: str) -> None:
    """What a spreadsheet would run begins with an apostrophe, which makes it text."""
    of = book()
    formula = f'{first}HYPERLINK("http://x")'
    (row,) = rows(one(of, passage(of, **{column: (formula,) if column == "tags" else formula})))
    assert row[column] == f"'{formula}"


def test_titles_and_authors_are_no_formulas_either() -> None:
    """They come from files that others wrote, as the texts do."""
    of = book("=1+1", "@me")
    (row,) = rows(one(of, passage(of)))
    assert (row["title"], row["author"]) == ("'=1+1", "'@me")


def test_an_offset_is_an_offset() -> None:
    """The sign of a time zone is no formula, and stays."""
    of = book()
    assert rows(one(of, passage(of, added_offset="+01:00")))[0]["added_offset"] == "+01:00"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(text: str) -> None:
    """What the csv module reads is the text, but for the apostrophe before what looks like a formula."""
    of = book()
    (row,) = rows(one(of, passage(of, text)))
    assert row["text"] in {text, f"'{text}"}
    assert len(row) == len(COLUMNS)


def test_each_row_is_a_block_of_its_passage() -> None:
    """The header stands alone; rows follow the shelf, book by book, and end in CRLF."""
    shelf = shelves.sample()
    (document,) = CsvExporter().render(shelf)
    header, *blocks = document.blocks
    assert header.id == ""
    assert [block.id for block in blocks] == [known.id for passages in shelf.shelved.values() for known in passages]
    assert all(block.data.endswith(b"\r\n") for block in blocks)


def test_rows_stream() -> None:
    """The second book is not asked for before the first one's rows are taken."""
    shelf = shelves.sample()
    (document,) = CsvExporter().render(shelf)
    stream = iter(document.blocks)
    next(stream)
    next(stream)
    assert shelf.served == ["Pride and Prejudice"]


def test_the_same_shelf_gives_the_same_bytes() -> None:
    """And they are UTF-8 without a byte order mark."""
    first, second = written(shelves.sample()), written(shelves.sample())
    assert first == second
    assert first.startswith(b"id,kind,")
