"""Somebody whose Kindle was lent to an enemy."""

from pathlib import Path

import pytest
from support.cli import Kindlehl


@pytest.fixture
def kindlehl(tmp_path: Path) -> Kindlehl:
    """Somebody who has never used the program."""
    return Kindlehl(tmp_path / "home")
