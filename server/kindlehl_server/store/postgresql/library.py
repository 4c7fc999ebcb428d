"""One of many libraries in PostgreSQL: facts, shelf and index in one transaction."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from kindlehl.domain import fold
from kindlehl_server.store.database import Database
from kindlehl_server.store.libraries import checked
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.facts import TableFacts
from kindlehl_server.store.postgresql.folding import Folding
from kindlehl_server.store.postgresql.index import TableIndex
from kindlehl_server.store.postgresql.peers import TableJournal, TableMemo, TablePeers, new_epoch
from kindlehl_server.store.postgresql.session import Session
from kindlehl_server.store.postgresql.shelf import TableShelf


class TableLibrary:
    """The `Library` port on the rows of one person. Not for several threads at once."""

    def __init__(self, database: Database, owner: int) -> None:
        self._database = database
        self._session = Session(database, owner)
        self.facts = TableFacts(self._session)
        self.shelf = TableShelf(self._session, Folding(self._session, self.facts))
        self.index = TableIndex(self._session, self.shelf)
        self.journal = TableJournal(self._session)
        self.memo = TableMemo(self._session)
        self.peers = TablePeers(self._session)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Everything inside happens, or nothing does."""
        self.facts.presence.start()
        with self._session.transaction():
            yield

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """Everything that is read inside is of one moment."""
        with self._session.snapshot():
            yield

    def fold_revision(self) -> int:
        """By which revision of the fold the shelf was made."""
        here = tables.libraries.c
        with self._session.reading() as db:
            return int(db.execute(select(here.fold).where(here.number == self._session.owner)).scalar_one())

    def scrub(self) -> None:
        """Give back the rows of what was erased or replaced, so that they are overwritten by and by. Other people's
        rows stand in the same files, which are not written anew for this."""
        self._database.vacuum(tables.facts, tables.highlights, tables.search, tables.atoms, tables.books)

    def close(self) -> None:
        """Nothing to let go of: connections are the database's."""


class TableLibraries:
    """The `Libraries` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def owners(self) -> Sequence[str]:
        """The ids of all who have a library."""
        with self._database.reading() as db:
            return db.scalars(select(tables.libraries.c.person).order_by(tables.libraries.c.person)).all()

    @contextmanager
    def library(self, owner: str) -> Generator[TableLibrary]:
        """The library of the person with this id, folded anew if an older revision folded it."""
        person = checked(owner)
        here = tables.libraries.c
        asked = select(here.number, here.fold).where(here.person == person)
        with self._database.reading() as db:
            row = db.execute(asked).first()
        if row is None:
            new = {"person": person, "epoch": new_epoch(), "head": 0, "fold": fold.REVISION}
            with self._database.writing() as db:
                db.execute(insert(tables.libraries).values(new).on_conflict_do_nothing())
                row = db.execute(asked).one()
        number, revision = row
        library = TableLibrary(self._database, number)
        if revision != fold.REVISION:
            with library.transaction():
                if library.fold_revision() != fold.REVISION:  # nobody has, while this one waited
                    library.shelf.rebuild()
        yield library
