"""The tables in which PostgreSQL keeps libraries.

`facts` is a library; what stands below it is derived and can be made anew. Every row begins with the number of its
owner's library, and so does every index: nobody's question reads another's rows.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Identity, Index, Integer, MetaData, SmallInteger, Table
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.types import TypeDecorator

_ESCAPED = {0: "\x01\x01", 1: "\x01\x02"}


def escaped(text: str) -> str:
    """A text without U+0000, which PostgreSQL does not hold; two texts sort as they did before."""
    return text.translate(_ESCAPED) if "\0" in text or "\x01" in text else text


def unescaped(text: str) -> str:
    """What `escaped` was given."""
    return text.replace("\x01\x01", "\0").replace("\x01\x02", "\x01") if "\x01" in text else text


class AnyText(TypeDecorator[str]):
    """Every text that Python holds, ordered by code points."""

    impl = TEXT(collation="C")
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's
        """On its way in."""
        return None if value is None else escaped(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 -- as above
        """On its way out."""
        return None if value is None else unescaped(value)


Texts = ARRAY(AnyText, as_tuple=True)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_once",
        "pk": "%(table_name)s_key",
    }
)


def _owned(name: str, *columns: Column[Any]) -> Table:
    """A table whose rows have an owner: the number of a library."""
    return Table(name, metadata, Column("owner", Integer, primary_key=True, autoincrement=False), *columns)


def _key(name: str, type_: Any = AnyText) -> Column[Any]:
    return Column(name, type_, primary_key=True, autoincrement=False)


def _column(name: str, type_: Any = AnyText) -> Column[Any]:
    return Column(name, type_, nullable=False)


libraries = Table(
    "libraries",
    metadata,
    Column("number", Integer, Identity(), primary_key=True),
    Column("person", AnyText, nullable=False, unique=True),
    _column("epoch"),
    _column("head", BigInteger),  # the number of the fact that arrived last; who writes holds this row
    _column("fold", Integer),  # by which revision of the fold the rest was made
)

facts = _owned(
    "facts",
    _key("id"),
    _column("seq", BigInteger),  # order of arrival; a state that advances takes a new one
    _column("type"),
    _column("private", SmallInteger),  # what it is part of: 1 highlights, 2 notes
    _column("digest", BigInteger),  # of the body as it arrived
    _column("erased", Boolean),  # of the body, as the next two: the order of states
    _column("revision", BigInteger),
    _column("certainty", BigInteger),
    _column("body"),  # JSON, as it travels
)
Index("facts_seq", facts.c.owner, facts.c.seq, unique=True)

digests = _owned("digests", _key("bucket"), _key("private", SmallInteger), _column("digest", BigInteger))
imports = _owned("imports", _key("id"), _column("source"), _column("live", Boolean), _column("op"))
Index("imports_op", imports.c.owner, imports.c.op)

listings = _owned(  # which import lists which record, and the time that this states, if it is here
    "listings", _key("record"), _key("listed_by"), _column("source"), Column("at", AnyText)
)
Index("listings_at", listings.c.owner, listings.c.source, listings.c.at)

edits = _owned(
    "edits",
    _key("id"),
    _column("target"),
    _column("field"),
    Column("other", AnyText),  # what a `same` joins its target with
    _column("hlc", BigInteger),
    _column("op"),
    _column("undo", Boolean),
)
Index("edits_target", edits.c.owner, edits.c.target)
Index("edits_op", edits.c.owner, edits.c.op)
Index("edits_hlc", edits.c.owner, edits.c.hlc)
Index("edits_same", edits.c.owner, postgresql_where=edits.c.other.is_not(None))

seen = _owned("seen", _key("edit"), _key("id"))
Index("seen_id", seen.c.owner, seen.c.id)

covers = _owned("covers", _key("id"), _key("edit"))
Index("covers_edit", covers.c.owner, covers.c.edit)

atoms = _owned(  # the books as sources name them
    "atoms",
    _key("id"),
    _column("revision", BigInteger),
    _column("title"),
    _column("author"),
    _column("raw_title"),
    Column("book", AnyText),  # the book's least atom; null until grouped
)
Index("atoms_book", atoms.c.owner, atoms.c.book)

records = _owned(  # where the present records are, and the passage that holds them, by its earliest record
    "records",
    _key("id"),
    _column("atom"),
    _column("lane", SmallInteger),
    _column("start", BigInteger),
    _column("stop", BigInteger),
    _column("passage"),
)
Index("records_place", records.c.owner, records.c.atom, records.c.lane, records.c.start)
Index("records_passage", records.c.owner, records.c.passage)

books = _owned(
    "books",
    _key("id"),
    _column("title"),
    Column("author", AnyText),
    _column("hidden", Boolean),
    _column("sort"),  # the title without case
    _column("loose_title"),  # as a person's words are compared with it
    Column("loose_author", AnyText),
)

highlights = _owned(  # the folded passages, hidden ones included
    "highlights",
    _key("id"),
    _column("book"),
    _column("kind"),
    _column("lane", SmallInteger),
    _column("start", BigInteger),
    _column("stop", BigInteger),
    _column("text"),
    Column("note", AnyText),
    Column("color", AnyText),
    _column("tags", Texts),
    _column("favorite", Boolean),
    Column("page", AnyText),
    Column("location_start", BigInteger),
    Column("location_end", BigInteger),
    Column("chapter", AnyText),
    Column("added_at", AnyText),
    Column("added_offset", AnyText),
    _column("truncated", Boolean),
    _column("source"),
    _column("conflicts", Texts),
    _column("hidden", SmallInteger),  # 1: in the trash, 2: erased
    Column("loose_color", AnyText),
    _column("loose_tags", Texts),
    Column("loose_chapter", AnyText),
    _column("loose_source"),
)
Index("highlights_book", highlights.c.owner, highlights.c.book)

search = _owned("search", _key("id"), _column("text"), _column("note"))  # the words of passages, in their order

operations = _owned(  # what was done here, for undo; not derived, and no fact
    "operations",
    Column("number", BigInteger, Identity(), primary_key=True),
    _column("id"),
    _column("at"),
    _column("verb"),
    _column("changes", Integer),
    Column("reverses", AnyText),
)
memo = _owned("memo", _key("key"), _column("value"))
peers = _owned(
    "peers",
    _key("name"),
    _column("epoch"),
    _column("pulled", BigInteger),
    _column("pushed", BigInteger),
    _column("withheld", SmallInteger),
    _column("met"),
    _column("refuses", SmallInteger),
    _column("wished"),
)
rotten = _owned("rotten", _key("id"), _column("body"))  # found damaged, until it comes again whole
refused = _owned("refused", _key("peer"), _key("id"), _column("digest", BigInteger), _column("code"))

DERIVED = (imports, listings, edits, seen, covers, atoms, records, books, highlights, search, digests, memo)
