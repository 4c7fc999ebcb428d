"""Small records and edits, and a history of who had seen what."""

from collections.abc import Iterable, Sequence
from typing import Any

from kindlehl.domain import fields
from kindlehl.domain.facts import Edit, Id, Record


def made(number: int) -> Id:
    """An id that sorts by its number."""
    return f"00000000-0000-7000-8000-{number:012d}"


def mark(
    number: int, start: int | None, stop: int | None, text: str, at: str | None = "2024-01-01", **more: Any
) -> Record:
    """A highlight from one location to another; its id sorts by its number."""
    more = {"kind": "highlight", "raw_title": "Tale", "title": "Tale", "at": at, **more}
    return Record(id=made(number), text=text, location_start=start, location_end=stop, **more)


def on_page(number: int, page: str, text: str, at: str | None = "2024-01-01", **more: Any) -> Record:
    """A highlight of which only the page is known."""
    return mark(number, None, None, text, at, page=page, **more)


def note(number: int, location: int, text: str, at: str | None = "2024-01-01", **more: Any) -> Record:
    """A note at a location."""
    return mark(number, location, location, text, at, kind="note", **more)


def edit(number: int, target: Id, field: str, value: Any, seen: Sequence[Id] = (), **more: Any) -> Edit:
    """An edit whose clock is its number, unless another is given."""
    more = {"hlc": number, **more}
    return Edit(
        made(number), target, field, value, tuple(seen), at="2024-02-01T00:00:00Z", device="d", op=made(number), **more
    )


class Seen(fields.Seen):
    """The `History` of some edits."""

    def __init__(self, edits: Iterable[Edit] = ()) -> None:
        super().__init__({edit.id: edit.seen for edit in edits})
