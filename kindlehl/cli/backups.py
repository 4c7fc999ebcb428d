"""The commands that back a library up and bring it back."""

import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kindlehl import wiring
from kindlehl.cli import options, render
from kindlehl.cli.run import SKIPPED, tell
from kindlehl.config import Settings, expanded
from kindlehl.domain.errors import LibraryError, NotFoundError, UsageError
from kindlehl.domain.retention import Retention, parse_retention

if TYPE_CHECKING:
    from kindlehl.store.backup import Contents


def backup(
    ctx: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|-]", help="A file, a folder for dated files, or -: standard output."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", help="Of dated backups, the last of so many days, weeks, months, years: 7d,4w,12m."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
    library: options.Where = None,
) -> None:
    """Back the library up, while it may be in use. Without a file: under a dated name in the folder for backups.

    Example: kindlehl db backup --keep 7d,4w,12m
    """
    settings = options.chosen(ctx, library)
    if not wiring.is_there(settings.library):
        raise NotFoundError(f"There is no library at {settings.library}.", hint="Name it: --library PATH.")
    if file == "-":
        _to_stdout(settings, keep=keep, json=json)
        return
    named = expanded(file) if file else settings.backup_folder
    dated = not file or file.endswith("/") or named.is_dir()
    policy = _policy(settings, keep, dated=dated)
    now = datetime.now(UTC)
    from kindlehl.services import rotation

    target = rotation.next_name(named, now) if dated else named
    made = wiring.back_up(settings.library, target, now)
    removed, left = _rotate(target, policy, settings.library)
    report = {"path": str(target), "bytes": target.stat().st_size, **_counts(made), "removed": list(map(str, removed))}
    _say("backup", report, f"Backed up {_told(made)}", target, json=json)
    if removed and not json:
        sys.stdout.write(f"Removed {len(removed)} older {'backup' if len(removed) == 1 else 'backups'}.\n")
    for path in left:
        tell(f"An older backup cannot be removed: {path}")
    if left:
        raise typer.Exit(SKIPPED)


def _policy(settings: Settings, keep: str | None, *, dated: bool) -> Retention | None:
    if keep is not None and not dated:
        raise UsageError("--keep is for dated backups in a folder.", hint="Name a folder, or leave --keep out.")
    return settings.backup_keep if keep is None else parse_retention(keep)


def _rotate(target: Path, policy: Retention | None, library: Path) -> tuple[list[Path], list[Path]]:
    """Remove what the policy no longer keeps; returns what was removed and what could not be."""
    from kindlehl.services import rotation

    if policy is None or target not in rotation.backups_in(target.parent).values():
        return [], []
    removed: list[Path] = []
    left: list[Path] = []
    for path in rotation.superseded(target.parent, policy, target, lambda path: wiring.is_backup_of(path, library)):
        try:
            path.unlink()
            removed.append(path)
        except OSError:
            left.append(path)
    return removed, left


def _to_stdout(settings: Settings, *, keep: str | None, json: bool) -> None:
    """Through a file of ours, so that only a whole backup is ever sent."""
    import shutil  # for a stream only

    if keep is not None or json:
        raise UsageError("With - neither --keep nor --json makes sense.", hint="Leave them out.")
    if sys.stdout.isatty():
        raise UsageError("A backup is nothing for a terminal.", hint="Send it to a file: kindlehl db backup FILE")
    with tempfile.TemporaryDirectory(prefix="kindlehl-") as folder:
        file = Path(folder) / "backup.db"
        wiring.back_up(settings.library, file, datetime.now(UTC))
        with file.open("rb") as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer)


def restore(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A backup, or - for standard input.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Fail rather than ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would happen.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
    library: options.Where = None,
) -> None:
    """Put a backup in the library's place. The library that was there is kept beside it.

    Example: kindlehl db restore backups/kindlehl-20261125T030000Z.db
    """
    settings = options.chosen(ctx, library)
    now = datetime.now(UTC)
    with _opened(file) as source:
        wiring.ensure_sound(source)
        found = wiring.contents(source)
        report: dict[str, Any] = {
            "dry_run": dry_run, "backup": file, "library": str(settings.library), **_counts(found), "kept": None,
        }  # fmt: skip
        if dry_run:
            _say("restore", report, f"Would put {_told(found)} in the place of", settings.library, json=json)
            return
        if wiring.is_there(settings.library):
            from kindlehl.cli.confirming import confirm  # only where something is replaced

            confirm(_question(found, file, settings.library), yes=yes, no_input=no_input)
        kept = wiring.restore(source, settings.library, now, settings.wait)
    report["kept"] = str(kept) if kept else None
    _say("restore", report, f"Restored {_told(found)}", settings.library, json=json)
    if kept and not json:
        terminal = render.Terminal()
        terminal.print(*render.naming(terminal, "The library that was there is kept", str(kept)))


@contextmanager
def _opened(file: str) -> Generator[Path]:
    """A backup as a file, also where it comes from standard input."""
    if file != "-":
        path = expanded(file)
        if not wiring.is_there(path):
            raise NotFoundError(f"There is no file {path}.", hint="Name a backup made by `kindlehl db backup`.")
        if not path.is_file():
            raise UsageError(f"{path} is no file.", hint="Name one of the backups in it." if path.is_dir() else None)
        yield path
        return
    import shutil  # for a stream only

    if sys.stdin.isatty():
        raise UsageError("There is nothing on standard input.", hint="Name a file: kindlehl db restore FILE")
    with tempfile.TemporaryDirectory(prefix="kindlehl-") as folder:
        path = Path(folder) / "backup.db"
        with path.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        try:
            yield path
        except LibraryError as error:  # the name of a file of ours tells nobody anything
            raise type(error)(error.message.replace(str(path), "Standard input"), hint=error.hint) from error


def _question(found: "Contents", file: str, library: Path) -> str:
    made = f", made {found.made:%Y-%m-%d %H:%M} UTC" if found.made else ""
    return f"Replace the library {library} by {_told(found)} from {'standard input' if file == '-' else file}{made}?"


def _told(found: "Contents") -> str:
    def several(number: int, noun: str) -> str:
        return f"{number:,} {noun}{'' if number == 1 else 's'}"

    return f"{several(found.highlights, 'highlight')} in {several(found.books, 'book')}"


def _counts(found: "Contents") -> dict[str, Any]:
    made = found.made.isoformat().replace("+00:00", "Z") if found.made else None
    return {"facts": found.facts, "highlights": found.highlights, "books": found.books, "made_at": made}


def _say(what: str, report: dict[str, Any], sentence: str, path: Path, *, json: bool) -> None:
    if json:
        render.write_object(f"kindlehl/{what}/1", **report)
    else:
        terminal = render.Terminal()
        terminal.print(*render.naming(terminal, sentence, str(path)))
