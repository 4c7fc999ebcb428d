"""What the server's tests may ask for: a database of each kind, and a server on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.databases import copied
from support.household import PASSWORD, let_in, needs_of, owner_of
from support.served import serving

from kindlehl_server.accounts import Person
from kindlehl_server.app import create_app
from kindlehl_server.migrations import migrate
from kindlehl_server.needs import Needs
from kindlehl_server.store.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that is up to date and empty."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'server.db'}"
        made = Database(url)
        migrate(made)
        made.close()
        yield url
        return
    with copied(request.getfixturevalue("template")) as url:
        yield url


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """A database that is up to date and empty."""
    made = Database(address)
    yield made
    made.close()


@pytest.fixture
def needs(database: Database, tmp_path: Path) -> Needs:
    """A server with nobody on it."""
    return needs_of(database, tmp_path)


@pytest.fixture
def anna(needs: Needs) -> Person:
    """The owner of the server."""
    return owner_of(needs)


@pytest.fixture
def ben(needs: Needs, anna: Person) -> Person:
    """Somebody else on it."""
    return needs.accounts.accept(needs.accounts.invite(anna), "Ben", PASSWORD)


@pytest.fixture
def url(needs: Needs) -> Iterator[str]:
    """Where it is."""
    with serving(create_app(needs)) as address:
        yield address


@pytest.fixture
def pair(needs: Needs) -> Callable[[Person, str], str]:
    """Lets in a device of somebody's, and gives its token."""

    def paired(person: Person, name: str) -> str:
        return let_in(needs, person, name)

    return paired


@pytest.fixture
def token(pair: Callable[[Person, str], str], anna: Person) -> str:
    """Of a device of Anna's."""
    return pair(anna, "Laptop")
