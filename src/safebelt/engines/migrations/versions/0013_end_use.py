"""What a caller's key may do, until when, and what was used; rules of admission, with every version in force."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text, none = sa.Text(), sa.text("''")
    op.add_column("belt_key", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("belt_key", sa.Column("replaced_by", sa.String(length=40), server_default=none, nullable=False))
    op.add_column("belt_key", sa.Column("terms", text, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("belt_key", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("belt_exchange", sa.Column("tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "belt_exchange", sa.Column("is_estimated", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("belt_exchange", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_belt_exchange_key_id_at", "belt_exchange", ["key_id", "at"], unique=False)
    op.create_index("ix_belt_exchange_key_id_ended_at", "belt_exchange", ["key_id", "ended_at"], unique=False)
    op.create_table(
        "belt_admission",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("brought", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_belt_admission")),
    )


def downgrade() -> None:
    op.drop_table("belt_admission")
    op.drop_index("ix_belt_exchange_key_id_ended_at", table_name="belt_exchange")
    op.drop_index("ix_belt_exchange_key_id_at", table_name="belt_exchange")
    for name in ("ended_at", "is_estimated", "tokens"):
        op.drop_column("belt_exchange", name)
    for name in ("version", "terms", "replaced_by", "expires_at"):
        op.drop_column("belt_key", name)
