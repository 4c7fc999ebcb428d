"""Traces: words that were erased here by somebody elsewhere, or dropped, may still stand in a file until it is written
anew. That such a library is to be scrubbed is remembered until it is done, since somebody may read it just then."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from kindlehl import wire
from kindlehl.domain.clock import stamp
from kindlehl.domain.errors import KindlehlError
from kindlehl.domain.facts import Edit, Record
from kindlehl.ports import Library

_HERE = ""
"""Under this name a library keeps what concerns itself, as though it were a peer."""
_NEVER = "0"
"""No attempt was made yet."""
_AGAIN = timedelta(minutes=10)
"""Between two attempts, each of which writes the whole file."""


def erased(library: Library, bodies: Iterable[str]) -> bool:
    """Whether these facts, which are about to be added, erase words that are here."""
    ids = [wire.header(body).id for body in bodies if _is_erased(body)]
    return bool(ids) and not all(map(_is_erased, library.facts.named(ids)))


def _is_erased(body: str) -> bool:
    if '"erased"' not in body:  # nearly always, and decoding takes its time
        return False
    fact = wire.decode(body)
    return isinstance(fact, Record | Edit) and fact.erased


def mark(library: Library) -> None:
    """There are some. Inside the transaction that makes them."""
    own = library.peers.progress(_HERE)
    library.peers.keep(_HERE, own._replace(met=_NEVER))


def scrub(library: Library, now: datetime) -> None:
    """Leave none, if there are any. What fails, for somebody reads or the disk is full, is tried again later."""
    last = library.peers.progress(_HERE).met
    if not last or (last != _NEVER and last > stamp(now - _AGAIN)):
        return
    with suppress(KindlehlError):
        _tried(library, stamp(now))
        library.scrub()
        _tried(library, "")


def _tried(library: Library, at: str) -> None:
    with library.transaction():
        library.peers.keep(_HERE, library.peers.progress(_HERE)._replace(met=at))
