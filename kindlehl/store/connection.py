"""Opening a library's file: pragmas, migrations with a backup before, and SQLite's errors as sentences for people."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from kindlehl.domain.errors import BusyError, CorruptLibraryError, KindlehlError, LibraryError, NewerLibraryError
from kindlehl.store import schema

BUSY_MS = 5_000
"""How long a statement waits for another writer."""
CACHE_KIB = 48_000
"""Page cache: holds the index on record ids of some hundred thousand highlights."""


_DAMAGED = "Keep the file, and put a backup in its place: kindlehl db restore FILE. Or name another: --library PATH."
_UNWRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)


def connect(path: Path, *, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """An open, current library. Made when it is not there. A read-only file can still be read."""
    with translated(path):
        if is_there(path) and path.is_dir():
            raise LibraryError(f"{path} is a directory, not a library.", hint="Name a file: --library PATH.")
        _make_room(path.parent)
        was = _identity(path)
        connection = open_file(path, "rwc", busy_ms)
        try:
            _stay(connection, path, was)
            prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def connect_to_read(path: Path, *, busy_ms: int = BUSY_MS) -> tuple[sqlite3.Connection, bool]:
    """A library to read from, and whether it is of an older version. Falls back to SQLite's immutable mode where
    neither the file nor its folder can be written: a WAL database cannot be read there in any other way."""
    with translated(path):
        was = _identity(path)
        connection = open_file(path, "rw", busy_ms)
        try:
            return connection, _stay(connection, path, was) < schema.VERSION
        except sqlite3.OperationalError as error:
            connection.close()
            return _immutable(path, error), False
        except BaseException:
            connection.close()
            raise


def connect_to_inspect(path: Path, *, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """An open library of any version that is to stay as it is, byte for byte: it is not migrated, and what a crash left
    beside it is not tidied up. Raises CorruptLibraryError where there are no tables yet."""
    with translated(path):
        # Whoever may write and is the last to leave brings the log into the file; whoever may not leaves an empty log.
        connection = open_file(path, "ro" if _has_log(path) else "rw", busy_ms)
        try:
            version = version_of(connection, path)
        except sqlite3.OperationalError as error:
            connection.close()
            connection = _immutable(path, error)
            version = version_of(connection, path)
        except BaseException:
            connection.close()
            raise
        if not version:
            connection.close()
            raise CorruptLibraryError(f"{path} holds no library.", hint="Name another file.")
        return connection


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that is put in its place; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _stay(connection: sqlite3.Connection, path: Path, was: tuple[int, int] | None) -> int:
    """The version of an open file, which from here on nobody replaces: the first look at it takes a lock that stays.
    Raises BusyError where it was replaced between opening and looking; SQLite would mix the two."""
    version = version_of(connection, path)
    if was and _identity(path) != was:
        raise BusyError(f"{path} was being replaced by a backup just now.", hint="Try again.")
    return version


def _immutable(path: Path, error: sqlite3.OperationalError) -> sqlite3.Connection:
    """The library opened in SQLite's immutable mode, if writing is all that failed and no log is to be read."""
    if error.sqlite_errorcode & 0xFF not in _UNWRITABLE:
        raise error
    if _has_log(path):
        raise LibraryError(
            f"{path} has changes beside it, in {log_of(path).name}, that cannot be read where nothing can be written.",
            hint="Make its folder writable or make room there, or copy both files to a place where there is.",
        ) from error
    connection = open_file(path, "ro&immutable=1", 0)
    try:
        if version_of(connection, path) < schema.VERSION:
            raise LibraryError(
                f"{path} was written by an older kindlehl, and cannot be brought up to date where nothing can be "
                "written.",
                hint="Make the file and its folder writable, or copy it to a place where there is room.",
            ) from error
    except BaseException:
        connection.close()
        raise
    return connection


def log_of(path: Path) -> Path:
    """The write-ahead log beside a library."""
    return path.with_name(path.name + "-wal")


def _has_log(path: Path) -> bool:
    try:
        return log_of(path).stat().st_size > 0
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether there is a file. Raises LibraryError where that cannot be told."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no path"
        raise LibraryError(
            f"The library {path} cannot be opened: {reason}.",
            hint="Check the path and its permissions, or name another library: --library PATH.",
        ) from error
    return True


def _make_room(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The folder {folder} for the library cannot be made: {error.strerror}.",
            hint="Check the path and its permissions, or name another library: --library PATH.",
        ) from error


def open_file(path: Path, mode: str, busy_ms: int) -> sqlite3.Connection:
    """A file opened in one of SQLite's modes, whatever it holds. Nothing is begun by itself."""
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None, timeout=busy_ms / 1000
    )


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The file's version; raises for a file that is newer than this program, or not ours."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > schema.VERSION:
        raise NewerLibraryError(
            f"{path} was written by a newer kindlehl (its version is {version}, this one knows {schema.VERSION}).",
            hint="Update kindlehl. Nothing was changed.",
        )
    if version == 0:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables:
            raise CorruptLibraryError(
                f"{path} is an SQLite database, but no kindlehl library.", hint="Name another file: --library PATH."
            )
    elif connection.execute("PRAGMA application_id").fetchone() != (schema.APPLICATION_ID,):
        raise CorruptLibraryError(
            f"{path} is an SQLite database, but no kindlehl library.", hint="Name another file: --library PATH."
        )
    return int(version)


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Bring an open file to the current version."""
    version = version_of(connection, path)
    # What a command or an answer has acknowledged is on the disk, though a watching process keeps the file open: with
    # NORMAL only the last one to close it would see to that.
    connection.execute("PRAGMA synchronous = FULL")
    if version < schema.VERSION:
        _migrate(connection, path)
    # Last, since SQLite turns the bytes into a number of pages, of the size that is known at this moment.
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute(f"PRAGMA page_size = {schema.PAGE_BYTES}")  # heeded by an empty file only
    _use_log(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated the file while this one waited for the lock.
        version = version_of(connection, path)
        if version < schema.VERSION:
            if version:
                _backup(path, version)
            schema.migrate(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. SQLite does not wait here while another process makes the same file."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _backup(path: Path, version: int) -> Path:
    """A copy of the file as it was before a migration, beside it. Kept: the reader removes it."""
    copy = path.with_name(f"{path.name}.before-version-{version + 1}")
    if not copy.exists():
        part = copy.with_name(copy.name + ".part")
        part.unlink(missing_ok=True)
        # A connection of its own: the one that migrates holds the write lock, which does not keep readers out.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        part.replace(copy)
    return copy


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Errors of SQLite and of damaged facts inside, as sentences about the library."""
    try:
        yield
    except sqlite3.Error as error:
        raise _sentence(error, path) from error
    except Exception as error:
        from kindlehl.wire import Malformed  # msgspec takes longer to load than a look at a library

        if isinstance(error, Malformed):
            raise CorruptLibraryError(f"{path} is damaged: it holds a fact that is none.", hint=_DAMAGED) from error
        raise


def _busy(path: Path) -> BusyError:
    from kindlehl.store.writer import writer  # only whoever waited in vain asks

    holder = writer(path)
    who = f" (process {holder.pid}, for {holder.seconds:.0f} s)" if holder else ""
    return BusyError(
        f"Another kindlehl is writing to {path}{who}.",
        hint="Try again when it has finished, or wait longer: --wait SECONDS",
    )


def _sentence(error: sqlite3.Error, path: Path) -> KindlehlError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _busy(path)
    if code == sqlite3.SQLITE_FULL:
        return LibraryError(
            f"The disk is full: {path} could not be written. The library is as it was.",
            hint="Make room, then try again.",
        )
    if code == sqlite3.SQLITE_READONLY:
        return LibraryError(
            f"The library {path} is read-only.", hint="Make it writable, or name another one: --library PATH."
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return LibraryError(
            f"The library {path} cannot be opened.",
            hint="Check the path and its permissions, or name another library: --library PATH.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptLibraryError(
            f"{path} is damaged, or is no kindlehl library.",
            hint=_DAMAGED,
        )
    if code == sqlite3.SQLITE_IOERR:
        return LibraryError(
            f"Reading or writing {path} failed. The library is as it was.",
            hint="Check the disk it is on, then try again.",
        )
    if "decode" in str(error):  # Python's own complaint about bytes that are no text; it quotes them
        return CorruptLibraryError(f"{path} is damaged: it holds text that is none.", hint=_DAMAGED)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return LibraryError(f"The library {path} could not be used ({name}).", hint="kindlehl db rebuild may help.")
