"""Bodies on a disk that are not what arrived."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from kindlehl import wire
from kindlehl.domain.errors import CorruptLibraryError
from kindlehl.domain.facts import Id

DAMAGED = 64
"""Beside what a fact is part of: its body is not what arrived, but still says something. It is shown as it reads, and
travels nowhere, nor does a digest tell of it: so whoever has it whole sends it again."""

T = TypeVar("T")


def sound(rows: Iterable[tuple[T, int, bytes]]) -> Iterator[tuple[T, str]]:
    """Rows with a digest and a body each, as they leave. Raises CorruptLibraryError at a body that is not what
    arrived."""
    for name, digest, body in rows:
        if wire.digest(body) != digest:
            raise CorruptLibraryError(
                "A fact of this library is damaged on its disk.", hint="Mend it: kindlehl sync verify"
            )
        yield name, body.decode()


def can_be_read(id_: Id, type_: str, body: bytes) -> bool:
    """Whether a damaged body still says something, of the same fact, that this version understands."""
    try:
        head = wire.header(body.decode())
        return (head.id, head.type) == (id_, type_) and wire.decode(body) is not None
    except (UnicodeDecodeError, wire.Malformed):
        return False
