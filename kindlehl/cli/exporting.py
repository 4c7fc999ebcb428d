"""The command that takes highlights out of a library, as files of one's own."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options, profiles, render
from kindlehl.cli.profiles import Profile
from kindlehl.cli.run import SKIPPED, tell
from kindlehl.config import Settings, expanded
from kindlehl.domain.contract import Template
from kindlehl.domain.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindlehl.domain.contract import Exporter
    from kindlehl.domain.library import Book
    from kindlehl.ports import Library
    from kindlehl.registry import Registry
    from kindlehl.services.exporting import Exported


def export(
    ctx: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(metavar="FORMAT", help="markdown, csv, pdf, json, a plugin's, or a profile of yours."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", "-o", help="A folder, a file, or - for standard output.", metavar="PATH")
    ] = None,
    book: Annotated[
        list[str] | None, typer.Option("--book", "-b", help="Only this book; may be repeated.", metavar="TEXT")
    ] = None,
    author: options.Author = None,
    since: options.Since = None,
    template: Annotated[
        str | None, typer.Option("--template", help="Markdown as your own template has it.", metavar="FILE")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also write the files that you deleted.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be written.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
    library: options.Where = None,
) -> None:
    """Export highlights. Again and again: what you changed or wrote in the files stays as you have it.

    Example: kindlehl export markdown --to notes/

    Without FORMAT, it lists the formats, and your profiles: exports under a name, in the configuration.
    """
    from kindlehl.registry import Registry
    from kindlehl.services import exporting
    from kindlehl.services.querying import day

    registry, settings = Registry(), options.chosen(ctx, library)
    if what is None:
        _list(registry, settings, json=json)
        return
    where = settings.library  # a configuration that is broken is told of before a profile is missed in it
    given = Profile(what, to, book or (), author, since, template)
    wanted = _wanted(registry, settings, given)
    exporter = registry.exporter(wanted.format)
    if wanted.template is not None:
        _set_template(exporter, expanded(wanted.template))
    with wiring.library_to_read(where) as lib:
        since = None if wanted.since is None else day(wanted.since, "--since")
        shelf = exporting.ChosenBooks(lib, _books(lib, wanted), since)
        if wanted.to == "-":
            if sys.stdout.isatty() and wanted.format == "pdf":
                raise UsageError("A PDF is nothing for a terminal.", hint="Send it to a file: --to FOLDER")
            exporting.export_to_stream(exporter, shelf, sys.stdout.buffer)
            return
        named, each = wanted.to, exporter.each_book
        target = expanded(named) if named else Path("highlights" if each else f"highlights.{wanted.format}")
        if _is_folder(target, named, each_book=each):
            done = exporting.export_to_folder(exporter, shelf, target, again=again, dry_run=dry_run)
        else:
            done = exporting.export_to_file(exporter, shelf, target, settings.state, dry_run=dry_run)
    for sentence in exporter.warnings:
        tell(sentence)
    _report(done, json=json, dry_run=dry_run)


def _wanted(registry: "Registry", settings: Settings, given: Profile) -> Profile:
    """What was typed, and what the profile says where nothing was typed. The name of a format means the format."""
    if given.format in registry.exporter_names() or given.format not in profiles.names(settings):
        return given
    held = profiles.profile(settings, given.format)
    return Profile(
        held.format,
        given.to or held.to,
        given.book or held.book,
        given.author or held.author,
        given.since or held.since,
        given.template or held.template,
    )


def _list(registry: "Registry", settings: Settings, *, json: bool) -> None:
    formats = registry.exporter_names()
    held = [name for name in profiles.names(settings) if name not in formats]
    if json:
        render.write_object("kindlehl/exporters/1", formats=formats, profiles=held)
        return
    terminal = render.Terminal()
    terminal.print(*render.hanging(f"Formats: {', '.join(formats)}", terminal.width, "  "))
    if held:
        terminal.print(*render.hanging(f"Profiles: {', '.join(held)}", terminal.width, "  "))
    else:
        terminal.print(*render.naming(terminal, "Profiles: none yet; they go into", str(settings.config_file)))


def _set_template(exporter: "Exporter", path: Path) -> None:
    if not hasattr(exporter, "template"):
        raise UsageError(f"The format {exporter.name} takes no template.", hint="markdown does.")
    try:
        exporter.template = Template(str(path), path.read_text("utf-8"))  # pyright: ignore[reportAttributeAccessIssue]
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not UTF-8"
        raise UsageError(
            f"The template {path} cannot be read: {reason}.", hint="Name a file: --template FILE"
        ) from error


def _books(lib: "Library", wanted: Profile) -> "Sequence[Book]":
    from kindlehl.services import finding

    chosen = lib.shelf.books()
    if wanted.book or wanted.author:
        titles: list[str | None] = [*wanted.book] if wanted.book else [None]
        named = {b.id for t in titles for b in finding.books_matching(lib, title=t, author=wanted.author)}
        chosen = [b for b in chosen if b.id in named]
        if not chosen:
            raise NotFoundError("No book matches.", hint="`kindlehl books` lists the books there are.")
    if not chosen:
        raise NotFoundError("The library is empty.", hint="Import something first: kindlehl import")
    return chosen


def _is_folder(target: Path, named: str | None, *, each_book: bool) -> bool:
    """Whether documents go into a folder, or a single file was named."""
    if target.is_dir() or (named and named.endswith("/")):
        return True
    return each_book and not re.fullmatch(r"\.[A-Za-z]{2,8}", target.suffix)  # "Vault v1.2" is a folder


def _report(done: "Exported", *, json: bool, dry_run: bool) -> None:
    if json:
        from dataclasses import asdict

        render.write_object("kindlehl/export/1", dry_run=dry_run, **asdict(done))
    else:
        would = "would be written" if dry_run else "written"
        terminal = render.Terminal()
        told = f"{len(done.written)} {would}, {len(done.unchanged)} unchanged"
        terminal.print(*render.naming(terminal, told, done.target))
        more = [
            f"  {Path(path).name}: {_both_changed(counts['kept'])}"
            for path, counts in done.changes.items()
            if counts["kept"]
        ]
        if done.deleted:
            more.append(f"  {len(done.deleted)} that you deleted, not written again (--again writes them)")
        for line in more:
            terminal.print(*render.told(terminal, line))
    for path in done.kept:
        tell(f"left as it is, since it is not as kindlehl wrote it: {path}")
    for sentence in done.left:
        tell(sentence)
    if done.kept or done.left:
        raise typer.Exit(SKIPPED)


def _both_changed(count: int) -> str:
    if count == 1:
        return "1 highlight changed here and in the library: yours was kept"
    return f"{count} highlights changed here and in the library: yours were kept"
