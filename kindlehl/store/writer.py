"""Who writes to a library now: a note beside it, so that whoever waits in vain can be told.

SQLite's own lock decides who writes; the note only names the holder. It is under a lock of the system, which goes with
its process: what a crash leaves behind says nothing.
"""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

try:
    import fcntl
except ImportError:  # Windows: nobody is named there
    fcntl = None  # type: ignore[assignment]  # asked for before every use


class Writer(NamedTuple):
    """A process that writes."""

    pid: int
    seconds: float
    """For how long it has."""


def _note(library: Path) -> Path:
    return library.with_name(library.name + ".writer")


@contextmanager
def noted(library: Path) -> Generator[None]:
    """This process writes to a library. Where no note can be left, nothing is said of it."""
    note, handle = _note(library), -1
    if fcntl and library.is_file():  # not for a library in memory
        with suppress(OSError):
            note.unlink(missing_ok=True)
            handle = os.open(note, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(handle, str(os.getpid()).encode())
    try:
        yield
    finally:
        if handle >= 0:
            with suppress(OSError):
                if note.stat().st_ino == os.fstat(handle).st_ino:  # and not already the note of the next
                    note.unlink()
            os.close(handle)


def writer(library: Path) -> Writer | None:
    """Who writes to a library now, where that is known."""
    if not fcntl:
        return None
    try:
        with _note(library).open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Writer(int(stream.read(20)), max(0.0, time.time() - os.fstat(stream.fileno()).st_mtime))
    except (OSError, ValueError):
        pass
    return None
