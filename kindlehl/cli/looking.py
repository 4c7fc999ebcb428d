"""The commands to look at what is in a library: list, books, show, search."""

import sys
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.run import tell
from kindlehl.config import Settings
from kindlehl.domain.errors import UsageError
from kindlehl.domain.library import Highlight, ShownKind
from kindlehl.ports import Filter, Library, Order
from kindlehl.services.items import book_item, item

if TYPE_CHECKING:
    from kindlehl.services.finding import Found, Hit

SCHEMA = "kindlehl/highlights/1"


def list_(
    ctx: typer.Context,
    query: options.Query = None,
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
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first, not by book.")] = False,
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
    options.one_format(newest=newest, oldest=oldest)
    settings = options.chosen(ctx, library)
    wanted = options.wanted(
        book=book, author=author, color=color, tag=tag, since=since, until=until, has_note=has_note, kinds=tuple(kinds)
    )
    meant = options.asked(settings, query, wanted).whole if query else wanted
    with wiring.library_to_read(settings.library) as lib:
        order: Order = "newest" if newest else "oldest" if oldest else "book"
        found = lib.shelf.highlights(meant, order=order, limit=limit)
        if not print_list(found, json=json, jsonl=jsonl, plain=plain):
            _nothing(lib, meant)


def print_list(found: Iterable[Highlight], *, json: bool, jsonl: bool, plain: bool) -> bool:
    """Passages in one of the formats; False where a person would see nothing."""
    if json:
        render.write_json(SCHEMA, map(item, found), sys.stdout)
    elif jsonl:
        render.write_jsonl(map(item, found), sys.stdout)
    elif plain:
        sys.stdout.writelines(render.plain(h) + "\n" for h in found)
    else:
        return _print(found)
    return True


def _print(found: Iterable[Highlight]) -> bool:
    terminal = render.Terminal()
    empty = True
    for (title, author, _), passages in groupby(found, key=lambda h: (h.title, h.author, h.book)):
        terminal.print(*([] if empty else [""]), *render.heading(terminal, title, author), "")
        empty = False
        for n, h in enumerate(passages):
            terminal.print(*([""] if n else []), *render.passage(terminal, h, h.text, h.note))
    return not empty


def _nothing(library: Library, wanted: Filter) -> None:
    """Say on standard error why there is nothing to see."""
    from kindlehl.cli.run import tell  # most looks show something
    from kindlehl.services.explaining import why_nothing

    tell(why_nothing(library, wanted))


def books(settings: Settings, *, hidden: bool, json: bool, jsonl: bool, plain: bool) -> None:
    """List the books, with how much was marked in each."""
    with wiring.library_to_read(settings.library) as lib:
        found = lib.shelf.books(hidden=hidden)
    if json:
        render.write_json("kindlehl/books/1", map(book_item, found), sys.stdout)
    elif jsonl:
        render.write_jsonl(map(book_item, found), sys.stdout)
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
            counts += [render.one_line(b.last_at)[:10], "hidden" if b.hidden else ""]
            known = " · ".join([b.id[: render.SHORT_ID], *filter(None, counts)])
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
        render.write_json("kindlehl/highlight/1", [{**item(h), "records": forms}], sys.stdout)
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
    query: options.Query = None,
    book: options.Book = None,
    author: options.Author = None,
    color: options.Color = None,
    tag: options.Tag = None,
    since: options.Since = None,
    until: options.Until = None,
    has_note: options.HasNote = None,
    best: Annotated[bool, typer.Option("--best", help="Best first, as if nothing is said.")] = False,
    newest: Annotated[bool, typer.Option("--newest", help="Newest first.")] = False,
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first.")] = False,
    by_book: Annotated[bool, typer.Option("--by-book", help="By book, as if there are no words.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Never these words with a letter changed.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-l", help="At most so many.", min=1, metavar="N")] = 20,
    save: Annotated[str | None, typer.Option("--save", help="Keep the query as @NAME.", metavar="NAME")] = None,
    saved: Annotated[bool, typer.Option("--saved", help="List the saved queries.")] = False,
    forget: Annotated[str | None, typer.Option("--forget", help="Forget the query @NAME.", metavar="NAME")] = None,
    json: options.Json = False,
    jsonl: options.Jsonl = False,
    plain: options.Plain = False,
    library: options.Where = None,
) -> None:
    """Find highlights by the words in them or in their notes, best first.

    Example: kindlehl search deliberately -woods author:thoreau
    """
    options.one_format(json=json, jsonl=jsonl, plain=plain)
    settings = options.chosen(ctx, library)
    wanted = options.wanted(book=book, author=author, color=color, tag=tag, since=since, until=until, has_note=has_note)
    if save is not None or forget is not None or saved:
        from kindlehl.cli import saved_searches  # three verbs of their own

        saved_searches.run(settings, query or [], wanted, save=save, forget=forget, listing=saved, json=json)
        return
    way = options.way(best=best, newest=newest, oldest=oldest, book=by_book) or "best"
    if not query and wanted == Filter():
        raise UsageError("There is no word to look for.", hint="Try: kindlehl search courage")
    from kindlehl.services import finding

    request = options.asked(settings, query, wanted)
    with wiring.library_to_read(settings.library) as lib:
        found = finding.search(lib, request, way, limit, exact=exact)
        hits = found.hits
        _tell_corrected(found)
        if json or jsonl:
            items = [{**item(hit.highlight), "snippet": hit.snippet, "matches": hit.marks} for hit in hits]
            if json:
                render.write_json(SCHEMA, items, sys.stdout, query=request.text, corrected=found.corrected)
            else:
                render.write_jsonl(items, sys.stdout)
        elif plain:
            sys.stdout.writelines(render.plain(hit.highlight) + "\n" for hit in hits)
        elif hits:
            _print_hits(hits)
        else:
            _nothing(lib, request.whole)


def _tell_corrected(found: "Found") -> None:
    if found.corrected:
        from kindlehl.cli.run import tell

        missed, shown = (
            ", ".join(f"“{word}”" for word in words) for words in (found.corrected, found.corrected.values())
        )
        tell(f"Nothing for {missed}; showing {shown}.")


def _print_hits(hits: "list[Hit]") -> None:
    from kindlehl.services.finding import beginning  # loaded already

    terminal = render.Terminal()
    for n, hit in enumerate(hits):
        h = hit.highlight
        terminal.print(*([""] if n else []), *render.heading(terminal, h.title, h.author))
        if hit.in_note:
            terminal.print(*render.passage(terminal, h, beginning(h.text), hit.snippet))
        else:
            terminal.print(*render.passage(terminal, h, hit.snippet, h.note, hit.marks))


CLASSES = {"list_": options.TakesQuery, "search": options.TakesQuery}
"""Commands that parse their words in a way of their own."""
