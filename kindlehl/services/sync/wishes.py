"""What a library's owner does not want it to hold: a wish that is kept with the library, and of which every device that
knows of it reminds a library that was restored since."""

from datetime import datetime, timedelta

from kindlehl.domain.clock import stamp
from kindlehl.ports import Library, Progress
from kindlehl.services import traces

_OWN = ""
"""Under this name a library keeps its own owner's wish, as though it were a peer's."""
_END = "9000"
"""No wish is of that year or later: there is always a later one."""


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
        _keep(library, own, (own.refuses | refuse) & ~take, at)
    traces.scrub(library, now)
    return wish(library)


def remind(library: Library, refused: int, wished: str) -> None:
    """A device knows of a wish. It is heeded if it is later than the one that is known here, though its time may be one
    to come: the clock of a library that was restored may have fallen back."""
    if wished <= wish(library).wished or not is_moment(wished):
        return
    with library.transaction():
        own = wish(library)
        if wished > own.wished:
            _keep(library, own, refused, wished)


def is_moment(wished: str) -> bool:
    """Whether this is a time as wishes have it, and none where nobody could wish anything later."""
    try:
        return stamp(datetime.fromisoformat(wished), "milliseconds") == wished < _END
    except (ValueError, OverflowError):
        return False


def _keep(library: Library, own: Progress, refused: int, wished: str) -> None:
    library.peers.keep(_OWN, own._replace(refuses=refused, wished=wished))
    if refused:
        traces.mark(library)
        if library.facts.drop(refused):
            library.shelf.rebuild()
            library.peers.renew()
