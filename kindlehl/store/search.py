"""Full-text search over what is shown, in SQLite's FTS5.

The default tokenizer takes a run of Chinese, Japanese, Thai or Korean for one word, so that nothing inside a sentence
is found; trigrams find nothing under three characters, in silence. So the characters of scripts that do not part their
words are indexed one by one, and a run of them in a query becomes a phrase.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from functools import cache

from kindlehl.domain.library import Highlight
from kindlehl.ports import Filter, Query, Words
from kindlehl.store.rows import COLUMNS, condition, highlight

_INDEXED = "kind IN ('highlight', 'note') AND NOT hidden"


@cache
def _unparted() -> re.Pattern[str]:
    """The characters of Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean. Compiled when first met: it takes
    longer than a search."""
    return re.compile(
        "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
        "\u3105-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
        "\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
    )


def indexable(text: str) -> str:
    """A text as it goes into the index and a query: NFKC, with spaces round characters of scripts without spaces."""
    if text.isascii():
        return text
    return _unparted().sub(lambda run: f" {' '.join(run[0])} ", unicodedata.normalize("NFKC", text))


def _phrase(words: Words) -> str:
    quoted = indexable(words.text).replace('"', " ").replace("\0", " ")
    return f'"{quoted}"' + ("*" if words.prefix else "")


def expression(query: Query) -> str:
    """A query in FTS5's own language. What a reader typed is quoted, so nothing of it is taken for an operator."""
    wanted = " AND ".join(_phrase(words) for words in query.wanted)
    unwanted = "".join(f" NOT {_phrase(words)}" for words in query.unwanted)
    return f"({wanted}){unwanted}" if unwanted else wanted


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
                WHERE key >= ?1 AND {_INDEXED} UNION ALL
                SELECT key, text, note FROM highlights
                WHERE key IN (SELECT value FROM json_each(?2)) AND {_INDEXED} ORDER BY key""",  # noqa: S608 -- a condition of ours
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

    def search(self, query: Query, wanted: Filter, limit: int) -> Sequence[Highlight]:
        """Best first: passages in which, or in whose note, everything wanted is found."""
        match = expression(query)
        if (
            wanted == Filter()
            and not self._db.execute("SELECT EXISTS (SELECT 1 FROM books WHERE hidden)").fetchone()[0]
        ):
            # Rank and cut first, then look up only what is shown.
            rows = self._db.execute(
                f"""SELECT {COLUMNS} FROM
                      (SELECT rowid, rank FROM search WHERE search MATCH ? ORDER BY rank LIMIT ?) s
                    JOIN highlights h ON h.key = s.rowid JOIN books b ON b.key = h.book
                    ORDER BY s.rank, h.id""",  # noqa: S608 -- columns of ours
                (match, limit),
            )
        else:
            where, values = condition(wanted)
            rows = self._db.execute(
                f"""SELECT {COLUMNS} FROM search s JOIN highlights h ON h.key = s.rowid JOIN books b ON b.key = h.book
                    WHERE s.search MATCH ? AND {where} ORDER BY s.rank, h.id LIMIT ?""",  # noqa: S608 -- columns and conditions of ours
                (match, *values, limit),
            )
        return [highlight(row) for row in rows]
