"""Tables of attachments, comments, tasks."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
