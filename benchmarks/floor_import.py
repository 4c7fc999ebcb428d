"""The floor of an import: what one would write in an afternoon. One pattern for English, one table, one search index.

It knows no second language (what it cannot read it keeps as text), joins nothing, and reads the file whole.
"""

import hashlib
import re
import sqlite3
import sys
from pathlib import Path

MONTHS = "January February March April May June July August September October November December"
MONTH = {name: number for number, name in enumerate(MONTHS.split(), 1)}
META = re.compile(
    r"- Your (Highlight|Note|Bookmark) on (?:page (\S+) \| )?(?:Location (\d+)(?:-(\d+))?) \| "
    r"Added on \w+, (\w+) (\d+), (\d+) (\d+):(\d+):(\d+) ([AP]M)"
)
BATCH = 1000


def import_(path: Path, library: Path) -> int:
    """Parse and store; returns how many records there were."""
    db = sqlite3.connect(library, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(
        "CREATE TABLE h"
        "(id BLOB PRIMARY KEY, kind TEXT, title TEXT, author TEXT, text TEXT, page TEXT, s INT, e INT, at TEXT)"
    )
    db.execute("CREATE VIRTUAL TABLE f USING fts5(text, note, content='', tokenize='unicode61 remove_diacritics 2')")
    db.execute("BEGIN")
    rows: list[tuple[object, ...]] = []
    words: list[tuple[object, ...]] = []

    def flush() -> None:
        db.executemany("INSERT OR IGNORE INTO h VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.executemany("INSERT INTO f (rowid, text, note) VALUES (?, ?, ?)", words)
        rows.clear()
        words.clear()

    count = 0
    for block in path.read_bytes().decode("utf-8-sig").split("==========\r\n"):
        parts = block.split("\r\n", 3)
        if len(parts) < 4:
            continue
        line, meta, _, text = parts
        text = text.rstrip()
        kind = page = start = stop = at = None
        match = META.match(meta)
        if match:
            kind, page, start, stop, month, day, year, hour, minute, second, half = match.groups()
            hours = int(hour) % 12 + (12 if half == "PM" else 0)
            at = f"{year}-{MONTH[month]:02}-{int(day):02}T{hours:02}:{minute}:{second}"
        bracket = line.rfind("(")
        key = hashlib.sha1(f"{line}\x1f{meta}\x1f{text}".encode(), usedforsecurity=False).digest()[:16]
        title, author = line[: bracket - 1], line[bracket + 1 : -1]
        count += 1
        rows.append(
            (key, kind, title, author, text, page, start and int(start), (stop or start) and int(stop or start), at)
        )
        words.append((count, "", text) if kind == "Note" else (count, text, None))
        if len(rows) == BATCH:
            flush()
    flush()
    db.execute("COMMIT")
    db.close()
    return count


if __name__ == "__main__":
    print(import_(Path(sys.argv[1]), Path(sys.argv[2])))
