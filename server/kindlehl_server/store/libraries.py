"""Libraries in a folder: a file for each person, of the very kind that a device has.

Nobody waits for another's transaction, nobody's query can meet another's rows, a backup of one person is a file, and
who leaves takes it along.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kindlehl.domain.errors import BusyError, LibraryError
from kindlehl.ports import Library
from kindlehl.store.connection import translated
from kindlehl.store.library import open_library

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WAIT = 10.0
"""Seconds for another request of the same person."""


def checked(owner: str) -> str:
    """The id of a person. Raises LibraryError for what is none."""
    if not _ID.fullmatch(owner):
        raise LibraryError("That is nobody's library.")
    return owner


class FileLibraries:
    """The `Libraries` port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, owner: str) -> Path:
        """Where somebody's library is."""
        return self.folder / checked(owner) / "library.db"

    @staticmethod
    def is_owner(name: str) -> bool:
        """Whether this is the id of a person, and no other name of a folder."""
        return bool(_ID.fullmatch(name))

    def owners(self) -> Sequence[str]:
        """The ids of all who have a library."""
        return sorted(path.parent.name for path in self.folder.glob("*/library.db") if self.is_owner(path.parent.name))

    @contextmanager
    def library(self, owner: str) -> Generator[Library]:
        """The library of the person with this id."""
        path = self.path(owner)
        with _translated(), translated(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = open_library(path, _WAIT)
            try:
                yield opened
            finally:
                opened.close()


@contextmanager
def _translated() -> Generator[None]:
    """Whoever is told what failed need not know where on the server that was."""
    try:
        yield
    except BusyError as error:
        busy = BusyError("The server is busy with your library.", hint="Try again in a moment.")
        busy.retry_after = 1.0
        raise busy from error
    except (LibraryError, OSError) as error:
        raise LibraryError(
            "The server cannot read or write your library.",
            hint="Whoever runs it looks at its disk, and at: kindlehl server verify",
        ) from error
