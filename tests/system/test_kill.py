"""kill -9 at any moment of an import: the library is as before or as after it, never between.

`KINDLEHL_KILLS=200 pytest tests/system/test_kill.py -s` kills two hundred times and prints what was found.
"""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from support.cli import SAMPLE, Kindlehl, contents, highlight, many, note, records, shown, written

from kindlehl.store import schema
from kindlehl.store.connection import prepare
from kindlehl.store.library import open_library

KILLS = int(os.environ.get("KINDLEHL_KILLS", "20"))
ENTRIES = int(os.environ.get("KINDLEHL_KILL_ENTRIES", "4000"))
FIRST = 4
"""Every so many kills there is no library before: its making and its migration are killed too."""


class State(NamedTuple):
    """All that an import can change, but for the ids and times of import facts."""

    records: list[tuple[str, str]]
    shown: list[tuple[object, ...]]
    imports: int


NOTHING = State([], [], 0)


def state(path: Path) -> State:
    """What a library holds and shows. One that is not there, or was not made to its end, holds nothing."""
    if not path.exists():
        return NOTHING
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
        if version == 0:
            assert tables == [], "half a migration"
            return NOTHING
        assert version == schema.VERSION
        (imports,) = connection.execute("SELECT count(*) FROM facts WHERE type = 'import'").fetchone()
    return State(records(path), shown(path), imports)


class Worlds(NamedTuple):
    """A library before an import and after it, with and without something in it; and how long the import takes."""

    file: Path
    before: dict[bool, Path | None]
    expected: dict[bool, tuple[State, State]]
    duration: dict[bool, float]
    log: dict[bool, int]
    """Bytes of the write-ahead log when it commits: nearly all of it is written in that moment."""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """Imports that nobody disturbs."""
    folder = tmp_path_factory.mktemp("worlds")
    kindlehl = Kindlehl(folder / "home")
    early = written(folder / "early.txt", many(500), highlight("It begins.", title="Book 3 (Author 3)", start=1))
    # The file holds again what the library has, resizes some of it, hangs notes on it, and brings more.
    resized = "".join(
        highlight(
            f"Sentence number {n} of the book, and some words {n * 7919 % 1000} that make it as long as such are. Yes",
            f"Book {n % 10} (Author {n % 10})", 100 + n * 3, 3, 40 * n + 30,
        )
        for n in range(0, 500, 5)
    )  # fmt: skip
    notes = "".join(
        note(f"Late thought {n}.", f"Book {n % 10} (Author {n % 10})", 101 + n * 3, 40 * n) for n in range(0, 500, 3)
    )
    file = written(folder / "My Clippings.txt", many(ENTRIES, first=200), resized, notes)
    kindlehl.ok("import", SAMPLE, early, "--library", folder / "early.db")
    before: dict[bool, Path | None] = {False: None, True: folder / "early.db"}
    expected: dict[bool, tuple[State, State]] = {}
    duration: dict[bool, float] = {}
    log = {False: 0, True: 0}
    for held, source in before.items():
        after = folder / f"after-{held}.db"
        if source:
            shutil.copy(source, after)
        was = state(after)
        begun = time.monotonic()
        with kindlehl.start("import", file, "--library", after) as process:
            while process.poll() is None:
                log[held] = max(log[held], size(logged(after)))
                time.sleep(0.001)
            assert process.returncode == 0
        duration[held] = time.monotonic() - begun
        expected[held] = (was, state(after))
    assert expected[True][0] != expected[True][1]
    assert min(log.values()) > 0
    return Worlds(file, before, expected, duration, log)


def logged(library: Path) -> Path:
    """The write-ahead log beside a library."""
    return library.with_name(library.name + "-wal")


def size(path: Path) -> int:
    """Bytes of a file, none of one that is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def killed(kindlehl: Kindlehl, library: Path, file: Path, after: float = 0.0, log: int = 0) -> bool:
    """Import, and kill as soon as the log has so many bytes and then after so many seconds; whether it still ran."""
    with kindlehl.start("import", file, "--library", library) as process:
        while log and process.poll() is None and size(logged(library)) < log:
            pass
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    return process.returncode == -signal.SIGKILL


def test_a_killed_import_leaves_the_library_before_it_or_after_it(worlds: Worlds, tmp_path: Path) -> None:
    """At every moment: integrity_check is ok, what is held and shown is exactly before or after, the command line
    agrees, the next import completes it, and in the end it equals the library of an undisturbed import."""
    dice = random.Random(os.environ.get("KINDLEHL_SEED", "kill"))
    found: Counter[str] = Counter()
    duration = dict(worlds.duration)
    for n in range(KILLS):
        held = n % FIRST != 0
        folder = tmp_path / str(n)
        kindlehl = Kindlehl(folder)
        library = folder / "library.db"
        source = worlds.before[held]
        if source:
            shutil.copy(source, library)
        if n % 3 == 2:
            # While it commits, and while the log is brought into the file after that.
            log, after = int(worlds.log[held] * dice.random()) + 1, dice.choice((0.0, 0.0, 0.01, 0.03))
            moment = f"kill {n}, {after} s after {log} of {worlds.log[held]} bytes of the log"
        else:
            # From the start to a little after the end, in even steps with a random part: no stretch is missed.
            log, after = 0, duration[held] * 1.15 * (n + dice.random()) / KILLS
            moment = f"kill {n} after {after:.3f} s of {duration[held]:.3f} s"
        was_running = killed(kindlehl, library, worlds.file, after, log)
        left = sorted(path.name for path in folder.iterdir())
        before, complete = worlds.expected[held]
        now = state(library)
        assert now in (before, complete), f"{moment}: between"
        as_after = now == complete
        assert kindlehl.ok("list", "--plain", "--library", library).count("\n") == len(
            [row for row in now.shown if row[1] in ("highlight", "note")]
        ), moment
        begun = time.monotonic()
        said = kindlehl.ok("import", worlds.file, "--library", library)
        if not as_after:  # a machine that others use too: what it took last is the best guess for the next
            duration[held] = time.monotonic() - begun
        assert ("0 new" in said) == as_after, f"{moment}: {said}"
        assert state(library) == complete, f"{moment}: the next import did not complete it"
        kind = "into a library" if held else "first import"
        moment = (
            "not killed, it was done" if not was_running else "killed in the commit" if log else "killed on its way"
        )
        found[f"{kind}, {moment}, left {'as after' if as_after else 'as before'}"] += 1
        found["with a write-ahead log left behind"] += "library.db-wal" in left
        shutil.rmtree(folder)
    print()  # noqa: T201 -- the report of a long run, with -s
    for what, count in sorted(found.items()):
        print(f"{count:5}  {what}")  # noqa: T201 -- as above
    assert found["into a library, killed on its way, left as before"]
    assert sum(count for what, count in found.items() if "killed in the commit" in what)


def test_a_killed_import_is_searchable_and_rebuilds_to_itself(worlds: Worlds, tmp_path: Path) -> None:
    """After a kill and a completing import, the index finds what is shown, and a rebuild changes nothing."""
    kindlehl = Kindlehl(tmp_path / "home")
    library = kindlehl.home / "library.db"
    shutil.copy(worlds.before[True] or "", library)
    killed(kindlehl, library, worlds.file, worlds.duration[True] * 0.7)
    kindlehl.ok("import", worlds.file, "--library", library)
    found = kindlehl.ok("search", "Late thought", "--limit", "1000", "--plain", "--library", library)
    assert found.count("\n") > 100
    before = state(library)
    kindlehl.ok("db", "rebuild", "--library", library)
    assert state(library) == before


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_a_killed_export_leaves_every_file_whole_and_the_next_one_finishes(
    worlds: Worlds, tmp_path: Path, share: float
) -> None:
    """Each file is there whole or not at all, and the file that was there before is as it was or as it should be."""
    kindlehl = Kindlehl(tmp_path / "home")
    library = tmp_path / "after.db"
    shutil.copy(worlds.file.parent / "after-True.db", library)
    old = kindlehl.home / "old.db"
    shutil.copy(worlds.before[True] or "", old)
    target = kindlehl.home / "all.csv"
    kindlehl.ok("export", "csv", "--to", target, "--library", old)
    before = target.read_bytes()
    begun = time.monotonic()
    kindlehl.ok("export", "csv", "--to", kindlehl.home / "whole.csv", "--library", library)
    duration = time.monotonic() - begun
    whole = (kindlehl.home / "whole.csv").read_bytes()
    with kindlehl.start("export", "csv", "--to", target, "--library", library) as process:
        time.sleep(duration * share)
        process.kill()
        process.communicate(timeout=30)
    assert target.read_bytes() in (before, whole)
    assert contents(library.parent)


def test_a_migration_that_is_stopped_is_made_or_not_made(tmp_path: Path) -> None:
    """The making of a library's tables is one transaction with its version number."""
    path = tmp_path / "library.db"
    for moment in range(0, 30, 3):
        calls = 0

        def interrupt(moment: int = moment) -> int:
            nonlocal calls
            calls += 1
            return int(calls > moment)

        connection = sqlite3.connect(path, isolation_level=None)
        connection.set_progress_handler(interrupt, 50)
        try:
            prepare(connection, path)
        except sqlite3.OperationalError:
            assert state(path) == NOTHING
        connection.close()
    open_library(path).close()
    assert state(path) == NOTHING
