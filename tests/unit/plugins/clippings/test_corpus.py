"""Real files of other people, read where they are: every count, every expectation that came with them."""

import ast
import io
import os
import re
from collections import Counter
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from kindlehl.domain.contract import Bundle
from kindlehl.domain.facts import Record
from kindlehl_plugins.clippings import ClippingsImporter

CORPUS = Path(os.environ.get("KINDLEHL_CORPUS", "/work/shared/corpus"))
FOLDER = CORPUS / "kindle_clippings"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the corpus of real files is not at {CORPUS}")

FILES = sorted(path for path in FOLDER.glob("*.txt") if not path.name.endswith(".expected.txt"))

# Files whose entries the index does not count with a letter, as (highlights, notes, bookmarks, unreadable): what its
# words say of them, before any merging of duplicates, which is not the importer's business.
IN_WORDS = {
    "Arnault75__Kindle__MyClippings.txt": (1, 0, 0, 0),
    "Demetriy10__kindle__MyClippings.txt": (4, 1, 0, 0),
    "hadynz__kindle-clippings__book-dup-location-scenario.txt": (3, 0, 0, 0),
    "hadynz__kindle-clippings__book-dup-same-page.txt": (4, 0, 0, 0),  # "4 blocks, one exact duplicate"
    "hadynz__kindle-clippings__book-first-scenario.txt": (5, 2, 0, 0),  # 4 after merging the extended one
    "hadynz__kindle-clippings__book-missing-note-scenario.txt": (1, 1, 0, 0),
    "hadynz__kindle-clippings__book-no-content-scenario.txt": (2, 0, 1, 0),  # one of them empty
    "hadynz__kindle-clippings__book-unordered-scenario.txt": (3, 4, 0, 0),  # a note was written twice
    "ottsch__kindlehighlight__myclippings.txt": (3, 0, 2, 0),
    "yakimka__clippings__languages_examples.txt": (11, 11, 11, 0),
    "zicai__kindle-clippings-parser__MyClippings.txt": (4, 0, 0, 0),
    "zkazure__kindle-mate__MyClippings.txt": (5, 0, 0, 0),
    # Where the index's counter and this importer differ:
    "katrinleinweber__archive-my-kindle-clippings__MyClippings.txt": (1, 1, 0, 0),  # it knew only separators: 0H/1N
    "DenisIgnatenko__kindle-highlights-denis__MyClippings.txt": (129, 4, 5, 0),  # its fifth note is empty: "empty"
}
# Saved articles, which the index counts as "?".
CLIPS = {"DerJoker__duden-py__MyClippings-20141221.txt": 2}


def read(path: Path) -> list[Record]:
    source = Bundle(path.name, {path.name: lambda: path.open("rb")})
    records = list(ClippingsImporter().read(source))
    assert source.warnings == []
    return records


def index() -> dict[str, str]:
    rows = (line.split("\t") for line in (CORPUS / "INDEX.tsv").read_text("utf-8").splitlines())
    return {Path(row[0]).name: row[-1] for row in rows if row[0].startswith("kindle_clippings/")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_gives_what_its_owner_marked(path: Path) -> None:
    """Highlights (empty and limited ones among them), notes, bookmarks and unreadable entries are as counted."""
    kinds = Counter(record.kind for record in read(path))
    counted = re.search(r"counted by us: (\d+)H/(\d+)N/(\d+)B/(\d+)\?", index()[path.name])
    expected = IN_WORDS.get(path.name) or (tuple(map(int, counted.groups())) if counted else None)
    assert expected is not None, "a file that is new in the corpus: count it"
    assert (
        kinds["highlight"] + kinds["empty"] + kinds["limited"],
        kinds["note"],
        kinds["bookmark"],
        kinds["unreadable"] + kinds["clip"],
    ) == expected
    assert kinds["clip"] == CLIPS.get(path.name, 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_claimed(path: Path) -> None:
    """All are known by their heads, whatever they are called; but for one that holds no entry."""
    source = Bundle("x.txt", {"x.txt": lambda: path.open("rb")})
    assert ClippingsImporter().claims(source) is (path.name != "KindleTools__kindle-tools-ts__edge-cases-malformed.txt")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.expected.txt")), ids=lambda path: path.name)
def test_calibres_expectations_hold(path: Path) -> None:
    """Title, author, place, page, time and text are what the tests of calibre-annotations expect."""
    expected = []
    for part in path.read_text("utf-8").split("----------"):
        fields = dict(line.split(" = ", 1) for line in part.strip().split("\n"))
        values = {
            name: datetime(*map(int, re.findall(r"\d+", value)))  # noqa: DTZ001 - naive, as the device's clock
            if name == "time"
            else ast.literal_eval(value)
            for name, value in fields.items()
        }
        for name in ("title", "author", "text"):  # bytes in UTF-8 that Python 2 printed as text
            if values[name] is not None:
                values[name] = values[name].encode("latin-1").decode("utf-8")
        expected.append(values)
    records = read(path.with_name(path.name.replace(".expected", "")))
    assert [(r.kind, r.title, r.author, r.location_start, r.location_end, r.page, r.at, r.text) for r in records] == [
        (
            e["kind"],
            e["title"],
            e["author"],
            e["begin"],
            e["end"],
            e["page"] and str(e["page"]),
            e["time"].isoformat(),
            e["text"],
        )
        for e in expected
    ]


def test_eleven_interfaces_say_the_same() -> None:
    """In yakimka's file every language marks one place at one time."""
    records = read(FOLDER / "yakimka__clippings__languages_examples.txt")
    assert {(r.page, r.location_start, r.at, r.offset) for r in records} == {("112", 1300, "2024-08-22T18:10:53", None)}
    assert {r.location_end for r in records if r.kind == "highlight"} == {1301}
    assert {r.location_end for r in records if r.kind != "highlight"} == {1300}


def test_every_record_has_its_place_and_its_time() -> None:
    """Over the whole corpus nothing that can be read lacks position or date, and the sum of kinds is pinned."""
    records = [record for path in FILES for record in read(path)]
    kinds = Counter(record.kind for record in records)
    assert kinds == {
        "highlight": 5722,
        "limited": 2609,
        "note": 704,
        "bookmark": 402,
        "empty": 42,
        "clip": 2,
        "unreadable": 2,  # kindle-tools-ts' malformed example
    }
    lacking = [
        r for r in records if r.kind != "unreadable" and (r.at is None or (r.page is None and r.location_start is None))
    ]
    assert lacking == []
    assert sum(record.truncated for record in records) == 16


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_line_ends_and_bom_change_no_record(path: Path) -> None:
    """The same file under CRLF, LF, with and without BOM gives the same records."""
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    records = read(path)
    for other in (data, b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n")):
        source = Bundle("x", {"x": partial(io.BytesIO, other)})
        assert list(ClippingsImporter().read(source)) == records
