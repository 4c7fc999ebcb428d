"""The commands that show what became of a highlight, and settle what people disagree about."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import choosing, options, render
from kindlehl.cli.editor import Writing
from kindlehl.cli.looking import SCHEMA
from kindlehl.cli.run import tell
from kindlehl.domain.difference import difference
from kindlehl.domain.errors import UsageError
from kindlehl.domain.facts import Value
from kindlehl.domain.library import Highlight
from kindlehl.ports import Library
from kindlehl.services import editing, finding
from kindlehl.services import history as past
from kindlehl.services.history import Event, Variant
from kindlehl.services.items import item
from kindlehl.services.operations import operation

_LONG = 60
"""Characters of a text from which on it is hard to see in what it differs from another."""


def history(ctx: typer.Context, id_: choosing.Id, json: options.Json = False, library: options.Where = None) -> None:
    """Show all that happened to a highlight: what devices wrote, what people changed, word by word.

    Example: kindlehl history 320aba02
    """
    with wiring.library_to_read(options.chosen(ctx, library).library) as lib:
        h = _shown_or_deleted(lib, id_)
        events = past.history(lib, h.id)
    if json:
        items = (
            {"id": e.id, "at": e.at, "device": e.device, "what": e.what, "before": e.before, "after": e.after,
             "undo": e.undo, "erased": e.erased}
            for e in events
        )  # fmt: skip
        render.write_json("kindlehl/history/1", items, sys.stdout)
        return
    terminal = render.Terminal()
    terminal.print(*render.heading(terminal, h.title, h.author))
    for event in events:
        who = h.source or "a device" if event.device is None else event.device
        when = render.local(event.at) if event.device else (event.at or "no date").replace("T", " ")
        terminal.print("", *render.hanging(f"{when}  {_what(event)}  ({who})", terminal.width, "  "))
        terminal.print(*_changed(terminal, event))


def _shown_or_deleted(lib: Library, id_: str) -> Highlight:
    prefix = id_.strip().lower()
    in_trash = not lib.shelf.starting_with(prefix, 1) and lib.shelf.starting_with(prefix, 1, deleted=True)
    return finding.by_short_id(lib, id_, deleted=bool(in_trash))


def _what(event: Event) -> str:
    if event.device is None:
        return {"highlight": "marked", "note": "noted"}.get(event.what, event.what)
    return f"{event.what} taken back" if event.undo else event.what


def _changed(terminal: render.Terminal, event: Event) -> Iterator[str]:
    """The text, with what is gone and new in it marked; or one value."""
    if event.what in ("same", "not-same", "deleted"):
        return
    if event.erased:
        yield "  (erased)"
        return
    after = _text(event.after)
    before = _text(event.before)
    marked = render.difference(difference(before, after)) if before and after else after or "(none)"
    yield from (f"  {line}" for line in render.wrapped(marked, terminal.width - 2))


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def conflicts(
    ctx: typer.Context,
    id_: Annotated[str | None, typer.Argument(metavar="[ID]", help="Settle this one.")] = None,
    keep: Annotated[
        str | None, typer.Option("--keep", help="A, B … as shown; both, to keep all.", metavar="LETTER")
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Write what shall stand in an editor.")] = False,
    field: Annotated[
        str | None, typer.Option("--field", help="text or note, where both are open.", metavar="NAME")
    ] = None,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Show where people disagree, and settle it. Nothing is lost: what is not kept stays in the history.

    Example: kindlehl conflicts 320aba02 --keep A
    """
    settings = options.chosen(ctx, library)
    if id_ is None:
        with wiring.library_to_read(settings.library) as lib:
            _list(lib, json=json)
        return
    if bool(keep) == edit:
        raise UsageError("Say what to keep.", hint=f"kindlehl conflicts {id_} --keep A, or --keep both, or --edit")
    with choosing.library(settings) as lib:
        h = finding.by_short_id(lib, id_)
        open_ = [name for name in h.conflicts if field in (None, name)]
        if len(open_) != 1:
            raise UsageError(
                "Nothing is open there." if not open_ else "Text and note are both open.",
                hint="See: kindlehl conflicts" if not open_ else "Settle one after the other: --field note",
            )
        variants = past.variants(lib, h, open_[0])
        value = _edited(variants, id_) if edit else _kept(variants, keep or "")
        with operation(lib, choosing.writer(settings), "conflicts") as draft:
            if lib.shelf.get(h.id) != h:
                raise UsageError("It was changed meanwhile.", hint="See what there is now: kindlehl conflicts")
            past.settle(lib, draft, h, open_[0], value)
    choosing.report(draft, "conflicts", json=json, chosen=[h], done="Settled")


def _list(lib: Library, *, json: bool) -> None:
    found = [(h, {name: past.variants(lib, h, name) for name in h.conflicts}) for h in past.in_conflict(lib)]
    if json:
        items = (
            {**item(h), "variants": {name: [v._asdict() for v in several] for name, several in open_.items()}}
            for h, open_ in found
        )
        render.write_json(SCHEMA, items, sys.stdout)
        return
    if not found:
        tell("There are no conflicts.")
        return
    terminal = render.Terminal()
    for h, open_ in found:
        terminal.print(
            *render.heading(terminal, h.title, h.author), f"{h.id[: render.SHORT_ID]}  {choosing.preview(h)}"
        )
        for name, variants in open_.items():
            for letter, variant in zip("ABCDEFGHIJ", variants, strict=False):
                who = variant.device or h.source
                stamp = render.local(variant.at) if variant.device else variant.at or "no date"
                first, *rest = render.wrapped(f"{name}, {who}, {stamp}", terminal.width - 5)
                terminal.print(f"  {letter}  {first}", *(f"     {line}" for line in rest))
                terminal.print(
                    *(f"     {line}" for line in render.wrapped(variant.value or "(cleared)", terminal.width - 5))
                )
                if letter != "A" and (compared := _compared(variants[0], variant)):
                    terminal.print(*(f"     {line}" for line in render.wrapped(compared, terminal.width - 5)))
        terminal.print("")
    settle = f"To keep A, B or both: kindlehl conflicts {found[0][0].id[: render.SHORT_ID]} --keep A"
    terminal.print(*render.wrapped(settle, terminal.width))


def _compared(first: Variant, other: Variant) -> str | None:
    """In what a long text differs from the first one; None where that is seen at a glance, or they share little."""
    if not first.value or not other.value or len(other.value) < _LONG:
        return None
    pieces = difference(first.value, other.value)
    shared = sum(len(piece.text) for piece in pieces if piece.change == "same")
    if shared < max(len(first.value), len(other.value)) / 2:
        return None
    return f"compared with A: {render.difference(pieces)}"


def _kept(variants: list[Variant], letter: str) -> str | None:
    if letter.lower() == "both":
        return "\n\n".join(variant.value for variant in variants if variant.value) or None
    place = "ABCDEFGHIJ".find(letter.upper())
    if len(letter) != 1 or not 0 <= place < len(variants):
        last = "ABCDEFGHIJ"[min(len(variants), 10) - 1]
        raise UsageError(f"There is no {letter} to keep.", hint=f"Choose A to {last}, or both.")
    return variants[place].value


def _edited(variants: list[Variant], id_: str) -> str | None:
    both = "\n\n".join(variant.value for variant in variants if variant.value)
    with Writing("conflict.txt", both, f"kindlehl conflicts {id_} --edit") as written:
        return editing.words(both if written is None else written)
