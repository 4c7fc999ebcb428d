"""Which kindlehl this is, and with `--json` on what it stands and where its files are."""

import json as codec
import sys
from pathlib import Path
from typing import Any

import typer

from kindlehl import __version__, wiring
from kindlehl.cli import options
from kindlehl.config import Settings
from kindlehl.domain.errors import KindlehlError


def show(ctx: typer.Context, *, json: bool) -> None:
    """Print it."""
    if not json:
        sys.stdout.write(f"kindlehl {__version__}\n")
        return
    settings = options.chosen(ctx, None)
    found = wiring.versions()
    document: dict[str, Any] = {
        "schema": "kindlehl/version/1",
        "version": __version__,
        "python": found.python,
        "sqlite": found.sqlite,
        "library_version": found.library,
        "fold_revision": found.fold,
        "paths": {name: None if path is None else str(path) for name, path in paths(settings).items()},
    }
    sys.stdout.write(codec.dumps(document, ensure_ascii=False) + "\n")


def paths(settings: Settings) -> dict[str, Path | None]:
    """Where everything is; the library and the backups are None where that cannot be told."""
    found: dict[str, Path | None] = {"config": settings.config_file, "state": settings.state}
    for name, key in (("library", "library"), ("backups", "backup_folder")):
        try:
            found[name] = getattr(settings, key)
        except KindlehlError:
            found[name] = None
    return found
