"""Who is let in, as values."""

from typing import Literal, NamedTuple, TypeAlias

Role: TypeAlias = Literal["owner", "member"]


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
