"""The CSV exporter: one table of every highlight and note, as RFC 4180 has it."""

import csv
import re
from collections.abc import Iterator

from kindlehl.domain.contract import Block, Document, Shelf
from kindlehl.domain.library import Highlight

COLUMNS = (
    "id", "kind", "title", "author", "text", "note", "color", "tags", "page", "location_start", "location_end",
    "chapter", "added_at", "added_offset", "truncated", "source", "favorite", "book_id",
)  # fmt: skip

# A cell that begins like this is a formula to a spreadsheet, and may send a library's text elsewhere (OWASP, "CSV
# injection"; the wide forms count on Japanese and Chinese systems).
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")


class CsvExporter:
    """A row each, over all books. UTF-8 without a mark, CRLF, several tags parted by `;`.

    A text that begins with `=`, `+`, `-`, `@`, a tab or a line end gets an apostrophe in front, as spreadsheets
    want it; for text as it is, there is JSON.
    """

    name = "csv"
    summary = "One table of all highlights and notes, for spreadsheets"
    each_book = False

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """One document over all books."""
        yield Document(self.name, "highlights", ".csv", _blocks(shelf))


class _Echo:
    """A file that keeps nothing: writing gives the row back, and `writerow` passes it on."""

    def write(self, row: str) -> str:
        return row


def _blocks(shelf: Shelf) -> Iterator[Block]:
    to_row = csv.writer(_Echo(), lineterminator="\r\n").writerow
    yield Block("", _encoded(to_row(COLUMNS)))
    for book in shelf.books():
        for passage in shelf.highlights(book):
            yield Block(passage.id, _encoded(to_row(_cells(passage))))


def _encoded(row: object) -> bytes:
    return str(row).encode()  # typeshed cannot know what an echo gives back


def _cells(passage: Highlight) -> tuple[str | int | None, ...]:
    offset = passage.added_offset
    return (
        passage.id,
        passage.kind,
        _text(passage.title),
        _text(passage.author),
        _text(passage.text),
        _text(passage.note),
        _text(passage.color),
        _text(";".join(passage.tags)),
        _text(passage.page),
        passage.location_start,
        passage.location_end,
        _text(passage.chapter),
        _text(passage.added_at),
        offset if offset and _OFFSET.fullmatch(offset) else _text(offset),
        _YES_NO[passage.truncated],
        _text(passage.source),
        _YES_NO[passage.favorite],
        passage.book,
    )


_YES_NO = {True: "true", False: "false"}


def _text(text: str | None) -> str | None:
    return f"'{text}" if text and text[0] in _FORMULA else text
