"""Which records of a library in SQLite are present and where, and what has to be folded anew when facts arrive."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple, Protocol

from kindlehl import wire
from kindlehl.domain import fields, passages
from kindlehl.domain.batches import KEPT, batches
from kindlehl.domain.books import FORGOTTEN, Atom, reading
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record
from kindlehl.store.touched import Touched


class _Held(fields.History, Protocol):
    """What presence asks of the facts."""

    def held(self, ids: Sequence[Id]) -> dict[Id, tuple[int, str]]: ...
    def edits(self, targets: Sequence[Id]) -> Sequence[Edit]: ...
    def before(self, ids: Iterable[Id]) -> set[Id]: ...


class Arrived(NamedTuple):
    """A fact whose state advanced, with the number it has in this file."""

    key: int
    fact: Fact
    is_new: bool
    redated: bool = False
    """Whether a record that was here states another time now."""


def _records(rows: Iterable[tuple[int, str]]) -> list[tuple[int, Record]]:
    """The records of some rows; what a newer version wrote is passed over."""
    found = ((key, wire.decode(body)) for key, body in rows)
    return [(key, fact) for key, fact in found if isinstance(fact, Record)]


class Presence:
    """Derives from the facts which records a live import lists or an edit holds, and tells the fold what it touched."""

    def __init__(self, connection: sqlite3.Connection, facts: _Held) -> None:
        self._db = connection
        self._facts = facts
        self.touched = Touched()
        self._rebuilding = False
        self._atoms: dict[str, tuple[int, int]] = {}  # raw title → key and revision, of the atoms met lately

    def start(self, watermark: int) -> None:
        """A transaction begins, or did not happen; facts that arrive in it have keys from `watermark` on."""
        self._atoms.clear()
        self.touched.start(watermark)

    def derive_all(self) -> None:
        """Derive everything from all facts, for a rebuild. The derived tables are empty, and all will be folded.

        Edits first: then every record and import finds what was done to it.
        """
        self._atoms.clear()
        self._rebuilding = True
        try:
            for type_ in ("edit", "record", "import"):
                rows = self._db.execute("SELECT key, body FROM facts WHERE type = ? ORDER BY key", (type_,))
                for batch in batches(rows, KEPT):
                    decoded = [(key, wire.decode(body)) for key, body in batch]
                    self.derive({fact.id: Arrived(key, fact, True) for key, fact in decoded if fact is not None})
        finally:
            self._rebuilding = False
        self.touched.books = True

    def derive(self, arrived: Mapping[Id, Arrived]) -> None:
        """Update the tables that depend on these facts. Records first, so that what lists them finds them."""
        records = [a for a in arrived.values() if isinstance(a.fact, Record)]
        if records:
            self._derive_records(records)
        edits = [a for a in arrived.values() if isinstance(a.fact, Edit)]
        for key, fact, *_ in edits:
            assert isinstance(fact, Edit)  # noqa: S101 -- tells the type checker what the line above has chosen
            self._derive_edit(key, fact)
        for key, fact, is_new, _ in arrived.values():
            if isinstance(fact, Import) and is_new:
                self._derive_import(key, fact, arrived)
        if edits and not self._rebuilding:
            said = [(a.fact, a.is_new) for a in edits if isinstance(a.fact, Edit)]
            parted = [edit.target for edit, is_new in said if edit.field == "same" and not is_new]
            self._come_apart([key for key, _ in self._facts.held(parted).values()])
            self._touch_edits([edit for edit, _ in said])

    def _derive_records(self, records: Sequence[Arrived]) -> None:
        raised: list[tuple[int, Record]] = []
        self.touched.redated.update(a.key for a in records if a.redated)
        for key, fact, is_new, _ in records:
            assert isinstance(fact, Record)  # noqa: S101 -- tells the type checker what the caller has chosen
            if not is_new:
                raised.append((key, fact))
        if any(record.erased for _, record in raised):
            self._db.execute("DELETE FROM memo")
        if raised:
            present = self._of_present([key for key, _ in raised])
            # Who lost a title, or is shown no more, may have been the one that told it.
            poorer = [key for key, r in raised if key in present and (r.erased or r.kind not in passages.SHOWN)]
            self.touched.atoms |= self._atoms_of(poorer)
            self._leave(sorted(present))
            self._appear([(key, record) for key, record in raised if key in present], fresh=False)
        self._arrive_late([a for a in records if a.is_new])

    def _arrive_late(self, records: Sequence[Arrived]) -> None:
        """Records that an import listed, or an edit targeted, before they were here."""
        if not self._db.execute("SELECT EXISTS (SELECT 1 FROM awaited) OR EXISTS (SELECT 1 FROM edits)").fetchone()[0]:
            return
        by_id = {a.fact.id: a for a in records}
        ids = json.dumps(list(by_id))
        listed = self._db.execute(
            """SELECT a.id, a.import, i.source FROM awaited a JOIN imports i ON i.key = a.import
               WHERE a.id IN (SELECT value FROM json_each(?))""",
            (ids,),
        ).fetchall()
        self._db.executemany(
            "INSERT OR IGNORE INTO listings VALUES (?, ?)", [(by_id[id_].key, import_) for id_, import_, _ in listed]
        )
        facts = ((source, by_id[id_].fact) for id_, _, source in listed)
        self._reach((source, fact) for source, fact in facts if isinstance(fact, Record))
        self._db.execute("DELETE FROM awaited WHERE id IN (SELECT value FROM json_each(?))", (ids,))
        targeted = self._db.execute(
            "SELECT DISTINCT target FROM edits WHERE target IN (SELECT value FROM json_each(?))", (ids,)
        )
        self._refresh([by_id[id_].key for id_ in {id_ for id_, _, _ in listed} | {id_ for (id_,) in targeted}])

    def _atom(self, record: Record) -> int:
        """The key of a record's book as its source names it, made or re-read if this record knows better."""
        cached = self._atoms.get(record.raw_title) if not record.erased else None
        if cached is not None and cached[1] >= record.revision:
            return cached[0]
        mine = reading(record)
        row = self._db.execute(
            "SELECT key, revision, title, author, raw_title FROM atoms WHERE id = ?", (record.atom,)
        ).fetchone()
        if row is None:
            (key,) = self._db.execute(
                "INSERT INTO atoms (id, revision, title, author, raw_title) VALUES (?, ?, ?, ?, ?) RETURNING key",
                (record.atom, mine.revision, mine.title, mine.author, mine.raw_title),
            ).fetchone()
            self.touched.books = True
        else:
            key, *held = row
            if Atom(*held) < mine:
                self._db.execute(
                    "UPDATE atoms SET revision = ?, title = ?, author = ?, raw_title = ? WHERE key = ?",
                    (mine.revision, mine.title, mine.author, mine.raw_title, key),
                )
                self.touched.books = True
            mine = max(mine, Atom(*held))
        if not record.erased:
            if len(self._atoms) > 50_000:
                self._atoms.clear()
            self._atoms[record.raw_title] = (key, mine.revision)
        return int(key)

    def _atoms_of(self, keys: Sequence[int]) -> set[int]:
        """The atoms of present records."""
        return {
            atom
            for (atom,) in self._db.execute(
                "SELECT DISTINCT atom FROM records WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(keys),)
            )
        }

    def read_titles_anew(self) -> None:
        """Find again what atoms are called that lost a record: the present ones tell. Without any it is forgotten."""
        if not self.touched.atoms:
            return
        self._atoms.clear()
        atoms = (json.dumps(sorted(self.touched.atoms)),)
        best: dict[int, Atom] = {}
        for atom, erased, *told in self._db.execute(
            """SELECT DISTINCT r.atom, f.erased, f.revision, coalesce(f.body ->> '$.title', ''),
                 coalesce(f.body ->> '$.author', ''), coalesce(f.body ->> '$.raw_title', '')
               FROM records r JOIN facts f ON f.key = r.key WHERE r.atom IN (SELECT value FROM json_each(?))""",
            atoms,
        ):
            reading = FORGOTTEN if erased else Atom(*told)
            best[atom] = max(reading, best.get(atom, reading))
        changed = self._db.executemany(
            """UPDATE atoms SET revision = :revision, title = :title, author = :author, raw_title = :raw_title
               WHERE key = :key
                 AND (revision, title, author, raw_title) IS NOT (:revision, :title, :author, :raw_title)""",
            [{"key": key, **asdict(atom)} for key, atom in best.items()],
        ).rowcount
        self._db.execute(
            """DELETE FROM atoms WHERE key IN (SELECT value FROM json_each(?))
               AND NOT EXISTS (SELECT 1 FROM records WHERE records.atom = atoms.key)""",
            atoms,
        )
        self.touched.books = self.touched.books or changed > 0

    def _derive_import(self, key: int, fact: Import, arrived: Mapping[Id, Arrived]) -> None:
        self._db.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (fact.source,))
        live = not self._withdrawn(fact.id)
        (source,) = self._db.execute("SELECT key FROM sources WHERE name = ?", (fact.source,)).fetchone()
        self._db.execute("INSERT INTO imports VALUES (?, ?, ?, ?)", (key, source, live, fact.op))
        here: list[tuple[int, Record]] = []
        elsewhere: list[Id] = []
        for id_ in fact.records:
            a = arrived.get(id_)
            if a is not None and isinstance(a.fact, Record):
                here.append((a.key, a.fact))
            else:
                elsewhere.append(id_)
        held = self._facts.held(elsewhere) if elsewhere else {}
        keys = [record_key for record_key, _ in here] + [record_key for record_key, _ in held.values()]
        self._db.executemany("INSERT OR IGNORE INTO listings VALUES (?, ?)", [(k, key) for k in keys])
        self._db.executemany(
            "INSERT OR IGNORE INTO awaited VALUES (?, ?)", [(id_, key) for id_ in elsewhere if id_ not in held]
        )
        here += _records(held.values())
        self._reach((source, record) for _, record in here)
        present = self._of_present(keys)
        self.touched.records.update(key for key in present if key < self.touched.watermark)  # seen in one more source
        if live:
            self._appear([(k, record) for k, record in here if k not in present])

    def _reach(self, listed: Iterable[tuple[int, Record]]) -> None:
        """Remember how far each source has come: for each day the latest time that one of its records states."""
        latest: dict[tuple[int, str], str] = {}
        for source, record in listed:
            if record.at is not None:
                day = source, record.at[:10]
                if record.at > latest.get(day, ""):
                    latest[day] = record.at
        self._db.executemany(
            """INSERT INTO reached VALUES (?, ?, ?)
               ON CONFLICT (source, day) DO UPDATE SET at = excluded.at WHERE excluded.at > at""",
            [(source, day, at) for (source, day), at in latest.items()],
        )

    def reach_anew(self) -> None:
        """Find again how far those sources have come whose records state other times than they did."""
        if not self.touched.redated:
            return
        sources = self._db.execute(
            """SELECT json_group_array(DISTINCT i.source) FROM listings l JOIN imports i ON i.key = l.import
               WHERE l.record IN (SELECT value FROM json_each(?))""",
            (json.dumps(sorted(self.touched.redated)),),
        ).fetchone()
        self._db.execute("DELETE FROM reached WHERE source IN (SELECT value FROM json_each(?))", sources)
        self._db.execute(
            """INSERT INTO reached SELECT i.source, substr(f.body ->> '$.at', 1, 10), max(f.body ->> '$.at')
               FROM imports i JOIN listings l ON l.import = i.key JOIN facts f ON f.key = l.record
               WHERE i.source IN (SELECT value FROM json_each(?)) AND f.body ->> '$.at' IS NOT NULL GROUP BY 1, 2""",
            sources,
        )

    def _withdrawn(self, import_id: Id) -> bool:
        edits = [edit for edit in self._facts.edits([import_id]) if edit.field == "withdrawn"]
        return bool(edits) and fields.any_true(fields.heads(edits, self._facts).get("withdrawn", ()))

    def _derive_edit(self, key: int, edit: Edit) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO edits VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, edit.id, edit.target, edit.field, edit.hlc, edit.op, edit.undo),
        )
        self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", [(key, id_) for id_ in edit.seen])
        self._db.executemany("INSERT OR IGNORE INTO covers VALUES (?, ?)", [(id_, key) for id_ in edit.covers])

    def _touch_edits(self, edits: Sequence[Edit]) -> None:
        """Mark what edits may change: their targets, what they cover, and the same of all that saw them or they saw."""
        ids = [edit.id for edit in edits]
        after = [
            id_
            for (id_,) in self._db.execute(
                """WITH RECURSIVE after (id) AS (SELECT value FROM json_each(?) UNION
                     SELECT e.id FROM after a JOIN seen s ON s.id = a.id JOIN edits e ON e.key = s.edit)
                   SELECT id FROM after""",
                (json.dumps(ids),),
            )
        ]
        targets = [
            id_
            for (id_,) in self._db.execute(
                """SELECT target FROM edits WHERE id IN (SELECT value FROM json_each(:ids))
                   UNION SELECT c.id FROM covers c JOIN edits e ON e.key = c.edit
                     WHERE e.id IN (SELECT value FROM json_each(:ids))""",
                {"ids": json.dumps(sorted({*after, *self._facts.before(ids)}))},
            )
        ]
        if any(edit.field in ("same", "not-same", "title", "author", "hidden") for edit in edits):
            self.touched.books = True
        rows = self._db.execute(
            "SELECT key, type, id FROM facts WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(targets),)
        ).fetchall()
        self._refresh([key for key, type_, _ in rows if type_ == "record"])
        for key, type_, id_ in rows:
            if type_ == "import":
                self._set_live(key, not self._withdrawn(id_))

    def _set_live(self, import_: int, live: bool) -> None:
        """An import was withdrawn, or brought back."""
        changed = self._db.execute(
            "UPDATE imports SET live = ? WHERE key = ? AND live <> ?", (live, import_, live)
        ).rowcount
        if changed:
            self._db.execute("DELETE FROM memo")
            keys = [k for (k,) in self._db.execute("SELECT record FROM listings WHERE import = ?", (import_,))]
            for batch in batches(keys):
                self._refresh(batch)

    # -- presence -------------------------------------------------------------------------------------------------

    def _of_present(self, keys: Sequence[int]) -> set[int]:
        return {
            key
            for (key,) in self._db.execute(
                "SELECT key FROM records WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(keys),)
            )
        }

    def _refresh(self, keys: Sequence[int]) -> None:
        """Put records on the shelf's list or take them off, as a live import or an edit says, and fold them again."""
        live = {
            key
            for (key,) in self._db.execute(
                """SELECT l.record FROM listings l JOIN imports i ON i.key = l.import
                   WHERE i.live AND l.record IN (SELECT value FROM json_each(?))""",
                (json.dumps(keys),),
            )
        }
        wanted = live | self._held_by_edits([key for key in keys if key not in live])
        present = self._of_present(keys)
        self.touched.atoms |= self._atoms_of(sorted(present - wanted))
        self._leave(sorted(present - wanted))
        self.touched.records.update(present)
        bodies = self._db.execute(
            "SELECT key, body FROM facts WHERE type = 'record' AND key IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(wanted - present)),),
        ).fetchall()
        self._appear(_records(bodies))

    def _held_by_edits(self, keys: Sequence[int]) -> set[int]:
        """The records that are present because somebody edited them: a deletion holds nothing, nor does an edit that
        was undone."""
        rows = self._db.execute(
            """SELECT f.key, f.id FROM facts f WHERE f.key IN (SELECT value FROM json_each(?))
               AND EXISTS (SELECT 1 FROM edits e WHERE e.target = f.id AND e.field <> 'deleted' AND NOT e.undo)""",
            (json.dumps(keys),),
        ).fetchall()
        edits = self._facts.edits([id_ for _, id_ in rows]) if rows else ()
        held = fields.holding(edits)
        return {key for key, id_ in rows if id_ in held}

    def _appear(self, records: Sequence[tuple[int, Record]], *, fresh: bool = True) -> None:
        """Records that became present, or were read anew, with where they are."""
        rows: list[tuple[int, int, int, int, int, int]] = []
        for key, record in records:
            if record.kind in passages.SHOWN:
                at = passages.place(record)
                rows.append((key, self._atom(record), at.lane, at.start, at.stop, key))
        self._db.executemany("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._regroup({row[1] for row in rows}, "book IS NULL")
        older = [row[0] for row in rows if row[0] < self.touched.watermark]
        self.touched.records.update(older)
        if fresh:
            self.touched.fresh.update(older)

    def _regroup(self, atoms: Iterable[int], condition: str) -> None:
        """Group the books anew if this holds for one of these atoms: a book is one while a record of it is present."""
        if not self.touched.books:
            (self.touched.books,) = self._db.execute(
                f"""SELECT EXISTS (SELECT 1 FROM atoms WHERE key IN (SELECT value FROM json_each(?))
                      AND {condition})""",  # noqa: S608 -- a condition of ours
                (json.dumps(sorted(atoms)),),
            ).fetchone()

    def _leave(self, keys: Sequence[int]) -> None:
        """Records that are no longer present or where they were."""
        if not keys:
            return
        self._come_apart(keys)
        atoms = self._db.execute(
            "DELETE FROM records WHERE key IN (SELECT value FROM json_each(?)) RETURNING atom", (json.dumps(keys),)
        ).fetchall()
        self._regroup({atom for (atom,) in atoms}, "NOT EXISTS (SELECT 1 FROM records WHERE records.atom = atoms.key)")

    def _come_apart(self, keys: Sequence[int]) -> None:
        """The islands of these records may come apart, and with them passages of which none of these is a member: so
        their books are folded whole."""
        rows = self._db.execute(
            """SELECT key, passage FROM records WHERE key IN (SELECT value FROM json_each(:ids)) OR atom IN
                 (SELECT key FROM atoms WHERE book IN (SELECT a.book FROM records r JOIN atoms a ON a.key = r.atom
                    WHERE r.key IN (SELECT value FROM json_each(:ids))))""",
            {"ids": json.dumps(keys)},
        ).fetchall()
        self.touched.records.update(key for key, _ in rows)
        self.touched.gone.update(passage for _, passage in rows)
