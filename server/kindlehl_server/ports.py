"""What the server needs of its stores."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from kindlehl.ports import Library


class Libraries(Protocol):
    """A library for each person."""

    def library(self, owner: str) -> AbstractContextManager[Library]:
        """The library of the person with this id, made when it is not there; for the thread that asks, and closed
        afterwards. Raises LibraryError, BusyError."""
        ...

    def owners(self) -> Sequence[str]:
        """The ids of all who have a library."""
        ...
