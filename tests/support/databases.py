"""A PostgreSQL for whoever asks: the server's tests, and the contract of a library."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

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


@contextmanager
def copied(template: str) -> Iterator[str]:
    """A database that is up to date and empty, gone afterwards; its URL."""
    name = f"t{uuid.uuid4().hex}"
    admin = create_engine(template.format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template_kindlehl")
    try:
        yield template.format(name)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


@pytest.fixture(scope="session")
def libraries(template: str) -> Iterator[TableLibraries]:
    """A database in which everybody has a library."""
    with copied(template) as url, closing(Database(url)) as made:
        yield TableLibraries(made)


@pytest.fixture(scope="session")
def somebodys(libraries: TableLibraries) -> Callable[[], AbstractContextManager[Library]]:
    """Makes a library of somebody who had none."""
    return lambda: libraries.library(str(uuid.uuid4()))
