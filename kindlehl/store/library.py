"""A library in one SQLite file: facts, shelf and index in one transaction."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kindlehl.domain.errors import BusyError
from kindlehl.ports import Operation
from kindlehl.store.connection import BUSY_MS, connect, connect_to_read, prepare, translated
from kindlehl.store.rows import teach
from kindlehl.store.search import SqliteIndex
from kindlehl.store.shelf import SqliteShelf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindlehl.store.facts import SqliteFacts
    from kindlehl.store.folding import Folding
    from kindlehl.store.peers import SqlitePeers


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


class SqliteJournal:
    """The `Journal` port."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def enter(self, operation: Operation) -> None:
        """Add one."""
        self._db.execute("INSERT INTO operations VALUES (NULL, ?, ?, ?, ?, ?)", operation)

    def operations(self) -> "Sequence[Operation]":
        """All of them, oldest first."""
        rows = self._db.execute("SELECT id, at, verb, changes, reverses FROM operations ORDER BY number")
        return [Operation(*row) for row in rows]


class SqliteLibrary:
    """The `Library` port on one SQLite connection. Not for several threads at once."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self._path = path
        teach(connection)
        self.index = SqliteIndex(connection)
        self.shelf = SqliteShelf(connection, lambda: self._folding)
        self.memo = SqliteMemo(connection)
        self.journal = SqliteJournal(connection)

    @property
    def peers(self) -> "SqlitePeers":
        """The `Peers` port."""
        from kindlehl.store.peers import SqlitePeers  # only a round asks

        return SqlitePeers(self._db)

    # Facts and fold are loaded when they are first needed: looking at a library takes half as long without them.

    @property
    def facts(self) -> "SqliteFacts":
        """The `Facts` port."""
        return self._facts

    @cached_property
    def _facts(self) -> "SqliteFacts":
        from kindlehl.store.facts import SqliteFacts

        return SqliteFacts(self._db)

    @cached_property
    def _folding(self) -> "Folding":
        from kindlehl.store.folding import Folding

        return Folding(self._db, self.facts, self.index)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Everything inside happens, or nothing does."""
        from kindlehl.store.writer import noted  # whoever only looks writes nothing

        with translated(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            with noted(self._path):
                try:
                    self.facts.start()
                    yield
                    self._db.execute("COMMIT")
                except BaseException:
                    self.facts.start()
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """Everything that is read inside is of one moment."""
        with translated(self._path):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def fold_revision(self) -> int:
        """By which revision of the fold the shelf was made."""
        with translated(self._path):
            return int(self._db.execute("SELECT value FROM settings WHERE key = 'fold'").fetchone()[0])

    def scrub(self) -> None:
        """Leave no trace of what was erased or replaced: the index is merged, the file and its log are written anew."""
        with translated(self._path):
            self._db.execute("INSERT INTO search (search) VALUES ('optimize')")
            self._db.execute("VACUUM")
            (busy, _, _) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise BusyError(
                "Somebody is reading the library: traces of what was erased are left in its file.",
                hint="Run it again when they have finished: kindlehl trash empty --yes",
            )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def open_library(path: Path, wait: float = BUSY_MS / 1000) -> SqliteLibrary:
    """The library in this file, made when it is not there, and folded anew if an older revision folded it. `wait`: how
    many seconds for somebody else who writes."""
    from kindlehl.domain import fold

    library = SqliteLibrary(connect(path, busy_ms=round(wait * 1000)), path)
    try:
        if library.fold_revision() != fold.REVISION:
            with library.transaction():
                library.shelf.rebuild()
    except BaseException:
        library.close()
        raise
    return library


def read_library(path: Path) -> SqliteLibrary:
    """The library in this file, to read from; the file must be there. An older one is brought up to date first."""
    connection, stale = connect_to_read(path)
    if stale:
        connection.close()
        open_library(path).close()
        connection, _ = connect_to_read(path)
    return SqliteLibrary(connection, path)


def empty_library() -> SqliteLibrary:
    """A library that is gone when it is closed."""
    path = Path(":memory:")
    connection = sqlite3.connect(":memory:", isolation_level=None)
    prepare(connection, path)
    return SqliteLibrary(connection, path)
