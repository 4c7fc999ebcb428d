"""The commands about the trash."""

import sys

import typer

from kindlehl import wiring
from kindlehl.cli import choosing, options, render
from kindlehl.cli.confirming import confirm
from kindlehl.cli.looking import print_list
from kindlehl.cli.manners import may_ask
from kindlehl.cli.run import tell
from kindlehl.services import trash
from kindlehl.services.operations import operation

app = typer.Typer(
    help="What was deleted, and can be brought back.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list")
def list_(
    ctx: typer.Context,
    json: options.Json = False,
    jsonl: options.Jsonl = False,
    plain: options.Plain = False,
    library: options.Where = None,
) -> None:
    """List what is in the trash.

    Example: kindlehl trash list
    """
    options.one_format(json=json, jsonl=jsonl, plain=plain)
    with wiring.library_to_read(options.chosen(ctx, library).library) as lib:
        if not print_list(lib.shelf.highlights(trash.IN_TRASH), json=json, jsonl=jsonl, plain=plain):
            tell("The trash is empty.")


@app.command("empty")
def empty(
    ctx: typer.Context,
    yes: choosing.Yes = False,
    dry_run: choosing.DryRun = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Erase what is in the trash, word for word. This cannot be undone; backups keep what they hold.

    Example: kindlehl trash empty
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        chosen = list(lib.shelf.highlights(trash.IN_TRASH))
        if not chosen:
            if not dry_run and any(operation.verb == trash.EMPTIED for operation in lib.journal.operations()):
                lib.scrub()  # the last one may have been cut short before it came to that
            if json:
                choosing.write_change(trash.EMPTIED, [], dry_run=dry_run)
            else:
                sys.stdout.write("The trash is empty.\n")
            return
        if not choosing.agreed(chosen, "erase for good", asked=False, yes=yes, dry_run=dry_run):
            if json:
                choosing.write_change(trash.EMPTIED, [h.id for h in chosen], dry_run=True)
            return
        confirm(f"Erase {choosing.counted(chosen)} for good? This cannot be undone.", yes=yes, no_input=not may_ask())
        with operation(lib, choosing.writer(settings), trash.EMPTIED) as draft:
            trash.empty(lib, draft, choosing.fresh(lib, chosen, deleted=True))
        lib.scrub()
        if json:
            choosing.write_change(trash.EMPTIED, [h.id for h in chosen], draft)
        else:
            terminal = render.Terminal()
            terminal.print(
                *render.wrapped(f"Erased: {draft.changes:,}. Backups made before keep them.", terminal.width)
            )
