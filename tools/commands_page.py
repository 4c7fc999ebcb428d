"""Writes docs/commands.md: what each command says of itself with -h, and the exit codes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from kindlehl.cli.app import app
from kindlehl.cli.run import EXIT_CODES, SKIPPED

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"

MEANINGS = {
    0: "success; nothing new and empty lists included",
    1: "failed; the message says what happened and what to do",
    2: "the command line itself makes no sense",
    SKIPPED: "done, but some records or files were left out; the report names them",
    5: "no device or source found: what a script that runs without a Kindle may ignore",
    75: "try later: somebody else is writing to the library",
    130: "interrupted with Ctrl-C, or left with Esc; the library is as it was before, or as it is after",
}

HEAD = """# The commands

Made by `make docs` from what the commands say of themselves with `-h`.

Results go to standard output, everything else to standard error. Programs read `--json` (one document with its
`schema`), `--jsonl` (one object a line) or `--plain` (one line each, fields parted by tabs). Fields are added, never
renamed or removed. Colour is left out where no terminal is, with `NO_COLOR`, and with `TERM=dumb`.

The library is where `--library` says, else where `KINDLEHL_LIBRARY` says, else in the user's folder for data:
`kindlehl db path` prints it.
"""


def page() -> str:
    """The page as it should be."""
    undocumented = set(EXIT_CODES.values()) - set(MEANINGS)
    if undocumented:
        message = f"exit codes without a meaning: {undocumented}"
        raise SystemExit(message)
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    sections = "".join(f"\n## {name}\n\n```\n{help_of(words)}```\n" for name, words in commands())
    return f"{HEAD}\n## Exit codes\n\n| code | meaning |\n|---|---|\n{rows}{sections}"


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command with the words that call it, in the order of the help; groups before what is in them."""
    yield "kindlehl", []
    root = typer.main.get_command(app)
    yield from _below(root, [])


def _below(group: Any, words: list[str]) -> Iterator[tuple[str, list[str]]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        called = [*words, name]
        yield " ".join(called), called
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from _below(command, called)


def help_of(words: list[str]) -> str:
    """What a command says with -h, on a page of 80 columns."""
    runner = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    said = runner.invoke(app, [*words, "-h"], prog_name="kindlehl")
    if said.exit_code or not said.stdout:
        message = f"kindlehl {' '.join(words)} -h: {said.output}"
        raise SystemExit(message)
    return "".join(f"{line.rstrip()}\n" for line in said.stdout.strip("\n").split("\n"))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
