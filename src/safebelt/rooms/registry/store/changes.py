"""Tables of change control and responsibility."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
