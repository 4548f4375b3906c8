"""Which orders for a system are acts of two people."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "belt_two_people",
        sa.Column("target", sa.String(length=80), nullable=False),
        sa.Column("lifting", sa.Boolean(), nullable=False),
        sa.Column("placing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_belt_two_people")),
    )


def downgrade() -> None:
    op.drop_table("belt_two_people")
