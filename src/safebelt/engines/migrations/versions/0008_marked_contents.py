"""Which contents this house marked, by digest."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "labelling_mark",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("ident", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labelling_mark")),
    )
    op.create_index(op.f("ix_labelling_mark_ident"), "labelling_mark", ["ident"], unique=False)
    op.create_index(op.f("ix_labelling_mark_sha256"), "labelling_mark", ["sha256"], unique=False)
    op.create_index(op.f("ix_labelling_mark_system_id"), "labelling_mark", ["system_id", "at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_labelling_mark_system_id"), table_name="labelling_mark")
    op.drop_index(op.f("ix_labelling_mark_sha256"), table_name="labelling_mark")
    op.drop_index(op.f("ix_labelling_mark_ident"), table_name="labelling_mark")
    op.drop_table("labelling_mark")
