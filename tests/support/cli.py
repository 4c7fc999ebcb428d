"""The program as a process of its own, with a home of its own; and clippings to feed it with."""

import errno
import fcntl
import hashlib
import json
import os
import pty
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "docs" / "sample" / "My Clippings.txt"
FIXTURES = ROOT / "tests" / "data" / "clippings"
FAULTS = ROOT / "tests" / "support" / "faults"
"""To put on the PYTHONPATH of a process that is to begin with a fault."""
TIMEOUT = 60.0

PROMISED = frozenset({
    "id", "kind", "title", "author", "text", "note", "color", "tags", "page", "location_start", "location_end",
    "chapter", "added_at", "truncated", "source",
})  # fmt: skip
"""The fields that every item carries."""


class Result(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Kindlehl:
    """A person with a home and the program."""

    home: Path
    env: dict[str, str] = field(default_factory=dict[str, str])
    prefix: tuple[str, ...] = ()
    """What to run the program with, such as `setpriv`."""

    def __post_init__(self) -> None:
        """A home is there."""
        self.home.mkdir(parents=True, exist_ok=True)

    @property
    def library(self) -> Path:
        """Where the library is unless somebody says otherwise."""
        return self.home / "data" / "kindlehl" / "library.db"

    @property
    def state(self) -> Path:
        """Where what may be lost is kept."""
        return self.home / "state" / "kindlehl"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment: nothing of the machine's user gets in."""
        home = self.home
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.env,
            **(more or {}),
        }

    def command(self, *args: str | Path) -> list[str]:
        """The command line."""
        return [*self.prefix, sys.executable, "-m", "kindlehl", *map(str, args)]

    def start(
        self,
        *args: str | Path,
        env: Mapping[str, str] | None = None,
        stdin: Any = subprocess.DEVNULL,
        before: Callable[[], None] | None = None,
        **more: Any,
    ) -> subprocess.Popen[bytes]:
        """A running program."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        return subprocess.Popen(
            self.command(*args),
            env=self.environment(env),
            cwd=self.home,
            stdin=stdin,
            preexec_fn=lambda: _begin(before),
            **streams,
        )

    def __call__(
        self,
        *args: str | Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        before: Callable[[], None] | None = None,
        timeout: float = TIMEOUT,
    ) -> Result:
        """Run it to its end."""
        with self.start(
            *args, env=env, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, before=before
        ) as process:
            try:
                out, err = process.communicate(stdin, timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Result(process.returncode, _text(out), _text(err))

    def ok(self, *args: str | Path, **more: Any) -> str:
        """Run it; it must succeed and have nothing to complain of. Returns what it printed."""
        done = self(*args, **more)
        assert (done.code, done.err) == (0, ""), done
        return done.out

    def on_terminal(
        self,
        *args: str | Path,
        env: Mapping[str, str] | None = None,
        columns: int = 80,
        stdin: Any = None,
        types: bytes = b"",
        piped: str = "",
    ) -> Result:
        """Run it with its streams on one terminal of this width, at which somebody types this; what was shown is in
        `out`. Of standard output and error one may be piped elsewhere, "stdout" or "stderr": then what was shown of
        the other is in the place of that one."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.write(master, types)
        streams: dict[str, Any] = {"stdout": slave, "stderr": slave}
        with tempfile.TemporaryFile() as pipe:
            try:
                with self.start(
                    *args,
                    env={"TERM": "xterm-256color", **(env or {})},
                    stdin=slave if stdin is None else stdin,
                    **streams | ({piped: pipe} if piped else {}),
                ) as process:
                    os.close(slave)
                    shown = _text(b"".join(_chunks(master))).replace("\r\n", "\n")
                    process.wait(TIMEOUT)
            finally:
                os.close(master)
            pipe.seek(0)
            elsewhere = _text(pipe.read())
        return Result(process.returncode, *((elsewhere, shown) if piped == "stdout" else (shown, elsewhere)))


def _text(shown: bytes) -> str:
    return shown.decode("utf-8", "replace")


def _begin(before: Callable[[], None] | None) -> None:
    """In the new process: Ctrl-C is heard, though who runs the tests in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if before is not None:
        before()


def _chunks(master: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(master, 65_536)
        except OSError as error:
            if error.errno == errno.EIO:  # the last process let go of the terminal
                return
            raise
        if not chunk:
            return
        yield chunk


def complaint(done: Result, code: int, *, lines: int = 5) -> str:
    """The complaint of a failed run: a sentence and a hint, no traceback, at most five lines. Returns it."""
    assert done.code == code, done
    assert "Traceback" not in done.err + done.out, done
    assert "bug in kindlehl" not in done.err, done
    told = done.err.strip().split("\n")
    assert 2 <= len(told) <= lines, done
    assert told[0].startswith("kindlehl: "), done
    assert told[0].rstrip().endswith((".", "?", "!")), done
    assert told[1].startswith("  "), f"no hint: {done}"
    return done.err


# -- what is in a library, seen from outside --------------------------------------------------------------------------


def facts(path: Path) -> list[tuple[str, str]]:
    """Every fact of a library: id and body."""
    return query(path, "SELECT id, body FROM facts ORDER BY id")


def records(path: Path) -> list[tuple[str, str]]:
    """Every record of a library: the facts that do not depend on when somebody imported."""
    return query(path, "SELECT id, body FROM facts WHERE type = 'record' ORDER BY id")


def shown(path: Path) -> list[tuple[Any, ...]]:
    """What the documented view shows."""
    return query(path, "SELECT * FROM v_highlights ORDER BY id, book_id")


def query(path: Path, statement: str) -> list[Any]:
    """Rows of a library, read by nothing but SQLite."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def digest(path: Path) -> str:
    """A hash of what a library holds and shows; of a library that is not there: empty."""
    if not path.exists():
        return ""
    return hashlib.sha256(repr((facts(path), shown(path))).encode()).hexdigest()


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file and folder below a folder: what is in it, and when it was changed."""
    found: dict[str, tuple[str, int]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            held = f"-> {path.readlink()}"
        elif path.is_file():
            held = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            held = ""
        found[str(path.relative_to(folder))] = (held, status.st_mtime_ns)
    return found


def contents(folder: Path) -> dict[str, str]:
    """The same without times."""
    return {name: held for name, (held, _) in tree(folder).items()}


# -- clippings --------------------------------------------------------------------------------------------------------


def highlight(
    text: str, title: str = "Walden (Thoreau, Henry David)", start: int = 1, length: int = 1, second: int = 0
) -> str:
    """An entry as an English Kindle writes it."""
    return _entry(title, f"- Your Highlight on Location {start}-{start + length}", second, text)


def note(text: str, title: str = "Walden (Thoreau, Henry David)", location: int = 1, second: int = 0) -> str:
    """A note."""
    return _entry(title, f"- Your Note on Location {location}", second, text)


def bookmark(title: str = "Walden (Thoreau, Henry David)", location: int = 1, second: int = 0) -> str:
    """A bookmark."""
    return _entry(title, f"- Your Bookmark on Location {location}", second, "")


def _entry(title: str, place: str, second: int, text: str) -> str:
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    day, hour = divmod(hour, 24)
    clock = f"{hour % 12 or 12}:{minute:02}:{second:02} {'AP'[hour >= 12]}M"
    stamp = f"Monday, January {1 + day % 28}, {2018 + day // 28} {clock}"
    return f"{title}\n{place} | Added on {stamp}\n\n{text}\n==========\n"


def many(count: int, first: int = 0) -> str:
    """A file of so many highlights in ten books, every eleventh resized once more, every seventh with a note."""
    out: list[str] = []
    for n in range(first, first + count):
        title, place = f"Book {n % 10} (Author {n % 10})", 100 + n * 3
        text = f"Sentence number {n} of the book, and some words {n * 7919 % 1000} that make it as long as such are."
        out.append(highlight(text, title, place, 1, 40 * n))
        if n % 11 == 0:
            out.append(highlight(f"{text} It goes on a little.", title, place, 2, 40 * n + 10))
        if n % 7 == 0:
            out.append(note(f"A thought about {n}.", title, place + 1, 40 * n + 20))
    return "".join(out)


def written(path: Path, *entries: str) -> Path:
    """A clippings file with these entries, as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(entries), "utf-8")
    return path


# -- hostile machines -------------------------------------------------------------------------------------------------


def bound_by_permissions() -> tuple[str, ...]:
    """What to put before a command so that permissions bind it, though the tests run as root."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root may read and write everything, and there is no setpriv to give that up")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@contextmanager
def disk(path: Path, size: str) -> Iterator[Path]:
    """A disk of this size, mounted at `path`."""
    path.mkdir(parents=True)
    mounted = os.geteuid() == 0 and _succeeds("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))
    if not mounted:
        pytest.skip("mounting a small disk takes root")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True, timeout=TIMEOUT)


@contextmanager
def disk_without_case(image: Path, path: Path) -> Iterator[Path]:
    """A disk on which names that differ in case alone are one, mounted at `path`: NTFS, as a USB stick may have it."""
    path.mkdir(parents=True)
    tools = shutil.which("mkfs.ntfs") and shutil.which("lowntfs-3g")
    if os.geteuid() != 0 or not tools:
        pytest.skip("a file system that ignores case takes root and the package ntfs-3g")
    image.touch()
    os.truncate(image, 32 << 20)
    assert _succeeds("mkfs.ntfs", "-q", "-F", "-f", str(image))
    if not _succeeds("lowntfs-3g", "-o", "ignore_case", str(image), str(path)):
        pytest.skip("this machine mounts no NTFS image; FUSE may not be allowed here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True, timeout=TIMEOUT)


def read_only(path: Path) -> None:
    """Mount a disk of `disk` anew, read-only."""
    subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True, timeout=TIMEOUT)


def fill(folder: Path, leave: int = 0) -> None:
    """Fill the disk that a folder is on, and leave this many bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 -- any other error is one of the test's own
    size = ballast.stat().st_size
    os.truncate(ballast, max(0, size - leave))


def files_up_to(size: int) -> Callable[[], None]:
    """Keeps a process from writing files longer than this: a full disk without root."""

    def limit() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def _succeeds(*command: Sequence[str] | str) -> bool:
    return subprocess.run(list(map(str, command)), capture_output=True, timeout=TIMEOUT, check=False).returncode == 0
