"""Importing, as a process: what is counted, what is kept, and that nothing is there twice."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from support.cli import (
    FIXTURES,
    SAMPLE,
    Kindlehl,
    bookmark,
    complaint,
    contents,
    digest,
    facts,
    highlight,
    many,
    note,
    query,
    records,
    shown,
    tree,
    written,
)

from kindlehl.devices import linux
from kindlehl.services import importing, sources
from kindlehl.store.library import open_library
from kindlehl_plugins.clippings import ClippingsImporter


def entries() -> list[bytes]:
    """The sample's entries, each with its separator."""
    separator = b"==========\r\n"
    parts = [part + separator for part in SAMPLE.read_bytes().split(separator) if part.strip()]
    assert len(parts) == 26
    return parts


class TestTheAccount:
    """Every record has one outcome and one kind."""

    def test_the_sample_is_counted_in_full(self, kindlehl: Kindlehl) -> None:
        """Read, new, known, kinds and effects are what the file holds, and a success says nothing on stderr."""
        done = kindlehl("import", SAMPLE, "--json")
        assert (done.code, done.err) == (0, "")
        report = done.json
        assert report["schema"] == "kindlehl/import/1"
        assert (report["read"], report["new"], report["known"]) == (26, 26, 0)
        assert report["kinds"] == {
            "highlight": 18, "note": 7, "bookmark": 1, "clip": 0, "empty": 0, "limited": 0, "unreadable": 0,
        }  # fmt: skip
        assert report["unreadable"] == []
        assert report["effects"] == {
            "highlights": 17, "resized": 1, "attached": 6, "bare": 1, "revived": 0, "still_deleted": 0, "books": 9,
        }  # fmt: skip

    @pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.txt")))
    def test_read_is_new_and_known_and_the_sum_of_all_kinds(self, kindlehl: Kindlehl, name: str) -> None:
        """The sum holds for every file, the first time and the second; the second time all is known."""
        for n in range(2):
            done = kindlehl("import", FIXTURES / name, "--json")
            report = done.json
            assert report["read"] == report["new"] + report["known"] == sum(report["kinds"].values()) > 0
            assert report["known" if n else "new"] == report["read"]
            assert done.code == (3 if report["kinds"]["unreadable"] and not n else 0)

    def test_an_unreadable_record_is_kept_and_told_with_line_and_reason_once(self, kindlehl: Kindlehl) -> None:
        """Exit 3 when a new one appears, with its line on stderr; exit 0 and nothing said when it is known."""
        first = kindlehl("import", FIXTURES / "malformed.txt", "--json")
        assert first.code == 3
        named = first.json["unreadable"]
        assert named
        assert all(u["line"] > 0 and u["reason"] and u["new"] for u in named)
        assert first.err.count(", line ") == len(named)
        held = query(kindlehl.library, 'SELECT count(*) FROM facts WHERE body LIKE \'%"kind":"unreadable"%\'')
        assert held == [(first.json["kinds"]["unreadable"],)]
        again = kindlehl("import", FIXTURES / "malformed.txt")
        assert (again.code, again.err) == (0, "")

    def test_an_unreadable_record_that_is_not_new_is_known_among_new_ones(self, kindlehl: Kindlehl) -> None:
        """The file grows by a good record: the old unreadable ones are no news, so exit 0."""
        kindlehl("import", FIXTURES / "separator-in-text.txt")
        bad = "A book (Somebody)\n- Xyzzy plugh 5-6 | frotz 1, 2\n\nWords.\n==========\n"
        path = written(kindlehl.home / "My Clippings.txt", highlight("One."), bad)
        assert kindlehl("import", path).code == 3
        written(path, highlight("One."), bad, highlight("Another.", start=50))
        done = kindlehl("import", path, "--json")
        assert (done.code, done.json["new"], done.json["known"]) == (0, 1, 2)

    def test_a_limit_a_wrong_clock_and_a_date_that_cannot_be_read_are_remarked_on(self, kindlehl: Kindlehl) -> None:
        """No date is made up: a record without one is shown without one, and the reader is told."""
        entry = highlight("From the future.").replace("2018", "2099")
        undated = highlight("Undated.", start=9).replace("Monday, January 1, 2018 12:00:00 AM", "some day in 2018")
        done = kindlehl("import", written(kindlehl.home / "c.txt", entry, undated), "--json")
        assert any("clock that was wrong" in sentence for sentence in done.json["warnings"])
        dates = {row["text"]: row["added_at"] for row in kindlehl("list", "--json").json["items"]}
        assert dates["From the future."].startswith("2099-01-01")
        assert dates.get("Undated.") is None


class TestTwice:
    """Nothing is there twice, whatever is imported in whatever order."""

    def test_a_second_import_changes_nothing(self, kindlehl: Kindlehl) -> None:
        """It says "0 new", exits 0, leaves stderr empty, and every fact and passage as it was."""
        kindlehl.ok("import", SAMPLE)
        before = digest(kindlehl.library)
        out = kindlehl.ok("import", SAMPLE)
        assert "0 new" in out
        assert digest(kindlehl.library) == before

    def test_the_same_words_in_other_bytes_are_known(self, kindlehl: Kindlehl) -> None:
        """A copy with other line ends and without a mark is not remembered as a file, yet every record is known."""
        kindlehl.ok("import", SAMPLE)
        before = digest(kindlehl.library)
        copy = kindlehl.home / "copy.txt"
        copy.write_bytes(SAMPLE.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n"))
        report = kindlehl("import", copy, "--json").json
        assert (report["new"], report["known"]) == (0, 26)
        assert digest(kindlehl.library) == before

    def test_one_command_given_a_file_twice_imports_it_once(self, kindlehl: Kindlehl) -> None:
        """What was seen earlier in the same run is known."""
        copy = kindlehl.home / "copy.txt"
        copy.write_bytes(SAMPLE.read_bytes() + b"\n")
        report = kindlehl("import", SAMPLE, copy, "--json").json
        assert (report["read"], report["new"], report["known"]) == (52, 26, 26)
        assert report["effects"]["highlights"] == 17

    def test_a_file_that_holds_everything_twice_is_counted_once(self, kindlehl: Kindlehl, reader: Kindlehl) -> None:
        """What was seen earlier in the same file is known, in the same batch too."""
        twice = kindlehl.home / "twice.txt"
        twice.write_bytes(SAMPLE.read_bytes() * 2)
        report = kindlehl("import", twice, "--json").json
        assert (report["read"], report["new"], report["known"]) == (52, 26, 26)
        assert shown(kindlehl.library) == shown(reader.library)

    @pytest.mark.parametrize("seed", range(4))
    def test_halves_versions_and_shuffled_copies_give_the_library_of_the_whole(
        self, kindlehl: Kindlehl, reader: Kindlehl, seed: int
    ) -> None:
        """Whatever pieces of a file come in whatever order, each passage is there once, as from the whole file."""
        dice = random.Random(seed)
        parts = entries()
        pieces = [parts[: dice.randint(1, 25)], parts[dice.randint(1, 25) :], [*parts], parts[::2]]
        dice.shuffle(pieces)
        for n, piece in enumerate(pieces):
            dice.shuffle(piece)
            path = kindlehl.home / f"{n}.txt"
            path.write_bytes(b"".join(piece))
            kindlehl.ok("import", path)
        assert records(kindlehl.library) == records(reader.library)
        assert shown(kindlehl.library) == shown(reader.library)

    def test_a_file_that_has_grown_brings_what_is_new(self, kindlehl: Kindlehl) -> None:
        """The device appends: only the appended records are new, and a note finds the highlight of last time."""
        path = written(kindlehl.home / "My Clippings.txt", highlight("I went to the woods.", start=10))
        kindlehl.ok("import", path)
        written(path, path.read_text("utf-8"), note("Me too.", location=11, second=60))
        report = kindlehl("import", path, "--json").json
        assert (report["new"], report["known"], report["effects"]["attached"]) == (1, 1, 1)
        (item,) = kindlehl("list", "--json").json["items"]
        assert (item["text"], item["note"]) == ("I went to the woods.", "Me too.")

    def test_two_imports_at_once_lose_nothing(self, kindlehl: Kindlehl) -> None:
        """Processes that start together into a library that is not there yet take turns; the union is there."""
        files = [written(kindlehl.home / f"{n}.txt", many(150, first=n * 100)) for n in range(4)]
        running = [kindlehl.start("import", file) for file in files]
        ends = [(process.communicate(timeout=60), process.returncode) for process in running]
        assert [(err, code) for (_, err), code in ends] == [(b"", 0)] * 4
        alone = Kindlehl(kindlehl.home / "alone")
        alone.ok("import", *files)
        assert records(kindlehl.library) == records(alone.library)
        assert shown(kindlehl.library) == shown(alone.library)


@pytest.mark.parametrize("columns", [40, 80])
def test_the_report_fits_the_terminal(kindlehl: Kindlehl, tmp_path: Path, columns: int) -> None:
    """What is told beside it too; where no terminal is, a sentence stays on its line."""
    message = "<You have reached the clipping limit for this item>"
    file = written(tmp_path / "c.txt", SAMPLE.read_text("utf-8"), highlight(message, start=90))
    done = kindlehl.on_terminal("import", file, columns=columns, env={"NO_COLOR": "1"})
    assert done.code == 0, done
    assert "clipping limit" in " ".join(done.out.split())
    assert not [line for line in done.out.splitlines() if len(line) > columns]
    assert len(kindlehl("import", file, "--library", tmp_path / "other.db").err.splitlines()) == 1


def test_whoever_imports_for_the_first_time_is_told_what_comes_next(kindlehl: Kindlehl) -> None:
    """On a terminal, once, and not where only results are wanted."""
    hint = "Look at them: kindlehl list"
    assert hint not in kindlehl.on_terminal("import", SAMPLE, "-n").out
    for quiet in ("--quiet", "--verbose"):
        done = kindlehl.on_terminal("import", SAMPLE, "--library", kindlehl.home / quiet[2:], quiet)
        assert (done.code, hint in done.out) == (0, quiet == "--verbose")
        assert hint not in kindlehl.on_terminal("import", SAMPLE, "--library", kindlehl.home / quiet[2:], quiet).out
    kindlehl.ok("import", SAMPLE)


class TestSources:
    """Where records come from."""

    def test_standing_input_is_a_dash(self, kindlehl: Kindlehl, reader: Kindlehl) -> None:
        """`cat "My Clippings.txt" | kindlehl import -` is the same import."""
        out = kindlehl.ok("import", "-", stdin=SAMPLE.read_bytes())
        assert "26 new" in out
        assert shown(kindlehl.library) == shown(reader.library)

    def test_standard_input_on_a_terminal_is_a_usage_error_and_does_not_hang(self, kindlehl: Kindlehl) -> None:
        """Nobody is left before a silent program."""
        done = kindlehl.on_terminal("import", "-")
        assert done.code == 2
        assert "standard input" in done.out

    def test_standard_input_twice_is_a_usage_error(self, kindlehl: Kindlehl) -> None:
        """It can be read only once."""
        complaint(kindlehl("import", "-", "-", stdin=b""), 2)

    def test_a_folder_is_searched_and_what_is_not_a_source_is_passed_over(self, kindlehl: Kindlehl) -> None:
        """A Kindle's own folder: other files, hidden ones and leftovers of synchronisers are not imported."""
        documents = kindlehl.home / "Kindle" / "documents"
        written(documents / "My Clippings.txt", highlight("Mine."))
        written(documents / ".hidden" / "My Clippings.txt", highlight("Hidden.", start=20))
        written(documents / "My Clippings.sync-conflict-20240101-1.txt", highlight("Conflict.", start=30))
        (documents / "book.azw3").write_bytes(bytes(range(256)) * 40)
        (documents / "notes.txt").write_text("Buy milk.\n")
        report = kindlehl("import", kindlehl.home / "Kindle", "--json").json
        assert [file["origin"] for file in report["files"]] == [str(documents / "My Clippings.txt")]
        assert [row["text"] for row in kindlehl("list", "--json").json["items"]] == ["Mine."]

    def test_several_paths_are_one_import(self, kindlehl: Kindlehl) -> None:
        """Files, folders and standard input together: all in one account."""
        one = written(kindlehl.home / "one.txt", highlight("One.", start=10))
        written(kindlehl.home / "folder" / "My Clippings.txt", highlight("Two.", start=20))
        report = kindlehl(
            "import", one, kindlehl.home / "folder", "-", "--json", stdin=highlight("Three.", start=30).encode()
        ).json
        assert (report["read"], len(report["files"]), report["effects"]["books"]) == (3, 3, 1)
        operations = query(
            kindlehl.library, "SELECT DISTINCT json_extract(body, '$.op') FROM facts WHERE type='import'"
        )
        assert len(operations) == 1

    def test_one_source_that_cannot_be_read_stops_the_import_of_all(self, kindlehl: Kindlehl) -> None:
        """One command is one import: it happens whole or not at all."""
        one = written(kindlehl.home / "one.txt", highlight("One."))
        complaint(kindlehl("import", one, kindlehl.home / "missing.txt"), 1)
        assert not kindlehl.library.exists()

    def test_no_kindle_and_no_path_is_exit_5_with_a_hint(self, kindlehl: Kindlehl) -> None:
        """Cron can tell "not plugged in" from a failure."""
        done = kindlehl("import")
        if "Reading " in done.err:
            pytest.skip("there is a Kindle plugged into this machine")
        assert "kindlehl import" in complaint(done, 5)
        assert not kindlehl.library.exists()

    def test_a_kindle_that_is_plugged_in_is_imported_with_its_serial_number(self, tmp_path: Path) -> None:
        """Two Kindles are two sources: what a device wrote is judged by that device's own clock."""
        root = tmp_path / "root"
        mount = root / "media" / "ann" / "Kindle"
        written(mount / "documents" / "My Clippings.txt", highlight("From the device."), bookmark(location=9))
        block = root / "dev" / "sdb1"
        block.parent.mkdir(parents=True)
        block.touch()
        by_id = root / "dev" / "disk" / "by-id"
        by_id.mkdir(parents=True)
        (by_id / "usb-Kindle_Internal_Storage_G0001234ABCD-0:0-part1").symlink_to(block)
        mounts = root / "proc" / "self" / "mounts"
        mounts.parent.mkdir(parents=True)
        mounts.write_text("/dev/sdb1 /media/ann/Kindle vfat rw 0 0\n")
        before = tree(root)
        (device,) = linux.connected(root, user="ann", uid=1000)
        library = open_library(tmp_path / "library.db")
        with sources.opened_path(device.clippings[0], [ClippingsImporter()], serial=device.serial) as source:
            outcome = importing.import_sources(library, [source])
        library.close()
        assert outcome.effects.highlights == 1
        assert query(tmp_path / "library.db", "SELECT name FROM sources") == [("clippings:G0001234ABCD",)]
        assert tree(root) == before

    def test_the_source_is_never_written_to(self, kindlehl: Kindlehl) -> None:
        """Not a byte and not a time of the reader's file changes."""
        folder = kindlehl.home / "Kindle"
        folder.mkdir()
        shutil.copy(SAMPLE, folder / "My Clippings.txt")
        before = tree(folder)
        kindlehl.ok("import", folder)
        assert tree(folder) == before

    def test_a_name_that_is_not_unicode_can_be_imported(self, kindlehl: Kindlehl) -> None:
        """Old file systems hold names in old encodings."""
        path = kindlehl.home / "M\udce4rz.txt"
        try:
            written(path, highlight("One."))
        except (OSError, UnicodeError):
            pytest.skip("this file system takes no such name")
        for more in ([], ["--json"]):
            assert kindlehl("import", path, *more).code == 0


class TestDryRun:
    """A dry run counts the same and leaves no trace."""

    def test_a_dry_run_without_a_library_leaves_no_file_behind(self, kindlehl: Kindlehl) -> None:
        """Not even an empty library, or a folder for one."""
        before = tree(kindlehl.home)
        report = kindlehl("import", SAMPLE, "--dry-run", "--json")
        assert (report.code, report.err) == (0, "")
        assert report.json["dry_run"] is True
        assert tree(kindlehl.home) == before == {}
        real = kindlehl("import", SAMPLE, "--json").json
        assert {k: v for k, v in report.json.items() if k != "dry_run"} == {
            k: v for k, v in real.items() if k != "dry_run"
        }

    def test_a_dry_run_changes_no_byte_of_a_library(self, kindlehl: Kindlehl) -> None:
        """Every byte below the home is as before, even after a big one."""
        kindlehl.ok("import", SAMPLE)
        big = written(kindlehl.home / "big.txt", many(2000))
        before = contents(kindlehl.home)
        out = kindlehl.ok("import", big, "-n")
        assert "dry run" in out
        assert contents(kindlehl.home) == before
        assert "2,468 new" in out
        assert "2,468 new" in kindlehl.ok("import", big)

    def test_a_dry_run_of_an_export_writes_nothing(self, kindlehl: Kindlehl) -> None:
        """It names what would be written, and the folder is not made."""
        kindlehl.ok("import", SAMPLE)
        before = contents(kindlehl.home)
        for target in (["markdown", "--to", "notes/"], ["csv", "--to", "all.csv"], ["json"]):
            report = kindlehl("export", *target, "--dry-run", "--json").json
            assert report["dry_run"] is True
            assert report["written"]
        assert contents(kindlehl.home) == before


def test_the_library_is_one_file_when_nobody_has_it_open(kindlehl: Kindlehl) -> None:
    """No -wal, no -shm: copying the one file is a backup."""
    kindlehl.ok("import", SAMPLE)
    assert [path.name for path in kindlehl.library.parent.iterdir()] == ["library.db"]
    copy = kindlehl.home / "copy.db"
    shutil.copy(kindlehl.library, copy)
    assert kindlehl.ok("list", "--plain", "--library", copy) == kindlehl.ok("list", "--plain")


def test_a_library_can_be_read_while_somebody_imports(kindlehl: Kindlehl) -> None:
    """A reader never sees "database is locked", and sees the library as it was or as it will be."""
    kindlehl.ok("import", SAMPLE)
    big = written(kindlehl.home / "big.txt", many(3000))
    counts = set()
    with kindlehl.start("import", big, stdout=subprocess.DEVNULL) as importing_:
        while importing_.poll() is None:
            counts.add(len(kindlehl.ok("list", "--plain").splitlines()))
    counts.add(len(kindlehl.ok("list", "--plain").splitlines()))
    assert counts <= {18, 3018}
    assert 3018 in counts


def test_nothing_goes_over_the_network(kindlehl: Kindlehl) -> None:
    """A run in which every socket raises does what any other does."""
    guard = kindlehl.home / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(
        "import sys\n"
        "def watch(event, args):\n"
        "    if event.startswith('socket.') and event != 'socket.gethostname':\n"
        "        raise SystemExit('the network was asked: ' + event)\n"
        "sys.addaudithook(watch)\n"
    )
    env = {"PYTHONPATH": str(guard)}
    for command in (["import", SAMPLE], ["list"], ["search", "woods"], ["export", "markdown"], ["db", "rebuild"]):
        kindlehl.ok(*command, env=env)
    assert len(facts(kindlehl.library)) == 27
