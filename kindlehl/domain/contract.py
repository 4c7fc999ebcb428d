"""All that the author of an importer or an exporter reads: Importer, Exporter, and what goes between."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, Protocol

from kindlehl.domain.facts import Record
from kindlehl.domain.library import Book, Highlight


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a source consists of: one file, or several that belong together. Values, no paths; opened read-only."""

    name: str
    """The file's own name, such as "My Clippings.txt"; "-" for standard input."""
    files: Mapping[str, Callable[[], BinaryIO]]
    """Openers by relative name; each call gives a new stream from the start. A single file is under its `name`."""
    encoding: str | None = None
    """What the user says the encoding is; None: find out."""
    explicit: bool = False
    """The reader named this very file: what only might be a source of ours is taken for one."""
    warnings: list[str] = field(default_factory=list[str])
    """An importer appends sentences here that the user should read, such as a guessed encoding. No text of records."""

    def open(self) -> BinaryIO:
        """The one file of a single-file bundle."""
        return self.files[self.name]()

    def head(self, size: int = 65_536) -> bytes:
        """The first bytes of that file, for sniffing."""
        with self.open() as stream:
            return stream.read(size)


class Importer(Protocol):
    """Reads one kind of source."""

    name: str
    """Lower-case, stable: it is part of every import fact."""
    revision: int
    """Raise it when the same raw record is read better; the better reading then replaces the older one everywhere."""

    def claims(self, bundle: Bundle) -> bool:
        """Whether this looks like a source of ours. Cheap: look at names and the head. Never raises on odd bytes."""
        ...

    def read(self, bundle: Bundle) -> Iterator[Record]:
        """The records, streaming, in source order. One that cannot be read comes out as kind `unreadable`, never as an
        exception. Raises `SourceError` only where the bundle as a whole cannot be read."""
        ...


class Block(NamedTuple):
    """A run of bytes in a document; with an id where it shows one passage."""

    id: str
    """A highlight's id, or "" for what frames the passages."""
    data: bytes
    name: str = ""
    """In a merged document: what a block without an id is, the same in every export. `FRONT_MATTER`, `HEAD`, or a name
    of its own for each heading."""


FRONT_MATTER = "front matter"
HEAD = "head"


@dataclass(frozen=True, slots=True)
class Document:
    """One file of an export. Where it goes, and whether it may, is the export service's business."""

    id: str
    """Stable: a book's id, or the exporter's name for a document over the whole library."""
    title: str
    """What the file is named after; made safe for every file system by the service."""
    suffix: str
    """With its dot: ".md"."""
    blocks: Iterable[Block]
    merged: bool = False
    """Its blocks are merged into the file that the reader may have changed, instead of the whole being replaced as long
    as the reader did not. Then it is Markdown in UTF-8, each block is whole lines between empty ones, one with an id
    ends in a line that ends in its own marker `^kh-…` (digits, small letters, dashes), and one without has a name."""


class Template(NamedTuple):
    """A reader's own template. An exporter that takes one has an attribute `template: Template | None`."""

    name: str
    """As the reader named it, for complaints."""
    text: str


class Shelf(Protocol):
    """The part of a library that is being exported."""

    def books(self) -> Iterable[Book]:
        """The chosen books by title; hidden ones left out."""
        ...

    def highlights(self, book: Book) -> Sequence[Highlight]:
        """One book's highlights and bare notes in reading order; bookmarks and clips left out."""
        ...

    def facts(self) -> Iterable[bytes]:
        """Every fact of the whole library as it travels: one JSON object each, in order of arrival."""
        ...


class Exporter(Protocol):
    """Renders a shelf in one format."""

    name: str
    summary: str
    """One line for the help: what it gives."""
    each_book: bool
    """Whether it gives a document for each book, which go into a folder, or one over the whole library."""
    warnings: list[str]
    """Filled while rendering: sentences that the user should read, such as a missing font. No text of highlights."""

    def render(self, shelf: Shelf) -> Iterable[Document]:
        """The documents, lazily: one at a time is held. The same shelf gives the same bytes, always: no time of day, no
        random ids. Raises `MissingDependencyError` when the system lacks what the format needs."""
        ...
