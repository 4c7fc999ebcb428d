"""A person at the command line."""

from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl


@pytest.fixture
def kindlehl(tmp_path: Path) -> Kindlehl:
    """Somebody who has never used the program."""
    return Kindlehl(tmp_path / "home")


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Kindlehl:
    """Somebody who has imported the sample, for tests that only look."""
    person = Kindlehl(tmp_path_factory.mktemp("reader") / "home")
    person.ok("import", SAMPLE)
    return person
