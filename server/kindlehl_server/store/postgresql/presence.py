"""Which records of a library in PostgreSQL are present and where, and what is to be folded anew when facts arrive."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import ColumnElement, Table, and_, bindparam, column, delete, func, literal, select, update

from kindlehl.domain import fields, passages
from kindlehl.domain.batches import KEPT, batches
from kindlehl.domain.books import Atom, reading
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.session import Session, among
from kindlehl_server.store.postgresql.touched import Touched


class _Facts(Protocol):
    """What presence asks of the facts."""

    def records(self, ids: Iterable[Id]) -> dict[Id, Record]: ...
    def edits(self, targets: Iterable[Id]) -> Sequence[Edit]: ...
    def before(self, ids: Iterable[Id]) -> set[Id]: ...
    def after(self, ids: Collection[Id]) -> set[Id]: ...
    def history(self, edits: Iterable[Edit]) -> fields.History: ...
    def imports(self, ids: Iterable[Id]) -> Sequence[Import]: ...
    def listings(self, ids: Iterable[Id]) -> list[tuple[Id, str, bool]]: ...
    def every(self, type_: str) -> Iterable[list[Fact]]: ...


class Arrived(NamedTuple):
    """A fact whose state advanced: what it says now and what it said before, where this version understands that."""

    fact: Fact | None
    before: Fact | None


def _about(fact: Fact | None) -> set[Id]:
    """The facts, books and imports of which a fact says something."""
    if isinstance(fact, Import):
        return {*fact.records}
    if isinstance(fact, Edit):
        return {fact.target, *fact.covers}
    return set() if fact is None else {fact.id}


class Presence:
    """Derives from the facts which records a live import lists or an edit holds, and tells the fold what it touched."""

    def __init__(self, session: Session, facts: _Facts) -> None:
        self._session = session
        self._facts = facts
        self.touched = Touched()

    def start(self) -> None:
        """A transaction begins, or did not happen: nothing is touched."""
        self.touched = Touched()

    def derive_all(self) -> None:
        """Derive everything from all facts, for a rebuild. The derived tables are empty, and all will be folded.

        Edits and imports first: then every record finds what was done to it.
        """
        for edits in self._facts.every("edit"):
            self._write_edits([edit for edit in edits if isinstance(edit, Edit)])
        for facts in self._facts.every("import"):
            imports = [import_ for import_ in facts if isinstance(import_, Import)]
            self._write_imports(imports, {})
            self._withdraw([import_.id for import_ in imports])
        for facts in self._facts.every("record"):
            records = {record.id: record for record in facts if isinstance(record, Record)}
            self._date(records.values())
            self._refresh(records, records)

    def derive(self, arrived: Sequence[Arrived]) -> None:
        """Update the tables that depend on these facts, and which records are present."""
        records = {a.fact.id: a.fact for a in arrived if isinstance(a.fact, Record)}
        edits = [a.fact for a in arrived if isinstance(a.fact, Edit)]
        imports = [a.fact for a in arrived if isinstance(a.fact, Import)]
        spoken_of = {import_.id for import_ in imports}
        said = [a.before for a in arrived if isinstance(a.before, Edit)]
        if said:
            spoken_of |= self._spoken_of(said)
        self._take_back([a.before for a in arrived if a.before is not None])
        self._write_edits(edits)
        listed = {id_ for import_ in imports for id_ in import_.records}
        held = self._facts.records(listed - records.keys()) | records if listed else records
        self._write_imports(imports, held)
        self._date(records.values())
        touched = {id_ for a in arrived for id_ in _about(a.fact) | _about(a.before)}
        if edits:
            spoken_of |= self._spoken_of(edits)
        if edits or said:
            self._touch_books(spoken_of)
        touched |= spoken_of | self._withdraw(spoken_of)
        if any(record.erased for record in records.values()):
            self._forget()
        elsewhere = self._leave(a.before.id for a in arrived if isinstance(a.before, Record))
        self._refresh(touched, held, elsewhere)

    # -- facts in tables of their own -----------------------------------------------------------------------------

    def _mine(self, table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return and_(table.c.owner == self._session.owner, *conditions)

    def _take_back(self, facts: Sequence[Fact]) -> None:
        """Forget what these states said, before better ones say it again."""
        edits = [fact for fact in facts if isinstance(fact, Edit)]
        ids = [edit.id for edit in edits]
        with self._session.writing() as db:
            if edits:
                for table, key in ((tables.edits, "id"), (tables.seen, "edit"), (tables.covers, "edit")):
                    db.execute(delete(table).where(self._mine(table, among(table.c[key], ids))))
                # Where a join is said no more an island may come apart.
                self._touch_whole({edit.target for edit in edits})
            for import_ in facts:
                if isinstance(import_, Import):
                    listing = tables.listings.c
                    listed = listing.listed_by == import_.id, among(listing.record, import_.records)
                    db.execute(delete(tables.listings).where(self._mine(tables.listings, *listed)))
                    same = tables.imports.c.id == import_.id
                    db.execute(delete(tables.imports).where(self._mine(tables.imports, same)))

    def _write_edits(self, edits: Sequence[Edit]) -> None:
        if not edits:
            return
        rows = [
            (e.id, e.target, e.field, e.value if e.field == "same" and isinstance(e.value, str) else None, e.hlc, e.op,
             e.undo)
            for e in edits
        ]  # fmt: skip
        with self._session.writing() as db:
            self._session.put(db, tables.edits, rows)
            self._session.put(db, tables.seen, ((e.id, id_) for e in edits for id_ in {*e.seen}))
            self._session.put(db, tables.covers, ((id_, e.id) for e in edits for id_ in {*e.covers}))

    def _write_imports(self, imports: Sequence[Import], held: Mapping[Id, Record]) -> None:
        """As though none of them were withdrawn."""
        if not imports:
            return
        listed = ((id_, i.id, i.source, held[id_].at if id_ in held else None) for i in imports for id_ in {*i.records})
        with self._session.writing() as db:
            self._session.put(db, tables.imports, ((i.id, i.source, True, i.op) for i in imports))
            self._session.put(db, tables.listings, listed)

    def _date(self, records: Collection[Record]) -> None:
        """Say of what was listed before when it was marked, as it is read now."""
        listing = tables.listings.c
        ids, times = [r.id for r in records], [r.at for r in records]
        read = (
            func.unnest(literal(ids, tables.Texts), literal(times, tables.Texts))
            .table_valued(column("id", tables.AnyText), column("at", tables.AnyText))
            .render_derived("read")
        )
        other = and_(listing.record == read.c.id, listing.at.is_distinct_from(read.c.at))
        with self._session.writing() as db:
            db.execute(update(tables.listings).where(self._mine(tables.listings, other)).values(at=read.c.at))

    def _forget(self) -> None:
        """What was remembered may not be true any more."""
        with self._session.writing() as db:
            db.execute(delete(tables.memo).where(self._mine(tables.memo)))

    # -- what edits touch -----------------------------------------------------------------------------------------

    def _spoken_of(self, edits: Sequence[Edit]) -> set[Id]:
        """What edits may change: their targets, what they cover, and the same of all that saw them or they saw."""
        ids = {edit.id for edit in edits}
        ids = self._facts.after(ids) | self._facts.before(ids)
        edit, cover = tables.edits.c, tables.covers.c
        with self._session.reading() as db:
            targets = db.scalars(select(edit.target).where(self._mine(tables.edits, among(edit.id, ids)))).all()
            covered = db.scalars(select(cover.id).where(self._mine(tables.covers, among(cover.edit, ids)))).all()
        return {*targets, *covered}

    def _touch_books(self, spoken_of: Iterable[Id]) -> None:
        if not self.touched.books:
            found = select(tables.atoms.c.id).where(self._mine(tables.atoms, among(tables.atoms.c.id, spoken_of)))
            with self._session.reading() as db:
                self.touched.books = db.scalar(found.limit(1)) is not None

    def _touch_whole(self, ids: Iterable[Id]) -> None:
        """The books of these records."""
        asked = select(tables.records.c.atom).where(self._mine(tables.records, among(tables.records.c.id, ids)))
        with self._session.reading() as db:
            self.touched.atoms.update(db.scalars(asked))

    def _withdraw(self, ids: Iterable[Id]) -> set[Id]:
        """See which of these imports are withdrawn now, and which are no more; returns the records of both."""
        import_ = tables.imports.c
        with self._session.writing() as db:
            asked = select(import_.id, import_.live).where(self._mine(tables.imports, among(import_.id, ids)))
            was = dict(db.execute(asked).all())
            edits = [edit for edit in self._facts.edits(was) if edit.field == "withdrawn"] if was else []
            history = self._facts.history(edits)
            by_import: dict[Id, list[Edit]] = {id_: [] for id_ in was}
            for edit in edits:
                by_import[edit.target].append(edit)
            live = {
                id_: not fields.any_true(fields.heads(said, history).get("withdrawn", ()))
                for id_, said in by_import.items()
            }
            changed = [id_ for id_ in was if live[id_] != was[id_]]
            if not changed:
                return set()
            self._forget()
            flipped = self._mine(tables.imports, among(import_.id, changed))
            db.execute(update(tables.imports).where(flipped).values(live=~import_.live))
        return {id_ for fact in self._facts.imports(changed) for id_ in fact.records}

    # -- presence -------------------------------------------------------------------------------------------------

    def _refresh(self, ids: Collection[Id], held: Mapping[Id, Record], elsewhere: Collection[Id] = ()) -> None:
        """Put records on the list or take them off, as a live import or an edit says, and let them be folded again.
        `held`: those that are at hand; `elsewhere`: those that were on the list, and may be at another place now."""
        for batch in batches(sorted(ids), KEPT):
            wanted = {record for record, _, live in self._facts.listings(batch) if live}
            rest = [id_ for id_ in batch if id_ not in wanted]
            wanted |= fields.holding(self._facts.edits(rest)) if rest else set()
            here = tables.records.c
            asked = select(here.id).where(self._mine(tables.records, among(here.id, batch)))
            with self._session.reading() as db:
                present = {*db.scalars(asked)}
            self._leave(present - wanted)
            self.touched.records |= present & wanted
            missing = wanted - present
            found = self._facts.records(missing - held.keys()) | {id_: held[id_] for id_ in missing & held.keys()}
            self._appear([record for record in found.values() if record.kind in passages.SHOWN], elsewhere)

    def _leave(self, ids: Iterable[Id]) -> set[Id]:
        """Records that are no longer present, or where they were; returns those that had been."""
        here = tables.records
        gone = [*ids]
        if not gone:
            return set()
        with self._session.writing() as db:
            taken = delete(here).where(self._mine(here, among(here.c.id, gone))).returning(here.c.id, here.c.atom)
            rows = db.execute(taken).all()
        self.touched.atoms.update(atom for _, atom in rows)
        return {id_ for id_, _ in rows}

    def _appear(self, records: Sequence[Record], elsewhere: Collection[Id]) -> None:
        """Records that became present, or were read anew, with where they are."""
        if not records:
            return
        best: dict[Id, Atom] = {}
        for record in records:
            told = reading(record)
            best[record.atom] = max(told, best.get(record.atom, told))
        with self._session.writing() as db:
            rows = ((r.id, r.atom, *passages.place(r), r.id) for r in records)
            self._session.put(db, tables.records, rows)
        ids = {record.id for record in records}
        self.touched.records |= ids
        self.touched.fresh |= ids.difference(elsewhere)
        held = self.atoms(best)
        better = {id_: atom for id_, atom in best.items() if id_ not in held or held[id_] < atom}
        self.retell(better, held)

    # -- what books are called ------------------------------------------------------------------------------------

    def atoms(self, ids: Iterable[Id]) -> dict[Id, Atom]:
        """What these are called."""
        here = tables.atoms.c
        asked = select(here.id, here.revision, here.title, here.author, here.raw_title)
        with self._session.reading() as db:
            rows = db.execute(asked.where(self._mine(tables.atoms, among(here.id, ids)))).all()
        return {id_: Atom(*atom) for id_, *atom in rows}

    def retell(self, atoms: Mapping[Id, Atom], held: Mapping[Id, Atom]) -> None:
        """Keep what atoms are called now, and let books be grouped anew where that is something else."""
        changed = [
            {"named": id_, "revision": atom.revision, "title": atom.title, "author": atom.author,
             "raw_title": atom.raw_title}
            for id_, atom in atoms.items()
            if id_ in held and held[id_] != atom
        ]  # fmt: skip
        new = [
            (id_, atom.revision, atom.title, atom.author, atom.raw_title, None)
            for id_, atom in atoms.items()
            if id_ not in held
        ]
        with self._session.writing() as db:
            self._session.put(db, tables.atoms, new)
            if changed:
                same = self._mine(tables.atoms, tables.atoms.c.id == bindparam("named"))
                db.execute(update(tables.atoms).where(same), changed)
        self.touched.books = self.touched.books or bool(new or changed)

    def retell_those_that_lost(self) -> None:
        """Find again what atoms are called that lost a record: the present ones tell. Without any it is forgotten."""
        if not self.touched.atoms:
            return
        lost = sorted(self.touched.atoms)
        here = tables.records.c
        asked = select(here.id).where(self._mine(tables.records, among(here.atom, lost)))
        with self._session.writing() as db:
            present = db.scalars(asked).all()
            best: dict[Id, Atom] = {}
            for batch in batches(present):
                for record in self._facts.records(batch).values():
                    told = reading(record)
                    best[record.atom] = max(told, best.get(record.atom, told))
            held = self.atoms(lost)
            self.retell(best, held)
            left = [id_ for id_ in held if id_ not in best]
            if left:
                db.execute(delete(tables.atoms).where(self._mine(tables.atoms, among(tables.atoms.c.id, left))))
                self.touched.books = True
