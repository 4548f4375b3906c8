"""Tool calls that waited for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "belt_call",
        sa.Column("id", sa.String(length=70), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("held_entry", sa.String(length=40), nullable=False),
        sa.Column("answered", sa.String(length=10), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answer_entry", sa.String(length=40), nullable=True),
        sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_belt_call")),
    )
    op.create_index(op.f("ix_belt_call_system_id"), "belt_call", ["system_id"], unique=False)
    op.create_index(op.f("ix_belt_call_record"), "belt_call", ["record"], unique=False)
    op.create_index(op.f("ix_belt_call_at"), "belt_call", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_belt_call_at"), table_name="belt_call")
    op.drop_index(op.f("ix_belt_call_record"), table_name="belt_call")
    op.drop_index(op.f("ix_belt_call_system_id"), table_name="belt_call")
    op.drop_table("belt_call")
