"""The tables of a library's file, and the migrations that made them. Migrations only grow: what shipped never changes.

`facts` is the library; every other table is derived from it and can be made anew. The views are the public contract for
Datasette, sqlite-utils and anybody's own queries: they survive every migration. The tables are private.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

VERSION = 4
"""`user_version` of a file on which every migration ran. A file with a higher one is refused. Raised with each revision
of the fold too, so that a library which is only looked at is folded anew."""

PAGE_BYTES = 16_384
"""A highlight takes about a kilobyte in facts and shelf: with SQLite's default an import writes a quarter longer."""

APPLICATION_ID = 0x6B686C31  # "khl1": tells `file` and us that this is a kindlehl library

FACTS = """
CREATE TABLE facts (
  key INTEGER PRIMARY KEY,            -- a number that never leaves this file
  seq INTEGER NOT NULL,               -- order of arrival; a state that advances takes a new one
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,                 -- record, import, edit, or what a newer kindlehl knows
  erased INTEGER NOT NULL, revision INTEGER NOT NULL, certainty INTEGER NOT NULL,  -- of the body: the order of states
  body TEXT NOT NULL                  -- JSON, as it travels
) STRICT;
CREATE UNIQUE INDEX facts_raised ON facts (seq) WHERE seq <> key;  -- of nearly all facts, seq = key
"""

DERIVED = """
CREATE TABLE sources (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE imports (
  key INTEGER PRIMARY KEY REFERENCES facts,
  source INTEGER NOT NULL REFERENCES sources,
  live INTEGER NOT NULL               -- 0: withdrawn
) STRICT;
CREATE TABLE listings (               -- which import lists which record
  record INTEGER NOT NULL REFERENCES facts,
  import INTEGER NOT NULL REFERENCES imports,
  PRIMARY KEY (record, import)
) STRICT, WITHOUT ROWID;
CREATE TABLE awaited (                -- records that an import lists and that have not arrived
  id TEXT NOT NULL, import INTEGER NOT NULL, PRIMARY KEY (id, import)
) STRICT, WITHOUT ROWID;
CREATE TABLE edits (
  key INTEGER PRIMARY KEY REFERENCES facts,
  id TEXT NOT NULL UNIQUE,
  target TEXT NOT NULL,
  field TEXT NOT NULL
) STRICT;
CREATE INDEX edits_target ON edits (target);
CREATE INDEX edits_deleted ON edits (key) WHERE field = 'deleted';
CREATE TABLE seen (edit INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (edit, id)) STRICT, WITHOUT ROWID;
CREATE INDEX seen_id ON seen (id);
CREATE TABLE covers (id TEXT NOT NULL, edit INTEGER NOT NULL, PRIMARY KEY (id, edit)) STRICT, WITHOUT ROWID;
CREATE TABLE atoms (                  -- the books as sources name them
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  raw_title TEXT NOT NULL, title TEXT NOT NULL, author TEXT NOT NULL, revision INTEGER NOT NULL,
  book INTEGER                        -- the key of the book's least atom; null until grouped
) STRICT;
CREATE INDEX atoms_book ON atoms (book);
CREATE TABLE records (                -- where the present records are, and which passage holds them
  key INTEGER PRIMARY KEY REFERENCES facts,
  atom INTEGER NOT NULL REFERENCES atoms,
  lane INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
  passage INTEGER NOT NULL            -- the key of the passage's earliest record
) STRICT;
CREATE INDEX records_place ON records (atom, lane, start, stop);
CREATE INDEX records_passage ON records (passage) WHERE passage <> key;
CREATE TABLE books (
  key INTEGER PRIMARY KEY REFERENCES atoms,
  id TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL, author TEXT
) STRICT;
CREATE TABLE highlights (             -- the folded passages, hidden ones included
  key INTEGER PRIMARY KEY REFERENCES facts,
  id TEXT NOT NULL,
  book INTEGER NOT NULL REFERENCES books,
  kind TEXT NOT NULL,
  lane INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
  text TEXT NOT NULL, note TEXT, color TEXT, tags TEXT NOT NULL, favorite INTEGER NOT NULL,
  page TEXT, location_start INTEGER, location_end INTEGER, chapter TEXT,
  added_at TEXT, added_offset TEXT, truncated INTEGER NOT NULL, source TEXT NOT NULL,
  conflicts TEXT NOT NULL, hidden INTEGER NOT NULL
) STRICT;
CREATE INDEX highlights_book ON highlights (book);
CREATE VIRTUAL TABLE search USING fts5(text, note, content='', tokenize='unicode61 remove_diacritics 2');
INSERT INTO search (search, rank) VALUES ('hashsize', 8388608);  -- bytes buffered: fewer, larger segments to merge
"""

MEMO = """
CREATE TABLE memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

VIEWS = """
CREATE VIEW v_books AS
  SELECT b.id, b.title, b.author,
    count(*) FILTER (WHERE h.kind = 'highlight') AS highlights,
    count(h.note) AS notes,
    count(*) FILTER (WHERE h.kind = 'bookmark') AS bookmarks,
    count(*) FILTER (WHERE h.kind = 'clip') AS clips,
    min(h.added_at) FILTER (WHERE h.kind IN ('highlight', 'note')) AS first_at,
    max(h.added_at) FILTER (WHERE h.kind IN ('highlight', 'note')) AS last_at
  FROM books b JOIN highlights h ON h.book = b.key AND NOT h.hidden
  GROUP BY b.key;
CREATE VIEW v_highlights AS
  SELECT h.id, h.kind, b.title, b.author, h.text, h.note, h.color, h.tags AS tags_json, h.favorite,
    h.page, h.location_start, h.location_end, h.chapter, h.added_at, h.added_offset, h.truncated, h.source,
    b.id AS book_id
  FROM highlights h JOIN books b ON b.key = h.book
  WHERE NOT h.hidden;
"""

EDITING = """
DROP TABLE edits;                     -- derived: made anew with the rest when the file is folded anew
CREATE TABLE edits (
  key INTEGER PRIMARY KEY REFERENCES facts,
  id TEXT NOT NULL UNIQUE,
  target TEXT NOT NULL,
  field TEXT NOT NULL,
  hlc INTEGER NOT NULL,
  op TEXT NOT NULL,
  undo INTEGER NOT NULL
) STRICT;
CREATE INDEX edits_target ON edits (target);
CREATE INDEX edits_deleted ON edits (key) WHERE field = 'deleted';
CREATE INDEX edits_same ON edits (key) WHERE field = 'same';
CREATE INDEX edits_hlc ON edits (hlc);
CREATE INDEX edits_op ON edits (op);
ALTER TABLE imports ADD COLUMN op TEXT NOT NULL DEFAULT '';
CREATE INDEX imports_op ON imports (op);
CREATE TABLE reached (                -- how far each source has come: the latest time of a day that a record states
  source INTEGER NOT NULL REFERENCES sources, day TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (source, day)
) STRICT, WITHOUT ROWID;
ALTER TABLE books ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
CREATE INDEX books_hidden ON books (key) WHERE hidden;
CREATE INDEX highlights_deleted ON highlights (key) WHERE hidden;  -- 1: in the trash, 2: erased
CREATE TABLE operations (             -- what was done on this device, for undo; not derived, and no fact
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, verb TEXT NOT NULL, changes INTEGER NOT NULL,
  reverses TEXT
) STRICT;
DROP VIEW v_books;
DROP VIEW v_highlights;
"""

SHOWN_VIEWS = VIEWS.replace("NOT h.hidden", "NOT h.hidden AND NOT b.hidden")

TRAVELLING = """
ALTER TABLE facts ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;   -- of the body as it arrived: tells a rotten one
ALTER TABLE facts ADD COLUMN private INTEGER NOT NULL DEFAULT 0;  -- what it is part of: 1 highlights, 2 notes
CREATE TABLE digests (                -- all digests of a bucket together: what two libraries compare
  bucket TEXT NOT NULL, private INTEGER NOT NULL, digest INTEGER NOT NULL, PRIMARY KEY (bucket, private)
) STRICT, WITHOUT ROWID;
CREATE TABLE peers (                  -- how far this library is with another; not derived, and no fact
  name TEXT PRIMARY KEY, epoch TEXT NOT NULL, pulled INTEGER NOT NULL, pushed INTEGER NOT NULL,
  withheld INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE refused (                -- what a peer does not take
  peer TEXT NOT NULL REFERENCES peers ON DELETE CASCADE, id TEXT NOT NULL, digest INTEGER NOT NULL, code TEXT NOT NULL,
  PRIMARY KEY (peer, id)
) STRICT, WITHOUT ROWID;
"""

MEETING = """
ALTER TABLE peers ADD COLUMN met TEXT NOT NULL DEFAULT '';          -- when both were last equal
ALTER TABLE peers ADD COLUMN refuses INTEGER NOT NULL DEFAULT 0;    -- what it is to keep nothing of
ALTER TABLE peers ADD COLUMN wished TEXT NOT NULL DEFAULT '';       -- when that was wished
CREATE TABLE rotten (                 -- bodies that were found damaged, until they come again whole
  id TEXT PRIMARY KEY, body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

TRAVELS = 3
"""Since this version a fact has a digest."""

DERIVED_TABLES = (
    "sources", "imports", "listings", "awaited", "edits", "seen", "covers", "reached", "atoms", "records", "books",
    "highlights", "digests", "memo",
)  # fmt: skip


def statements(script: str) -> list[str]:
    """The statements of a script of ours: `executescript` would commit the transaction it runs in."""
    return [part.strip() for part in _without_comments(script).split(";") if part.strip()]


def _without_comments(script: str) -> str:
    return "\n".join(line.split("--")[0].rstrip() for line in script.splitlines())


def migrate(connection: "sqlite3.Connection") -> None:
    """Bring a file to `VERSION`. The caller holds the write lock and commits: all of it happens, or nothing."""
    # sqlite_utils costs more to import than a whole `list`, and is needed once in a file's life.
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    from kindlehl.domain import fold

    migrations = Migrations("kindlehl")

    @migrations()
    def facts_shelf_and_index(db: "Database") -> None:
        for statement in statements(FACTS + DERIVED + MEMO + VIEWS):
            db.conn.execute(statement)
        db.conn.execute("INSERT INTO settings VALUES ('fold', ?)", (fold.REVISION,))

    @migrations()
    def editing(db: "Database") -> None:
        for statement in statements(EDITING + SHOWN_VIEWS):
            db.conn.execute(statement)

    @migrations()
    def travelling(db: "Database") -> None:
        from kindlehl.store.digests import digest_all
        from kindlehl.store.peers import SqlitePeers

        for statement in statements(TRAVELLING):
            db.conn.execute(statement)
        digest_all(db.conn)
        SqlitePeers(db.conn).renew()

    @migrations()
    def meeting(db: "Database") -> None:
        for statement in statements(MEETING):
            db.conn.execute(statement)

    migrations.apply(Database(connection))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
