"""The public's complaints: what happened to each, and apart from it everything that was said."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "portal_complaint",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("office_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("overdue_on", sa.Date(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_passed_on", sa.Boolean(), nullable=False),
        sa.Column("is_apart", sa.Boolean(), nullable=False),
        sa.Column("apart_because", sa.String(length=20), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_because", sa.String(length=20), nullable=True),
        sa.Column("entered_by", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_complaint")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_portal_complaint_code_hash")),
    )
    op.create_index(op.f("ix_portal_complaint_due_on"), "portal_complaint", ["due_on"], unique=False)
    op.create_index(op.f("ix_portal_complaint_ended_at"), "portal_complaint", ["ended_at"], unique=False)
    op.create_index(op.f("ix_portal_complaint_office_id"), "portal_complaint", ["office_id"], unique=False)
    op.create_index(op.f("ix_portal_complaint_system_id"), "portal_complaint", ["system_id"], unique=False)
    op.create_table(
        "portal_complaint_said",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("speaker", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("office_id", sa.String(length=40), nullable=False),
        sa.Column("written_by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("more", sa.JSON(), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["portal_complaint.id"], name=op.f("fk_portal_complaint_said_case_id_portal_complaint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_complaint_said")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_portal_complaint_said_case_id_number")),
    )


def downgrade() -> None:
    op.drop_table("portal_complaint_said")
    op.drop_index(op.f("ix_portal_complaint_system_id"), table_name="portal_complaint")
    op.drop_index(op.f("ix_portal_complaint_office_id"), table_name="portal_complaint")
    op.drop_index(op.f("ix_portal_complaint_ended_at"), table_name="portal_complaint")
    op.drop_index(op.f("ix_portal_complaint_due_on"), table_name="portal_complaint")
    op.drop_table("portal_complaint")
