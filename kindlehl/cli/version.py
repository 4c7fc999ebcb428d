"""Which kindlehl this is, and with `--json` on what it stands and where its files are."""

import sys
from pathlib import Path

import typer

from kindlehl import __version__, wiring
from kindlehl.cli import options, render
from kindlehl.config import Settings
from kindlehl.domain.errors import KindlehlError


def show(ctx: typer.Context, *, json: bool) -> None:
    """Print it."""
    if not json:
        sys.stdout.write(f"kindlehl {__version__}\n")
        return
    settings = options.chosen(ctx, None)
    found = wiring.versions()
    render.write_object(
        "kindlehl/version/1",
        version=__version__,
        python=found.python,
        sqlite=found.sqlite,
        library_version=found.library,
        fold_revision=found.fold,
        paths={name: None if path is None else str(path) for name, path in paths(settings).items()},
    )


def paths(settings: Settings) -> dict[str, Path | None]:
    """Where everything is; the library and the backups are None where that cannot be told."""
    found: dict[str, Path | None] = {"config": settings.config_file, "state": settings.state}
    for name, key in (("library", "library"), ("backups", "backup_folder")):
        try:
            found[name] = getattr(settings, key)
        except KindlehlError:
            found[name] = None
    return found
