"""Settings become working objects: the only place of the core that names an adapter."""

import platform
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kindlehl.config import WAIT
from kindlehl.ports import Library
from kindlehl.store import library as sqlite
from kindlehl.store.connection import is_there, translated

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from kindlehl.devices.device import Device
    from kindlehl.domain.findings import Finding
    from kindlehl.remote.listening import Socket
    from kindlehl.remote.pairings import Pairing
    from kindlehl.remote.server import Server
    from kindlehl.store.backup import Contents
    from kindlehl.store.examine import Versions


__all__ = [
    "back_up", "connected_readers", "contents", "database_features", "ensure_sound", "examine", "is_backup_of",
    "is_there", "keep_pairing", "library", "library_to_read", "listen", "needed_pairing", "new_pairing",
    "paired_person", "pairing", "restore", "server", "unpair", "verify", "versions",
]  # fmt: skip


@contextmanager
def library(path: Path, wait: float = WAIT) -> Generator[Library]:
    """The library to change, made when it is not there. `wait`: how many seconds for somebody else who writes."""
    opened = sqlite.open_library(path, wait)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def library_to_read(path: Path) -> Generator[Library]:
    """The library to look at. Where there is none yet, an empty one that leaves no file behind."""
    opened = sqlite.read_library(path) if is_there(path) else sqlite.empty_library()
    try:
        with translated(path):
            yield opened
    finally:
        opened.close()


def back_up(path: Path, target: Path, now: "datetime") -> "Contents":
    """Write a backup of a library, which others may use meanwhile."""
    from kindlehl.store import backup  # of use to few commands, as what follows

    return backup.write(path, target, now)


def is_backup_of(path: Path, library: Path) -> bool:
    """Whether a file is a backup of this library."""
    from kindlehl.store import backup

    return backup.is_backup_of(path, library)


def contents(path: Path) -> "Contents":
    """What is in a library or a backup, which stays as it is. Raises LibraryError where it cannot be told."""
    from kindlehl.store import backup

    return backup.contents(path)


def ensure_sound(path: Path) -> None:
    """Raise LibraryError where a backup is damaged."""
    from kindlehl.store import backup

    backup.ensure_sound(path)


def restore(backup: Path, library: Path, now: "datetime", wait: float) -> Path | None:
    """Put a backup in a library's place; returns where the library that was there is now."""
    from kindlehl.store import restore as adapter

    return adapter.restore(backup, library, now, wait)


def verify(path: Path, *, deep: bool) -> "list[Finding]":
    """What is wrong with a library, and what is not."""
    from kindlehl.store import verify as adapter

    return adapter.verify(path, deep=deep)


def versions() -> "Versions":
    """The versions of all that decides how a library is read."""
    from kindlehl.store import examine as adapter

    return adapter.versions()


def examine(path: Path) -> "tuple[list[Finding], str | None]":
    """What a quick look at a library finds, and the time of its newest import, UTC."""
    from kindlehl.store import examine as adapter

    return adapter.examine(path)


def database_features() -> "Finding":
    """Whether the database can do what a library needs."""
    from kindlehl.store import examine as adapter

    return adapter.features()


def connected_readers() -> "list[Device]":
    """The readers that are plugged in now."""
    from kindlehl import devices  # looks at mounts only when asked to

    return devices.connected()


@contextmanager
def server(url: str, token: str | None = None) -> "Generator[Server]":
    """A server by its address, and a token if there is one. Raises UsageError for what is no address."""
    from kindlehl.remote.server import Server  # only what leaves this computer needs it

    found = Server(url, token)
    try:
        yield found
    finally:
        found.close()


def listen(server: "Server", pairing: "Pairing") -> "AbstractContextManager[Socket]":
    """A socket on which the server says when there is more."""
    from kindlehl.remote.listening import listening  # as above

    return listening(server.url, pairing.token)


def pairing(library: Path) -> "Pairing | None":
    """With which server a library is paired."""
    from kindlehl.remote import pairings  # as above

    return pairings.read(library)


def needed_pairing(library: Path) -> "Pairing":
    """The same. Raises NotFoundError where it is paired with none."""
    from kindlehl.remote import pairings  # as above

    return pairings.needed(library)


def keep_pairing(library: Path, pairing: "Pairing") -> None:
    """A library is paired like this from now on."""
    from kindlehl.remote import pairings  # as above

    pairings.write(library, pairing)


def new_pairing(library: Path, url: str, token: str, device: str, person: str) -> "Pairing":
    """With a server where somebody has just let this device in. What the device keeps to itself it goes on keeping."""
    from kindlehl.remote import pairings  # as above

    return pairings.Pairing(url, token, device, person, pairings.withheld(library), platform.node())


def paired_person(library: Path) -> str:
    """To whom on a server this device belongs, or did last; nothing where that is not known."""
    from kindlehl.remote import pairings  # as above

    return pairings.person(library)


def unpair(library: Path) -> None:
    """It is paired no more."""
    from kindlehl.remote import pairings  # as above

    pairings.forget(library)
