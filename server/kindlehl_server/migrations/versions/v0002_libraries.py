"""Libraries of many people, in PostgreSQL. On SQLite nothing is made: there every person has a file of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

revision = "0002"
down_revision = "0001"

WORDS = TEXT(collation="C")


def upgrade() -> None:
    """Make the tables."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "libraries",
        sa.Column("number", sa.Integer, sa.Identity(), nullable=False),
        sa.Column("person", WORDS, nullable=False),
        sa.Column("epoch", WORDS, nullable=False),
        sa.Column("head", sa.BigInteger, nullable=False),
        sa.Column("fold", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("number", name="libraries_key"),
        sa.UniqueConstraint("person", name="libraries_person_once"),
    )
    op.create_table(
        "facts",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("type", WORDS, nullable=False),
        sa.Column("private", sa.SmallInteger, nullable=False),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("erased", sa.Boolean, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("certainty", sa.BigInteger, nullable=False),
        sa.Column("body", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="facts_key"),
    )
    op.create_index("facts_seq", "facts", ["owner", "seq"], unique=True)
    op.create_table(
        "digests",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("bucket", WORDS, nullable=False),
        sa.Column("private", sa.SmallInteger, nullable=False),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", "bucket", "private", name="digests_key"),
    )
    op.create_table(
        "imports",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("op", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="imports_key"),
    )
    op.create_index("imports_op", "imports", ["owner", "op"])
    op.create_table(
        "listings",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("record", WORDS, nullable=False),
        sa.Column("listed_by", WORDS, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("at", WORDS),
        sa.PrimaryKeyConstraint("owner", "record", "listed_by", name="listings_key"),
    )
    op.create_index("listings_at", "listings", ["owner", "source", "at"])
    op.create_table(
        "edits",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("target", WORDS, nullable=False),
        sa.Column("field", WORDS, nullable=False),
        sa.Column("other", WORDS),
        sa.Column("hlc", sa.BigInteger, nullable=False),
        sa.Column("op", WORDS, nullable=False),
        sa.Column("undo", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="edits_key"),
    )
    op.create_index("edits_hlc", "edits", ["owner", "hlc"])
    op.create_index("edits_op", "edits", ["owner", "op"])
    op.create_index("edits_same", "edits", ["owner"], postgresql_where=sa.text("other IS NOT NULL"))
    op.create_index("edits_target", "edits", ["owner", "target"])
    op.create_table(
        "seen",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("edit", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "edit", "id", name="seen_key"),
    )
    op.create_index("seen_id", "seen", ["owner", "id"])
    op.create_table(
        "covers",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("edit", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", "edit", name="covers_key"),
    )
    op.create_index("covers_edit", "covers", ["owner", "edit"])
    op.create_table(
        "atoms",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("author", WORDS, nullable=False),
        sa.Column("raw_title", WORDS, nullable=False),
        sa.Column("book", WORDS),
        sa.PrimaryKeyConstraint("owner", "id", name="atoms_key"),
    )
    op.create_index("atoms_book", "atoms", ["owner", "book"])
    op.create_table(
        "records",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("atom", WORDS, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("stop", sa.BigInteger, nullable=False),
        sa.Column("passage", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="records_key"),
    )
    op.create_index("records_passage", "records", ["owner", "passage"])
    op.create_index("records_place", "records", ["owner", "atom", "lane", "start"])
    op.create_table(
        "books",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("author", WORDS),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("sort", WORDS, nullable=False),
        sa.Column("loose_title", WORDS, nullable=False),
        sa.Column("loose_author", WORDS),
        sa.PrimaryKeyConstraint("owner", "id", name="books_key"),
    )
    op.create_table(
        "highlights",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("book", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("stop", sa.BigInteger, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("note", WORDS),
        sa.Column("color", WORDS),
        sa.Column("tags", ARRAY(WORDS), nullable=False),
        sa.Column("favorite", sa.Boolean, nullable=False),
        sa.Column("page", WORDS),
        sa.Column("location_start", sa.BigInteger),
        sa.Column("location_end", sa.BigInteger),
        sa.Column("chapter", WORDS),
        sa.Column("added_at", WORDS),
        sa.Column("added_offset", WORDS),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("conflicts", ARRAY(WORDS), nullable=False),
        sa.Column("hidden", sa.SmallInteger, nullable=False),
        sa.Column("loose_color", WORDS),
        sa.Column("loose_tags", ARRAY(WORDS), nullable=False),
        sa.Column("loose_chapter", WORDS),
        sa.Column("loose_source", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="highlights_key"),
    )
    op.create_index("highlights_book", "highlights", ["owner", "book"])
    op.create_table(
        "search",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("note", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="search_key"),
    )
    op.create_table(
        "operations",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("at", WORDS, nullable=False),
        sa.Column("verb", WORDS, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("reverses", WORDS),
        sa.PrimaryKeyConstraint("owner", "number", name="operations_key"),
    )
    op.create_table(
        "memo",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name="memo_key"),
    )
    op.create_table(
        "peers",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("epoch", WORDS, nullable=False),
        sa.Column("pulled", sa.BigInteger, nullable=False),
        sa.Column("pushed", sa.BigInteger, nullable=False),
        sa.Column("withheld", sa.SmallInteger, nullable=False),
        sa.Column("met", WORDS, nullable=False),
        sa.Column("refuses", sa.SmallInteger, nullable=False),
        sa.Column("wished", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "name", name="peers_key"),
    )
    op.create_table(
        "rotten",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("body", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="rotten_key"),
    )
    op.create_table(
        "refused",
        sa.Column("owner", sa.Integer, nullable=False),
        sa.Column("peer", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("code", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("owner", "peer", "id", name="refused_key"),
    )
