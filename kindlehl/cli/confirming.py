"""A question before something that cannot be taken back with one command."""

import sys

from kindlehl.cli.run import tell
from kindlehl.domain.errors import CancelledError, UsageError


def confirm(question: str, *, yes: bool, no_input: bool) -> None:
    """Go on if the reader says so. Raises CancelledError if not, and UsageError where nobody can be asked."""
    if yes:
        return
    if no_input or not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here.", hint="To go on without a question: --yes")
    tell(question)
    sys.stderr.write("Type y to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CancelledError("Nothing was changed.", hint="Type y, or give --yes, to go on.")
