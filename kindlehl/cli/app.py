"""The command line as a value: the app and its commands, each loaded when it is asked for."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kindlehl.cli.manners import LONGEST_WAIT, taught
from kindlehl.config import LIBRARY_VARIABLE, WAIT_VARIABLE, Flags

COMMANDS = {
    "import": "kindlehl.cli.importing:import_",
    "list": "kindlehl.cli.looking:list_",
    "books": "kindlehl.cli.shelving:app",
    "show": "kindlehl.cli.looking:show",
    "search": "kindlehl.cli.looking:search",
    "random": "kindlehl.cli.drawing:random",
    "pick": "kindlehl.cli.picking:pick",
    "add": "kindlehl.cli.writing:add",
    "edit": "kindlehl.cli.writing:edit",
    "note": "kindlehl.cli.editing:note",
    "tag": "kindlehl.cli.editing:tag",
    "color": "kindlehl.cli.editing:color",
    "favorite": "kindlehl.cli.editing:favorite",
    "delete": "kindlehl.cli.editing:delete",
    "restore": "kindlehl.cli.editing:restore",
    "trash": "kindlehl.cli.trash:app",
    "split": "kindlehl.cli.joining:split",
    "merge": "kindlehl.cli.joining:merge",
    "undo": "kindlehl.cli.undoing:undo",
    "redo": "kindlehl.cli.undoing:redo",
    "history": "kindlehl.cli.history:history",
    "conflicts": "kindlehl.cli.history:conflicts",
    "export": "kindlehl.cli.exporting:export",
    "pair": "kindlehl.cli.pairing:pair",
    "sync": "kindlehl.cli.syncing:app",
    "devices": "kindlehl.cli.devices:app",
    "doctor": "kindlehl.cli.doctor:doctor",
    "config": "kindlehl.cli.configuring:app",
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
        """Their names; those that other packages add come last."""
        from kindlehl.registry import Registry  # looks at every package that is installed

        return [*COMMANDS, *(name for name in Registry().command_names() if name not in COMMANDS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- Typer's signature
        """One of them, or None."""
        kind = None
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            found = getattr(import_module(module), name)
            kind = getattr(import_module(module), "CLASSES", {}).get(name)
        else:
            from kindlehl.registry import Registry  # as above

            found = Registry().command(cmd_name)
        if found is None:
            return None
        if isinstance(found, typer.Typer):
            group = typer.main.get_command(found)
            group.name = cmd_name
            return taught(group)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, cls=kind, context_settings=HELP)(found)
        return taught(typer.main.get_command(single))


HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    cls=LoadedWhenAsked,
    name="kindlehl",
    help="""Your highlights in a library of your own.

    Plug in the Kindle and type: kindlehl import
    """,
    epilog="Every command explains itself with -h, and takes the options above too, but for --color and "
    "--version; --library where it needs one.",
    add_completion=False,  # `kindlehl completion` does more
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: it starts faster and fits a narrow terminal
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


@app.callback(invoke_without_command=True)
def main(
    ctx: typer.Context,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", help=f"The library's file; also {LIBRARY_VARIABLE}.", metavar="PATH", show_default=False
        ),
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            help=f"How long to wait for another kindlehl that writes, or a server; also {WAIT_VARIABLE}.",
            metavar="SECONDS",
            min=0,
            max=LONGEST_WAIT,
            show_default=False,
        ),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version; more of it with --json.")] = False,
    json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
) -> None:
    """Keep what every command needs to know."""
    ctx.obj = Flags(library, wait)
    if version:
        from kindlehl.cli.version import show  # asked for once in a while

        show(ctx, json=json)
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        ctx.fail("Missing command.")
    if json:
        ctx.fail("--json comes after the command.")
