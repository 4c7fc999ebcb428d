"""Passages and books for programs: the same on the command line and over HTTP. Fields are added, never renamed or
removed."""

from typing import Any

from kindlehl.domain.library import Book, Highlight


def item(h: Highlight) -> dict[str, Any]:
    """A passage."""
    return {
        "id": h.id,
        "kind": h.kind,
        "title": h.title,
        "author": h.author,
        "text": h.text,
        "note": h.note,
        "color": h.color,
        "tags": list(h.tags),
        "favorite": h.favorite,
        "page": h.page,
        "location_start": h.location_start,
        "location_end": h.location_end,
        "chapter": h.chapter,
        "added_at": h.added_at,
        "added_offset": h.added_offset,
        "truncated": h.truncated,
        "source": h.source,
        "book_id": h.book,
        "conflicts": list(h.conflicts),
    }


def book_item(book: Book) -> dict[str, Any]:
    """A book."""
    return {
        "id": book.id,
        "title": book.title,
        "author": book.author,
        "highlights": book.highlights,
        "notes": book.notes,
        "bookmarks": book.bookmarks,
        "clips": book.clips,
        "first_at": book.first_at,
        "last_at": book.last_at,
        "hidden": book.hidden,
    }
