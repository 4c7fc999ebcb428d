"""The command that explains: the program, a command, a topic; for a terminal or as a manual page."""

import sys
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from kindlehl.domain.errors import UsageError


def help_(
    about: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC]…", help="A topic, or a command.")] = None,
    man: Annotated[bool, typer.Option("--man", help="As a manual page, for man -l -.")] = False,
) -> None:
    """Explain a command or a topic: environment, exit-codes, formatting, queries, privacy.

    Example: kindlehl help exit-codes
    """
    from kindlehl.cli import topics
    from kindlehl.cli.app import app

    words = about or []
    topic = topics.TOPICS.get(" ".join(words))
    if topic is None:
        _exists(words, [*topics.TOPICS])
    if man:
        from kindlehl.cli import manual

        sys.stdout.write(manual.topic(*words) if topic else manual.page(words))
    elif topic:
        sys.stdout.write(_laid_out(*topic))
    else:
        app([*words, "-h"], prog_name="kindlehl", standalone_mode=False)
        if not words:
            sys.stdout.write(
                "\n" + _laid_out("Topics:", "\n".join(f"{n} | {s}" for n, (s, _) in topics.TOPICS.items()))
            )


def _exists(words: list[str], names: list[str]) -> None:
    """Raise UsageError where no command is called like this."""
    from kindlehl.cli.app import app

    command: Any = typer.main.get_command(app)
    for word in words:
        below: list[str] = command.list_commands(typer.Context(command)) if hasattr(command, "list_commands") else []
        if word not in below:
            near = get_close_matches(word, [*below, *names], 1)
            raise UsageError(
                f"There is no command and no topic `{' '.join(words)}`."
                + (f" Did you mean `{near[0]}`?" if near else ""),
                hint=f"The topics are {', '.join(names)}; `kindlehl -h` lists the commands.",
            )
        command = command.get_command(typer.Context(command), word)


def _laid_out(summary: str, text: str) -> str:
    from kindlehl.cli.layout import Layout
    from kindlehl.cli.topics import parts

    layout = Layout()
    layout.write_text(summary)
    for paragraph, rows in parts(text):
        layout.write_paragraph()
        with layout.indentation():
            if rows:
                layout.write_dl(rows)
            else:
                layout.write_text(paragraph)
    return layout.getvalue()
