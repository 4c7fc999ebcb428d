"""The command that takes highlights out of a library, as files of one's own."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kindlehl import wiring
from kindlehl.cli import options
from kindlehl.cli.render import clean
from kindlehl.cli.run import SKIPPED, tell
from kindlehl.config import expanded
from kindlehl.domain.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from kindlehl.services.exporting import Exported


def export(
    ctx: typer.Context,
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help="markdown, csv, pdf, json, or a plugin's.")],
    to: Annotated[
        str | None, typer.Option("--to", "-o", help="A folder, a file, or - for standard output.", metavar="PATH")
    ] = None,
    book: Annotated[
        list[str] | None, typer.Option("--book", "-b", help="Only this book; may be repeated.", metavar="TEXT")
    ] = None,
    author: options.Author = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be written.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
    library: options.Where = None,
) -> None:
    """Export highlights. A file that is not ours, or that you changed, is never written over.

    Example: kindlehl export markdown --to notes/
    """
    from kindlehl.registry import Registry
    from kindlehl.services import exporting, finding

    exporter = Registry().exporter(format_)
    settings = options.chosen(ctx, library)
    with wiring.library_to_read(settings.library) as lib:
        chosen = lib.shelf.books()
        if book or author:
            titles: list[str | None] = [*book] if book else [None]
            named = {b.id for title in titles for b in finding.books_matching(lib, title=title, author=author)}
            chosen = [b for b in chosen if b.id in named]
            if not chosen:
                raise NotFoundError("No book matches.", hint="`kindlehl books` lists the books there are.")
        if not chosen:
            raise NotFoundError("The library is empty.", hint="Import something first: kindlehl import")
        shelf = exporting.ChosenBooks(lib, chosen)
        if to == "-":
            if sys.stdout.isatty() and format_ == "pdf":
                raise UsageError("A PDF is nothing for a terminal.", hint="Send it to a file: --to FOLDER")
            exporting.export_to_stream(exporter, shelf, sys.stdout.buffer)
            return
        target = expanded(to) if to else Path("highlights" if exporter.each_book else f"highlights.{format_}")
        if _is_folder(target, to, each_book=exporter.each_book):
            done = exporting.export_to_folder(exporter, shelf, target, dry_run=dry_run)
        else:
            done = exporting.export_to_file(exporter, shelf, target, settings.state, dry_run=dry_run)
    for sentence in exporter.warnings:
        tell(sentence)
    _report(done, json=json, dry_run=dry_run)


def _is_folder(target: Path, named: str | None, *, each_book: bool) -> bool:
    """Whether documents go into a folder, or a single file was named."""
    if target.is_dir() or (named and named.endswith("/")):
        return True
    return each_book and not re.fullmatch(r"\.[A-Za-z]{2,8}", target.suffix)  # "Vault v1.2" is a folder


def _report(done: "Exported", *, json: bool, dry_run: bool) -> None:
    if json:
        import json as codec
        from dataclasses import asdict

        sys.stdout.write(codec.dumps({"schema": "kindlehl/export/1", "dry_run": dry_run, **asdict(done)}) + "\n")
    else:
        would = "would be written" if dry_run else "written"
        sys.stdout.write(f"{len(done.written)} {would}, {len(done.unchanged)} unchanged: {clean(done.target)}\n")
    for path in done.kept:
        tell(f"left as it is, since it is not as kindlehl wrote it: {path}")
    if done.kept:
        raise typer.Exit(SKIPPED)
