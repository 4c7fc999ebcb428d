"""Books and highlights as people see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from kindlehl.domain.values import value

if TYPE_CHECKING:  # a command that only looks has no need of facts
    from kindlehl.domain.facts import Id

ShownKind: TypeAlias = Literal["highlight", "note", "bookmark", "clip"]
SHOWN_KINDS: tuple[ShownKind, ...] = ("highlight", "note", "bookmark", "clip")


@dataclass(frozen=True, slots=True)
class Book:
    """A work in the library."""

    id: Id
    title: str
    author: str | None = None
    raw_titles: tuple[str, ...] = ()
    """What the sources call it; at least one."""
    highlights: int = 0
    notes: int = 0
    """Highlights with a note, and bare notes."""
    bookmarks: int = 0
    clips: int = 0
    first_at: str | None = None
    """`added_at` of the earliest and the latest highlight or note."""
    last_at: str | None = None
    hidden: bool = False
    """The reader does not want to see it: no list, search or export has it unless asked for."""


@value(frozen=True, slots=True)
class Highlight:
    """One marked place: a passage with what hangs on it, a bare note, a bookmark or a clip."""

    id: Id
    """The id of its earliest record; every member's id finds it."""
    kind: ShownKind
    book: Id
    title: str
    author: str | None
    text: str
    """Empty for bare notes and bookmarks."""
    note: str | None = None
    """The notes at this passage, several separated by an empty line."""
    color: str | None = None
    tags: tuple[str, ...] = ()
    favorite: bool = False
    page: str | None = None
    location_start: int | None = None
    location_end: int | None = None
    chapter: str | None = None
    added_at: str | None = None
    added_offset: str | None = None
    truncated: bool = False
    source: str = ""
    """The importer (and device) it was seen in."""
    conflicts: tuple[str, ...] = field(default=())
    """Fields in which people disagree until somebody settles it."""
