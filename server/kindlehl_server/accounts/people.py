"""Who is let in, as values."""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection

Role: TypeAlias = Literal["owner", "member"]
Still: TypeAlias = Callable[[Connection], object]
"""Asked in the transaction in which somebody acts: raises where he may do so no longer."""


class Person(NamedTuple):
    """Somebody with a library on this server."""

    id: str
    name: str
    role: Role


class Device(NamedTuple):
    """A device that is let in: a token, without the token."""

    id: str
    owner: str
    """The id of its person."""
    name: str
    scope: str
    """What it may do: `sync`."""
    created_at: str
    used_at: str | None
    """When it was last heard of, to the minute; UTC, ISO 8601 with Z."""


def anyway(_: Connection) -> None:
    """Nobody is asked: whoever runs the server acts."""
