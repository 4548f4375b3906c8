"""Versions of screening policies."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "belt_policy",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_belt_policy")),
    )
    op.create_index(op.f("ix_belt_policy_policy"), "belt_policy", ["policy"], unique=False)
    op.create_table(
        "belt_policy_adoption",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("brought", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("red_lines", sa.Text(), nullable=False),
        sa.Column("proposal", sa.String(length=40), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"], ["belt_policy.digest"], name=op.f("fk_belt_policy_adoption_digest_belt_policy")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_belt_policy_adoption")),
    )
    op.create_index(op.f("ix_belt_policy_adoption_policy"), "belt_policy_adoption", ["policy"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_belt_policy_adoption_policy"), table_name="belt_policy_adoption")
    op.drop_table("belt_policy_adoption")
    op.drop_index(op.f("ix_belt_policy_policy"), table_name="belt_policy")
    op.drop_table("belt_policy")
