"""What a person sees of a library in SQLite."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from kindlehl.domain.library import Book, Highlight
from kindlehl.ports import Filter
from kindlehl.store.rows import COLUMNS, condition, highlight

if TYPE_CHECKING:
    from kindlehl.domain.effects import Effects
    from kindlehl.domain.facts import Id
    from kindlehl.store.folding import Folding


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

    def books(self) -> Sequence[Book]:
        """All books by title."""
        raw: dict[str, list[str]] = {}
        for id_, title in self._db.execute(
            "SELECT b.id, a.raw_title FROM books b JOIN atoms a ON a.book = b.key ORDER BY a.raw_title"
        ):
            raw.setdefault(id_, []).append(title)
        rows = self._db.execute(
            "SELECT id, title, author, highlights, notes, bookmarks, clips, first_at, last_at FROM v_books"
        )
        found = [Book(row[0], row[1], row[2], tuple(raw[row[0]]), *row[3:]) for row in rows]
        return sorted(found, key=lambda book: (book.title.casefold(), book.id))

    def titles(self) -> "Sequence[tuple[str, str | None, Id]]":
        """Title, author and id of each book by title."""
        rows = self._db.execute(
            """SELECT b.title, b.author, b.id FROM books b
               WHERE EXISTS (SELECT 1 FROM highlights h WHERE h.book = b.key AND NOT h.hidden)"""
        )
        return sorted(rows.fetchall(), key=lambda row: (row[0].casefold(), row[2]))

    def tags(self) -> Sequence[str]:
        """Every tag that a shown passage has, in order."""
        rows = self._db.execute(
            "SELECT DISTINCT value FROM highlights h, json_each(h.tags) WHERE h.tags <> '[]' AND NOT h.hidden"
        )
        return sorted(tag for (tag,) in rows)

    def highlights(self, wanted: Filter, *, newest: bool = False, limit: int | None = None) -> Iterator[Highlight]:
        """Passages by book and in reading order, or newest first."""
        if newest and limit is not None:
            return self._newest(wanted, limit)
        if newest:
            return self._select(wanted, "h.added_at DESC, h.id", limit)
        return islice(self._by_book(wanted), limit)

    def _newest(self, wanted: Filter, limit: int) -> Iterator[Highlight]:
        """Which they are is found out before their texts are read: half the time for the first few of many."""
        where, values = condition(wanted)
        order = "h.added_at DESC, h.id"
        cursor = self._db.execute(
            f"""SELECT {COLUMNS} FROM highlights h JOIN books b ON b.key = h.book WHERE h.key IN
                  (SELECT h.key FROM highlights h WHERE {where} ORDER BY {order} LIMIT ?) ORDER BY {order}""",  # noqa: S608 -- columns and conditions of ours, values bound
            (*values, limit),
        )
        return map(highlight, cursor)

    def _by_book(self, wanted: Filter) -> Iterator[Highlight]:
        """Book after book, so that only one has to be sorted."""
        titles = self._db.execute("SELECT id, title FROM books").fetchall()
        for id_, _ in sorted(titles, key=lambda book: (book[1].casefold(), book[0])):
            if wanted.books is None or id_ in wanted.books:
                yield from self._select(
                    wanted._replace(books=(id_,)), "h.lane, h.start, h.stop, h.added_at, h.id", None
                )

    def _select(self, wanted: Filter, order: str, limit: int | None) -> Iterator[Highlight]:
        where, values = condition(wanted)
        cursor = self._db.execute(
            f"""SELECT {COLUMNS} FROM highlights h JOIN books b ON b.key = h.book WHERE {where}
                ORDER BY {order} LIMIT ?""",  # noqa: S608 -- columns and conditions of ours, values bound
            (*values, -1 if limit is None else limit),
        )
        return map(highlight, cursor)

    def get(self, id_: "Id") -> Highlight | None:
        """The shown passage of which this record is a member."""
        row = self._db.execute(
            f"""SELECT {COLUMNS} FROM facts f JOIN records r ON r.key = f.key JOIN highlights h ON h.key = r.passage
                  JOIN books b ON b.key = h.book WHERE f.id = ? AND NOT h.hidden""",  # noqa: S608 -- columns of ours
            (id_,),
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

    def starting_with(self, prefix: str, limit: int) -> "Sequence[Id]":
        """Ids of shown passages that start like this."""
        rows = self._db.execute(
            """SELECT DISTINCT h.id FROM facts f JOIN records r ON r.key = f.key JOIN highlights h ON h.key = r.passage
               WHERE f.id >= ?1 AND f.id < ?1 || 'g' AND NOT h.hidden ORDER BY h.id LIMIT ?2""",
            (prefix, limit),
        )
        return [id_ for (id_,) in rows]

    def count(self, wanted: Filter) -> int:
        """How many passages are meant."""
        where, values = condition(wanted)
        return int(
            self._db.execute(
                f"SELECT count(*) FROM highlights h JOIN books b ON b.key = h.book WHERE {where}",  # noqa: S608 -- conditions of ours, values bound
                values,
            ).fetchone()[0]
        )
