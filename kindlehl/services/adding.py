"""Adding: a quotation that a reader types is a record like those of devices, from a source called hand."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from kindlehl.domain.errors import NotFoundError, UsageError
from kindlehl.domain.facts import Id, Record, Value, record_id
from kindlehl.domain.library import Book
from kindlehl.domain.text import loose
from kindlehl.ports import Library
from kindlehl.services import editing, finding
from kindlehl.services.editing import name, words
from kindlehl.services.operations import HAND, Draft
from kindlehl.services.querying import day
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
    key: Id | None = None,
) -> Record:
    """Type in a passage of a book that is there, or of a new one called like this; `at` is naive ISO 8601, now if None.
    `said` are fields that it has from the beginning, such as a note. The record's id follows from `key`, a UUIDv7, or a
    new one if None.

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
        record_id(HAND, key or draft.writer.make_id()),
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


def moment(text: str, called: str) -> str:
    """When, as it is kept: a day without a time is its beginning, since a device always has one.

    Raises UsageError, which calls it by its name, for what is no day.
    """
    at = day(text, called)
    if len(at) < 10:
        raise UsageError(f"{called} {text} is no day.", hint=f"Write it like {called} 2026-11-23.")
    return f"{at}T00:00:00" if len(at) == 10 else at if len(at) == 19 else f"{at}:00"


def known(library: Library, title: str, author: str | None) -> Book | None:
    """The book that is meant by a title, words of one or an id, if it is there. Raises UsageError where several are."""
    if not loose(title):
        return None  # every title holds all of no words
    try:
        return finding.book_by_name(library, title)
    except NotFoundError:
        return None
    except UsageError as error:
        if author:
            found = finding.books_matching(library, title=title, author=author)
            if len(found) == 1:
                return found[0]
        raise UsageError(error.message, hint="Give the id of the one you mean, or --new-book.") from error


def said(library: Library, note: str | None, color: str | None, tags: Iterable[str]) -> dict[str, Value]:
    """What a passage has from the beginning. Raises UsageError for what is no colour or tag."""
    named = list(tags)
    spelled = library.shelf.tags() if named else ()  # they are looked for in every passage
    fields: dict[str, Value] = {f"tag:{editing.tag(tag, spelled)}": True for tag in named}
    if note:
        fields["note"] = words(note)
    if color:
        fields["color"] = editing.color(color)
    return {field: value for field, value in fields.items() if value is not None}
