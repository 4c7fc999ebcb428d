"""What a restore does where a test of the whole program cannot easily go."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kindlehl.domain.errors import BusyError, LibraryError
from kindlehl.domain.facts import Import, new_id
from kindlehl.store import backup, connection, schema
from kindlehl.store.library import open_library
from kindlehl.store.restore import restore

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def made(path: Path, facts: int) -> Path:
    """A library with so many facts."""
    with closing(open_library(path)) as library, library.transaction():
        library.facts.add([Import(new_id(), "test", "2026-11-25T00:00:00Z", new_id(), ()) for _ in range(facts)])
    return path


def test_an_older_backup_is_migrated_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is of this version, the backup stays as it was, and no copy of it is left behind."""
    library = made(tmp_path / "data" / "library.db", 2)
    older = tmp_path / "older.db"
    backup.write(made(tmp_path / "source.db", 3), older, NOW)
    before = older.read_bytes()

    newer = schema.VERSION + 1

    def migrate(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE news (a)")
        db.execute(f"PRAGMA user_version = {newer}")

    monkeypatch.setattr(schema, "VERSION", newer)
    monkeypatch.setattr(schema, "migrate", migrate)
    kept = restore(older, library, NOW, 0)
    found = backup.contents(library)
    assert (found.version, found.facts, found.made) == (newer, 3, None)
    assert older.read_bytes() == before
    assert sorted(tmp_path.joinpath("data").iterdir()) == [library, kept]


def test_a_disk_without_links_keeps_the_old_library_by_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a USB stick; a disk on which neither goes changes nothing."""
    library = made(tmp_path / "data" / "library.db", 2)
    copy = tmp_path / "b.db"
    backup.write(made(tmp_path / "source.db", 3), copy, NOW)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with monkeypatch.context() as full:
        full.setattr("shutil.copy2", refuse)
        with pytest.raises(LibraryError, match="Nothing was changed"):
            restore(copy, library, NOW, 0)
    assert backup.contents(library).facts == 2
    kept = restore(copy, library, NOW, 0)
    assert kept
    assert (backup.contents(library).facts, backup.contents(kept).facts) == (3, 2)


def test_a_second_restore_of_one_second_keeps_both_libraries(tmp_path: Path) -> None:
    """Under names of their own."""
    library = made(tmp_path / "data" / "library.db", 2)
    copy = tmp_path / "b.db"
    backup.write(made(tmp_path / "source.db", 3), copy, NOW)
    kept = [restore(copy, library, NOW, 0) for _ in range(3)]
    assert [path and backup.contents(path).facts for path in kept] == [2, 3, 3]


def connect_to_read(path: Path) -> sqlite3.Connection:
    return connection.connect_to_read(path)[0]


@pytest.mark.parametrize("open_", [connection.connect, connect_to_read])
def test_a_file_that_is_replaced_while_it_is_opened_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_: Callable[[Path], sqlite3.Connection]
) -> None:
    """Between opening and the first look there is no lock yet: SQLite would mix the old file and the new one's log."""
    library = made(tmp_path / "data" / "library.db", 2)
    copy = tmp_path / "b.db"
    backup.write(made(tmp_path / "source.db", 3), copy, NOW)
    opened = connection.open_file
    slow = []

    def open_slowly(path: Path, mode: str, busy_ms: int) -> sqlite3.Connection:
        found = opened(path, mode, busy_ms)
        if path == library and not slow:
            slow.append(path)
            restore(copy, library, NOW, 0)
        return found

    monkeypatch.setattr(connection, "open_file", open_slowly)
    with pytest.raises(BusyError, match="replaced"):
        open_(library)
    open_(library).close()
    assert backup.contents(library).facts == 3


def test_what_was_restored_numbers_anew(tmp_path: Path) -> None:
    """So that whoever syncs with it begins anew, instead of trusting cursors that lead elsewhere."""
    library = made(tmp_path / "data" / "library.db", 2)
    with closing(open_library(library)) as held:
        before = held.peers.epoch()
    backup.write(library, tmp_path / "backup.db", NOW)
    restore(tmp_path / "backup.db", library, NOW, 0)
    with closing(open_library(library)) as held:
        assert held.peers.epoch() != before
