"""A PostgreSQL for whoever asks: the server's tests, and the contract of a library."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import create_engine

from kindlehl.ports import Library
from kindlehl_server.migrations import migrate
from kindlehl_server.store.database import Database
from kindlehl_server.store.postgresql.library import TableLibraries
from support.postgres import programs, running


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


@pytest.fixture(scope="session")
def libraries(cluster: str) -> Iterator[TableLibraries]:
    """A database in which everybody has a library."""
    admin = create_engine(cluster.format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE libraries")
    made = Database(cluster.format("libraries"))
    migrate(made)
    yield TableLibraries(made)
    made.close()
    admin.dispose()


@pytest.fixture(scope="session")
def somebodys(libraries: TableLibraries) -> Callable[[], AbstractContextManager[Library]]:
    """Makes a library of somebody who had none."""
    return lambda: libraries.library(str(uuid.uuid4()))
