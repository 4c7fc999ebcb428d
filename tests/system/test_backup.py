"""Backups and restores: whole, while others work, and the reader's library is never lost."""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import (
    SAMPLE,
    Kindlehl,
    bound_by_permissions,
    complaint,
    contents,
    disk,
    facts,
    fill,
    highlight,
    many,
    query,
    shown,
    written,
)

KILLS = int(os.environ.get("KINDLEHL_KILLS", "20"))


@pytest.fixture
def holder(kindlehl: Kindlehl) -> Iterator[Kindlehl]:
    """Somebody with a library; whatever a test does to backups, it is the same byte for byte afterwards."""
    kindlehl.ok("import", SAMPLE)
    before = kindlehl.library.read_bytes()
    yield kindlehl
    assert kindlehl.library.read_bytes() == before
    assert not [name for name in contents(kindlehl.library.parent) if name.startswith("library.db-")]


@pytest.fixture
def changed(kindlehl: Kindlehl) -> Kindlehl:
    """Somebody with a backup `b.db`, and more in the library than in it."""
    kindlehl.ok("import", SAMPLE)
    kindlehl.ok("db", "backup", kindlehl.home / "b.db")
    kindlehl.ok("import", written(kindlehl.home / "c.txt", many(50)))
    return kindlehl


def backups(kindlehl: Kindlehl) -> list[str]:
    return sorted(path.name for path in (kindlehl.library.parent / "backups").iterdir())


def kept(kindlehl: Kindlehl) -> list[Path]:
    return sorted(kindlehl.library.parent.glob("library.db.replaced-*"))


class TestBackup:
    """`db backup`."""

    def test_a_backup_holds_and_shows_the_same(self, holder: Kindlehl) -> None:
        """Named, dated, into a folder, and through a pipe: one file without a log beside it, which is sound."""
        folder = holder.home / "folder"
        folder.mkdir()
        holder.ok("db", "backup", "named.db")
        holder.ok("db", "backup")
        holder.ok("db", "backup", folder)
        holder.ok("db", "backup", f"{holder.home}/new/deep/")
        with (
            (holder.home / "piped.db").open("wb") as stream,
            holder.start("db", "backup", "-", stdout=stream) as process,
        ):
            assert process.wait(60) == 0
        made = [
            holder.home / "named.db", holder.home / "piped.db", *(holder.library.parent / "backups").iterdir(),
            *folder.iterdir(), *(holder.home / "new" / "deep").iterdir(),
        ]  # fmt: skip
        assert len(made) == 5
        for file in made:
            assert (facts(file), shown(file)) == (facts(holder.library), shown(holder.library))
            assert query(file, "PRAGMA integrity_check") == [("ok",)]
            assert query(file, "PRAGMA journal_mode") == [("delete",)]

    def test_the_report_for_programs(self, holder: Kindlehl) -> None:
        """What is in it and where it is."""
        done = holder("db", "backup", "--json").json
        assert done["schema"] == "kindlehl/backup/1"
        assert (done["facts"], done["highlights"], done["books"], done["removed"]) == (27, 17, 9, [])
        assert Path(done["path"]).stat().st_size == done["bytes"]

    def test_a_backup_under_load_is_of_one_moment(self, kindlehl: Kindlehl) -> None:
        """While another imports: each backup is as before that import or as after it, and the import goes on."""
        kindlehl.ok("import", SAMPLE)
        file = written(kindlehl.home / "c.txt", many(3000))
        with kindlehl.start("import", file) as process:
            found: set[int] = set()
            while process.poll() is None:
                kindlehl.ok("db", "backup", "b.db")
                assert query(kindlehl.home / "b.db", "PRAGMA integrity_check") == [("ok",)]
                found.add(len(shown(kindlehl.home / "b.db")))
            assert process.returncode == 0
        assert 19 in found
        assert found <= {19, len(shown(kindlehl.library))}

    def test_a_backup_is_compact(self, kindlehl: Kindlehl) -> None:
        """Pages that were left empty are not copied."""
        kindlehl.ok("import", written(kindlehl.home / "c.txt", many(200)))
        query(kindlehl.library, "CREATE TABLE more AS SELECT * FROM facts")
        query(kindlehl.library, "DROP TABLE more")
        assert query(kindlehl.library, "PRAGMA freelist_count")[0][0] > 0
        kindlehl.ok("db", "backup", "b.db")
        assert query(kindlehl.home / "b.db", "PRAGMA freelist_count") == [(0,)]

    def test_a_named_backup_is_replaced_and_nothing_else_is(self, holder: Kindlehl) -> None:
        """Neither the library itself, under any name, nor another library, nor anything that is no backup."""
        holder.ok("db", "backup", "b.db")
        holder.ok("db", "backup", "b.db")
        other = holder.home / "other.db"
        shutil.copy(holder.library, other)
        (holder.home / "link.db").symlink_to(holder.library)
        written(holder.home / "diary.txt", "Dear diary")
        (holder.home / "empty").touch()
        (holder.home / "new.db-wal").touch()
        before = contents(holder.home)
        assert "library itself" in complaint(holder("db", "backup", holder.library), 2)
        assert "library itself" in complaint(holder("db", "backup", "link.db"), 2)
        for name in ("other.db", "diary.txt", "empty"):
            assert "no backup" in complaint(holder("db", "backup", name), 1)
        assert "in the way" in complaint(holder("db", "backup", "new.db"), 1)
        assert contents(holder.home) == before

    def test_a_full_disk_leaves_the_last_backup_and_nothing_besides(self, holder: Kindlehl, tmp_path: Path) -> None:
        """A sentence, exit 1."""
        with disk(tmp_path / "small", "2m") as small:
            holder.ok("db", "backup", small / "b.db")
            before = (small / "b.db").read_bytes()
            fill(small, leave=100_000)
            assert "room" in complaint(holder("db", "backup", small / "b.db"), 1)
            assert (small / "b.db").read_bytes() == before
            assert sorted(path.name for path in small.iterdir()) == ["b.db", "ballast"]

    def test_a_place_that_may_not_be_written_is_a_sentence(self, holder: Kindlehl) -> None:
        """It names the folder."""
        person = Kindlehl(holder.home, prefix=bound_by_permissions())
        folder = holder.home / "locked"
        folder.mkdir(mode=0o500)
        assert "locked" in complaint(person("db", "backup", folder / "b.db"), 1)
        assert "b.txt" in complaint(holder("db", "backup", written(folder / "b.txt", "x") / "b.db"), 1)

    def test_without_a_library_nothing_is_made(self, kindlehl: Kindlehl) -> None:
        """Not even the folder."""
        complaint(kindlehl("db", "backup"), 1)
        assert not list(kindlehl.home.iterdir())

    def test_a_damaged_library_makes_no_backup(self, kindlehl: Kindlehl) -> None:
        """The last good one stays; `verify` says what is wrong."""
        kindlehl.ok("import", written(kindlehl.home / "c.txt", many(400)))
        kindlehl.ok("db", "backup", "b.db")
        before = (kindlehl.home / "b.db").read_bytes()
        spoil(kindlehl.library)
        complaint(kindlehl("db", "backup", "b.db"), 1)
        assert (kindlehl.home / "b.db").read_bytes() == before

    @pytest.mark.parametrize(
        "more", [["b.db", "--keep", "7d"], ["-", "--keep", "7d"], ["-", "--json"], ["--keep", "7"]]
    )
    def test_what_makes_no_sense_is_refused(self, holder: Kindlehl, more: list[str]) -> None:
        """Exit 2, and nothing is written."""
        complaint(holder("db", "backup", *more), 2)
        assert sorted(path.name for path in holder.home.iterdir()) == ["data"]

    def test_a_backup_is_nothing_for_a_terminal(self, holder: Kindlehl) -> None:
        """It would only beep."""
        assert holder.on_terminal("db", "backup", "-").code == 2


class TestKeep:
    """`--keep`."""

    def aged(self, holder: Kindlehl, *days: str) -> None:
        """Backups of these days."""
        holder.ok("db", "backup")
        (made,) = (holder.library.parent / "backups").iterdir()
        for day in days:
            shutil.copy(made, made.with_name(f"kindlehl-{day}T030000Z.db"))
        made.unlink()

    def test_only_what_the_policy_keeps_stays(self, holder: Kindlehl) -> None:
        """And the one just written always."""
        self.aged(holder, "20260101", "20260131", "20260201", "20260202")
        done = holder("db", "backup", "--keep", "2d,2m", "--json").json
        assert [name[9:17] for name in backups(holder)][:-1] == ["20260202"]
        assert Path(done["path"]).name in backups(holder)
        assert len(done["removed"]) == 3

    def test_the_configuration_may_say_which(self, holder: Kindlehl) -> None:
        """And where; a named file has nothing to do with it."""
        self.aged(holder, "20260101", "20260102")
        holder.ok("config", "set", "backup.keep", "1d")
        holder.ok("db", "backup", "b.db")
        assert len(backups(holder)) == 2
        assert "Removed 2 older backups" in holder.ok("db", "backup")
        assert len(backups(holder)) == 1

    def test_nothing_is_removed_that_is_not_ours(self, holder: Kindlehl) -> None:
        """Neither what only has the name, nor what only has the content, nor another library's backups."""
        self.aged(holder, "20260101")
        folder = holder.library.parent / "backups"
        shutil.copy(folder / "kindlehl-20260101T030000Z.db", folder / "mine.db")
        written(folder / "kindlehl-20260102T030000Z.db", "Dear diary")
        (folder / "kindlehl-20260103T030000Z.db").symlink_to(folder / "mine.db")
        (folder / "kindlehl-20260104T030000Z.db").mkdir()
        shutil.copy(folder / "mine.db", folder / "kindlehl-20269999T030000Z.db")
        holder.ok("import", SAMPLE, "--library", holder.home / "other.db")
        theirs = holder("db", "backup", "--library", holder.home / "other.db", "--keep", "1d", "--json").json
        assert theirs["removed"] == []
        mine = holder("db", "backup", "--keep", "1d", "--json").json
        assert mine["removed"] == [str(folder / "kindlehl-20260101T030000Z.db")]
        assert len(backups(holder)) == 7

    def test_a_backup_from_the_future_does_not_cost_the_one_just_written(self, holder: Kindlehl) -> None:
        """A clock that was wrong once."""
        self.aged(holder, "20990101")
        done = holder("db", "backup", "--keep", "1d", "--json").json
        assert done["removed"] == []
        assert len(backups(holder)) == 2


class TestRestore:
    """`db restore`."""

    def test_a_restored_library_is_the_one_that_was_backed_up(self, changed: Kindlehl) -> None:
        """The one it replaces is kept beside it, whole, and named."""
        was = facts(changed.library), shown(changed.library)
        backup = changed.home / "b.db"
        before = backup.read_bytes()
        out = changed.ok("db", "restore", "b.db", "--yes")
        assert (facts(changed.library), shown(changed.library)) == (facts(backup), shown(backup))
        (old,) = kept(changed)
        assert str(old) in out
        assert (facts(old), shown(old)) == was
        assert backup.read_bytes() == before
        assert sorted(contents(changed.library.parent)) == ["library.db", old.name]
        assert query(changed.library, "PRAGMA journal_mode") == [("wal",)]
        changed.ok("db", "verify", "--deep")
        changed.ok("db", "restore", old, "--yes")
        assert (facts(changed.library), shown(changed.library)) == was

    def test_a_library_moves_to_another_machine(self, changed: Kindlehl, tmp_path: Path) -> None:
        """Where there is none, nobody is asked; from standard input too."""
        for n, name in enumerate(("b.db", "-")):
            other = Kindlehl(tmp_path / str(n))
            source = changed.home / "b.db"
            other.ok("db", "restore", source if name == "b.db" else "-", stdin=source.read_bytes())
            assert facts(other.library) == facts(source)
            assert sorted(contents(other.library.parent)) == ["library.db"]
            assert "0 new" in other.ok("import", SAMPLE)

    def test_nobody_to_ask_is_exit_2_naming_the_flag(self, changed: Kindlehl) -> None:
        """Nothing is changed; on a terminal the answer decides."""
        before = contents(changed.library.parent)
        assert "--yes" in complaint(changed("db", "restore", "b.db"), 2)
        assert changed.on_terminal("db", "restore", "b.db", "--no-input").code == 2
        assert contents(changed.library.parent) == before
        assert answered(changed, b"n\n") == 1
        assert answered(changed, b"\x04") == 1
        assert contents(changed.library.parent) == before
        assert answered(changed, b"y\n") == 0
        assert len(kept(changed)) == 1

    def test_a_dry_run_changes_nothing(self, changed: Kindlehl) -> None:
        """It says what would happen, and asks nothing."""
        before = contents(changed.library.parent)
        done = changed("db", "restore", "b.db", "--dry-run", "--json").json
        assert (done["schema"], done["dry_run"], done["highlights"], done["kept"]) == (
            "kindlehl/restore/1", True, 17, None,
        )  # fmt: skip
        assert contents(changed.library.parent) == before

    def test_a_folder_is_no_library_to_replace(self, changed: Kindlehl) -> None:
        """Nothing is made in it or beside it."""
        folder = changed.home / "folder"
        folder.mkdir()
        before = contents(changed.home)
        complaint(changed("db", "restore", "b.db", "--yes", "--library", folder), 1)
        assert contents(changed.home) == before

    @pytest.mark.parametrize("what", ["truncated", "spoiled", "text", "foreign", "newer", "empty", "folder", "missing"])
    def test_what_is_no_whole_backup_is_refused_and_nothing_changes(self, changed: Kindlehl, what: str) -> None:
        """A sentence each; exit 1, or 2 where no file was named."""
        backup = changed.home / "bad.db"
        changed.ok("db", "backup", backup)
        data = backup.read_bytes()
        match what:
            case "truncated":
                backup.write_bytes(data[: len(data) * 2 // 3])
            case "spoiled":
                spoil(backup)
            case "text":
                backup.write_bytes(b"Dear diary,\n" * 500)
            case "foreign":
                backup.unlink()
                query(backup, "CREATE TABLE a (b)")
            case "newer":
                query(backup, "PRAGMA user_version = 99")
            case "empty":
                backup.write_bytes(b"")
            case "folder":
                backup.unlink()
                backup.mkdir()
            case _:
                backup.unlink()
        before = contents(changed.home)
        told = complaint(changed("db", "restore", "bad.db", "--yes"), 2 if what == "folder" else 1)
        assert "bad.db" in told
        assert contents(changed.home) == before

    def test_the_library_is_no_backup_of_itself(self, changed: Kindlehl) -> None:
        """Under no name."""
        (changed.home / "link.db").symlink_to(changed.library)
        for name in (changed.library, "link.db"):
            complaint(changed("db", "restore", name, "--yes"), 2)
        assert kept(changed) == []

    def test_whoever_has_the_library_open_is_not_robbed_of_it(self, changed: Kindlehl) -> None:
        """Exit 75, whether they read or write; afterwards it goes on."""
        was = facts(changed.library)
        for statement in ("SELECT count(*) FROM facts", "BEGIN IMMEDIATE"):
            with closing(sqlite3.connect(changed.library, isolation_level=None)) as other:
                other.execute(statement).fetchall()
                told = complaint(changed("--wait", "0.2", "db", "restore", "b.db", "--yes"), 75)
                assert "open" in told
            assert facts(changed.library) == was
            assert kept(changed) == []
        changed.ok("db", "restore", "b.db", "--yes")

    def test_what_is_in_the_log_of_either_is_not_lost(self, changed: Kindlehl) -> None:
        """A library that a crash left with a log, and a copy of one that somebody made with its log."""
        crash(changed, "d.txt", highlight("Only in the log."))
        for name in ("copy.db", "looked-at.db"):
            for suffix in ("", "-wal"):
                shutil.copy(f"{changed.library}{suffix}", f"{changed.home / name}{suffix}")
        was = facts(changed.home / "looked-at.db")
        assert any("Only in the log." in body for _, body in was)
        changed.ok("db", "restore", "b.db", "--yes")
        (old,) = kept(changed)
        assert facts(old) == was
        assert len(facts(changed.library)) == 27
        shutil.copy(changed.home / "copy.db-wal", changed.home / "wal")
        changed.ok("db", "restore", "copy.db", "--yes")
        assert facts(changed.library) == was
        assert (changed.home / "copy.db-wal").read_bytes() == (changed.home / "wal").read_bytes()

    def test_a_library_that_is_past_opening_is_replaced_and_kept(self, changed: Kindlehl) -> None:
        """This is what backups are for."""
        changed.library.write_bytes(b"\x01" * 50_000)
        (changed.library.parent / "library.db-wal").write_bytes(b"left over")
        changed.ok("db", "restore", "b.db", "--yes")
        assert len(facts(changed.library)) == 27
        assert sorted(path.name.rpartition("Z")[2] for path in kept(changed)) == ["", "-wal"]
        assert kept(changed)[0].read_bytes() == b"\x01" * 50_000

    def test_somebody_elses_database_and_a_newer_library_are_not_replaced(self, changed: Kindlehl) -> None:
        """A wrong `--library` must not cost anybody a file."""
        foreign = changed.home / "foreign.db"
        query(foreign, "CREATE TABLE a (b)")
        newer = changed.home / "newer.db"
        shutil.copy(changed.library, newer)
        query(newer, "PRAGMA user_version = 99")
        before = contents(changed.home)
        for path in (foreign, newer):
            complaint(changed("db", "restore", "b.db", "--yes", "--library", path), 1)
        assert contents(changed.home) == before

    def test_a_link_stays_a_link(self, changed: Kindlehl) -> None:
        """The library may lie on another disk."""
        real = changed.home / "disk" / "real.db"
        real.parent.mkdir()
        changed.library.rename(real)
        changed.library.symlink_to(real)
        changed.ok("db", "restore", "b.db", "--yes")
        assert changed.library.is_symlink()
        assert len(facts(real)) == 27
        assert len(list(real.parent.iterdir())) == 2

    def test_a_full_disk_changes_nothing(self, changed: Kindlehl, tmp_path: Path) -> None:
        """A sentence; the library is as it was, and alone."""
        with disk(tmp_path / "small", "4m") as small:
            shutil.copy(changed.library, small / "library.db")
            fill(small, leave=200_000)
            before = contents(small)
            told = complaint(changed("db", "restore", "b.db", "--yes", "--library", small / "library.db"), 1)
            assert "room" in told
            assert contents(small) == before


class TestKill:
    """kill -9 at any moment."""

    def test_a_killed_backup_leaves_the_last_one_whole(self, kindlehl: Kindlehl) -> None:
        """And the library as it was; the next backup completes."""
        kindlehl.ok("import", written(kindlehl.home / "c.txt", many(1500)))
        kindlehl.ok("db", "backup", "b.db")
        before = kindlehl.library.read_bytes()
        begun = time.monotonic()
        kindlehl.ok("db", "backup", "b.db")
        duration = time.monotonic() - begun
        dice = random.Random("backup")
        for n in range(KILLS):
            killed(kindlehl, duration * (n + dice.random()) / KILLS, "db", "backup", "b.db")
            assert query(kindlehl.home / "b.db", "PRAGMA integrity_check") == [("ok",)]
            assert facts(kindlehl.home / "b.db") == facts(kindlehl.library)
        for suffix in ("-wal", "-shm"):
            kindlehl.library.with_name(f"library.db{suffix}").unlink(missing_ok=True)
        assert kindlehl.library.read_bytes() == before
        assert "b.db" in kindlehl.ok("db", "backup", "b.db")

    def test_a_killed_restore_leaves_the_library_before_it_or_after_it(self, kindlehl: Kindlehl) -> None:
        """Whole, alone or with what it replaced; nothing that was there is gone."""
        kindlehl.ok("import", SAMPLE)
        kindlehl.ok("db", "backup", "b.db")
        kindlehl.ok("import", written(kindlehl.home / "c.txt", many(1500)))
        old = kindlehl.library.read_bytes()
        was, now = facts(kindlehl.library), facts(kindlehl.home / "b.db")
        begun = time.monotonic()
        kindlehl.ok("db", "restore", "b.db", "--yes")
        duration = time.monotonic() - begun
        dice = random.Random("restore")
        seen: set[bool] = set()
        for n in range(KILLS):
            shutil.rmtree(kindlehl.library.parent)
            kindlehl.library.parent.mkdir()
            kindlehl.library.write_bytes(old)
            killed(kindlehl, duration * (0.5 + 0.6 * (n + dice.random()) / KILLS), "db", "restore", "b.db", "--yes")
            found = facts(kindlehl.library)
            assert query(kindlehl.library, "PRAGMA integrity_check") == [("ok",)]
            assert found in (was, now)
            seen.add(found == now)
            if found == now:
                assert [facts(path) for path in kept(kindlehl)] == [was]
            kindlehl.ok("list", "--plain")
        assert seen == {False, True}

    def test_what_a_killed_one_left_goes_after_a_day(self, holder: Kindlehl) -> None:
        """Not before: it may still run."""
        old, new, mine = (holder.home / name for name in (".kindlehl-old", ".kindlehl-new", "kindlehl-mine"))
        for folder in (old, new, mine):
            written(folder / "backup.db", "half")
        for folder in (old, mine):
            os.utime(folder, (1, 1))
        holder.ok("db", "backup", holder.home / "b.db")
        assert [path.exists() for path in (old, new, mine)] == [False, True, True]


def spoil(file: Path) -> None:
    """Damage pages in the middle."""
    data = bytearray(file.read_bytes())
    for page in range(2, len(data) // 16_384, 3):
        data[page * 16_384 : page * 16_384 + 64] = b"\xff" * 64
    file.write_bytes(data)


def killed(kindlehl: Kindlehl, after: float, *command: str) -> None:
    with kindlehl.start(*command) as process:
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)


def crash(kindlehl: Kindlehl, name: str, text: str) -> None:
    """An import that is done and killed before its log was brought into the file."""
    other = sqlite3.connect(kindlehl.library, isolation_level=None)
    other.execute("SELECT * FROM facts").fetchone()
    kindlehl.ok("import", written(kindlehl.home / name, text))
    log = kindlehl.library.with_name("library.db-wal").read_bytes()
    base = kindlehl.library.read_bytes()
    other.close()
    kindlehl.library.write_bytes(base)
    kindlehl.library.with_name("library.db-wal").write_bytes(log)
    assert len(log) > 0


def answered(kindlehl: Kindlehl, answer: bytes) -> int:
    """The exit code of a restore on a terminal where somebody types this."""
    import pty

    master, slave = pty.openpty()
    with kindlehl.start("db", "restore", "b.db", stdin=slave) as process:
        os.close(slave)
        os.write(master, answer)
        process.communicate(timeout=60)
    os.close(master)
    return process.returncode
