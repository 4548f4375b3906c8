"""The table of rules on which orders take two people."""

import sqlalchemy as sa

from safebelt.engines.sql import metadata
from safebelt.rooms.belt.model import TwoPeople

two_people = sa.Table(
    "belt_two_people",
    metadata,
    sa.Column("target", sa.String(80), primary_key=True),
    sa.Column("lifting", sa.Boolean, nullable=False),
    sa.Column("placing", sa.Boolean, nullable=False),
)
"""By system; an empty target is for all."""


def rules(tx: sa.Connection) -> dict[str, TwoPeople]:
    """Return the rules by system."""
    rows = tx.execute(sa.select(two_people).order_by(two_people.c.target)).mappings()
    return {row["target"]: TwoPeople(lifting=row["lifting"], placing=row["placing"]) for row in rows}


def put_rule(tx: sa.Connection, target: str, rule: TwoPeople) -> None:
    """Put a rule in the place of the one before."""
    tx.execute(sa.delete(two_people).where(two_people.c.target == target))
    tx.execute(sa.insert(two_people).values(target=target, lifting=rule.lifting, placing=rule.placing))
