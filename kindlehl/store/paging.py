"""A run of facts, cut where a page is full."""

from collections.abc import Iterable

from kindlehl.ports import Feed


def page(rows: Iterable[tuple[int, str]], cursor: int, count: int, size: int, stop: int) -> Feed:
    """Numbers and bodies in order of arrival, as a page of at most `count` facts, and `size` bytes unless a single one
    is longer; where all of them have room, nothing up to `stop` is still to come."""
    bodies: list[str] = []
    for number, body in rows:
        size -= len(body.encode())
        if len(bodies) == count or (bodies and size < 0):
            return Feed(tuple(bodies), cursor)
        bodies.append(body)
        cursor = number
    return Feed(tuple(bodies), max(cursor, stop))
