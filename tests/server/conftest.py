"""What the server's tests may ask for: a database, of each kind."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from kindlehl_server.migrations import migrate
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
