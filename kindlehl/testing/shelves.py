"""The shelves that an exporter is tried on: a small library, and one whose texts mean harm."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kindlehl.domain.facts import record_id
from kindlehl.domain.library import Book, Highlight


@dataclass
class SampleShelf:
    """A shelf in memory that knows whose highlights were asked for."""

    shelved: dict[Book, Sequence[Highlight]]
    served: list[str] = field(default_factory=list[str])

    def books(self) -> Iterable[Book]:
        """Its books."""
        return iter(self.shelved)

    def highlights(self, book: Book) -> Sequence[Highlight]:
        """One book's passages; that they were asked for is noted."""
        self.served.append(book.id)
        return self.shelved[book]

    def facts(self) -> Iterable[bytes]:
        """Two facts, one of a kind that nobody knows."""
        return iter((b'{"type":"record","id":"x","text":"caf\xc3\xa9"}', b'{"type":"what is not known yet"}'))


def sample() -> SampleShelf:
    """Three books: marks of every kind, several scripts, a book that nobody marked."""
    walden, dream = _book("Walden; or, Life in the Woods", "Henry David Thoreau"), _book("红楼梦", "曹雪芹")
    return SampleShelf(
        {
            walden: [
                _highlight(
                    walden, "The mass of men lead lives of quiet desperation.", page="8", location_start=101,
                    location_end=102, added_at="2024-08-22T18:10:53", added_offset="+01:00", color="yellow",
                    chapter="Economy", tags=("life", "work", "haste", "woods", "bread", "pond", "café"), favorite=True,
                    note="Compare Seneca.\n\nAnd ask Anna.",
                ),
                _highlight(walden, "Our life is frittered away by detail.\nSimplify, simplify.", truncated=True),
                _highlight(walden, "", kind="note", note="Who speaks here?", added_at="2024-02-29T00:00:00"),
            ],
            dream: [
                _highlight(dream, "满纸荒唐言，一把辛酸泪！", chapter="第一回", color="teal", page="xvi"),
                _highlight(dream, "על שלושה דברים העולם עומד", added_at="2024-12-31T23:59:59"),
            ],
            _book("An Unread Book", None): [],
        }
    )  # fmt: skip


def hostile() -> SampleShelf:
    """Books whose titles, names and texts are markup, formulas, control characters and the like."""
    texts = [
        "".join(map(chr, range(1, 32))) + "\x7f\x80\x85\x9f",
        '=HYPERLINK("http://example.invalid")\t+1\n-1\n@x',
        "---\n# [a](b) ![c](d) <script>alert(1)</script> &amp; --> ]]> ``` ``` {{ 7 * 7 }} {% raw %} %s {0} $x$ \\end",
        "\u202e\u2066abc\u2069 \ufeff\ufffe\uffff \U0010ffff \u2028\u2029 e\u0301\u0301\u0301 👩‍👩‍👧 ﷽",
        "../../etc/passwd\n%\n==========\n\n\n   ",
        "word " * 300 + "x" * 1_000,
        " ",
    ]
    shelved: dict[Book, Sequence[Highlight]] = {}
    for text in texts:
        book = _book(text[:300], text[:200])
        passage = {"page": text[:40], "chapter": text[:80], "color": text[:20], "tags": (text[:30], ""), "note": text}
        shelved[book] = [
            _highlight(book, text, added_at="no date", added_offset="?", **passage),
            _highlight(book, "", kind="note", note=text),
        ]
    return SampleShelf(shelved)


def _book(title: str, author: str | None) -> Book:
    return Book(record_id("book", title), title, author, (title,), highlights=1)


def _highlight(book: Book, text: str, *, kind: Any = "highlight", **known: Any) -> Highlight:
    ident = record_id("sample", book.title, text, kind)
    return Highlight(ident, kind, book.id, book.title, book.author, text, source="sample", **known)
