"""Tables of imports and their undoing."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
