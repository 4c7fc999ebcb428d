"""The server's database: SQLite or PostgreSQL, as the URL says. A unit of work is one connection and transaction."""

import os
import re
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kindlehl.domain.errors import BusyError, KindlehlError, LibraryError, UsageError

_WAIT = 10.0
"""Seconds for somebody else who writes."""
_BUSY = frozenset(("55P03", "40001", "40P01"))
"""SQLSTATEs of PostgreSQL that pass: a lock that was not to be had, two transactions that met."""


class Database:
    """A database that many threads use at once."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        sqlite = self.engine.dialect.name == "sqlite"
        self._reader = self.engine.execution_options(**({_READS: True} if sqlite else _ONE_MOMENT))

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """A transaction that changes something: everything inside happens, or nothing does. On SQLite one at a time."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A transaction in which everything that is read is of one moment, and which keeps nobody out."""
        with self._translated(), self._reader.connect() as connection, connection.begin():
            yield connection

    def vacuum(self, *tables: Table) -> None:
        """On PostgreSQL, give back the rows of these tables that nobody can see any more."""
        alone = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._translated(), alone.connect() as connection:
            for table in tables:
                connection.exec_driver_sql(f"VACUUM {table.name}")

    @contextmanager
    def _translated(self) -> Generator[None]:
        """What the database raises is a sentence, without a statement or a value of anybody's."""
        try:
            yield
        except DBAPIError as error:
            raise _sentence(error.orig) from error
        except PoolTimeout as error:
            raise _busy() from error
        except self.engine.dialect.loaded_dbapi.Error as error:  # of a driver that is spoken with itself
            raise _sentence(error) from error

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


_READS = "kindlehl_reads"
_ONE_MOMENT: dict[str, Any] = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            return _sqlite(url)
        if address.get_backend_name() == "postgresql":
            driver = address.set(drivername="postgresql+psycopg")
            return create_engine(driver, pool_pre_ping=True, pool_size=10, pool_timeout=_WAIT)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise _unknown() from error
    except ImportError as error:
        raise UsageError(
            "PostgreSQL needs a driver that is not installed.", hint="pip install 'kindlehl[postgresql]'"
        ) from error
    raise _unknown()


def _unknown() -> UsageError:
    return UsageError(
        "That is no database the server knows.", hint="Give sqlite:///PATH or postgresql://USER@HOST/DATABASE."
    )


def _sqlite(url: str) -> Engine:
    if path := make_url(url).database:
        _keep_private(Path(path))
    engine = create_engine(url, connect_args={"timeout": _WAIT, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(_READS, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _keep_private(path: Path) -> None:
    """A file for nobody but us, wherever it is, and what SQLite puts beside it, which is as the file is."""
    with suppress(OSError):  # what cannot be written or changed is said when it is opened
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(OSError):
            each.chmod(each.stat().st_mode & 0o700)


def _sentence(cause: BaseException | None) -> KindlehlError:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return _busy()
        if code == sqlite3.SQLITE_FULL:
            return LibraryError("The server's disk is full.", hint="Nothing was changed; make room on the server.")
    if getattr(cause, "sqlstate", None) in _BUSY:
        return _busy()
    kind = re.sub(r"(?<!^)(?=[A-Z])", " ", type(cause).__name__).lower()
    return LibraryError(f"The server's database failed ({kind}).")


def _busy() -> BusyError:
    error = BusyError("The server is busy.", hint="Try again in a moment.")
    error.retry_after = 1.0
    return error
