"""Tables of search, saved views, bulk acts."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
