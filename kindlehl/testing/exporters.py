"""What every exporter promises, as tests."""
# ruff: noqa: S101 -- a law that is broken is an assertion that fails

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytest

from kindlehl.domain.contract import Document, Exporter
from kindlehl.domain.errors import MissingDependencyError
from kindlehl.domain.facts import record_id
from kindlehl.domain.library import Book
from kindlehl.domain.merging import MARKER, names_in
from kindlehl.testing.circumstances import other_circumstances
from kindlehl.testing.privacy import check_quotes
from kindlehl.testing.shelves import SampleShelf, hostile, sample


class _Rendered(NamedTuple):
    """A document with its blocks at hand."""

    document: Document
    ids: list[str]
    data: bytes


class ExporterContract:
    """What every exporter promises. Inherit it under a name that begins with `Test`, and give the exporter.

    Where the system lacks what a format needs, its tests are shown as skipped.
    """

    exporter: Exporter

    def test_it_says_what_it_is(self) -> None:
        """It has a name in lower case, one line for the help, and a list for warnings."""
        name, summary = self.exporter.name, self.exporter.summary
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name), f"{name!r} is no name: lower case, digits, . _ -"
        assert summary.strip(), "the summary is empty"
        assert "\n" not in summary, "the summary is one line"
        assert isinstance(self.exporter.warnings, list), "warnings is a list, filled while rendering"
        assert isinstance(self.exporter.each_book, bool), "each_book is True or False"

    def test_documents_have_what_the_service_needs(self) -> None:
        """A stable id of its own, a title, a suffix with its dot, and blocks of bytes."""
        documents = list(_rendered(self.exporter, sample()))
        assert documents, "a shelf with books gives no document"
        ids = [each.document.id for each in documents]
        assert len(set(ids)) == len(ids), "two documents have one id"
        known = {*(book.id for book in sample().books()), self.exporter.name}
        for document, _, data in documents:
            assert document.id in known, "a document's id is a book's id, or the exporter's name"
            assert (document.id != self.exporter.name) is self.exporter.each_book, "each_book is not what it gives"
            assert isinstance(document.title, str), "a title is text"
            assert re.fullmatch(r"\.[^./\\\s]+", document.suffix), f"{document.suffix!r} is no suffix such as .md"
            assert data, "a document is empty"

    def test_the_same_shelf_gives_the_same_bytes(self) -> None:
        """An export that is repeated changes no file."""
        assert _digest(_rendered(self.exporter, sample())) == _digest(_rendered(self.exporter, sample()))

    def test_neither_clock_nor_chance_nor_network_shows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Years later, with other random numbers and without any network, the bytes are the same."""
        now = _digest(_rendered(self.exporter, sample()))
        asked: list[str] = []
        with monkeypatch.context() as patch:
            other_circumstances(patch, type(self.exporter).__module__, asked)
            later = _digest(_rendered(self.exporter, sample()))
        assert not asked, f"rendering asks the network: {asked[0]}"
        assert later == now, "the bytes depend on the time of day or on random numbers"

    def test_the_order_of_sets_does_not_show(self) -> None:
        """Another process, in which Python hashes strings differently, gives the same bytes."""
        of = type(self.exporter)
        if "<locals>" in of.__qualname__ or not _importable(of.__module__):
            pytest.skip(f"{of.__qualname__} cannot be imported by another process")
        here = _digest(_rendered(self.exporter, sample()))
        for seed in ("1", "2"):
            there = subprocess.run(  # noqa: S603 -- the plugin under test
                [sys.executable, "-m", "kindlehl.testing", of.__module__, of.__qualname__],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert there.returncode == 0, f"another process cannot render: {there.stderr}"
            assert there.stdout == here, "the bytes depend on the order of a set; sort it"

    def test_every_highlight_is_found_in_its_document(self) -> None:
        """Blocks name the highlights they show, each once and in its own book's document: all of them, or none where
        the format has no such runs of bytes."""
        shelf = sample()
        owner = {each.id: book.id for book in shelf.books() for each in shelf.highlights(book)}
        found = Counter[str]()
        for document, ids, _ in _rendered(self.exporter, sample()):
            for ident in filter(None, ids):
                assert ident in owner, f"a block names {ident!r}, which is no highlight of the shelf"
                assert document.id in (owner[ident], self.exporter.name), "a block is in another book's document"
                found[ident] += 1
        assert not found or found == Counter([*owner]), "some highlights are in no block, or in two"

    def test_what_is_merged_can_be_merged(self) -> None:
        """Of a merged document: blocks of whole lines between empty ones, each passage ending in a marker of its own,
        and a name, the same in every export, for each block without an id."""
        for shelf in (sample(), hostile()):
            for document in self.exporter.render(shelf):
                if not document.merged:
                    continue
                names: list[str] = []
                for block in document.blocks:
                    text = block.data.decode("utf-8")
                    assert text.endswith("\n"), "a block of a merged document is whole lines"
                    last = text.strip("\n").rpartition("\n")[2]
                    marker = MARKER.search(last)
                    found = names_in(text)
                    assert bool(marker) is bool(block.id), "a passage, and nothing else, ends in its marker ^kh-…"
                    assert found <= ({marker[1]} if marker else set()), "a marker stands elsewhere than in a last line"
                    names.append(marker[1] if marker else block.name)
                assert all(names), "a block without an id has no name"
                assert len(set(names)) == len(names), "two blocks have one name or one marker"

    def test_documents_are_lazy(self) -> None:
        """Of a format with a document for each book, only the book being written is asked for."""
        shelf = sample()
        for each in _rendered(self.exporter, shelf):
            books = [book.id for book in shelf.books()]
            if each.document.id in books:
                wanted = {*books[: books.index(each.document.id) + 1]}
                assert set(shelf.served) <= wanted, "highlights of later books are read before they are needed"

    def test_an_empty_shelf_works(self) -> None:
        """Nothing to show is no error; neither is a book with nothing in it."""
        list(_rendered(self.exporter, SampleShelf({})))
        list(_rendered(self.exporter, SampleShelf({Book(record_id("book", "Blank"), "Blank"): []})))

    def test_no_text_stops_it(self) -> None:
        """Markup, formulas, control characters, both directions of writing: whatever a book holds is only text."""
        list(_rendered(self.exporter, hostile()))

    def test_warnings_hold_no_text(self) -> None:
        """Sentences for the user quote nothing that somebody marked."""
        shelf = sample()
        list(_rendered(self.exporter, shelf))
        for sentence in self.exporter.warnings:
            for book in shelf.books():
                for each in shelf.highlights(book):
                    check_quotes(sentence, f"{each.text}\n{each.note or ''}")


def _rendered(exporter: Exporter, shelf: SampleShelf) -> Iterator[_Rendered]:
    try:
        for document in exporter.render(shelf):
            blocks = list(document.blocks)
            assert all(type(block.data) is bytes for block in blocks), "a block's data are bytes"
            yield _Rendered(document, [block.id for block in blocks], b"".join(block.data for block in blocks))
    except MissingDependencyError as error:
        pytest.skip(error.message)


def _digest(documents: Iterable[_Rendered]) -> str:
    digest = hashlib.sha256()
    for document, ids, data in documents:
        digest.update(repr((document.id, document.title, document.suffix, ids, data)).encode())
    return digest.hexdigest()


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def tell(module: str, name: str) -> None:
    """Print what this process makes of an exporter, for the one that asks."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    sys.stdout.write(_digest(_rendered(found(), sample())))
