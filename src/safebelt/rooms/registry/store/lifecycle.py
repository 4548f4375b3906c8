"""Tables of gates, evidence, sign-offs."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
