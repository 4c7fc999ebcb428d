"""Devices that watch, a server, and a network on which anything happens: once it is well again all are equal within ten
seconds, and as long as it is not, each device says so.

`make storm` lives through a hundred storms. Every tenth is followed by an outage of more than a minute, or by a silence
after which the network has forgotten what was connected: that is found out by nobody but the devices, in a minute.
"""

import os
import random
import signal
import subprocess
from collections.abc import Iterator

import pytest
from support.cli import TIMEOUT, many, query, written
from support.fleet import Device, Fleet, fleet, ids
from support.proxy import FAULTS, WELL, Proxy, network
from support.waiting import until

STORMS = int(os.environ.get("KINDLEHL_STORMS", "3"))
NAMES = ("laptop", "tablet", "phone")
SQUALLS = 6
"""Changes of weather in a storm."""
SOON = 10.0
"""Seconds in which all are equal once the network is well."""
STALL = 60.0
"""Seconds after which whoever cannot do what he has to has said so."""
LONG = 10
"""Every so many storms something lasts."""


class Watcher:
    """A device that watches, behind a proxy, and what it says."""

    def __init__(self, device: Device, proxy: Proxy) -> None:
        self.device = device
        self.proxy = proxy
        self.said = device.home / "said"
        self.complained = device.home / "complained"
        with self.said.open("wb") as said, self.complained.open("wb") as complained:
            self.process: subprocess.Popen[bytes] = device.start("sync", "--watch", stdout=said, stderr=complained)

    @property
    def last(self) -> str:
        """What it said last."""
        return "".join(self.said.read_text("utf-8").splitlines()[-1:])

    @property
    def says_it_cannot(self) -> bool:
        """Whether that was that it cannot be equal now."""
        return "Trying again" in self.last or self.says_it_waits

    @property
    def says_it_waits(self) -> bool:
        """Whether that was how long something has waited."""
        return "have waited for" in self.last

    def write(self, dice: random.Random) -> None:
        """Change something, as another process does."""
        number = dice.randrange(200_000)
        rows = query(self.device.library, "SELECT id FROM v_highlights WHERE kind = 'highlight' ORDER BY id")
        match dice.choice(("import", "note", "note", "delete") if rows else ("import",)):
            case "import":
                file = written(self.device.home / "My Clippings.txt", many(dice.choice((1, 10, 100)), number))
                self.device.ok("import", file)
            case "note":
                self.device.ok("note", str(dice.choice(rows)[0]), f"Thought {number}")
            case _:
                self.device.ok("delete", str(dice.choice(rows)[0]))

    def end(self) -> None:
        """Ctrl-C; it has gone on until then and complained of nothing."""
        assert self.process.poll() is None, self.complained.read_text("utf-8")
        self.process.send_signal(signal.SIGINT)
        self.process.wait(TIMEOUT)
        assert "Traceback" not in self.complained.read_text("utf-8")


class Sea:
    """All of them."""

    def __init__(self, home: Fleet, watchers: list[Watcher]) -> None:
        self.home = home
        self.watchers = watchers

    def all_are_equal(self) -> bool:
        """Whether each library has what each other has."""
        first, *others = (ids(path) for path in self.home.libraries.values())
        return all(other == first for other in others)

    def blow(self, dice: random.Random) -> None:
        """A storm, in which everybody writes."""
        for _ in range(SQUALLS):
            for watcher in self.watchers:
                watcher.proxy.change(dice.choice((WELL, *FAULTS)))
            dice.choice(self.watchers).write(dice)

    def all_are(self, fault: str) -> None:
        """The same for everybody."""
        for watcher in self.watchers:
            watcher.proxy.change(fault)


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    dice = random.Random("sea")
    with network() as net, fleet(tmp_path_factory.mktemp("storm")) as home:
        watchers: list[Watcher] = []
        try:
            for name in NAMES:
                proxy = net.proxy(home.serving.port, dice)
                watchers.append(Watcher(home.add(name, proxy.url), proxy))
            yield Sea(home, watchers)
            for watcher in watchers:
                watcher.end()
        finally:
            for watcher in watchers:
                watcher.process.kill()
                watcher.process.wait()


@pytest.mark.parametrize("seed", range(STORMS))
def test_after_a_storm_all_are_equal_and_nobody_was_silent(sea: Sea, seed: int) -> None:
    """Faults come and go on each way while everybody writes; then nobody is reached at all; then all is well."""
    dice = random.Random(f"{os.environ.get('KINDLEHL_SEED', 'storm')} {seed}")
    silence, outage = seed % (2 * LONG) == LONG - 1, seed % (2 * LONG) == 2 * LONG - 1
    sea.blow(dice)
    sea.all_are("silent" if silence else "refused")
    for watcher in sea.watchers:
        watcher.write(dice)
    said = until(lambda: all(watcher.says_it_cannot for watcher in sea.watchers), STALL if silence else SOON)
    if outage:
        until(lambda: all(watcher.says_it_waits for watcher in sea.watchers), STALL + SOON)
    sea.all_are("forgotten" if silence else WELL)
    took = until(sea.all_are_equal, STALL)
    print(f"storm {seed}: said so after {said:.1f} s, equal after {took:.1f} s")  # noqa: T201 -- for a long run, with -s
    assert took < (STALL if silence else SOON)
    assert (sea.home.differing(), sea.home.faults()) == ([], [])
