"""Tables of jobs that train, tune, update or promote."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
