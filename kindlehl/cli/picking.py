"""The command to choose highlights with the keyboard while one types: pick."""

import sys
from typing import Annotated, Literal

import typer

from kindlehl.cli import options, render
from kindlehl.domain.library import Highlight
from kindlehl.services.items import item

CANCELLED = 130
"""As if interrupted: whoever calls this in a script chose nothing."""


def pick(
    ctx: typer.Context,
    query: options.Query = None,
    what: Annotated[
        Literal["whole", "text", "id"], typer.Option("--print", help="What to print of the chosen ones.")
    ] = "whole",
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Type and see what is found; choose with the arrows and Enter, several with Tab; Esc leaves.

    The choice goes to standard output, what is seen while choosing to the terminal.

    Example: kindlehl show "$(kindlehl pick --print id)"
    """
    from kindlehl.cli.picker import picked  # the one command that draws on the whole terminal

    settings = options.chosen(ctx, library)
    text = options.asked(settings, query, options.wanted()).text if query else ""
    chosen = picked(settings.library, text)
    if not chosen:
        raise typer.Exit(CANCELLED)
    if json:
        render.write_json("kindlehl/highlights/1", map(item, chosen), sys.stdout)
    elif what == "whole":
        _print(chosen)
    else:
        sys.stdout.writelines(f"{h.id if what == 'id' else render.clean(h.text or h.note or '')}\n" for h in chosen)


def _print(chosen: list[Highlight]) -> None:
    terminal = render.Terminal()
    for n, h in enumerate(chosen):
        terminal.print(*([""] if n else []), *render.heading(terminal, h.title, h.author), "")
        terminal.print(*render.passage(terminal, h, h.text, h.note))


CLASSES = {"pick": options.TakesQuery}
"""Commands that parse their words in a way of their own."""
