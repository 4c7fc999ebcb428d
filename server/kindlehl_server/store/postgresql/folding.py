"""Folding what the facts of a transaction have touched, and putting the passages on a shelf in PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, column, delete, func, literal, select, update

from kindlehl.domain import fold, passages
from kindlehl.domain.batches import BATCH, batches, handfuls
from kindlehl.domain.effects import Effects
from kindlehl.domain.facts import Edit, Id
from kindlehl.domain.fold import Island, Passage
from kindlehl.domain.text import loose
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.facts import TableFacts
from kindlehl_server.store.postgresql.grouping import Grouping
from kindlehl_server.store.postgresql.phrases import kept
from kindlehl_server.store.postgresql.session import Session, among, among_those

_BOOKS = 100
"""So many books have the places of their records in memory at a time."""


class _Run(list[Id]):
    """The records of an island, and their book."""

    def __init__(self, book: Id, ids: Iterable[Id]) -> None:
        super().__init__(ids)
        self.book = book


class _Said(NamedTuple):
    """What is known of some records beside themselves."""

    sources: Mapping[Id, Collection[str]]
    edits: Mapping[Id, Sequence[Edit]]
    deletions: Mapping[Id, Sequence[Edit]]


class Folding:
    """The fold of a library, incremental or whole."""

    def __init__(self, session: Session, facts: TableFacts) -> None:
        self._session = session
        self._facts = facts
        self._grouping = Grouping(session, facts)

    def settle(self) -> Effects:
        """Fold what the facts added in this transaction have touched."""
        effects = Effects()
        presence = self._facts.presence
        touched = presence.touched
        if touched.all:
            self.rebuild()
            return effects
        whole = self._books(tables.atoms.c.id, touched.atoms)
        presence.retell_those_that_lost()
        if touched.books:
            moved, effects.books = self._grouping.group()
            whole |= moved
        hidden = self._clear(whole)
        books = whole | self._books_of(touched.records)
        for batch in batches(sorted(books), _BOOKS):
            for runs in handfuls(self._islands(batch, whole, touched.records)):
                self._fold(runs, hidden, effects)
        presence.start()
        return effects

    def rebuild(self) -> None:
        """Throw the fold and the index away and make them anew from all facts."""
        with self._session.writing() as db:
            for table in tables.DERIVED:
                db.execute(delete(table).where(self._mine(table)))
            presence = self._facts.presence
            presence.start()
            self._facts.sum_up()
            presence.derive_all()
            self.settle()
            here = tables.libraries.c
            db.execute(update(tables.libraries).where(here.number == self._session.owner).values(fold=fold.REVISION))

    def _mine(self, table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return and_(table.c.owner == self._session.owner, *conditions)

    # -- what is folded -------------------------------------------------------------------------------------------

    def _books(self, of: ColumnElement[str], ids: Collection[Id]) -> set[Id]:
        """The books of these atoms."""
        if not ids:
            return set()
        book = tables.atoms.c.book
        asked = select(book).distinct().where(self._mine(tables.atoms, among(of, ids), book.is_not(None)))
        with self._session.reading() as db:
            return {*db.scalars(asked)}

    def _books_of(self, records: Collection[Id]) -> set[Id]:
        """The books of these records, of those that are present."""
        out: set[Id] = set()
        for batch in batches(records, 10 * BATCH):
            asked = select(tables.records.c.atom).where(self._mine(tables.records, among(tables.records.c.id, batch)))
            with self._session.reading() as db:
                out |= self._books(tables.atoms.c.id, {*db.scalars(asked)})
        return out

    def _clear(self, books: Collection[Id]) -> set[Id]:
        """Take all of some books off the shelf; returns the passages that were hidden."""
        if not books:
            return set()
        records, atoms = tables.records, tables.atoms
        inside = among_those(records.c.atom, select(atoms.c.id).where(self._mine(atoms, among(atoms.c.book, books))))
        with self._session.writing() as db:
            hidden = self._take_down(among(tables.highlights.c.book, books))
            moved = self._mine(records, inside, records.c.passage != records.c.id)
            db.execute(update(records).where(moved).values(passage=records.c.id))
        return hidden

    def _take_down(self, which: ColumnElement[bool]) -> set[Id]:
        """Take passages off the shelf and out of the index; returns those that were hidden."""
        here = tables.highlights.c
        with self._session.writing() as db:
            rows = db.execute(
                delete(tables.highlights).where(self._mine(tables.highlights, which)).returning(here.id, here.hidden)
            ).all()
            ids = [id_ for id_, _ in rows]
            if ids:
                db.execute(delete(tables.search).where(self._mine(tables.search, among(tables.search.c.id, ids))))
        return {id_ for id_, hidden in rows if hidden}

    def _islands(self, books: Sequence[Id], whole: Collection[Id], touched: Collection[Id]) -> Iterator[_Run]:
        """The islands of some books in which anything was touched, and all of those that are folded whole."""
        here, atoms, edits = tables.records.c, tables.atoms.c, tables.edits.c
        named = select(atoms.id, atoms.book).where(self._mine(tables.atoms, among(atoms.book, books)))
        joins = select(edits.target, edits.other).where(self._mine(tables.edits, edits.other.is_not(None)))
        with self._session.reading() as db:
            book_of = dict(db.execute(named).all())
            located = select(here.atom, here.lane, here.start, here.stop, here.id).where(
                self._mine(tables.records, among(here.atom, book_of))
            )
            places: dict[Id, list[tuple[int, int, int, Id]]] = defaultdict(list)
            for atom, *place in db.execute(located):
                places[book_of[atom]].append((*place,))
            links = [(one, other) for one, other in db.execute(joins)]
        for book, held in places.items():
            inside = {id_ for _, _, _, id_ in held}
            joined = [(one, other) for one, other in links if one in inside and other in inside]
            for ids in passages.joined(passages.islands(sorted(held)), joined):
                if book in whole or any(id_ in touched for id_ in ids):
                    yield _Run(book, ids)

    # -- folding --------------------------------------------------------------------------------------------------

    def _fold(self, runs: Sequence[_Run], hidden: set[Id], effects: Effects) -> None:
        """Fold some islands and put the passages on the shelf."""
        fresh = self._facts.presence.touched.fresh
        ids = [id_ for run in runs for id_ in run]
        hidden = hidden | self._take_down_all_of([id_ for id_ in ids if id_ not in fresh])
        records = self._facts.records(ids)
        said = self._said(ids)
        history = self._facts.history(
            edit for of in (said.edits, said.deletions) for edits in of.values() for edit in edits
        )
        shown: list[tuple[Id, Passage]] = []
        for run in runs:
            covering = {d.id: d for id_ in run for d in said.deletions.get(id_, ())}
            mine = [edit for id_ in run for edit in said.edits.get(id_, ())]
            island = Island([records[id_] for id_ in run], said.sources, mine, [*covering.values()])
            for passage in fold.fold(island, history):
                shown.append((run.book, passage))
                held = [(records[id_], id_ in fresh) for id_ in passage.members]
                effects.add(passage, held, was_hidden=not hidden.isdisjoint(passage.members))
        self._put(shown, fresh)

    def _take_down_all_of(self, records: Sequence[Id]) -> set[Id]:
        """Take the passages that hold these records off the shelf."""
        if not records:
            return set()
        held = select(tables.records.c.passage).where(self._mine(tables.records, among(tables.records.c.id, records)))
        return self._take_down(among_those(tables.highlights.c.id, held))

    def _said(self, ids: Sequence[Id]) -> _Said:
        """What is known of these records."""
        edits: dict[Id, list[Edit]] = defaultdict(list)
        deletions: dict[Id, list[Edit]] = defaultdict(list)
        for edit in self._facts.edits(ids):
            edits[edit.target].append(edit)
        for deletion in self._facts.deletions(ids):
            for id_ in deletion.covers:
                deletions[id_].append(deletion)
        return _Said(self._sources(ids), edits, deletions)

    def _sources(self, ids: Sequence[Id]) -> dict[Id, set[str]]:
        """Record → the sources it was seen in; those of withdrawn imports where it has no others."""
        seen: dict[bool, dict[Id, set[str]]] = {True: defaultdict(set), False: defaultdict(set)}
        for record, source, live in self._facts.listings(ids):
            seen[live][record].add(source)
        return {**seen[False], **seen[True]}

    def _put(self, shown: Sequence[tuple[Id, Passage]], fresh: Collection[Id]) -> None:
        """Put passages on the shelf and into the index."""
        held = {id_: p.id for _, p in shown for id_ in p.members if id_ != p.id or id_ not in fresh}
        here = tables.records.c
        of = (
            func.unnest(literal([*held], tables.Texts), literal([*held.values()], tables.Texts))
            .table_valued(column("id", tables.AnyText), column("passage", tables.AnyText))
            .render_derived("held")
        )
        moved = self._mine(tables.records, here.id == of.c.id, here.passage != of.c.passage)
        with self._session.writing() as db:
            self._session.put(db, tables.highlights, (_row(book, p) for book, p in shown))
            self._session.put(
                db,
                tables.search,
                ((p.id, kept(p.text), kept(p.note or "")) for _, p in shown if p.kind in ("highlight", "note")),
            )
            if held:
                db.execute(update(tables.records).where(moved).values(passage=of.c.passage))


def _row(book: Id, p: Passage) -> tuple[Any, ...]:
    return (
        p.id, book, p.kind, *p.place, p.text, p.note, p.color, p.tags, p.favorite, p.page, p.location_start,
        p.location_end, p.chapter, p.at, p.offset, p.truncated, p.source, p.conflicts, p.hidden + p.erased,
        _loose(p.color), tuple(map(loose, p.tags)), _loose(p.chapter), loose(p.source),
    )  # fmt: skip


def _loose(name: str | None) -> str | None:
    return None if name is None else loose(name)
