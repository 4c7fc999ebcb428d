"""Adding: a quotation that a reader types is a record like those of devices, from a source called hand."""

import re
from collections.abc import Mapping
from datetime import datetime

from kindlehl.domain.errors import UsageError
from kindlehl.domain.facts import Record, Value, record_id
from kindlehl.domain.library import Book
from kindlehl.services.editing import name, words
from kindlehl.services.operations import HAND, Draft
from kindlehl.wire import GREATEST

_LOCATION = re.compile(r"(\d{1,15})(?:\s*[-–]\s*(\d{1,15}))?", re.ASCII)


def add(
    draft: Draft,
    text: str,
    book: Book | None,
    title: str,
    author: str | None,
    *,
    page: str | None = None,
    location: tuple[int, int] | None = None,
    chapter: str | None = None,
    at: str | None = None,
    said: Mapping[str, Value] | None = None,
) -> Record:
    """Type in a passage of a book that is there, or of a new one called like this; `at` is naive ISO 8601, now if None.
    `said` are fields that it has from the beginning, such as a note.

    Raises UsageError for a text or a new title without a word.
    """
    written = words(text)
    if written is None:
        raise UsageError("There is no text to add.", hint='kindlehl add "the passage" --book Walden')
    title, author, page, chapter = name(title), *(name(each or "") or None for each in (author, page, chapter))
    if book is None and not title:
        raise UsageError("A book needs a title.", hint='kindlehl add "the passage" --book Walden')
    now = draft.writer.now().astimezone()
    raw_title = next((raw for raw in book.raw_titles if raw), None) if book else None
    record = Record(
        # Not the new id itself: its beginning is the time, and people name a highlight by the beginning of its id.
        record_id(HAND, draft.writer.make_id()),
        "highlight",
        raw_title or (f"{title} ({author})" if author else title),
        book.title if book else title,
        book.author if book else author,
        written,
        location[0] if location else None,
        location[1] if location else None,
        page,
        chapter,
        None,
        at or now.replace(tzinfo=None).isoformat(timespec="seconds"),
        None if at else _offset(now),
    )
    draft.type_in(record)
    for field, value in (said or {}).items():
        draft.edit(record.id, field, value)
    draft.changes = 1
    return record


def _offset(now: datetime) -> str:
    return now.isoformat(timespec="seconds")[-6:]


def location(text: str) -> tuple[int, int]:
    """A Kindle location, or two with a dash between. Raises UsageError for anything else."""
    found = _LOCATION.fullmatch(text.strip())
    start, stop = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not start <= stop <= GREATEST:
        raise UsageError(f"{text} is no location.", hint="Write it like --location 1324 or --location 1324-1326.")
    return start, stop
