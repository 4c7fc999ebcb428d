"""How long a search takes in an open library, against a bare FTS5 table of the same texts."""

import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import made_clippings
from measuring import KINDLEHL, Options, Row, Table, main, progress, quantile, run, scratch, shown, size_name

from kindlehl import wiring
from kindlehl.ports import Filter, Library
from kindlehl.services.finding import parse
from kindlehl.store.search import expression, indexable

LIMIT = 20
COMMON = 0.07
"""The share of highlights in which a common word is found."""
GOAL_SIZE = 1_000_000
"""Highlights, from which on the goals hold: below, a few dozen microseconds decide."""
CJK_LIMIT = 0.05
"""Seconds within which two Chinese or Japanese characters are found."""
_CACHE_KIB = 48_000  # as the library has it

_CJK = re.compile("[\u4e00-\u9fff]{2}")


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody types, and the book it is limited to."""

    text: str
    book: str | None = None


def benchmark(options: Options) -> Table:
    """Queries of six kinds at growing sizes."""
    sizes = options.chosen(quick=(2_000, 20_000), full=(100_000, 1_000_000))
    each = 50 if options.quick else 100
    table = Table(
        "Search",
        f"The {LIMIT} best hits of {each} different queries of each kind (as many as there are different ones), one "
        "after the other in an open library (`library.index.search`, which gives whole highlights), each right "
        "after the same query on the floor: a contentless FTS5 table of the same texts with the same tokenizer, "
        "built in the same run, which gives row numbers by rank. Every query runs once to warm both, then three "
        "times, of which the median counts. p50 and p99 over the queries; the goals are those for a million.",
    )
    for count in sizes:
        progress(f"search: building {count:,} clippings")
        with scratch() as folder:
            clippings, library, bare = folder / "My Clippings.txt", folder / "library.db", folder / "floor.db"
            made_clippings.write(clippings, count)
            run([KINDLEHL, "import", clippings, "--library", library], home=folder)
            with wiring.library_to_read(library) as lib, closing(_floor(bare, library)) as floor:
                progress(f"search: {each} queries of each kind")
                table.rows += _rows(lib, floor, count, each)
    return table


def _floor(path: Path, library: Path) -> sqlite3.Connection:
    """A bare index: the texts of the library, and nothing else but which book each is of."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute("CREATE VIRTUAL TABLE f USING fts5(text, note, content='', tokenize='unicode61 remove_diacritics 2')")
    db.execute("CREATE TABLE h (key INTEGER PRIMARY KEY, book TEXT NOT NULL)")
    db.execute("CREATE VIRTUAL TABLE v USING fts5vocab(f, row)")
    db.execute("BEGIN")
    with closing(sqlite3.connect(library)) as source:
        rows = source.execute("SELECT book_id, text, note FROM v_highlights WHERE kind IN ('highlight', 'note')")
        for key, (book, text, note) in enumerate(rows, 1):
            db.execute(
                "INSERT INTO f (rowid, text, note) VALUES (?, ?, ?)", (key, indexable(text), note and indexable(note))
            )
            db.execute("INSERT INTO h VALUES (?, ?)", (key, book))
    db.execute("COMMIT")
    return db


def _rows(library: Library, floor: sqlite3.Connection, count: int, each: int) -> Iterator[Row]:
    for kind, searches in _searches(library, floor, each).items():
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
    match = expression(parse(search.text))
    if search.book is None:
        sql, values = "SELECT rowid FROM f WHERE f MATCH ? ORDER BY rank LIMIT ?", (match, LIMIT)
    else:
        sql = "SELECT f.rowid FROM f JOIN h ON h.key = f.rowid WHERE f MATCH ? AND h.book = ? ORDER BY f.rank LIMIT ?"
        values = (match, search.book, LIMIT)
    return lambda: len(floor.execute(sql, values).fetchall())


def _whole(library: Library, search: Search) -> Callable[[], int]:
    wanted = Filter() if search.book is None else Filter(books=(search.book,))
    return lambda: len(library.index.search(parse(search.text), wanted, LIMIT))


def _searches(library: Library, floor: sqlite3.Connection, each: int) -> dict[str, list[Search]]:
    """Queries of each kind, from the words and texts that are there. The same library gives the same queries."""
    rng = random.Random(7)
    (rows,) = floor.execute("SELECT count(*) FROM h").fetchone()
    latin = "term GLOB '[a-z]*' AND length(term) > 1"

    def words(least: float, most: float) -> list[str]:
        found = floor.execute(f"SELECT term FROM v WHERE {latin} AND doc BETWEEN ? AND ?", (least, most))
        return [word for (word,) in found]

    few, rare = words(3, 30), words(rows / 2000, rows / 500)
    common = [
        w for (w,) in floor.execute(f"SELECT term FROM v WHERE {latin} ORDER BY abs(doc - ?) LIMIT 5", (COMMON * rows,))
    ]
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


def _some(library: Library, books: Sequence[str]) -> Iterator:
    for book in books:
        yield from library.shelf.highlights(Filter(kinds=("highlight",), books=(book,)))


if __name__ == "__main__":
    main(benchmark)
