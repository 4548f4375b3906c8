"""Which exchanges passed without being screened, because a policy named their path."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "belt_exchange", sa.Column("is_unguarded", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("belt_exchange", "is_unguarded")
