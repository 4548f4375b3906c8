"""Tables of filings and forms."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
