"""The facts of a library in PostgreSQL: keeping the maximum of their states, and asking for them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Select, and_, bindparam, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from kindlehl import wire
from kindlehl.domain import fields, withholding
from kindlehl.domain.batches import BATCH, KEPT, batches
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record, state
from kindlehl.ports import Edited, Feed, Rotten, Standing
from kindlehl.store.damage import DAMAGED, can_be_read, sound
from kindlehl.store.paging import page
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.presence import Arrived, Presence
from kindlehl_server.store.postgresql.session import Session, among, among_those
from kindlehl_server.store.postgresql.tables import AnyText, Texts

DIGITS = 2
"""Of an id, at its end: what tells the bucket whose digest is kept."""
_SOME: dict[str, Any] = {"stream_results": True}
"""A few rows at first, then more: whoever fills a page with long bodies does not read the rest."""

_F, _E = tables.facts.c, tables.edits.c


class _Body(NamedTuple):
    """A state of a fact that is kept."""

    seq: int
    type: str
    private: int
    digest: int
    erased: bool
    revision: int
    certainty: int
    body: str

    @property
    def state(self) -> tuple[bool, int, int]:
        """What orders it among others."""
        return self.erased, self.revision, self.certainty

    def is_rotten(self) -> bool:
        """Whether the body is not what arrived."""
        return bool(self.private & DAMAGED) or wire.digest(self.body) != self.digest


_ROW = _F.seq, _F.type, _F.private, _F.digest, _F.erased, _F.revision, _F.certainty, _F.body
_LONGEST = 200
"""Characters of a name: an index of PostgreSQL has no room for any length. Ids have 36."""


def _told(fact: Fact | None) -> Fact | None:
    """What tables can hold of what a body says. One with a name that no kindlehl gives is kept and travels, and is
    passed over like one that only a newer version understands."""
    names: tuple[str, ...] = ()
    if isinstance(fact, Record):
        names = fact.book or "", fact.at or ""
    elif isinstance(fact, Edit):
        names = fact.target, fact.op, *fact.seen, *fact.covers, str(fact.value if fact.field == "same" else "")
    elif isinstance(fact, Import):
        names = fact.source, fact.op, *fact.records
    return fact if all(len(name) <= _LONGEST for name in names) else None


class TableFacts:
    """The `Facts` port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.presence = Presence(session, self)

    def _open(self, withheld: int) -> ColumnElement[bool]:
        """Facts of this library that travel and are not withheld."""
        return and_(_F.owner == self._session.owner, _F.private.bitwise_and(withheld | DAMAGED) == 0)

    def _of(self, ids: Iterable[Id]) -> ColumnElement[bool]:
        return and_(_F.owner == self._session.owner, among(_F.id, ids))

    # -- adding ---------------------------------------------------------------------------------------------------

    def add(self, facts: Iterable[Fact]) -> int:
        """Keep the maximum of what is here and what comes, for each id."""
        return self.add_raw(map(wire.encode, facts))

    def add_raw(self, bodies: Iterable[str]) -> int:
        """The same for bodies as they travel."""
        with self._session.writing():
            return sum(self._keep(batch) for batch in batches(bodies, KEPT))

    def _keep(self, bodies: Sequence[str]) -> int:
        """Insert what is new, replace what is lower, and derive from both."""
        heads = [wire.header(body) for body in bodies]
        with self._session.writing() as db:
            rows = db.execute(select(_F.id, *_ROW).where(self._of(head.id for head in heads)))
            before = {id_: _Body(*row) for id_, *row in rows}
            held = dict(before)
            number = self._session.head
            kept: dict[Id, tuple[Fact | None, _Body]] = {}
            for head, came in zip(heads, bodies, strict=True):
                body = self._chosen(head.id, held.get(head.id), came)
                if body is None:
                    continue
                number += 1
                fact = wire.decode(body)
                private, digest = withholding.falls_under(fact), wire.digest(body)
                row = _Body(number, head.type, private, digest, *state(fact), body)
                kept[head.id] = (_told(fact), row)
                held[head.id] = row
            if not kept:
                return 0
            self._digest(
                [(id_, row.private, row.digest) for id_, (_, row) in kept.items()]
                + [(id_, row.private, row.digest) for id_, row in before.items() if id_ in kept]
            )
            self._session.put(db, tables.facts, ((i, *row) for i, (_, row) in kept.items() if i not in before))
            whole = tables.rotten.c.owner == self._session.owner, among(tables.rotten.c.id, kept)
            db.execute(delete(tables.rotten).where(*whole))
            raised = [{"named": id_, **row._asdict()} for id_, (_, row) in kept.items() if id_ in before]
            if raised:
                mine = and_(_F.owner == self._session.owner, _F.id == bindparam("named"))
                db.execute(update(tables.facts).where(mine), raised)
            self._session.advance(number)
        self._derive(kept, before)
        return len(kept)

    def _chosen(self, id_: Id, held: _Body | None, body: str) -> str | None:
        """Which body is kept of what is here and what comes; None where nothing changes."""
        if held is None:
            return body
        if held.body == body and not held.private & DAMAGED:
            return None
        if not held.is_rotten():
            return body if wire.rank(body) > wire.rank(held.body) else None
        lesser = state(wire.decode(body)) < held.state
        # A lesser state brings nothing back: the damaged one is the best there is.
        return held.body if lesser and can_be_read(id_, held.type, held.body.encode()) else body

    def _derive(self, kept: Mapping[Id, tuple[Fact | None, _Body]], before: Mapping[Id, _Body]) -> None:
        """Derive from what is kept now. What is made of a damaged body nobody can tell: then all is made anew."""
        replaced = [row for id_, row in before.items() if id_ in kept]
        if any(row.is_rotten() for row in replaced):
            self.presence.touched.all = True
        else:
            was = {id_: _told(wire.decode(before[id_].body)) for id_ in kept if id_ in before}
            self.presence.derive([Arrived(fact, was.get(id_)) for id_, (fact, _) in kept.items()])

    def _digest(self, changes: Iterable[tuple[Id, int, int]]) -> None:
        """Take into the digests what comes, and out of them what it replaces: ids, what they fall under, digests."""
        sums: dict[tuple[str, int], int] = {}
        for id_, private, digest in changes:
            bucket = id_[-DIGITS:], private
            sums[bucket] = sums.get(bucket, 0) ^ digest
        new = insert(tables.digests)
        both = tables.digests.c.digest.bitwise_xor(new.excluded.digest)
        with self._session.writing() as db:
            db.execute(
                new.on_conflict_do_update(index_elements=["owner", "bucket", "private"], set_={"digest": both}),
                [
                    {"owner": self._session.owner, "bucket": bucket, "private": private, "digest": digest}
                    for (bucket, private), digest in sums.items()
                ],
            )

    def sum_up(self) -> None:
        """Tell anew what each fact is part of, as this version understands it, and add up the digests of the buckets.
        What a body had as its digest when it arrived stays."""
        mine = and_(_F.owner == self._session.owner, _F.id == bindparam("named"))
        for batch in self._pages(_F.id, _F.private, _F.digest, _F.body):
            told = [
                (id_, private, digest, withholding.falls_under(wire.decode(body)) | private & DAMAGED)
                for id_, private, digest, body in batch
            ]
            self._digest((id_, now, digest) for id_, _, digest, now in told)
            changed = [{"named": id_, "private": now} for id_, private, _, now in told if now != private]
            if changed:
                with self._session.writing() as db:
                    db.execute(update(tables.facts).where(mine), changed)

    # -- travelling -----------------------------------------------------------------------------------------------

    def head(self) -> int:
        """The number of the fact that arrived last, 0 where there is none."""
        here = tables.libraries.c
        with self._session.reading() as db:
            return int(db.execute(select(here.head).where(here.number == self._session.owner)).scalar_one())

    def since(self, cursor: int, count: int, size: int, withheld: int = 0, until: int | None = None) -> Feed:
        """What has arrived behind a cursor."""
        with self._session.reading() as db:
            stop = self.head() if until is None else until
            rows = db.execute(
                select(_F.seq, _F.digest, _F.body)
                .where(self._open(withheld), _F.seq > cursor, _F.seq <= stop)
                .order_by(_F.seq)
                .limit(count + 1)
                .execution_options(**_SOME)
            )
            with rows:
                return page(
                    sound((seq, digest, body.encode()) for seq, digest, body in rows), cursor, count, size, stop
                )

    def digests(self, digits: int, withheld: int = 0) -> Mapping[str, int]:
        """The digest of each bucket that does not come to nothing."""
        kept = tables.digests.c
        sums = select(kept.bucket, func.bit_xor(kept.digest)).where(
            kept.owner == self._session.owner, kept.private.bitwise_and(withheld | DAMAGED) == 0
        )
        if digits == DIGITS:
            asked = sums.group_by(kept.bucket)
        else:  # so rarely that it is not worth an index
            bucket = func.right(_F.id, digits).label("bucket")
            asked = select(bucket, func.bit_xor(_F.digest)).where(self._open(withheld)).group_by(bucket)
        with self._session.reading() as db:
            return {bucket: digest for bucket, digest in db.execute(asked) if digest}

    def states(self, buckets: Sequence[str], withheld: int = 0) -> Mapping[Id, int]:
        """The facts of some buckets, and the digest of each."""
        if not buckets:
            return {}
        inside = among(func.right(_F.id, len(buckets[0])), buckets)
        with self._session.reading() as db:
            rows = db.execute(select(_F.id, _F.digest).where(self._open(withheld), inside))
            return dict(rows.all())

    def named(self, ids: Sequence[Id], withheld: int = 0) -> Iterator[str]:
        """The bodies of these facts, of those that are here, in the order of their ids."""
        asked = (
            select(_F.id, _F.digest, _F.body)
            .where(self._open(withheld), among(_F.id, ids))
            .order_by(_F.id)
            .execution_options(**_SOME)
        )
        with self._session.reading() as db, db.execute(asked) as rows:
            for _, body in sound((id_, digest, body.encode()) for id_, digest, body in rows):
                yield body

    def set_aside_rotten(self) -> Rotten:
        """Mark the facts whose bodies are not what arrived, and take out those that say nothing any more."""
        marked: list[tuple[Id, int, int]] = []
        lost: list[tuple[Id, int, int, str]] = []
        for batch in self._pages(_F.id, _F.type, _F.private, _F.digest, _F.body):
            for id_, type_, private, digest, body in batch:
                if wire.digest(body) == digest:
                    continue
                if not can_be_read(id_, type_, body.encode()):
                    lost.append((id_, private, digest, body))
                elif not private & DAMAGED:
                    marked.append((id_, private, digest))
        with self._session.writing() as db:
            if marked:
                self._digest(marked)
                self._digest((id_, private | DAMAGED, digest) for id_, private, digest in marked)
                mark = _F.private.bitwise_or(DAMAGED)
                db.execute(update(tables.facts).where(self._of(id_ for id_, *_ in marked)).values(private=mark))
            if lost:
                new = insert(tables.rotten)
                self._digest((id_, private, digest) for id_, private, digest, _ in lost)
                db.execute(
                    new.on_conflict_do_update(index_elements=["owner", "id"], set_={"body": new.excluded.body}),
                    [{"owner": self._session.owner, "id": id_, "body": body} for id_, _, _, body in lost],
                )
                db.execute(delete(tables.facts).where(self._of(id_ for id_, *_ in lost)))
        return Rotten(len(marked), len(lost))

    def _damaged(self, withheld: int = 0) -> ColumnElement[bool]:
        mine = _F.owner == self._session.owner
        return and_(mine, _F.private.bitwise_and(DAMAGED) != 0, _F.private.bitwise_and(withheld) == 0)

    def rotten(self) -> Rotten:
        """How many are known to be damaged."""
        aside = tables.rotten.c.owner == self._session.owner
        with self._session.reading() as db:
            readable = db.execute(select(func.count()).select_from(tables.facts).where(self._damaged())).scalar_one()
            lost = db.execute(select(func.count()).select_from(tables.rotten).where(aside)).scalar_one()
        return Rotten(readable, lost)

    def damaged(self, withheld: int = 0) -> Sequence[str]:
        """The bodies, as they read, of the damaged facts that can be read."""
        with self._session.reading() as db:
            return db.scalars(select(_F.body).where(self._damaged(withheld)).order_by(_F.seq)).all()

    def drop(self, withheld: int) -> int:
        """Forget the facts of these classes."""
        kept = tables.digests.c
        with self._session.writing() as db:
            mine = kept.owner == self._session.owner, kept.private.bitwise_and(withheld) != 0
            db.execute(delete(tables.digests).where(*mine))
            # Of what is rotten nobody can say any more what it was part of.
            db.execute(delete(tables.rotten).where(tables.rotten.c.owner == self._session.owner))
            of_class = _F.owner == self._session.owner, _F.private.bitwise_and(withheld) != 0
            return db.execute(delete(tables.facts).where(*of_class)).rowcount

    # -- asking ---------------------------------------------------------------------------------------------------

    def _pages(self, *columns: ColumnElement[Any], type_: str | None = None) -> Iterator[Sequence[Any]]:
        """All facts, or all of a type, in order of arrival, some at a time: no more than those are in memory. One that
        arrives anew meanwhile comes once more, at the end."""
        asked: Select[Any] = select(_F.seq, *columns).where(_F.owner == self._session.owner).order_by(_F.seq)
        if type_ is not None:
            asked = asked.where(_F.type == type_)
        last = 0
        while True:
            with self._session.reading() as db:
                rows = db.execute(asked.where(_F.seq > last).limit(BATCH)).all()
            if not rows:
                return
            yield [row[1:] for row in rows]
            last = rows[-1][0]

    def every(self, type_: str) -> Iterator[list[Fact]]:
        """All facts of a type, some at a time."""
        for batch in self._pages(_F.body, type_=type_):
            decoded = (_told(wire.decode(body)) for (body,) in batch)
            yield [fact for fact in decoded if fact is not None]

    def bodies(self) -> Iterator[str]:
        """Every fact as it travels, in order of arrival."""
        for batch in self._pages(_F.body):
            for (body,) in batch:
                yield body

    def _decoded(self, asked: Select[Any]) -> list[Fact]:
        """The facts of some bodies; what a newer version wrote is passed over."""
        with self._session.reading() as db:
            found = [wire.decode(body) for body in db.scalars(asked)]
        return [fact for fact in found if fact is not None]

    def _named_by(self, asked: Select[Any]) -> list[Fact]:
        """The facts of some ids, in order of arrival."""
        mine = _F.owner == self._session.owner, among_those(_F.id, asked)
        return self._decoded(select(_F.body).where(*mine).order_by(_F.seq))

    def _edits(self, asked: Select[Any]) -> list[Edit]:
        return [fact for fact in self._named_by(asked) if isinstance(fact, Edit)]

    def standing(self, ids: Sequence[Id], source: str) -> Mapping[Id, Standing]:
        """How these records stand."""
        live: set[Id] = set()
        here: set[Id] = set()
        for record, listed_by, is_live in self.listings(ids):
            if is_live:
                live.add(record)
                here.update([record] if listed_by == source else ())
        asked = select(_F.id, _F.erased, _F.revision, _F.certainty).where(self._of(ids))
        with self._session.reading() as db:
            return {id_: Standing(id_ in live, id_ in here, *told) for id_, *told in db.execute(asked)}

    def listings(self, ids: Iterable[Id]) -> list[tuple[Id, str, bool]]:
        """Which sources listed these records, and whether the import that says so is live."""
        listing, import_ = tables.listings.c, tables.imports.c
        listed = select(listing.record, listing.source, listing.listed_by).where(
            listing.owner == self._session.owner, among(listing.record, ids)
        )
        with self._session.reading() as db:
            rows = db.execute(listed).all()
            by = {import_id for _, _, import_id in rows}
            alive = select(import_.id).where(import_.owner == self._session.owner, among(import_.id, by), import_.live)
            live = {*db.scalars(alive)}
        return [(record, source, import_id in live) for record, source, import_id in rows]

    def records(self, ids: Iterable[Id]) -> dict[Id, Record]:
        """Records by id, those that are held."""
        found = self._decoded(select(_F.body).where(self._of(ids)))
        return {fact.id: fact for fact in found if isinstance(fact, Record)}

    def imports(self, ids: Iterable[Id]) -> Sequence[Import]:
        """Imports by id, those that are held."""
        found = self._decoded(select(_F.body).where(self._of(ids)))
        return [fact for fact in found if isinstance(fact, Import)]

    def of(self, op: Id) -> Sequence[Edit | Import]:
        """The edits and imports of one operation."""
        named = [
            select(table.c.id).where(table.c.owner == self._session.owner, table.c.op == op)
            for table in (tables.edits, tables.imports)
        ]
        return [fact for each in named for fact in self._named_by(each) if isinstance(fact, Edit | Import)]

    def greatest_stamp(self) -> int:
        """The greatest clock of all edits, 0 where there are none."""
        with self._session.reading() as db:
            return int(db.scalar(select(func.max(_E.hlc)).where(_E.owner == self._session.owner)) or 0)

    def reached(self, until: str) -> Mapping[str, str]:
        """Source → the latest time of a record that it listed, of those before `until`."""
        import_, listing = tables.imports.c, tables.listings.c
        sources = select(import_.source).where(import_.owner == self._session.owner).distinct().subquery()
        latest = (
            select(func.max(listing.at))
            .where(listing.owner == self._session.owner, listing.source == sources.c.source, listing.at < until)
            .scalar_subquery()
        )
        with self._session.reading() as db:
            return {source: at for source, at in db.execute(select(sources.c.source, latest)) if at is not None}

    def edited(self, targets: Sequence[Id]) -> Mapping[Id, Edited]:
        """The edits of each of these."""
        mine = _E.owner == self._session.owner, among(_E.target, targets)
        named = [
            select(func.count()).where(table.c.owner == _E.owner, table.c.edit == _E.id).scalar_subquery()
            for table in (tables.seen, tables.covers)
        ]
        size = func.octet_length(_F.body)
        asked = (
            select(_E.target, func.count(), func.sum(named[0] + named[1]), func.sum(size))
            .join(tables.facts, and_(_F.owner == _E.owner, _F.id == _E.id))
            .where(*mine)
            .group_by(_E.target)
        )
        with self._session.reading() as db:
            return {target: Edited(edits, int(names), int(size)) for target, edits, names, size in db.execute(asked)}

    def edits(self, targets: Iterable[Id]) -> Sequence[Edit]:
        """Every edit of these targets."""
        return self._edits(select(_E.id).where(_E.owner == self._session.owner, among(_E.target, targets)))

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        named = [*ids]
        return self._behind(named).before(named)

    def history(self, edits: Iterable[Edit]) -> fields.Seen:
        """What these edits had seen or known of, and so on: it answers whatever the fold asks about them."""
        return self._behind({id_ for edit in edits for id_ in (edit.id, *edit.seen, *edit.knew)})

    def _behind(self, ids: Collection[Id]) -> fields.Seen:
        """What leads back from these."""
        out: dict[Id, list[Id]] = {}
        if ids:
            behind = self._closure(ids, tables.seen.c.edit, tables.seen.c.id)
            asked = select(tables.seen.c.edit, tables.seen.c.id).where(
                tables.seen.c.owner == self._session.owner, among_those(tables.seen.c.edit, select(behind.c.id))
            )
            with self._session.reading() as db:
                for edit, id_ in db.execute(asked):
                    out.setdefault(edit, []).append(id_)
        return fields.Seen(out)

    def after(self, ids: Collection[Id]) -> set[Id]:
        """The facts named, and all that had seen those, and so on."""
        asked = select(self._closure(ids, tables.seen.c.id, tables.seen.c.edit).c.id)
        with self._session.reading() as db:
            return {*db.scalars(asked)}

    def _closure(self, ids: Iterable[Id], of: ColumnElement[str], to: ColumnElement[str]) -> CTE:
        """These ids, and what they lead to."""
        found = select(func.unnest(literal([*ids], Texts), type_=AnyText).label("id")).cte(recursive=True)
        mine = tables.seen.c.owner == self._session.owner
        return found.union(select(to).where(mine, of == found.c.id))

    def replacing(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The edits that have seen any of these."""
        named = select(tables.seen.c.edit).where(
            tables.seen.c.owner == self._session.owner, among(tables.seen.c.id, ids)
        )
        return self._edits(named)

    def deletions(self, ids: Iterable[Id]) -> Sequence[Edit]:
        """The deletions in force that cover any of these records."""
        covered, owner = {*ids}, self._session.owner
        covering = select(tables.covers.c.edit.label("id")).where(
            tables.covers.c.owner == owner, among(tables.covers.c.id, covered)
        )
        # Whatever restores a deletion, or takes that back, has seen it or something that had.
        found = covering.cte(recursive=True)
        later = and_(tables.seen.c.owner == owner, tables.seen.c.id == found.c.id)
        of_deletion = and_(_E.owner == owner, _E.id == tables.seen.c.edit, _E.field == "deleted")
        found = found.union(
            select(tables.seen.c.edit).select_from(found).join(tables.seen, later).join(tables.edits, of_deletion)
        )
        edits = self._edits(select(found.c.id))
        in_force = fields.deletions(edits, self.history(edits))
        return [edit for edit in in_force if not covered.isdisjoint(edit.covers)]
