"""A library that an older kindlehl wrote is brought up to date when it is opened, whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.histories import edit, import_of, picture, record

from kindlehl import wire
from kindlehl.domain.errors import KindlehlError
from kindlehl.domain.withholding import HIGHLIGHTS, NOTES
from kindlehl.ports import Filter
from kindlehl.store import schema
from kindlehl.store.library import empty_library, open_library, read_library

BEST = record("highlight", "Tale (Dickens, Charles)", "It was the best of times", 5, 1, 1, False)
WORST = record("highlight", "Tale (Dickens, Charles)", "it was the worst of times", 8, 1, 2, False)
FACTS = (BEST, WORST, import_of(1, "clippings", [BEST, WORST]), edit(2, BEST.id, "note", "so true"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of version 1, as 0.1.0 left it before editing came; its derived tables say nothing that is used."""
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        for statement in schema.statements(schema.FACTS + schema.DERIVED + schema.MEMO + schema.VIEWS):
            db.execute(statement)
        db.execute("INSERT INTO settings VALUES ('fold', 1)")
        db.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
        db.execute(
            "INSERT INTO _sqlite_migrations VALUES ('kindlehl', 'facts_shelf_and_index', '2026-11-23T00:00:00+00:00')"
        )
        rows = [
            (n, n, fact.id, type(fact).__name__.lower(), 0, getattr(fact, "revision", 0), 0, wire.encode(fact))
            for n, fact in enumerate(FACTS, start=1)
        ]
        db.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.execute("PRAGMA user_version = 1")
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.commit()
    return path


@pytest.mark.parametrize("opened", [open_library, read_library], ids=["to change", "to look at"])
def test_it_shows_what_a_new_library_with_the_same_facts_shows(old: Path, opened: object) -> None:
    """Folded anew, with the columns and views of today; also by whoever only looks."""
    with closing(opened(old)) as library, closing(empty_library()) as new:
        with new.transaction():
            new.facts.add(FACTS)
            new.shelf.settle()
        assert picture(library) == picture(new)
        assert [h.note for h in library.shelf.highlights(Filter())] == ["so true", None]
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        assert db.execute("SELECT count(*) FROM v_highlights").fetchone() == (2,)


def test_its_facts_have_digests_as_though_they_had_always_had_them(old: Path) -> None:
    """Another library sees no difference."""
    with closing(open_library(old)) as library, closing(empty_library()) as new:
        with new.transaction():
            new.facts.add(FACTS)
        for digits, withheld in ((2, 0), (4, 0), (2, NOTES), (4, HIGHLIGHTS)):
            assert library.facts.digests(digits, withheld) == new.facts.digests(digits, withheld)
        assert library.facts.since(0, 9, 9_999) == new.facts.since(0, 9, 9_999)


def test_a_copy_as_it_was_is_kept_beside(old: Path) -> None:
    """Made before anything is changed."""
    open_library(old).close()
    with closing(sqlite3.connect(old.with_name("library.db.before-version-2"))) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM facts").fetchone() == (len(FACTS),)


def test_a_migration_that_fails_leaves_the_file_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it happens, or nothing."""
    monkeypatch.setattr(schema, "EDITING", schema.EDITING + "INSERT INTO nothing VALUES (1);")
    with pytest.raises(KindlehlError):
        open_library(old)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert "op" not in {name for _, name, *_ in db.execute("PRAGMA table_info(edits)")}
    monkeypatch.undo()
    open_library(old).close()
