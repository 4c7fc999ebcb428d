"""Settings become a server: the only place that names an adapter."""

import shutil
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from kindlehl.domain.errors import KindlehlError, LibraryError, NotFoundError
from kindlehl.services.sync.noticing import IN_CONFLICT
from kindlehl_server.accounts import Accounts, Pairing, Sessions
from kindlehl_server.metrics import STALLED, rarely
from kindlehl_server.migrations import migrate
from kindlehl_server.needs import Needs
from kindlehl_server.ports import Libraries
from kindlehl_server.running import alone
from kindlehl_server.settings import Settings
from kindlehl_server.store.database import Database
from kindlehl_server.store.libraries import FileLibraries
from kindlehl_server.store.tables import users

_ROOM = 64 << 20
"""Bytes that have to be free for a server that is ready."""


@contextmanager
def needs(settings: Settings) -> Generator[Needs]:
    """What a server is made of, its database up to date; let go of afterwards. Raises LibraryError, and
    BusyError where another one runs there."""
    folder(settings.data)
    with closing(Database(settings.url)) as database, only_here(settings, database):
        migrate(database)
        accounts = Accounts(database, now)

        def ready() -> None:
            with database.reading() as db:
                db.execute(select(users.c.id).limit(1))
            if shutil.disk_usage(settings.data).free < _ROOM:
                raise LibraryError("The server's disk is nearly full.", hint="Make room on the server.")

        kept = libraries(settings, database)
        made = Needs(accounts, Sessions(database, now), Pairing(database, accounts, now), kept, now, ready)
        _measured(made)
        yield made


@contextmanager
def people(settings: Settings) -> Generator[Accounts]:
    """The people of a server that is there. Its database stays as it is: a server that runs may be of an earlier
    version. Raises NotFoundError, LibraryError."""
    if not settings.database:
        there(settings)
    with closing(Database(settings.url)) as database:
        yield Accounts(database, now)


def there(settings: Settings) -> Path:
    """The database of a server that keeps everything in its folder. Raises NotFoundError."""
    source = settings.data / "server.db"
    if not source.is_file():
        raise NotFoundError(f"There is no server's folder at {settings.data}.", hint="Name it: --data FOLDER")
    return source


def _measured(needs: Needs) -> None:
    hub, metrics = needs.hub, needs.metrics
    metrics.gauge("kindlehl_connections", "Sockets that are open.", lambda: len(hub))
    metrics.gauge(
        "kindlehl_oldest_unsent_seconds", "For how long a connected device has not come for what it was told of.",
        lambda: max(hub.behind(), default=0.0),
    )  # fmt: skip
    metrics.gauge(
        "kindlehl_stalled_devices", f"Connected devices for which that is {STALLED:.0f} seconds or more.",
        lambda: sum(seconds >= STALLED for seconds in hub.behind()),
    )  # fmt: skip
    metrics.gauge(
        "kindlehl_open_conflicts", "Highlights of which two things are said, in all libraries.",
        rarely(lambda: sum(_conflicts(needs.libraries, owner) for owner in needs.accounts.everybody())),
    )  # fmt: skip


def _conflicts(libraries: Libraries, owner: str) -> int:
    try:
        with libraries.library(owner) as library:
            return library.shelf.count(IN_CONFLICT)
    except KindlehlError:
        return 0  # what is wrong with a library, `kindlehl server verify` says


def only_here(settings: Settings, database: Database) -> AbstractContextManager[None]:
    """Nobody else uses this folder meanwhile; a PostgreSQL is kept by its own tools."""
    return alone(settings.data) if database.engine.dialect.name == "sqlite" else nullcontext()


def libraries(settings: Settings, database: Database) -> Libraries:
    """A file for each person, or tables for all where there is a PostgreSQL."""
    if database.engine.dialect.name == "sqlite":
        return FileLibraries(settings.libraries)
    from kindlehl_server.store.postgresql.library import TableLibraries  # its driver may not be installed

    return TableLibraries(database)


def now() -> datetime:
    """The system's clock, UTC."""
    return datetime.now(UTC)


def folder(path: Path) -> None:
    """A folder for nobody but us. Raises LibraryError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"{path} cannot be made: {error.strerror}.", hint="Choose another folder: --data") from error
