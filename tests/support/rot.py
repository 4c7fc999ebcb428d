"""What a disk makes of what it was to keep."""

from sqlalchemy import update

from kindlehl.domain.facts import Id
from kindlehl.ports import Library
from kindlehl.store.library import SqliteLibrary
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.library import TableLibrary


def body_of(library: Library, id_: Id) -> str:
    """Of a fact, damaged or not."""
    return next(body for body in library.facts.bodies() if f'"id":"{id_}"' in body)


def rots(library: Library, id_: Id, body: str) -> None:
    """The body of a fact becomes this one, and nobody is told."""
    if isinstance(library, SqliteLibrary):
        library._db.execute("UPDATE facts SET body = ? WHERE id = ?", (body, id_))
        return
    assert isinstance(library, TableLibrary)
    here = tables.facts.c
    with library._session.writing() as db:
        mine = here.owner == library._session.owner, here.id == id_
        db.execute(update(tables.facts).where(*mine).values(body=body))
