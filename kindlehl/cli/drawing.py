"""The command to meet highlights again by chance: random."""

import sys
from typing import Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.services.items import item

SCHEMA = "kindlehl/highlights/1"


def random(
    ctx: typer.Context,
    query: options.Query = None,
    count: Annotated[int, typer.Option("--count", "-n", help="So many.", min=1, metavar="N")] = 1,
    seed: Annotated[
        str | None, typer.Option("--seed", help="The same seed draws the same.", metavar="TEXT", show_default=False)
    ] = None,
    per_book: Annotated[
        bool, typer.Option("--per-book", help="An even chance for each book, not for each highlight.")
    ] = False,
    json: options.Json = False,
    jsonl: options.Jsonl = False,
    plain: options.Plain = False,
    library: options.Where = None,
) -> None:
    """Show a highlight drawn by lot, of all or of those that a query means.

    Example: kindlehl random tag:craft
    """
    options.one_format(json=json, jsonl=jsonl, plain=plain)
    from random import Random

    from kindlehl.services.drawing import draw

    settings = options.chosen(ctx, library)
    wanted = options.asked(settings, query, options.wanted()).whole if query else options.wanted()
    with wiring.library_to_read(settings.library) as lib:
        drawn = draw(lib, wanted, count, Random(seed), per_book=per_book)  # noqa: S311 -- a lot, no secret
        if json:
            render.write_json(SCHEMA, map(item, drawn), sys.stdout)
        elif jsonl:
            render.write_jsonl(map(item, drawn), sys.stdout)
        elif plain:
            sys.stdout.writelines(render.plain(h) + "\n" for h in drawn)
        elif not drawn:
            from kindlehl.cli.run import tell
            from kindlehl.services.explaining import why_nothing

            tell(why_nothing(lib, wanted))
    if not (json or jsonl or plain):
        terminal = render.Terminal()
        for n, h in enumerate(drawn):
            terminal.print(*([""] if n else []), *render.heading(terminal, h.title, h.author))
            terminal.print(*render.passage(terminal, h, h.text, h.note))


CLASSES = {"random": options.TakesQuery}
"""Commands that parse their words in a way of their own."""
