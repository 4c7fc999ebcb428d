"""The command that brings highlights into a library."""

from typing import Annotated

import typer

from kindlehl.cli import options


def import_(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]…", help="Files, folders, or - for standard input.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Of a file that is not UTF-8, such as cp1252.", metavar="NAME")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would happen.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
    library: options.Where = None,
) -> None:
    """Import highlights. Without a path: from the Kindle that is plugged in.

    A second import of the same file changes nothing. Nothing is ever deleted or overwritten.

    Example: kindlehl import "My Clippings.txt"
    """
    # What it takes to import is loaded when somebody imports, and not for every other command.
    from kindlehl.cli.import_run import run

    run(paths or [], options.chosen(ctx, library), encoding=encoding, dry_run=dry_run, json=json)
