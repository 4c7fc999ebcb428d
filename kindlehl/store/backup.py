"""Backups of a library: made while it is in use, looked into, and told from any other file."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from kindlehl.domain.errors import CorruptLibraryError, KindlehlError, TargetError, UsageError
from kindlehl.store.connection import connect_to_inspect, is_there, log_of, open_file, translated, version_of
from kindlehl.store.copies import copy, ensure_whole, move, workplace

_MADE, _OF = "backup", "backup_of"
"""Rows of `settings` that a backup has and a library has not: when it was made, and of which library."""


class Contents(NamedTuple):
    """What a library or a backup holds."""

    facts: int
    highlights: int
    books: int
    version: int
    made: datetime | None
    """When it was made, UTC, if it is a backup."""


def write(library: Path, target: Path, now: datetime) -> Contents:
    """Write a backup of a library to this file. One that was there is replaced; any other file is left alone."""
    if is_there(target):
        _ensure_replaceable(library, target)
    if log_of(target).exists():  # SQLite would take what is in it for a part of the backup
        raise TargetError(f"{log_of(target)} is in the way.", hint="Name another file, or move that one away.")
    with workplace(target.parent) as folder:
        part = folder / "backup.db"
        with closing(connect_to_inspect(library)) as source:
            facts = copy(source, library, part)
        with translated(part), closing(open_file(part, "rw", 0)) as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO settings VALUES (?, ?)",
                [(_MADE, int(now.timestamp())), (_OF, _fingerprint(library))],
            )
        ensure_whole(part, library, facts)
        found = contents(part)
        move(part, target)
    return found


def _ensure_replaceable(library: Path, target: Path) -> None:
    if is_there(library) and target.samefile(library):
        raise UsageError(f"{target} is the library itself.", hint="Name another file for the backup.")
    if not target.is_file() or not _is_backup(target):
        raise TargetError(f"{target} is there and is no backup.", hint="Name another file, or move that one away.")


def _is_backup(path: Path) -> bool:
    try:
        return contents(path).made is not None
    except KindlehlError:
        return False


def is_backup_of(path: Path, library: Path) -> bool:
    """Whether a file is a backup of this library, and not of another one of the same name elsewhere."""
    try:
        with closing(connect_to_inspect(path)) as connection, translated(path):
            rows = dict(connection.execute("SELECT key, value FROM settings WHERE key IN (?, ?)", (_MADE, _OF)))
    except KindlehlError:
        return False
    return _MADE in rows and rows.get(_OF) == _fingerprint(library)


def _fingerprint(library: Path) -> int:
    """Tells libraries apart by where they are."""
    digest = hashlib.blake2b(str(library.resolve()).encode("utf-8", "surrogateescape"), digest_size=7).digest()
    return int.from_bytes(digest, "big")


def contents(path: Path) -> Contents:
    """What is in a library or a backup, which stays as it is."""
    with closing(connect_to_inspect(path)) as connection, translated(path):
        (facts,) = connection.execute("SELECT count(*) FROM facts").fetchone()
        books, highlights = connection.execute("SELECT count(*), total(highlights) FROM v_books").fetchone()
        row = connection.execute("SELECT value FROM settings WHERE key = ?", (_MADE,)).fetchone()
        version = version_of(connection, path)
    return Contents(facts, int(highlights), books, version, datetime.fromtimestamp(row[0], UTC) if row else None)


def ensure_sound(path: Path) -> None:
    """Raise CorruptLibraryError where a backup is damaged."""
    with closing(connect_to_inspect(path)) as connection, translated(path):
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != ("ok",):
        raise CorruptLibraryError(f"{path} is damaged. Nothing was changed.", hint="Take an older backup.")


def forget_that_it_is_one(connection: sqlite3.Connection) -> None:
    """Make a library of a copy of a backup."""
    connection.execute("DELETE FROM settings WHERE key IN (?, ?)", (_MADE, _OF))
