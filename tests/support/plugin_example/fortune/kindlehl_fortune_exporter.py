"""A fortune file of all highlights and notes, one after the other."""

from collections.abc import Iterator

from kindlehl.domain.contract import Block, Document, Shelf


class FortuneExporter:
    name = "fortune"
    summary = "A fortune file: one quote after the other"
    each_book = False

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def render(self, shelf: Shelf) -> Iterator[Document]:
        yield Document(self.name, "quotes", ".fortune", self._blocks(shelf))

    def _blocks(self, shelf: Shelf) -> Iterator[Block]:
        for book in shelf.books():
            source = " ".join(f"{book.author or 'Unknown'}, {book.title}".split())
            for passage in shelf.highlights(book):
                words = " ".join((passage.text or passage.note or "").split())  # on one line, a % is only a sign
                yield Block(passage.id, f"{words}\n\t\t-- {source}\n%\n".encode())
