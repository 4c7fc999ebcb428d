"""The exporters that come with kindlehl keep the contract of any plugin, and who breaks it is noticed."""

import importlib
import random
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import pytest

from kindlehl.domain.contract import Block, Document, Shelf
from kindlehl.domain.library import Book, Highlight
from kindlehl.registry import Registry
from kindlehl.testing import ExporterContract
from kindlehl_exporters.csv import CsvExporter
from kindlehl_exporters.json import JsonExporter
from kindlehl_exporters.markdown import MarkdownExporter
from kindlehl_exporters.pdf import PdfExporter


class TestMarkdown(ExporterContract):
    exporter = MarkdownExporter()


class TestCsv(ExporterContract):
    exporter = CsvExporter()


class TestJson(ExporterContract):
    exporter = JsonExporter()


class TestPdf(ExporterContract):
    exporter = PdfExporter()


def test_every_exporter_is_held_to_the_contract() -> None:
    """A built-in exporter without its class above is noticed."""
    registry = Registry()
    found = [registry.exporter(name) for name in registry.exporter_names()]
    ours = {type(one) for one in found if type(one).__module__.startswith("kindlehl_exporters")}
    assert ours == {type(each.exporter) for each in (TestMarkdown, TestCsv, TestJson, TestPdf)}


class Plain:
    """A good exporter: a document for each book, a line for each passage."""

    name = "plain"
    summary = "Lines"
    each_book = True

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """One document a book."""
        for book in shelf.books():
            yield Document(book.id, book.title, ".txt", self.blocks(book, shelf))

    def blocks(self, book: Book, shelf: Shelf) -> Iterator[Block]:
        """A line each."""
        yield Block("", f"{book.title}\n{self.extra()}".encode())
        for each in shelf.highlights(book):
            yield Block(each.id, self.line(each))

    def line(self, each: Highlight) -> bytes:
        """One passage."""
        return f"{each.text} {each.note} {' '.join(each.tags)}\n".encode()

    def extra(self) -> str:
        """What has no business in a document."""
        return ""


def law(name: str, exporter: object, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = ExporterContract()
    contract.exporter = exporter  # type: ignore[assignment]
    check = getattr(contract, name)
    check(monkeypatch) if "network" in name else check()


LAWS = [name for name in vars(ExporterContract) if name.startswith("test_")]


@pytest.mark.parametrize("name", [name for name in LAWS if "sets" not in name])
def test_a_good_exporter_keeps_every_law(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows is caught for what is wrong with it, and for nothing else."""
    law(name, Plain(), monkeypatch)


class Shouting(Plain):
    name = "PLAIN"


class LongWinded(Plain):
    summary = "Lines\nand more"


class WithoutDot(Plain):
    def render(self, shelf: Shelf) -> Iterator[Document]:  # noqa: D102
        return (Document(d.id, d.title, "txt", d.blocks) for d in super().render(shelf))


class OneIdForAll(Plain):
    def render(self, shelf: Shelf) -> Iterator[Document]:  # noqa: D102
        return (Document("plain", d.title, d.suffix, d.blocks) for d in super().render(shelf))


class IdOfItsOwn(Plain):
    def render(self, shelf: Shelf) -> Iterator[Document]:  # noqa: D102
        return (Document(d.title, d.title, d.suffix, d.blocks) for d in super().render(shelf))


class Text(Plain):
    def line(self, each: Highlight) -> bytes:  # noqa: D102
        return each.text  # type: ignore[return-value]


class Stamped(Plain):
    def extra(self) -> str:  # noqa: D102
        return datetime.now().isoformat()  # noqa: DTZ005


class Dated(Plain):
    def extra(self) -> str:  # noqa: D102
        return str(date.today())  # noqa: DTZ011


class Yearly(Plain):
    def extra(self) -> str:  # noqa: D102
        return time.strftime("%Y")


class Hourly(Plain):
    def extra(self) -> str:  # noqa: D102
        return str(int(time.time()) // 3600)


class Throwing(Plain):
    def extra(self) -> str:  # noqa: D102
        return str(random.random())


class Unique(Plain):
    def extra(self) -> str:  # noqa: D102
        return str(uuid.uuid4())


class Calling(Plain):
    """Asks the network, and hides that it got no answer."""

    def extra(self) -> str:  # noqa: D102
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), timeout=0.1)
        return ""


class Forgetful(Plain):
    def blocks(self, book: Book, shelf: Shelf) -> Iterator[Block]:  # noqa: D102
        return (block for n, block in enumerate(super().blocks(book, shelf)) if n != 1)


class Repeating(Plain):
    def blocks(self, book: Book, shelf: Shelf) -> Iterator[Block]:  # noqa: D102
        for block in super().blocks(book, shelf):
            yield from (block, block)


class Inventing(Plain):
    def blocks(self, book: Book, shelf: Shelf) -> Iterator[Block]:  # noqa: D102
        yield Block("1", b"")


class Hasty(Plain):
    def render(self, shelf: Shelf) -> Iterator[Document]:  # noqa: D102
        for book in shelf.books():
            shelf.highlights(book)
        return super().render(shelf)


class Optimistic(Plain):
    def blocks(self, book: Book, shelf: Shelf) -> Iterator[Block]:  # noqa: D102
        yield Block("", shelf.highlights(book)[0].text.encode())


class Narrow(Plain):
    """Works for the languages of its author."""

    def line(self, each: Highlight) -> bytes:  # noqa: D102
        return each.text.encode("utf-8" if each.text.isprintable() else "ascii")


class Chatty(Plain):
    def line(self, each: Highlight) -> bytes:  # noqa: D102
        self.warnings.append(f"This is long: {each.text}")
        return super().line(each)


class Unmarked(Plain):
    def render(self, shelf: Shelf) -> Iterator[Document]:  # noqa: D102
        return (Document(d.id, d.title, d.suffix, d.blocks, merged=True) for d in super().render(shelf))


class Nameless(Unmarked):
    def line(self, each: Highlight) -> bytes:  # noqa: D102
        return f"{each.id}\n\n^kh-{each.id}\n".encode()


class OneMarkerForAll(Nameless):
    def blocks(self, book: Book, shelf: Shelf) -> Iterator[Block]:  # noqa: D102
        return (Block(each.id, b"x\n\n^kh-1\n") for each in [*shelf.highlights(book), *shelf.highlights(book)])


@pytest.mark.parametrize(
    ("exporter", "name"),
    [
        (Unmarked, "test_what_is_merged_can_be_merged"),
        (Nameless, "test_what_is_merged_can_be_merged"),
        (OneMarkerForAll, "test_what_is_merged_can_be_merged"),
        (Shouting, "test_it_says_what_it_is"),
        (LongWinded, "test_it_says_what_it_is"),
        (WithoutDot, "test_documents_have_what_the_service_needs"),
        (OneIdForAll, "test_documents_have_what_the_service_needs"),
        (IdOfItsOwn, "test_documents_have_what_the_service_needs"),
        (Text, "test_documents_have_what_the_service_needs"),
        (Stamped, "test_the_same_shelf_gives_the_same_bytes"),
        (Throwing, "test_the_same_shelf_gives_the_same_bytes"),
        (Unique, "test_the_same_shelf_gives_the_same_bytes"),
        (Dated, "test_neither_clock_nor_chance_nor_network_shows"),
        (Yearly, "test_neither_clock_nor_chance_nor_network_shows"),
        (Hourly, "test_neither_clock_nor_chance_nor_network_shows"),
        (Calling, "test_neither_clock_nor_chance_nor_network_shows"),
        (Forgetful, "test_every_highlight_is_found_in_its_document"),
        (Repeating, "test_every_highlight_is_found_in_its_document"),
        (Inventing, "test_every_highlight_is_found_in_its_document"),
        (Hasty, "test_documents_are_lazy"),
        (Optimistic, "test_an_empty_shelf_works"),
        (Narrow, "test_no_text_stops_it"),
        (Chatty, "test_warnings_hold_no_text"),
    ],
)
def test_a_broken_promise_is_noticed(exporter: type[Plain], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each law fails for the exporter that breaks it: an assertion with a sentence, or the exporter's own error."""
    with pytest.raises((AssertionError, IndexError, UnicodeError)):
        law(name, exporter(), monkeypatch)


def test_the_order_of_a_set_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter that runs through a set gives other bytes in another process."""
    (tmp_path / "unsorted_exporter.py").write_text(
        "from kindlehl.domain.contract import Block, Document\n"
        "class Unsorted:\n"
        "    name, summary, warnings = 'unsorted', 'Tags', []\n"
        "    def render(self, shelf):\n"
        "        tags = {tag for book in shelf.books() for each in shelf.highlights(book) for tag in each.tags}\n"
        "        yield Document(self.name, 'tags', '.txt', [Block('', ' '.join(tags).encode())])\n",
        "utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    exporter = importlib.import_module("unsorted_exporter").Unsorted()
    with pytest.raises(AssertionError, match="order of a set"):
        law("test_the_order_of_sets_does_not_show", exporter, monkeypatch)
