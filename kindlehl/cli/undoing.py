"""The commands that take back what was done on this device, and do it again."""

import sys
from typing import Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import choosing, options, render
from kindlehl.cli.run import tell
from kindlehl.services import undoing
from kindlehl.services.undoing import Step

Op = Annotated[str | None, typer.Argument(metavar="[OP]", help="Not the newest, but this one of `undo --list`.")]
SHOWN = 20


def undo(
    ctx: typer.Context,
    op: Op = None,
    list_: Annotated[bool, typer.Option("--list", help="List what can be undone, newest first.")] = False,
    all_: Annotated[bool, typer.Option("--all", help=f"With --list: more than {SHOWN}.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Take back the last thing that was done on this device, an import too.

    Refused where somebody has changed since what it changed.

    Example: kindlehl undo
    """
    settings = options.chosen(ctx, library)
    if list_:
        with wiring.library_to_read(settings.library) as lib:
            _list(undoing.journal(lib), everything=all_, json=json)
        return
    with choosing.library(settings) as lib:
        _report(undoing.undo(lib, choosing.writer(settings), op), "undo", "Undone", json=json)


def redo(ctx: typer.Context, op: Op = None, json: options.Json = False, library: options.Where = None) -> None:
    """Do again what was undone last.

    Example: kindlehl redo
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        _report(undoing.redo(lib, choosing.writer(settings), op), "redo", "Done again", json=json)


def _report(step: Step, verb: str, done: str, *, json: bool) -> None:
    what = step.what
    if json:
        render.write_object("kindlehl/undo/1", verb=verb, of=what.verb, op=what.id, changes=what.changes, at=what.at)
    else:
        terminal = render.Terminal()
        terminal.print(*render.hanging(f"{done}: {_named(step)}, of {render.local(what.at)}.", terminal.width, "  "))


def _named(step: Step) -> str:
    number = step.what.changes
    noun = "record" if step.what.verb.startswith("import") else "change"
    return f"{step.what.verb}, {number:,} {noun}{'' if number == 1 else 's'}"


def _list(journal: undoing.Journal, *, everything: bool, json: bool) -> None:
    steps = [(step, True) for step in journal.undone[::-1]] + [(step, False) for step in journal.done]
    if json:
        items = (
            {"op": s.what.id, "at": s.what.at, "verb": s.what.verb, "changes": s.what.changes, "undone": undone}
            for s, undone in steps
        )
        render.write_json("kindlehl/operations/1", items, sys.stdout)
        return
    if not steps:
        tell("Nothing was done on this device yet.")
        return
    terminal = render.Terminal()
    for step, undone in steps if everything else steps[:SHOWN]:
        mark = "  (undone: `kindlehl redo` brings it back)" if undone else ""
        line = f"{undoing.short(step.what.id)}  {render.local(step.what.at)}  {_named(step)}{mark}"
        terminal.print(*render.hanging(line, terminal.width, "    "))
    if not everything and len(steps) > SHOWN:
        tell(f"and {len(steps) - SHOWN:,} older: kindlehl undo --list --all")
