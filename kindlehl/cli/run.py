"""The one place where an error becomes a sentence and an exit code."""

import os
import sys
from io import TextIOWrapper
from typing import TextIO

from kindlehl.domain.errors import KindlehlError

EXIT_CODES = {"usage": 2, "no_source": 5, "busy": 75, "empty": 0}
"""Exit code of an error's meaning; 1 for the others. Published in the documentation."""
SKIPPED = 3
"""Done, but something was left out: the report says what."""


def run() -> int:
    """Run the command line of this process; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a stand-in rather than an error.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    from kindlehl.cli.app import app

    try:
        app()
    except KindlehlError as error:
        complain(error, sys.stderr)
        return EXIT_CODES.get(error.code, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_stdout()
        return 1
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 0
    except Exception as error:  # noqa: BLE001 -- a bug: five lines for the user, the traceback to a file
        return _bug(error)
    return 0


def complain(error: KindlehlError, stream: TextIO) -> None:
    """What happened, and what to do."""
    stream.write(f"kindlehl: {error.message}\n")
    if error.hint:
        stream.write(f"  {error.hint}\n")


def _drop_stdout() -> None:
    """Whoever read our output has gone; there is nothing to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug(error: Exception) -> int:
    import traceback

    from kindlehl.config import settings

    report = settings(None, os.environ).state / "last-error.txt"
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        # The names of the error and of our lines, never its message: that may hold what somebody reads.
        lines = "".join(traceback.format_tb(error.__traceback__))
        report.write_text(f"{type(error).__name__}\n{lines}", "utf-8")
        where = f"The details are in {report}."
    except OSError:
        where = "The details could not be written to a file."
    sys.stderr.write(f"kindlehl: this is a bug in kindlehl ({type(error).__name__}).\n  {where} Please report it.\n")
    return 1
