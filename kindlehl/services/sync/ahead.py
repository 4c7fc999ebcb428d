"""What a round would do, without doing it."""

from typing import NamedTuple

from kindlehl.domain import fold
from kindlehl.domain.errors import WireError
from kindlehl.ports import Library
from kindlehl.services.sync.round import Ask
from kindlehl.wire import messages
from kindlehl.wire.messages import Hello, Welcome


class Ahead(NamedTuple):
    """Facts on their way."""

    coming: int | None
    """At most; None where only the server knows, since it is not the one it was."""
    going: int
    withheld: int = 0
    """What neither would come nor go."""


def unsent(library: Library, peer: str) -> int:
    """Facts that have not gone to a peer yet, at most: what came from it in a round that broke off counts, too."""
    return max(0, library.facts.head() - library.peers.progress(peer).pushed)


def to_send(library: Library, peer: str, withheld: int) -> int:
    """The same without what is withheld, or was refused by the peer when it was last heard of."""
    progress = library.peers.progress(peer)
    return _behind(library, progress.pushed, withheld | progress.refuses)


def _behind(library: Library, cursor: int, withheld: int) -> int:
    """Facts behind a cursor that are not withheld."""
    head = library.facts.head()
    if not withheld:
        return max(0, head - cursor)
    count = 0
    while cursor < head:
        feed = library.facts.since(cursor, messages.PAGE_FACTS, messages.PAGE_BYTES, withheld)
        count, cursor = count + len(feed.bodies), feed.cursor
    return count


def ahead(library: Library, peer: str, ask: Ask, withheld: int = 0) -> Ahead:
    """What would come and go. Raises what `ask` raises."""
    welcome = ask(Hello((messages.PROTOCOL, messages.PROTOCOL), fold.REVISION, withheld))
    if not isinstance(welcome, Welcome):
        raise WireError("The server gave an answer to another question.", hint="Update kindlehl, and the server.")
    progress = library.peers.progress(peer)
    withheld |= welcome.refuses | progress.refuses
    if progress.epoch == welcome.epoch and progress.pulled <= welcome.head:
        return Ahead(welcome.head - progress.pulled, _behind(library, progress.pushed, withheld), withheld)
    return Ahead(None if welcome.head else 0, _behind(library, 0, withheld), withheld)
