"""The reader's own editor."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from kindlehl.cli.run import tell
from kindlehl.domain.errors import CancelledError, UsageError


def open_editor(file: Path, example: str) -> None:
    """Open a file and wait until the editor is closed. Raises CancelledError where it cannot be started, or fails."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ("notepad" if os.name == "nt" else "vi")
    hint = f"Name another one: EDITOR=nano {example}"
    try:
        code = subprocess.run([*shlex.split(named), str(file)], check=False).returncode  # noqa: S603 -- the reader's own editor
    except (OSError, ValueError) as error:
        raise CancelledError(f"The editor `{named}` cannot be started. Nothing was changed.", hint=hint) from error
    if code:
        raise CancelledError(f"The editor `{named}` ended with an error. Nothing was changed.", hint=hint)


class Writing:
    """A text in the reader's editor: a private copy, kept where what was written could not be used."""

    def __init__(self, name: str, text: str, example: str) -> None:
        self._file = Path(tempfile.mkdtemp(prefix="kindlehl-")) / name
        self._file.write_text(text, "utf-8")
        self._before, self._example, self._changed = text, example, False

    def __enter__(self) -> str | None:
        """What was written; None if nothing was changed."""
        try:
            open_editor(self._file, self._example)
            written = self._file.read_text("utf-8")
        except UnicodeDecodeError as error:
            tell(f"What you wrote is in {self._file}")
            raise UsageError(
                "The editor saved bytes that are no UTF-8. Nothing was changed.",
                hint="Let it save as UTF-8, then edit again.",
            ) from error
        except BaseException:
            self._leave()
            raise
        self._changed = written != self._before
        return written if self._changed else None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Keep what was written and could not be used."""
        if kind is not None and self._changed:
            tell(f"What you wrote is in {self._file}")
        else:
            self._leave()

    def _leave(self) -> None:
        if self._file.exists() and self._file.read_text("utf-8", "replace") != self._before and not self._changed:
            tell(f"What you wrote is in {self._file}")
        else:
            shutil.rmtree(self._file.parent, ignore_errors=True)
