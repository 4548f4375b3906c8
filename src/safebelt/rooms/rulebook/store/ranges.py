"""Descriptions of the systems between two ids: a whole register, read a stretch at a time."""

import sqlalchemy as sa

from safebelt.rooms.rulebook.model.deeds import OnRecord
from safebelt.rooms.rulebook.store import descriptions


def between(tx: sa.Connection, after: str, last: str) -> list[OnRecord]:
    """Return the descriptions that count of the systems between two ids, the first left out."""
    table = descriptions.description
    wanted = sa.select(table).where(table.c.subject > after, table.c.subject <= last).order_by(table.c.subject)
    return [descriptions._word(row) for row in tx.execute(wanted)]
