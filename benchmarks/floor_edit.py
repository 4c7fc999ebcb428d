"""The floor of editing many highlights: their rows, their edits and their place in the index, with nothing folded."""

import json
import sqlite3
import sys
import uuid
from contextlib import closing


def main(library: str, title: str = "") -> None:
    """Tag every highlight of a book in a copy of the shelf, or of all books those with a note, in one transaction."""
    with closing(sqlite3.connect(library)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS said (id TEXT PRIMARY KEY, target TEXT, body TEXT)")
        connection.execute("CREATE INDEX IF NOT EXISTS said_target ON said (target)")
        rows = connection.execute(
            """SELECT h.key, h.id, h.text, h.note FROM highlights h JOIN books b ON b.key = h.book
               WHERE (CASE WHEN :title <> '' THEN b.title = :title ELSE h.note IS NOT NULL END) AND NOT h.hidden""",
            {"title": title},
        ).fetchall()
        for key, id_, text, note in rows:
            body = json.dumps({"target": id_, "field": "tag:x", "value": True})
            connection.execute("INSERT INTO said VALUES (?, ?, ?)", (str(uuid.uuid4()), id_, body))
            connection.execute("UPDATE highlights SET tags = ? WHERE key = ?", ('["x"]', key))
            connection.execute(
                "INSERT INTO search (search, rowid, text, note) VALUES ('delete', ?, ?, ?)", (key, text, note)
            )
            connection.execute("INSERT INTO search (rowid, text, note) VALUES (?, ?, ?)", (key, text, note))


if __name__ == "__main__":
    main(*sys.argv[1:])
