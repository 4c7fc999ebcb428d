"""The books of a library in PostgreSQL: which atoms are one, and what each book is called."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import and_, column, delete, func, literal, select, update

from kindlehl.domain import books, fields
from kindlehl.domain.facts import Edit, Id
from kindlehl.domain.text import loose
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.facts import TableFacts
from kindlehl_server.store.postgresql.session import Session, among


class Regrouped(NamedTuple):
    """What grouping anew has changed."""

    moved: set[Id]
    """Books that lost or gained an atom."""
    new: int
    """How many books are none that were there."""


class Grouping:
    """Keeps atoms in books."""

    def __init__(self, session: Session, facts: TableFacts) -> None:
        self._session = session
        self._facts = facts

    def group(self) -> Regrouped:
        """Group all atoms anew: each has a present record."""
        here = tables.atoms.c
        asked = select(here.id, here.book, here.revision, here.title, here.author, here.raw_title)
        with self._session.writing() as db:
            rows = db.execute(asked.where(here.owner == self._session.owner)).all()
            atoms = {id_: books.Atom(*atom) for id_, _, *atom in rows}
            was: dict[Id, Id | None] = {id_: book for id_, book, *_ in rows}
            edits = self._facts.edits(atoms) if atoms else ()
            history = self._facts.history(edits)
            groups = books.group(atoms, fields.in_force(edits, history))
            moved = {id_: book for id_, book in groups.items() if book != was[id_]}
            self._move(moved)
            self._write(groups, atoms, edits, history)
        members: dict[Id, set[Id]] = defaultdict(set)
        for atom, book in groups.items():
            members[book].add(atom)
        grouped = {id_ for id_, book in was.items() if book is not None}
        left = {old for id_ in moved if (old := was[id_]) is not None}
        return Regrouped(left | {*moved.values()}, sum(grouped.isdisjoint(ids) for ids in members.values()))

    def _move(self, moved: Mapping[Id, Id]) -> None:
        """Put atoms into other books."""
        if not moved:
            return
        here = tables.atoms.c
        to = (
            func.unnest(literal([*moved], tables.Texts), literal([*moved.values()], tables.Texts))
            .table_valued(column("atom", tables.AnyText), column("book", tables.AnyText))
            .render_derived("moved")
        )
        same = and_(here.owner == self._session.owner, here.id == to.c.atom)
        with self._session.writing() as db:
            db.execute(update(tables.atoms).where(same).values(book=to.c.book))

    def _write(
        self,
        groups: Mapping[Id, Id],
        atoms: Mapping[Id, books.Atom],
        edits: Sequence[Edit],
        history: fields.History,
    ) -> None:
        """Write the books of which anything is other than it was."""
        called: dict[Id, list[books.Atom]] = defaultdict(list)
        for atom, book in groups.items():
            called[book].append(atoms[atom])
        said: dict[Id, list[Edit]] = defaultdict(list)
        for edit in edits:
            said[groups[edit.target]].append(edit)
        now: dict[Id, tuple[str, str | None, bool]] = {}
        for book, readings in called.items():
            heads = fields.heads(said[book], history) if book in said else {}
            title, author = books.named(books.shown_title(readings), heads)
            now[book] = title, author, bool(fields.newest(heads.get("hidden", ())))
        here = tables.books.c
        asked = select(here.id, here.title, here.author, here.hidden).where(here.owner == self._session.owner)
        with self._session.writing() as db:
            was = {id_: (title, author, hidden) for id_, title, author, hidden in db.execute(asked)}
            other = [id_ for id_, row in was.items() if now.get(id_) != row]
            db.execute(delete(tables.books).where(here.owner == self._session.owner, among(here.id, other)))
            rows = ((id_, *row) for id_, row in now.items() if was.get(id_) != row)
            self._session.put(
                db,
                tables.books,
                ((*row, row[1].casefold(), loose(row[1]), None if row[2] is None else loose(row[2])) for row in rows),
            )
