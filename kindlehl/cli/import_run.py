"""What `kindlehl import` does: open the sources, import them, say what happened."""

import gc
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

import typer

from kindlehl import wiring
from kindlehl.cli import render
from kindlehl.cli.manners import quiet
from kindlehl.cli.run import SKIPPED, complain, tell
from kindlehl.config import Settings, expanded
from kindlehl.domain.contract import Importer
from kindlehl.domain.errors import NoSourceError, UsageError
from kindlehl.registry import Registry
from kindlehl.services import importing, sources
from kindlehl.services.importing import Outcome
from kindlehl.services.sources import EmptySourceError, Source
from kindlehl.services.uniting import LibraryFile


def run(paths: Sequence[str], settings: Settings, *, encoding: str | None, dry_run: bool, json: bool) -> None:
    """Import what was named, or what is plugged in."""
    # An import makes millions of objects and no cycles of them: looking for cycles takes a twelfth of its time.
    gc.disable()
    registry = Registry()
    importers = [LibraryFile(), *registry.importers()]
    for sentence in registry.broken:
        tell(sentence)
    first = not wiring.is_there(settings.library)
    with ExitStack() as stack:
        found: list[Source] = []
        for open_ in _openers(paths, importers, encoding):
            try:
                found.append(stack.enter_context(open_))
            except EmptySourceError as error:
                complain(error)
        if not found:
            return
        if dry_run and not wiring.is_there(settings.library):
            lib = stack.enter_context(wiring.library_to_read(settings.library))
        else:
            lib = stack.enter_context(wiring.library(settings.library, settings.wait))
        with _progress(found) as progress:
            outcome = importing.import_sources(lib, found, dry_run=dry_run, progress=progress)
    if json:
        render.write_object("kindlehl/import/1", **as_dict(outcome, dry_run=dry_run))
    else:
        terminal = render.Terminal()
        for line in summary(outcome, dry_run=dry_run):
            terminal.print(*render.outlined(line, terminal.width))
    for sentence in remarks(outcome):
        tell(sentence)
    if first and outcome.effects.highlights and not dry_run and sys.stderr.isatty():
        tell("Look at them: kindlehl list")
    if outcome.total("new_unreadable"):
        raise typer.Exit(SKIPPED)


def _openers(
    paths: Sequence[str], importers: Sequence[Importer], encoding: str | None
) -> Iterator[AbstractContextManager[Source]]:
    """What opens each source that was named, or that is plugged in."""
    if not paths:
        yield from _plugged_in(importers, encoding)
    if paths.count(sources.STDIN) > 1:
        raise UsageError("Standard input can be read only once.", hint="Give - a single time.")
    for path in paths:
        if path == sources.STDIN:
            if sys.stdin.isatty():
                raise UsageError(
                    "There is nothing on standard input.", hint='Try: cat "My Clippings.txt" | kindlehl import -'
                )
            yield sources.opened(sys.stdin.buffer, "-", "standard input", importers, encoding=encoding)
        elif expanded(path).is_dir():
            for file in sources.files_in(expanded(path), importers):
                yield sources.opened_path(file, importers, encoding=encoding)
        else:
            yield sources.opened_path(expanded(path), importers, encoding=encoding)


def _plugged_in(importers: Sequence[Importer], encoding: str | None) -> Iterator[AbstractContextManager[Source]]:
    readers = wiring.connected_readers()
    clippings = [(reader, file) for reader in readers for file in reader.clippings]
    if not clippings:
        reasons = [reader.obstacle for reader in readers if reader.obstacle]
        raise NoSourceError(
            reasons[0] if reasons else "No Kindle is plugged in.",
            hint='Plug it in and unlock it, or name the file: kindlehl import "My Clippings.txt"',
        )
    for reader, file in clippings:
        tell(f"Reading {file} ({reader.name})")
        yield sources.opened_path(file, importers, encoding=encoding, serial=reader.serial)


@contextmanager
def _progress(found: Sequence[Source]) -> Generator[importing.Progress]:
    """A bar on a terminal, for files that take a moment; nothing anywhere else."""
    total = sum(source.size for source in found)
    if quiet() or not sys.stderr.isatty() or total < 1_000_000:
        yield lambda _: None
        return
    # rich takes as long to import as everything else together: only where there is somebody to see it.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=total)
        yield lambda _: bar.update(task, completed=sum(source.position() for source in found))


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def summary(outcome: Outcome, *, dry_run: bool) -> list[str]:
    """What happened, for a person."""
    effects = outcome.effects
    read, new = outcome.total("read"), outcome.total("new")
    lines = [f"{_several(read, 'record')} read: {new:,} new, {outcome.total('known'):,} known."]
    told = [
        (effects.highlights, "highlight", ""),
        (effects.resized, "highlight", " resized or marked again, joined to the earlier one"),
        (effects.attached, "note", " on a highlight"),
        (effects.bare, "note", " without a highlight"),
        (effects.books, "book", ""),
        (effects.revived, "deleted highlight", " marked again or edited elsewhere, and back"),
        (effects.still_deleted, "record", " of deleted highlights: they stay deleted (kindlehl trash list)"),
    ]
    lines += [f"  {_several(number, noun)}{what}" for number, noun, what in told if number]
    kinds = outcome.kinds
    aside = [("bookmark", "bookmark"), ("clip", "saved article"), ("empty", "empty highlight")]
    rest = [_several(kinds[kind], noun) for kind, noun in aside if kinds[kind] and new]
    if rest:
        lines.append(f"  also in the file: {', '.join(rest)}")
    if dry_run:
        lines.append("This was a dry run: nothing was changed.")
    return lines


def remarks(outcome: Outcome) -> list[str]:
    """What the reader should know besides."""
    out: list[str] = []
    for report in outcome.reports:
        out += report.warnings
        out += [
            f"{report.origin}, line {u.line}: kept, but not readable yet. {u.reason}"
            for u in report.unreadable
            if u.new
        ]
        named = sum(u.new for u in report.unreadable)
        if report.new_unreadable > named:
            out.append(f"{report.origin}: {report.new_unreadable - named:,} more like these.")
        if report.new and report.kinds["limited"]:
            out.append(
                f"{_several(report.kinds['limited'], 'highlight')} held only the message that the publisher's clipping "
                "limit was reached. The text is on the device and in the Kindle app, not in this file."
            )
        if report.no_date:
            out.append(f"{_several(report.no_date, 'record')} had no date that could be read; none was made up.")
        if report.odd_clock:
            out.append(
                f"{_several(report.odd_clock, 'record')} came from a clock that was wrong; dates are shown as written."
            )
    return out


def as_dict(outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    """What happened, for programs."""
    return {
        "dry_run": dry_run,
        "read": outcome.total("read"),
        "new": outcome.total("new"),
        "known": outcome.total("known"),
        "kinds": outcome.kinds,
        "unreadable": [asdict(u) for report in outcome.reports for u in report.unreadable],
        "effects": asdict(outcome.effects),
        "warnings": remarks(outcome),
        "files": [report.as_dict() for report in outcome.reports],
    }
