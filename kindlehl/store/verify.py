"""What is wrong with a library: looked for in a copy, so that the library itself stays as it is and free for others."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kindlehl import wire
from kindlehl.domain import fold, withholding
from kindlehl.domain.errors import CorruptLibraryError
from kindlehl.domain.facts import Edit, Record
from kindlehl.domain.findings import Finding
from kindlehl.store import schema
from kindlehl.store.connection import connect_to_inspect, translated
from kindlehl.store.copies import copy
from kindlehl.store.damage import DAMAGED, can_be_read
from kindlehl.store.library import open_library

REBUILD = "Make it anew from the facts: kindlehl db rebuild"
RESTORE = "Put a backup in its place: kindlehl db restore FILE"
SYNC = "Have the server send it again: kindlehl sync verify. Or put a backup in its place: kindlehl db restore FILE"

_NAMED = {
    ("records", "atom"): "(SELECT id FROM {db}.atoms WHERE key = t.atom)",
    ("atoms", "book"): "(SELECT id FROM {db}.atoms WHERE key = t.book)",
    ("atoms", "key"): "NULL",
    ("books", "key"): "NULL",
    ("sources", "key"): "NULL",
    ("imports", "source"): "(SELECT name FROM {db}.sources WHERE key = t.source)",
    ("reached", "source"): "(SELECT name FROM {db}.sources WHERE key = t.source)",
    ("highlights", "book"): "(SELECT id FROM {db}.books WHERE key = t.book)",
}
"""Columns that hold numbers of books and sources, which a fold from scratch may give out differently: compared by what
they stand for. The other numbers are those of facts."""
_NOT_DERIVED = ("memo",)
"""Remembered, and forgotten by a rebuild."""
_BEFORE = frozenset(("integrity", "references", "facts", "damaged"))
"""What has to be as it should before a fold from scratch tells anything."""


def verify(path: Path, *, deep: bool) -> list[Finding]:
    """Look at everything that can be wrong with a library; `deep`: fold it from scratch and compare, too. Raises
    LibraryError where it cannot be opened at all."""
    with tempfile.TemporaryDirectory(prefix="kindlehl-") as folder:
        mirror = Path(folder) / "work" / "library.db"
        mirror.parent.mkdir()
        with closing(connect_to_inspect(path)) as source:
            try:
                copy(source, path, mirror)
                with translated(path), closing(sqlite3.connect(mirror, isolation_level=None)) as db:
                    found = [_integrity(db), _references(db), *_facts(db)]
                    if db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,):
                        found += [_index(db), indexed(db)]
            except CorruptLibraryError as error:
                return [Finding("integrity", False, error.message, RESTORE)]
        if deep and all(finding.ok for finding in found if finding.name in _BEFORE):
            found.append(_fold(mirror))
    return found


def _integrity(db: sqlite3.Connection) -> Finding:
    wrong = [row for (row,) in db.execute("PRAGMA integrity_check") if row != "ok"]
    if not wrong:
        return Finding("integrity", True, "The file is whole.")
    return Finding("integrity", False, f"The file is damaged in {len(wrong)} places or more.", RESTORE)


def _references(db: sqlite3.Connection) -> Finding:
    wrong = db.execute("PRAGMA foreign_key_check").fetchall()
    if not wrong:
        return Finding("references", True, "Every row that another refers to is there.")
    return Finding("references", False, f"{len(wrong)} rows refer to rows that are not there.", REBUILD)


def _facts(db: sqlite3.Connection) -> Iterator[Finding]:
    counts: dict[str, int] = {}
    wrong = unknown = misplaced = damaged = lost = 0
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (revision,) = db.execute("SELECT value FROM settings WHERE key = 'fold'").fetchone()
    digested, current = version >= schema.TRAVELS, (version, revision) == (schema.VERSION, fold.REVISION)
    of_body = "digest, private" if digested else "NULL, NULL"
    for id_, type_, *state, digest, private, body in db.execute(
        f"SELECT id, type, erased, revision, certainty, {of_body}, CAST(body AS BLOB) FROM facts"  # noqa: S608 -- columns of ours
    ):
        counts[type_] = counts.get(type_, 0) + 1
        if digested and private & DAMAGED and can_be_read(id_, type_, body):
            damaged += 1
            continue
        try:
            head, fact = wire.header(body), wire.decode(body.decode())
        except (wire.Malformed, UnicodeDecodeError):
            wrong += 1
            continue
        unknown += fact is None
        said = [0, 0, 0]
        if isinstance(fact, Record):
            said = [fact.erased, fact.revision, fact.certainty]
        elif isinstance(fact, Edit):
            said = [fact.erased, 0, 0]
        wrong += (
            (head.id, head.type) != (id_, type_)
            or (fact is not None and said != state)
            or (digested and wire.digest(body) != digest)
        )
        misplaced += current and withholding.falls_under(fact) != private
    told = ", ".join(f"{number:,} {type_}s" for type_, number in sorted(counts.items())) or "none"
    if wrong:
        yield Finding("facts", False, f"{wrong:,} facts cannot be read, or are not what their row says.", RESTORE)
    else:
        yield Finding("facts", True, f"Every fact can be read: {told}.")
    if damaged:
        yield Finding(
            "damaged", False,
            f"{damaged:,} facts are not what they were, but can be read: they are shown as they read, and go nowhere.",
            SYNC,
        )  # fmt: skip
    if version == schema.VERSION:
        (lost,) = db.execute("SELECT count(*) FROM rotten").fetchone()
    if lost:
        yield Finding("lost", False, f"{lost:,} facts could not be read any more and are set aside.", SYNC)
    if misplaced:
        yield Finding("private", False, f"{misplaced:,} facts are not marked as notes or highlights.", REBUILD)
    if unknown:
        yield Finding("newer", True, f"{unknown:,} facts were written by a newer kindlehl; they are kept untouched.")


def _index(db: sqlite3.Connection) -> Finding:
    """The index holds no copy of its texts, so this says that it is consistent in itself."""
    try:
        db.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    except sqlite3.DatabaseError:
        return Finding("index", False, "The index for searches is damaged.", REBUILD)
    return Finding("index", True, "The index for searches is consistent in itself.")


def indexed(db: sqlite3.Connection) -> Finding:
    """Whether the index knows of every passage that is to be found, and of no other."""
    wanted = "SELECT key FROM highlights WHERE kind IN ('highlight', 'note') AND NOT hidden"
    held = "SELECT id FROM search_docsize"
    (wrong,) = db.execute(
        f"SELECT count(*) FROM (SELECT * FROM ({wanted} EXCEPT {held}) UNION SELECT * FROM ({held} EXCEPT {wanted}))"  # noqa: S608 -- queries of ours
    ).fetchone()
    if wrong:
        return Finding(
            "indexed", False, f"{wrong:,} passages are missing in the index or do not belong there.", REBUILD
        )
    return Finding("indexed", True, "The index holds every passage that is shown, and no other.")


def _fold(mirror: Path) -> Finding:
    """Whether what is shown is what a fold of all facts from scratch gives, and the index what it makes of that."""
    anew = mirror.with_name("anew.db")
    with closing(connect_to_inspect(mirror)) as source:
        (revision,) = source.execute("SELECT value FROM settings WHERE key = 'fold'").fetchone()
        version = source.execute("PRAGMA user_version").fetchone()[0]
        copy(source, mirror, anew)
    if (revision, version) != (fold.REVISION, schema.VERSION):
        return Finding("fold", True, "An older version made what is shown: the next import makes it anew.")
    with closing(open_library(anew)) as library, library.transaction():
        library.shelf.rebuild()
    with closing(sqlite3.connect(mirror, isolation_level=None)) as db:
        db.execute("ATTACH ? AS anew", (str(anew),))
        wrong = [table for table in compared() if _differ(db, *_projections(db, table))]
        for name in ("main", "anew"):
            db.execute(f"CREATE VIRTUAL TABLE temp.words_{name} USING fts5vocab({name}, search, instance)")
        words = "SELECT term, doc, col, offset FROM temp.words_{}"
        wrong += ["search"] if _differ(db, words.format("main"), words.format("anew")) else []
    if wrong:
        return Finding("fold", False, f"What is shown is not what the facts say ({', '.join(wrong)}).", REBUILD)
    return Finding("fold", True, "What is shown, and the index, are what a fold from scratch gives.")


def compared() -> list[str]:
    """The tables that a fold from scratch makes anew."""
    return [table for table in schema.DERIVED_TABLES if table not in _NOT_DERIVED]


def _projections(db: sqlite3.Connection, table: str) -> tuple[str, str]:
    """A table here and in the copy, as queries whose rows can be compared."""
    columns = [name for _, name, *_ in db.execute(f"PRAGMA main.table_info({table})")]
    queries: list[str] = []
    for name in ("main", "anew"):
        chosen = ", ".join(_NAMED.get((table, column), f"t.{column}").format(db=name) for column in columns)
        queries.append(f"SELECT {chosen} FROM {name}.{table} t")  # noqa: S608 -- names from our own schema
    return queries[0], queries[1]


def _differ(db: sqlite3.Connection, one: str, other: str) -> bool:
    return any(
        db.execute(f"SELECT EXISTS (SELECT * FROM ({a}) EXCEPT SELECT * FROM ({b}))").fetchone()[0]  # noqa: S608 -- queries of ours
        for a, b in ((one, other), (other, one))
    )
