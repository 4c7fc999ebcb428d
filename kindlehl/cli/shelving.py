"""The commands about books: list, rename, merge, split, hide."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import choosing, looking, options, render
from kindlehl.domain.errors import UsageError
from kindlehl.domain.facts import book_atom
from kindlehl.domain.text import holds
from kindlehl.services import finding, shelving
from kindlehl.services.operations import Draft, operation

app = typer.Typer(
    help="List the books, rename, join, part or hide them.",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Book = Annotated[str, typer.Argument(metavar="BOOK", help="A title, words of one, or a book's id.")]


@app.callback(invoke_without_command=True)
def books(
    ctx: typer.Context,
    hidden: Annotated[bool, typer.Option("--hidden", help="The hidden ones too.")] = False,
    json: options.Json = False,
    jsonl: options.Jsonl = False,
    plain: options.Plain = False,
    library: options.Where = None,
) -> None:
    """List the books, with how much was marked in each; or rename, join, part or hide them.

    Example: kindlehl books
    """
    if ctx.invoked_subcommand is None:
        options.one_format(json=json, jsonl=jsonl, plain=plain)
        looking.books(options.chosen(ctx, library), hidden=hidden, json=json, jsonl=jsonl, plain=plain)
    elif library is not None:
        ctx.obj = ctx.obj._replace(library=library)


@app.command()
def rename(
    ctx: typer.Context,
    book: Book,
    title: Annotated[str | None, typer.Option("--title", help="What it is called.", metavar="TEXT")] = None,
    author: Annotated[str | None, typer.Option("--author", help="Who wrote it; empty: nobody.", metavar="NAME")] = None,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Call a book otherwise. It stays so through every later import.

    Example: kindlehl books rename walden --title "Walden; or, Life in the Woods"
    """
    if title is None and author is None:
        raise UsageError("Say what to call it.", hint='kindlehl books rename walden --title "Walden"')
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        found = finding.book_by_name(lib, book)
        with operation(lib, choosing.writer(settings), "books rename") as draft:
            shelving.rename(lib, draft, found, title, author)
    _report(draft, "books rename", "Renamed", json=json)


@app.command()
def merge(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="BOOK BOOK…", help="Titles, words of them, or ids.")],
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Make several books one, called like the first. The same passage in both is one then.

    Example: kindlehl books merge walden "walden (annotated)"
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        first, *others = [finding.book_by_name(lib, name) for name in names]
        if not others:
            raise UsageError("It takes two books to join.", hint="kindlehl books merge BOOK BOOK")
        with operation(lib, choosing.writer(settings), "books merge") as draft:
            shelving.merge(lib, draft, first, others)
        _report(draft, "books merge", "Joined", json=json)


@app.command()
def split(
    ctx: typer.Context,
    book: Book,
    title: Annotated[
        str | None, typer.Argument(metavar="[TITLE]", help="What a source calls the book to be parted, or words of it.")
    ] = None,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Part a book that was wrongly joined from others. It stays parted. Without TITLE: list what sources call it.

    Example: kindlehl books split walden "walden (annotated)"
    """
    settings = options.chosen(ctx, library)
    if title is None:
        with wiring.library_to_read(settings.library) as lib:
            _titles(finding.book_by_name(lib, book).raw_titles, json=json)
        return
    with choosing.library(settings) as lib:
        found = finding.book_by_name(lib, book)
        meant = [raw for raw in found.raw_titles if holds(raw, title)]
        meant = [raw for raw in meant if raw == title] or meant
        if len(meant) != 1:
            raise UsageError(
                f"{'No source calls' if not meant else 'Several sources call'} it like this: {title}.",
                hint="What they call it: kindlehl books split BOOK",
            )
        with operation(lib, choosing.writer(settings), "books split") as draft:
            shelving.split(lib, draft, found, book_atom(meant[0]))
    _report(draft, "books split", "Parted", json=json)


def _titles(titles: Sequence[str], *, json: bool) -> None:
    if json:
        render.write_json("kindlehl/titles/1", ({"raw_title": title} for title in titles), sys.stdout)
        return
    terminal = render.Terminal()
    for title in titles:
        terminal.print(*render.hanging(title, terminal.width, "  "))


@app.command()
def hide(
    ctx: typer.Context,
    book: Book,
    off: Annotated[bool, typer.Option("--off", help="Show it again.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Leave a book out of lists, searches and exports. Nothing of it is lost.

    Example: kindlehl books hide "My Clippings"
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        found = finding.book_by_name(lib, book)
        with operation(lib, choosing.writer(settings), "books hide") as draft:
            shelving.hide(lib, draft, found, hidden=not off)
    _report(draft, "books hide", "Shown again" if off else "Hidden", json=json)


def _report(draft: Draft, verb: str, done: str, *, json: bool) -> None:
    if json:
        choosing.write_change(verb, [], draft)
    else:
        sys.stdout.write(f"{done}.\n" if draft.facts else "Nothing to change: it is so already.\n")
