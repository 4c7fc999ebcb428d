"""A unit of work on one library: a connection, a transaction, and the number of whose rows are meant."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from psycopg.sql import SQL, Identifier
from sqlalchemy import ColumnElement, Connection, Select, Table, any_, func, literal, select, text, update

from kindlehl_server.store.database import Database
from kindlehl_server.store.postgresql.tables import AnyText, Texts, escaped, libraries

if TYPE_CHECKING:
    from psycopg import Connection as Driver

WAIT_MS = 10_000
"""For somebody else who writes to the same library."""


class Session:
    """Where a library's statements go. Not for several threads at once."""

    def __init__(self, database: Database, owner: int) -> None:
        self._database = database
        self._current: Connection | None = None
        self.owner = owner
        self.head = 0
        """While something is written: the number of the fact that arrived last."""

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Everything inside happens, or nothing does. Whoever writes to a library holds its row until he has committed:
        so facts become visible in the order of their numbers, and nobody's cursor passes over one."""
        with self._database.writing() as db:
            db.execute(text(f"SET LOCAL lock_timeout = {WAIT_MS:d}"))
            held = select(libraries.c.head).where(libraries.c.number == self.owner).with_for_update()
            self.head = db.execute(held).scalar_one()
            yield from self._during(db)

    @contextmanager
    def snapshot(self) -> Generator[Connection]:
        """Everything that is read inside is of one moment."""
        with self._database.reading() as db:
            yield from self._during(db)

    def _during(self, db: Connection) -> Generator[Connection]:
        self._current = db
        try:
            yield db
        finally:
            self._current = None

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """The transaction that is under way, or one for what is asked now."""
        if self._current is not None:
            yield self._current
            return
        with self.snapshot() as db:
            yield db

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """The same, to change something."""
        if self._current is not None:
            yield self._current
            return
        with self.transaction() as db:
            yield db

    def advance(self, head: int) -> None:
        """Facts have arrived up to here."""
        with self.writing() as db:
            db.execute(update(libraries).where(libraries.c.number == self.owner).values(head=head))
        self.head = head

    def put(self, db: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Rows that are not there yet, without their owner: many a thousand a second."""
        given = iter(rows)
        first = next(given, None)
        if first is None:
            return
        driver = cast("Driver[Any]", db.connection.driver_connection)
        columns = SQL(", ").join(Identifier(column.name) for column in table.columns)
        copy = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), columns)
        with driver.cursor() as cursor, cursor.copy(copy) as copying:
            for row in chain([first], given):
                copying.write_row([self.owner, *map(_plain, row)])


def _plain(value: str | int | tuple[str, ...] | None) -> str | int | list[str] | None:
    if isinstance(value, str):
        return escaped(value)
    return [*map(escaped, value)] if isinstance(value, tuple) else value


def among(column: ColumnElement[str], names: Iterable[str]) -> ColumnElement[bool]:
    """Whether it is one of these, as one parameter however many they are."""
    return column == any_(literal([*names], Texts))


def among_those(column: ColumnElement[str], asked: Select[Any]) -> ColumnElement[bool]:
    """Whether it is one of what is asked for, which is found first: who plans a join of two tables that have just been
    filled knows nothing of them, and may read one of them for every row of the other."""
    return column == any_(func.array(asked.scalar_subquery()))


def contains(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Whether this is a part of it, to the letter."""
    return func.strpos(column, literal(part, AnyText)) > 0
