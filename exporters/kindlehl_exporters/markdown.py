"""The Markdown exporter: one file a book, made for Obsidian and readable anywhere."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from functools import lru_cache

from kindlehl.domain.contract import FRONT_MATTER, HEAD, Block, Document, Shelf, Template
from kindlehl.domain.library import Book, Highlight
from kindlehl_exporters.captions import caption
from kindlehl_exporters.escaping import inline, lines
from kindlehl_exporters.templating import Rendered, TemplateProcess


class MarkdownExporter:
    """Front matter, chapters as headings, each passage a block quote that ends in a stable block id."""

    name = "markdown"
    summary = "One Markdown file a book, for Obsidian and plain readers"
    each_book = True

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.template: Template | None = None
        """The reader's own shape of head, chapters and passages."""

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """One document a book, in the order of the shelf."""
        if self.template is not None:
            yield from self._shaped(shelf, self.template)
            return
        for book in shelf.books():
            passages = shelf.highlights(book)
            yield _document(book, passages, Rendered(_head(book), {}, []))

    def _shaped(self, shelf: Shelf, template: Template) -> Iterator[Document]:
        with closing(TemplateProcess(template)) as process:
            process.compile()
            for book in shelf.books():
                passages = shelf.highlights(book)
                yield _document(book, passages, process.book(book, passages, list(_anchors(passages))))


def _document(book: Book, passages: Sequence[Highlight], shaped: Rendered) -> Document:
    return Document(book.id, book.title, ".md", _blocks(book, passages, shaped), merged=True)


def _blocks(book: Book, passages: Sequence[Highlight], shaped: Rendered) -> Iterator[Block]:
    """The blocks; where a template has shaped the passages, in its shape."""
    yield Block("", _front_matter(book, passages).encode(), FRONT_MATTER)
    yield Block("", f"\n{shaped.head}\n".encode(), HEAD)
    chapter, times = None, Counter[str]()
    for n, (passage, anchor) in enumerate(zip(passages, _anchors(passages), strict=True)):
        if passage.chapter and passage.chapter != chapter:
            chapter = passage.chapter
            times[chapter] += 1  # two sources of a book may tell its places in two ways, and each begins anew
            heading = shaped.chapters[chapter] if shaped.passages else f"## {inline(chapter)}"
            yield Block("", f"\n{heading}\n".encode(), f"chapter {times[chapter]} {chapter}")
        text = f"\n{shaped.passages[n]}\n" if shaped.passages else _passage(passage, anchor)
        yield Block(passage.id, text.encode())


def _head(book: Book) -> str:
    title, author = inline(book.title), inline(book.author or "")
    return f"# {title}" + (f"\n\n*{author}*" if author else "")


def _passage(passage: Highlight, anchor: str) -> str:
    words = lines(passage.text) if passage.text else []
    note = lines(passage.note) if passage.note else []
    if note:
        note[0] = ("**Note:** " if passage.kind != "note" else "**Note without a highlight:** ") + note[0]
    known = " · ".join(caption(passage))
    foot = f"— {inline(known)}" if known else ""
    if passage.tags:
        foot = f"{foot} {' '.join([f'#{tag}' for tag in _tags(passage.tags)])}".strip()
    where = [foot] if foot else []
    rows: list[str] = []
    for part in (words, where, note) if words else (note, where):
        rows += ["", *part] if rows and part else part
    quote = "\n".join([f"> {row}" if row else ">" for row in rows]) or ">"
    # Obsidian wants the id of a block quote on a line of its own, between empty lines.
    return f"\n{quote}\n\n^{anchor}\n"


def _anchors(passages: Sequence[Highlight]) -> Iterator[str]:
    """A block id for each passage: short, and the whole of its id for those that share the short form.

    It depends on ids alone, never on order, so that a link in a vault goes on working as the book grows.
    """
    digits = [passage.id.replace("-", "") for passage in passages]
    seen = Counter(whole[:12] for whole in digits)
    for whole in digits:
        yield f"kh-{whole[:12] if seen[whole[:12]] == 1 else whole}"


def _front_matter(book: Book, passages: Sequence[Highlight]) -> str:
    written = {passage.added_at[:10] for passage in passages if passage.added_at}
    days = sorted(day for day in written if _is_day(day))
    tags = sorted({tag for passage in passages if passage.tags for tag in _tags(passage.tags)})
    rows = [
        "---",
        f"title: {_yaml(book.title)}",
        f"author: {_yaml(book.author)}" if book.author else "",
        f"kindlehl: {book.id}",
        f"highlights: {sum(passage.kind == 'highlight' for passage in passages)}",
        f"notes: {sum(bool(passage.note) for passage in passages)}",
        f"first: {days[0]}\nlast: {days[-1]}" if days else "",
        "\n  - ".join(["tags:", *map(_yaml, tags)]) if tags else "",
        "---",
    ]
    return "".join(f"{row}\n" for row in rows if row)


def _is_day(written: str) -> bool:
    """Whether YAML will read it as a date: a day that does not exist stops some parsers."""
    try:
        return date.fromisoformat(written).isoformat() == written
    except ValueError:
        return False


# What JSON leaves as it is and YAML does not accept, or takes for a line break.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _yaml(text: str) -> str:
    """A scalar that each YAML parser reads as this very string: double quotes, and JSON's escapes, which YAML has."""
    quoted = json.dumps(text, ensure_ascii=False)  # escaped astral characters would come back as two halves
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


# What ends a tag in Obsidian.
_NO_TAG = re.compile(r"""[\u2000-\u206f\u2e00-\u2e7f'!"#$%&()*+,.:;<=>?@^`{|}~\[\]\\\s]+""")


def _tags(tags: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(_tag, tags))))


@lru_cache(maxsize=4096)
def _tag(tag: str) -> str:
    """A tag as Obsidian can hold it: no spaces or punctuation, and not digits alone."""
    name = _NO_TAG.sub("-", tag).strip("-_/")
    return f"_{name}" if name.isdecimal() else name
