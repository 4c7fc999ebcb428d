"""Facts in messages: as many in one as it holds."""

from collections.abc import Iterable, Iterator

from kindlehl.wire import messages


def pages(bodies: Iterable[str]) -> Iterator[list[str]]:
    """Runs of bodies that fit a message; one that is longer than that has a message of its own."""
    page: list[str] = []
    room = messages.PAGE_BYTES
    for body in bodies:
        size = len(body.encode())
        if page and size > room:
            yield page
            page, room = [], messages.PAGE_BYTES
        page.append(body)
        room -= size
    if page:
        yield page
