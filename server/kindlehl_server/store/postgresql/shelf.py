"""What a person sees of a library in PostgreSQL."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from kindlehl.domain.effects import Effects
from kindlehl.domain.facts import Id
from kindlehl.domain.library import SHOWN_KINDS, Book, Highlight
from kindlehl.ports import Filter, Order
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.conditions import begins, meant, rows
from kindlehl_server.store.postgresql.folding import Folding
from kindlehl_server.store.postgresql.session import Session, among, among_those

_H, _B, _R, _A = tables.highlights.c, tables.books.c, tables.records.c, tables.atoms.c

_COLUMNS = (
    _H.id, _H.kind, _B.id, _B.title, _B.author, _H.text, _H.note, _H.color, _H.tags, _H.favorite, _H.page,
    _H.location_start, _H.location_end, _H.chapter, _H.added_at, _H.added_offset, _H.truncated, _H.source,
    _H.conflicts,
)  # fmt: skip
_IN_TIME = _H.kind.in_(("highlight", "note"))
_COUNTS = (
    func.count().filter(_H.kind == "highlight"),
    func.count(_H.note),
    func.count().filter(_H.kind == "bookmark"),
    func.count().filter(_H.kind == "clip"),
    func.min(_H.added_at).filter(_IN_TIME),
    func.max(_H.added_at).filter(_IN_TIME),
)
_ORDERS: dict[Order, Sequence[Any]] = {
    "book": (_B.sort, _B.id, _H.lane, _H.start, _H.stop, func.coalesce(_H.added_at, ""), _H.id),
    "newest": (_H.added_at.desc().nulls_last(), _H.id),
    "oldest": (_H.added_at.asc().nulls_last(), _H.id),
}


class TableShelf:
    """The `Shelf` port."""

    def __init__(self, session: Session, folding: Folding) -> None:
        self._session = session
        self._folding = folding

    def settle(self) -> Effects:
        """Fold what the facts added in this transaction have touched."""
        return self._folding.settle()

    def rebuild(self) -> None:
        """Throw the fold and the index away and make them anew from all facts."""
        self._folding.rebuild()

    def books(self, ids: Collection[Id] | None = None, *, hidden: bool = False) -> Sequence[Book]:
        """The books, or these of them, by title; those that the reader hides only if asked for."""
        owner = self._session.owner
        named = select(_A.book, _A.raw_title).where(_A.owner == owner).order_by(_A.raw_title)
        key = (_B.sort, _B.id, _B.title, _B.author, _B.hidden)
        shown = meant(owner, Filter(kinds=SHOWN_KINDS, hidden_books=hidden))
        asked = rows(owner).add_columns(*key, *_COUNTS).where(shown).group_by(*key).order_by(_B.sort, _B.id)
        if ids is not None:
            named, asked = named.where(among(_A.book, ids)), asked.where(among(_B.id, ids))
        raw: dict[Id, tuple[str, ...]] = {}
        with self._session.reading() as db:
            for book, title in db.execute(named):
                raw[book] = (*raw.get(book, ()), title)
            return [
                Book(id_, title, author, raw[id_], marks, notes, bookmarks, clips, first, last, is_hidden)
                for _, id_, title, author, is_hidden, marks, notes, bookmarks, clips, first, last in db.execute(asked)
            ]

    def atoms(self, book: Id) -> Sequence[Id]:
        """The titles that sources use for this book, as atoms."""
        asked = select(_A.id).where(_A.owner == self._session.owner, _A.book == book).order_by(_A.id)
        with self._session.reading() as db:
            return db.scalars(asked).all()

    def titles(self, *, hidden: bool = False) -> Sequence[tuple[Id, str, str | None]]:
        """Id, title and author of all books by title."""
        shown = select(_H.id).where(_H.owner == _B.owner, _H.book == _B.id, _H.hidden == 0).exists()
        asked = select(_B.id, _B.title, _B.author).where(_B.owner == self._session.owner, shown)
        if not hidden:
            asked = asked.where(~_B.hidden)
        with self._session.reading() as db:
            return [(id_, title, author) for id_, title, author in db.execute(asked.order_by(_B.sort, _B.id))]

    def tags(self) -> Sequence[str]:
        """Every tag of a shown passage, once, in alphabetical order."""
        each = func.unnest(_H.tags, type_=tables.AnyText).label("tag")
        with self._session.reading() as db:
            return sorted(db.scalars(self._asked(Filter(kinds=SHOWN_KINDS), each).distinct()))

    def _asked(self, wanted: Filter, *columns: Any) -> Select[*tuple[Any, ...]]:
        """Of all that is meant, these columns."""
        return rows(self._session.owner).add_columns(*columns).where(meant(self._session.owner, wanted))

    def highlights(self, wanted: Filter, *, order: Order = "book", limit: int | None = None) -> Iterator[Highlight]:
        """Passages in an order, at most so many."""
        with self._session.reading() as db:
            found = db.execute(self._asked(wanted, *_COLUMNS).order_by(*_ORDERS[order]).limit(limit))
            return iter([Highlight(*row) for row in found])

    def of(self, ids: Sequence[Id]) -> Sequence[Highlight]:
        """These passages, in this order."""
        asked = rows(self._session.owner).add_columns(*_COLUMNS).where(among(_H.id, ids))
        with self._session.reading() as db:
            found = {row[0]: Highlight(*row) for row in db.execute(asked)}
        return [found[id_] for id_ in ids]

    def ids(self, wanted: Filter) -> Sequence[Id]:
        """The ids of all that is meant, in their own order."""
        with self._session.reading() as db:
            return db.scalars(self._asked(wanted, _H.id).order_by(_H.id)).all()

    def get(self, id_: Id, *, deleted: bool = False) -> Highlight | None:
        """The shown passage of which this record is a member, or the one in the trash; that of a hidden book too."""
        owner = self._session.owner
        passage = select(_R.passage).where(_R.owner == owner, _R.id == id_).scalar_subquery()
        asked = rows(owner).add_columns(*_COLUMNS).where(_H.id == passage, _H.hidden == int(deleted))
        with self._session.reading() as db:
            row = db.execute(asked).first()
        return None if row is None else Highlight(*row)

    def members(self, id_: Id) -> Sequence[Id]:
        """The records of the passage, hidden or not, that holds this one."""
        owner = self._session.owner
        passage = select(_R.passage).where(_R.owner == owner, _R.id == id_).scalar_subquery()
        asked = select(_R.id).where(_R.owner == owner, _R.passage == passage).order_by(_R.id)
        with self._session.reading() as db:
            return db.scalars(asked).all()

    def starting_with(self, prefix: str, limit: int, *, deleted: bool = False) -> Sequence[Id]:
        """Ids of shown passages, or of those in the trash, of which a member starts like this."""
        owner = self._session.owner
        held = select(_R.passage).where(_R.owner == owner, begins(_R.id, prefix))
        asked = select(_H.id).where(_H.owner == owner, among_those(_H.id, held), _H.hidden == int(deleted))
        with self._session.reading() as db:
            return db.scalars(asked.order_by(_H.id).limit(limit)).all()

    def count(self, wanted: Filter) -> int:
        """How many passages are meant."""
        with self._session.reading() as db:
            return int(db.execute(self._asked(wanted, func.count())).scalar_one())
