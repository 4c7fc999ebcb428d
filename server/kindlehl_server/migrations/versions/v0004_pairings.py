"""Pairings count no wrong codes any more: whoever types them is counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "0004"
down_revision = "0003"

Words = sa.Text().with_variant(TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table anew: what waited there waits ten minutes at most, and begins again."""
    op.drop_table("pairings")
    op.create_table(
        "pairings",
        sa.Column("digest", Words, nullable=False),
        sa.Column("code", Words, nullable=False),
        sa.Column("device", Words, nullable=False),
        sa.Column("address", Words, nullable=False),
        sa.Column("expires_at", Words, nullable=False),
        sa.Column("approved_by", Words),
        sa.PrimaryKeyConstraint("digest", name="pairings_key"),
        sa.ForeignKeyConstraint(["approved_by"], ["users.id"], name="pairings_approved_by_of_users",
                                ondelete="CASCADE"),
    )  # fmt: skip
    op.create_index("pairings_waiting", "pairings", ["code"], unique=True)
