"""The picker: a line to type in, what is found so far, and the chosen one whole, on the terminal itself."""

import asyncio
import os
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, Dimension, FormattedTextControl, HSplit, Layout, VSplit, Window
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from kindlehl import wiring
from kindlehl.cli import render
from kindlehl.domain.errors import KindlehlError, UsageError
from kindlehl.domain.library import Highlight
from kindlehl.ports import Library
from kindlehl.services import finding, querying

FETCHED = 200
"""Passages that are looked up for one state of the line: nobody walks through more, he types on."""
_HELP = "Enter choose · Tab mark · Esc leave"


def picked(path: Path, text: str) -> list[Highlight]:
    """What a reader chooses of the library in this file, beginning with this query; nothing where he leaves.

    Raises UsageError where there is no terminal to choose on.
    """
    # The library is used in a thread of its own, so that what is typed is there at once whatever a search takes.
    with _terminal() as (keys, screen), ExitStack() as stack, ThreadPoolExecutor(1) as worker:
        library = worker.submit(stack.enter_context, wiring.library_to_read(path)).result()
        try:
            return Picker(library, worker, text).run(keys, screen)
        except (EOFError, KeyboardInterrupt):  # the terminal is gone, or the reader wants to be
            return []
        finally:
            worker.submit(stack.close).result()


@contextmanager
def _terminal() -> Generator[tuple[TextIO, TextIO]]:
    """The terminal's keys and screen, though standard input and output lead elsewhere."""
    with ExitStack() as stack:
        try:
            keys = sys.stdin if sys.stdin.isatty() else stack.enter_context(Path("/dev/tty").open(encoding="utf-8"))
            screen = sys.stderr if sys.stderr.isatty() else stack.enter_context(Path("/dev/tty").open("w", 1, "utf-8"))
        except OSError as error:
            raise _no_terminal() from error
        if os.environ.get("TERM", "dumb") == "dumb":
            raise _no_terminal()
        yield keys, screen


def _no_terminal() -> UsageError:
    return UsageError("There is no terminal to choose on.", hint="In a script: kindlehl search QUERY --limit 1 --plain")


class Picker:
    """What is typed, what is found, and what is chosen."""

    def __init__(self, library: Library, worker: ThreadPoolExecutor, text: str) -> None:
        self._library = library
        self._worker = worker
        self._line = Buffer(document=Document(text), multiline=False, on_text_changed=lambda _: self._look())
        self._found: list[Highlight] = []
        self._marked: dict[str, Highlight] = {}
        self._at = 0
        self._top = 0
        self._said = "…"
        self._asked: str | None = None
        """For what the library was asked last; and whether its answer is still awaited, and a choice after it."""
        self._waits = self._chooses = False
        self._app: Application[list[Highlight]]

    def run(self, keys: TextIO, screen: TextIO) -> list[Highlight]:
        """Let the reader choose."""
        self._app = Application(
            Layout(self._windows()),
            key_bindings=self._keys(),
            full_screen=True,
            input=create_input(keys),
            output=Vt100_Output.from_pty(
                screen, default_color_depth=None if render.Terminal(screen).colored else ColorDepth.DEPTH_1_BIT
            ),
        )
        self._app.ttimeoutlen = 0.05  # seconds after which Esc is no beginning of another key
        return self._app.run(pre_run=self._look)

    # -- keys -----------------------------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        keys.add("escape", eager=False)(self._leave)
        keys.add("c-c")(self._leave)
        keys.add("enter")(self._choose)
        keys.add("tab")(self._mark)
        for name, by in (("up", -1), ("down", 1), ("c-p", -1), ("c-n", 1), ("pageup", -10), ("pagedown", 10)):
            keys.add(name)(partial(self._step, by))
        return keys

    def _leave(self, event: KeyPressEvent) -> None:
        event.app.exit(result=[])

    def _choose(self, _: KeyPressEvent) -> None:
        self._chooses = True
        self._finish()

    def _finish(self) -> None:
        """Leave with the choice, once what is seen is what was typed."""
        if self._waits or not self._chooses or not self._app.is_running:
            return
        self._chooses = False
        chosen = list(self._marked.values()) or self._found[self._at : self._at + 1]
        if chosen:
            self._app.exit(result=chosen)

    def _mark(self, _: KeyPressEvent) -> None:
        for h in self._found[self._at : self._at + 1]:
            if self._marked.pop(h.id, None) is None:
                self._marked[h.id] = h
        self._move(1)

    def _step(self, by: int, _: KeyPressEvent) -> None:
        self._move(by)

    def _move(self, by: int) -> None:
        self._at = max(0, min(self._at + by, len(self._found) - 1))

    # -- finding --------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        if not self._waits and self._asked != self._line.text:
            self._waits = True
            self._app.create_background_task(self._answer())

    async def _answer(self) -> None:
        """Ask for what was typed until nothing was typed meanwhile."""
        try:
            while self._asked != self._line.text:
                self._asked = self._line.text
                ask = asyncio.get_running_loop().run_in_executor(self._worker, self._ask, self._asked)
                try:
                    self._found, self._said, self._at = await ask, "", 0
                except UsageError as error:  # half a word, such as since:20: what was found stays
                    self._said = error.message
        except KindlehlError as error:
            self._said = error.message
        self._waits = False
        self._app.invalidate()
        self._finish()

    def _ask(self, text: str) -> list[Highlight]:
        return finding.glance(self._library, querying.read(text), FETCHED)

    # -- what is seen ---------------------------------------------------------------------------------------------

    def _size(self) -> tuple[int, int]:
        size = self._app.output.get_size()
        return size.columns, size.rows

    def _shown(self) -> int:
        """Lines of the list: what the line, the preview and the help leave."""
        rows = self._size()[1]
        return max(1, rows - 2 - self._previewed())

    def _previewed(self) -> int:
        rows = self._size()[1]
        return 0 if rows < 7 else min(12, rows * 2 // 5)

    def _windows(self) -> HSplit:
        line = Window(BufferControl(self._line), height=1)
        return HSplit(
            [
                VSplit([Window(FormattedTextControl("> "), width=2, height=1), line]),
                Window(FormattedTextControl(self._list), height=lambda: Dimension.exact(self._shown())),
                Window(FormattedTextControl(self._preview), height=lambda: Dimension.exact(self._previewed())),
                Window(FormattedTextControl(self._status), height=1),
            ]
        )

    def _list(self) -> StyleAndTextTuples:
        width, height = self._size()[0], self._shown()
        self._top = max(min(self._top, self._at), self._at - height + 1)
        out: StyleAndTextTuples = []
        for n, h in islice(enumerate(self._found), self._top, self._top + height):
            sign = "*" if h.id in self._marked else " "
            what = _one_line(f"{h.text or h.note or h.kind} — {h.title}", width - 3)
            out.append(("reverse" if n == self._at else "", f"{sign} {what}\n"))
        return out

    def _preview(self) -> StyleAndTextTuples:
        if not self._found:
            return []
        h, width, height = self._found[self._at], max(10, self._size()[0] - 1), self._previewed()
        title = _one_line(h.title + (f" — {h.author}" if h.author else ""), width)
        notes = render.wrapped(f"note: {h.note}", width) if h.note else iter(())
        # A note is worth a part of the room, however long the text is.
        below = [*islice(notes, max(1, height // 3)), _one_line(render.details(h), width)]
        text = islice(render.wrapped(h.text, width), max(0, height - 1 - len(below)))
        return [("bold", f"{title}\n"), ("", "\n".join([*text, *below]))]

    def _status(self) -> StyleAndTextTuples:
        more = "+" if len(self._found) == FETCHED else ""
        marked = f" · {len(self._marked)} marked" if self._marked else ""
        return [
            ("bold", _one_line(self._said or f"{len(self._found)}{more} found{marked} · {_HELP}", self._size()[0] - 1))
        ]


def _one_line(text: str, width: int) -> str:
    """As much of a text as fits on one line, without what could command the terminal."""
    whole = render.one_line(text[: 2 * max(width, 1)])
    return next(render.wrapped(whole, max(width, 1)))
