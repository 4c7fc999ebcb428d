"""Keeping what a server has: backups made while it runs, brought back as a whole, and a look at every library.

A backup is one file, a zip of the database and of each person's library. One that is restored is a server of an earlier
day: every device that comes afterwards gives it what it lacks.
"""

import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from kindlehl.domain.errors import (
    KindlehlError,
    LibraryError,
    NewerLibraryError,
    NotFoundError,
    SourceError,
    TargetError,
    UsageError,
)
from kindlehl.domain.findings import Finding
from kindlehl.services.sync.mending import keep, mend
from kindlehl.store import backup, copies, verify
from kindlehl.store.library import SqliteLibrary, open_library
from kindlehl_server import wiring
from kindlehl_server.accounts.accounts import all_revoked, close_doors
from kindlehl_server.migrations import migrate
from kindlehl_server.running import alone
from kindlehl_server.settings import Settings
from kindlehl_server.store.database import Database
from kindlehl_server.store.libraries import FileLibraries

_DATABASE, _LIBRARIES, _LIBRARY = "server.db", "libraries", "library.db"
_WAIT = 10.0
_REMEDIES = {
    "facts": "Have devices send again what is damaged: kindlehl server verify --mend",
    "damaged": "Whichever device has it whole sends it again when it syncs. What none of them has: "
               "kindlehl server verify --keep",
    "lost": "Whichever device has it sends it again when it syncs. Or: kindlehl server restore FILE",
}  # fmt: skip
"""What helps against what is wrong with a library; a rebuild against the rest."""


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
            part.unlink(missing_ok=True)
            with (
                _private(part) as stream,
                zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as whole,
            ):
                # People first: a library whose person is not in it could not be reached.
                whole.write(_copied(source, Path(folder) / _DATABASE), _DATABASE)
                for owner, library in _libraries(settings):
                    copy = Path(folder) / owner
                    facts += backup.write(library, copy, now).facts
                    libraries += 1
                    with closing(open_library(copy, 0)) as copied:
                        copied.scrub()  # what was erased is not kept in what nobody uses of the file
                    whole.write(copy, f"{_LIBRARIES}/{owner}/{_LIBRARY}")
                    copy.unlink()
            copies.move(part, target)
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
    """Put a backup in the place of all that a server has. Raises BusyError where that runs, SourceError where it is no
    whole backup, and NewerLibraryError where a newer kindlehl made it; then nothing was changed."""
    if settings.database:
        raise _not_a_file()
    ensure_backup(source)
    data = settings.data.resolve()  # where a link leads: the link stays
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        with (
            alone(data) if data.exists() else nullcontext(),
            tempfile.TemporaryDirectory(prefix=".kindlehl-", dir=data.parent) as folder,
        ):
            fresh = Path(folder) / "data"
            fresh.mkdir(mode=0o700)
            revoked = _revoked(data / _DATABASE)
            kept = _unpacked(source, fresh, revoked or ())
            _settle(fresh)
            aside = _put_in_place(fresh, data, now)
            copies.sync(data.parent)
    except OSError as error:
        raise TargetError(f"{data} cannot be written: {error.strerror}.", hint="Nothing was changed.") from error
    return Restored(kept, aside, revoked is not None)


def reset(settings: Settings) -> int:
    """After a server's database came back by other means than ours: no door of that day is open, and every library
    numbers anew, so that devices compare what they have. Returns how many libraries there are. Raises BusyError,
    LibraryError."""
    if not settings.database:
        _file(settings)
    with closing(Database(settings.url)) as database, wiring.only_here(settings, database):
        migrate(database)
        close_doors(database, ())
        libraries = wiring.libraries(settings, database)
        owners = libraries.owners()
        for owner in owners:
            with libraries.library(owner) as library, library.transaction():
                library.peers.renew()
    return len(owners)


def _revoked(source: Path) -> Sequence[str] | None:
    """Which devices were revoked on the server whose place a backup takes, whichever version that is of; None where
    nobody knows."""
    if not source.is_file():
        return None
    try:
        with closing(Database(f"sqlite:///{source}")) as database:
            return all_revoked(database)
    except KindlehlError:
        return None


def _settle(folder: Path) -> None:
    """Have all that was written on the disk."""
    for path in folder.rglob("*"):
        if path.is_dir():
            copies.sync(path)
        else:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    copies.sync(folder)


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
                with whole.open(name) as packed, _private(place) as out:
                    shutil.copyfileobj(packed, out)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise _no_backup(source) from error
    database = Database(f"sqlite:///{fresh / _DATABASE}")
    try:
        migrate(database)
        close_doors(database, revoked)
    except NewerLibraryError as error:
        raise _newer(source) from error
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
        except NewerLibraryError as error:
            raise _newer(source) from error
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


def _put_in_place(fresh: Path, data: Path, now: datetime) -> Path | None:
    """Where what was there is now. If it does not go, that comes back."""
    if not data.exists():
        fresh.replace(data)
        return None
    aside = data.with_name(f"{data.name}-replaced-{now:%Y%m%dT%H%M%SZ}")
    data.replace(aside)
    try:
        fresh.replace(data)
    except OSError as error:
        try:
            aside.replace(data)
        except OSError:
            raise TargetError(
                f"{data} was taken meanwhile: {error.strerror}.", hint=f"What was there is at {aside}: move it back."
            ) from error
        raise
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
            remedy = _REMEDIES.get(finding.name, f"kindlehl db rebuild --library {path}")
            yield finding._replace(name=f"{owner}: {finding.name}", remedy=remedy)
        if not wrong:
            yield Finding(owner, True, f"The library {owner} is whole.")


def mend_all(settings: Settings) -> int:
    """Look for what rotted in any library: devices that have it whole send it again. Returns how many facts it is.
    Raises BusyError where the server runs."""
    return sum(sum(mend(library)) for library in _opened(settings))


def keep_all(settings: Settings) -> int:
    """Take what is known to be damaged and can be read for whole, in every library. Returns how many facts that are.
    Raises BusyError where the server runs."""
    return sum(keep(library) for library in _opened(settings))


def _opened(settings: Settings) -> Iterator[SqliteLibrary]:
    """Every library, one after the other, while nobody else has any of them."""
    _file(settings)
    with alone(settings.data):
        for _, path in _libraries(settings):
            with closing(open_library(path, _WAIT)) as library:
                yield library


def _libraries(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The id of each person who has a library, and where it is."""
    libraries = FileLibraries(settings.libraries)
    return ((owner, libraries.path(owner)) for owner in libraries.owners())


def _file(settings: Settings) -> Path:
    if settings.database:
        raise _not_a_file()
    return wiring.there(settings)


def _copied(source: Path, target: Path) -> Path:
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("VACUUM")  # what was taken out is not kept in what nobody uses of the file
    except sqlite3.Error as error:
        raise LibraryError(
            "The server's database cannot be read.", hint="Look at it: kindlehl server verify"
        ) from error
    return target


def _private(path: Path) -> BinaryIO:
    """A new file for nobody but us, from the first byte on."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb")


def _newer(source: Path) -> NewerLibraryError:
    return NewerLibraryError(f"{source} was made by a newer kindlehl.", hint="Update kindlehl. Nothing was changed.")


def _no_backup(source: Path) -> SourceError:
    return SourceError(f"{source} is no whole backup of a server.", hint="Nothing was changed; try another one.")


def _not_a_file() -> UsageError:
    return UsageError(
        "What is in PostgreSQL is kept by its own tools.",
        hint="Back it up with pg_dump, bring it back with pg_restore, then: kindlehl server restored --database URL",
    )
