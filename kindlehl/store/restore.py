"""A backup put in the place of a library, which is kept beside it."""

import os
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from kindlehl.domain.errors import BusyError, LibraryError, TargetError, UsageError
from kindlehl.store.backup import ensure_sound, forget_that_it_is_one
from kindlehl.store.connection import connect_to_inspect, is_there, log_of, open_file, translated, version_of
from kindlehl.store.copies import copy, ensure_whole, move, sync, workplace
from kindlehl.store.library import open_library


def restore(backup: Path, library: Path, now: datetime, wait: float) -> Path | None:
    """Put a backup in a library's place; returns where the library that was there is now, None if there was none.

    The file at `library` is at every moment either the old one or the new one, whole. Raises BusyError while anybody
    has it open.
    """
    library = library.resolve()  # of a link the file is replaced, not the link
    if is_there(library) and backup.samefile(library):
        raise UsageError(f"{backup} is the library itself.", hint="Name a backup.")
    ensure_sound(backup)
    with workplace(library.parent) as folder:
        part = folder / "library.db"
        with closing(connect_to_inspect(backup)) as source:
            facts = copy(source, backup, part)
        ensure_whole(part, backup, facts)
        with translated(backup), closing(open_file(part, "rw", 0)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            forget_that_it_is_one(connection)
        with closing(open_library(part)) as made, made.transaction():  # migrated, and folded as this version folds
            made.peers.renew()  # whoever syncs with it is behind where this one was, or ahead
        if log_of(part).exists():
            raise LibraryError(f"{backup} could not be made ready. Nothing was changed.", hint="Try again.")
        with _alone(library, wait):
            kept = _keep(library, now)
            _put(part, library, kept)
    return kept


@contextmanager
def _alone(library: Path, wait: float) -> Generator[None]:
    """Nobody else has the library open, and all that was written to it is in its file. A file that is damaged beyond
    opening is let pass."""
    if not is_there(library):
        yield
        return
    if library.is_dir():
        raise LibraryError(f"{library} is a directory, not a library.", hint="Name a file: --library PATH.")
    with translated(library):
        opened = open_file(library, "rw", round(wait * 1000))
    with closing(opened) as connection:
        try:
            # In this mode the first look at a file with a log takes a lock that keeps everybody out.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            version_of(connection, library)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("BEGIN EXCLUSIVE")  # and for one without a log
        except sqlite3.Error as error:
            code = error.sqlite_errorcode & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise BusyError(
                    f"Somebody has {library} open.",
                    hint="Close kindlehl, Datasette and whatever else reads it, then try again. Nothing was changed.",
                ) from error
            if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                with translated(library):
                    raise
        yield


def _keep(library: Path, now: datetime) -> Path | None:
    """Give a library's file a second name, under which it stays when another takes its place. A log with anything in it
    goes with it: beside another file it would be harmful."""
    stem = f"{library.name}.replaced-{now:%Y%m%dT%H%M%SZ}"
    kept = library.with_name(stem)
    n = 1
    while kept.exists() or log_of(kept).exists():
        n += 1
        kept = library.with_name(f"{stem}-{n}")
    try:
        if is_there(library):
            _link(library, kept)
        log = log_of(library)
        if log.exists() and log.stat().st_size:
            log.replace(log_of(kept))
        log.unlink(missing_ok=True)
        library.with_name(library.name + "-shm").unlink(missing_ok=True)
        sync(library.parent)
    except OSError as error:
        raise LibraryError(
            f"{library} could not be kept under another name: {error.strerror}. Nothing was changed.",
            hint="Check the folder's permissions and whether there is room.",
        ) from error
    return kept if kept.exists() else None


def _put(part: Path, library: Path, kept: Path | None) -> None:
    """Move the new file into place. Where there was none, one that somebody made meanwhile is not written over."""
    if kept is None and is_there(library):
        raise BusyError(f"{library} was made by somebody else just now. Nothing was changed.", hint="Try again.")
    try:
        move(part, library)
    except TargetError:
        if kept and kept.samefile(library):
            kept.unlink()
        raise


def _link(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except FileExistsError:
        raise
    except OSError:  # a disk that knows no links, such as a USB stick
        part = name.with_name(f"{name.name}.part")
        shutil.copy2(file, part)
        move(part, name)
