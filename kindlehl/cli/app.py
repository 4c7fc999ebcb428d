"""The command line as a value: the app and its commands, each loaded when it is asked for."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kindlehl import __version__
from kindlehl.cli.manners import taught
from kindlehl.config import LIBRARY_VARIABLE

COMMANDS = {
    "import": "kindlehl.cli.importing:import_",
    "list": "kindlehl.cli.looking:list_",
    "books": "kindlehl.cli.looking:books",
    "show": "kindlehl.cli.looking:show",
    "search": "kindlehl.cli.looking:search",
    "export": "kindlehl.cli.exporting:export",
    "db": "kindlehl.cli.database:app",
    "help": "kindlehl.cli.helping:help_",
    "completion": "kindlehl.cli.completion:completion",
}
"""Where each command is: module and function, or module and app of a group. In the order of the help."""


class LoadedWhenAsked(TyperGroup):
    """A group that loads only the command that runs: the help loads all, `list` is there in half the time.

    Whatever it loads has learnt the manners of every command.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        taught(self, root=True)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- Typer's signature
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- Typer's signature
        """One of them, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            group = typer.main.get_command(found)
            group.name = cmd_name
            return taught(group)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, cls=getattr(import_module(module), "CLASSES", {}).get(name), context_settings=HELP)(
            found
        )
        return taught(typer.main.get_command(single))


HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    cls=LoadedWhenAsked,
    name="kindlehl",
    help="""Your highlights in a library of your own.

    Plug in the Kindle and type: kindlehl import
    """,
    epilog="Every command explains itself with -h, and takes the options above too, but for --color.",
    add_completion=False,  # `kindlehl completion` does more
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: it starts faster and fits a narrow terminal
    pretty_exceptions_enable=False,
    context_settings=HELP,
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
    version: Annotated[  # noqa: ARG001 -- answered by its callback
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Keep what every command needs to know."""
    ctx.obj = library
