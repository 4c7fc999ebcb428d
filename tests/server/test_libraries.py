"""A library for each person."""

from pathlib import Path

import pytest
from support.histories import import_of, made_id, record

from kindlehl.domain.errors import LibraryError
from kindlehl_server.store.libraries import FileLibraries

HIS = record("highlight", "Tale (Dickens, Charles)", "It was the best of times", 5, 1, 1, False)


def test_each_person_has_one_and_it_stays(tmp_path: Path) -> None:
    """Nobody else on the machine can look into it."""
    libraries = FileLibraries(tmp_path / "libraries")
    with libraries.library(made_id(1)) as library, library.transaction():
        library.facts.add([HIS, import_of(1, "clippings", [HIS])])
    with libraries.library(made_id(2)) as other:
        assert other.facts.head() == 0
    with libraries.library(made_id(1)) as library:
        assert library.facts.head() == 2
    assert libraries.path(made_id(1)).parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("owner", ["", "..", "../x", "/etc", "a/b", "x" * 36, f"{made_id(1)}/..", f"{made_id(1)}\n"])
def test_what_is_nobodys_id_names_no_file(tmp_path: Path, owner: str) -> None:
    """Nothing is made."""
    with pytest.raises(LibraryError), FileLibraries(tmp_path / "libraries").library(owner):
        pass
    assert list(tmp_path.iterdir()) == []
