"""The command line as a value: the app and its commands."""

from pathlib import Path
from typing import Annotated

import typer

from kindlehl import __version__
from kindlehl.cli import database, exporting, importing, looking
from kindlehl.config import LIBRARY_VARIABLE

EPILOG = "Documentation is in the package's docs folder; every command explains itself with -h."

app = typer.Typer(
    name="kindlehl",
    help="""Your highlights in a library of your own.

    Plug in the Kindle and type: kindlehl import
    """,
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: it starts faster and fits a narrow terminal
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"kindlehl {__version__}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", help=f"The library's file; also {LIBRARY_VARIABLE}.", metavar="PATH", show_default=False
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Keep what every command needs to know."""
    ctx.obj = library


app.command("import")(importing.import_)
app.command("list")(looking.list_)
app.command("books")(looking.books)
app.command("show")(looking.show)
app.command("search")(looking.search)
app.command("export")(exporting.export)
app.add_typer(database.app, name="db")
