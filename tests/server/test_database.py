"""The server's database, SQLite and PostgreSQL alike."""

import os
import sqlite3
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from support.databases import copied

from kindlehl.domain.errors import BusyError, LibraryError, NewerLibraryError, UsageError
from kindlehl_server.migrations import migrate
from kindlehl_server.store.database import Database
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.tables import invites, metadata


def an_invite(name: str) -> dict[str, str]:
    return {"digest": name, "role": "member", "expires_at": "2024-03-01T00:00:00Z"}


def test_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    """And once more they change nothing."""
    migrate(database)
    known = [metadata, tables.metadata] if database.engine.dialect.name == "postgresql" else metadata
    with database.reading() as db:
        assert compare_metadata(MigrationContext.configure(db), known) == []


def test_all_of_a_unit_of_work_happens_or_nothing(database: Database) -> None:
    """The next one works."""

    def fail() -> None:
        with database.writing() as db:
            db.execute(insert(invites).values(an_invite("a")))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.writing() as db:
        assert db.execute(select(invites)).all() == []
        db.execute(insert(invites).values(an_invite("b")))
    with database.reading() as db:
        assert len(db.execute(select(invites)).all()) == 1


def test_what_is_read_is_of_one_moment(database: Database) -> None:
    """Whatever others write meanwhile; and a reader writes nothing."""
    with database.reading() as db:
        assert db.execute(select(invites)).all() == []
        with database.writing() as other:
            other.execute(insert(invites).values(an_invite("a")))
        assert db.execute(select(invites)).all() == []


def test_text_is_ordered_as_python_orders_it(database: Database) -> None:
    """Whatever the locale: ids, times and titles are compared on both sides of a wire."""
    names = ["a", "B", "-b", "ä", "Z", "z", "0", "漢", "a-b", "ab", "\U0001f600", "\uffee"]
    with database.writing() as db:
        db.execute(insert(invites), [an_invite(name) for name in names])
        assert list(db.scalars(select(invites.c.digest).order_by(invites.c.digest))) == sorted(names)


def test_what_a_database_raises_is_a_sentence_without_anybodys_words(database: Database) -> None:
    """Neither the statement nor a value."""
    with pytest.raises(LibraryError) as told, database.writing() as db:
        db.execute(text("SELECT 'my diary' FROM nowhere"))
    assert "diary" not in told.value.message
    assert told.value.message.endswith(").")


def test_many_threads_write_at_once_and_nothing_is_lost(database: Database) -> None:
    """They wait for each other."""

    def write(name: str) -> None:
        for n in range(10):
            with database.writing() as db:
                db.execute(insert(invites).values(an_invite(f"{name}{n}")))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as db:
        assert len(db.execute(select(invites)).all()) == 60


def test_a_database_that_somebody_holds_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a time after which it may go better."""
    monkeypatch.setattr("kindlehl_server.store.database._WAIT", 0.05)
    database = Database(f"sqlite:///{tmp_path / 'server.db'}")
    migrate(database)
    holder = sqlite3.connect(tmp_path / "server.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError) as told, database.writing():
        pass
    assert told.value.retry_after == 1.0
    holder.close()
    database.close()


def test_a_database_all_of_whose_connections_are_taken_is_busy(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not broken."""
    monkeypatch.setattr("kindlehl_server.store.database._WAIT", 0.05)
    with copied(template) as url, closing(Database(url)) as database, ExitStack() as taken:
        for _ in range(20):
            taken.enter_context(database.reading())
        with pytest.raises(BusyError), database.reading():
            pass


@pytest.mark.parametrize("url", ["", "books", "mysql://x/y", "sqlite", "oracle://x", "postgres ql://x"])
def test_what_is_no_database_is_said_to_be_none(url: str) -> None:
    """With the two forms that are."""
    with pytest.raises(UsageError) as told:
        Database(url)
    assert "sqlite:///" in (told.value.hint or "")


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    """No password of a URL is in it."""
    database = Database("postgresql://me:secret@127.0.0.1:9/books")
    with pytest.raises(LibraryError) as told, database.reading():
        pass
    assert "secret" not in told.value.message
    database.close()


def test_a_newer_database_is_said_to_be_one(database: Database) -> None:
    """And stays as it is."""
    with database.writing() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(NewerLibraryError, match="newer kindlehl"):
        migrate(database)
    with database.reading() as db:
        assert db.scalar(text("SELECT version_num FROM alembic_version")) == "0099"


def test_a_file_is_for_nobody_but_its_owner(tmp_path: Path) -> None:
    """In a folder that is for all, with what lies beside it; one that others could read is not any more."""
    path, before = tmp_path / "server.db", os.umask(0o022)
    try:
        for was in (None, 0o644):
            if was:
                path.chmod(was)
                path.with_name("server.db-wal").touch(was)
            with closing(Database(f"sqlite:///{path}")) as database:
                migrate(database)
                with database.writing() as db:
                    db.execute(insert(invites).values(an_invite(str(was))))
                modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
            assert modes == {"server.db": 0o600, "server.db-wal": 0o600, "server.db-shm": 0o600}
    finally:
        os.umask(before)
