"""The facts of a library in SQLite, and the tables that tell which of them are present and what they touch."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, TypeVar

from kindlehl import wire
from kindlehl.domain import fields, passages
from kindlehl.domain.books import Atom
from kindlehl.domain.facts import IMPORT_LIMIT, Edit, Fact, Id, Import, Record
from kindlehl.ports import Standing
from kindlehl.store.touched import Touched

BATCH = 1_000
"""Records loaded by one statement: memory does not grow with a library."""

KEPT = IMPORT_LIMIT + BATCH
"""Facts handled by one statement when they arrive: an import with all that it lists."""

T = TypeVar("T")


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


_Body: TypeAlias = tuple[str, str, Id, tuple[bool, int, int], Fact | None]
"""A fact as it travels, its type and id, what orders its states, and what it says if that is known."""


class _Arrived(NamedTuple):
    """A fact whose state advanced, with the number it has in this file."""

    key: int
    fact: Fact
    is_new: bool


def _reading(record: Record) -> Atom:
    """What a record says of its book. An erased one has forgotten it."""
    if record.erased:
        return Atom(-1, "", "", "")
    return Atom(record.revision, record.title, record.author or "", record.raw_title)


def _records(rows: Iterable[tuple[int, str]]) -> list[tuple[int, Record]]:
    """The records of some rows; what a newer version wrote is passed over."""
    found = ((key, wire.decode(body)) for key, body in rows)
    return [(key, fact) for key, fact in found if isinstance(fact, Record)]


def _state(fact: Fact | None) -> tuple[bool, int, int]:
    """What orders two states of one id, the hash of the body aside."""
    if isinstance(fact, Record):
        return fact.erased, fact.revision, fact.certainty
    return isinstance(fact, Edit) and fact.erased, 0, 0


class SqliteFacts:
    """The `Facts` port."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.touched = Touched()
        self._rebuilding = False
        self._atoms: dict[str, tuple[int, int]] = {}  # raw title → key and revision, of the atoms met lately

    # -- adding ---------------------------------------------------------------------------------------------------

    def add(self, facts: Iterable[Fact]) -> int:
        """Keep the maximum of what is here and what comes, for each id."""
        return sum(
            self._keep(
                [(wire.encode(fact), type(fact).__name__.lower(), fact.id, _state(fact), fact) for fact in batch]
            )
            for batch in batches(facts, KEPT)
        )

    def add_raw(self, bodies: Iterable[str]) -> int:
        """The same for bodies as they travel."""
        advanced = 0
        for batch in batches(bodies, KEPT):
            rows: list[_Body] = []
            for body in batch:
                head = wire.header(body)
                fact = wire.decode(body)
                rows.append((body, head.type, head.id, _state(fact), fact))
            advanced += self._keep(rows)
        return advanced

    def _keep(self, batch: Sequence[_Body]) -> int:
        """Insert what is new, replace what is lower, and derive from both."""
        held = self._held([id_ for _, _, id_, _, _ in batch])
        number = self._last_number()
        new: dict[Id, tuple[Any, ...]] = {}
        raised: dict[Id, tuple[Any, ...]] = {}
        arrived: dict[Id, _Arrived] = {}
        for body, type_, id_, state, fact in batch:
            old = held.get(id_)
            if old is None:
                number += 1
                key = number
                new[id_] = (key, number, id_, type_, *state, body)
            elif old[1] == body or wire.rank(body) <= wire.rank(old[1]):
                continue
            else:
                key = old[0]
                number += 1
                if id_ in new:  # two states of one id in one batch
                    new[id_] = (key, number, id_, type_, *state, body)
                else:
                    raised[id_] = (number, *state, body, key)
            held[id_] = (key, body)
            if fact is not None:
                arrived[id_] = _Arrived(key, fact, id_ in new)
        self._db.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", new.values())
        self._db.executemany(
            "UPDATE facts SET seq = ?, erased = ?, revision = ?, certainty = ?, body = ? WHERE key = ?", raised.values()
        )
        self._derive(arrived)
        return len(new) + len(raised)

    def _last_number(self) -> int:
        """The highest number in use. Keys and sequence numbers are drawn from one row of numbers."""
        (number,) = self._db.execute(
            """SELECT max(coalesce((SELECT max(key) FROM facts), 0),
                          coalesce((SELECT max(seq) FROM facts WHERE seq <> key), 0))"""
        ).fetchone()
        return int(number)

    def _held(self, ids: Sequence[Id]) -> dict[Id, tuple[int, str]]:
        return {
            id_: (key, body)
            for id_, key, body in self._db.execute(
                "SELECT id, key, body FROM facts WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
            )
        }

    def start(self) -> None:
        """A transaction begins, or did not happen: nothing is touched, nothing read in it is remembered."""
        self._atoms.clear()
        self.touched.start(self._last_number() + 1)

    # -- deriving -------------------------------------------------------------------------------------------------

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
                    self._derive({fact.id: _Arrived(key, fact, True) for key, fact in decoded if fact is not None})
        finally:
            self._rebuilding = False
        self.touched.books = True

    def _derive(self, arrived: Mapping[Id, _Arrived]) -> None:
        """Update the tables that depend on these facts. Records first, so that what lists them finds them."""
        records = [a for a in arrived.values() if isinstance(a.fact, Record)]
        if records:
            self._derive_records(records)
        edits = [a for a in arrived.values() if isinstance(a.fact, Edit)]
        for key, fact, _ in edits:
            assert isinstance(fact, Edit)  # noqa: S101 -- tells the type checker what the line above has chosen
            self._derive_edit(key, fact)
        for key, fact, is_new in arrived.values():
            if isinstance(fact, Import) and is_new:
                self._derive_import(key, fact, arrived)
        if edits and not self._rebuilding:
            self._touch_edits([a.fact for a in edits if isinstance(a.fact, Edit)])

    def _derive_records(self, records: Sequence[_Arrived]) -> None:
        raised: list[tuple[int, Record]] = []
        for key, fact, is_new in records:
            assert isinstance(fact, Record)  # noqa: S101 -- tells the type checker what the caller has chosen
            if fact.kind in passages.SHOWN:
                self._atom(fact)
            if not is_new:
                raised.append((key, fact))
        if any(record.erased for _, record in raised):
            self._db.execute("DELETE FROM memo")
        self._reread({record.atom for _, record in raised if record.erased or record.kind not in passages.SHOWN})
        if raised:
            present = self._of_present([key for key, _ in raised])
            self._leave(sorted(present))
            self._appear([(key, record) for key, record in raised if key in present], fresh=False)
        self._arrive_late([a for a in records if a.is_new])

    def _arrive_late(self, records: Sequence[_Arrived]) -> None:
        """Records that an import listed, or an edit targeted, before they were here."""
        if not self._db.execute("SELECT EXISTS (SELECT 1 FROM awaited) OR EXISTS (SELECT 1 FROM edits)").fetchone()[0]:
            return
        by_id = {a.fact.id: a for a in records}
        ids = json.dumps(list(by_id))
        listed = self._db.execute(
            "SELECT id, import FROM awaited WHERE id IN (SELECT value FROM json_each(?))", (ids,)
        ).fetchall()
        self._db.executemany(
            "INSERT OR IGNORE INTO listings VALUES (?, ?)", [(by_id[id_].key, import_) for id_, import_ in listed]
        )
        self._db.execute("DELETE FROM awaited WHERE id IN (SELECT value FROM json_each(?))", (ids,))
        targeted = self._db.execute(
            "SELECT DISTINCT target FROM edits WHERE target IN (SELECT value FROM json_each(?))", (ids,)
        )
        self._refresh([by_id[id_].key for id_ in {id_ for id_, _ in listed} | {id_ for (id_,) in targeted}])

    def _atom(self, record: Record) -> int:
        """The key of a record's book as its source names it, made or re-read if this record knows better."""
        cached = self._atoms.get(record.raw_title) if not record.erased else None
        if cached is not None and cached[1] >= record.revision:
            return cached[0]
        mine = _reading(record)
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

    def _reread(self, atoms: Iterable[Id]) -> None:
        """Find again what books are called, after a record of theirs lost its title. Rare: one scan of all will do."""
        held = self._db.execute(
            "SELECT id FROM atoms WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(atoms)),)
        ).fetchall()
        if not held:
            return
        best: dict[Id, Atom | None] = dict.fromkeys(id_ for (id_,) in held)
        for (body,) in self._db.execute("SELECT body FROM facts WHERE type = 'record'"):
            record = wire.decode(body)
            if isinstance(record, Record) and record.kind in passages.SHOWN and (atom := record.atom) in best:
                best[atom] = max(_reading(record), best[atom] or _reading(record))
        self._atoms.clear()
        self.touched.books = True
        self._db.executemany(
            "UPDATE atoms SET revision = ?, title = ?, author = ?, raw_title = ? WHERE id = ?",
            [(a.revision, a.title, a.author, a.raw_title, id_) for id_, a in best.items() if a],
        )
        self._db.executemany("DELETE FROM atoms WHERE id = ?", [(id_,) for id_, a in best.items() if a is None])

    def _derive_import(self, key: int, fact: Import, arrived: Mapping[Id, _Arrived]) -> None:
        self._db.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (fact.source,))
        live = not self._withdrawn(fact.id)
        self._db.execute("INSERT INTO imports SELECT ?, key, ? FROM sources WHERE name = ?", (key, live, fact.source))
        here: list[tuple[int, Record]] = []
        elsewhere: list[Id] = []
        for id_ in fact.records:
            a = arrived.get(id_)
            if a is not None and isinstance(a.fact, Record):
                here.append((a.key, a.fact))
            else:
                elsewhere.append(id_)
        held = self._held(elsewhere) if elsewhere else {}
        keys = [record_key for record_key, _ in here] + [record_key for record_key, _ in held.values()]
        self._db.executemany("INSERT OR IGNORE INTO listings VALUES (?, ?)", [(k, key) for k in keys])
        self._db.executemany(
            "INSERT OR IGNORE INTO awaited VALUES (?, ?)", [(id_, key) for id_ in elsewhere if id_ not in held]
        )
        present = self._of_present(keys)
        self.touched.records.update(key for key in present if key < self.touched.watermark)  # seen in one more source
        if not live:
            return
        self._appear([(k, record) for k, record in here if k not in present])
        self._appear(_records((k, body) for k, body in held.values() if k not in present))

    def _withdrawn(self, import_id: Id) -> bool:
        edits = [edit for edit in self.edits([import_id]) if edit.field == "withdrawn"]
        return bool(edits) and fields.any_true(fields.heads(edits, self).get("withdrawn", ()))

    def _derive_edit(self, key: int, edit: Edit) -> None:
        self._db.execute("INSERT OR REPLACE INTO edits VALUES (?, ?, ?, ?)", (key, edit.id, edit.target, edit.field))
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
                """SELECT target FROM edits WHERE id IN (SELECT value FROM json_each(?1))
                   UNION SELECT c.id FROM covers c JOIN edits e ON e.key = c.edit
                     WHERE e.id IN (SELECT value FROM json_each(?1))""",
                (json.dumps(sorted({*after, *self.before(ids)})),),
            )
        ]
        if any(edit.field in ("same", "not-same", "title", "author") for edit in edits):
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
        ids = json.dumps(keys)
        wanted = self._db.execute(
            """SELECT f.key, f.body FROM facts f WHERE f.key IN (SELECT value FROM json_each(?)) AND f.type = 'record'
               AND (EXISTS (SELECT 1 FROM listings l JOIN imports i ON i.key = l.import
                            WHERE l.record = f.key AND i.live)
                    OR EXISTS (SELECT 1 FROM edits e WHERE e.target = f.id))""",
            (ids,),
        ).fetchall()
        present = self._of_present(keys)
        self._leave(sorted(present - {key for key, _ in wanted}))
        self.touched.records.update(present)
        self._appear(_records((key, body) for key, body in wanted if key not in present))

    def _appear(self, records: Sequence[tuple[int, Record]], *, fresh: bool = True) -> None:
        """Records that became present, or were read anew, with where they are."""
        rows: list[tuple[int, int, int, int, int, int]] = []
        for key, record in records:
            if record.kind in passages.SHOWN:
                at = passages.place(record)
                rows.append((key, self._atom(record), at.lane, at.start, at.stop, key))
        self._db.executemany("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?)", rows)
        older = [row[0] for row in rows if row[0] < self.touched.watermark]
        self.touched.records.update(older)
        if fresh:
            self.touched.fresh.update(older)

    def _leave(self, keys: Sequence[int]) -> None:
        """Records that are no longer present or where they were; who shared a passage with them is touched."""
        if not keys:
            return
        ids = json.dumps(keys)
        self.touched.records.update(
            key
            for (key,) in self._db.execute(
                """WITH p (key) AS (SELECT DISTINCT passage FROM records WHERE key IN (SELECT value FROM json_each(?)))
                   SELECT r.key FROM p JOIN records r ON r.key = p.key
                   UNION SELECT r.key FROM p JOIN records r ON r.passage = p.key AND r.passage <> r.key""",
                (ids,),
            )
        )
        self.touched.gone.update(
            passage
            for (passage,) in self._db.execute(
                "SELECT DISTINCT passage FROM records WHERE key IN (SELECT value FROM json_each(?))", (ids,)
            )
        )
        self._db.execute("DELETE FROM records WHERE key IN (SELECT value FROM json_each(?))", (ids,))

    # -- asking ---------------------------------------------------------------------------------------------------

    def standing(self, ids: Sequence[Id], source: str) -> Mapping[Id, Standing]:
        """How these records stand."""
        return {
            id_: Standing(bool(live), bool(here), bool(erased), revision, certainty)
            for id_, live, here, erased, revision, certainty in self._db.execute(
                """SELECT f.id, max(coalesce(i.live, 0)), max(coalesce(i.live AND s.name = ?, 0)),
                     f.erased, f.revision, f.certainty
                   FROM facts f LEFT JOIN listings l ON l.record = f.key LEFT JOIN imports i ON i.key = l.import
                     LEFT JOIN sources s ON s.key = i.source
                   WHERE f.id IN (SELECT value FROM json_each(?)) GROUP BY f.key""",
                (source, json.dumps(ids)),
            )
        }

    def bodies(self) -> Iterator[str]:
        """Every fact as it travels, in order of arrival."""
        for (body,) in self._db.execute("SELECT body FROM facts ORDER BY seq"):
            yield body

    def records(self, ids: Sequence[Id]) -> Mapping[Id, Record]:
        """Records by id, those that are held."""
        found = ((id_, wire.decode(body)) for id_, (_, body) in self._held(ids).items())
        return {id_: fact for id_, fact in found if isinstance(fact, Record)}

    def edits(self, targets: Sequence[Id]) -> Sequence[Edit]:
        """Every edit of these targets."""
        rows = self._db.execute(
            """SELECT f.body FROM edits e JOIN facts f ON f.key = e.key
               WHERE e.target IN (SELECT value FROM json_each(?)) ORDER BY e.key""",
            (json.dumps(targets),),
        )
        found = (wire.decode(body) for (body,) in rows)
        return [fact for fact in found if isinstance(fact, Edit)]

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        named = list(ids)
        if not named:
            return set()
        return {
            id_
            for (id_,) in self._db.execute(
                """WITH RECURSIVE b (id) AS (SELECT value FROM json_each(?) UNION
                     SELECT s.id FROM b JOIN edits e ON e.id = b.id JOIN seen s ON s.edit = e.key)
                   SELECT id FROM b""",
                (json.dumps(named),),
            )
        }

    def deletions(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The deletions that cover any of these records and that no restore has seen."""
        rows = self._db.execute(
            """SELECT DISTINCT f.body FROM covers c JOIN facts f ON f.key = c.edit
               WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY f.id""",
            (json.dumps(ids),),
        ).fetchall()
        if not rows:
            return ()
        restores = [
            edit
            for (body,) in self._db.execute(
                "SELECT f.body FROM edits e JOIN facts f ON f.key = e.key WHERE e.field = 'deleted'"
            )
            if isinstance(edit := wire.decode(body), Edit) and not edit.value and not edit.erased
        ]
        undone = self.before(id_ for restore in restores for id_ in restore.seen)
        found = (wire.decode(body) for (body,) in rows)
        return [e for e in found if isinstance(e, Edit) and e.id not in undone and e.value]
