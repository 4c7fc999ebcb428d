"""kill -9 at every point round a durable write of a device or the server: what was acknowledged is there.

`make kills` tries each point with ten seeds, and three hundred moments under load. What SIGKILL cannot show is what a
loss of power does: pages that were written and are not on the disk yet survive the death of a process.
"""

import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import SAMPLE, TIMEOUT, many, query, written
from support.fleet import Device, Fleet, Serving, faulty, fleet, noted, opened
from support.histories import import_of, record
from support.household import needs_of, owner_of

from kindlehl import wiring

SEEDS = int(os.environ.get("KINDLEHL_POINT_SEEDS", "1"))
KILLS = int(os.environ.get("KINDLEHL_KILLS", "10"))
AT_ONCE = 10
"""Kills between two looks at everything."""
POINTS = (
    "library.committing", "library.committed", "pairing.renaming", "pairing.renamed", "welcome.arrived",
    "page.arrived", "pushed.arrived", "digests.arrived", "states.arrived", "token.arrived",
    "server.committing", "server.committed", "accounts.committing", "accounts.committed", "pushed.answering",
    "token.answering",
)  # fmt: skip
PASSING = (75, 130, -signal.SIGKILL)
"""Exit codes of commands that were not done: nobody answered or somebody else wrote, Ctrl-C, a kill."""
CODE = re.compile(rb"\s*([B-Z]{4}-[B-Z]{4})\s*")
OF_THE_SERVER = ("server.", "accounts.", "pushed.answering", "token.answering")


class World:
    """A household of which somebody is about to die."""

    def __init__(self, home: Fleet) -> None:
        self.home = home
        self.laptop, self.tablet, self.phone = home.devices.values()
        self.acts: dict[str, Callable[[str], int]] = {
            "import": self.imports, "note": self.notes, "delete": self.deletes, "sync": self.syncs,
            "first sync": self.syncs_first, "sync of a restored server": self.syncs, "watch": self.watches,
            "stop": self.stops, "pair": self.pairs,
        }  # fmt: skip
        self.before: dict[str, Callable[[], None]] = {
            "first sync": self.empty_the_phone, "sync of a restored server": self.restore_the_server,
            "pair": self.start_the_server_again,
        }  # fmt: skip
        self.passed: dict[str, dict[str, int]] = {}
        """How often each act passes each point."""
        self.dice = random.Random(0)
        self._number = 0

    def learn(self) -> None:
        """Do everything once, and note which points it passes."""
        self.grow(300)
        self.recover()
        for act in self.acts:
            self.prepare(act)
            before = self.points()
            assert self.acts[act]("points") == 0, act
            self.passed[act] = self.points() - before
            self.recover()

    def points(self) -> Counter[str]:
        """How often each point was passed."""
        journals = [*(device.journal for device in self.home.devices.values()), self.home.serving.journal]
        return Counter(name for journal in journals for name in noted(journal, "point"))

    def number(self) -> int:
        """Another one each time."""
        self._number += 1
        return self._number

    def write(self, device: Device, count: int) -> None:
        """So many highlights more on a device, durably."""
        numbers = [self.number() for _ in range(count)]
        made = [
            record("highlight", "Tale (Dickens, Charles)", f"Words {n}", 10 * n, 1, n % 100, False) for n in numbers
        ]
        with wiring.library(device.library) as library, library.transaction():
            library.facts.add([*made, import_of(self.number(), "clippings", made)])
            library.shelf.settle()
        device.promise()

    def grow(self, count: int) -> None:
        """The laptop has what the server has not, and the server what the laptop has not."""
        self.write(self.laptop, count)
        self.write(self.tablet, count)
        assert self.home.sync(self.tablet).sent

    def prepare(self, act: str) -> None:
        """All that has to be so before an act."""
        self.grow(3)
        if act in self.before:
            self.before[act]()
        self.home.pair("laptop")  # of whom the server has not heard yet: it writes down when it does
        self.home.pair("phone")

    def empty_the_phone(self) -> None:
        """It has nothing yet."""
        self.phone.promised = frozenset()
        for file in self.phone.library.parent.glob("library.db*"):
            file.unlink()

    def restore_the_server(self) -> None:
        """Without a word, and others have written to it since, so that no cursor tells."""
        copy = self.home.folder / "backup.db"
        with closing(sqlite3.connect(self.home.library)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        assert self.home.sync(self.laptop).equal
        self.home.restore(copy)
        self.write(self.tablet, 10)
        self.home.sync(self.tablet)

    def start_the_server_again(self) -> None:
        """So it has forgotten how often somebody wanted to pair of late."""
        self.home.serving.kill()
        assert self.home.serving.start()

    # -- acts; each returns its exit code ---------------------------------------------------------------------------

    def run(self, device: Device, fault: str, *words: str | Path) -> int:
        """A command of a device, to its end."""
        done = device(*words, env=faulty(fault, device.journal))
        if done.code == 0:
            device.promise()
        assert "Traceback" not in done.err, done
        return done.code

    def imports(self, fault: str) -> int:
        """A file."""
        file = written(self.laptop.home / "My Clippings.txt", many(20, 100 * self.number()))
        return self.run(self.laptop, fault, "import", file)

    def chosen(self) -> str:
        """A highlight on the laptop."""
        rows = query(self.laptop.library, "SELECT id FROM v_highlights WHERE kind = 'highlight' ORDER BY id")
        return str(self.dice.choice(rows)[0])

    def notes(self, fault: str) -> int:
        """A note."""
        return self.run(self.laptop, fault, "note", self.chosen(), f"Thought {self.number()}")

    def deletes(self, fault: str) -> int:
        """A deletion."""
        return self.run(self.laptop, fault, "delete", self.chosen())

    def syncs(self, fault: str) -> int:
        """A round."""
        return self.run(self.laptop, fault, "--wait", "0", "sync")

    def syncs_first(self, fault: str) -> int:
        """The round of a device that has nothing yet."""
        return self.run(self.phone, fault, "--wait", "0", "sync")

    def watches(self, fault: str) -> int:
        """A watch, until both are equal."""
        with self.laptop.start("sync", "--watch", env=faulty(fault, self.laptop.journal)) as process:
            assert process.stdout
            for line in process.stdout:
                if b"same as" in line:
                    break
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT)
        return 0 if process.returncode == 128 + signal.SIGINT else process.returncode

    def stops(self, fault: str) -> int:
        """A wish, which is kept beside the library."""
        code = self.run(self.laptop, fault, "sync", "stop", "notes")
        assert code or wiring.needed_pairing(self.laptop.library).withheld
        return code

    def pairs(self, fault: str) -> int:
        """Pairing anew: what was paired before stays so until it is done."""
        device, url = self.laptop, self.home.serving.url
        with device.start("pair", url, "--again", "--json", env=faulty(fault, device.journal)) as process:
            assert process.stderr
            codes = (found[1] for line in process.stderr if (found := CODE.fullmatch(line)))
            if code := next(codes, b""):
                self.home.needs.pairing.approve(self.home.owner, code.decode())
            process.communicate(timeout=TIMEOUT)
        return process.returncode

    # -- death ------------------------------------------------------------------------------------------------------

    def kill(self, act: str, point: str, nth: int) -> None:
        """Let whoever passes the point die there, the nth time that this act comes to it."""
        fault = f"kill:{point}:{nth}"
        if not point.startswith(OF_THE_SERVER):
            assert self.acts[act](fault) == -signal.SIGKILL
            return
        serving = self.home.serving
        serving.kill()
        assert serving.start(fault)
        again = threading.Thread(target=_started_again, args=(serving,))
        again.start()
        self.acts[act]("points")
        again.join(TIMEOUT)
        assert not again.is_alive(), f"{act} did not come to {point}"

    def recover(self) -> None:
        """Who holds something back does so no more, and everybody syncs."""
        pairing = wiring.needed_pairing(self.laptop.library)
        wiring.keep_pairing(self.laptop.library, pairing._replace(withheld=0))
        self.home.settle()

    def check(self) -> None:
        """Nothing is lost, nothing is twice, nothing differs, nothing is damaged."""
        assert self.home.lost() == {}
        self.recover()
        assert self.home.lost() == {}
        assert self.home.differing() == []
        assert self.home.faults() == []
        for device in self.home.devices.values():
            device.promise()


class Load:
    """Devices that write and sync without a pause, each in a thread of its own, while somebody kills."""

    def __init__(self, home: Fleet, dice: random.Random) -> None:
        self.home = home
        self.dice = dice
        self.over = threading.Event()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ended = Counter[str]()
        self.wrong: list[str] = []

    def live(self, name: str, dice: random.Random) -> None:
        """One command after the other, until it is over."""
        device = self.home.devices[name]
        while not self.over.is_set():
            words = self.chosen(device, dice)
            with device.start(*words, env=faulty("points", device.journal)) as process:
                self.running[name] = process
                said = _watched(process, dice.uniform(1, 4)) if "--watch" in words else _ended(process)
            if process.returncode == 0:
                device.promise()
            elif process.returncode not in PASSING or b"Traceback" in said:
                self.wrong.append(f"{words}: {process.returncode} {said.decode()}")
            self.ended[f"{words[0]}, exit code {process.returncode}"] += 1

    def chosen(self, device: Device, dice: random.Random) -> list[str]:
        """Something to do."""
        rows = query(device.library, "SELECT id FROM v_highlights WHERE kind = 'highlight' ORDER BY id")
        number = dice.randrange(100_000)
        file = device.home / "My Clippings.txt"
        match dice.choice(("sync", "sync", "import", "note", "delete", "watch") if rows else ("import", "sync")):
            case "import":
                return ["import", str(written(file, many(dice.choice((3, 30, 300)), number)))]
            case "note":
                return ["note", str(dice.choice(rows)[0]), f"Thought {number}"]
            case "delete":
                return ["delete", str(dice.choice(rows)[0])]
            case "watch":
                return ["sync", "--watch"]
            case _:
                return ["sync"]

    def kill(self) -> str:
        """Somebody who runs dies at some moment; a server is started again. Returns who."""
        while True:
            self.over.wait(self.dice.uniform(0.05, 0.7))
            victim = self.dice.choice((*self.home.devices, "the server"))
            if victim == "the server":
                self.home.serving.kill()
                self.look()
                assert self.home.serving.start()
                return victim
            process = self.running.get(victim)
            if process is not None and process.poll() is None:
                process.kill()
                return victim

    def look(self) -> None:
        """Before anybody could heal it: is anything lost?"""
        self.wrong += [f"{name} lost {len(gone)} facts" for name, gone in self.home.lost().items()]


def _ended(process: subprocess.Popen[bytes]) -> bytes:
    """What a process said on standard error, which stops by itself."""
    return process.communicate(timeout=TIMEOUT)[1]


def _watched(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """The same of one that watches: Ctrl-C comes so long after its first word, before which it may hear of none."""
    assert process.stdout
    process.stdout.readline()
    try:
        return process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        return _ended(process)


def _started_again(serving: Serving) -> None:
    serving.dies()
    assert serving.start()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with fleet(tmp_path_factory.mktemp("kills"), "laptop", "tablet", "phone") as home:
        made = World(home)
        made.learn()
        yield made


def test_every_point_is_passed(world: World) -> None:
    """Each that is named here, and no other: so none of them is tried in vain, and a new one is not overlooked."""
    assert {point for points in world.passed.values() for point in points} == set(POINTS)


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("point", POINTS)
def test_nothing_acknowledged_is_lost_where_a_process_dies(world: World, point: str, seed: int) -> None:
    """At each point, by each act that comes to it."""
    world.dice = random.Random(f"{point} {seed}")
    acts = [act for act, passed in world.passed.items() if passed[point]]
    act = acts[seed % len(acts)]
    world.prepare(act)
    world.kill(act, point, world.dice.randint(1, world.passed[act][point]))
    world.check()


def first_day(folder: Path, fault: str = "points") -> Counter[str]:
    """A server that was never started before, up to the first sync of its first device; it may die on the way, and is
    started again. Returns how often it passed each point."""
    serving = Serving(folder / "server")
    again = threading.Thread(target=_started_again, args=(serving,))
    if not serving.start(fault):
        _started_again(serving)
    elif fault != "points":
        again.start()
    try:
        with opened(serving) as database:
            needs = needs_of(database, serving.data)
            home = Fleet(folder, serving, needs, owner_of(needs))
            laptop = home.add("laptop")
            laptop.ok("import", SAMPLE)
            assert "the same as on" in laptop.ok("sync", env=faulty("points", laptop.journal))
            laptop.promise()
            assert (home.lost(), home.differing(), home.faults()) == ({}, [], [])
    finally:
        if again.ident:
            again.join(TIMEOUT)
        serving.kill()
    return Counter(noted(serving.journal, "point"))


@pytest.fixture(scope="module")
def passed_on_the_first_day(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    return first_day(tmp_path_factory.mktemp("first"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_server_may_die_on_its_first_day(passed_on_the_first_day: Counter[str], tmp_path: Path, seed: int) -> None:
    """While it makes its database, its first invitation, the library of its owner."""
    point = random.Random(f"first day {seed}").choice(sorted(passed_on_the_first_day.elements()))
    nth = random.Random(seed).randint(1, passed_on_the_first_day[point])
    first_day(tmp_path, f"kill:{point}:{nth}")


def test_nothing_acknowledged_is_lost_under_load(tmp_path: Path) -> None:
    """Three devices write and sync while devices and the server are killed at any moment."""
    dice = random.Random(os.environ.get("KINDLEHL_SEED", "load"))
    victims, ended = Counter[str](), Counter[str]()
    for first in range(0, KILLS, AT_ONCE):
        with fleet(tmp_path / str(first), "laptop", "tablet", "phone") as home:
            load = Load(home, dice)
            threads = [
                threading.Thread(target=load.live, args=(name, random.Random(dice.random()))) for name in home.devices
            ]
            for thread in threads:
                thread.start()
            try:
                victims.update(load.kill() for _ in range(min(AT_ONCE, KILLS - first)))
            finally:
                load.over.set()
                for thread in threads:
                    thread.join(TIMEOUT)
            load.look()
            assert load.wrong == []
            home.settle()
            assert (home.lost(), home.differing(), home.faults()) == ({}, [], [])
            ended += load.ended
    for what, count in sorted((victims + ended).items()):
        print(f"{count:5}  {what}")  # noqa: T201 -- the report of a long run, with -s
