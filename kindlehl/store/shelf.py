"""What a person sees of a library in SQLite."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from kindlehl.domain.library import Book, Highlight
from kindlehl.ports import Filter, Order
from kindlehl.store.rows import COLUMNS, condition, highlight

if TYPE_CHECKING:
    from kindlehl.domain.effects import Effects
    from kindlehl.domain.facts import Id
    from kindlehl.store.folding import Folding


_BOOKS = """SELECT b.id, b.title, b.author, count(*) FILTER (WHERE h.kind = 'highlight'), count(h.note),
    count(*) FILTER (WHERE h.kind = 'bookmark'), count(*) FILTER (WHERE h.kind = 'clip'),
    min(h.added_at) FILTER (WHERE h.kind IN ('highlight', 'note')),
    max(h.added_at) FILTER (WHERE h.kind IN ('highlight', 'note')), b.hidden
  FROM books b JOIN highlights h ON h.book = b.key WHERE NOT h.hidden"""


class SqliteShelf:
    """The `Shelf` port."""

    def __init__(self, connection: sqlite3.Connection, folding: "Callable[[], Folding]") -> None:
        self._db = connection
        self._folding = folding

    def settle(self) -> "Effects":
        """Fold what the facts added in this transaction have touched."""
        return self._folding().settle()

    def rebuild(self) -> None:
        """Throw the fold and the index away and make them anew from all facts."""
        self._folding().rebuild()

    def books(self, ids: "Collection[Id] | None" = None, *, hidden: bool = False) -> Sequence[Book]:
        """The books, or these of them, by title; those that the reader hides only if asked for."""
        these = "" if ids is None else "AND b.id IN (SELECT value FROM json_each(:ids))"
        values = {"ids": json.dumps([*(ids or ())]), "hidden": hidden}
        raw: dict[str, list[str]] = {}
        for id_, title in self._db.execute(
            f"SELECT b.id, a.raw_title FROM books b JOIN atoms a ON a.book = b.key {these} ORDER BY a.raw_title",  # noqa: S608 -- a condition of ours, values bound
            values,
        ):
            raw.setdefault(id_, []).append(title)
        rows = self._db.execute(f"{_BOOKS} {these} AND b.hidden <= :hidden GROUP BY b.key", values)
        found = [
            Book(
                row[0], row[1], row[2], tuple(raw[row[0]]), row[3], row[4], row[5], row[6], row[7], row[8], bool(row[9])
            )
            for row in rows
        ]
        return sorted(found, key=lambda book: (book.title.casefold(), book.id))

    def atoms(self, book: "Id") -> "Sequence[Id]":
        """The titles that sources use for this book, as atoms."""
        rows = self._db.execute(
            "SELECT id FROM atoms WHERE book = (SELECT key FROM books WHERE id = ?) ORDER BY id", (book,)
        )
        return [id_ for (id_,) in rows]

    def titles(self, *, hidden: bool = False) -> "Sequence[tuple[Id, str, str | None]]":
        """Id, title and author of all books by title."""
        rows = self._db.execute(
            """SELECT b.id, b.title, b.author FROM books b
               WHERE b.hidden <= ? AND EXISTS (SELECT 1 FROM highlights h WHERE h.book = b.key AND NOT h.hidden)""",
            (hidden,),
        )
        return sorted(rows, key=lambda book: (book[1].casefold(), book[0]))

    def tags(self) -> Sequence[str]:
        """Every tag of a shown passage, once, in alphabetical order."""
        rows = self._db.execute(
            """SELECT DISTINCT value FROM (SELECT DISTINCT h.tags FROM highlights h JOIN books b ON b.key = h.book
                 WHERE h.tags <> '[]' AND NOT h.hidden AND NOT b.hidden) h,
               json_each(h.tags) ORDER BY value"""
        )
        return [tag for (tag,) in rows]

    def highlights(self, wanted: Filter, *, order: Order = "book", limit: int | None = None) -> Iterator[Highlight]:
        """Passages in an order, at most so many."""
        if _asks_of_the_trash(wanted):
            return islice(self._of_the_trash(wanted, order), limit)
        if order == "book":
            return islice(self._by_book(wanted), limit)
        by_time = f"h.added_at IS NULL, h.added_at {'DESC' if order == 'newest' else 'ASC'}, h.id"
        if limit is None:
            return self._select(wanted, by_time, None)
        if order == "newest" and wanted == Filter() and (day := self._reached(limit)):
            wanted = wanted._replace(since=day)
        return self._first(wanted, by_time, limit)

    def _reached(self, count: int) -> str | None:
        """A time that none of the newest so many are before; None where fewer have a time.

        The newest of all are no older than the oldest of any so many. What arrived last is likely to be new: so hardly
        more than those are sorted, which is a third of the time for the first few of many.
        """
        where, values = condition(Filter())
        found, least = self._db.execute(
            f"""SELECT count(*), min(added_at) FROM
                  (SELECT h.added_at FROM highlights h JOIN books b ON b.key = h.book
                   WHERE h.added_at IS NOT NULL AND {where} ORDER BY h.key DESC LIMIT ?)""",  # noqa: S608 -- conditions of ours, values bound
            (*values, count),
        ).fetchone()
        return str(least) if found == count else None

    def _of_the_trash(self, wanted: Filter, order: Order) -> Iterator[Highlight]:
        """What is in the trash is not in the index: what is meant of it is told one by one."""
        from kindlehl.store.matching import matches  # few ask anything of the trash

        for h in self.highlights(wanted._replace(terms=(), query=None), order=order):
            if matches(h, self.members(h.id), wanted):
                yield h

    def _first(self, wanted: Filter, order: str, limit: int) -> Iterator[Highlight]:
        """Which they are is found out before their texts are read: half the time for the first few of many."""
        where, values = condition(wanted)
        cursor = self._db.execute(
            f"""SELECT {COLUMNS} FROM highlights h JOIN books b ON b.key = h.book WHERE h.key IN
                  (SELECT h.key FROM highlights h JOIN books b ON b.key = h.book WHERE {where} ORDER BY {order} LIMIT ?)
                ORDER BY {order}""",  # noqa: S608 -- columns, conditions and orders of ours, values bound
            (*values, limit),
        )
        return map(highlight, cursor)

    def _by_book(self, wanted: Filter) -> Iterator[Highlight]:
        """Book after book, so that only one has to be sorted."""
        within = "h.lane, h.start, h.stop, h.added_at, h.id"
        if wanted.books is not None and len(wanted.books) == 1:
            yield from self._select(wanted, within, None)
            return
        where, values = "1", list[str]()
        if wanted.terms:
            from kindlehl.store import conditions  # most lists have none

            where, values, wanted = conditions.of_books(wanted)
        titles = self._db.execute(f"SELECT id, title FROM books b WHERE {where}", values).fetchall()  # noqa: S608 -- conditions of ours, values bound
        for id_, _ in sorted(titles, key=lambda book: (book[1].casefold(), book[0])):
            if wanted.books is None or id_ in wanted.books:
                yield from self._select(wanted._replace(books=(id_,)), within, None)

    def ids(self, wanted: Filter) -> "Sequence[Id]":
        """The ids of all that is meant, in their own order."""
        if _asks_of_the_trash(wanted):
            return sorted(h.id for h in self._of_the_trash(wanted, "book"))
        where, values = condition(wanted)
        rows = self._db.execute(
            f"SELECT h.id FROM highlights h JOIN books b ON b.key = h.book WHERE {where} ORDER BY h.id",  # noqa: S608 -- conditions of ours, values bound
            values,
        )
        return [id_ for (id_,) in rows]

    def _select(self, wanted: Filter, order: str, limit: int | None) -> Iterator[Highlight]:
        where, values = condition(wanted)
        cursor = self._db.execute(
            f"""SELECT {COLUMNS} FROM highlights h JOIN books b ON b.key = h.book WHERE {where}
                ORDER BY {order} LIMIT ?""",  # noqa: S608 -- columns and conditions of ours, values bound
            (*values, -1 if limit is None else limit),
        )
        return map(highlight, cursor)

    def get(self, id_: "Id", *, deleted: bool = False) -> Highlight | None:
        """The shown passage of which this record is a member, or the one in the trash; that of a hidden book too."""
        row = self._db.execute(
            f"""SELECT {COLUMNS} FROM facts f JOIN records r ON r.key = f.key JOIN highlights h ON h.key = r.passage
                  JOIN books b ON b.key = h.book WHERE f.id = ? AND h.hidden = ?""",  # noqa: S608 -- columns of ours
            (id_, deleted),
        ).fetchone()
        return None if row is None else highlight(row)

    def members(self, id_: "Id") -> "Sequence[Id]":
        """The records of the passage, hidden or not, that holds this one."""
        rows = self._db.execute(
            """SELECT f.id FROM facts g JOIN records s ON s.key = g.key
                 JOIN records r ON r.key = s.passage OR (r.passage = s.passage AND r.passage <> r.key)
                 JOIN facts f ON f.key = r.key WHERE g.id = ? ORDER BY f.id""",
            (id_,),
        )
        return [member for (member,) in rows]

    def starting_with(self, prefix: str, limit: int, *, deleted: bool = False) -> "Sequence[Id]":
        """Ids of shown passages, or of those in the trash, of which a member starts like this."""
        rows = self._db.execute(
            """SELECT DISTINCT h.id FROM facts f JOIN records r ON r.key = f.key JOIN highlights h ON h.key = r.passage
               WHERE f.id >= ? AND f.id < ? AND h.hidden = ? ORDER BY h.id LIMIT ?""",
            (prefix, f"{prefix}g", deleted, limit),
        )
        return [id_ for (id_,) in rows]

    def count(self, wanted: Filter) -> int:
        """How many passages are meant."""
        if _asks_of_the_trash(wanted):
            return sum(1 for _ in self._of_the_trash(wanted, "book"))
        where, values = condition(wanted)
        return int(
            self._db.execute(
                f"SELECT count(*) FROM highlights h JOIN books b ON b.key = h.book WHERE {where}",  # noqa: S608 -- conditions of ours, values bound
                values,
            ).fetchone()[0]
        )


def _asks_of_the_trash(wanted: Filter) -> bool:
    """Whether words or conditions are asked of what is in the trash, where no index helps."""
    return wanted.deleted and bool(wanted.terms or wanted.query)
