"""A copy of a library's file as it is at one moment, made while others read and write it."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from kindlehl.domain.errors import CorruptLibraryError, TargetError
from kindlehl.store.connection import open_file, translated

_PREFIX = ".kindlehl-"
_STALE = 24 * 3600
"""Seconds after which what a killed process left behind is taken away."""
_OF_THE_TARGET = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def copy(source: sqlite3.Connection, library: Path, target: Path) -> int:
    """Copy an open library into a new file of a workplace, compact and without a log beside it; returns how many facts
    are in it. Others may write meanwhile: the copy is of the moment it began."""
    with translated(library):
        source.execute("BEGIN")  # counts and copies the same moment
        (facts,) = source.execute("SELECT count(*) FROM facts").fetchone()
        try:
            with closing(sqlite3.connect(target, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = OFF")  # whoever moves it into place has it on the disk first
                source.backup(connection)
                connection.execute("PRAGMA journal_mode = DELETE")
                if connection.execute("PRAGMA freelist_count").fetchone()[0]:
                    connection.execute("VACUUM")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF not in _OF_THE_TARGET:
                raise
            raise TargetError(
                f"{target.parent.parent} has no room for a copy of the library, or cannot be written.",
                hint="Make room, or name another place.",
            ) from error
        finally:
            source.execute("ROLLBACK")
    return int(facts)


def ensure_whole(path: Path, library: Path, facts: int) -> None:
    """Raise CorruptLibraryError unless a copy is sound and holds so many facts."""
    with translated(library), closing(open_file(path, "ro", 0)) as connection:
        sound = connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
        if sound and connection.execute("SELECT count(*) FROM facts").fetchone() == (facts,):
            return
    raise CorruptLibraryError(
        f"The copy of {library} is not whole: it or the disk is damaged. Nothing was written.",
        hint="`kindlehl db verify` says what is wrong with it.",
    )


@contextmanager
def workplace(folder: Path) -> Generator[Path]:
    """A folder of our own inside another, so that what is made in it can be moved into place. It is gone afterwards;
    those that were killed are taken away after a day."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_PREFIX}*"):
            if left.is_dir() and not left.is_symlink() and time.time() - left.stat().st_mtime > _STALE:
                shutil.rmtree(left, ignore_errors=True)
        own = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    except OSError as error:
        raise TargetError(
            f"Nothing can be written in {folder}: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def move(part: Path, target: Path) -> None:
    """Put a finished file in place, whole or not at all, and have it on the disk before anything else happens."""
    try:
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        raise TargetError(
            f"{target} cannot be written: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
    sync(target.parent)


def sync(folder: Path) -> None:
    """Have a folder's names on the disk, where the system can."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
