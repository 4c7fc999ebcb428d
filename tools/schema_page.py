"""Writes docs/schema.md: the two views of a library's file that anybody may rely on, and queries to begin with."""

import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from kindlehl import wiring

PAGE = Path(__file__).parents[1] / "docs" / "schema.md"

# View → column → its type and its meaning, in the order of the view.
VIEWS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "v_highlights": {
        "id": (
            "TEXT",
            "Its UUID: that of the earliest of its records, and so the same on every device that has read them.",
        ),
        "kind": ("TEXT", "`highlight`, `note` (one where nothing is marked), `bookmark` or `clip` (a saved article)."),
        "title": ("TEXT", "The book's title."),
        "author": ("TEXT?", "The book's author, as the source writes the name."),
        "text": ("TEXT", "The marked passage; empty for notes and bookmarks. Line ends are `\\n`."),
        "note": ("TEXT?", "The notes at this passage, several parted by an empty line."),
        "color": ("TEXT?", "The name of its colour, such as `yellow`; null where the source tells none."),
        "tags_json": ("TEXT", "Its tags, a JSON array of strings; `json_each(tags_json)` opens it."),
        "favorite": ("INTEGER", "1 for a favorite, else 0."),
        "page": ("TEXT?", "The page's label as printed, such as `12` or `xvi`: text, not a number."),
        "location_start": ("INTEGER?", "The Kindle location where it begins; one location is 150 bytes of the book."),
        "location_end": ("INTEGER?", "The Kindle location where it ends; not before `location_start`."),
        "chapter": ("TEXT?", "The chapter's heading, where the source tells it."),
        "added_at": ("TEXT?", "When it was marked, `2024-08-22T18:10:53`, by the device's own clock; null if unknown."),
        "added_offset": ("TEXT?", "That clock's offset from UTC, such as `+01:00`, only if the source states it."),
        "truncated": ("INTEGER", "1 if the publisher's clipping limit cut the text, else 0."),
        "source": ("TEXT", "The importer that read it and, where known, the device's serial number."),
        "book_id": ("TEXT", "The `id` of its book in `v_books`."),
    },
    "v_books": {
        "id": ("TEXT", "Its UUID, the same on every device that has read the same records."),
        "title": ("TEXT", "The title."),
        "author": ("TEXT?", "The author, as the source writes the name."),
        "highlights": ("INTEGER", "How many highlights it has."),
        "notes": ("INTEGER", "How many of its highlights have a note, plus the notes where nothing is marked."),
        "bookmarks": ("INTEGER", "How many bookmarks it has."),
        "clips": ("INTEGER", "How many saved articles it has."),
        "first_at": ("TEXT?", "`added_at` of the earliest highlight or note."),
        "last_at": ("TEXT?", "`added_at` of the latest highlight or note."),
    },
}

# Each is run in tests/unit/test_docs.py.
QUERIES = {
    "The ten latest marks": """
SELECT added_at, title, text FROM v_highlights
WHERE kind = 'highlight' ORDER BY added_at DESC, id LIMIT 10;
""",
    "One book in reading order, with notes": """
SELECT page, location_start, text, note FROM v_highlights
WHERE title LIKE '%walden%' AND kind IN ('highlight', 'note') ORDER BY location_start, added_at;
""",
    "All that you wrote yourself": """
SELECT title, note, text FROM v_highlights WHERE note IS NOT NULL ORDER BY title, location_start;
""",
    "How much you marked in each year": """
SELECT substr(added_at, 1, 4) AS year, count(*) AS highlights, count(DISTINCT book_id) AS books
FROM v_highlights WHERE kind = 'highlight' GROUP BY year ORDER BY year;
""",
    "Authors by the number of highlights": """
SELECT author, sum(highlights) AS highlights, count(*) AS books
FROM v_books GROUP BY author ORDER BY sum(highlights) DESC, author;
""",
    "One highlight for today": """
SELECT text, title, author FROM v_highlights WHERE kind = 'highlight' ORDER BY random() LIMIT 1;
""",
}

HEAD = """# The library's file

Made by `make docs` from the file itself.

A library is one SQLite file; `kindlehl db path` prints where it is. Two views are for you. Columns may be
added to them, and are never renamed or removed, whatever an update does to the tables below. **The tables are
private**: they change without notice, and whoever writes into them harms the library. So read only.
"""

COOKBOOK = """
## Queries to begin with

Programs for such files need not know kindlehl. Datasette shows it in the browser; it is only read:

```console
$ datasette "$(kindlehl db path)"
```

With sqlite-utils, a query's result as a table, as JSON or as CSV:

```console
$ sqlite-utils query "$(kindlehl db path)" "SELECT title, author, highlights FROM v_books ORDER BY title" --table
$ sqlite-utils query "$(kindlehl db path)" "SELECT id, text, note FROM v_highlights WHERE note IS NOT NULL"
$ sqlite-utils query "$(kindlehl db path)" "SELECT added_at, title, text FROM v_highlights" --csv
```

To find words there is `kindlehl search`; it knows Chinese, Japanese and accents, which `LIKE` does not.
"""


def page() -> str:
    """The page as it should be."""
    check(found())
    sections = "".join(f"\n## {view}\n\n{_table(columns)}" for view, columns in VIEWS.items())
    queries = "".join(f"\n{what}:\n\n```sql\n{query.strip()}\n```\n" for what, query in QUERIES.items())
    return f"{HEAD}{sections}\nA type with `?` may be null.\n{COOKBOOK}{queries}"


def _table(columns: Mapping[str, tuple[str, str]]) -> str:
    rows = "".join(f"| `{name}` | {type_} | {meaning} |\n" for name, (type_, meaning) in columns.items())
    return f"| column | type | meaning |\n|---|---|---|\n{rows}"


def found() -> dict[str, dict[str, str]]:
    """The views of a new library: view → column → type, or "" where SQLite tells none."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "library.db"
        with wiring.library(path):
            pass
        with closing(sqlite3.connect(path)) as connection:
            views = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name").fetchall()
            return {
                view: {name: type_ for _, name, type_, *_ in connection.execute(f"PRAGMA table_info({view})")}
                for (view,) in views
            }


def check(views: Mapping[str, Mapping[str, str]]) -> None:
    """Stop where the file and what is said of it differ."""
    if sorted(views) != sorted(VIEWS):
        _stop(f"the views are {sorted(views)}, described are {sorted(VIEWS)}")
    for view, columns in views.items():
        described = VIEWS[view]
        if [*columns] != [*described]:
            _stop(f"the columns of {view} are {[*columns]}, described are {[*described]}")
        for name, type_ in columns.items():
            said, meaning = described[name]
            if type_ and said.rstrip("?") != type_:
                _stop(f"{view}.{name} is {type_}, not {said}")
            if not meaning:
                _stop(f"{view}.{name} has no meaning")


def _stop(message: str) -> None:
    raise SystemExit(f"tools/schema_page.py: {message}")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
