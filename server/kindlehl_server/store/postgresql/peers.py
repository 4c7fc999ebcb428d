"""What a library in PostgreSQL remembers beside its facts: how far it is with others, what was done, small things."""

import secrets
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from kindlehl.domain.facts import Id
from kindlehl.ports import Operation, Progress
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.session import Session, among

_P, _R, _O, _M, _L = (
    tables.peers.c, tables.refused.c, tables.operations.c, tables.memo.c, tables.libraries.c,
)  # fmt: skip


def new_epoch() -> str:
    """A name that no numbers had before."""
    return f"{secrets.randbits(62):x}"


class TablePeers:
    """The `Peers` port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def epoch(self) -> str:
        """Names this library's numbers."""
        with self._session.reading() as db:
            return str(db.execute(select(_L.epoch).where(_L.number == self._session.owner)).scalar_one())

    def renew(self, epoch: str | None = None) -> None:
        """The cursors of peers lose their meaning."""
        value = new_epoch() if epoch is None else epoch
        with self._session.writing() as db:
            db.execute(update(tables.libraries).where(_L.number == self._session.owner).values(epoch=value))

    def progress(self, peer: str) -> Progress:
        """With this one; the beginning where nothing is known."""
        asked = select(*(_P[field] for field in Progress._fields))
        with self._session.reading() as db:
            row = db.execute(asked.where(_P.owner == self._session.owner, _P.name == peer)).first()
        return Progress() if row is None else Progress(*row)

    def keep(self, peer: str, progress: Progress) -> None:
        """Remember it."""
        told = progress._asdict()
        new = insert_or(tables.peers).values(owner=self._session.owner, name=peer, **told)
        with self._session.writing() as db:
            db.execute(new.on_conflict_do_update(index_elements=["owner", "name"], set_=told))

    def refused(self, peer: str) -> Mapping[Id, int]:
        """The facts that this peer did not take, and their digests then."""
        asked = select(_R.id, _R.digest).where(*self._refused_by(peer))
        with self._session.reading() as db:
            return dict(db.execute(asked).all())

    def refuse(self, peer: str, facts: Iterable[tuple[Id, int, str]]) -> None:
        """Remember facts that it did not take, the digest of each, and why."""
        new = insert_or(tables.refused)
        said = {"digest": new.excluded.digest, "code": new.excluded.code}
        rows = [
            {"owner": self._session.owner, "peer": peer, "id": id_, "digest": digest, "code": code}
            for id_, digest, code in facts
        ]
        if rows:
            with self._session.writing() as db:
                db.execute(new.on_conflict_do_update(index_elements=["owner", "peer", "id"], set_=said), rows)

    def took(self, peer: str, ids: Sequence[Id]) -> None:
        """It has these after all."""
        with self._session.writing() as db:
            db.execute(delete(tables.refused).where(*self._refused_by(peer), among(_R.id, ids)))

    def _refused_by(self, peer: str) -> tuple[ColumnElement[bool], ...]:
        return _R.owner == self._session.owner, _R.peer == peer

    def forget(self, peer: str) -> None:
        """As though there never had been one."""
        with self._session.writing() as db:
            db.execute(delete(tables.refused).where(*self._refused_by(peer)))
            db.execute(delete(tables.peers).where(_P.owner == self._session.owner, _P.name == peer))


class TableJournal:
    """The `Journal` port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def enter(self, operation: Operation) -> None:
        """Add one."""
        with self._session.writing() as db:
            db.execute(insert(tables.operations).values(owner=self._session.owner, **operation._asdict()))

    def operations(self) -> Sequence[Operation]:
        """All of them, oldest first."""
        asked = select(_O.id, _O.at, _O.verb, _O.changes, _O.reverses).where(_O.owner == self._session.owner)
        with self._session.reading() as db:
            return [Operation(*row) for row in db.execute(asked.order_by(_O.number))]


class TableMemo:
    """The `Memo` port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def recall(self, key: str) -> str | None:
        """What was remembered."""
        asked = select(_M.value).where(_M.owner == self._session.owner, _M.key == key)
        with self._session.reading() as db:
            return db.scalar(asked)

    def remember(self, key: str, value: str) -> None:
        """Keep a value until an import is withdrawn or a record erased."""
        new = insert_or(tables.memo).values(owner=self._session.owner, key=key, value=value)
        with self._session.writing() as db:
            db.execute(new.on_conflict_do_update(index_elements=["owner", "key"], set_={"value": value}))
