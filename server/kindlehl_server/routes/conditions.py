"""Conditions of a request: that it happens once, and only to what its author had read."""

import re
from collections.abc import Set

from starlette.requests import Request

from kindlehl.domain.errors import UnreadError, UsageError
from kindlehl.domain.facts import Id

_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def key(request: Request) -> Id:
    """By which a request is known when it comes again. Raises UsageError where there is none."""
    given = request.headers.get("Idempotency-Key", "").strip()
    # A string in a structured field is in quotes; most clients send it without.
    chosen = given.removeprefix('"').removesuffix('"').lower()
    if not _KEY.fullmatch(chosen):
        raise UsageError(
            "A change needs a key of its own.",
            hint="Send a new UUIDv7 as Idempotency-Key, and the same one again if unsure.",
        )
    return chosen


def read(request: Request) -> Set[str]:
    """The entity tags of what the author had read. Raises UnreadError where none is named: an edit replaces what its
    author has seen, so that any state will not do."""
    tags = _tags(request, "If-Match")
    if tags <= {"*"}:
        raise UnreadError(
            "It has to be said which state is meant to be changed.",
            hint="Send the ETag that you have read as If-Match.",
        )
    return tags


def has(request: Request, tag: str) -> bool:
    """Whether whoever asks has it already, as far as weak comparison tells."""
    return not {"*", tag}.isdisjoint(each.removeprefix("W/") for each in _tags(request, "If-None-Match"))


def _tags(request: Request, name: str) -> Set[str]:
    """Ours hold no comma; of others it matters only that they are different."""
    return {tag.strip() for value in request.headers.getlist(name) for tag in value.split(",")} - {""}
