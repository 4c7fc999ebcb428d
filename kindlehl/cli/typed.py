"""What a reader writes on the command line, or sends to standard input."""

import sys
from collections.abc import Sequence

from kindlehl.domain.errors import UsageError


def typed(words: Sequence[str], example: str) -> str:
    """The words, or all of standard input where they are a dash. Raises UsageError where there is no text."""
    if list(words) != ["-"]:
        return " ".join(words)
    if sys.stdin.isatty():
        raise UsageError("There is nothing on standard input.", hint=f"Try: {example}")
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            "What came on standard input is no UTF-8 text.", hint="Send it as UTF-8; nothing was changed."
        ) from error
