"""Full-text search over what is shown, in SQLite's FTS5."""

import sqlite3
from collections.abc import Sequence

from kindlehl.domain.library import Highlight
from kindlehl.domain.tokens import indexable
from kindlehl.ports import Filter, Query
from kindlehl.store.expressions import expression
from kindlehl.store.rows import COLUMNS, condition, highlight

_INDEXED = "kind IN ('highlight', 'note') AND NOT hidden"
RANKED = 2_000
"""Up to so many passages are ranked for who types and waits: to rank those that hold a common word takes longer than
to find them, and among so many the order says little."""


class SqliteIndex:
    """The `Index` port: highlights and bare notes by the words of text and note."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(self, keys: list[int], watermark: int) -> None:
        """Index these rows of `highlights` and all from `watermark` on. Hidden ones, bookmarks and clips are not found.

        In the order of their keys: FTS5 writes its buffer out whenever a smaller key comes.
        """
        from json import dumps  # a search has no need of it

        rows = self._db.execute(
            f"""SELECT key, text, note FROM highlights
                WHERE key >= ? AND {_INDEXED} UNION ALL
                SELECT key, text, note FROM highlights
                WHERE key IN (SELECT value FROM json_each(?)) AND {_INDEXED} ORDER BY key""",  # noqa: S608 -- a condition of ours
            (watermark, dumps(keys)),
        )
        self._db.executemany(
            "INSERT INTO search (rowid, text, note) VALUES (?, ?, ?)",
            ((key, indexable(text), note and indexable(note)) for key, text, note in rows),
        )

    def drop(self, keys: list[int]) -> None:
        """Forget rows that are about to be deleted. The index holds no copy of its texts, so it is told them again."""
        if not keys:
            return
        from json import dumps  # as above

        rows = self._db.execute(
            f"""SELECT key, text, note FROM highlights WHERE key IN (SELECT value FROM json_each(?)) AND {_INDEXED}
                ORDER BY key""",  # noqa: S608 -- a condition of ours
            (dumps(keys),),
        ).fetchall()
        self._db.executemany(
            "INSERT INTO search (search, rowid, text, note) VALUES ('delete', ?, ?, ?)",
            [(key, indexable(text), note and indexable(note)) for key, text, note in rows],
        )

    def clear(self) -> None:
        """Forget everything."""
        self._db.execute("INSERT INTO search (search) VALUES ('delete-all')")

    def _hides_books(self) -> bool:
        """Whether some of what the index holds is not to be found."""
        return bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM books WHERE hidden)").fetchone()[0])

    def search(self, query: Query, wanted: Filter, limit: int | None) -> Sequence[Highlight]:
        """Best first: passages in which, or in whose note, everything wanted is found."""
        match, most = expression(query), -1 if limit is None else limit
        if wanted == Filter() and not self._hides_books():
            # Rank and cut first, then look up only what is shown.
            rows = self._db.execute(
                f"""SELECT {COLUMNS} FROM
                      (SELECT rowid, rank FROM search WHERE search MATCH ? ORDER BY rank LIMIT ?) s
                    JOIN highlights h ON h.key = s.rowid JOIN books b ON b.key = h.book
                    ORDER BY s.rank, h.id""",  # noqa: S608 -- columns of ours
                (match, most),
            )
            return [highlight(row) for row in rows]
        return self._found(match, wanted, "s.rank, h.id", most)

    def glance(self, query: Query, wanted: Filter, limit: int) -> Sequence[Highlight]:
        """The same for who types and waits: best first among few, in no particular order where many are found."""
        match = expression(query)
        (many,) = self._db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)", (match, RANKED + 1)
        ).fetchone()
        return self.search(query, wanted, limit) if many <= RANKED else self._found(match, wanted, "s.rowid", limit)

    def _found(self, match: str, wanted: Filter, order: str, limit: int) -> Sequence[Highlight]:
        where, values = condition(wanted)
        rows = self._db.execute(
            f"""SELECT {COLUMNS} FROM search s JOIN highlights h ON h.key = s.rowid JOIN books b ON b.key = h.book
                WHERE s.search MATCH ? AND {where} ORDER BY {order} LIMIT ?""",  # noqa: S608 -- columns, conditions and orders of ours
            (match, *values, limit),
        )
        return [highlight(row) for row in rows]

    def vocabulary(self, start: str = "") -> Sequence[tuple[str, int]]:
        """The words of the index that start like this, and how many passages hold each."""
        self._db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, search, 'row')")
        return self._db.execute(
            "SELECT term, doc FROM temp.vocabulary WHERE term >= ? AND term < ?", (start, f"{start}\U0010ffff")
        ).fetchall()
