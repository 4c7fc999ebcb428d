"""The commands that care for the library's file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import backups, options, render
from kindlehl.domain.errors import NotFoundError

app = typer.Typer(
    help="Care for the library's file.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def path(ctx: typer.Context, library: options.Where = None) -> None:
    """Print where the library is.

    Example: datasette "$(kindlehl db path)"
    """
    sys.stdout.write(f"{options.chosen(ctx, library).library}\n")


@app.command()
def rebuild(ctx: typer.Context, library: options.Where = None) -> None:
    """Make what is shown anew from the facts. Loses nothing, repairs a damaged index.

    Example: kindlehl db rebuild
    """
    settings = options.chosen(ctx, library)
    where = settings.library
    _ensure_there(where)
    with wiring.library(where, settings.wait) as lib, lib.transaction():
        lib.shelf.rebuild()
        books = lib.shelf.books()
    count = sum(book.highlights for book in books)
    terminal = render.Terminal()
    terminal.print(*render.naming(terminal, f"Rebuilt {count:,} highlights in {len(books):,} books", str(where)))


@app.command()
def verify(
    ctx: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Fold everything from scratch and compare, too.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Look for damage. The library stays as it is; exit code 1 if anything is wrong.

    Example: kindlehl db verify --deep
    """
    where = options.chosen(ctx, library).library
    _ensure_there(where)
    from kindlehl.cli import findings  # a rebuild needs none

    found = wiring.verify(where, deep=deep)
    findings.show(found, "kindlehl/verify/1", json=json, library=str(where))
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)


def _ensure_there(where: Path) -> None:
    if not wiring.is_there(where):
        raise NotFoundError(f"There is no library at {where}.", hint="Import something first: kindlehl import")


app.command()(backups.backup)
app.command()(backups.restore)
