"""Writes docs/commands/: a page for each command with what it says with -h, an index, the topics of `kindlehl help`;
and docs/kindlehl.1, the manual page that is installed."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from kindlehl.cli import manual
from kindlehl.cli.app import app
from kindlehl.cli.run import EXIT_CODES, MEANINGS
from kindlehl.cli.topics import TOPICS, parts

DOCS = Path(__file__).parents[1] / "docs"
FOLDERS = ("commands", "topics")
"""Folders of docs/ in which nothing else may be."""

HEAD = """# The commands

Made by `make docs` from what the commands say of themselves with `-h`.

Results go to standard output, everything else to standard error; the library is where `--library` says, else where
`KINDLEHL_LIBRARY` says, else in the user's folder for data. More in the topics that `kindlehl help` explains:
"""


def pages() -> Mapping[str, str]:
    """Every page as it should be, by its name in docs/."""
    undocumented = set(EXIT_CODES.values()) - set(MEANINGS)
    if undocumented:
        message = f"exit codes without a meaning: {undocumented}"
        raise SystemExit(message)
    topics = "".join(f"\n* [{name}](../topics/{name}.md): {summary}" for name, (summary, _) in TOPICS.items())
    rows = "".join(f"| [{name}]({_file(name)}) | {summary} |\n" for name, _, summary in commands())
    out = {"commands/index.md": f"{HEAD}{topics}\n\n| command | what it does |\n|---|---|\n{rows}"}
    for name, words, _ in commands():
        out[f"commands/{_file(name)}"] = f"# {name}\n\n```text\n{help_of(words)}```\n"
    for name, (summary, text) in TOPICS.items():
        out[f"topics/{name}.md"] = f"# {name.replace('-', ' ').capitalize()}\n\n{summary}\n\n{_topic(text)}"
    out["kindlehl.1"] = manual.page([])
    return out


def commands() -> Iterator[tuple[str, list[str], str]]:
    """Every command with the words that call it and its summary, in the order of the help; groups before their own."""
    root = typer.main.get_command(app)
    yield "kindlehl", [], "The program itself, and the options that every command takes."
    yield from _below(root, [])


def _below(group: Any, words: list[str]) -> Iterator[tuple[str, list[str], str]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        called = [*words, name]
        command = group.get_command(context, name)
        yield " ".join(called), called, command.get_short_help_str(200)
        if hasattr(command, "list_commands"):
            yield from _below(command, called)


def _file(name: str) -> str:
    return f"{name.replace(' ', '-')}.md"


def _topic(text: str) -> str:
    out: list[str] = []
    for paragraph, rows in parts(text):
        table = "".join(f"| `{term}` | {meaning} |\n" for term, meaning in rows)
        out.append(f"| name | meaning |\n|---|---|\n{table}" if rows else f"{paragraph}\n")
    return "\n".join(out)


def help_of(words: list[str]) -> str:
    """What a command says with -h, on a page of 80 columns."""
    runner = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    said = runner.invoke(app, [*words, "-h"], prog_name="kindlehl")
    if said.exit_code or not said.stdout:
        message = f"kindlehl {' '.join(words)} -h: {said.output}"
        raise SystemExit(message)
    return "".join(f"{line.rstrip()}\n" for line in said.stdout.strip("\n").split("\n"))


def write() -> None:
    """Write all pages, and take away those of commands that are gone."""
    made = pages()
    for name, text in made.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, "utf-8")
    for folder in FOLDERS:
        for path in (DOCS / folder).iterdir():
            if path.relative_to(DOCS).as_posix() not in made:
                path.unlink()


if __name__ == "__main__":
    sys.exit(write())
