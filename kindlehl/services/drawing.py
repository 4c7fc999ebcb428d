"""Drawing: highlights by lot, each with an even chance."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kindlehl.domain.library import Highlight
from kindlehl.ports import Filter, Library

if TYPE_CHECKING:
    from random import Random

    from kindlehl.domain.facts import Id


def draw(library: Library, wanted: Filter, count: int, lot: "Random", *, per_book: bool = False) -> list[Highlight]:
    """So many different passages of those that are meant, fewer where there are fewer.

    Each passage has the same chance; `per_book`: each book has, with one passage of its own. The same lot draws the
    same from the same library.
    """
    ids = list(_of_books(library, wanted, count, lot)) if per_book else _some(library.shelf.ids(wanted), count, lot)
    return [found for id_ in ids if (found := library.shelf.get(id_)) is not None]


def _some(ids: "Sequence[Id]", count: int, lot: "Random") -> "Sequence[Id]":
    return lot.sample(ids, min(count, len(ids)))


def _of_books(library: Library, wanted: Filter, count: int, lot: "Random") -> "Iterator[Id]":
    books = sorted(id_ for id_, _, _ in library.shelf.titles() if wanted.books is None or id_ in wanted.books)
    lot.shuffle(books)
    for book in books:
        if count == 0:
            return
        ids = library.shelf.ids(wanted._replace(books=(book,)))
        if ids:
            count -= 1
            yield lot.choice(ids)
