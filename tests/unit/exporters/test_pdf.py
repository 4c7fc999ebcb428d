"""The PDF exporter: a tagged book that is the same each time, and that no text of it can turn against its reader."""

import builtins
import io
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import Destination

from kindlehl.domain.errors import MissingDependencyError
from kindlehl.domain.library import Book, Highlight
from kindlehl_exporters import pdf
from kindlehl_exporters.pdf import PdfExporter, to_html

from . import shelves
from .shelves import ARABIC, CHINESE, HEBREW, JAPANESE, MemoryShelf, bare_note, book, one, passage

try:
    pdf._renderer()
except MissingDependencyError as error:
    MISSING = error.message
else:
    MISSING = ""

needs_pango = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def printed(of: Book, *passages: Highlight) -> PdfReader:
    (document,) = PdfExporter().render(one(of, *passages))
    assert (document.id, document.title, document.suffix) == (of.id, of.title, ".pdf")
    (block,) = document.blocks
    return PdfReader(io.BytesIO(block.data))


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


def squeezed(reader: PdfReader) -> str:
    return "".join(words(reader).split())


def outline(nodes: Sequence[Any]) -> list[Any]:
    return [node.title if isinstance(node, Destination) else outline(node) for node in nodes]


def fonts(reader: PdfReader) -> list[Any]:
    found = {}
    for page in reader.pages:
        for name, font in page["/Resources"]["/Font"].items():
            found[name] = font.get_object()
    return list(found.values())


def structure(node: Any) -> list[str]:
    node = node.get_object()
    if isinstance(node, list):
        return [tag for child in node for tag in structure(child)]
    if not isinstance(node, dict):
        return []
    return [str(node.get("/S", "")), *structure(node["/K"])] if "/K" in node else [str(node.get("/S", ""))]


@needs_pango
def test_it_is_a_tagged_document_with_title_author_and_language() -> None:
    """PDF/UA-1: marked, with a language, its title shown, headings and quotes in its structure, no date of today."""
    of = book("Walden; or, Life in the Woods", "Henry David Thoreau")
    reader = printed(of, passage(of, "Simplify.", chapter="Economy"))
    catalog: Any = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b'pdfuaid:part="1"' in catalog["/Metadata"].get_data()
    assert {"/H1", "/H2", "/BlockQuote", "/P"} <= set(structure(catalog["/StructTreeRoot"]["/K"]))
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == (of.title, of.author)
    assert reader.metadata.creation_date is None


@needs_pango
def test_it_is_a_small_book_with_cover_contents_and_page_numbers() -> None:
    """A5; the cover says what and how much; the contents name each chapter's page; pages are numbered and titled."""
    of = book()
    texts = [passage(of, "Long. " * 200, chapter=f"Chapter {n}", added_at=f"2024-08-0{n}T10:00:00") for n in (1, 2, 3)]
    reader = printed(of, *texts, bare_note(of, "Who?"))
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert (round(reader.pages[0].mediabox.width), round(reader.pages[0].mediabox.height)) == (420, 595)
    assert pages[0] == "Walden Henry David Thoreau 3 highlights · 1 note 1 August 2024 – 3 August 2024"
    assert outline(reader.outline) == ["Walden", ["Contents", "Chapter 1", "Chapter 2", "Chapter 3"]]
    for number in (1, 2, 3):
        at = next(n for n, text in enumerate(pages, 1) if f"Chapter {number} Long." in text)
        assert f"Chapter {number}" in pages[1]
        assert f" {at}" in pages[1].split(f"Chapter {number}")[1]
    assert all("Walden" in text and str(n) in text.split() for n, text in enumerate(pages[1:], 2))


@needs_pango
def test_a_passage_shows_its_colour_as_a_word_and_its_note_apart() -> None:
    """Nobody has to see the colour to know it, and a note never reads like the book's own words."""
    of = book()
    reader = printed(
        of, passage(of, "Simplify.", color="yellow", page="91", note="How?", tags=("to read",), truncated=True)
    )
    assert "Simplify. page 91 · yellow · cut by the publisher's clipping limit · #to read NOTE How?" in words(
        reader
    ).replace("\u00a0", " ")


@needs_pango
@pytest.mark.parametrize(
    ("text", "lang"), [(CHINESE[0], "zh-CN"), (JAPANESE[0], "ja"), (ARABIC[1], "und-Arab"), (HEBREW[0], "he")]
)
def test_other_scripts_are_tagged_with_their_language(text: str, lang: str) -> None:
    """The language picks the glyphs and tells a screen reader how to speak."""
    of = book(text[:6], None)
    reader = printed(of, passage(of, text))
    catalog: Any = reader.trailer["/Root"]
    assert catalog["/Lang"] == lang
    assert f'<blockquote lang="{lang}" dir="{"rtl" if lang in {"he", "und-Arab"} else "ltr"}">' in to_html(
        of, [passage(of, text)]
    )


@needs_pango
@pytest.mark.skipif(bool(pdf.missing_fonts("漢かな")), reason="no CJK font: apt install fonts-noto-cjk")
def test_chinese_and_japanese_are_printed_and_can_be_searched() -> None:
    """Each glyph is there and stands for its character; every font is embedded."""
    of = book("红楼梦", "曹雪芹")
    reader = printed(of, *(passage(of, text) for text in (*CHINESE, *JAPANESE)))
    for text in (*CHINESE, *JAPANESE):
        assert "".join(text.split()) in squeezed(reader)
    names = {str(font["/BaseFont"]) for font in fonts(reader)}
    assert any("CJK-SC" in name or "SC" in name for name in names)
    assert any("CJK-JP" in name or "JP" in name for name in names)


@needs_pango
def test_every_font_is_embedded() -> None:
    """The file looks the same on a device without our fonts."""
    for document in PdfExporter().render(shelves.sample()):
        (block,) = document.blocks
        for font in fonts(PdfReader(io.BytesIO(block.data))):
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)


@needs_pango
def test_a_book_without_highlights_is_still_a_document() -> None:
    """It says that nothing is marked, and has no empty contents."""
    reader = printed(book("An Unread Book", None))
    assert "Nothing is marked in this book." in words(reader)
    assert "Contents" not in words(reader)


_HASH = """
import hashlib, sys
from kindlehl_exporters.pdf import PdfExporter
sys.path.insert(0, sys.argv[1])
from shelves import sample
for document in PdfExporter().render(sample()):
    print(hashlib.sha256(b"".join(block.data for block in document.blocks)).hexdigest())
"""


@needs_pango
def test_the_same_shelf_gives_the_same_bytes_in_every_process() -> None:
    """Neither the clock nor the hash seed gets into a file: an export of an unchanged library writes nothing."""
    command = [sys.executable, "-c", _HASH, str(Path(__file__).parent)]
    found = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        found.append(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
        time.sleep(1.1)  # embedded fonts carry times to the second
    assert found[0] == found[1]
    assert len(found[0].split()) == 8


ATTACK = '"><img src="file:///etc/passwd"><link rel=stylesheet href=http://localhost/x.css></style><script>{{ 7*7 }}'


@pytest.fixture
def no_opening(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that WeasyPrint's fetcher was asked to open."""
    from weasyprint.urls import URLFetcher

    asked: list[str] = []

    def remember(self: object, url: Any, *rest: object, **options: object) -> Any:
        asked.append(str(getattr(url, "full_url", url)))
        raise AssertionError(url)

    monkeypatch.setattr(URLFetcher, "open", remember)
    monkeypatch.setattr("urllib.request.OpenerDirector.open", remember)
    return asked


@needs_pango
def test_markup_in_a_text_is_text(no_opening: list[str]) -> None:
    """Tags, styles and template marks in any field are printed as characters; nothing is fetched."""
    of = book(ATTACK, ATTACK)
    hostile = passage(
        of, ATTACK, note=ATTACK, color=ATTACK, page=ATTACK, chapter=ATTACK, tags=(ATTACK,), added_at=ATTACK
    )
    reader = printed(of, hostile)
    assert squeezed(reader).count("file:///etc/passwd") >= 6
    assert "root:" not in words(reader)
    assert no_opening == []


@needs_pango
@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1:9/x.png", "data:image/png;base64,AA", "/etc/passwd"]
)
def test_even_real_markup_can_fetch_nothing(url: str, no_opening: list[str]) -> None:
    """Should escaping ever fail, the renderer still opens no file and no address."""
    page = (
        f'<html lang=en><title>t</title><img alt=x src="{url}"><link rel=stylesheet href="{url}"><object data="{url}">'
    )
    assert pdf._renderer()(page).startswith(b"%PDF")
    assert no_opening == []


@needs_pango
def test_nothing_is_logged_or_printed(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever WeasyPrint thinks of a text stays unsaid, and its loggers are left as they were."""
    caplog.set_level(logging.DEBUG)
    before = [logging.getLogger(name).level for name in ("weasyprint", "weasyprint.progress", "fontTools")]
    for document in PdfExporter().render(shelves.sample()):
        list(document.blocks)
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")
    assert [logging.getLogger(name).level for name in ("weasyprint", "weasyprint.progress", "fontTools")] == before


def test_a_missing_pango_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The error names what to install; it comes before any book is read, and WeasyPrint's own advice is not printed."""
    real = builtins.__import__

    def without_pango(name: str, *rest: Any) -> Any:
        if name.startswith("weasyprint"):
            print("advice")  # noqa: T201 - as WeasyPrint does
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_pango)
    shelf = shelves.sample()
    with pytest.raises(MissingDependencyError, match="needs Pango") as caught:
        PdfExporter().render(shelf)
    assert "apt install libpango-1.0-0 libpangoft2-1.0-0" in str(caught.value.hint)
    assert "brew install pango" in str(caught.value.hint)
    assert shelf.served == []
    assert capfd.readouterr().out == ""


@needs_pango
def test_one_book_at_a_time_is_rendered() -> None:
    """Neither the next book's highlights nor its pages exist before its document is asked for."""
    shelf = shelves.sample()
    next(iter(PdfExporter().render(shelf)))
    assert shelf.served == ["Pride and Prejudice"]


@needs_pango
def test_many_books_are_set_side_by_side_and_come_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process for each core changes neither the order nor a byte."""
    shelf = MemoryShelf({(of := book(f"Book {n}")): [passage(of, f"Passage {n}.")] for n in range(5)})
    one_by_one = [(d.title, [b.data for b in d.blocks]) for d in PdfExporter().render(shelf)]
    monkeypatch.setattr(pdf, "_MANY", 2)
    side_by_side = [(d.title, [b.data for b in d.blocks]) for d in PdfExporter().render(shelf)]
    assert side_by_side == one_by_one
    assert len(one_by_one) == 5


@needs_pango
def test_a_script_without_a_font_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once, however many books are in it, where the caller can read it after the documents."""
    monkeypatch.setattr("kindlehl_exporters.scripts._has_font", lambda language: False)
    first, second = book("红楼梦", None), book("西游记", None)
    exporter = PdfExporter()
    for document in exporter.render(MemoryShelf({first: [], second: []})):
        list(document.blocks)
    (warning,) = exporter.warnings
    assert "fonts-noto-cjk" in warning


@needs_pango
def test_control_characters_do_no_harm() -> None:
    """Not even in a title, which goes into XML metadata."""
    of = book("Wal\x00\x0bden\x1b", "T\x85")
    assert printed(of, passage(of, "a\x00b\x0cc\ufffe")).metadata.title == "Walden"  # type: ignore[union-attr]


@needs_pango
def test_the_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is stopped for the renderer only, and a time that somebody has set stays theirs."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    printed(book())
    assert "SOURCE_DATE_EPOCH" not in os.environ
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "7")
    printed(book())
    assert os.environ["SOURCE_DATE_EPOCH"] == "7"
