"""The manners of every command: how much it says, whether in colour, and whether it may ask.

Each is an option that every command takes, and an environment variable. The option sets the variable: that is how the
rest of the program, and a program that it starts, learns of it.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import typer
from typer._click.types import FloatRange  # pyright: ignore[reportPrivateUsage] -- Typer offers it nowhere else
from typer.core import TyperOption

QUIET, VERBOSE, DEBUG, NO_INPUT = "KINDLEHL_QUIET", "KINDLEHL_VERBOSE", "KINDLEHL_DEBUG", "KINDLEHL_NO_INPUT"


def quiet() -> bool:
    """Whether only results and errors are wanted."""
    return bool(os.environ.get(QUIET))


def verbose() -> bool:
    """Whether it is to be said what is used and done."""
    return bool(os.environ.get(VERBOSE))


def debugging() -> bool:
    """Whether an error comes with the lines of code that it passed through."""
    return bool(os.environ.get(DEBUG))


def may_ask() -> bool:
    """Whether there is a person who can answer a question. Where there is none, a command says which option answers."""
    return not os.environ.get(NO_INPUT) and sys.stdin.isatty() and sys.stderr.isatty()


def _sets(variable: str) -> Callable[[], None]:
    def switch() -> None:
        os.environ[variable] = "1"

    return switch


def _color() -> None:
    os.environ["FORCE_COLOR"] = "1"
    os.environ.pop("NO_COLOR", None)
    if os.environ.get("TERM") == "dumb":
        del os.environ["TERM"]


OPTIONS: tuple[tuple[tuple[str, ...], str, Callable[[], None]], ...] = (
    (("--color",), "Colour even where no terminal is; stands before the command.", _color),
    (("--no-color",), "No colour; also NO_COLOR.", _sets("NO_COLOR")),
    (("--quiet", "-q"), f"Only results and errors; also {QUIET}.", _sets(QUIET)),
    (("--verbose", "-v"), f"Say what is used and done; also {VERBOSE}.", _sets(VERBOSE)),
    (("--no-input",), f"Never ask, fail instead; also {NO_INPUT}.", _sets(NO_INPUT)),
    (("--debug",), f"Show where in the program an error came from; also {DEBUG}.", _sets(DEBUG)),
)
"""Names, help, and what the option does."""
ONLY_BEFORE = "--color"
"""Not to be had after a command: `list --color NAME` is about highlights."""
WAIT = "--wait"
LONGEST_WAIT = 86_400
"""Seconds."""


class Context(typer.Context):
    """What a command runs in; its help fits the terminal."""

    def make_formatter(self) -> Any:
        """What lays out the help."""
        from kindlehl.cli.layout import Layout  # only whoever asks for help needs it

        return Layout()


def taught(command: Any, *, root: bool = False) -> Any:
    """A command that has learnt these options, and if it is a group, all that is in it.

    Below the root they are not shown, so that a command's help is about the command. A name that a command uses for
    itself stays its own.
    """
    command.context_class = Context
    taken = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    for names, help_, switch in OPTIONS:
        free = [name for name in names if name not in taken]
        if free and (root or free != [ONLY_BEFORE]):
            command.params.append(_option(free, help_, switch, hidden=not root))
    if WAIT not in taken:
        command.params.append(_waits())
    for below in getattr(command, "commands", {}).values():
        taught(below)
    return command


def _option(names: list[str], help_: str, switch: Callable[[], None], *, hidden: bool) -> TyperOption:
    def heed(ctx: Any, param: Any, given: Any) -> None:  # noqa: ARG001 -- Typer's signature
        if given and not ctx.resilient_parsing:
            switch()

    return TyperOption(
        param_decls=names, is_flag=True, default=False, expose_value=False, is_eager=True, callback=heed, help=help_,
        hidden=hidden,
    )  # fmt: skip


def _waits() -> TyperOption:
    """What the program's own option of this name says, said after a command."""

    def heed(ctx: Any, param: Any, given: float | None) -> None:  # noqa: ARG001 -- Typer's signature
        if given is not None and not ctx.resilient_parsing:
            ctx.obj = ctx.obj._replace(wait=given)

    return TyperOption(
        param_decls=[WAIT], type=FloatRange(0, LONGEST_WAIT), metavar="SECONDS", expose_value=False, is_eager=True,
        callback=heed, hidden=True,
    )  # fmt: skip
