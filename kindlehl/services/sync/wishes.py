"""What a library's owner does not want it to hold: a wish that is kept with the library, and of which every device that
knows of it reminds a library that was restored since."""

from contextlib import suppress
from datetime import datetime, timedelta

from kindlehl.domain.clock import stamp
from kindlehl.domain.errors import BusyError
from kindlehl.ports import Library, Progress

_OWN = ""
"""Under this name a library keeps its own owner's wish, as though it were a peer's."""
_TRACES = "traces"
"""Says that something of what was dropped may still be in the file."""


def wish(library: Library) -> Progress:
    """What a library keeps nothing of, by its owner's wish, and when that was wished."""
    return library.peers.progress(_OWN)


def refuses(library: Library) -> int:
    """What a library keeps nothing of."""
    return wish(library).refuses


def change(library: Library, refuse: int, take: int, now: datetime) -> Progress:
    """Its owner wishes that it refuses one thing, and takes another again. What is refused is dropped. A later wish has
    a later time, whatever the clock says."""
    with library.transaction():
        own = wish(library)
        at = stamp(now, "milliseconds")
        if own.wished:
            at = max(at, stamp(datetime.fromisoformat(own.wished) + timedelta(milliseconds=1), "milliseconds"))
        _keep(library, (own.refuses | refuse) & ~take, at)
    scrub(library)
    return wish(library)


def remind(library: Library, refused: int, wished: str) -> None:
    """A device knows of a wish. It is heeded if it is later than the one that is known here."""
    if wished <= wish(library).wished:
        return
    with library.transaction():
        if wished > wish(library).wished:
            _keep(library, refused, wished)
    scrub(library)


def _keep(library: Library, refused: int, wished: str) -> None:
    if refused and library.facts.drop(refused):
        library.shelf.rebuild()
        library.peers.renew()
    library.peers.keep(_OWN, Progress(refuses=refused, wished=wished, met=_TRACES if refused else ""))


def scrub(library: Library) -> None:
    """Leave no trace of what was dropped. Where somebody reads at this moment, traces are left until the next time."""
    if wish(library).met != _TRACES:
        return
    with suppress(BusyError):
        library.scrub()
        with library.transaction():
            library.peers.keep(_OWN, wish(library)._replace(met=""))
