"""The commands that change what is said of highlights: note, tag, color, favorite, delete, restore."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer

from kindlehl.cli import choosing, options
from kindlehl.cli.choosing import DryRun, Id, Ids, Matching, Yes
from kindlehl.cli.typed import typed
from kindlehl.domain.errors import UsageError
from kindlehl.domain.facts import Value
from kindlehl.domain.library import Highlight
from kindlehl.ports import Library
from kindlehl.services import editing, trash
from kindlehl.services.operations import Draft, operation


def note(
    ctx: typer.Context,
    id_: Id,
    text: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]…", help="The note; - reads standard input.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the note away.")] = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Write a note on a highlight, instead of the one it has.

    Example: kindlehl note 320aba02 "and by notifications"
    """
    written = None if clear else editing.words(typed(text or (), "pbpaste | kindlehl note ID -"))
    if not clear and written is None:
        raise UsageError("There is no note to write.", hint='kindlehl note ID "what you think", or --clear')
    _change(ctx, library, [id_], None, {"note": written}, "note", "Noted", json=json)


def tag(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A tag, or several parted by commas.")],
    ids: Ids = None,
    where: Matching = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag away.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Tag highlights.

    Example: kindlehl tag craft --where 'author:le-guin has:note'
    """
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        known = lib.shelf.tags()
    tags = [editing.tag(part, known) for part in name.split(",")]
    changes: dict[str, Value] = {f"tag:{tag_}": not remove for tag_ in tags}
    what = f"{'take away' if remove else 'tag'} {', '.join(tags)}"
    done = "Untagged" if remove else "Tagged"
    _change(ctx, library, ids, where, changes, "tag", done, what=what, yes=yes, dry_run=dry_run, json=json)


def color(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"{', '.join(editing.COLORS)}; none takes it away.")],
    ids: Ids = None,
    where: Matching = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Give highlights a colour.

    Example: kindlehl color blue 320aba02 c008b30d
    """
    changes = {"color": editing.color(name)}
    what = f"colour {name.lower()}"
    _change(ctx, library, ids, where, changes, "color", "Coloured", what=what, yes=yes, dry_run=dry_run, json=json)


def favorite(
    ctx: typer.Context,
    ids: Ids = None,
    where: Matching = None,
    off: Annotated[bool, typer.Option("--off", help="No favourite any more.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Make highlights favourites.

    Example: kindlehl favorite 320aba02
    """
    what, done = ("no favourite any more", "Favourites no more") if off else ("favourite", "Favourites")
    changes: dict[str, Value] = {"favorite": not off}
    _change(ctx, library, ids, where, changes, "favorite", done, what=what, yes=yes, dry_run=dry_run, json=json)


def _change(
    ctx: typer.Context,
    library: options.Where,
    ids: Sequence[str] | None,
    where: str | None,
    changes: Mapping[str, Value],
    verb: str,
    done: str,
    *,
    what: str = "",
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    def act(lib: Library, draft: Draft, chosen: list[Highlight]) -> None:
        editing.change(lib, draft, chosen, changes)

    _do(ctx, library, ids, where, act, verb, done, what=what, yes=yes, dry_run=dry_run, json=json)


def _do(
    ctx: typer.Context,
    library: options.Where,
    ids: Sequence[str] | None,
    where: str | None,
    act: Callable[[Library, Draft, list[Highlight]], None],
    verb: str,
    done: str,
    *,
    what: str,
    deleted: bool = False,
    yes: bool,
    dry_run: bool,
    json: bool,
) -> None:
    """Choose, show and ask where a query chose, act, report."""
    settings = options.chosen(ctx, library)
    with choosing.library(settings) as lib:
        chosen = choosing.highlights(lib, settings, ids, where, deleted=deleted)
        if not choosing.agreed(chosen, what, asked=where is not None, yes=yes, dry_run=dry_run):
            if json:
                choosing.write_change(verb, [h.id for h in chosen], dry_run=True)
        else:
            with operation(lib, choosing.writer(settings), verb) as draft:
                still = choosing.highlights(lib, settings, ids, where, deleted=deleted) if where else chosen
                meant = {h.id for h in chosen}
                act(lib, draft, choosing.fresh(lib, [h for h in still if h.id in meant], deleted=deleted))
            choosing.report(draft, verb, json=json, chosen=chosen, done=done)


def delete(
    ctx: typer.Context,
    ids: Ids = None,
    where: Matching = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Put highlights into the trash. They stay deleted, whatever is imported; `restore` brings them back.

    Example: kindlehl delete 320aba02
    """
    _do(
        ctx, library, ids, where, trash.delete, "delete", "Deleted", what="delete", yes=yes, dry_run=dry_run, json=json
    )  # fmt: skip


def restore(
    ctx: typer.Context,
    ids: Ids = None,
    where: Matching = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: options.Json = False,
    library: options.Where = None,
) -> None:
    """Take highlights out of the trash.

    Example: kindlehl restore 320aba02
    """
    _do(
        ctx, library, ids, where, trash.restore, "restore", "Restored", what="restore", deleted=True, yes=yes,
        dry_run=dry_run, json=json,
    )  # fmt: skip
