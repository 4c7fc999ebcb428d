"""`db verify` finds what is wrong, says what to do, and leaves the library as it is."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from support.cli import SAMPLE, Kindlehl, complaint, many, query, tree, written

from kindlehl.store import schema
from kindlehl.store.library import open_library
from kindlehl.store.verify import compared


@pytest.fixture
def library(reader: Kindlehl, kindlehl: Kindlehl) -> Kindlehl:
    """Somebody with the sample in her library, who has edited it and deleted of it."""
    kindlehl.library.parent.mkdir(parents=True)
    shutil.copy(reader.library, kindlehl.library)
    for command in (
        ("note", "320aba02", "mine"),
        ("undo",),
        ("redo",),
        ("delete", "c008b30d"),
        ("books", "hide", "walking"),
    ):
        kindlehl.ok(*command)
    return kindlehl


def findings(kindlehl: Kindlehl, *more: str, code: int = 0) -> dict[str, dict[str, object]]:
    done = kindlehl("db", "verify", "--json", *more)
    assert done.code == code, done
    assert done.json["schema"] == "kindlehl/verify/1"
    assert done.json["ok"] is (code == 0)
    return {item["name"]: item for item in done.json["items"]}


def script(kindlehl: Kindlehl, statements: str) -> None:
    with closing(sqlite3.connect(kindlehl.library)) as connection:
        connection.executescript(statements)


def test_a_sound_library_passes_and_stays_as_it_is(library: Kindlehl) -> None:
    """Byte for byte, with the times of the files and nothing left beside it; in a second look as well."""
    before = tree(library.library.parent)
    assert [*findings(library, "--deep")] == ["integrity", "references", "facts", "index", "indexed", "fold"]
    assert "✓ ok" in library.ok("db", "verify")
    assert tree(library.library.parent) == before


def test_what_was_imported_in_pieces_is_what_a_fold_from_scratch_gives(kindlehl: Kindlehl) -> None:
    """Numbers that are given out in another order do not matter."""
    for n in (400, 0, 200):
        kindlehl.ok("import", written(kindlehl.home / f"{n}.txt", many(220, first=n)))
    kindlehl.ok("import", SAMPLE)
    findings(kindlehl, "--deep")


def test_a_log_that_a_crash_left_is_read_and_stays(library: Kindlehl) -> None:
    """Whoever only looks does not tidy up."""
    with closing(sqlite3.connect(library.library, isolation_level=None)) as other:
        other.execute("INSERT INTO memo VALUES ('a', 'b')")
        files = {path: path.read_bytes() for path in library.library.parent.iterdir()}
    for path, data in files.items():
        path.write_bytes(data)
    findings(library, "--deep")
    for path, data in files.items():
        assert path.name.endswith("-shm") or path.read_bytes() == data


@pytest.mark.parametrize(
    ("damage", "name", "remedy"),
    [
        ("UPDATE facts SET body = 'not JSON' WHERE key = 3", "facts", "restore"),
        ("UPDATE facts SET id = 'x' WHERE key = 3", "facts", "restore"),
        ("UPDATE facts SET revision = 99 WHERE type = 'record'", "facts", "restore"),
        ("UPDATE facts SET body = replace(body, 'truth', 'Truth')", "facts", "restore"),
        ("UPDATE facts SET private = 0", "private", "rebuild"),
        ("PRAGMA foreign_keys = off; DELETE FROM books", "references", "rebuild"),
        ("INSERT INTO search (search) VALUES ('delete-all')", "indexed", "rebuild"),
        ("DELETE FROM highlights WHERE key = (SELECT min(key) FROM highlights)", "indexed", "rebuild"),
        ("UPDATE search_data SET block = zeroblob(40) WHERE id > 10", "index", "rebuild"),
    ],
)
def test_damage_is_found_and_the_remedy_is_told(library: Kindlehl, damage: str, name: str, remedy: str) -> None:
    """Exit 1; what can be made anew is made anew by the remedy."""
    script(library, damage)
    found = findings(library, code=1)
    assert found[name]["ok"] is False
    assert remedy in str(found[name]["remedy"])
    assert "✗ wrong" in library("db", "verify").out
    if remedy == "rebuild":
        library.ok("db", "rebuild")
        findings(library, "--deep")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE highlights SET text = 'other' WHERE key = (SELECT max(key) FROM highlights WHERE text <> '')",
        "UPDATE highlights SET hidden = 1 WHERE kind = 'bookmark'",
        "UPDATE books SET title = 'x'",
        "UPDATE digests SET digest = 1 WHERE bucket = (SELECT min(bucket) FROM digests)",
        "UPDATE records SET passage = key",
        "UPDATE imports SET live = 0",
        "UPDATE atoms SET book = (SELECT min(key) FROM atoms)",
        "INSERT INTO search (rowid, text) SELECT 1, 'more words' ",
    ],
)
def test_what_only_a_fold_can_tell_is_found_by_a_deep_look(library: Kindlehl, damage: str) -> None:
    """Exit 1, and a rebuild mends it."""
    script(library, damage)
    assert findings(library, "--deep", code=1)
    library.ok("db", "rebuild")
    findings(library, "--deep")


@pytest.mark.parametrize("table", compared())
def test_every_derived_table_is_compared(library: Kindlehl, table: str) -> None:
    """A row more or less is noticed, in tables yet to come too."""
    (count,) = query(library.library, f"SELECT count(*) FROM {table}")[0]
    if not count:
        pytest.skip("the sample has nothing of the kind")
    script(library, f"PRAGMA foreign_keys = off; DELETE FROM {table}")
    findings(library, "--deep", code=1)
    assert set(compared()) | {"memo"} == set(schema.DERIVED_TABLES)


def test_damaged_pages_are_found(kindlehl: Kindlehl) -> None:
    """Exit 1 with the remedy, never a traceback."""
    kindlehl.ok("import", written(kindlehl.home / "c.txt", many(400)))
    data = bytearray(kindlehl.library.read_bytes())
    for page in range(3, len(data) // 16_384, 4):
        data[page * 16_384 : page * 16_384 + 64] = b"\xff" * 64
    kindlehl.library.write_bytes(data)
    done = kindlehl("db", "verify", "--deep")
    assert done.code == 1
    assert "bug" not in done.err
    assert "db restore" in done.out


def test_a_fact_of_a_newer_kindlehl_is_no_damage(library: Kindlehl) -> None:
    """It is counted, and kept."""
    body = '{"type":"poem","id":"019a0000-0000-7000-8000-000000000000"}'
    with closing(open_library(library.library)) as lib, lib.transaction():
        lib.facts.add_raw([body])
    assert "1 fact" in str(findings(library, "--deep")["newer"]["what"])


def test_without_a_library_and_with_no_library_it_says_so(kindlehl: Kindlehl) -> None:
    """Nothing is made."""
    complaint(kindlehl("db", "verify"), 1)
    complaint(kindlehl("db", "verify", "--library", written(kindlehl.home / "x.db", "Dear diary" * 99)), 1)
    assert sorted(path.name for path in kindlehl.home.iterdir()) == ["x.db"]


def test_it_fits_forty_columns(library: Kindlehl) -> None:
    """With what is wrong and its remedy."""
    script(library, "INSERT INTO search (search) VALUES ('delete-all')")
    done = library.on_terminal("db", "verify", columns=40, env={"NO_COLOR": "1"})
    assert done.code == 1
    assert max(map(len, done.out.split("\n"))) <= 40
