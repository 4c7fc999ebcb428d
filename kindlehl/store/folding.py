"""Folding what the facts of a transaction have touched, and putting the passages on a shelf in SQLite."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kindlehl import wire
from kindlehl.domain import books, fields, fold, passages
from kindlehl.domain.batches import BATCH
from kindlehl.domain.effects import Effects
from kindlehl.domain.facts import Edit, Id, Record
from kindlehl.domain.fold import Island, Passage
from kindlehl.store import schema
from kindlehl.store.digests import sum_up
from kindlehl.store.facts import SqliteFacts
from kindlehl.store.search import SqliteIndex


class Folding:
    """The fold of a library, incremental or whole."""

    def __init__(self, connection: sqlite3.Connection, facts: SqliteFacts, index: SqliteIndex) -> None:
        self._db = connection
        self._touched = facts.presence.touched
        self._facts = facts
        self._index = index

    def settle(self) -> Effects:
        """Fold what the facts added in this transaction have touched."""
        effects = Effects()
        if self._touched.forged:
            self.rebuild()
            return effects
        self._facts.presence.reach_anew()
        self._facts.presence.read_titles_anew()
        if self._touched.books:
            effects.books = self._group_books()
        self._take_off(self._touched.gone)
        edited = bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM edits)").fetchone()[0])
        for book in self._touched_books():
            for keys in _filled(self._touched_islands(book)):
                self._fold(book, keys, effects, edited=edited)
        self._index.put(self._touched.put, self._touched.watermark)
        self._facts.start()
        return effects

    def rebuild(self) -> None:
        """Throw the fold and the index away and make them anew from all facts."""
        for table in schema.DERIVED_TABLES:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 -- names from our own schema
        self._index.clear()
        self._touched.start(0)
        sum_up(self._db)
        self._facts.presence.derive_all()
        self.settle()
        self._db.execute("INSERT OR REPLACE INTO settings VALUES ('fold', ?)", (fold.REVISION,))

    def _group_books(self) -> int:
        """Group the atoms of present records into books anew; returns how many books there are that were not there."""
        rows = self._db.execute(
            """SELECT key, id, revision, title, author, raw_title, book FROM atoms
               WHERE EXISTS (SELECT 1 FROM records WHERE records.atom = atoms.key)"""
        ).fetchall()
        self._db.execute(
            """UPDATE atoms SET book = NULL
               WHERE book IS NOT NULL AND NOT EXISTS (SELECT 1 FROM records WHERE records.atom = atoms.key)"""
        )
        keys = {id_: key for key, id_, *_ in rows}
        atoms = {id_: books.Atom(*atom) for _, id_, *atom, _ in rows}
        edits = self._book_edits(list(atoms))
        groups = books.group(atoms, fields.in_force(edits, self._facts))
        moved = [(keys[groups[id_]], key, book) for key, id_, *_, book in rows if book != keys[groups[id_]]]
        # A book that loses or gains a title is folded from its beginning.
        affected = {book for _, _, book in moved if book is not None}
        affected |= {new for new, _, _ in moved if self._is_book(new)}
        self._clear_books(affected)
        self._db.executemany("UPDATE atoms SET book = ? WHERE key = ?", [(new, key) for new, key, _ in moved])
        for book in affected | {new for new, _, _ in moved}:
            self._touch_book(book)
        return self._write_books(groups, atoms, edits, keys, {id_ for _, id_, *_, book in rows if book is not None})

    def _book_edits(self, atoms: list[Id]) -> Sequence[Edit]:
        edited = self._db.execute("SELECT EXISTS (SELECT 1 FROM edits)").fetchone()[0]
        return self._facts.edits(atoms) if edited else ()

    def _is_book(self, key: int) -> bool:
        return self._db.execute("SELECT 1 FROM books WHERE key = ?", (key,)).fetchone() is not None

    def _clear_books(self, keys: Iterable[int]) -> None:
        for book in keys:
            rows = [k for (k,) in self._db.execute("SELECT key FROM highlights WHERE book = ?", (book,))]
            self._take_off(rows)
            self._touch_book(book)

    def _touch_book(self, book: int) -> None:
        self._touched.records.update(
            k
            for (k,) in self._db.execute(
                "SELECT r.key FROM records r JOIN atoms a ON a.key = r.atom WHERE a.book = ? AND r.key < ?",
                (book, self._touched.watermark),
            )
        )

    def _write_books(
        self,
        groups: Mapping[Id, Id],
        atoms: Mapping[Id, books.Atom],
        edits: Sequence[Edit],
        keys: Mapping[Id, int],
        grouped: set[Id],
    ) -> int:
        members: dict[Id, list[Id]] = {}
        for atom, book in groups.items():
            members.setdefault(book, []).append(atom)
        before = {k for (k,) in self._db.execute("SELECT key FROM books")}
        by_target: dict[Id, list[Edit]] = {}
        for edit in edits:
            by_target.setdefault(edit.target, []).append(edit)
        rows: list[tuple[int, Id, str, str | None, bool]] = []
        for book, ids in members.items():
            title, author = books.shown_title(atoms[id_] for id_ in ids)
            mine = [edit for id_ in ids for edit in by_target.get(id_, ())]
            heads = fields.heads(mine, self._facts) if mine else {}
            title, author = books.named((title, author), heads)
            rows.append((keys[book], book, title, author, bool(fields.newest(heads.get("hidden", ())))))
        now = {row[0] for row in rows}
        self._db.executemany("DELETE FROM books WHERE key = ?", [(key,) for key in before - now])
        self._db.executemany(
            """INSERT INTO books VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
                 SET title = excluded.title, author = excluded.author, hidden = excluded.hidden
                 WHERE title <> excluded.title OR author IS NOT excluded.author OR hidden <> excluded.hidden""",
            rows,
        )
        return sum(grouped.isdisjoint(ids) for ids in members.values())

    def _touched_books(self) -> list[int]:
        rows = self._db.execute(
            """SELECT DISTINCT a.book FROM records r JOIN atoms a ON a.key = r.atom WHERE r.key >= ?
               UNION SELECT a.book FROM records r JOIN atoms a ON a.key = r.atom
                 WHERE r.key IN (SELECT value FROM json_each(?)) ORDER BY 1""",
            (self._touched.watermark, json.dumps(sorted(self._touched.records))),
        )
        return [book for (book,) in rows]

    def _touched_islands(self, book: int) -> Iterator[list[int]]:
        """The islands of a book in which anything was touched, each as the keys of its records."""
        located = self._db.execute(
            """SELECT lane, start, stop, key FROM records WHERE atom IN (SELECT key FROM atoms WHERE book = ?)
               ORDER BY lane, start, stop, key""",
            (book,),
        )
        watermark, older = self._touched.watermark, self._touched.records
        for island in passages.joined(passages.islands(located), self._links(book)):
            if any(key >= watermark or key in older for key in island):
                yield island

    def _links(self, book: int) -> list[tuple[int, int]]:
        """The records of a book that the reader ever joined with one another."""
        return self._db.execute(
            """SELECT r.key, s.key FROM edits e JOIN facts body ON body.key = e.key
                 JOIN facts f ON f.id = e.target JOIN records r ON r.key = f.key
                 JOIN facts g ON g.id = body.body ->> '$.value' JOIN records s ON s.key = g.key
               WHERE e.field = 'same' AND r.atom IN (SELECT key FROM atoms WHERE book = :book)
                 AND s.atom IN (SELECT key FROM atoms WHERE book = :book) ORDER BY e.key""",
            {"book": book},
        ).fetchall()

    def _fold(self, book: int, islands: list[list[int]], effects: Effects, *, edited: bool) -> None:
        """Fold some islands of a book and put the passages on the shelf."""
        loaded = self._load([key for island in islands for key in island])
        sources = self._sources(loaded)
        ids = [record.id for record in loaded.values()] if edited else []
        edits = self._edits(ids)
        deletions = self._deletions(ids)
        was = self._take_down(loaded)
        rows: list[tuple[Any, ...]] = []
        moves: list[tuple[int, int, int]] = []
        for island in islands:
            if len(island) == 1 and not was and not edited:
                record = loaded[island[0]]
                passage = fold.single(record, sources.get(record.id, ()))
                rows.append(_row(island[0], book, passage))
                if not passage.hidden and self._touched.is_new(island[0]):
                    effects.highlights += passage.kind == "highlight"
                    effects.bare += passage.kind == "note"
                continue
            records = [loaded[key] for key in island]
            number = {record.id: key for key, record in zip(island, records, strict=True)}
            mine = [edit for id_ in number for edit in edits.get(id_, ())]
            covering = {d.id: d for id_ in number for d in deletions.get(id_, ())}
            for passage in fold.fold(Island(records, sources, mine, list(covering.values())), self._facts):
                rows.append(_row(number[passage.id], book, passage))
                moves += [(number[passage.id], number[id_], number[passage.id]) for id_ in passage.members]
                self._count(passage, number, loaded, was, effects)
        self._db.executemany(f"INSERT INTO highlights VALUES ({', '.join('?' * 22)})", rows)  # noqa: S608 -- question marks
        self._db.executemany("UPDATE records SET passage = ? WHERE key = ? AND passage <> ?", moves)
        self._touched.put.extend(row[0] for row in rows if row[0] < self._touched.watermark)

    def _load(self, keys: list[int]) -> dict[int, Record]:
        return {
            key: wire.decode_record(body)
            for key, body in self._db.execute(
                "SELECT key, body FROM facts WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(keys),)
            )
        }

    def _sources(self, loaded: Mapping[int, Record]) -> dict[Id, tuple[str, ...]]:
        """Record → the sources it was seen in; those of withdrawn imports where it has no others."""
        out: dict[Id, tuple[str, ...]] = {}
        withdrawn: dict[Id, tuple[str, ...]] = {}
        for key, name, live in self._db.execute(
            """SELECT l.record, s.name, i.live FROM listings l
                 JOIN imports i ON i.key = l.import JOIN sources s ON s.key = i.source
               WHERE l.record IN (SELECT value FROM json_each(?))""",
            (json.dumps(list(loaded)),),
        ):
            id_ = loaded[key].id
            into = out if live else withdrawn
            into[id_] = (*into[id_], name) if id_ in into else (name,)
        return {**withdrawn, **out} if withdrawn else out

    def _edits(self, ids: list[Id]) -> dict[Id, list[Edit]]:
        out: dict[Id, list[Edit]] = {}
        for edit in self._facts.edits(ids) if ids else ():
            out.setdefault(edit.target, []).append(edit)
        return out

    def _deletions(self, ids: list[Id]) -> dict[Id, list[Edit]]:
        """Record → the deletions in force that cover it."""
        out: dict[Id, list[Edit]] = {}
        for deletion in self._facts.deletions(ids) if ids else ():
            for id_ in deletion.covers:
                out.setdefault(id_, []).append(deletion)
        return out

    def _take_down(self, loaded: Mapping[int, Record]) -> dict[int, bool]:
        """Take the passages that hold these records off the shelf; returns which there were, and whether hidden."""
        older = [key for key in loaded if key < self._touched.watermark]
        if not older:
            return {}
        rows = self._db.execute(
            """SELECT key, hidden FROM highlights WHERE key IN
               (SELECT passage FROM records WHERE key IN (SELECT value FROM json_each(?)))""",
            (json.dumps(older),),
        ).fetchall()
        self._drop([key for key, _ in rows])
        return {key: bool(hidden) for key, hidden in rows}

    def _take_off(self, passages_: Iterable[int]) -> None:
        """Take whole passages off the shelf and forget which records they held."""
        keys = list(passages_)
        self._drop(keys)
        self._db.execute(
            "UPDATE records SET passage = key WHERE passage IN (SELECT value FROM json_each(?)) AND passage <> key",
            (json.dumps(keys),),
        )

    def _drop(self, keys: list[int]) -> None:
        self._index.drop(keys)
        self._db.execute("DELETE FROM highlights WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(keys),))

    def _count(
        self,
        passage: Passage,
        number: Mapping[Id, int],
        loaded: Mapping[int, Record],
        was: Mapping[int, bool],
        effects: Effects,
    ) -> None:
        """Add one folded passage to what the reader is told."""
        keys = [number[id_] for id_ in passage.members]
        fresh = [loaded[key] for key in keys if self._touched.is_new(key)]
        if passage.hidden:
            effects.still_deleted += len(fresh)
            return
        if any(was.get(key) for key in keys):
            effects.revived += 1
        if not fresh:
            return
        forms = sum(record.kind == "highlight" for record in fresh)
        notes = sum(record.kind == "note" for record in fresh)
        all_new = len(fresh) == len(keys)
        if passage.kind == "highlight":
            first = forms > 0 and forms == sum(loaded[key].kind == "highlight" for key in keys)
            effects.highlights += first
            effects.resized += forms - first
            effects.attached += notes
        elif passage.kind == "note":
            effects.bare += all_new


def _filled(islands: Iterator[list[int]]) -> Iterator[list[list[int]]]:
    """Islands in handfuls of about `BATCH` records, so that one query loads many."""
    handful: list[list[int]] = []
    size = 0
    for island in islands:
        handful.append(island)
        size += len(island)
        if size >= BATCH:
            yield handful
            handful, size = [], 0
    if handful:
        yield handful


def _row(key: int, book: int, p: Passage) -> tuple[Any, ...]:
    return (
        key, p.id, book, p.kind, *p.place, p.text, p.note, p.color, json.dumps(p.tags) if p.tags else "[]", p.favorite,
        p.page, p.location_start, p.location_end, p.chapter, p.at, p.offset, p.truncated, p.source,
        json.dumps(p.conflicts) if p.conflicts else "[]", p.hidden + p.erased,
    )  # fmt: skip
