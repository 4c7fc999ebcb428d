"""A reader's own template, rendered by a process of its own that may use little time, little memory and no file."""

import json
import subprocess
import sys
from collections.abc import Sequence
from threading import Timer
from typing import Any, NamedTuple

from kindlehl.domain.contract import Template
from kindlehl.domain.errors import UsageError
from kindlehl.domain.library import Book, Highlight
from kindlehl_exporters.captions import caption

_SECONDS = 60.0
"""Of patience for one book, beside the processor time that the process allows itself: see `template_process`."""
_HINT = "What a template may hold is in docs/exporting.md."


class Rendered(NamedTuple):
    """A book as the template has it."""

    head: str
    chapters: dict[str, str]
    passages: list[str]


class TemplateProcess:
    """Renders book after book with one template. To be closed."""

    def __init__(self, template: Template) -> None:
        self._name = template.name
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "kindlehl_exporters.template_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        self._text = template.text

    def compile(self) -> None:
        """Read the template. Raises UsageError, naming the template and the line."""
        self._ask({"template": self._text})

    def book(self, book: Book, passages: Sequence[Highlight], anchors: Sequence[str]) -> Rendered:
        """One book. Raises UsageError, naming the template and the line."""
        found = self._ask(
            {
                "book": {"id": book.id, "title": book.title, "author": book.author or ""},
                "chapters": list(dict.fromkeys(each.chapter for each in passages if each.chapter)),
                "passages": [_plain(each, anchor) for each, anchor in zip(passages, anchors, strict=True)],
            }
        )
        return Rendered(found["head"], found["chapters"], found["passages"])

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.kill()
        self._process.wait()

    def _ask(self, question: dict[str, Any]) -> Any:
        process = self._process
        assert process.stdin is not None  # noqa: S101 -- both are pipes
        assert process.stdout is not None  # noqa: S101
        patience = Timer(_SECONDS, process.kill)
        patience.start()
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        finally:
            patience.cancel()
        if not answer.endswith(b"\n"):
            raise UsageError(f"The template {self._name} took too much time or memory, and was stopped.", hint=_HINT)
        found = json.loads(answer)
        if "wrong" in found:
            line = f", line {found['line']}," if found["line"] else ""
            raise UsageError(f"The template {self._name}{line} {found['wrong']}.", hint=_HINT)
        return found


def _plain(passage: Highlight, anchor: str) -> dict[str, Any]:
    """All that a template sees of a passage."""
    return {
        "anchor": anchor,
        "caption": " · ".join(caption(passage)),
        "tags": list(passage.tags),
        **{
            name: "" if (held := getattr(passage, name)) is None else held
            for name in (
                "id", "kind", "text", "note", "color", "favorite", "page", "location_start", "location_end", "chapter",
                "added_at", "truncated",
            )
        },
    }  # fmt: skip
