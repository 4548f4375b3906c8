"""Strikes: repeated abuse by a key, and what a person decided about it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text, none = sa.Text(), sa.text("''")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "belt_strike",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("policy", sa.String(length=80), nullable=False),
        sa.Column("policy_digest", sa.String(length=64), nullable=False),
        sa.Column("rules", text, nullable=False),
        sa.Column("exchanges", sa.Integer(), nullable=False),
        sa.Column("within_minutes", sa.Integer(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("records", text, nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decided_by", sa.String(length=80), server_default=none, nullable=False),
        sa.Column("decided_reason", text, server_default=none, nullable=False),
        sa.Column("appeal", sa.String(length=40), server_default=none, nullable=False),
        sa.Column("appealed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_belt_strike")),
    )
    op.create_index(op.f("ix_belt_strike_key_id"), "belt_strike", ["key_id"], unique=False)
    op.create_index(op.f("ix_belt_strike_at"), "belt_strike", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_belt_strike_at"), table_name="belt_strike")
    op.drop_index(op.f("ix_belt_strike_key_id"), table_name="belt_strike")
    op.drop_table("belt_strike")
