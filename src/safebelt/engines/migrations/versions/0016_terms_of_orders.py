"""What an order says besides its command: how much a limit lets pass, and what it rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("belt_stop", sa.Column("terms", sa.Text(), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    op.drop_column("belt_stop", "terms")
