"""Rows that are written by the thousand in one transaction with what they belong to are held to it by that deed alone.

A foreign key asks the database once more for each row: a third of what an import cost PostgreSQL.  SQLite copies the
three tables, a minute for a million systems; PostgreSQL forgets the constraints at once.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEYS = (
    ("registry_import_item", "batch_id", "registry_import"),
    ("registry_import_leaf", "batch_id", "registry_import"),
    ("registry_label", "system_id", "registry_system"),
)


def upgrade() -> None:
    for table, column, of in _KEYS:
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"fk_{table}_{column}_{of}", type_="foreignkey")


def downgrade() -> None:
    for table, column, of in _KEYS:
        with op.batch_alter_table(table) as batch:
            batch.create_foreign_key(f"fk_{table}_{column}_{of}", of, [column], ["id"])
