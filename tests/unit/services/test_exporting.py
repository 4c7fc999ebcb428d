"""Exporting: a file that is not ours, or that the reader changed, is never written over."""

import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.histories import import_of, record

from kindlehl.domain import merging
from kindlehl.domain.contract import Block, Document, Shelf
from kindlehl.domain.errors import PluginError, TargetError, UsageError
from kindlehl.services.exporting import (
    MANIFEST,
    ChosenBooks,
    Exported,
    export_to_file,
    export_to_folder,
    export_to_stream,
    safe_name,
)
from kindlehl.store.memory import MemoryLibrary

SHELF = ChosenBooks(MemoryLibrary(), [])


class Made:
    """An exporter with these documents: title → text."""

    name = "made"
    summary = "What a test needs."

    def __init__(self, *documents: tuple[str, str], fails: bool = False, first: int = 0) -> None:
        self.documents, self.fails, self.first = documents, fails, first
        self.warnings: list[str] = []

    def render(self, shelf: Shelf) -> Iterable[Document]:
        """Each document has the number of its place as its id."""
        for n, (title, text) in enumerate(self.documents, self.first):
            yield Document(f"id-{n:08d}-of-it", title, ".md", [Block("", text.encode()), Block("x", b"!")])
        if self.fails:
            raise OSError(28, "No space left on device")


def folder(path: Path) -> dict[str, str]:
    """The files a reader sees, with what is in them."""
    return {p.name: p.read_text("utf-8") for p in sorted(path.iterdir()) if not p.name.startswith(".")}


def names(done: Exported) -> tuple[list[str], list[str], list[str]]:
    return tuple([Path(p).name for p in paths] for paths in (done.written, done.unchanged, done.kept))  # type: ignore[return-value]


class TestNames:
    """Safe on every system."""

    @pytest.mark.parametrize(
        ("title", "name"),
        [
            ("Tale", "Tale"),
            ("A: B / C \\ D", "A B C D"),
            ('What? "This" <is> a*b|c', "What This is a b c"),
            ("[[Link]] #tag ^block", "Link tag block"),
            ("..hidden..", "hidden"),
            (" . ", "Untitled"),
            ("", "Untitled"),
            ("???", "Untitled"),
            ("../../etc/passwd", "etc passwd"),
            ("line\nbreak\ttab\x00nul\x7fdel", "line break tab nul del"),
            ("e\u0301te\u0301", "été"),
            ("a\u200bb\u202ec\ufeff", "abc"),
            ("CON", "_CON"),
            ("nul", "_nul"),
            ("Com1", "_Com1"),
            ("LPT¹", "_LPT¹"),
            ("CONSTANT", "CONSTANT"),
            ("草枕", "草枕"),
            ("x" * 300, "x" * 120),
            ("字" * 100, "字" * 40),
            ("a" * 119 + " b", "a" * 119),
        ],
    )
    def test_a_title_becomes_a_name_that_every_system_takes(self, title: str, name: str) -> None:
        """Illegal characters, reserved names, hidden ones, bytes that cut no letter in two."""
        assert safe_name(title) == name

    @pytest.mark.parametrize("title", ["Aux. Notes", "con.txt", "NUL .x", "prn.a.b"])
    def test_a_reserved_name_with_an_ending_is_made_safe_too(self, title: str) -> None:
        """The whole name with its suffix is what Windows looks at."""
        assert f"{safe_name(title)}.md".split(".")[0].strip().casefold() not in ("aux", "con", "nul", "prn")

    @given(st.text())
    def test_no_title_leads_out_of_the_folder_or_to_an_illegal_name(self, title: str) -> None:
        """Whatever a book is called."""
        name = safe_name(title)
        assert name
        assert Path(name).name == name
        assert not set(name) & set('<>:"/\\|?*[]#^\0\n')
        assert not name.startswith((".", " "))
        assert not name.endswith((".", " "))
        assert len(name.encode()) <= 121


class TestFolder:
    """A file for each book."""

    def test_each_document_is_a_file_and_the_manifest_says_which_are_ours(self, tmp_path: Path) -> None:
        """With the hash of what was written; no absolute path, so that the folder may travel."""
        done = export_to_folder(Made(("One", "1"), ("Two", "2")), SHELF, tmp_path / "new" / "vault")
        assert names(done) == (["One.md", "Two.md"], [], [])
        assert folder(tmp_path / "new" / "vault") == {"One.md": "1!", "Two.md": "2!"}
        manifest = (tmp_path / "new" / "vault" / MANIFEST).read_text("utf-8")
        assert sorted(e["path"] for e in json.loads(manifest)["files"].values()) == ["One.md", "Two.md"]
        assert str(tmp_path) not in manifest

    def test_what_is_unchanged_is_not_touched(self, tmp_path: Path) -> None:
        """Its time stays, the manifest's too; what changed is written."""
        export_to_folder(Made(("One", "1"), ("Two", "2")), SHELF, tmp_path)
        for path in (tmp_path / "One.md", tmp_path / MANIFEST):
            os.utime(path, (1, 1))
        assert names(export_to_folder(Made(("One", "1"), ("Two", "2")), SHELF, tmp_path)) == (
            [],
            ["One.md", "Two.md"],
            [],
        )
        assert (tmp_path / MANIFEST).stat().st_mtime == 1
        assert names(export_to_folder(Made(("One", "1"), ("Two", "b")), SHELF, tmp_path)) == (
            ["Two.md"],
            ["One.md"],
            [],
        )
        assert (tmp_path / "One.md").stat().st_mtime == 1
        assert folder(tmp_path) == {"One.md": "1!", "Two.md": "b!"}

    def test_a_file_that_is_not_ours_keeps_its_name_and_its_words(self, tmp_path: Path) -> None:
        """Ours gets another name, and keeps it."""
        (tmp_path / "One.md").write_text("my diary", "utf-8")
        for text in ("1", "2"):
            export_to_folder(Made(("One", text)), SHELF, tmp_path)
            assert folder(tmp_path) == {"One.md": "my diary", "One (id-00000).md": f"{text}!"}

    def test_a_file_that_the_reader_changed_is_kept(self, tmp_path: Path) -> None:
        """Until it is as we wrote it again."""
        export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        (tmp_path / "One.md").write_text("1! and my own words", "utf-8")
        for text in ("1", "2"):
            assert names(export_to_folder(Made(("One", text)), SHELF, tmp_path)) == ([], [], ["One.md"])
            assert folder(tmp_path) == {"One.md": "1! and my own words"}
        (tmp_path / "One.md").write_text("1!", "utf-8")
        assert names(export_to_folder(Made(("One", "2")), SHELF, tmp_path)) == (["One.md"], [], [])

    def test_a_book_that_was_renamed_keeps_its_file(self, tmp_path: Path) -> None:
        """Links to it go on working."""
        export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        export_to_folder(Made(("Eins", "1")), SHELF, tmp_path)
        assert folder(tmp_path) == {"One.md": "1!"}

    def test_titles_that_differ_in_case_alone_are_two_files_everywhere(self, tmp_path: Path) -> None:
        """On systems that ignore case the second would be written over the first."""
        export_to_folder(Made(("Tale", "1"), ("TALE", "2"), ("Täle", "3"), ("TA\u0308LE", "4")), SHELF, tmp_path)
        found = list(folder(tmp_path))
        assert len({name.casefold() for name in found}) == len(found) == 4

    def test_the_name_of_a_book_that_is_not_exported_now_is_not_given_to_another(self, tmp_path: Path) -> None:
        """Though its file is gone: with both exported, each has its own again."""
        export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        (tmp_path / "One.md").unlink()
        export_to_folder(Made(("ONE", "2"), first=5), SHELF, tmp_path)
        assert folder(tmp_path) == {"ONE (id-00000).md": "2!"}
        export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        assert folder(tmp_path) == {"ONE (id-00000).md": "2!", "One.md": "1!"}

    def test_a_dry_run_tells_the_same_and_writes_nothing(self, tmp_path: Path) -> None:
        """Not even the folder."""
        target = tmp_path / "new"
        assert names(export_to_folder(Made(("One", "1")), SHELF, target, dry_run=True)) == (["One.md"], [], [])
        assert not target.exists()
        export_to_folder(Made(("One", "1")), SHELF, target)
        before = {p: p.read_bytes() for p in target.rglob("*") if p.is_file()}
        assert names(export_to_folder(Made(("One", "2")), SHELF, target, dry_run=True))[0] == ["One.md"]
        assert {p: p.read_bytes() for p in target.rglob("*") if p.is_file()} == before

    @pytest.mark.parametrize(
        "broken",
        [
            "",
            "{",
            "[]",
            "null",
            '{"files": 1}',
            '{"files": {"made/x": 1}}',
            '{"files": {"made/x": {"path": "One.md"}}}',
            "\0\1",
        ],
    )
    def test_with_a_broken_manifest_no_file_counts_as_ours(self, tmp_path: Path, broken: str) -> None:
        """Nothing is written over, and the next manifest is whole."""
        export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        (tmp_path / MANIFEST).write_text(broken, "utf-8")
        export_to_folder(Made(("One", "2")), SHELF, tmp_path)
        assert folder(tmp_path)["One.md"] == "1!"
        assert json.loads((tmp_path / MANIFEST).read_text("utf-8"))["files"]

    def test_a_file_that_is_as_it_would_be_written_is_ours_though_the_manifest_was_lost(self, tmp_path: Path) -> None:
        """Nothing is duplicated."""
        export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        (tmp_path / MANIFEST).unlink()
        assert names(export_to_folder(Made(("One", "1")), SHELF, tmp_path)) == ([], ["One.md"], [])

    @pytest.mark.parametrize("path", ["../victim.md", "/etc/victim.md", "sub/victim.md", "..", ".", ""])
    def test_a_manifest_from_somebody_else_leads_out_of_no_folder(self, tmp_path: Path, path: str) -> None:
        """It travels with the folder, so anybody may have written it."""
        vault = tmp_path / "vault"
        export_to_folder(Made(("One", "1")), SHELF, vault)
        manifest = json.loads((vault / MANIFEST).read_text("utf-8"))
        for entry in manifest["files"].values():
            entry["path"] = path
        (vault / MANIFEST).write_text(json.dumps(manifest), "utf-8")
        (tmp_path / "victim.md").write_text("1!", "utf-8")
        export_to_folder(Made(("One", "2")), SHELF, vault)
        assert (tmp_path / "victim.md").read_text("utf-8") == "1!"

    def test_an_export_that_failed_half_way_goes_on_where_it_was(self, tmp_path: Path) -> None:
        """What was written until then is ours: nothing is there twice."""
        with pytest.raises(TargetError):
            export_to_folder(Made(("One", "1"), fails=True), SHELF, tmp_path)
        export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        assert folder(tmp_path) == {"One.md": "1!"}

    def test_a_failure_is_a_sentence_and_leaves_no_part_of_a_file(self, tmp_path: Path) -> None:
        """Disk full, say."""
        with pytest.raises(TargetError, match="No space left"):
            export_to_folder(Made(("One", "1"), fails=True), SHELF, tmp_path)
        assert [p for p in tmp_path.iterdir() if p.suffix == ".part"] == []

    def test_a_folder_that_is_a_file_is_refused(self, tmp_path: Path) -> None:
        """And left as it is."""
        (tmp_path / "x").write_text("mine", "utf-8")
        with pytest.raises(TargetError, match="is a file"):
            export_to_folder(Made(("One", "1")), SHELF, tmp_path / "x")

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
    def test_a_new_file_has_the_permissions_of_any_new_file(self, tmp_path: Path) -> None:
        """Temporary files are private; a vault may be shared."""
        old = os.umask(0o022)
        try:
            export_to_folder(Made(("One", "1")), SHELF, tmp_path)
        finally:
            os.umask(old)
        assert (tmp_path / "One.md").stat().st_mode & 0o777 == 0o644


class TestFile:
    """One document to one file."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
        """The target, and where it is remembered that it is ours."""
        return tmp_path / "out" / "x.md", tmp_path / "state"

    def test_a_file_of_ours_is_written_anew(self, place: tuple[Path, Path]) -> None:
        """And left alone when nothing changed."""
        for text, done in (("1", "written"), ("1", "unchanged"), ("2", "written")):
            found = export_to_file(Made(("One", text)), SHELF, *place)
            assert getattr(found, done) == [str(place[0])]
            assert place[0].read_text("utf-8") == f"{text}!"

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_a_file_that_is_not_ours_or_was_changed_is_left_and_told(
        self, place: tuple[Path, Path], dry_run: bool
    ) -> None:
        """As an error: the reader named this very file."""
        place[0].parent.mkdir()
        place[0].write_text("my diary", "utf-8")
        with pytest.raises(TargetError, match="left as it is"):
            export_to_file(Made(("One", "1")), SHELF, *place, dry_run=dry_run)
        assert place[0].read_text("utf-8") == "my diary"
        place[0].unlink()
        export_to_file(Made(("One", "1")), SHELF, *place)
        place[0].write_text("1! and mine", "utf-8")
        with pytest.raises(TargetError, match="left as it is"):
            export_to_file(Made(("One", "1")), SHELF, *place, dry_run=dry_run)

    def test_several_documents_do_not_go_into_one_file(self, place: tuple[Path, Path]) -> None:
        """Nothing is written, and the hint names a folder."""
        with pytest.raises(UsageError) as raised:
            export_to_file(Made(("One", "1"), ("Two", "2")), SHELF, *place)
        assert "FOLDER" in (raised.value.hint or "")
        assert not place[0].exists()
        assert list(place[0].parent.iterdir()) == []

    def test_a_folder_is_no_file_and_nothing_is_no_document(self, place: tuple[Path, Path], tmp_path: Path) -> None:
        """Two ways to have nothing to write to, or nothing to write."""
        with pytest.raises(TargetError, match="is a folder"):
            export_to_file(Made(("One", "1")), SHELF, tmp_path, place[1])
        with pytest.raises(TargetError, match="nothing to export"):
            export_to_file(Made(), SHELF, *place)

    def test_a_dry_run_writes_nothing(self, place: tuple[Path, Path]) -> None:
        """Neither file nor folder nor memory."""
        assert export_to_file(Made(("One", "1")), SHELF, *place, dry_run=True).written == [str(place[0])]
        assert not place[0].parent.exists()
        assert not place[1].exists()


def test_a_stream_is_given_the_documents_one_after_the_other() -> None:
    """Their bytes and nothing else."""
    stream = io.BytesIO()
    export_to_stream(Made(("One", "1"), ("Two", "2")), SHELF, stream)
    assert stream.getvalue() == b"1!2!"


def test_a_book_with_nothing_to_show_is_not_exported() -> None:
    """One of bookmarks alone, say; highlights come in reading order, all facts as they travel."""
    library = MemoryLibrary()
    rows = [
        record("highlight", "Tale", "b", 9, 0, 1, False),
        record("highlight", "Tale", "a", 5, 0, 2, False),
        record("bookmark", "Other", "", 5, 0, 2, False),
    ]
    with library.transaction():
        library.facts.add([*rows, import_of(1, "clippings", rows)])
    shelf = ChosenBooks(library, library.shelf.books())
    (book,) = shelf.books()
    assert [h.text for h in shelf.highlights(book)] == ["a", "b"]
    assert [b.decode() for b in shelf.facts()] == list(library.facts.bodies())


def test_an_exporter_that_fails_is_named_on_standard_output_too() -> None:
    """A stream is written through the same guard as a folder and a file."""

    class Fails:
        name, summary, each_book = "fails", "It fails", False

        def __init__(self) -> None:
            self.warnings: list[str] = []

        def render(self, shelf: Shelf) -> Iterator[Document]:
            """Raises what is no sentence."""
            raise ZeroDivisionError

    with pytest.raises(PluginError, match=r"The exporter fails failed \(ZeroDivisionError\)"):
        export_to_stream(Fails(), ChosenBooks(MemoryLibrary(), []), io.BytesIO())


class Merging(Made):
    """An exporter of one merged document."""

    each_book = True

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.texts = texts

    def render(self, shelf: Shelf) -> Iterator[Document]:
        """Each text is a passage."""
        yield Document("one", "One", ".md", [*self.blocks()], merged=True)

    def blocks(self) -> Iterator[Block]:
        """The passages below a front matter."""
        yield Block("", b"---\nkindlehl: one\n---\n", "front matter")
        for n, text in enumerate(self.texts):
            yield Block(f"id-{n}", f"\n> {text}\n\n^kh-{n}\n".encode())


def test_a_file_that_is_written_while_we_merge_is_merged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is editing it: once, and both are there; all the time, and it is left alone and told."""
    path = tmp_path / "One.md"
    export_to_folder(Merging("a"), SHELF, tmp_path)
    merge, times = merging.merge, [1]

    def busy(*args: Any) -> Any:
        if times[0]:
            times[0] -= 1
            path.write_text(path.read_text("utf-8") + f"\nmine {times[0]}\n", "utf-8")
        return merge(*args)

    monkeypatch.setattr(merging, "merge", busy)
    assert export_to_folder(Merging("a", "b"), SHELF, tmp_path).written == [str(path)]
    assert path.read_text("utf-8").endswith("\nmine 0\n\n> b\n\n^kh-1\n")
    times[0] = 100
    done = export_to_folder(Merging("a", "b", "c"), SHELF, tmp_path)
    assert (done.written, len(done.left)) == ([], 1)
    assert "> c" not in path.read_text("utf-8")
