"""The statements of the store are such that every Python we support takes them."""

import re
from pathlib import Path

import kindlehl.store

NUMBERED = re.compile(r"\?\d")


def test_no_statement_numbers_its_parameters() -> None:
    """`?1` filled from a tuple: CPython 3.12 warns of it, 3.14 refuses it."""
    modules = list(Path(kindlehl.store.__file__).parent.glob("*.py"))
    assert modules
    assert [module.name for module in modules if NUMBERED.search(module.read_text("utf-8"))] == []
