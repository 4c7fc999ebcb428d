"""What `doctor` looks at: each thing once, without changing it. What is somebody's own stands in the remedy only, which
a report leaves out."""

import ctypes.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kindlehl import __version__, wiring
from kindlehl.cli import render
from kindlehl.config import Settings
from kindlehl.domain.errors import ConfigError, KindlehlError
from kindlehl.domain.findings import Finding
from kindlehl.registry import Registry
from kindlehl.services import rotation

_ROOM = 100_000_000
"""Bytes that a disk should have free, besides twice the library."""
_FIRST_YEAR = 2025
"""No clock that is right says less."""
_OLD = timedelta(days=30)


def examine(settings: Settings) -> list[Finding]:
    """Everything, in an order in which one reads."""
    return [
        Finding("version", True, f"kindlehl {__version__}, Python {platform.python_version()}."),
        wiring.database_features(),
        _configuration(settings),
        *_library(settings),
        *_devices(),
        _plugins(),
        _pdf(),
        _terminal(),
    ]


def _configuration(settings: Settings) -> Finding:
    if problems := settings.problems:
        what = f"{len(problems)} thing{'s' if len(problems) > 1 else ''} in the configuration cannot be used."
        return Finding("configuration", False, what, " ".join([*problems, "Mend it with: kindlehl config edit"]))
    there = "is valid" if settings.config_file.exists() else "is not there, nor need it be"
    return Finding("configuration", True, f"The configuration {settings.config_file} {there}.")


def _library(settings: Settings) -> Iterator[Finding]:
    try:
        path = settings.library
        there = wiring.is_there(path)
    except ConfigError as error:
        yield Finding("library", False, "Which library is meant cannot be told.", error.hint)
        return
    except KindlehlError as error:
        yield Finding("library", False, "The library cannot be reached.", error.hint)
        return
    if not there:
        yield Finding("library", True, f"There is no library yet; it will be {path}.")
        yield _room(path)
        yield _clock(None)
        return
    yield _access(path)
    try:
        found, newest = wiring.examine(path)
    except KindlehlError as error:
        found, newest = [Finding("integrity", False, "The library cannot be opened.", error.hint)], None
    yield from found
    yield _room(path)
    yield _clock(newest)
    yield _backups(settings)


def _access(path: Path) -> Finding:
    for place, what in ((path, "The library"), (path.parent, "The library's folder")):
        if not os.access(place, os.R_OK | os.W_OK):
            todo = f"Give yourself the permission: {place}"
            return Finding("library", False, f"{what} may not be read or written.", todo)
    return Finding("library", True, f"The library is {path}, and may be written.")


def _room(path: Path) -> Finding:
    folder = next(folder for folder in (path.parent, *path.parent.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    wanted = _ROOM + 2 * (path.stat().st_size if path.exists() else 0)
    told = f"{free / 1e6:,.0f} MB are free on the disk of the library"
    if free < wanted:
        return Finding("disk", False, f"{told}; {wanted / 1e6:,.0f} MB should be.", "Make room.")
    return Finding("disk", True, f"{told}.")


def _clock(newest: str | None) -> Finding:
    now = datetime.now(UTC)
    tomorrow = (now + timedelta(days=1)).isoformat()
    if now.year < _FIRST_YEAR or (newest and newest > tomorrow):
        return Finding(
            "clock", False, f"The clock says {now:%Y-%m-%d}, which is before what happened last.", "Set the clock."
        )
    return Finding("clock", True, f"The clock says {now:%Y-%m-%d %H:%M} UTC, which may well be.")


def _backups(settings: Settings) -> Finding:
    todo = "Make one: kindlehl db backup (docs/backup.md says how to have one every night)"
    try:
        folder = settings.backup_folder
    except KindlehlError as error:
        return Finding("backup", False, "Where backups are cannot be told.", error.hint)
    ours = [made for made, path in rotation.backups_in(folder).items() if wiring.is_backup_of(path, settings.library)]
    if not ours:
        return Finding("backup", False, f"There is no backup of the library in {folder}.", todo)
    age = datetime.now(UTC) - max(ours)
    what = f"The newest of {len(ours)} backup{'s' if len(ours) > 1 else ''} is {max(age.days, 0)} days old."
    return Finding("backup", age < _OLD, what, None if age < _OLD else todo)


def _devices() -> list[Finding]:
    found: list[Finding] = []
    for reader in wiring.connected_readers():
        if reader.obstacle:
            what = f"A Kindle is plugged in ({reader.transport}) and cannot be read."
            found.append(Finding("device", False, what, reader.obstacle))
        else:
            found.append(Finding("device", True, f"A Kindle is plugged in ({reader.transport}) and can be read."))
    return found or [Finding("device", True, "No Kindle is plugged in.")]


def _plugins() -> Finding:
    registry = Registry()
    importers = registry.importers()
    names = registry.exporter_names()
    for name in names:
        try:
            registry.exporter(name)
        except KindlehlError as error:
            if error.message not in registry.broken:
                registry.broken.append(error.message)
    if registry.broken:
        what = f"{len(registry.broken)} plugin{'s' if len(registry.broken) > 1 else ''} cannot be used."
        return Finding("plugins", False, what, " ".join([*registry.broken, "Update or remove them."]))
    return Finding("plugins", True, f"Plugins: {len(importers)} that import, {len(names)} that export.")


def _pdf() -> Finding:
    lacking = [name for name in ("pango-1.0", "pangoft2-1.0") if not ctypes.util.find_library(name)]
    if lacking:
        todo = "apt install libpango-1.0-0 libpangoft2-1.0-0, or brew install pango. All else works without."
        return Finding("pdf", False, f"PDF cannot be made: {' and '.join(lacking)} is missing.", todo)
    if lister := shutil.which("fc-list"):
        done = subprocess.run([lister], capture_output=True, check=False, timeout=60)  # noqa: S603 -- found on the PATH
        if not done.stdout.strip():
            return Finding(
                "pdf", False, "PDF would be without letters: there are no fonts.", "apt install fonts-dejavu-core"
            )
    return Finding("pdf", True, "PDF can be made: Pango and fonts are there.")


def _terminal() -> Finding:
    encoding = (sys.stdout.encoding or "unknown").lower()
    try:
        "✓ é 若".encode(encoding)
    except (LookupError, UnicodeEncodeError):
        what = f"The terminal's encoding is {encoding}, which cannot show every book."
        return Finding("terminal", False, what, "Set a UTF-8 locale, such as LANG=C.UTF-8, or PYTHONUTF8=1.")
    width = render.Terminal().width
    return Finding("terminal", True, f"The output is {encoding}, {width} columns wide.")
