"""The commands with which a reader writes: add a quotation, edit a highlight in an editor."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import choosing, options, render
from kindlehl.cli.editor import Writing
from kindlehl.cli.run import mention
from kindlehl.cli.typed import typed
from kindlehl.domain.errors import UsageError
from kindlehl.domain.facts import Value
from kindlehl.domain.library import Highlight
from kindlehl.services import adding, editing, finding
from kindlehl.services.operations import operation


def add(
    ctx: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT…", help="The passage; - reads standard input.")],
    book: Annotated[str, typer.Option("--book", "-b", help="Its title, words of one, or a book's id.", metavar="TEXT")],
    author: Annotated[str | None, typer.Option("--author", "-a", help="Of a new book.", metavar="NAME")] = None,
    page: Annotated[str | None, typer.Option("--page", help="As printed: 12, xvi.", metavar="LABEL")] = None,
    location: Annotated[str | None, typer.Option("--location", help="As a Kindle has it.", metavar="N[-N]")] = None,
    chapter: Annotated[str | None, typer.Option("--chapter", help="Its heading.", metavar="TEXT")] = None,
    note: Annotated[str | None, typer.Option("--note", help="What you think of it.", metavar="TEXT")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="May be repeated.", metavar="NAME")] = None,
    color: Annotated[str | None, typer.Option("--color", help="Such as yellow.", metavar="NAME")] = None,
    date: Annotated[str | None, typer.Option("--date", help="When; now, if not said.", metavar="YYYY-MM-DD")] = None,
    new: Annotated[bool, typer.Option("--new-book", help="Though other books have such a title.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Add a quotation by hand, from a printed book or anywhere else.

    Example: kindlehl add "Simplify, simplify." --book walden --page 91 --tag craft
    """
    words = typed(text, "pbpaste | kindlehl add - --book walden")
    settings = options.chosen(ctx, library)
    at = None if date is None else adding.moment(date, "--date")
    place = None if location is None else adding.location(location)
    with wiring.library(settings.library, settings.wait) as lib:
        said = adding.said(lib, note, color, tag or ())
        known = None if new else adding.known(lib, book, author)
        with operation(lib, choosing.writer(settings), "add") as draft:
            record = adding.add(
                draft, words, known, book.strip(), author, page=page, location=place, chapter=chapter, at=at,
                said=said,
            )  # fmt: skip
        if json:
            choosing.write_change("add", [record.id], draft)
            return
        of = "" if known else " of a new book"
        terminal = render.Terminal()
        told = f"Added {record.id[: render.SHORT_ID]}{of}: {record.title}"
        terminal.print(*render.hanging(told, terminal.width, "  "))
        mention("Take it back: kindlehl undo")


def _sign(h: Highlight) -> str:
    """What begins the lines that part the fields: no line of the reader's own begins with it."""
    sign = "%%"
    while f"{sign} " in f"{h.text}\n{h.note or ''}":
        sign += "%"
    return sign


def edit(ctx: typer.Context, id_: choosing.Id, json: options.Json = False, library: options.Where = None) -> None:
    """Edit text, note, tags and colour of a highlight in $VISUAL or $EDITOR.

    What you leave as it is stays as it is; what the device wrote is never lost.

    Example: kindlehl edit 320aba02
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        h = finding.by_short_id(lib, id_)
        known = lib.shelf.tags()
    # Nobody waits for a library while somebody thinks.
    with Writing(f"{h.id[: render.SHORT_ID]}.txt", _form(h), f"kindlehl edit {id_}") as written:
        if written is None:
            if json:
                choosing.write_change("edit", [h.id])
            else:
                sys.stdout.write("Nothing was changed.\n")
            return
        changes = _changes(h, written, known)
        with choosing.library(settings) as lib, operation(lib, choosing.writer(settings), "edit") as draft:
            now = lib.shelf.get(h.id)
            if now != h:
                raise UsageError("It was changed meanwhile.", hint=f"Look at it, then edit again: kindlehl show {id_}")
            editing.change(lib, draft, [h], changes)
    choosing.report(draft, "edit", json=json, chosen=[h], done="Edited")


def _form(h: Highlight) -> str:
    sign = _sign(h)
    return (
        f"{sign} {render.one_line(h.title)}: change what you like, save, close. Lines with {sign} part the fields.\n"
        f"{sign} text: empty gives back what the device wrote\n{h.text}\n"
        f"{sign} note:\n{h.note or ''}\n"
        f"{sign} tags: parted by commas\n{', '.join(h.tags)}\n"
        f"{sign} color:\n{h.color or ''}\n"
    )


def _parts(written: str, sign: str) -> dict[str, str]:
    pieces = re.split(rf"^{sign} (text|note|tags|color):[^\n]*\n", written.replace("\r\n", "\n"), flags=re.MULTILINE)
    found = {name: text.strip() for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    if len(found) != 4 or len(pieces) != 9:
        raise UsageError(
            "The lines that part the fields are not as they were.", hint=f"Leave the lines with {sign} in place."
        )
    return found


def _changes(h: Highlight, written: str, known: Sequence[str]) -> dict[str, Value]:
    """What was changed, field by field."""
    parts, was = _parts(written, _sign(h)), _parts(_form(h), _sign(h))
    changes: dict[str, Value] = {
        field: editing.words(parts[field]) for field in ("text", "note") if parts[field] != was[field]
    }
    if parts["color"] != was["color"]:
        changes["color"] = editing.color(parts["color"] or "none")
    return changes | editing.retagged(h, filter(str.strip, parts["tags"].split(",")), known)
