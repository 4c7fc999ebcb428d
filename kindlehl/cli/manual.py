"""Manual pages: what the commands and topics say of themselves, in the language of man."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from kindlehl import __version__
from kindlehl.cli.app import app
from kindlehl.cli.topics import TOPICS, parts


def page(words: list[str]) -> str:
    """The page of a command; without words that of the program, with all commands and topics in it."""
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.get_command(typer.Context(command), word)
    called = ["kindlehl", *words]
    lines = [*_head("-".join(called), command.get_short_help_str(200)), *_synopsis(called, command)]
    lines += [".SH DESCRIPTION", *_description(command), ".SH OPTIONS", *_rows(_options(command, everywhere=not words))]
    if hasattr(command, "list_commands"):
        lines.append(".SH COMMANDS")
        for name, below in _below(command, []):
            lines += [f".SS {_text(' '.join([*called, *name]))}", *_description(below)]
            lines += _rows(_options(below, everywhere=False))
    if not words:
        for topic_, (_, text) in TOPICS.items():
            lines += [f".SH {_text(topic_.upper())}", *_topic(text)]
    else:
        lines += [".SH SEE ALSO", ".BR kindlehl (1)"]
    return "\n".join(lines) + "\n"


def topic(name: str) -> str:
    """The page of a topic."""
    summary, text = TOPICS[name]
    return "\n".join([*_head(f"kindlehl-{name}", summary, 7), ".SH DESCRIPTION", *_topic(text)]) + "\n"


def _head(name: str, summary: str, section: int = 1) -> list[str]:
    title = f'.TH "{_text(name.upper())}" "{section}" "" "kindlehl {__version__}" "kindlehl"'
    return [title, ".SH NAME", f"{_text(name)} \\- {_text(summary.rstrip('.'))}"]


def _synopsis(called: list[str], command: Any) -> list[str]:
    pieces = command.collect_usage_pieces(typer.Context(command))
    return [".SH SYNOPSIS", f".B {_text(' '.join(called))}", _text(" ".join(pieces))]


def _description(command: Any) -> Iterator[str]:
    for n, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        if n:
            yield ".PP"
        yield _text(" ".join(paragraph.split()))


def _options(command: Any, *, everywhere: bool) -> list[tuple[str, str]]:
    """Arguments and options; those that every command takes only where they are explained."""
    context = typer.Context(command, help_option_names=["-h", "--help"])
    found = [(param, param.get_help_record(context)) for param in command.get_params(context)]
    return [record for param, record in found if record and (everywhere or "--help" not in param.opts)]


def _below(group: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield [*words, name], command
        if hasattr(command, "list_commands"):
            yield from _below(command, [*words, name])


def _topic(text: str) -> Iterator[str]:
    for n, (paragraph, rows) in enumerate(parts(text)):
        if paragraph:
            yield from ([".PP"] if n else [])
            yield _text(paragraph)
        yield from _rows(rows)


def _rows(rows: list[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in rows:
        yield from (".TP", f".B {_text(term)}", _text(meaning))


def _text(text: str) -> str:
    """A text in which nothing is taken for a request of man's."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    ascii_ = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in plain)
    return f"\\&{ascii_}" if ascii_.startswith((".", "'")) else ascii_
