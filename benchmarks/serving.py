"""Servers and devices as processes, on this machine alone: started, measured from outside, and stopped by their id."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from measuring import HERE, KINDLEHL, PYTHON, run

from kindlehl import wiring


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs."""

    pid: int
    url: str
    """Where it serves, if it does."""

    def memory(self, what: str = "VmRSS") -> float:
        """MiB of resident memory now, or at its highest: VmHWM. Not a number where the machine does not tell."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        except OSError:
            return float("nan")
        found = re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) / 1024 if found else float("nan")

    def forget_highest(self) -> None:
        """VmHWM is from now on: a server's start takes what one password takes, 64 MiB."""
        with suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5", "utf-8")


@contextmanager
def running(command: Sequence[str | Path], home: Path, until: str = "") -> Iterator[Process]:
    """A process, from its first words on that match a pattern if there is one, whose group is an address; it is stopped
    afterwards."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": tempfile.gettempdir(), "LANG": "C.UTF-8"}
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, env=clean
        )
        try:
            # It says no more than fits a pipe, so that nobody has to read on.
            lines = process.stdout if until and process.stdout else ()
            said = next((found for line in lines if (found := re.search(until, line.decode()))), None)
            if until and said is None:
                err.seek(0)
                message = f"{command[0]} {command[1]} … did not begin:\n{err.read().decode()[-2000:]}"
                raise RuntimeError(message)
            yield Process(process.pid, said[1] if said and said.groups() else "")
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a server."""

    id: str
    token: str
    """Of a device."""
    library: Path
    """On the server."""


@dataclass(frozen=True, slots=True)
class Household:
    """A server's folder, and who is on it."""

    folder: Path
    people: Sequence[Person]

    @contextmanager
    def served(self) -> Iterator[Process]:
        """The server, as long as it is needed."""
        command = [KINDLEHL, "serve", "--port", "0", "--data", self.folder]
        with running(command, self.folder, r"^Serving at (\S+);") as process:
            yield process


def household(folder: Path, *names: str) -> Household:
    """People on a server that does not run yet."""
    said = json.loads(run([PYTHON, HERE / "household.py", folder, *names], home=folder.parent).output)
    people = [Person(id_, token, folder / "libraries" / id_ / "library.db") for id_, token in said]
    for person in people:
        person.library.parent.mkdir(parents=True)
    return Household(folder, people)


@contextmanager
def floor_server(folder: Path) -> Iterator[Process]:
    """The bare server, which keeps its rows in this folder."""
    with running([PYTHON, HERE / "floor_server.py", folder], folder, r"^Serving at (\S+)") as process:
        yield process


def device(library: Path, server: Process, person: Person) -> Path:
    """A library that is paired with a server."""
    library.parent.mkdir(parents=True, exist_ok=True)
    wiring.keep_pairing(library, wiring.new_pairing(library, server.url, person.token, "bench", person.id))
    return library


def forget(library: Path) -> None:
    """There is no such library, but it stays paired."""
    for suffix in ("", "-wal", "-shm"):
        library.with_name(library.name + suffix).unlink(missing_ok=True)


def put(source: Path, library: Path) -> Path:
    """A library as another one was that nobody has open."""
    forget(library)
    shutil.copyfile(source, library)
    return library
