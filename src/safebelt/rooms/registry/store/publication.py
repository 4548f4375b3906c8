"""Tables of what the public sees."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
