"""Tables of the dossier as a signed package."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
