"""Tables of an authority's cases."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
