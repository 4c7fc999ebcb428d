"""Exporting, as a process: nothing is written over, nothing new changes nothing, and what goes out comes back."""

import csv
import errno
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl, complaint, contents, facts, highlight, records, shown, tree, written

from kindlehl.domain.contract import Document, Shelf
from kindlehl.domain.errors import TargetError
from kindlehl.services import exporting, importing, sources
from kindlehl.store.library import open_library
from kindlehl_exporters.markdown import MarkdownExporter
from kindlehl_plugins.clippings import ClippingsImporter

FOLDERS = {"markdown": ".md", "pdf": ".pdf"}
FILES = ("csv", "json")


def need(kindlehl: Kindlehl, format_: str) -> None:
    """Skip, visibly, what this machine cannot make."""
    if format_ == "pdf":
        done = kindlehl("export", "pdf", "--book", "walden", "--to", kindlehl.home / "probe")
        if done.code == 1 and "bug" not in done.err:
            pytest.skip(f"no PDF here: {done.err.splitlines()[0]}")
        assert done.code == 0, done


@pytest.fixture
def sampled(kindlehl: Kindlehl) -> Kindlehl:
    """Somebody who has imported the sample."""
    kindlehl.ok("import", SAMPLE)
    return kindlehl


class TestWhatIsWritten:
    """Each format, whole."""

    @pytest.mark.parametrize("format_", FOLDERS)
    def test_a_format_with_a_file_a_book_writes_one_for_each_book(self, sampled: Kindlehl, format_: str) -> None:
        """Named after the title, in the folder that was asked for; the report counts them."""
        need(sampled, format_)
        folder = sampled.home / "out"
        report = json.loads(sampled.ok("export", format_, "--to", folder, "--json"))
        assert report["schema"] == "kindlehl/export/1"
        files = sorted(path.name for path in folder.iterdir() if path.is_file())
        assert sorted(Path(path).name for path in report["written"]) == files
        assert len(files) == 9
        assert f"Walden{FOLDERS[format_]}" in files
        assert f"草枕{FOLDERS[format_]}" in files

    def test_markdown_holds_every_word_and_note(self, sampled: Kindlehl) -> None:
        """One book: text, note, place, front matter that names the book."""
        sampled.ok("export", "markdown", "--to", sampled.home / "out")
        text = (sampled.home / "out" / "Walden.md").read_text("utf-8")
        assert text.startswith("---\n")
        for words in ("lives of quiet desperation", "discover that I had not lived", "and by notifications"):
            assert words in text
        assert text.count("\n^kh-") == 3

    def test_csv_has_a_row_for_every_highlight_and_note(self, sampled: Kindlehl) -> None:
        """The same ids and words as the list."""
        sampled.ok("export", "csv", "--to", sampled.home / "all.csv")
        with (sampled.home / "all.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        items = json.loads(sampled.ok("list", "--json"))["items"]
        assert [(row["id"], row["text"], row["note"]) for row in rows] == [
            (item["id"], item["text"], item["note"] or "") for item in items
        ]

    def test_a_chosen_book_is_all_that_is_written(self, sampled: Kindlehl) -> None:
        """By words of its title; a book that is not there is a sentence, and no file."""
        sampled.ok("export", "markdown", "--book", "walden", "--book", "草枕", "--to", sampled.home / "two")
        assert sorted(p.name for p in (sampled.home / "two").glob("*.md")) == ["Walden.md", "草枕.md"]
        complaint(sampled("export", "markdown", "--book", "moby dick", "--to", sampled.home / "none"), 1)
        assert not (sampled.home / "none").exists()

    def test_an_empty_library_exports_nothing_and_says_so(self, kindlehl: Kindlehl) -> None:
        """No file, no folder, a sentence."""
        for format_ in ("markdown", "csv", "json"):
            complaint(kindlehl("export", format_), 1)
        assert not list(kindlehl.home.iterdir())

    @pytest.mark.parametrize("format_", ["markdown", "csv", "json"])
    def test_a_dash_is_standard_output(self, sampled: Kindlehl, format_: str) -> None:
        """The bytes of the files, nothing else, and no file is left."""
        before = contents(sampled.home)
        out = sampled.ok("export", format_, "--to", "-")
        assert contents(sampled.home) == before
        if format_ == "json":
            assert len(json.loads(out)["kindlehl"]["facts"]) == 27
        elif format_ == "csv":
            assert len(list(csv.reader(io.StringIO(out, newline="")))) == 19
        else:
            assert out.count("\n^kh-") == 18


class TestAgain:
    """A second export."""

    @pytest.mark.parametrize("format_", [*FOLDERS, *FILES])
    def test_nothing_new_changes_no_byte_and_no_time(self, sampled: Kindlehl, format_: str) -> None:
        """Every file below the folder is as before, its time too, and all are reported unchanged."""
        need(sampled, format_)
        target = sampled.home / "out" if format_ in FOLDERS else sampled.home / "out" / f"all.{format_}"
        first = json.loads(sampled.ok("export", format_, "--to", target, "--json"))
        held, state = tree(sampled.home / "out"), contents(sampled.home / "state")
        times = {p: p.stat().st_mtime_ns for p in (sampled.home / "out").rglob("*") if p.is_file()}
        again = json.loads(sampled.ok("export", format_, "--to", target, "--json"))
        assert (again["written"], again["unchanged"]) == ([], first["written"])
        assert {name: held_ for name, (held_, _) in tree(sampled.home / "out").items()} == {
            name: held_ for name, (held_, _) in held.items()
        }
        assert {p: p.stat().st_mtime_ns for p in times} == times
        assert contents(sampled.home / "state") == state

    def test_only_the_book_that_grew_is_written_again(self, sampled: Kindlehl) -> None:
        """The others keep their time."""
        folder = sampled.home / "out"
        sampled.ok("export", "markdown", "--to", folder)
        before = tree(folder)
        sampled.ok("import", written(sampled.home / "c.txt", highlight("A new one.", start=4000)))
        report = json.loads(sampled.ok("export", "markdown", "--to", folder, "--json"))
        assert report["written"] == [str(folder / "Walden.md")]
        after = tree(folder)
        assert after.keys() == before.keys()
        changed = {name for name in before if after[name] != before[name] and name not in ("", ".kindlehl")}
        base = next(n for n in changed if n.endswith(".json"))
        assert changed == {"Walden.md", ".kindlehl/markdown", base}

    def test_both_formats_of_one_folder_keep_out_of_each_others_way(self, sampled: Kindlehl) -> None:
        """Markdown again after a PDF: nothing new."""
        need(sampled, "pdf")
        folder = sampled.home / "out"
        sampled.ok("export", "markdown", "--to", folder, "--book", "walden")
        sampled.ok("export", "pdf", "--to", folder, "--book", "walden")
        assert "0 written, 1 unchanged" in sampled.ok("export", "markdown", "--to", folder, "--book", "walden")
        assert "0 written, 1 unchanged" in sampled.ok("export", "pdf", "--to", folder, "--book", "walden")

    def test_a_folder_that_was_moved_is_still_ours(self, sampled: Kindlehl) -> None:
        """What we wrote is remembered in the folder itself."""
        sampled.ok("export", "markdown", "--to", sampled.home / "out")
        shutil.move(sampled.home / "out", sampled.home / "vault")
        assert "0 written, 9 unchanged" in sampled.ok("export", "markdown", "--to", sampled.home / "vault")


class TestNotOurs:
    """What is not ours, or not as we wrote it, stays."""

    @pytest.mark.parametrize("format_", FILES)
    def test_a_file_that_is_not_ours_is_never_written_over(self, sampled: Kindlehl, format_: str) -> None:
        """A sentence, and not a byte nor the time of it changes; nothing is left beside it."""
        path = sampled.home / "out" / f"mine.{format_}"
        path.parent.mkdir()
        path.write_text("my own words\n")
        before = tree(path.parent)
        complaint(sampled("export", format_, "--to", path), 1)
        assert contents(path.parent) == {name: held for name, (held, _) in before.items()}
        assert path.stat().st_mtime_ns == before[path.name][1]

    def test_a_note_of_the_readers_own_with_the_name_of_a_book_stays(self, sampled: Kindlehl) -> None:
        """Ours gets another name, once and for good; each book is there."""
        folder = sampled.home / "vault"
        folder.mkdir()
        (folder / "Walden.md").write_text("my own words on Walden\n")
        time = (folder / "Walden.md").stat().st_mtime_ns
        for _ in range(2):
            sampled.ok("export", "markdown", "--to", folder)
            assert (folder / "Walden.md").read_text() == "my own words on Walden\n"
            assert (folder / "Walden.md").stat().st_mtime_ns == time
            assert len(list(folder.glob("*.md"))) == 10

    @pytest.mark.parametrize("format_", FILES)
    def test_a_file_of_ours_that_the_reader_changed_is_left_as_it_is(self, sampled: Kindlehl, format_: str) -> None:
        """With something new to write and without; exit code and stderr name the file."""
        mine = target = sampled.home / "out" / f"all.{format_}"
        sampled.ok("export", format_, "--to", target)
        with mine.open("a") as stream:
            stream.write("and my own thought\n")
        before = mine.read_bytes()
        for n in range(2):
            done = sampled("export", format_, "--to", target)
            assert done.code == 1
            assert str(mine) in done.err
            assert "Traceback" not in done.err
            assert mine.read_bytes() == before
            sampled.ok("import", written(sampled.home / "c.txt", highlight(f"A new one {n}.", start=4000 + 9 * n)))
        assert mine.read_bytes() == before

    def test_a_table_goes_into_a_folder_under_a_name_of_its_own(self, sampled: Kindlehl) -> None:
        """`--to FOLDER` and `--to FOLDER/` name the place, and what else is there stays."""
        folder = sampled.home / "folder"
        written(folder / "mine.csv", "my own\n")
        sampled.ok("export", "csv", "--to", folder)
        assert (folder / "highlights.csv").read_bytes().count(b"\r\n") >= 19
        assert "0 written, 1 unchanged" in sampled.ok("export", "csv", "--to", f"{folder}/")
        assert (folder / "mine.csv").read_text() == "my own\n"

    def test_a_file_where_a_folder_should_go_stays(self, sampled: Kindlehl) -> None:
        """A sentence, and nothing changes."""
        (sampled.home / "file").write_text("x")
        before = contents(sampled.home)
        complaint(sampled("export", "markdown", "--to", sampled.home / "file"), 1)
        complaint(sampled("export", "markdown", "--to", sampled.home / "file" / "deeper"), 1)
        complaint(sampled("export", "csv", "--to", sampled.home / "file" / "all.csv"), 1)
        assert contents(sampled.home) == before

    def test_a_device_is_no_place_for_a_file(self, sampled: Kindlehl) -> None:
        """`--to /dev/null` replaces no device by a file."""
        pipe = sampled.home / "pipe"
        os.mkfifo(pipe)
        complaint(sampled("export", "csv", "--to", pipe), 1)
        assert pipe.is_fifo()

    def test_one_file_for_several_books_is_refused(self, sampled: Kindlehl) -> None:
        """`--to all.md` with nine books would keep one of them."""
        complaint(sampled("export", "markdown", "--to", sampled.home / "all.md"), 2)
        assert not (sampled.home / "all.md").exists()
        sampled.ok("export", "markdown", "--to", sampled.home / "walden.md", "--book", "walden")
        assert (sampled.home / "walden.md").is_file()

    def test_what_is_written_has_the_permissions_of_any_new_file(self, sampled: Kindlehl) -> None:
        """As the user's umask says, not those of a temporary file."""
        sampled.ok("export", "markdown", "--to", sampled.home / "a", before=lambda: os.umask(0o027) and None)
        sampled.ok("export", "csv", "--to", sampled.home / "b.csv", before=lambda: os.umask(0o022) and None)
        assert (sampled.home / "a" / "Walden.md").stat().st_mode & 0o777 == 0o640
        assert (sampled.home / "b.csv").stat().st_mode & 0o777 == 0o644


class TestThereAndBack:
    """A lossless export is a library."""

    def test_json_imported_into_an_empty_library_gives_an_equal_one(self, sampled: Kindlehl) -> None:
        """The same facts byte for byte, the same passages, and the same export again."""
        sampled.ok("export", "json", "--to", sampled.home / "all.json")
        other = sampled.home / "other.db"
        sampled.ok("import", sampled.home / "all.json", "--library", other)
        assert facts(other) == facts(sampled.library)
        assert shown(other) == shown(sampled.library)
        assert sampled.ok("list", "--json", "--bookmarks", "--library", other) == sampled.ok(
            "list", "--json", "--bookmarks"
        )
        sampled.ok("export", "json", "--to", sampled.home / "again.json", "--library", other)
        assert (sampled.home / "again.json").read_bytes() == (sampled.home / "all.json").read_bytes()

    def test_a_second_import_of_it_changes_nothing(self, sampled: Kindlehl) -> None:
        """Into the library it came from, and twice into another: 0 new."""
        sampled.ok("export", "json", "--to", sampled.home / "all.json")
        before = facts(sampled.library)
        assert "0 new" in sampled.ok("import", sampled.home / "all.json")
        assert facts(sampled.library) == before
        assert "0 new" in sampled.ok("import", SAMPLE)

    def test_it_carries_what_is_not_shown(self, kindlehl: Kindlehl) -> None:
        """Bookmarks, unreadable records and limit messages come back too."""
        from support.cli import FIXTURES

        kindlehl("import", FIXTURES)
        kindlehl.ok("export", "json", "--to", kindlehl.home / "all.json")
        other = kindlehl.home / "other.db"
        assert kindlehl("import", kindlehl.home / "all.json", "--library", other).code in (0, 3)
        assert records(other) == records(kindlehl.library)
        assert shown(other) == shown(kindlehl.library)

    def test_an_export_of_one_book_is_honest_about_what_it_holds(self, sampled: Kindlehl) -> None:
        """Whatever of the library it carries, importing it adds nothing that the library did not hold."""
        sampled.ok("export", "json", "--book", "walden", "--to", sampled.home / "one.json")
        other = sampled.home / "other.db"
        sampled.ok("import", sampled.home / "one.json", "--library", other)
        assert set(facts(other)) <= set(facts(sampled.library))
        assert "I went to the woods" in sampled.ok("list", "--library", other)

    @pytest.mark.parametrize("damage", ["cut", "garbled", "newer", "no facts", "a fact that is none"])
    def test_a_damaged_export_is_refused_whole(self, sampled: Kindlehl, damage: str) -> None:
        """A sentence, exit 1, and not one of its facts is taken."""
        whole = sampled.ok("export", "json", "--to", "-")
        document = json.loads(whole)
        path = sampled.home / "x.json"
        match damage:
            case "cut":
                path.write_text(whole[: len(whole) * 2 // 3], "utf-8")
            case "garbled":
                path.write_text(whole.replace('"facts":[', '"facts":[,', 1), "utf-8")
            case "newer":
                document["kindlehl"]["schema"] = "kindlehl/library/12"
            case "no facts":
                del document["kindlehl"]["facts"]
            case _:
                document["kindlehl"]["facts"][7] = {"id": 7}
        if not path.exists():
            path.write_text(json.dumps(document), "utf-8")
        other = sampled.home / "other.db"
        complaint(sampled("import", path, "--library", other), 1)
        assert not other.exists() or facts(other) == []


class FullAtThird(MarkdownExporter):
    """As on a disk that is full after three files."""

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """Three documents, then no room."""
        for n, document in enumerate(super().render(shelf)):
            if n == 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            yield document


def test_an_export_that_stopped_half_way_is_finished_and_doubles_no_file(tmp_path: Path) -> None:
    """What was already written is ours the next time: nine books, nine files."""
    library = open_library(tmp_path / "l.db")
    with sources.opened_path(SAMPLE, [ClippingsImporter()]) as source:
        importing.import_sources(library, [source])
    shelf = exporting.ChosenBooks(library, library.shelf.books())
    with pytest.raises(TargetError):
        exporting.export_to_folder(FullAtThird(), shelf, tmp_path / "vault")
    exporting.export_to_folder(MarkdownExporter(), shelf, tmp_path / "vault")
    library.close()
    assert len(list((tmp_path / "vault").glob("*.md"))) == 9


def test_an_export_to_a_folder_whose_manifest_is_lost_doubles_no_file(sampled: Kindlehl, tmp_path: Path) -> None:
    """As after kill -9 before it was written: a file with exactly our content is ours."""
    vault = tmp_path / "vault"
    sampled.ok("export", "markdown", "--to", vault)
    shutil.rmtree(vault / ".kindlehl")
    sampled.ok("export", "markdown", "--to", vault)
    assert len(list(vault.glob("*.md"))) == 9
