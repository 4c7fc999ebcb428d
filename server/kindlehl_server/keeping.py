"""Keeping what a server has: backups made while it runs, brought back as a whole, and a look at every library.

A backup is one file, a zip of the database and of each person's library. One that is restored is a server of an earlier
day: every device that comes afterwards gives it what it lacks.
"""

import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kindlehl.domain.errors import KindlehlError, LibraryError, NotFoundError, SourceError, TargetError, UsageError
from kindlehl.domain.findings import Finding
from kindlehl.services.sync.answering import mend
from kindlehl.store import backup, verify
from kindlehl.store.library import open_library
from kindlehl_server.accounts.accounts import all_revoked, close_doors
from kindlehl_server.migrations import migrate
from kindlehl_server.settings import Settings
from kindlehl_server.store.database import Database
from kindlehl_server.store.libraries import FileLibraries

_DATABASE, _LIBRARIES, _LIBRARY = "server.db", "libraries", "library.db"
_WAIT = 10.0
_MEND = "Set aside what is damaged, so that devices send it again: kindlehl server verify --mend"


class Kept(NamedTuple):
    """What a backup holds."""

    libraries: int
    facts: int


class Restored(NamedTuple):
    """What a backup brought."""

    kept: Kept
    aside: Path | None
    """Where that is whose place it took."""
    revoked: bool
    """Whether devices that were revoked since stay so: where nothing was there, or its database cannot be read, nobody
    knows of them."""


def back_up(settings: Settings, target: Path, now: datetime) -> Kept:
    """Write a backup to this file, which must not be there. Raises UsageError, TargetError, LibraryError."""
    source = _file(settings)
    if target.exists():
        raise TargetError(f"{target} is there already.", hint="Name another file.")
    facts = libraries = 0
    part = target.with_name(f"{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix="kindlehl-", dir=target.parent) as folder:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as whole:
                # People first: a library whose person is not in it could not be reached.
                whole.write(_copied(source, Path(folder) / _DATABASE), _DATABASE)
                for owner, library in _libraries(settings):
                    copy = Path(folder) / owner
                    facts += backup.write(library, copy, now).facts
                    libraries += 1
                    whole.write(copy, f"{_LIBRARIES}/{owner}/{_LIBRARY}")
                    copy.unlink()
            part.chmod(0o600)
            part.replace(target)
    except OSError as error:
        raise TargetError(f"{target} cannot be written: {error.strerror}.", hint="Choose another place.") from error
    finally:
        part.unlink(missing_ok=True)
    return Kept(libraries, facts)


def ensure_backup(source: Path) -> None:
    """Raise NotFoundError or SourceError for what is no backup at a glance, before anything else is asked for."""
    if not source.is_file():
        raise NotFoundError(
            f"There is no backup at {source}.", hint="Name the file that `kindlehl server backup` made."
        )
    if not zipfile.is_zipfile(source):
        raise _no_backup(source)


def restore(source: Path, settings: Settings, now: datetime) -> Restored:
    """Put a backup in the place of all that a server has, which must not run. Raises SourceError where it
    is no whole backup, and then nothing was changed."""
    if settings.database:
        raise _not_a_file()
    ensure_backup(source)
    data = settings.data.resolve()  # where a link leads: the link stays
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kindlehl-", dir=data.parent) as folder:
            fresh = Path(folder) / "data"
            fresh.mkdir(mode=0o700)
            revoked = _revoked(data / _DATABASE, Path(folder))
            kept = _unpacked(source, fresh, revoked or ())
            aside = _put_aside(data, now)
            fresh.replace(data)
    except OSError as error:
        raise TargetError(f"{data} cannot be written: {error.strerror}.", hint="Nothing was changed.") from error
    return Restored(kept, aside, revoked is not None)


def _revoked(source: Path, folder: Path) -> Sequence[str] | None:
    """Which devices were revoked on the server whose place a backup takes; None where nobody knows."""
    if not source.is_file():
        return None
    try:
        with closing(Database(f"sqlite:///{_copied(source, folder / 'replaced.db')}")) as database:
            migrate(database)
            return all_revoked(database)
    except KindlehlError:
        return None


def _unpacked(source: Path, fresh: Path, revoked: Sequence[str]) -> Kept:
    """Everything of a backup in an empty folder, looked at, with new epochs and without these devices."""
    facts = libraries = 0
    try:
        with zipfile.ZipFile(source) as whole:
            names = [name for name in whole.namelist() if not name.endswith("/")]
            if len({*names}) != len(names) or _DATABASE not in names or not all(_is_ours(name) for name in names):
                raise _no_backup(source)
            for name in names:
                place = fresh / name
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with whole.open(name) as packed, place.open("xb") as out:
                    shutil.copyfileobj(packed, out)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise _no_backup(source) from error
    database = Database(f"sqlite:///{fresh / _DATABASE}")
    try:
        migrate(database)
        close_doors(database, revoked)
    except KindlehlError as error:
        raise _no_backup(source) from error
    finally:
        database.close()
    for _, path in _libraries(Settings(fresh)):
        try:
            backup.ensure_sound(path)
            with closing(open_library(path, _WAIT)) as library, library.transaction():
                library.peers.renew()
                facts += sum(1 for _ in library.facts.bodies())
        except LibraryError as error:
            raise _no_backup(source) from error
        libraries += 1
    return Kept(libraries, facts)


def _is_ours(name: str) -> bool:
    """Whether a name in a backup is one that we write: nothing leaves the folder it is unpacked to."""
    parts = PurePosixPath(name).parts
    return name == _DATABASE or (
        len(parts) == 3
        and (parts[0], parts[2]) == (_LIBRARIES, _LIBRARY)
        and FileLibraries.is_owner(parts[1])
        and name == "/".join(parts)
    )


def _put_aside(data: Path, now: datetime) -> Path | None:
    if not data.exists():
        return None
    aside = data.with_name(f"{data.name}-replaced-{now:%Y%m%dT%H%M%SZ}")
    data.replace(aside)
    return aside


def look(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """What is wrong with what a server has, and what is not: first of its database, then of each library."""
    source = _file(settings)
    try:
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as db:
            sound = db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except sqlite3.Error:
        sound = False
    what = "The database of people and devices is whole." if sound else "The database of people and devices is damaged."
    yield Finding("database", sound, what, None if sound else "Bring back a backup: kindlehl server restore FILE")
    for owner, path in _libraries(settings):
        try:
            found = verify.verify(path, deep=deep)
        except LibraryError as error:
            found = [Finding("library", False, error.message, error.hint)]
        wrong = [finding for finding in found if not finding.ok]
        for finding in wrong:
            remedy = _MEND if finding.name == "facts" else f"kindlehl db rebuild --library {path}"
            yield finding._replace(name=f"{owner}: {finding.name}", remedy=remedy)
        if not wrong:
            yield Finding(owner, True, f"The library {owner} is whole.")


def mend_all(settings: Settings) -> int:
    """Set aside what rotted in any library: devices that have it send it again. Returns how many facts that are."""
    _file(settings)
    mended = 0
    for _, path in _libraries(settings):
        with closing(open_library(path, _WAIT)) as library:
            mended += mend(library)
    return mended


def _libraries(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The id of each person who has a library, and where it is."""
    libraries = FileLibraries(settings.libraries)
    return ((owner, libraries.path(owner)) for owner in libraries.owners())


def _file(settings: Settings) -> Path:
    if settings.database:
        raise _not_a_file()
    source = settings.data / _DATABASE
    if not source.is_file():
        raise NotFoundError(f"There is no server's folder at {settings.data}.", hint="Name it: --data FOLDER")
    return source


def _copied(source: Path, target: Path) -> Path:
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise LibraryError(
            "The server's database cannot be read.", hint="Look at it: kindlehl server verify"
        ) from error
    return target


def _no_backup(source: Path) -> SourceError:
    return SourceError(f"{source} is no whole backup of a server.", hint="Nothing was changed; try another one.")


def _not_a_file() -> UsageError:
    return UsageError(
        "What is in PostgreSQL is kept by its own tools.",
        hint="Back it up with pg_dump, bring it back with pg_restore.",
    )
