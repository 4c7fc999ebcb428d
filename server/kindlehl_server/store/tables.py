"""The tables of the server, the same on SQLite and PostgreSQL."""

from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import TEXT

Words = Text().with_variant(TEXT(collation="C"), "postgresql")
"""Ordered by code points, whatever locale a database was made with: as Python and SQLite order."""

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_once",
        "fk": "%(table_name)s_%(column_0_N_name)s_of_%(referred_table_name)s",
        "pk": "%(table_name)s_key",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False, unique=True),
    Column("password", Words, nullable=False),  # argon2id, with its own salt
    Column("role", Words, nullable=False),  # owner or member
    Column("created_at", Words, nullable=False),  # UTC, ISO 8601 with Z, as every time here
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Words, primary_key=True),
    Column("digest", Words, nullable=False, unique=True),  # SHA-256: 256 random bits need no salt
    Column("owner", Words, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Words, nullable=False),  # of the device
    Column("scope", Words, nullable=False),
    Column("created_at", Words, nullable=False),
    Column("used_at", Words),
)

revoked = Table("revoked", metadata, Column("id", Words, primary_key=True))
"""The ids of tokens that devices had: a server that is restored lets them in no more than before."""

invites = Table(
    "invites",
    metadata,
    Column("digest", Words, primary_key=True),
    Column("role", Words, nullable=False),
    Column("inviter", Words, ForeignKey("users.id", ondelete="CASCADE")),  # null: the first, of the server itself
    Column("expires_at", Words, nullable=False),
)

pairings = Table(
    "pairings",
    metadata,
    Column("digest", Words, primary_key=True),  # of the code that the device keeps to itself
    Column("code", Words, nullable=False),  # what its owner reads on it and types elsewhere
    Column("device", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("expires_at", Words, nullable=False),
    Column("approved_by", Words, ForeignKey("users.id", ondelete="CASCADE")),
)
Index("pairings_waiting", pairings.c.code, unique=True)
