"""What the server's tests may ask for: a database of each kind, and a server on it."""

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine
from support.postgres import programs, running
from support.served import serving

from kindlehl_server.accounts import Accounts, Pairing, Person
from kindlehl_server.app import create_app
from kindlehl_server.migrations import migrate
from kindlehl_server.needs import Needs
from kindlehl_server.store.database import Database
from kindlehl_server.store.libraries import FileLibraries

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A PostgreSQL; yields the beginning of a URL."""
    places = programs()
    if places is None:
        assert not os.environ.get("CI"), "PostgreSQL is not installed"
        pytest.skip("PostgreSQL is not installed: apt install postgresql-15")
    with running(places) as folder:
        yield f"postgresql+psycopg://postgres@/{{}}?host={folder}"


@pytest.fixture(scope="session")
def template(cluster: str) -> Iterator[str]:
    """A database that is up to date, to copy."""
    admin = create_engine(cluster.format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE template_kindlehl")
    made = Database(cluster.format("template_kindlehl"))
    migrate(made)
    made.close()
    yield cluster
    admin.dispose()


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
    cluster = request.getfixturevalue("template")
    name = f"t{uuid.uuid4().hex}"
    admin = create_engine(cluster.format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template_kindlehl")
    yield cluster.format(name)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """A database that is up to date and empty."""
    made = Database(address)
    yield made
    made.close()


@pytest.fixture
def needs(database: Database, tmp_path: Path) -> Needs:
    """A server with nobody on it."""

    def now() -> datetime:
        return datetime.now(UTC)

    accounts = Accounts(database, now, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Needs(accounts, Pairing(database, accounts, now), FileLibraries(tmp_path / "libraries"), now)


@pytest.fixture
def anna(needs: Needs) -> Person:
    """The owner of the server."""
    invitation = needs.accounts.first_invitation()
    assert invitation
    return needs.accounts.accept(invitation, "Anna", PASSWORD)


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
        started = needs.pairing.start(name, "192.0.2.7")
        needs.pairing.approve(person, started.code)
        token = needs.pairing.collect(started.secret)
        assert token
        return token

    return paired


@pytest.fixture
def token(pair: Callable[[Person, str], str], anna: Person) -> str:
    """Of a device of Anna's."""
    return pair(anna, "Laptop")
