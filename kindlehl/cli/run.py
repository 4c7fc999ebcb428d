"""The one place where an error becomes a sentence and an exit code."""

import errno
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from kindlehl.domain.errors import KindlehlError, TargetError, UsageError

EXIT_CODES = {
    "usage": 2, "revoked": 4, "denied": 4, "no_source": 5, "busy": 75, "offline": 75, "too_often": 75, "moved": 75,
    "empty": 0,
}  # fmt: skip
"""Exit code of an error's meaning; 1 for the others. Published in the documentation."""
SKIPPED = 3
"""Done, but something was left out: the report says what."""
MEANINGS = {
    0: "Success; nothing new and empty lists included.",
    1: "Failed; the message says what happened and what to do.",
    2: "The command line makes no sense, or a question has nobody to answer it.",
    SKIPPED: "Done, but some records or files were left out; the report names them.",
    4: "The server does not let this device in.",
    5: "No device or source found: what a script that runs without a Kindle may ignore.",
    75: "Try later: somebody else is writing to the library, or the server cannot be reached.",
    130: "Interrupted with Ctrl-C; the library is as it was before, or as it is after.",
}
"""Every exit code there is, and what it means."""


def run() -> int:
    """Run the command line of this process; returns its exit code."""
    _open_streams()
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)
        return code or 1
    except OSError as error:
        _drop(sys.stdout)
        if not code:  # else what went wrong has been told
            tell(f"kindlehl: standard output cannot be written: {error.strerror}.")
        return code or 1
    return code


def _open_streams() -> None:
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115 -- until the end
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a stand-in rather than an error.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run() -> int:
    from typer import Abort, TyperException

    from kindlehl.cli.app import app

    try:
        code = app(prog_name="kindlehl", standalone_mode=False)  # which of its errors are sentences, is said here
        return code if isinstance(code, int) else 0
    except KindlehlError as error:
        return _failed(error)
    except TyperException as error:
        return _unclear(error)
    except Abort:
        return _unanswered()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EBADF):
            return _bug(error)
        complain(TargetError(f"Writing failed: {error.strerror}.", hint="Make room, then try again."))
        return 1
    except Exception as error:  # noqa: BLE001 -- a bug: five lines for the user, the traceback to a file
        return _bug(error)


def _failed(error: KindlehlError) -> int:
    complain(error)
    if _debugging():
        _write(_passed_through(error))
    return EXIT_CODES.get(error.code, 1)


def _unclear(error: Exception) -> int:
    """A command line that makes no sense; or that names a group and nothing in it, which gets the group's help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{error}\n")
        return 0
    from kindlehl.cli.usage import sentence

    return _failed(sentence(error))


def _unanswered() -> int:
    """A question was asked, and Ctrl-C or the end of the input was the answer."""
    from kindlehl.cli.manners import may_ask

    if may_ask():
        _write("\n")
        return 130
    return _failed(
        UsageError("There is nobody to answer a question.", hint="-h shows the option that answers it beforehand.")
    )


def complain(error: KindlehlError) -> None:
    """What happened, and what to do."""
    _say(f"kindlehl: {error.message}")
    if error.hint:
        _say(f"  {error.hint}")


def tell(sentence: str) -> None:
    """A line on standard error, unless --quiet."""
    from kindlehl.cli.manners import quiet

    if not quiet():
        _say(sentence)


def mention(sentence: str) -> None:
    """A line on standard error, if --verbose."""
    from kindlehl.cli.manners import verbose

    if verbose():
        _say(sentence)


def _say(sentence: str) -> None:
    """Without the characters by which a file's name could command a terminal, and as wide as that is."""
    from kindlehl.cli.render import Terminal, told

    _write("".join(f"{line}\n" for line in told(Terminal(sys.stderr), sentence, whole=True)))


def _write(text: str) -> None:
    """On standard error. Where that cannot be written, nobody hears of it; what is done is done all the same, and the
    exit code says what became of it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)


def _drop(stream: TextIO) -> None:
    """Whoever read this has gone; there is nothing to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _debugging() -> bool:
    from kindlehl.cli.manners import debugging

    return debugging()


def _passed_through(error: BaseException) -> str:
    """The names of the error and of our lines, never its message: that may hold what somebody reads."""
    import traceback

    lines = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}\n{lines}"


def _bug(error: Exception) -> int:
    from kindlehl.config import settings

    if _debugging():
        _write(_passed_through(error))
    report = settings(None, os.environ).state / "last-error.txt"
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(_passed_through(error), "utf-8")
        where = f"The details are in {report}."
    except OSError:
        where = "The details could not be written to a file."
    _write(f"kindlehl: this is a bug in kindlehl ({type(error).__name__}).\n  {where} Please report it.\n")
    return 1
