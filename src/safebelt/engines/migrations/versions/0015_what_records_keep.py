"""What records keep of texts, for how long, and which segments were removed because they were too old."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    masked, nobody, none = sa.text("'masked'"), sa.text("'[]'"), sa.text("''")
    op.add_column("belt_harness", sa.Column("content", sa.String(length=10), server_default=masked, nullable=False))
    op.add_column("belt_harness", sa.Column("recipients", sa.Text(), server_default=nobody, nullable=False))
    op.add_column("belt_harness", sa.Column("content_days", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("belt_segment", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("belt_segment", sa.Column("removed_entry", sa.String(length=40), server_default=none, nullable=False))


def downgrade() -> None:
    for name in ("removed_entry", "removed_at"):
        op.drop_column("belt_segment", name)
    for name in ("content_days", "recipients", "content"):
        op.drop_column("belt_harness", name)
