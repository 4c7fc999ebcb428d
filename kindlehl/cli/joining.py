"""The commands that say what is one highlight: split what was wrongly joined, merge what belongs together."""

from typing import Annotated

import typer

from kindlehl.cli import choosing, options, render
from kindlehl.cli.choosing import Id
from kindlehl.domain import passages
from kindlehl.domain.errors import UsageError
from kindlehl.domain.facts import Record
from kindlehl.services import editing, finding
from kindlehl.services.operations import operation


def split(
    ctx: typer.Context,
    id_: Id,
    parts: Annotated[
        list[str] | None, typer.Argument(metavar="[FORM]…", help="Ids of what to part from it, as `show` lists them.")
    ] = None,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Part a highlight that was wrongly joined from others. It stays parted, whatever is imported later.

    Without FORM: what the device wrote last is parted from what it wrote before.

    Example: kindlehl split 320aba02
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib, operation(lib, choosing.writer(settings), "split") as draft:
        h = finding.by_short_id(lib, id_)
        records = sorted(editing.held(lib, h.id).records.values(), key=passages.later)
        if len(records) < 2:
            raise UsageError(
                "It was joined from nothing: there is one form of it.", hint=f"See: kindlehl history {id_}"
            )
        chosen = [_form(records, part).id for part in parts] if parts else [records[-1].id]
        editing.split(lib, draft, h, chosen)
    choosing.report(draft, "split", json=json, chosen=[h], done="Parted")


def _form(records: list[Record], part: str) -> Record:
    found = [record for record in records if record.id.startswith(part.lower())]
    if len(found) != 1:
        named = ", ".join(f"{record.id[: render.SHORT_ID]} ({record.kind})" for record in records[:5])
        raise UsageError(f"{part} is no form of it.", hint=f"Its forms are: {named}")
    return found[0]


def merge(
    ctx: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID ID…", help="Ids of highlights of one book.")],
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Make highlights of one book one, such as the two halves of a passage that was marked over a page turn.

    Where neither text holds the other, the words of both are shown. A note without a highlight can be put on one.

    Example: kindlehl merge 320aba02 c008b30d
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib, operation(lib, choosing.writer(settings), "merge") as draft:
        first, *others = choosing.highlights(lib, settings, ids, None)
        if len(others) != 1:
            raise UsageError("Two highlights are merged at a time.", hint="kindlehl merge ID ID")
        editing.merge(lib, draft, first, others[0])
    choosing.report(draft, "merge", json=json, chosen=[first, *others], done="Merged")
