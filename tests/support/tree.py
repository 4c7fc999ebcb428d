"""Every command found in the app's own tree, and how to call it: one row each, and a failure for one without."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import typer

from kindlehl.cli.app import app


class Command(NamedTuple):
    """A command as the app knows it."""

    words: tuple[str, ...]
    """What calls it: ("db", "path")."""
    options: frozenset[str]
    group: bool
    summary: str
    arguments: bool
    """Whether it needs some."""

    @property
    def name(self) -> str:
        """What calls it, as a person types it."""
        return " ".join(self.words)


class Row(NamedTuple):
    """How a command is called so that it does something on the sample's library."""

    arguments: tuple[str, ...] = ()
    """{id}: a highlight's id; {file}: a clippings file; {folder}: a folder that is not there yet."""
    reads: bool = True
    """Whether it only reads: then the library stays byte for byte as it was."""
    library: bool = True
    """Whether it opens the library."""
    without: str = ""
    """Why a command that reads has no --json."""
    again: bool = True
    """Whether it does the same when it is run a second time."""
    missing: int = 0
    """The exit code where there is no library yet."""


ROWS: dict[str, Row] = {
    "import": Row(("{file}",), reads=False),
    "list": Row(),
    "books": Row(),
    "show": Row(("{id}",), missing=1),
    "search": Row(("the",)),
    "export": Row(("json", "--to", "{folder}/out.json"), missing=1),
    "db path": Row(library=False, without="it prints one path"),
    "db rebuild": Row(reads=False, missing=1),
    "completion": Row(("bash",), library=False, without="it prints a script"),
    "help": Row(("exit-codes",), library=False, without="it is for people"),
}
"""In the order of the help. A command that asks takes the option here that answers beforehand."""


def row(command: Command) -> Row:
    """How to call a command."""
    if command.name not in ROWS:
        message = f"add a row for `{command.name}` to ROWS in tests/support/tree.py: how to call it, and what it does"
        raise LookupError(message)
    return ROWS[command.name]


def commands() -> list[Command]:
    """Every command and group, the program itself first."""
    root = typer.main.get_command(app)
    return [_command((), root), *_below(root, ())]


def _below(group: Any, words: tuple[str, ...]) -> Iterator[Command]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        yield _command((*words, name), found)
        if hasattr(found, "list_commands"):
            yield from _below(found, (*words, name))


def _command(words: tuple[str, ...], found: Any) -> Command:
    options = {name for param in found.params for name in (*param.opts, *param.secondary_opts) if name.startswith("-")}
    needed = any(param.param_type_name == "argument" and param.required for param in found.params)
    return Command(
        words, frozenset(options), hasattr(found, "list_commands"), found.get_short_help_str(200).strip(), needed
    )
