"""A library in one SQLite file: facts, shelf and index in one transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kindlehl.store.connection import connect, connect_to_read, prepare, translated
from kindlehl.store.facts import SqliteFacts
from kindlehl.store.search import SqliteIndex
from kindlehl.store.shelf import SqliteShelf
from kindlehl.store.touched import Touched


class SqliteMemo:
    """The `Memo` port."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def recall(self, key: str) -> str | None:
        """What was remembered."""
        row = self._db.execute("SELECT value FROM memo WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, key: str, value: str) -> None:
        """Keep a value until an import is withdrawn or a record erased."""
        self._db.execute("INSERT OR REPLACE INTO memo VALUES (?, ?)", (key, value))


class SqliteLibrary:
    """The `Library` port on one SQLite connection. Not for several threads at once."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self._path = path
        self._touched = Touched()
        self.facts = SqliteFacts(connection, self._touched)
        self.index = SqliteIndex(connection)
        self.shelf = SqliteShelf(connection, self._touched, self.facts, self.index)
        self.memo = SqliteMemo(connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing does."""
        with translated(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                (watermark,) = self._db.execute("SELECT coalesce(max(key), 0) + 1 FROM facts").fetchone()
                self._touched.start(watermark)
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self.facts.forget()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def open_library(path: Path) -> SqliteLibrary:
    """The library in this file, made when it is not there."""
    return SqliteLibrary(connect(path), path)


def read_library(path: Path) -> SqliteLibrary:
    """The library in this file, to read from; the file must be there."""
    return SqliteLibrary(connect_to_read(path), path)


def empty_library() -> SqliteLibrary:
    """A library that is gone when it is closed."""
    path = Path(":memory:")
    connection = sqlite3.connect(":memory:", isolation_level=None)
    prepare(connection, path)
    return SqliteLibrary(connection, path)
