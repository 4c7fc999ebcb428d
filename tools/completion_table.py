"""Writes kindlehl/cli/completing/table.txt: every command, option and argument, and what completes its value."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from kindlehl.cli.app import COMMANDS, app
from kindlehl.cli.topics import TOPICS
from kindlehl.services.editing import COLORS

TABLE = Path(__file__).parents[1] / "kindlehl" / "cli" / "completing" / "table.txt"

FREE = "free"
"""A value of which nothing can be known."""
COLOR = "=" + "|".join(COLORS)
NAMES = {
    "--author": "author", "--book": "book", "--color": COLOR, "--library": "path",
    "--saved": "search", "--tag": "tag", "--to": "path",
}  # fmt: skip
"""What completes the value of an option, by its name."""
METAVARS = {
    "AUTHOR": "author", "BOOK": "book", "COLOR": COLOR, "DIR": "path", "FILE": "path", "FOLDER": "path",
    "highlights|notes": "=highlights|notes", "ID": "id", "PATH": "path", "SEARCH": "search", "TAG": "tag",

    "TOPIC": "=" + "|".join([*TOPICS, *COMMANDS]),
    **dict.fromkeys(
        ("AGE", "DAY", "FORM", "KEY", "LABEL", "LETTER", "N", "N[-N", "NAME", "NOTE", "OP", "QUERY", "SECONDS", "TEXT",
         "TITLE", "URL", "VALUE", "WHEN", "YYYY-MM-DD", "DEVICE", "FILE|FOLDER", "ADDRESS", "ADDRESS:PORT", "NUMBER"),
        FREE,
    ),
}  # fmt: skip
"""The same by what the help calls it. Says more than one word of it the same, the command's own row in SPECIAL wins."""
SPECIAL: dict[tuple[str, str], str] = {
    ("tag", "NAME"): "tag",
    ("color", "NAME"): f"{COLOR}|none",
    ("restore", "ID"): "deleted",
    ("search", "--forget"): "search",
    ("export", "FORMAT"): "target",
    ("books merge", "BOOK BOOK"): "book",
    ("merge", "ID ID"): "id",
    ("conflicts", "--field"): "=text|note",
    ("db backup", "--keep"): FREE,
    ("db backup", "FILE|-"): "path",
    ("conflicts", "--keep"): "=A|B|both",
    ("pick", "--print"): "=whole|id|text",
}
"""(command, option or argument) → kind, where neither its name nor what the help calls it tells."""


def table() -> str:
    """The table as it should be: fields parted by tabs.

    command PATH SUMMARY group?; option PATH NAMES KIND HELP; argument PATH KIND many?. The path of what every command
    takes is *.
    """
    root = typer.main.get_command(app)
    rows = [*_options("", root), *_options("*", root, common=True), *_below(root, "")]
    return "".join("\t".join(row) + "\n" for row in rows)


def _below(group: Any, path: str) -> Iterator[list[str]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command.hidden:
            continue
        here = f"{path} {name}".strip()
        is_group = hasattr(command, "list_commands")
        yield ["command", here, _flat(command.get_short_help_str(100)), "group" if is_group else ""]
        yield from _options(here, command)
        for param in command.params:
            if param.param_type_name == "argument":
                yield ["argument", here, _kind(here, param), "" if param.nargs == 1 else "many"]
        if is_group:
            yield from _below(command, here)


def _options(path: str, command: Any, *, common: bool = False) -> Iterator[list[str]]:
    """A command's own options; of the root, either all or those that every command takes too."""
    taught = {"--no-color", "--quiet", "--verbose", "--no-input", "--debug", "--library", "--help"}
    for param in command.get_params(typer.Context(command, help_option_names=["-h", "--help"])):
        names = [*param.opts, *param.secondary_opts]
        if param.param_type_name != "option":
            continue
        if (common and taught.isdisjoint(names)) or (path not in ("", "*") and (param.hidden or "--help" in names)):
            continue
        kind = "" if param.is_flag or param.count else _kind(path, param)
        yield ["option", path, ",".join(sorted(names, reverse=True, key=len)), kind, _flat(param.help or "")]


def _kind(path: str, param: Any) -> str:
    called = param.opts[0] if param.param_type_name == "option" else param.human_readable_name
    name = called if called.startswith("-") else called.strip("[]….{} ")
    metavar = (param.metavar or "").strip("[]….{} ")
    choices = getattr(param.type, "choices", None)
    known = [
        SPECIAL.get((path, name)),
        "=" + "|".join(map(str, choices)) if choices else None,
        *(NAMES.get(option) for option in param.opts),
        METAVARS.get(metavar),
        FREE if param.type.name in ("integer", "int", "float", "int range", "integer range") else None,
    ]
    found = next((kind for kind in known if kind), None)
    if found is None:
        message = (
            f"What completes {name} {metavar} of `kindlehl {path}`? Say it in tools/completion_table.py: in NAMES or "
            f'METAVARS, or in SPECIAL as ("{path}", "{name}"): FREE if nothing does.'
        )
        raise SystemExit(message)
    return found


def _flat(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
