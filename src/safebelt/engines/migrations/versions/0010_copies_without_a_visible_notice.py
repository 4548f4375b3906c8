"""Copies without a visible notice."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "labelling_copy",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("mark_id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labelling_copy")),
    )
    op.create_index("ix_labelling_copy_at", "labelling_copy", ["at"], unique=False)
    op.create_table(
        "labelling_recipient",
        sa.Column("copy_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("copy_id", name=op.f("pk_labelling_recipient")),
    )
    op.create_index("ix_labelling_recipient_keep_until", "labelling_recipient", ["keep_until"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_labelling_recipient_keep_until", table_name="labelling_recipient")
    op.drop_table("labelling_recipient")
    op.drop_index("ix_labelling_copy_at", table_name="labelling_copy")
    op.drop_table("labelling_copy")
