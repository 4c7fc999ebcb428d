"""Settings become working objects: the only place of the core that names an adapter."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kindlehl.ports import Library
from kindlehl.store import library as sqlite
from kindlehl.store.connection import is_there, translated

if TYPE_CHECKING:
    from kindlehl.devices.device import Device


__all__ = ["connected_readers", "is_there", "library", "library_to_read"]


@contextmanager
def library(path: Path) -> Generator[Library]:
    """The library to change, made when it is not there."""
    opened = sqlite.open_library(path)
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


def connected_readers() -> "list[Device]":
    """The readers that are plugged in now."""
    from kindlehl import devices  # looks at mounts only when asked to

    return devices.connected()
