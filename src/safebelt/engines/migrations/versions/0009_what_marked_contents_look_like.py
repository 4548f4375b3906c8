"""What marked contents look like."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "labelling_likeness",
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.Column("mark_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("slot", "bits", "mark_id", name=op.f("pk_labelling_likeness")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("labelling_likeness")
