"""What goes wrong in the world: each time a sentence with a hint, an exit code, and a library that is as it was."""

import errno
import io
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
    digest,
    disk,
    facts,
    files_up_to,
    fill,
    highlight,
    many,
    query,
    read_only,
    shown,
    written,
)

from kindlehl.domain.errors import LibraryError, SourceError
from kindlehl.services import importing, sources
from kindlehl.store.library import open_library
from kindlehl_plugins.clippings import ClippingsImporter

BIG = 3000


@pytest.fixture
def holder(kindlehl: Kindlehl) -> Iterator[Kindlehl]:
    """Somebody with a library; whatever a test does to the world, it holds and shows the same afterwards."""
    kindlehl.ok("import", SAMPLE)
    before = digest(kindlehl.library)
    yield kindlehl
    assert digest(kindlehl.library) == before
    assert query(kindlehl.library, "PRAGMA integrity_check") == [("ok",)]


class TestSources:
    """Sources that are none, or that fail."""

    def test_an_empty_file_is_no_error(self, holder: Kindlehl) -> None:
        """A sentence, exit 0: a new Kindle has nothing to tell yet."""
        complaint(holder("import", written(holder.home / "empty.txt")), 0)

    def test_a_file_of_nothing_but_white_space_and_marks_leaves_the_library_as_it_is(self, holder: Kindlehl) -> None:
        """A mark of byte order, blank lines, separators: nothing to import, and no bug."""
        for n, data in enumerate(
            (b"\xef\xbb\xbf", b"\r\n\r\n \n", b"==========\r\n==========\r\n", b"\xff\xfe", b"\0" * 99)
        ):
            path = holder.home / f"My Clippings {n}.txt"
            path.write_bytes(data)
            done = holder("import", path)
            assert done.code in (0, 1)
            assert "Traceback" not in done.err
            assert "bug in" not in done.err
            assert done.err.count("\n") <= 5

    def test_a_folder_without_sources_is_no_source(self, holder: Kindlehl) -> None:
        """Exit 5, as when no Kindle is plugged in."""
        folder = holder.home / "folder"
        written(folder / "notes.md", "# Hello\n")
        complaint(holder("import", folder), 5)

    @pytest.mark.parametrize("name", ["book.azw3", "-"])
    def test_a_binary_is_refused(self, holder: Kindlehl, name: str) -> None:
        """By name and from standard input."""
        data = random.Random(1).randbytes(200_000)
        path = holder.home / name
        if name != "-":
            path.write_bytes(data)
        complaint(holder("import", name if name == "-" else path, stdin=data), 1)

    def test_an_sqlite_database_is_no_source(self, holder: Kindlehl) -> None:
        """Not even our own library."""
        complaint(holder("import", holder.library), 1)

    def test_a_file_that_is_not_there_is_a_sentence(self, holder: Kindlehl) -> None:
        """It names the path."""
        assert "missing.txt" in complaint(holder("import", holder.home / "missing.txt"), 1)

    def test_an_unreadable_file_is_a_sentence(self, holder: Kindlehl) -> None:
        """Permission denied, by name and inside a folder; the other files of a folder are imported."""
        person = Kindlehl(holder.home, prefix=bound_by_permissions())
        path = written(holder.home / "folder" / "My Clippings.txt", highlight("Secret."))
        path.chmod(0)
        assert str(path) in complaint(person("import", path), 1)
        complaint(person("import", path.parent), 5)

    def test_a_device_that_goes_half_way_leaves_the_library_as_it_was(self, tmp_path: Path) -> None:
        """A read fails in the middle: nothing of the file is imported."""

        class Vanishing(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell() > 1 << 20:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                return super().read(size)

        library = open_library(tmp_path / "library.db")
        stream = Vanishing(many(9000).encode())
        with (
            pytest.raises(SourceError, match="half-way"),
            sources.opened(stream, "My Clippings.txt", "the Kindle", [ClippingsImporter()]) as source,
        ):
            importing.import_sources(library, [source])
        library.close()
        assert facts(tmp_path / "library.db") == []

    def test_an_importer_that_fails_half_way_leaves_the_library_as_it_was(self, tmp_path: Path) -> None:
        """After thousands of records were added: the transaction is undone, and the next import is whole."""

        class Failing(ClippingsImporter):
            def read(self, bundle):
                for n, record in enumerate(super().read(bundle)):
                    if n == 5000:
                        raise SourceError("It is gone.", hint="Try again.")
                    yield record

        path = tmp_path / "library.db"
        library = open_library(path)
        file = written(tmp_path / "c.txt", many(5000))
        with sources.opened_path(SAMPLE, [ClippingsImporter()]) as source:
            importing.import_sources(library, [source])
        before = digest(path)
        with sources.opened_path(file, [Failing()]) as source, pytest.raises(SourceError):
            importing.import_sources(library, [source])
        assert digest(path) == before
        with sources.opened_path(file, [ClippingsImporter()]) as source:
            assert importing.import_sources(library, [source]).effects.highlights == 5000
        library.close()
        assert len(shown(path)) == 5019

    def test_a_file_that_grows_while_it_is_read_is_imported_as_far_as_it_was_there(self, kindlehl: Kindlehl) -> None:
        """The second half comes with the next import; nothing is there twice."""
        half = [highlight("One."), highlight("Two, which is cut in the mid", start=50)]
        path = written(kindlehl.home / "c.txt", "".join(half).removesuffix("==========\n"))
        assert kindlehl("import", path).code in (0, 3)
        written(path, *half, highlight("Three.", start=90))
        assert kindlehl("import", path).code == 0
        texts = [item["text"] for item in kindlehl("list", "--json").json["items"]]
        assert texts == ["One.", "Two, which is cut in the mid", "Three."]


class TestFullDisk:
    """No room."""

    def test_a_full_disk_during_an_import(self, tmp_path: Path) -> None:
        """Wherever the room ends, the library holds and shows what it did; with room again the import is whole."""
        file = written(tmp_path / "c.txt", many(BIG))
        ends = set()
        with disk(tmp_path / "disk", "24m") as small:
            kindlehl = Kindlehl(tmp_path / "home")
            library = small / "library.db"
            kindlehl.ok("import", SAMPLE, "--library", library)
            before = digest(library)
            for leave in (0, 8_192, 65_536, 300_000, 1_000_000, 2_000_000, 3_000_000):
                fill(small, leave)
                done = kindlehl("import", file, "--library", library)
                ends.add(done.code)
                if done.code == 0:
                    break
                assert "full" in complaint(done, 1)
                (small / "ballast").unlink()
                assert digest(library) == before
                assert query(library, "PRAGMA integrity_check") == [("ok",)]
                assert not [path for path in small.iterdir() if path.name.endswith((".part", ".before"))]
            (small / "ballast").unlink(missing_ok=True)
            kindlehl.ok("import", file, "--library", library)
            assert len(shown(library)) == BIG + 19
        assert 1 in ends

    def test_a_full_disk_when_the_library_is_to_be_made(self, tmp_path: Path) -> None:
        """A sentence; once there is room, the import is as on any other day."""
        kindlehl = Kindlehl(tmp_path / "home")
        with disk(tmp_path / "disk", "8m") as small:
            library = small / "library.db"
            for leave in (0, 4_096, 40_000, 100_000):
                fill(small, leave)
                done = kindlehl("import", SAMPLE, "--library", library)
                if done.code:
                    complaint(done, 1)
                (small / "ballast").unlink()
                assert kindlehl("list", "--plain", "--library", library).code == 0
            kindlehl("import", SAMPLE, "--library", library)
            assert len(shown(library)) == 19

    @pytest.mark.parametrize("kilobytes", [100, 400, 1500])
    def test_a_limit_on_the_size_of_files_during_an_import(self, holder: Kindlehl, kilobytes: int) -> None:
        """The same without root: writing fails from some size on."""
        file = written(holder.home / "c.txt", many(BIG))
        complaint(holder("import", file, before=files_up_to(kilobytes * 1024), env={"TMPDIR": "/tmp"}), 1)

    def test_a_database_that_may_not_grow(self, tmp_path: Path) -> None:
        """SQLite's own word for it, at the store."""
        path = tmp_path / "library.db"
        library = open_library(path)
        with sources.opened_path(SAMPLE, [ClippingsImporter()]) as source:
            importing.import_sources(library, [source])
        before = digest(path)
        library._db.execute("PRAGMA max_page_count = 40")
        file = written(tmp_path / "c.txt", many(BIG))
        with sources.opened_path(file, [ClippingsImporter()]) as source, pytest.raises(LibraryError, match="full"):
            importing.import_sources(library, [source])
        assert digest(path) == before
        library._db.execute("PRAGMA max_page_count = 1000000")
        with sources.opened_path(file, [ClippingsImporter()]) as source:
            assert importing.import_sources(library, [source]).effects.highlights == BIG
        library.close()

    @pytest.mark.parametrize("size", [6_000, 20_000, 2_000_000])
    def test_no_room_for_the_private_copy_of_a_source(self, holder: Kindlehl, tmp_path: Path, size: int) -> None:
        """A small file fails when it is closed, a big one on the way: a sentence each time, and nothing is imported."""
        with disk(tmp_path / "disk", "64k") as small:
            fill(small, 4096)
            source = written(tmp_path / "c.txt", highlight("words " * (size // 6)))
            complaint(holder("import", source, env={"TMPDIR": str(small)}), 1)
            assert [path.name for path in small.iterdir()] == ["ballast"]

    @pytest.mark.parametrize("format_", ["csv", "json", "markdown"])
    def test_a_full_disk_during_an_export(self, holder: Kindlehl, tmp_path: Path, format_: str) -> None:
        """What was there before is as it was, whole; what could not be written is not there by half."""
        with disk(tmp_path / "disk", "4m") as small:
            target = small / "out" if format_ == "markdown" else small / f"all.{format_}"
            holder.ok("export", format_, "--to", target)
            old = holder.home / "old.db"
            shutil.copy(holder.library, old)
            holder.ok("import", written(holder.home / "c.txt", many(BIG)), "--library", old)
            before = {name: held for name, held in contents(small).items() if name != "ballast"}
            fill(small, 20_000)
            complaint(holder("export", format_, "--to", target, "--library", old), 1)
            (small / "ballast").unlink()
            after = contents(small)
            assert {name: after.get(name) for name in before} == before
            done = holder("export", format_, "--to", target, "--library", old)
            assert done.code == 0, done


class TestReadOnly:
    """A library that may only be read."""

    LOOKS = (["list", "--plain"], ["books"], ["search", "woods"], ["export", "csv", "--to", "-"])

    def test_a_file_and_folder_without_permission_to_write_can_be_looked_at(self, holder: Kindlehl) -> None:
        """Looking and exporting work; an import and a rebuild say that it is read-only."""
        person = Kindlehl(holder.home, prefix=bound_by_permissions())
        folder = holder.library.parent
        expected = [holder.ok(*look) for look in self.LOOKS]
        for file_mode, folder_mode in ((0o444, 0o755), (0o444, 0o555), (0o644, 0o555)):
            holder.library.chmod(file_mode)
            folder.chmod(folder_mode)
            try:
                assert [person.ok(*look) for look in self.LOOKS] == expected
                if (file_mode, folder_mode) != (0o644, 0o755):
                    new = written(holder.home / "c.txt", highlight("New."))
                    complaint(person("import", new), 1)
                    complaint(person("db", "rebuild"), 1)
            finally:
                folder.chmod(0o755)
                holder.library.chmod(0o644)

    def test_a_disk_that_is_mounted_read_only(self, tmp_path: Path) -> None:
        """The same on a medium that cannot be written."""
        kindlehl = Kindlehl(tmp_path / "home")
        with disk(tmp_path / "disk", "8m") as small:
            library = small / "library.db"
            kindlehl.ok("import", SAMPLE, "--library", library)
            before = [kindlehl.ok(*look, "--library", library) for look in self.LOOKS]
            read_only(small)
            assert [kindlehl.ok(*look, "--library", library) for look in self.LOOKS] == before
            complaint(kindlehl("import", written(tmp_path / "c.txt", highlight("New.")), "--library", library), 1)
            complaint(kindlehl("export", "csv", "--to", small / "all.csv", "--library", library), 1)
            complaint(kindlehl("export", "markdown", "--to", small / "vault", "--library", library), 1)

    def test_a_folder_that_may_not_be_made(self, holder: Kindlehl, tmp_path: Path) -> None:
        """No permission for the library's folder, and a file where a folder should be."""
        person = Kindlehl(holder.home, prefix=bound_by_permissions())
        (tmp_path / "closed").mkdir(mode=0o555)
        complaint(person("import", SAMPLE, "--library", tmp_path / "closed" / "deep" / "library.db"), 1)
        complaint(person("import", SAMPLE, "--library", tmp_path / "closed" / "library.db"), 1)
        complaint(person("import", SAMPLE, "--library", SAMPLE / "library.db"), 1)
        complaint(person("import", SAMPLE, "--library", tmp_path / "closed"), 1)


class TestOtherFiles:
    """A library that is none of ours, or not as it should be."""

    COMMANDS = (["import", SAMPLE], ["import", SAMPLE, "-n"], ["list"], ["books"], ["search", "x"], ["show", "abcdef"],
                ["export", "csv", "--to", "-"], ["db", "rebuild"])  # fmt: skip

    def every_command_refuses(self, kindlehl: Kindlehl, path: Path) -> list[str]:
        """Every command, and the file is as it was; returns what was said."""
        before = path.read_bytes()
        told = [complaint(kindlehl(*command, "--library", path), 1) for command in self.COMMANDS]
        assert path.read_bytes() == before
        assert [other.name for other in path.parent.iterdir()] == [path.name]
        return told

    def test_a_library_of_a_newer_version_is_refused_unchanged(self, holder: Kindlehl, tmp_path: Path) -> None:
        """By every command, with the words "newer" and "Update"."""
        path = tmp_path / "newer" / "library.db"
        path.parent.mkdir()
        shutil.copy(holder.library, path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
        for told in self.every_command_refuses(holder, path):
            assert "newer" in told
            assert "Update" in told

    def test_a_foreign_database_is_refused_unchanged(self, holder: Kindlehl, tmp_path: Path) -> None:
        """Somebody's own tables, with and without a version of their own."""
        for version in (0, 1):
            path = tmp_path / str(version) / "foreign.db"
            path.parent.mkdir()
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE facts (a)")
                connection.execute(f"PRAGMA user_version = {version}")
                connection.commit()
            for told in self.every_command_refuses(holder, path):
                assert "no kindlehl library" in told

    @pytest.mark.parametrize("data", [b"Dear diary,\n" * 500, b"SQLite format 3\0" + b"\x01" * 5000])
    def test_a_file_that_is_no_database_is_refused_unchanged(
        self, holder: Kindlehl, tmp_path: Path, data: bytes
    ) -> None:
        """A text, and a false beginning."""
        path = tmp_path / "other" / "library.db"
        path.parent.mkdir()
        path.write_bytes(data)
        self.every_command_refuses(holder, path)

    @pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
    def test_a_truncated_library_is_never_taken_for_a_smaller_one(
        self, holder: Kindlehl, tmp_path: Path, share: float
    ) -> None:
        """A command either shows all there was or says that the file is damaged; an import makes it no worse."""
        whole = holder.library.read_bytes()
        expected = {" ".join(command): holder(*command).out for command in (["list"], ["books"])}
        path = tmp_path / "library.db"
        path.write_bytes(whole[: int(len(whole) * share)])
        for command in (["list"], ["books"], ["import", SAMPLE], ["db", "rebuild"], ["search", "the"]):
            done = holder(*command, "--library", path)
            if done.code:
                complaint(done, 1)
            elif " ".join(command) in expected:
                assert done.out == expected[" ".join(command)]

    def test_flipped_bytes_are_a_sentence_and_never_a_traceback(self, kindlehl: Kindlehl) -> None:
        """Wherever a page went bad: exit 0 or 1, at most five lines, no bug, no text of the reader's in a complaint."""
        kindlehl.ok("import", written(kindlehl.home / "c.txt", many(400)))
        whole = kindlehl.library.read_bytes()
        dice = random.Random(7)
        ends = set()
        for n in range(12):
            data = bytearray(whole)
            page = dice.randrange(1, len(data) // 16_384) * 16_384
            data[page : page + 64] = dice.randbytes(64)
            kindlehl.library.write_bytes(data)
            for command in (["list", "--plain"], ["import", SAMPLE], ["db", "rebuild"])[n % 3 :][:1]:
                done = kindlehl(*command)
                ends.add(done.code)
                assert done.code in (0, 1)
                if done.code:
                    assert "Sentence number" not in complaint(done, 1)
            for name in ("library.db-wal", "library.db-shm"):
                kindlehl.library.with_name(name).unlink(missing_ok=True)
        assert 1 in ends


class TestOthers:
    """Somebody else at the same time."""

    def test_a_second_process_that_writes_for_long_is_waited_for_and_then_told_of(self, holder: Kindlehl) -> None:
        """Exit 75 after as long as was asked for, with a sentence; looking goes on meanwhile."""
        other = sqlite3.connect(holder.library, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        told = complaint(holder("--wait", "3", "import", written(holder.home / "c.txt", highlight("New."))), 75)
        assert time.monotonic() - begun >= 3
        assert "Another" in told
        assert holder.ok("list", "--plain").count("\n") == 18
        other.execute("ROLLBACK")
        other.close()

    def test_a_second_process_that_is_done_soon_is_waited_for(self, kindlehl: Kindlehl) -> None:
        """The import goes on when the other has finished."""
        kindlehl.ok("import", SAMPLE)
        other = sqlite3.connect(kindlehl.library, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with kindlehl.start("import", written(kindlehl.home / "c.txt", highlight("New."))) as process:
            time.sleep(1)
            assert process.poll() is None
            other.execute("COMMIT")
            out, err = process.communicate(timeout=30)
        other.close()
        assert (process.returncode, err) == (0, b"")
        assert b"1 new" in out

    @pytest.mark.parametrize("moment", [0.4, 0.7, 0.9])
    def test_ctrl_c_during_an_import_exits_130_and_leaves_the_library_before_it_or_after_it(
        self, kindlehl: Kindlehl, moment: float
    ) -> None:
        """No traceback; nothing is left in the temporary folder, and the next import is whole."""
        kindlehl.ok("import", SAMPLE)
        before = shown(kindlehl.library)
        file = written(kindlehl.home / "c.txt", many(4000))
        temporary = kindlehl.home / "tmp"
        temporary.mkdir()
        begun = time.monotonic()
        kindlehl.ok("import", file, "--library", kindlehl.home / "other.db")
        duration = time.monotonic() - begun
        # How long it takes on a busy machine is nobody's to know: one that was ready before is begun anew, and ended
        # sooner.
        for _ in range(8):
            with kindlehl.start("import", file, env={"TMPDIR": str(temporary)}) as process:
                time.sleep(duration * moment)
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=30)
            if process.returncode:
                break
            assert len(shown(kindlehl.library)) == 4019
            kindlehl.ok("undo")
            moment *= 0.7
        # When Python itself is already on its way out, the signal ends it: 130 to a shell as well.
        assert process.returncode in (130, -signal.SIGINT), err
        assert b"Traceback" not in err
        assert err.count(b"\n") <= 5
        assert list(temporary.iterdir()) == []
        now = shown(kindlehl.library)
        assert now == before or len(now) == 4019
        kindlehl.ok("import", file)
        assert len(shown(kindlehl.library)) == 4019

    def test_ctrl_c_on_a_terminal_waiting_for_standard_input(self, holder: Kindlehl) -> None:
        """A pipe that never ends can be left."""
        read, write = os.pipe()
        with holder.start("import", "-", stdin=read) as process:
            os.close(read)
            os.write(write, highlight("New.").encode())
            time.sleep(0.6)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
            os.close(write)
        assert process.returncode == 130
        assert b"Traceback" not in err
