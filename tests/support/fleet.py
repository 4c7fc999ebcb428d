"""A server and devices, all of them processes of their own, each of which may die at any moment."""

import signal
import socket
import subprocess
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from kindlehl import wiring
from kindlehl.services.sync.round import Done, sync
from kindlehl_server.accounts import Person
from kindlehl_server.migrations import migrate
from kindlehl_server.needs import Needs
from kindlehl_server.store.database import Database
from support.cli import FAULTS, TIMEOUT, Kindlehl, facts, query, shown
from support.household import let_in, needs_of, owner_of


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class Serving:
    """`kindlehl serve` in a folder, on the same port whenever it is started."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.journal = folder / "server.journal"
        self.said = folder / "server.said"
        self._program = Kindlehl(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, fault: str = "points") -> bool:
        """Run it, with points to die at; whether it came so far as to listen."""
        assert not self.alive
        with self.said.open("ab") as said:
            self._process = self._program.start(
                "serve", "--port", str(self.port), "--data", self.data, env=faulty(fault, self.journal), stderr=said
            )
        assert self._process.stdout
        return b"Serving at" in self._process.stdout.readline()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def dies(self) -> None:
        """Wait until it is dead."""
        if self._process is not None:
            self._process.communicate(timeout=TIMEOUT)
            assert self._process.returncode == -signal.SIGKILL, self.said.read_text("utf-8")
            self._process = None

    def kill(self) -> None:
        """End it as a crash would; whoever is dead already stays so."""
        if self._process is not None:
            self._process.kill()
        self.dies()


def faulty(fault: str, journal: Path) -> dict[str, str]:
    """The environment of a process with points."""
    return {"FAULT": fault, "JOURNAL": str(journal), "PYTHONPATH": str(FAULTS)}


def noted(journal: Path, kind: str) -> list[str]:
    """What a journal has of one kind."""
    if not journal.exists():
        return []
    lines = (line.partition(" ") for line in journal.read_text("utf-8").splitlines())
    return [rest for word, _, rest in lines if word == kind]


def ids(library: Path) -> set[str]:
    """The ids of all facts that anybody can see in a library now; none where its tables are still to be made."""
    if not library.exists() or query(library, "PRAGMA user_version") == [(0,)]:
        return set()
    return {id_ for (id_,) in query(library, "SELECT id FROM facts")}


class Device(Kindlehl):
    """A device that is paired, and what was acknowledged there."""

    promised: frozenset[str] = frozenset()
    """Facts of which somebody at this device was told that they are kept: by a command that ended well."""

    @property
    def journal(self) -> Path:
        """Which points its processes passed, and what the server acknowledged to them."""
        return self.home / "journal"

    def promise(self) -> None:
        """All that is here now was acknowledged."""
        self.promised |= ids(self.library)


@contextmanager
def fleet(folder: Path, *names: str) -> Iterator["Fleet"]:
    """A server that runs, its owner, and devices that are paired with it."""
    serving = Serving(folder / "server")
    serving.data.mkdir()
    with opened(serving) as database:
        migrate(database)
        needs = needs_of(database, serving.data)
        made = Fleet(folder, serving, needs, owner_of(needs))
        for name in names:
            made.add(name)
        try:
            assert serving.start()
            yield made
        finally:
            serving.kill()


@contextmanager
def opened(serving: Serving) -> Iterator[Database]:
    """A server's database, from another process."""
    database = Database(f"sqlite:///{serving.data / 'server.db'}")
    try:
        yield database
    finally:
        database.close()


class Fleet:
    """All of them."""

    def __init__(self, folder: Path, serving: Serving, needs: Needs, owner: Person) -> None:
        self.folder = folder
        self.serving = serving
        self.needs = needs
        self.owner = owner
        self.devices: dict[str, Device] = {}
        self._undone: set[str] = set()
        """What the server acknowledged and lost with a backup that was put in its place."""

    def add(self, name: str, url: str | None = None) -> Device:
        """One more device, paired with the server by its own address or by another that leads there."""
        device = self.devices[name] = Device(self.folder / name)
        self.pair(name, url)
        with wiring.library(device.library):
            pass
        return device

    def pair(self, name: str, url: str | None = None) -> None:
        """Let a device in, whether or not it was."""
        token = let_in(self.needs, self.owner, name)
        library = self.devices[name].library
        wiring.keep_pairing(library, wiring.new_pairing(library, url or self.serving.url, token, name, self.owner.id))

    @property
    def library(self) -> Path:
        """The server's, of its owner."""
        return self.serving.data / "libraries" / self.owner.id / "library.db"

    @property
    def libraries(self) -> dict[str, Path]:
        """Of everybody."""
        return {name: device.library for name, device in self.devices.items()} | {"the server": self.library}

    def sync(self, device: Device) -> Done:
        """A round of a device that nobody disturbs."""
        token = wiring.needed_pairing(device.library).token
        with wiring.server(self.serving.url, token) as server, wiring.library(device.library) as own:
            return sync(own, self.owner.id, server.ask)

    def restore(self, backup: Path) -> None:
        """Put a backup in the place of the server's library."""
        before = ids(self.library)
        backup.replace(self.library)
        self._undone = before - ids(self.library)

    def lost(self) -> dict[str, set[str]]:
        """What was acknowledged and is not where it was: on the device on which a command ended well, on the server
        that said so."""
        promised: dict[str, Set[str]] = {name: device.promised for name, device in self.devices.items()}
        promised["the server"] = {id_ for each in self.devices.values() for id_ in noted(each.journal, "acknowledged")}
        promised["the server"] -= self._undone
        missing = {name: promised[name] - ids(path) for name, path in self.libraries.items()}
        return {name: gone for name, gone in missing.items() if gone}

    def settle(self) -> None:
        """Everybody syncs, until all of it must be everywhere. Cursors are enough for that: digests find something that
        they passed over only where the server was restored."""
        restored, everybody = bool(self._undone), [*self.devices.values()]
        self._undone.clear()
        for device in (*everybody, *everybody[:-1]):
            done = self.sync(device)
            assert done.equal
            assert restored or not done.healed

    def differing(self) -> list[str]:
        """Who does not hold or show the same as the server."""
        own = facts(self.library), shown(self.library)
        return [name for name, path in self.libraries.items() if (facts(path), shown(path)) != own]

    def faults(self) -> list[str]:
        """What is wrong with anybody's file, and what is shown twice."""
        wrong: list[str] = []
        for name, path in self.libraries.items():
            if query(path, "PRAGMA integrity_check") != [("ok",)]:
                wrong.append(f"{name}: integrity_check")
            deep = path == self.library  # what all of them show is compared besides
            wrong += [f"{name}: {each.what}" for each in wiring.verify(path, deep=deep) if not each.ok]
            wrong += [f"{name}: twice: {row}" for row in query(path, _TWICE)]
        return wrong


_TWICE = "SELECT title, text FROM v_highlights GROUP BY title, text, location_start HAVING count(*) > 1"
