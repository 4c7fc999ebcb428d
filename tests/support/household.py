"""A real server on a free port, with a person on it whose devices are let in without a code to type."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher

from kindlehl import wiring
from kindlehl_server.accounts import Accounts, Pairing, Person, Sessions
from kindlehl_server.app import create_app
from kindlehl_server.migrations import migrate
from kindlehl_server.needs import Needs
from kindlehl_server.store.database import Database
from kindlehl_server.store.libraries import FileLibraries
from kindlehl_server.store.postgresql.library import TableLibraries
from support.cli import Kindlehl
from support.served import serving

PASSWORD = "correct horse battery staple"


def now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


def needs_of(database: Database, folder: Path, clock: Callable[[], datetime] = now) -> Needs:
    """A server with nobody on it, whose passwords cost little."""
    accounts = Accounts(database, clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    postgresql = database.engine.dialect.name == "postgresql"
    libraries = TableLibraries(database) if postgresql else FileLibraries(folder / "libraries")
    return Needs(
        accounts, Sessions(database, clock), Pairing(database, accounts, clock), libraries, clock, lambda: None
    )


def owner_of(needs: Needs, name: str = "Anna") -> Person:
    """Whoever comes first."""
    invitation = needs.accounts.first_invitation()
    assert invitation
    return needs.accounts.accept(invitation, name, PASSWORD)


def let_in(needs: Needs, person: Person, device: str) -> str:
    """A device, by the way that every device goes; its token."""
    started = needs.pairing.start(device, "127.0.0.1")
    needs.pairing.approve(person, started.code)
    token = needs.pairing.collect(started.secret)
    assert token
    return token


@dataclass
class Household:
    """A server that runs, and its owner."""

    url: str
    needs: Needs
    owner: Person
    folder: Path

    def pair(self, device: Kindlehl, name: str) -> None:
        """Let a device in, as `kindlehl pair` does."""
        token = let_in(self.needs, self.owner, name)
        wiring.keep_pairing(device.library, wiring.new_pairing(device.library, self.url, token, name, self.owner.id))

    def fresh(self) -> None:
        """As though nothing had been there yet, but for its owner."""
        shutil.rmtree(self.folder / "libraries", ignore_errors=True)
        for device in self.needs.accounts.devices(self.owner.id):
            self.needs.accounts.revoke(self.owner.id, device.id)

    @property
    def library(self) -> Path:
        """The file of its owner's library."""
        return self.library_of(self.owner)

    def library_of(self, person: Person) -> Path:
        """The file of somebody's."""
        return self.folder / "libraries" / person.id / "library.db"


@contextmanager
def household(folder: Path, *, fresh: bool = True, clock: Callable[[], datetime] = now) -> Iterator[Household]:
    """A server in a folder, as long as it is needed; on what was there before, if it is not a fresh one."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{folder / 'server.db'}")
    migrate(database)
    needs = needs_of(database, folder, clock)
    owner = owner_of(needs) if fresh else needs.accounts.sign_in("Anna", PASSWORD)
    try:
        with serving(create_app(needs)) as url:
            yield Household(url, needs, owner, folder)
    finally:
        database.close()
