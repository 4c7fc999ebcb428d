"""How long a search takes in an open library, against a bare FTS5 table of the same texts."""

import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import made_clippings
from measuring import KINDLEHL, Options, Row, Table, main, progress, quantile, run, scratch, shown, size_name

from kindlehl import wiring
from kindlehl.domain.facts import Edit, new_id
from kindlehl.ports import Filter, Library
from kindlehl.services import finding
from kindlehl.services.querying import read
from kindlehl.store.expressions import expression, indexable

LIMIT = 20
COMMON = 0.07
"""The share of highlights in which a common word is found."""
GOAL_SIZE = 1_000_000
"""Highlights, from which on the goals hold: below, a few dozen microseconds decide."""
CJK_LIMIT = 0.05
"""Seconds within which two Chinese or Japanese characters are found."""
TAG, TAGGED = "to reread", 50
"""A tag, and of how many highlights one has it."""
_CACHE_KIB = 48_000  # as the library has it

_CJK = re.compile("[\u4e00-\u9fff]{2}")


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody types, and the book it is limited to; the same for the floor, as a condition of SQL."""

    text: str
    book: str | None = None
    where: str = ""
    values: tuple[str, ...] = ()


def benchmark(options: Options) -> Table:
    """Queries of several kinds at growing sizes."""
    sizes = options.chosen(quick=(2_000, 20_000), full=(100_000, 1_000_000))
    each = 50 if options.quick else 100
    table = Table(
        "Search",
        f"The {LIMIT} best hits of {each} different queries of each kind (as many as there are different ones), one "
        "after the other in an open library (`library.index.search`, which gives whole highlights), each right "
        "after the same query on the floor: a contentless FTS5 table of the same texts with the same tokenizer, "
        "built in the same run, which gives row numbers by rank. Kinds with a condition go through `finding.find`, "
        "with the query read anew each time, against the same condition on a plain table of highlights and one of "
        f"books beside that index; one of {TAGGED} highlights has the tag. Every query runs once to warm both, then "
        "three times, of which the median counts. p50 and p99 over the queries; the goals are those for a million.",
    )
    for count in sizes:
        progress(f"search: building {count:,} clippings")
        with scratch() as folder:
            clippings, library = folder / "My Clippings.txt", folder / "library.db"
            made_clippings.write(clippings, count)
            run([KINDLEHL, "import", clippings, "--library", library], home=folder)
            for kinds in (_searches, _conditions):
                if kinds is _conditions:
                    _tag(library)  # not before: to index a part anew leaves a second segment in the index
                with (
                    wiring.library_to_read(library) as lib,
                    closing(_floor(folder / f"{kinds.__name__}.db", library)) as floor,
                ):
                    progress(f"search: {each} queries of each kind")
                    table.rows += _rows(lib, floor, count, kinds(lib, floor, each))
    return table


def _tag(path: Path) -> None:
    """Tag one of so many highlights, as a reader would."""
    with wiring.library(path) as library:
        targets = library.shelf.ids(Filter(kinds=("highlight",)))[::TAGGED]
        ids = [new_id(1_700_000_000_000 + n, n.to_bytes(10, "big")) for n in range(len(targets))]
        with library.transaction():
            library.facts.add(
                Edit(id_, target, f"tag:{TAG}", True, (), hlc=n, at="2024-01-01T00:00:00Z", device="bench", op=id_)
                for n, (id_, target) in enumerate(zip(ids, targets, strict=True), 1)
            )
            library.shelf.settle()


def _floor(path: Path, library: Path) -> sqlite3.Connection:
    """A bare index: the texts of the library, and beside it what the conditions ask for."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute("CREATE VIRTUAL TABLE f USING fts5(text, note, content='', tokenize='unicode61 remove_diacritics 2')")
    db.execute("CREATE TABLE b (id TEXT PRIMARY KEY, title TEXT NOT NULL, author TEXT) WITHOUT ROWID")
    db.execute("CREATE TABLE h (key INTEGER PRIMARY KEY, book TEXT NOT NULL, text, note, tags, added_at)")
    db.execute("CREATE VIRTUAL TABLE v USING fts5vocab(f, row)")
    db.execute("BEGIN")
    with closing(sqlite3.connect(library)) as source:
        db.executemany("INSERT INTO b VALUES (?, ?, ?)", source.execute("SELECT id, title, author FROM v_books"))
        rows = source.execute(
            """SELECT book_id, text, note, tags_json, added_at FROM v_highlights WHERE kind IN ('highlight', 'note')
               ORDER BY title, location_start"""
        )
        for key, (book, text, note, tags, at) in enumerate(rows, 1):
            db.execute(
                "INSERT INTO f (rowid, text, note) VALUES (?, ?, ?)", (key, indexable(text), note and indexable(note))
            )
            db.execute("INSERT INTO h VALUES (?, ?, ?, ?, ?, ?)", (key, book, text, note, tags, at))
    db.execute("COMMIT")
    return db


def _rows(
    library: Library, floor: sqlite3.Connection, count: int, kinds: Mapping[str, Sequence[Search]]
) -> Iterator[Row]:
    for kind, searches in kinds.items():
        theirs, ours = _measure(library, floor, searches)
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            mine, other = quantile(ours, share), quantile(theirs, share)
            # Each query's own ratio would hide a slow query behind a slow floor, so quantiles are compared.
            ratio = mine / other
            goal, met = "", None
            if count < GOAL_SIZE:
                pass
            elif name == "p99" and kind.startswith("two CJK"):
                goal, met = f"< {shown(CJK_LIMIT)}", mine < CJK_LIMIT
            elif name == "p99":
                goal, met = "≤ 1.5× the time", ratio <= 1.5
            what = f"{kind}, {size_name(count)}, {name}"
            yield Row(what, shown(other), shown(mine), f"{ratio:.2f}×", goal, met)


def _measure(
    library: Library, floor: sqlite3.Connection, searches: Sequence[Search]
) -> tuple[list[float], list[float]]:
    theirs: list[float] = []
    ours: list[float] = []
    for search in searches:
        bare, whole = _bare(floor, search), _whole(library, search)
        # The first pass warms both, and proves that they find the same number of things.
        if bare() != whole():
            message = f"the floor and the library disagree on {search}"
            raise RuntimeError(message)
        timed = [(_timed(bare), _timed(whole)) for _ in range(3)]
        theirs.append(median(floor for floor, _ in timed))
        ours.append(median(mine for _, mine in timed))
    return theirs, ours


def _timed(ask: Callable[[], int]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def _bare(floor: sqlite3.Connection, search: Search) -> Callable[[], int]:
    query = read(search.text).query
    match = expression(query) if query else ""
    if search.where:
        among = "f JOIN h ON h.key = f.rowid JOIN b ON b.id = h.book WHERE f MATCH ? AND"
        sql = (
            f"SELECT f.rowid FROM {among} {search.where} ORDER BY f.rank LIMIT ?"
            if match
            else f"SELECT h.key FROM h JOIN b ON b.id = h.book WHERE {search.where} ORDER BY b.title, h.key LIMIT ?"
        )
        values = (*([match] if match else []), *search.values, LIMIT)
    elif search.book is None:
        sql, values = "SELECT rowid FROM f WHERE f MATCH ? ORDER BY rank LIMIT ?", (match, LIMIT)
    else:
        sql = "SELECT f.rowid FROM f JOIN h ON h.key = f.rowid WHERE f MATCH ? AND h.book = ? ORDER BY f.rank LIMIT ?"
        values = (match, search.book, LIMIT)
    return lambda: len(floor.execute(sql, values).fetchall())


def _whole(library: Library, search: Search) -> Callable[[], int]:
    wanted = Filter() if search.book is None else Filter(books=(search.book,))
    if search.where:
        return lambda: sum(1 for _ in finding.find(library, read(search.text), limit=LIMIT))
    query = read(search.text).query
    return lambda: len(library.index.search(query, wanted, LIMIT))


def _searches(library: Library, floor: sqlite3.Connection, each: int) -> dict[str, list[Search]]:
    """Queries of each kind, from the words and texts that are there. The same library gives the same queries."""
    rng = random.Random(7)
    (rows,) = floor.execute("SELECT count(*) FROM h").fetchone()

    def words(least: float, most: float) -> list[str]:
        found = floor.execute(f"SELECT term FROM v WHERE {_LATIN} AND doc BETWEEN ? AND ?", (least, most))
        return [word for (word,) in found]

    few, rare = words(3, 30), words(rows / 2000, rows / 500)
    common = _common(floor, rows)
    books = [book.id for book in library.shelf.books()]
    texts = [h.text for h in _some(library, rng.sample(books, min(len(books), 100)))]
    pairs = [found[2:4] for text in texts if len(found := re.findall(r"[a-z]+", text)) > 6]
    # Two words in a row of which a sentence was made: most such pairs stand in few places.
    phrases = list(dict.fromkeys(f'"{" ".join(pair)}"' for pair in pairs))
    starts = list(dict.fromkeys(word[:3] for pair in pairs for word in pair if len(word) > 3))
    cjk = list(dict.fromkeys(found[0] for text in texts if (found := _CJK.search(text, 2))))
    for choice in (few, rare, phrases, starts, cjk):
        rng.shuffle(choice)
    return {
        "word in 3 to 30 highlights": [Search(word) for word in few[:each]],
        "word in 1 of 1000": [Search(word) for word in rare[:each]],
        "word in 7 % of all": [Search(common[n % len(common)]) for n in range(each)],
        "phrase": [Search(phrase) for phrase in phrases[:each]],
        "prefix": [Search(f"{start}*") for start in starts[:each]],
        "two CJK characters": [Search(two) for two in cjk[:each]],
        "7 % word in one book": [Search(common[n % len(common)], rng.choice(books)) for n in range(each)],
    }


_LATIN = "term GLOB '[a-z]*' AND length(term) > 1"


def _common(floor: sqlite3.Connection, rows: int) -> list[str]:
    found = floor.execute(f"SELECT term FROM v WHERE {_LATIN} ORDER BY abs(doc - ?) LIMIT 5", (COMMON * rows,))
    return [word for (word,) in found]


def _conditions(library: Library, floor: sqlite3.Connection, each: int) -> dict[str, list[Search]]:
    """A word with a condition, and conditions alone."""
    rng = random.Random(8)
    (rows,) = floor.execute("SELECT count(*) FROM h").fetchone()
    common = _common(floor, rows)
    names = [name for _, _, author in library.shelf.titles() if author and (name := author.split()[-1]).isascii()]
    tagged = "EXISTS (SELECT 1 FROM json_each(h.tags) WHERE value = ?)"
    months = [f"20{year}-{month:02}" for year in range(12, 20) for month in range(1, 13)]
    words = [common[n % len(common)] for n in range(each)]

    def by(name: str, text: str) -> Search:
        return Search(text, None, "b.author LIKE ?", (f"%{name}%",))

    return {
        "7 % word, tag": [Search(f"tag:to-reread {word}", None, tagged, (TAG,)) for word in words],
        "7 % word, author": [by(name, f"author:{name} {word}") for word in words for name in [rng.choice(names)]],
        "author alone": [by(name, f"author:{name}") for name in rng.choices(names, k=each)],
        "tag alone": [Search("tag:to-reread", None, tagged, (TAG,))] * min(each, 20),
        "month, with a note": [
            Search(f"on:{month} has:note", None, "substr(h.added_at, 1, 7) = ? AND h.note IS NOT NULL", (month,))
            for month in rng.choices(months, k=min(each, 20))
        ],
    }


def _some(library: Library, books: Sequence[str]) -> Iterator:
    for book in books:
        yield from library.shelf.highlights(Filter(kinds=("highlight",), books=(book,)))


if __name__ == "__main__":
    main(benchmark)
