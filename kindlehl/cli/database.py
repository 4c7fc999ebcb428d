"""The commands that care for the library's file."""

import sys

import typer

from kindlehl import wiring
from kindlehl.cli import backups, options
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
    where = options.chosen(ctx, library).library
    if not wiring.is_there(where):
        raise NotFoundError(f"There is no library at {where}.", hint="Import something first: kindlehl import")
    with wiring.library(where) as lib, lib.transaction():
        lib.shelf.rebuild()
        books = lib.shelf.books()
    count = sum(book.highlights for book in books)
    sys.stdout.write(f"Rebuilt {where}: {count} highlights in {len(books)} books.\n")


app.command()(backups.backup)
app.command()(backups.restore)
