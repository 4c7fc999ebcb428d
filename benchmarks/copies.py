"""Rounds of whole devices, each a process: the first one, one that breaks off, and those that have little to do."""

import json
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import made_clippings
from measuring import (
    HERE,
    KINDLEHL,
    PYTHON,
    Row,
    Run,
    at_least,
    at_most,
    interleaved,
    progress,
    run,
    scratch,
    shown,
    size_name,
    times,
)
from serving import Household, Process, device, floor_server, forget, household, put, running

FIRST = 60.0
CAUGHT_UP = 1.0
"""Seconds."""
LATER = 1_000
"""Facts that a device catches up with."""


def rows(count: int, rounds: int) -> Iterator[Row]:
    """All of it, with a library of so many clippings, each of which is a fact."""
    with scratch() as folder:
        clippings = folder / "My Clippings.txt"
        made_clippings.write(clippings, count)
        home = household(folder / "data", "Anna")
        (anna,) = home.people
        run([KINDLEHL, "import", clippings, "--library", anna.library], home=folder)
        bare = folder / "bare"
        bare.mkdir()
        said = run([PYTHON, HERE / "floor_transfer.py", "write", anna.library, bare], home=folder).output
        pages, size = map(int, said.split())
        with floor_server(bare) as floor, home.served() as server:
            copies = _Copies(folder, home, server, floor, pages, size, rounds)
            yield from copies.first()
            yield from copies.broken_off()
            yield from copies.twins(clippings)
            yield from copies.later(LATER)


@dataclass(frozen=True, slots=True)
class _Copies:
    """A server with a library on it, and devices that come."""

    folder: Path
    home: Household
    server: Process
    floor: Process
    pages: int
    size: int
    """Bytes of those pages."""
    rounds: int
    firsts: list[float] = field(default_factory=list[float])
    """Seconds of first rounds."""

    @property
    def theirs(self) -> Path:
        """The library on the server."""
        return self.home.people[0].library

    def first(self) -> Iterator[Row]:
        """A device that has nothing."""
        progress(f"syncing: {self.rounds} first rounds of {_held(self.theirs):,} facts")
        new = device(self.folder / "new" / "library.db", self.server, self.home.people[0])
        local = self.folder / "local.db"
        count = _held(self.theirs)

        def first() -> Run:
            forget(new)
            done = self._sync(new)
            _expect(done, received=count, sent=0, equal=True)
            return done

        def written(pages: int) -> Run:
            forget(local)
            return self._floor(local, 0, pages)

        self.server.forget_highest()
        idle = self.server.memory()
        runs = interleaved(
            self.rounds,
            {
                "transfer": lambda: run(
                    [PYTHON, HERE / "floor_transfer.py", "fetch", self.floor.url, str(self.pages)], home=self.folder
                ),
                "at once": lambda: written(self.pages + 1),
                "pages": lambda: written(1),
                "first": first,
            },
        )
        took = {name: times(each) for name, each in runs.items()}
        self.firsts.extend(took["first"])
        of = f"{size_name(count)} facts"
        yield _within(f"first sync of {of}, floor: written in pages", took["pages"], took["first"], FIRST)
        yield at_least(
            f"the same, floor: written in one transaction, {of}", count, took["at once"], took["first"], None
        )
        what = f"the same, floor: {self.size / (1 << 20):.1f} MiB transferred, {of}"
        yield at_most(what, took["transfer"], took["first"], None)
        peaks = {name: max(each.peak for each in runs[name]) for name in ("pages", "first")}
        yield Row(
            f"memory of the device at its highest, {of}", f"{peaks['pages']:.0f} MiB", f"{peaks['first']:.0f} MiB",
            f"{peaks['first'] / peaks['pages']:.2f}×",
        )  # fmt: skip
        highest = self.server.memory("VmHWM")
        yield Row(
            f"memory of the server at its highest, {of}, floor: before", f"{idle:.0f} MiB",
            f"{highest:.0f} MiB", f"{highest / idle:.2f}×",
        )  # fmt: skip

    def broken_off(self) -> Iterator[Row]:
        """A device that is killed in the middle, and goes on where it was."""
        new = device(self.folder / "broken" / "library.db", self.server, self.home.people[0])
        rng, count = random.Random(1), _held(self.theirs)
        runs: dict[str, list[float]] = {"whole": [], "both": []}
        before: list[int] = []
        for _ in range(self.rounds):
            forget(new)
            runs["whole"].append(self._sync(new).seconds)
            forget(new)
            start = time.perf_counter()
            reached = self._killed(new, rng.randrange(count // 10, count * 9 // 10))
            done = self._sync(new)
            runs["both"].append(time.perf_counter() - start)
            _expect(done, received=count - reached, sent=0, equal=True)
            before.append(reached)
        where = ", ".join(f"{reached / count:.0%}" for reached in before)
        what = f"first sync killed at {where} and begun anew, {size_name(count)} facts, floor: in one go"
        yield at_most(what, runs["whole"], runs["both"], None)

    def _killed(self, library: Path, enough: int) -> int:
        """Let a device sync until it has so many facts, then end it without a word. Returns how many it has."""
        with running([KINDLEHL, "sync", "--library", library], self.folder):
            while not (library.exists() and _reached(library) >= enough):
                time.sleep(0.02)
        return _held(library)

    def later(self, count: int) -> Iterator[Row]:
        """A device that has nearly all, and then all."""
        was = device(self.folder / "was" / "library.db", self.server, self.home.people[0])
        new = device(self.folder / "late" / "library.db", self.server, self.home.people[0])
        self._sync(was)
        had, local = _held(was), self.folder / "local.db"
        clippings = self.folder / "more.txt"
        made_clippings.write(clippings, count, seed=2)
        run([KINDLEHL, "import", clippings, "--library", self.theirs], home=self.folder)
        missing = _held(self.theirs) - had
        progress(f"syncing: {self.rounds} rounds of {missing:,} facts, and of none")

        def caught_up() -> Run:
            put(was, new)
            done = self._sync(new)
            _expect(done, received=missing, sent=0, equal=True)
            return done

        def idle() -> Run:
            done = self._sync(new)
            _expect(done, received=0, sent=0, equal=True)
            return done

        def written() -> Run:
            put(was, local)
            return self._floor(local, had, self.pages)

        runs = interleaved(
            self.rounds + 2,
            {
                "written": written,
                "caught up": caught_up,
                "nothing": lambda: run([KINDLEHL, "db", "path", "--library", new], home=self.folder),
                "idle": idle,
            },
        )
        took = {name: times(each) for name, each in runs.items()}
        of = size_name(had)
        yield _within(
            f"catch-up of {missing:,} facts, {of}, floor: written", took["written"], took["caught up"], CAUGHT_UP
        )
        yield at_most(f"sync with nothing new, {of}, floor: start-up", took["nothing"], took["idle"], None)

    def twins(self, clippings: Path) -> Iterator[Row]:
        """A device that imported the same file before it met the server."""
        was = device(self.folder / "twin" / "library.db", self.server, self.home.people[0])
        new = device(self.folder / "other twin" / "library.db", self.server, self.home.people[0])
        progress(f"syncing: {self.rounds} rounds of two who hold the same")
        run([KINDLEHL, "import", clippings, "--library", was], home=self.folder)
        before = self.folder / "before.db"
        shutil.copyfile(self.theirs, before)
        took: list[float] = []
        said: dict[str, int] = {}
        for _ in range(self.rounds):
            put(was, new)
            done = self._sync(new)
            _expect(done, equal=True)
            took.append(done.seconds)
            said = json.loads(done.output)
            put(before, self.theirs)
        what = f"first sync of two who imported the same, received {said['received']:,}, sent {said['sent']:,}"
        yield at_most(f"{what}, floor: of one who has nothing", self.firsts, took, None)

    def _floor(self, target: Path, cursor: int, pages: int) -> Run:
        command = [PYTHON, HERE / "floor_facts.py", self.theirs, target, str(cursor), str(pages)]
        return run(command, home=self.folder)

    def _sync(self, library: Path) -> Run:
        return run([KINDLEHL, "sync", "--json", "--library", library], home=self.folder)


def _held(library: Path) -> int:
    """How many facts a library holds."""
    with closing(sqlite3.connect(library)) as db:
        return int(db.execute("SELECT count(*) FROM facts").fetchone()[0])


def _reached(library: Path) -> int:
    """About the same, without a look at all of them; 0 while it is being made."""
    with closing(sqlite3.connect(library)) as db:
        try:
            return int(db.execute("SELECT coalesce(max(key), 0) FROM facts").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def _expect(done: Run, **expected: object) -> None:
    """A round that did something else is none to measure."""
    said = json.loads(done.output)
    if any(said[name] != value for name, value in expected.items()):
        message = f"a round was to say {expected}, and said {said}"
        raise RuntimeError(message)


def _within(what: str, floor: Sequence[float], ours: Sequence[float], limit: float) -> Row:
    row = at_most(what, floor, ours, None)
    return Row(what, row.floor, row.ours, row.ratio, f"< {shown(limit)}", median(ours) < limit)
