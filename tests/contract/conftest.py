"""Somebody of whom the commands are asked."""

from collections.abc import Iterator

import pytest
from support.household import household
from support.someone import Person, somebody


@pytest.fixture(scope="module")
def someone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Imported once for a module."""
    with household(tmp_path_factory.mktemp("household")) as server:
        yield somebody(tmp_path_factory.mktemp, server)


@pytest.fixture
def person(someone: Person) -> Iterator[Person]:
    """With the library as it was after the import."""
    someone.fresh()
    yield someone
    someone.library.parent.chmod(0o700)
