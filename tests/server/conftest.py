"""What the server's tests may ask for: a database, of each kind."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from support.postgres import programs, running

from kindlehl_server.migrations import migrate
from kindlehl_server.store.database import Database


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
