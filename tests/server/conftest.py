"""What the server's tests may ask for: a database, of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.databases import copied

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
    with copied(request.getfixturevalue("template")) as url:
        yield url


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """A database that is up to date and empty."""
    made = Database(address)
    yield made
    made.close()
