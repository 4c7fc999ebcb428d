"""File names made from titles: they stay in the folder, work on every system, and never meet."""

import json
import unicodedata
from pathlib import Path

import pytest
from support.cli import Kindlehl, contents, highlight, tree, written

EVIL = [
    "../../etc/passwd", "..", ".", "/etc/passwd", "C:\\Windows\\win.ini", "..\\..\\boot.ini", "a/b\\c:d*?\"<>|",
    "CON", "con.txt", "aux.txt", "NUL", "nul.tar.gz", "LPT1.md", "COM¹", "CON .x", " . . ", "...", "   ", ".hidden",
    "-rf", "~root",
    "$(reboot)", "`reboot`", "%PATH%", "!important", "emoji 😀👩‍👩‍👧‍👦 🏳️‍🌈", "x" * 300, "草" * 300, "é" * 300,
    "trailing. . .",
    "Same", "same", "SAME", "Caf\u00e9", "Cafe\u0301", "CAFÉ", "straße", "STRASSE", "ﬁre", "fire", "İ", "i̇",
    "zero\u200bwidth", "zerowidth", "bidi\u202egnp.md", "tab\there", "[[wiki]]", "#tag", "^block", "a|b", "\ufeffbom",
    "\u00ad",
    ".kindlehl", "exports.json", "index", "desktop.ini", "Thumbs.db",
]  # fmt: skip

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³")}
"""Devices of Windows, which looks at what is before the first dot."""


def clippings(titles: list[str]) -> str:
    """A highlight in each book."""
    return "".join(
        highlight(f"The words of book number {n}.", f"{title} (Author {n})", 10, second=60 * n)
        for n, title in enumerate(titles)
    )


@pytest.fixture
def library(kindlehl: Kindlehl) -> Kindlehl:
    """A library of books with such titles, each by an author of its own."""
    report = kindlehl("import", written(kindlehl.home / "c.txt", clippings(EVIL)), "--json").json
    assert report["kinds"]["highlight"] == len(EVIL)
    return kindlehl


def exported(kindlehl: Kindlehl, folder: Path) -> dict[str, str]:
    """Name → text of every Markdown file of an export."""
    kindlehl.ok("export", "markdown", "--to", folder)
    return {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}


def test_whatever_a_title_is_the_export_stays_in_its_folder(library: Kindlehl, tmp_path: Path) -> None:
    """Every file is directly in the folder that was named; nothing appears or changes anywhere else."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd.md").write_text("root\n")
    outside = contents(tmp_path)
    folder = tmp_path / "a" / "b" / "vault"
    files = exported(library, folder)
    books = json.loads(library.ok("books", "--json"))["items"]
    assert len(files) == len(books)
    after = contents(tmp_path)
    assert {name: after[name] for name in outside if not name.startswith("home/data")} == {
        name: held for name, held in outside.items() if not name.startswith("home/data")
    }
    assert all(name.startswith(("a", "home/data")) for name in after.keys() - outside.keys())


def test_every_book_has_a_file_of_its_own_with_its_own_words(library: Kindlehl, tmp_path: Path) -> None:
    """No two meet, on file systems that fold case or Unicode forms either; nobody's words are lost."""
    files = exported(library, tmp_path / "vault")
    for fold in (str.casefold, str.lower, str.upper, lambda name: unicodedata.normalize("NFD", name).casefold()):
        assert len({fold(name) for name in files}) == len(files)
    words = "\n".join(files.values())
    for n in range(len(EVIL)):
        assert words.count(f"The words of book number {n}.") == 1


def test_every_name_is_one_that_every_system_takes(library: Kindlehl, tmp_path: Path) -> None:
    """No forbidden sign, no control or invisible one, no blank or dot at an end, short, and in composed form."""
    for name in exported(library, tmp_path / "vault"):
        stem = name.removesuffix(".md")
        assert name.split(".")[0].strip().casefold() not in RESERVED, name
        assert not set(name) & set('<>:"/\\|?*'), name
        assert not [c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Cs")], name
        assert stem == stem.strip(" ."), name
        assert not name.startswith("."), name
        assert len(name.encode()) <= 200, name
        assert name == unicodedata.normalize("NFC", name), name


def test_a_second_export_finds_the_same_names(library: Kindlehl, tmp_path: Path) -> None:
    """Nothing is written, nothing is there twice; when each book has grown, each file is written in its place."""
    folder = tmp_path / "vault"
    before = exported(library, folder)
    times = tree(folder)
    assert f"0 written, {len(before)} unchanged" in library.ok("export", "markdown", "--to", folder)
    assert tree(folder) == times
    more = "".join(
        highlight(f"More words of book {n}.", f"{title} (Author {n})", 500, second=60 * n)
        for n, title in enumerate(EVIL)
    )
    library.ok("import", written(library.home / "d.txt", more))
    after = exported(library, folder)
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)


def test_what_is_already_in_the_folder_under_such_names_stays(library: Kindlehl, tmp_path: Path) -> None:
    """Every name that an export would take is somebody else's file: all of them keep theirs."""
    names = exported(library, tmp_path / "probe")
    folder = tmp_path / "vault"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(f"mine: {name}", "utf-8")
    library.ok("export", "markdown", "--to", folder)
    for name in names:
        assert (folder / name).read_text("utf-8") == f"mine: {name}"
    assert len([path for path in folder.iterdir() if path.is_file()]) == 2 * len(names)


def test_the_order_in_which_books_come_changes_no_name(library: Kindlehl, tmp_path: Path) -> None:
    """A book that comes later and sorts earlier takes nobody's name."""
    folder = tmp_path / "vault"
    before = exported(library, folder)
    library.ok("import", written(library.home / "d.txt", highlight("A third one.", "SaMe (Aaron)", 5)))
    after = exported(library, folder)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1
