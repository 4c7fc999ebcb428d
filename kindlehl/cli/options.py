"""Options that several commands share."""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kindlehl.cli.run import tell
from kindlehl.config import Flags, Settings, settings
from kindlehl.domain.errors import UsageError
from kindlehl.domain.library import ShownKind
from kindlehl.ports import Filter, Library

Where = Annotated[
    Path | None, typer.Option("--library", help="The library's file.", metavar="PATH", show_default=False)
]
Book = Annotated[str | None, typer.Option("--book", "-b", help="Words of a title, or a book's id.", metavar="TEXT")]
Author = Annotated[str | None, typer.Option("--author", "-a", help="Words of an author's name.", metavar="TEXT")]
Color = Annotated[str | None, typer.Option("--color", help="Only this colour.", metavar="NAME")]
Tag = Annotated[str | None, typer.Option("--tag", help="Only with this tag.", metavar="NAME")]
Since = Annotated[str | None, typer.Option("--since", help="Marked on this day or later.", metavar="YYYY-MM-DD")]
Until = Annotated[str | None, typer.Option("--until", help="Marked on this day or before.", metavar="YYYY-MM-DD")]
HasNote = Annotated[
    bool | None, typer.Option("--has-note/--no-note", help="Only with, or without, a note.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="One JSON object a line.")]
Plain = Annotated[bool, typer.Option("--plain", help="One line each, fields parted by tabs.")]


def chosen(ctx: typer.Context, library: Path | None) -> Settings:
    """The settings of this run: a flag after the command, then before it, then the environment, then the files. What
    cannot be used of a file is told; a command that needs nothing of it goes on."""
    before: Flags = ctx.obj
    return settings(library or before.library, os.environ, wait=before.wait, warn=tell)


def quiet(ctx: typer.Context, library: Path | None) -> Settings:
    """The same, where what cannot be used of a file is told in another way."""
    before: Flags = ctx.obj
    return settings(library or before.library, os.environ, wait=before.wait)


def one_format(**flags: bool) -> None:
    """Refuse two output formats at once."""
    given = [f"--{name}" for name, on in flags.items() if on]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other.", hint="Choose one.")


def day(text: str | None, option: str) -> str | None:
    """A day, or a day with a time, or a year or month."""
    if text is None:
        return None
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        datetime.fromisoformat(f"{text}-01-01" if len(text) == 4 else f"{text}-01" if len(text) == 7 else text)
    except ValueError as error:
        raise UsageError(f"{option} {text} is no day.", hint=f"Write it like {option} 2026-11-23.") from error
    return text.replace(" ", "T")


_DAY = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d)?)?)?)?", re.ASCII)
"""As times are kept, so that they can be compared as text."""


def wanted(
    library: Library,
    *,
    book: str | None = None,
    author: str | None = None,
    color: str | None = None,
    tag: str | None = None,
    since: str | None = None,
    until: str | None = None,
    has_note: bool | None = None,
    kinds: tuple[ShownKind, ...] = ("highlight", "note"),
) -> Filter:
    """The filter that these options ask for."""
    books = None
    if book is not None or author is not None:
        from kindlehl.services.finding import books_matching

        books = tuple(found.id for found in books_matching(library, title=book, author=author))
    return Filter(kinds, books, color, tag, day(since, "--since"), day(until, "--until"), has_note)
