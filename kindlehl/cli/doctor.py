"""The command that looks whether everything is in order."""

import getpass
import os
import platform
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from kindlehl import __version__
from kindlehl.cli import findings, options
from kindlehl.cli.version import paths
from kindlehl.config import Settings
from kindlehl.domain.errors import UsageError
from kindlehl.domain.findings import Finding


def doctor(
    ctx: typer.Context,
    json: options.Json = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="A text for a bug report, without titles, texts and names."),
    ] = False,
    library: options.Where = None,
) -> None:
    """Look whether everything is in order. Nothing is changed; exit code 1 if anything is wrong.

    Example: kindlehl doctor
    """
    if json and report:
        raise UsageError("--json and --report exclude each other.", hint="Choose one.")
    from kindlehl.cli import examination  # what it looks at is loaded when somebody looks

    settings = options.quiet(ctx, library)
    found = examination.examine(settings)
    if report:
        sys.stdout.write(redacted(_report(found), settings))
    else:
        findings.show(found, "kindlehl/doctor/1", json=json, version=__version__)
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)


def _report(found: list[Finding]) -> str:
    """What was found, without the remedies: those may name what is somebody's own."""
    lines = [f"kindlehl {__version__} on {platform.system()} {platform.machine()}"]
    lines += [f"{'ok   ' if finding.ok else 'WRONG'} {finding.name}: {finding.what}" for finding in found]
    return "".join(f"{line}\n" for line in lines)


def redacted(text: str, settings: Settings) -> str:
    """A text without the places that are the reader's own choice, without home, user and host."""
    home = str(Path.home())
    for path in sorted(map(str, filter(None, paths(settings).values())), key=len, reverse=True):
        text = text.replace(path, path if path.startswith(f"{home}{os.sep}") else "(a place outside the home)")
    text = text.replace(home, "~")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # KeyError until Python 3.12
        user = ""
    for name, stand_in in ((platform.node(), "HOST"), (user, "USER")):
        text = re.sub(rf"\b{re.escape(name)}\b", stand_in, text) if name else text
    return text
