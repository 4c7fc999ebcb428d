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
    acts: bool
    """Whether it does something by itself: a group may, when none of its commands is named."""
    summary: str
    arguments: bool
    """Whether it needs some."""
    listens: bool
    """Whether it takes a dash for standard input."""

    @property
    def name(self) -> str:
        """What calls it, as a person types it."""
        return " ".join(self.words)


class Row(NamedTuple):
    """How a command is called so that it does something on the sample's library."""

    arguments: tuple[str, ...] = ()
    """{id} and {other}: ids of highlights of one book; {deleted}: of one in the trash; {joined}: of one with several
    forms; {file}: a clippings file; {folder}: a folder that is not there yet; {backup}: a backup; {server}: a server's
    folder; {zip}: a backup of it."""
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
    ascii: int = 0
    """The exit code where the output can show nothing else."""
    asks: tuple[str, ...] | None = None
    """With what it asks before it does anything, if it ever does."""
    dash: tuple[str, ...] = ()
    """With what it reads standard input, if it ever does."""
    online: bool = False
    """Whether it asks the server that the library is paired with."""
    runs: bool = False
    """Whether it runs until it is stopped: other tests see to it."""
    lasting: str = ""
    """Why a command that writes to the library is not taken back by `undo`."""


ROWS: dict[str, Row] = {
    "import": Row(("{file}",), reads=False, dash=("-",)),
    "list": Row(),
    "books": Row(),
    "books rename": Row(("walden", "--title", "Im Wald", "--author", ""), reads=False, missing=1, again=False),
    "books merge": Row(("walden", "walking"), reads=False, missing=1, again=False),
    "books split": Row(("walden",), missing=1),
    "books hide": Row(("walden",), reads=False, missing=1),
    "show": Row(("{id}",), missing=1),
    "search": Row(("the",)),
    "random": Row(("--seed", "1")),
    "pick": Row(("--print", "id", "--help"), library=False, without="it is for a person at a terminal"),
    "add": Row(("Simplify, simplify.", "--book", "Walden"), reads=False, again=False, dash=("-", "--book", "Walden")),
    "edit": Row(("{id}",), reads=False, missing=1),
    "note": Row(("{id}", "a thought"), reads=False, missing=1, dash=("{id}", "-")),
    "tag": Row(("craft", "{id}"), reads=False, missing=1, asks=("craft", "--where", "deliberately")),
    "color": Row(("blue", "{id}"), reads=False, missing=1, asks=("blue", "--where", "deliberately")),
    "favorite": Row(("{id}",), reads=False, missing=1, asks=("--where", "deliberately")),
    "delete": Row(("{id}",), reads=False, missing=1, again=False, asks=("--where", "deliberately")),
    "restore": Row(("{deleted}",), reads=False, missing=1, again=False, asks=("--where=-deliberately",)),
    "trash list": Row(),
    "trash empty": Row(("--yes",), reads=False, missing=1, asks=(), lasting="what is erased is erased"),
    "split": Row(("{joined}",), reads=False, missing=1, again=False),
    "merge": Row(("{id}", "{other}"), reads=False, missing=1, again=False),
    "undo": Row(reads=False, missing=1, again=False, lasting="`redo` does that"),
    "redo": Row(reads=False, missing=1, again=False, lasting="`undo` does that, and its own test says so"),
    "history": Row(("{id}",), missing=1),
    "conflicts": Row(),
    "export": Row(("json", "--to", "{folder}/out.json"), missing=1),
    "pair": Row(("{url}", "--help"), library=False, without="it is for a person who types a code elsewhere"),
    "sync": Row(reads=False, lasting="what both have, both keep", online=True),
    "sync status": Row(),
    "sync verify": Row(reads=False, lasting="what both have, both keep", online=True),
    "sync stop": Row(("notes",), reads=False, library=False, asks=("notes", "--erase"), online=True),
    "sync start": Row(("notes",), reads=False, library=False),
    "devices list": Row(library=False, online=True),
    "devices rename": Row(("Tablet", "Phone"), reads=False, library=False, again=False, online=True),
    "devices revoke": Row(("Tablet", "--yes"), reads=False, library=False, again=False, asks=("Tablet",), online=True),
    "doctor": Row(library=False, ascii=1),
    "config path": Row(library=False, without="it prints one path"),
    "config show": Row(library=False),
    "config set": Row(("backup.keep", "7d"), reads=False, library=False),
    "config unset": Row(("backup.keep",), reads=False, library=False, again=False),
    "config edit": Row(reads=False, library=False),
    "db path": Row(library=False, without="it prints one path"),
    "db rebuild": Row(reads=False, missing=1, lasting="it changes nothing that anybody sees"),
    "db backup": Row(("{folder}/backup.db",), missing=1),
    "db restore": Row(("{backup}", "--yes"), reads=False, library=False, asks=("{backup}",), dash=("-", "--yes")),
    "db verify": Row(missing=1),
    "completion": Row(("bash",), library=False, without="it prints a script"),
    "server backup": Row(("{folder}.zip", "--data", "{server}"), library=False, again=False),
    "server restore": Row(("{zip}", "--data", "{folder}"), reads=False, library=False, again=False),
    "server restored": Row(("--data", "{server}"), reads=False, library=False),
    "server verify": Row(("--data", "{server}"), library=False),
    "server password": Row(("anna", "--data", "{server}"), reads=False, library=False, again=False),
    "serve": Row(("--help",), library=False, without="it runs until it is stopped", runs=True),
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
    group = hasattr(found, "list_commands")
    needed = any(param.param_type_name == "argument" and param.required for param in found.params)
    return Command(
        words,
        frozenset(options),
        group,
        not group or (bool(words) and getattr(found, "invoke_without_command", False)),
        found.get_short_help_str(200).strip(),
        needed,
        any("standard input" in (getattr(param, "help", None) or "") for param in found.params),
    )
