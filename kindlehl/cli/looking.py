"""The commands to look at what is in a library: list, books, show, search."""

import re
import sys
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.run import tell
from kindlehl.domain.library import Highlight, ShownKind
from kindlehl.ports import Library

if TYPE_CHECKING:
    from kindlehl.services.finding import Hit

SCHEMA = "kindlehl/highlights/1"


def list_(
    ctx: typer.Context,
    book: options.Book = None,
    author: options.Author = None,
    color: options.Color = None,
    tag: options.Tag = None,
    since: options.Since = None,
    until: options.Until = None,
    has_note: options.HasNote = None,
    bookmarks: Annotated[bool, typer.Option("--bookmarks", help="Bookmarks too.")] = False,
    clips: Annotated[bool, typer.Option("--clips", help="Saved articles too.")] = False,
    newest: Annotated[bool, typer.Option("--newest", help="Newest first, not by book.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", "-l", help="At most so many.", min=0, metavar="N")] = None,
    json: options.Json = False,
    jsonl: options.Jsonl = False,
    plain: options.Plain = False,
    library: options.Where = None,
) -> None:
    """List highlights and notes, by book and in reading order.

    Example: kindlehl list --book walden --has-note
    """
    options.one_format(json=json, jsonl=jsonl, plain=plain)
    kinds: list[ShownKind] = ["highlight", "note"]
    if bookmarks:
        kinds.append("bookmark")
    if clips:
        kinds.append("clip")
    with wiring.library_to_read(options.chosen(ctx, library).library) as lib:
        wanted = options.wanted(
            lib, book=book, author=author, color=color, tag=tag, since=since, until=until, has_note=has_note,
            kinds=tuple(kinds),
        )  # fmt: skip
        found = lib.shelf.highlights(wanted, newest=newest, limit=limit)
        if json:
            render.write_json(SCHEMA, map(render.item, found), sys.stdout)
        elif jsonl:
            render.write_jsonl(map(render.item, found), sys.stdout)
        elif plain:
            sys.stdout.writelines(render.plain(h) + "\n" for h in found)
        else:
            _print(found, lib, filtered=wanted.books is not None)


def _print(found: Iterable[Highlight], library: Library, *, filtered: bool) -> None:
    terminal = render.Terminal()
    empty = True
    for (title, author, _), passages in groupby(found, key=lambda h: (h.title, h.author, h.book)):
        terminal.print(*([] if empty else [""]), *render.heading(terminal, title, author), "")
        empty = False
        for n, h in enumerate(passages):
            terminal.print(*([""] if n else []), *render.passage(terminal, h, h.text, h.note))
    if empty:
        _nothing(library, filtered=filtered)


def _nothing(library: Library, *, filtered: bool) -> None:
    """Say on standard error why there is nothing to see."""
    if filtered and library.shelf.books():
        tell("Nothing matches. `kindlehl books` lists the books there are.")
    elif library.shelf.books():
        tell("Nothing matches.")
    else:
        tell("The library is empty. Plug in the Kindle, then: kindlehl import")


def books(
    ctx: typer.Context,
    json: options.Json = False,
    jsonl: options.Jsonl = False,
    plain: options.Plain = False,
    library: options.Where = None,
) -> None:
    """List the books, with how much was marked in each.

    Example: kindlehl books
    """
    options.one_format(json=json, jsonl=jsonl, plain=plain)
    with wiring.library_to_read(options.chosen(ctx, library).library) as lib:
        found = lib.shelf.books()
    if json:
        render.write_json("kindlehl/books/1", map(render.book_item, found), sys.stdout)
    elif jsonl:
        render.write_jsonl(map(render.book_item, found), sys.stdout)
    elif plain:
        for b in found:
            fields = (b.id, b.title, b.author, str(b.highlights), str(b.notes), b.last_at)
            sys.stdout.write("\t".join(map(render.one_line, fields)) + "\n")
    elif not found:
        tell("The library is empty. Plug in the Kindle, then: kindlehl import")
    else:
        terminal = render.Terminal()
        for b in found:
            counts = [_count(b.highlights, "highlight"), _count(b.notes, "note"), _count(b.bookmarks, "bookmark")]
            known = " · ".join([b.id[: render.SHORT_ID], *filter(None, [*counts, render.one_line(b.last_at)[:10]])])
            terminal.print(
                *render.wrapped(render.one_line(b.title), terminal.width),
                *_author(terminal, b.author),
                *(f"  {terminal.style(line, '2')}" for line in render.wrapped(known, terminal.width - 2)),
            )


def _author(terminal: render.Terminal, author: str | None) -> list[str]:
    return [f"  {line}" for line in render.wrapped(render.one_line(author), terminal.width - 2)] if author else []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


def show(
    ctx: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="A highlight's id, or its first letters.")],
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Show one highlight whole, with every form of it that a device wrote.

    Example: kindlehl show 320aba02
    """
    from kindlehl.services.finding import by_short_id

    with wiring.library_to_read(options.chosen(ctx, library).library) as lib:
        h = by_short_id(lib, id_)
        records = list(lib.facts.records(lib.shelf.members(h.id)).values())
    records.sort(key=lambda r: (r.at or "", r.id))
    if json:
        forms = [
            {"id": r.id, "kind": r.kind, "text": r.text, "page": r.page, "location_start": r.location_start,
             "location_end": r.location_end, "added_at": r.at, "added_offset": r.offset}
            for r in records
        ]  # fmt: skip
        render.write_json("kindlehl/highlight/1", [{**render.item(h), "records": forms}], sys.stdout)
        return
    terminal = render.Terminal()
    terminal.print(*render.heading(terminal, h.title, h.author), *([render.clean(h.chapter)] if h.chapter else []), "")
    terminal.print(*render.passage(terminal, h, h.text, h.note), "", f"id {h.id}", f"from {render.clean(h.source)}")
    if len(records) > 1:
        terminal.print("", "What the device wrote, oldest first:")
        for r in records:
            stamp = render.one_line(r.at or "no date").replace("T", " ")
            terminal.print(f"  {stamp}  {r.kind}")
            terminal.print(*(f"    {line}" for line in render.wrapped(r.text, terminal.width - 4)))


def search(
    ctx: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="QUERY…", help='Words, "exact words", -without, begin*.')],
    book: options.Book = None,
    author: options.Author = None,
    color: options.Color = None,
    tag: options.Tag = None,
    since: options.Since = None,
    until: options.Until = None,
    has_note: options.HasNote = None,
    limit: Annotated[int, typer.Option("--limit", "-l", help="At most so many.", min=1, metavar="N")] = 20,
    json: options.Json = False,
    jsonl: options.Jsonl = False,
    plain: options.Plain = False,
    library: options.Where = None,
) -> None:
    """Find highlights by the words in them or in their notes, best first.

    Example: kindlehl search deliberately -woods --author thoreau
    """
    options.one_format(json=json, jsonl=jsonl, plain=plain)
    from kindlehl.services import finding

    text = " ".join(map(_term, query))
    with wiring.library_to_read(options.chosen(ctx, library).library) as lib:
        wanted = options.wanted(
            lib, book=book, author=author, color=color, tag=tag, since=since, until=until, has_note=has_note
        )
        hits = finding.search(lib, text, wanted, limit)
        if json or jsonl:
            items = [{**render.item(hit.highlight), "snippet": hit.snippet, "matches": hit.marks} for hit in hits]
            if json:
                render.write_json(SCHEMA, items, sys.stdout, query=text)
            else:
                render.write_jsonl(items, sys.stdout)
        elif plain:
            sys.stdout.writelines(render.plain(hit.highlight) + "\n" for hit in hits)
        elif hits:
            _print_hits(hits)
        else:
            _nothing(lib, filtered=wanted.books is not None)


class Search(TyperCommand):
    """`search`, to which a word with a minus before it is a word that must not be there, and no bundle of options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move such words behind a `--`. Options of one letter are still options: `-b walden`, not `-bwalden`."""
        before = args[: args.index("--")] if "--" in args else args
        without = [arg for arg in before if re.fullmatch(r"-[^-].+", arg, re.DOTALL)]
        kept = [arg for arg in before if arg not in without]
        return super().parse_args(ctx, [*kept, "--", *without, *args[len(before) + 1 :]])


def _term(part: str) -> str:
    """A word, or several that the shell was given in quotes and passed on without them."""
    if " " not in part or '"' in part:
        return part
    return f'-"{part[1:]}"' if part.startswith("-") else f'"{part}"'


def _print_hits(hits: "list[Hit]") -> None:
    terminal = render.Terminal()
    for n, hit in enumerate(hits):
        h = hit.highlight
        in_note = not h.text
        terminal.print(*([""] if n else []), *render.heading(terminal, h.title, h.author))
        note = hit.snippet if in_note else None
        terminal.print(*render.passage(terminal, h, "" if in_note else hit.snippet, note or h.note, hit.marks))


CLASSES = {"search": Search}
"""Commands that parse their words in a way of their own."""
