"""What is exported: the chosen part of a library, and an exporter's documents, which fail in sentences."""

import dataclasses
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kindlehl.domain.contract import Block, Document, Exporter
from kindlehl.domain.errors import KindlehlError, PluginError
from kindlehl.domain.facts import Id
from kindlehl.domain.library import Book, Highlight
from kindlehl.ports import Filter, Library


def _nothing(_: Id) -> Collection[Id]:
    return ()


@dataclass(slots=True)
class ChosenBooks:
    """The part of a library that is exported: the `Shelf` an exporter is given."""

    library: Library
    chosen: Sequence[Book]
    since: str | None = None
    """Only what was marked on this day or later, and what was exported before."""
    exported_before: Callable[[Id], Collection[Id]] = _nothing
    """Of a document by its id: the passages that it has been given already, which `since` does not take from it."""
    failure: Exception | None = None
    """What the library raised while it was read: not the exporter's fault."""

    def books(self) -> Iterable[Book]:
        """The chosen books that have something to show."""
        return [
            book
            for book in self.chosen
            if (book.highlights or book.notes) and (self.since is None or (book.last_at or "") >= self.since)
        ]

    def highlights(self, book: Book) -> Sequence[Highlight]:
        """One book's highlights and bare notes in reading order."""
        with self._remembered():
            found = list(self.library.shelf.highlights(Filter(books=(book.id,))))
        if self.since is None:
            return found
        before, since = self.exported_before(book.id), self.since
        return [each for each in found if (each.added_at or "") >= since or each.id in before]

    def facts(self) -> Iterator[bytes]:
        """Every fact of the whole library as it travels."""
        with self._remembered():
            for body in self.library.facts.bodies():
                yield body.encode()

    @contextmanager
    def _remembered(self) -> Generator[None]:
        try:
            yield
        except Exception as error:
            self.failure = error
            raise


def rendered(exporter: Exporter, shelf: ChosenBooks) -> Iterator[Document]:
    """The documents; whatever an exporter raises is a sentence that names it."""
    with _named(exporter, shelf):
        for document in exporter.render(shelf):
            yield dataclasses.replace(document, blocks=_blocks(exporter, document, shelf))


def _blocks(exporter: Exporter, document: Document, shelf: ChosenBooks) -> Iterator[Block]:
    with _named(exporter, shelf):
        yield from document.blocks


@contextmanager
def _named(exporter: Exporter, shelf: ChosenBooks) -> Generator[None]:
    try:
        yield
    except (KindlehlError, OSError):
        raise
    except Exception as error:
        if error is shelf.failure:
            raise
        raise PluginError(
            f"The exporter {exporter.name} failed ({type(error).__name__}).",
            hint="Please report it to whoever wrote that exporter.",
        ) from error
