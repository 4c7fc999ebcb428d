"""Which devices were revoked, so that no backup lets them in again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    words = sa.Text().with_variant(TEXT(collation="C"), "postgresql")
    op.create_table(
        "revoked", sa.Column("id", words, nullable=False), sa.PrimaryKeyConstraint("id", name="revoked_key")
    )
