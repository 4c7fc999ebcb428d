"""An export folder that somebody else prepared: a vault from a stranger, with a false manifest and links."""

import hashlib
import json
from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl, contents


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def person(kindlehl: Kindlehl) -> Kindlehl:
    """Somebody with a library and a diary."""
    kindlehl.ok("import", SAMPLE)
    (kindlehl.home / "diary.md").write_text("my own words\n")
    return kindlehl


def manifest(folder: Path, files: object) -> None:
    (folder / ".kindlehl").mkdir(parents=True, exist_ok=True)
    text = files if isinstance(files, str) else json.dumps({"schema": "kindlehl/exports/1", "files": files})
    (folder / ".kindlehl" / "exports.json").write_text(text, "utf-8")


@pytest.mark.parametrize("where", ["../diary.md", "{home}/diary.md", "sub/../../diary.md", "./../diary.md", "sub/x.md"])
def test_a_manifest_that_points_outside_the_folder_is_not_followed(person: Kindlehl, where: str) -> None:
    """Though it names the right hash: what is outside stays, and the book gets a file inside."""
    folder = person.home / "vault"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "x.md").write_text("my own words\n")
    walden = next(b["id"] for b in json.loads(person.ok("books", "--json"))["items"] if b["title"] == "Walden")
    path = where.format(home=person.home)
    manifest(folder, {f"markdown/{walden}": {"path": path, "sha256": sha256(person.home / "diary.md")}})
    person.ok("export", "markdown", "--to", folder)
    assert (person.home / "diary.md").read_text() == "my own words\n"
    assert (folder / "sub" / "x.md").read_text() == "my own words\n"
    assert "woods" in (folder / "Walden.md").read_text("utf-8")


def test_a_link_under_a_name_of_ours_is_never_written_through(person: Kindlehl) -> None:
    """Dangling, to a file, and to one that the manifest calls ours: what it points to stays as it is."""
    diary = person.home / "diary.md"
    walden = next(b["id"] for b in json.loads(person.ok("books", "--json"))["items"] if b["title"] == "Walden")
    for n, listed in enumerate((False, True)):
        folder = person.home / f"vault{n}"
        folder.mkdir()
        (folder / "Walden.md").symlink_to(diary)
        (folder / "Meditations.md").symlink_to(person.home / "missing.md")
        if listed:
            manifest(folder, {f"markdown/{walden}": {"path": "Walden.md", "sha256": sha256(diary)}})
        assert person("export", "markdown", "--to", folder).code in (0, 3)
        assert diary.read_text() == "my own words\n"
        assert not (person.home / "missing.md").exists()


def test_a_folder_that_is_a_link_to_a_folder_can_be_exported_to(person: Kindlehl) -> None:
    """That one is the reader's own: a vault is often behind a link."""
    (person.home / "real").mkdir()
    (person.home / "vault").symlink_to(person.home / "real")
    person.ok("export", "markdown", "--to", person.home / "vault")
    assert len(list((person.home / "real").glob("*.md"))) == 9


@pytest.mark.parametrize(
    "files",
    ["", "{", "[]", "null", "7", '"x"', '{"files": 7}', '{"files": []}', '{"files": {"a": 7}}', '{"files": {"a": {}}}',
     '{"files": {"a": {"path": 7, "sha256": "x"}}}', '{"files": {"a": {"path": "x"}}}', "\ufeff{}"],
    ids=lambda text: text[:24] or "empty",
)  # fmt: skip
def test_a_broken_manifest_makes_no_file_ours(person: Kindlehl, files: str) -> None:
    """What is in the folder stays, the export is there beside it, and no traceback."""
    folder = person.home / "vault"
    folder.mkdir()
    (folder / "Walden.md").write_text("my own words on Walden\n")
    manifest(folder, files)
    done = person("export", "markdown", "--to", folder)
    assert (done.code, done.err) == (0, "")
    assert (folder / "Walden.md").read_text() == "my own words on Walden\n"
    assert len(list(folder.glob("*.md"))) == 10


def test_a_single_file_that_is_a_link_is_not_written_through(person: Kindlehl) -> None:
    """`--to link.csv`, which points to the diary."""
    link = person.home / "all.csv"
    link.symlink_to(person.home / "diary.md")
    assert person("export", "csv", "--to", link).code == 1
    assert (person.home / "diary.md").read_text() == "my own words\n"
    assert link.is_symlink()


def test_an_export_leaves_no_scraps(person: Kindlehl) -> None:
    """Nothing but the files and the manifest, in the folder and in the state directory."""
    folder = person.home / "vault"
    person.ok("export", "markdown", "--to", folder)
    person.ok("export", "csv", "--to", person.home / "all.csv")
    assert [name for name in contents(person.home) if "part" in name or "tmp" in name] == []
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(".")) == [".kindlehl"]
