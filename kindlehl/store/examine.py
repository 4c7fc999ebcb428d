"""A quick look at a library for `doctor`: seconds where `verify` takes minutes, and nothing is copied."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from kindlehl.domain import fold
from kindlehl.domain.errors import CorruptLibraryError, NewerLibraryError
from kindlehl.domain.findings import Finding
from kindlehl.store import schema
from kindlehl.store.connection import connect_to_inspect, translated
from kindlehl.store.verify import RESTORE, indexed

_FEATURES = {
    "full-text search": "CREATE VIRTUAL TABLE temp.a USING fts5(b, content='')",
    "JSON": "SELECT value FROM json_each('[1]')",
    "strict tables": "CREATE TEMP TABLE b (c INTEGER) STRICT",
}


class Versions(NamedTuple):
    """Of all that decides how a library is read."""

    python: str
    sqlite: str
    library: int
    """The version of a library's file that this program makes."""
    fold: int


def versions() -> Versions:
    """The versions of this run."""
    return Versions(sys.version.split()[0], sqlite3.sqlite_version, schema.VERSION, fold.REVISION)


def features() -> Finding:
    """Whether this SQLite can do what a library needs."""
    lacking: list[str] = []
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, statement in _FEATURES.items():
            try:
                connection.execute(statement)
            except sqlite3.Error:
                lacking.append(name)
    said = f"SQLite {sqlite3.sqlite_version}"
    if lacking:
        return Finding("sqlite", False, f"{said} lacks {' and '.join(lacking)}.", "Use a Python with a newer SQLite.")
    return Finding("sqlite", True, f"{said} has all that is needed.")


def examine(path: Path) -> tuple[list[Finding], str | None]:
    """What a quick look finds, and the time of the newest import, UTC. The library stays as it is."""
    try:
        with closing(connect_to_inspect(path)) as connection, translated(path):
            (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if sound != "ok":
                return [Finding("integrity", False, "The library is damaged.", RESTORE)], None
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            found = [Finding("integrity", True, "The library is whole, as far as a quick look tells.")]
            if version < schema.VERSION:
                found.append(Finding("schema", True, f"Its version is {version}: it is migrated when it is next used."))
            else:
                found += [
                    Finding("schema", True, f"Its version is {version}."),
                    _folded(connection),
                    indexed(connection),
                ]
            newest = connection.execute("SELECT max(body ->> '$.at') FROM facts WHERE type = 'import'").fetchone()[0]
    except NewerLibraryError as error:
        return [Finding("schema", False, "A newer kindlehl wrote the library.", error.hint)], None
    except CorruptLibraryError:
        return [Finding("integrity", False, "The library is damaged, or is none.", RESTORE)], None
    return found, newest


def _folded(connection: sqlite3.Connection) -> Finding:
    (revision,) = connection.execute("SELECT value FROM settings WHERE key = 'fold'").fetchone()
    if revision < fold.REVISION:
        return Finding("fold", True, "An older version made what is shown: the next import makes it anew.")
    if revision > fold.REVISION:
        return Finding("fold", False, "A newer version made what is shown.", "Update kindlehl.")
    return Finding("fold", True, f"What is shown was made by revision {revision} of the fold, which is this one's.")
