"""The table of orders: what was ordered, and what came of it."""

from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.belt.model import Command, Order, OrderTerms, StopProof

stop = sa.Table(
    "belt_stop",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("command", sa.String(10), nullable=False),
    sa.Column("system_id", sa.String(80), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("terms", sa.Text, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("ordered_entry", sa.String(40), nullable=False),
    sa.Column("seen_at", UtcDateTime),
    sa.Column("effective_at", UtcDateTime),
    sa.Column("streams_cut", sa.Integer),
    sa.Column("streams_held", sa.Integer),
    sa.Column("bytes_after", sa.BigInteger),
    sa.Column("killed_by_supervisor", sa.Boolean),
    sa.Column("worker", sa.BigInteger),
    sa.Column("effective_entry", sa.String(40)),
)


def to_order(row: sa.RowMapping) -> Order:
    """Read the order of a row of `belt_stop`."""
    return Order(
        id=row["id"],
        command=Command(row["command"]),
        system_id=row["system_id"],
        at=row["at"],
        by=row["by"],
        reason=row["reason"],
        terms=msgspec.json.decode(row["terms"], type=OrderTerms),
    )


def to_proof(row: sa.RowMapping) -> StopProof | None:
    """Read the proof of a row of `belt_stop`; None until it took effect."""
    if row["effective_at"] is None:
        return None
    return StopProof(order=to_order(row), **{name: row[name] for name in _PROOF})


def from_order(order: Order, entry_id: str) -> dict[str, Any]:
    """Write a new row of `belt_stop`."""
    return {
        "id": order.id,
        "command": order.command.value,
        "system_id": order.system_id,
        "at": order.at,
        "by": order.by,
        "reason": order.reason,
        "terms": msgspec.json.encode(order.terms).decode(),
        "ordered_entry": entry_id,
    }


def from_proof(proof: StopProof, entry_id: str) -> dict[str, Any]:
    """Write the columns of `belt_stop` that a proof fills."""
    return {name: getattr(proof, name) for name in _PROOF} | {"effective_entry": entry_id}


_PROOF = ("seen_at", "effective_at", "streams_cut", "streams_held", "bytes_after", "killed_by_supervisor", "worker")
