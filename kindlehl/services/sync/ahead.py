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


def unsent(library: Library, peer: str) -> int:
    """Facts that have not gone to a peer yet, at most: what came from it in a round that broke off counts, too."""
    return max(0, library.facts.head() - library.peers.progress(peer).pushed)


def ahead(library: Library, peer: str, ask: Ask, withheld: int = 0) -> Ahead:
    """What would come and go. Raises what `ask` raises."""
    welcome = ask(Hello((messages.PROTOCOL, messages.PROTOCOL), fold.REVISION, withheld))
    if not isinstance(welcome, Welcome):
        raise WireError("The server gave an answer to another question.", hint="Update kindlehl, and the server.")
    progress = library.peers.progress(peer)
    coming = welcome.head - progress.pulled if progress.epoch == welcome.epoch else None
    return Ahead(None if coming is None or coming < 0 else coming, unsent(library, peer))
