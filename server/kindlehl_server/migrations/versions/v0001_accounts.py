"""People, their devices, and how those are let in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "0001"
down_revision = None

Words = sa.Text().with_variant(TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "users",
        sa.Column("id", Words, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("password", Words, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="users_key"),
        sa.UniqueConstraint("name", name="users_name_once"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", Words, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("owner", Words, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("scope", Words, nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.Column("used_at", Words),
        sa.PrimaryKeyConstraint("id", name="tokens_key"),
        sa.UniqueConstraint("digest", name="tokens_digest_once"),
        sa.ForeignKeyConstraint(["owner"], ["users.id"], name="tokens_owner_of_users", ondelete="CASCADE"),
    )
    op.create_index("tokens_owner", "tokens", ["owner"])
    op.create_table(
        "invites",
        sa.Column("digest", Words, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.Column("inviter", Words),
        sa.Column("expires_at", Words, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="invites_key"),
        sa.ForeignKeyConstraint(["inviter"], ["users.id"], name="invites_inviter_of_users", ondelete="CASCADE"),
    )
    op.create_table(
        "pairings",
        sa.Column("digest", Words, nullable=False),
        sa.Column("code", Words, nullable=False),
        sa.Column("device", Words, nullable=False),
        sa.Column("address", Words, nullable=False),
        sa.Column("expires_at", Words, nullable=False),
        sa.Column("approved_by", Words),
        sa.Column("misses", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("digest", name="pairings_key"),
        sa.ForeignKeyConstraint(["approved_by"], ["users.id"], name="pairings_approved_by_of_users",
                                ondelete="CASCADE"),
    )  # fmt: skip
    op.create_index("pairings_waiting", "pairings", ["code"], unique=True)
