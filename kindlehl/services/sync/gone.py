"""That a device is let in no more, remembered until it is again: whoever looks how far both are asks no server."""

import hashlib

from kindlehl.ports import Library, Progress


def _name(token: str) -> str:
    """A name of its own, as though it were a peer: a device that is paired anew has another token."""
    return f"let go {hashlib.sha256(token.encode()).hexdigest()[:16]}"


def since(library: Library, token: str) -> str:
    """When a server first did not know this token any more; nothing where it does, as far as is known."""
    return library.peers.progress(_name(token)).met


def remember(library: Library, token: str, at: str) -> None:
    """It does not from now on."""
    if not since(library, token):
        with library.transaction():
            library.peers.keep(_name(token), Progress(met=at))


def forget(library: Library, token: str) -> None:
    """It does, again or still."""
    if since(library, token):
        with library.transaction():
            library.peers.forget(_name(token))
