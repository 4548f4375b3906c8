"""Tables of search, saved views, bulk acts."""

from collections.abc import Sequence

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()


def enter(tx: sa.Connection, documents: Sequence[tuple[str, str]]) -> None:
    """Enter or replace what systems are found by: pairs of system id and everything searchable, in one text."""
