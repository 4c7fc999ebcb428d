"""The program on a terminal of its own: keys go in, and what the terminal would show comes out."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pyte

from support.cli import TIMEOUT, Kindlehl

UP, DOWN, TAB, ENTER, ESCAPE, CTRL_C = "\x1b[A", "\x1b[B", "\t", "\r", "\x1b", "\x03"


class Session:
    """A running program, its terminal, and standard output, which leads into a pipe."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, columns: int, rows: int) -> None:
        self.process = process
        self.master = master
        self.raw = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """What the terminal shows."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what is shown."""
        deadline = time.monotonic() + TIMEOUT
        while not holds():
            assert time.monotonic() < deadline, self.text
            assert self._read() or holds(), f"the program has ended:\n{self.text}"

    def see(self, text: str) -> None:
        """Wait until this is shown."""
        self.until(lambda: text in self.text)

    def _read(self) -> bool:
        if select.select([self.master], [], [], 0.05)[0]:
            try:
                chunk = os.read(self.master, 65_536)
            except OSError:  # nobody is at the other end
                return False
            self.raw += chunk
            self._stream.feed(chunk)
        return True

    def resize(self, columns: int, rows: int) -> None:
        """Drag the corner of the window."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def end(self) -> tuple[int, str]:
        """Wait for the end: the exit code and standard output."""
        out, _ = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, out.decode()

    def close_terminal(self) -> None:
        """Close the window."""
        os.close(self.master)
        self.master = -1


@contextmanager
def session(person: Kindlehl, *args: str, columns: int = 80, rows: int = 24) -> Iterator[Session]:
    """The program with a terminal for its keys and standard error, which is its own, as in a login."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = person.start(
        *args, env={"TERM": "xterm-256color"}, stdin=slave, stderr=slave, before=own_terminal,
    )  # fmt: skip
    os.close(slave)
    running = Session(process, master, columns, rows)
    try:
        yield running
    finally:
        if running.master >= 0:
            os.close(running.master)
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()
