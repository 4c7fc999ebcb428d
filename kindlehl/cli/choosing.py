"""Choosing what a command changes: by ids, or by a query with a look at what it means before anything happens."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.confirming import confirm
from kindlehl.cli.manners import may_ask
from kindlehl.cli.run import mention, tell
from kindlehl.config import Settings
from kindlehl.domain.errors import NotFoundError, UsageError
from kindlehl.domain.library import SHOWN_KINDS, Highlight
from kindlehl.ports import Filter, Library
from kindlehl.services import finding
from kindlehl.services.operations import Draft, Writer

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Ids of highlights, or their first letters.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A highlight's id, or its first letters.")]
Matching = Annotated[
    str | None,
    typer.Option(
        "--where", help="All that this query means, as for `search`; shown before it happens.", metavar="QUERY"
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would happen.")]
PREVIEW = 5
"""Highlights that are shown before a question."""


@contextmanager
def library(settings: Settings) -> Generator[Library]:
    """The library to change; it has to be there."""
    if not wiring.is_there(settings.library):
        raise NotFoundError(
            f"There is no library at {settings.library}.", hint="Import something first: kindlehl import"
        )
    with wiring.library(settings.library, settings.wait) as lib:
        yield lib


def writer(settings: Settings) -> Writer:
    """Who edits here."""
    return Writer(settings.device)


def highlights(
    lib: Library, settings: Settings, ids: Sequence[str] | None, where: str | None, *, deleted: bool = False
) -> list[Highlight]:
    """What was named. Raises UsageError where nothing is named, or both ids and a query."""
    if bool(ids) == bool(where):
        raise UsageError(
            "Say which highlights are meant: ids, or --where and a query.",
            hint="Ids are shown by `kindlehl list`. A query: --where 'book:walden has:note'",
        )
    if where:
        within = Filter(kinds=SHOWN_KINDS if deleted else ("highlight", "note"), deleted=deleted)
        # What stands after --where is a whole query, in one piece for the shell: its quotes are all there.
        found = list(finding.every(lib, options.asked(settings, where.split(), within)))
        if not found:
            where_to_look = "See what is there: kindlehl trash list" if deleted else "Try it: kindlehl search QUERY"
            raise NotFoundError("Nothing matches that query.", hint=where_to_look)
        return found
    named = [finding.by_short_id(lib, id_, deleted=deleted) for id_ in ids or ()]
    return list({h.id: h for h in named}.values())


def agreed(chosen: Sequence[Highlight], what: str, *, asked: bool, yes: bool, dry_run: bool) -> bool:
    """Whether to go on. What a query means is shown, and asked for; a dry run shows it and stops."""
    if asked or dry_run:
        tell(f"{counted(chosen)}: {what}")
        for h in chosen[:PREVIEW]:
            tell(f"  {h.id[: render.SHORT_ID]}  {preview(h)}")
        if len(chosen) > PREVIEW:
            tell(f"  and {len(chosen) - PREVIEW:,} more")
    if dry_run:
        tell("This was a dry run: nothing was changed.")
        return False
    if asked:
        confirm(f"{what.capitalize()}: {counted(chosen)}?", yes=yes, no_input=not may_ask())
    return True


def preview(h: Highlight) -> str:
    """The beginning of a passage, on one line."""
    line = render.one_line(h.text or h.note or h.kind)
    width = max(20, render.Terminal().width - render.SHORT_ID - 6)
    return line if render.cells(line) <= width else next(render.wrapped(line, width - 2)) + " …"


def counted(chosen: Sequence[Highlight]) -> str:
    """How many there are, of how many books."""
    books = len({h.book for h in chosen})
    number = f"{len(chosen):,} highlight{'' if len(chosen) == 1 else 's'}"
    return number if books < 2 else f"{number} of {books:,} books"


def fresh(lib: Library, chosen: Sequence[Highlight], *, deleted: bool = False) -> list[Highlight]:
    """The same passages as they are now that nobody else writes."""
    found = (lib.shelf.get(h.id, deleted=deleted) for h in chosen)
    return [h for h in found if h is not None]


def write_change(verb: str, ids: Sequence[str], draft: Draft | None = None, *, dry_run: bool = False) -> None:
    """What was changed, for programs; of a dry run, what would be."""
    done = draft if draft is not None and draft.facts else None
    render.write_object(
        "kindlehl/change/1",
        verb=verb,
        changes=done.changes if done else len(ids) if dry_run else 0,
        op=done.id if done else None,
        ids=list(ids),
        dry_run=dry_run,
    )


def report(draft: Draft, verb: str, *, json: bool, chosen: Sequence[Highlight], done: str) -> None:
    """Say what was done, and how to take it back."""
    changed = draft.changes if draft.facts else 0
    if json:
        write_change(verb, [h.id for h in chosen], draft)
        return
    render.Terminal().print(f"{done}: {changed:,}." if changed else "Nothing to change: it is so already.")
    if changed:
        mention("Take it back: kindlehl undo")
