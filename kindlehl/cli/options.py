"""Options that several commands share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperCommand

from kindlehl.cli.manners import verbose
from kindlehl.cli.run import mention, tell
from kindlehl.config import Flags, Settings, settings
from kindlehl.domain.errors import UsageError
from kindlehl.domain.library import ShownKind
from kindlehl.ports import Filter, Term

if TYPE_CHECKING:  # a list of everything needs no language
    from kindlehl.services.finding import Way
    from kindlehl.services.querying import Request

Where = Annotated[
    Path | None, typer.Option("--library", help="The library's file.", metavar="PATH", show_default=False)
]
Book = Annotated[str | None, typer.Option("--book", "-b", help="Words of a title, or a book's id.", metavar="TEXT")]
Author = Annotated[str | None, typer.Option("--author", "-a", help="Words of an author's name.", metavar="TEXT")]
Color = Annotated[str | None, typer.Option("--color", help="Only this colour.", metavar="NAME")]
Tag = Annotated[str | None, typer.Option("--tag", help="Only with this tag.", metavar="NAME")]
Since = Annotated[str | None, typer.Option("--since", help="Marked on this day or later.", metavar="YYYY-MM-DD")]
Until = Annotated[str | None, typer.Option("--until", help="Marked on this day or before.", metavar="YYYY-MM-DD")]
HasNote = Annotated[
    bool | None, typer.Option("--has-note/--no-note", help="Only with, or without, a note.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="One JSON object a line.")]
Plain = Annotated[bool, typer.Option("--plain", help="One line each, fields parted by tabs.")]


def chosen(ctx: typer.Context, library: Path | None) -> Settings:
    """The settings of this run: a flag after the command, then before it, then the environment, then the files. What
    cannot be used of a file is told; a command that needs nothing of it goes on."""
    before: Flags = ctx.obj
    found = settings(library or before.library, os.environ, wait=before.wait, warn=tell)
    if verbose():  # a command that needs no library does not ask where it is
        mention(f"The library is {found.library}.")
    return found


def quiet(ctx: typer.Context, library: Path | None) -> Settings:
    """The same, where what cannot be used of a file is told in another way."""
    before: Flags = ctx.obj
    return settings(library or before.library, os.environ, wait=before.wait)


def one_format(**flags: bool) -> None:
    """Refuse two output formats, or orders, at once."""
    given = [f"--{name}" for name, on in flags.items() if on]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other.", hint="Choose one.")


def way(**flags: bool) -> "Way | None":
    """The order that one of these flags asks for, such as `newest=True`; None where none does."""
    given = [name for name, on in flags.items() if on]
    if len(given) > 1:
        names = " and ".join(f"--{'by-book' if name == 'book' else name}" for name in given)
        raise UsageError(f"{names} exclude each other.", hint="Choose one.")
    return cast("Way", given[0]) if given else None


def wanted(
    *,
    book: str | None = None,
    author: str | None = None,
    color: str | None = None,
    tag: str | None = None,
    since: str | None = None,
    until: str | None = None,
    has_note: bool | None = None,
    kinds: tuple[ShownKind, ...] = ("highlight", "note"),
) -> Filter:
    """The filter that these options ask for."""
    terms: list[tuple[Term]] = []
    if book is not None:
        terms.append((Term("title", book),))
    if author is not None:
        terms.append((Term("author", author),))
    if since is not None or until is not None:
        from kindlehl.services.querying import day  # few lists have a day

        since = None if since is None else day(since, "--since")
        until = None if until is None else day(until, "--until")
    return Filter(kinds, None, color, tag, since, until, has_note, tuple(terms))


def asked(settings: Settings, query: list[str] | None, within: Filter) -> "Request":
    """What a query on the command line asks for, within what options ask for. `@name` is a saved search."""
    from kindlehl.services import querying

    parts = query or []
    if not any(part.startswith("@") for part in parts):
        return querying.read(querying.typed(parts), within)
    from kindlehl.services import saved

    return querying.read(saved.expanded(parts, settings.table("searches")), within)


Query = Annotated[
    list[str] | None,
    typer.Argument(metavar="[QUERY]…", help='Words, "exact words", -without, begin*, tag:x, author:x, since:2024 …'),
]


class TakesQuery(TyperCommand):
    """A command to which a word with a minus before it is a word that must not be there, and no bundle of options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Hide the minus of such words from the parser, which would take it for an option's, and put each where it
        stood. Options of one letter are still options: `-b walden`, not `-bwalden`."""
        end = args.index("--") if "--" in args else len(args)
        hidden = [_HIDDEN + arg if len(arg) > 2 and arg[0] == "-" != arg[1] else arg for arg in args[:end]]
        rest = super().parse_args(ctx, [*hidden, *args[end:]])
        ctx.params = {name: _shown(value) for name, value in ctx.params.items()}
        return rest


_HIDDEN = "\0"
"""What no argument of a process can hold."""


def _shown(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_shown(each) for each in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    # Bytes that are no text come as lone surrogates, which SQLite does not take.
    return value.removeprefix(_HIDDEN).encode("utf-8", "replace").decode()
