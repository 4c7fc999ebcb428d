"""Handfuls: one statement handles many rows, and memory does not grow with a library."""

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import TypeVar

from kindlehl.domain.facts import IMPORT_LIMIT

BATCH = 1_000
"""Records loaded by one statement."""

KEPT = IMPORT_LIMIT + BATCH
"""Facts handled by one statement when they arrive: an import with all that it lists."""

T = TypeVar("T")
SizedT = TypeVar("SizedT", bound=Sized)


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def handfuls(runs: Iterable[SizedT], size: int = BATCH) -> Iterator[list[SizedT]]:
    """Runs in handfuls of about `size` items, so that one query loads many."""
    handful: list[SizedT] = []
    held = 0
    for run in runs:
        handful.append(run)
        held += len(run)
        if held >= size:
            yield handful
            handful, held = [], 0
    if handful:
        yield handful
