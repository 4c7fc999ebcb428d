"""The PDF exporter: each book's highlights as a small book to read, tagged for screen readers (PDF/UA-1)."""

import contextlib
import io
import logging
import multiprocessing
import os
import re
import warnings
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib import resources
from textwrap import shorten
from typing import TypeAlias

from kindlehl.domain.contract import Block, Document, Shelf
from kindlehl.domain.errors import MissingDependencyError
from kindlehl.domain.library import Book, Highlight
from kindlehl_exporters.captions import caption, span
from kindlehl_exporters.scripts import direction, language, missing_fonts

_ToPdf: TypeAlias = Callable[[str], bytes]


class PdfExporter:
    """One PDF a book: cover, contents, chapters, quotes with their colours, notes."""

    name = "pdf"
    summary = "One PDF a book, to read or to print: cover, contents, chapters, notes"
    each_book = True

    def __init__(self) -> None:
        self.warnings: list[str] = []
        """Sentences the user should read once the documents are written: scripts without a font."""

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """One document a book; each core holds only the one that it sets.

        Raises:
            MissingDependencyError: the system lacks Pango, before anything is rendered.
        """
        _renderer()
        return self._documents(shelf)

    def _documents(self, shelf: Shelf) -> Iterator[Document]:
        books = list(shelf.books())
        if len(books) < _MANY:
            for book in books:
                page = self._page(book, shelf)
                yield Document(book.id, book.title, ".pdf", _block(partial(to_pdf, page)))
            return
        cores = os.cpu_count() or 1
        with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
            ahead: deque[tuple[Book, Future[bytes]]] = deque()
            for book in books:
                ahead.append((book, pool.submit(to_pdf, self._page(book, shelf))))
                if len(ahead) > cores:
                    yield _document(*ahead.popleft())
            while ahead:
                yield _document(*ahead.popleft())

    def _page(self, book: Book, shelf: Shelf) -> str:
        page = to_html(book, shelf.highlights(book))
        self.warnings += [sentence for sentence in missing_fonts(page) if sentence not in self.warnings]
        return page


_MANY = 12
"""Books from which on starting a process for each core takes less time than it saves."""


def _document(book: Book, pdf: "Future[bytes]") -> Document:
    return Document(book.id, book.title, ".pdf", _block(pdf.result))


def _block(make: Callable[[], bytes]) -> Iterator[Block]:
    yield Block("", make())


def to_pdf(page: str) -> bytes:
    """A page of `to_html` as a PDF. Runs in a process of its own when there are many books."""
    return _renderer()(page)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text with what a renderer has to know about its script."""

    text: str
    lang: str
    dir: str

    @property
    def paragraphs(self) -> list[str]:
        return [part.strip("\n") for part in re.split(r"\n[ \t]*(?:\n[ \t]*)+", self.text) if part.strip()]


@dataclass(frozen=True, slots=True)
class _Passage:
    kind: str
    quote: _Text
    note: _Text
    color: str
    caption: str


@dataclass(frozen=True, slots=True)
class _Chapter:
    title: _Text | None
    passages: list[_Passage] = field(default_factory=list[_Passage])


def to_html(book: Book, passages: Sequence[Highlight]) -> str:
    """A book as the page that is printed; all that comes from the library is escaped."""
    tags = Counter(tag for passage in passages if (tag := language(passage.text or passage.note or "")))
    main = tags.most_common(1)[0][0] if tags and tags.total() * 2 >= len(passages) else language(book.title)
    han = next((tag for tag in (main, language(book.title)) if tag in {"ja", "ko"}), "zh-CN")

    def text(raw: str | None) -> _Text:
        clean = _CONTROL.sub("", (raw or "").replace("\r\n", "\n").replace("\r", "\n"))
        return _Text(clean, language(clean, han), direction(clean))

    chapters = [_Chapter(None)]
    name = None
    for passage in passages:
        if passage.chapter and passage.chapter != name:
            name = passage.chapter
            chapters.append(_Chapter(text(name)))
        chapters[-1].passages.append(_shown(passage, text))
    days = sorted(passage.added_at for passage in passages if passage.added_at)
    title = text(book.title.strip() or "Untitled")
    return _template()(
        title=title,
        running=shorten(title.text, 60, placeholder=" …") if " " in title.text else title.text[:30],
        author=text(book.author),
        lang=main or "en",
        highlights=sum(passage.kind == "highlight" for passage in passages),
        notes=sum(bool(passage.note) for passage in passages),
        days=span(days[0], days[-1]) if days else "",
        chapters=[chapter for chapter in chapters if chapter.passages],
    )


def _shown(passage: Highlight, text: Callable[[str | None], _Text]) -> _Passage:
    known = [*caption(passage), *(f"#{tag.replace(' ', _NO_BREAK)}" for tag in passage.tags)]
    color = (passage.color or "").lower()
    return _Passage(
        kind=passage.kind,
        quote=text(passage.text),
        note=text(passage.note),
        color=color if color.isalpha() and color.isascii() else "",
        caption=_CONTROL.sub("", " · ".join(known)),
    )


_NO_BREAK = "\u00a0"

# What XML, and so the metadata of a PDF, cannot hold.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


@lru_cache
def _template() -> Callable[..., str]:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # here, for the start-up time of everything else

    places = PackageLoader(__package__ or "kindlehl_exporters")
    return Environment(loader=places, autoescape=True, undefined=StrictUndefined).get_template("book.html").render


def _renderer() -> _ToPdf:
    """HTML to PDF: reads nothing but its own style sheet, logs nothing, and gives the same bytes for the same page."""
    try:
        # WeasyPrint prints its own advice and warns about libraries it will want one day: ours is below.
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Here, for the start-up time of everything else, and because it needs Pango. It ships no types.
            from weasyprint import CSS, HTML  # pyright: ignore[reportMissingTypeStubs]
            from weasyprint.urls import URLFetcher  # pyright: ignore[reportMissingTypeStubs]
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            "PDF export needs Pango, which is not installed.",
            hint="Debian, Ubuntu: `apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0`; "
            "macOS: `brew install pango`",
        ) from error

    style = (resources.files(__package__ or "kindlehl_exporters") / "templates" / "book.css").read_text("utf-8")
    nothing = URLFetcher(allowed_protocols=())  # no file and no address: a book's text is no program

    def rendered(page: str) -> bytes:
        # Messages of the renderer may quote the text; fontTools writes the time of day into the fonts it cuts.
        with _silence("weasyprint", "weasyprint.progress", "fontTools"), _timeless():
            sheet = CSS(string=style, url_fetcher=nothing)
            document = HTML(string=page, url_fetcher=nothing)
            written = io.BytesIO()
            document.write_pdf(written, stylesheets=[sheet], pdf_variant="pdf/ua-1")  # pyright: ignore[reportUnknownMemberType]
            return written.getvalue()

    return rendered


@contextlib.contextmanager
def _silence(*names: str) -> Generator[None]:
    loggers = [(logger, logger.level) for logger in map(logging.getLogger, names)]
    for logger, _ in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in loggers:
            logger.setLevel(level)


@contextlib.contextmanager
def _timeless() -> Generator[None]:
    """Stop the clock for what honours SOURCE_DATE_EPOCH, unless somebody has set it already."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        yield
        return
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    try:
        yield
    finally:
        del os.environ["SOURCE_DATE_EPOCH"]
