"""Saved views and bulk acts, between rows and words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.search import (
    BulkItem,
    BulkKind,
    BulkOrder,
    BulkProgress,
    Outcome,
    Question,
    SavedView,
)
from safebelt.rooms.registry.store.search import bulk, bulk_item, insert_many, view

REFUSED_SHOWN = 50
"""Refusals a summary lists; the items hold all of them."""


def add_view(tx: sa.Connection, word: SavedView) -> None:
    """Insert a view."""
    fields = {"id": word.id, "owner": word.owner, "name": word.name, "is_shared": word.is_shared}
    tx.execute(sa.insert(view).values(**fields, made_at=word.made_at, question=msgspec.to_builtins(word.question)))


def view_by_id(tx: sa.Connection, view_id: str, *, deleted: bool = False) -> SavedView | None:
    """Return one view that is there, or one that is deleted; None where there is none."""
    is_there = view.c.deleted_at.is_not(None) if deleted else view.c.deleted_at.is_(None)
    row = tx.execute(sa.select(view).where(view.c.id == view_id.replace("\0", ""), is_there)).one_or_none()
    return None if row is None else _view(row)


def views(tx: sa.Connection, owner: str) -> tuple[SavedView, ...]:
    """Return somebody's views and those that are shared, by name."""
    mine = (view.c.owner == owner) | view.c.is_shared
    rows = tx.execute(sa.select(view).where(mine, view.c.deleted_at.is_(None)).order_by(view.c.id))
    return tuple(sorted((_view(row) for row in rows), key=lambda one: (one.owner != owner, one.name, one.id)))


def set_deleted(tx: sa.Connection, view_id: str, at: datetime | None) -> None:
    """Delete a view, or take that back."""
    tx.execute(sa.update(view).where(view.c.id == view_id).values(deleted_at=at))


def _view(row: sa.Row[Any]) -> SavedView:
    question = msgspec.convert(row.question, Question)
    fields = {"id": row.id, "owner": row.owner, "name": row.name, "is_shared": row.is_shared}
    return SavedView(**fields, made_at=row.made_at, question=question)


def add_bulk(
    tx: sa.Connection, bulk_id: str, cmd: BulkOrder, systems: Sequence[str], *, at: datetime, by: Actor
) -> None:
    """Insert an order and its items."""
    deed = {"kind": cmd.kind.value, "value": cmd.value, "contact": cmd.contact}
    owner = {"id": by.id, "roles": sorted(role.value for role in by.roles), "door": by.door}
    tx.execute(sa.insert(bulk).values(id=bulk_id, owner=owner, deed=deed, ordered_at=at, is_open=True))
    waiting = {"outcome": Outcome.WAITING.value, "says_zh": "", "says_en": ""}
    insert_many(
        tx,
        bulk_item,
        [{"bulk_id": bulk_id, "place": place, "system_id": each, **waiting} for place, each in enumerate(systems)],
    )


def open_bulks(tx: sa.Connection) -> list[str]:
    """Return orders that are not finished, oldest first."""
    return list(tx.execute(sa.select(bulk.c.id).where(bulk.c.is_open == sa.true()).order_by(bulk.c.id)).scalars())


def order_of(tx: sa.Connection, bulk_id: str) -> tuple[BulkOrder, Actor, datetime] | None:
    """Return an order, who gave it, and when."""
    row = tx.execute(sa.select(bulk).where(bulk.c.id == bulk_id.replace("\0", ""))).one_or_none()
    if row is None:
        return None
    deed: Mapping[str, str] = row.deed
    order = BulkOrder(kind=BulkKind(deed["kind"]), value=deed["value"], contact=deed["contact"])
    return order, msgspec.convert(row.owner, Actor), row.ordered_at


def waiting(tx: sa.Connection, bulk_id: str, limit: int) -> list[str]:
    """Return systems of an order whose turn it is."""
    mine = (bulk_item.c.bulk_id == bulk_id, bulk_item.c.outcome == Outcome.WAITING.value)
    return list(
        tx.execute(sa.select(bulk_item.c.system_id).where(*mine).order_by(bulk_item.c.place).limit(limit)).scalars()
    )


def settle(tx: sa.Connection, bulk_id: str, item: BulkItem) -> bool:
    """Say what became of an item; False where somebody else did already."""
    says = item.says
    mine = (
        bulk_item.c.bulk_id == bulk_id,
        bulk_item.c.system_id == item.system_id,
        bulk_item.c.outcome == Outcome.WAITING.value,
    )
    values = {"outcome": item.outcome.value, "says_zh": says.zh if says else "", "says_en": says.en if says else ""}
    return tx.execute(sa.update(bulk_item).where(*mine).values(**values)).rowcount == 1


def close(tx: sa.Connection, bulk_id: str) -> None:
    """Mark an order finished, and forget the person it named: the register's own entries hold who it is."""
    deed = dict(tx.execute(sa.select(bulk.c.deed).where(bulk.c.id == bulk_id)).scalar_one())
    if deed["kind"] == BulkKind.NAME_ACCOUNTABLE.value:
        deed |= {"value": "", "contact": ""}
    tx.execute(sa.update(bulk).where(bulk.c.id == bulk_id).values(is_open=False, deed=deed))


def progress(tx: sa.Connection, bulk_id: str) -> BulkProgress | None:
    """Return how far an order is."""
    found = order_of(tx, bulk_id)
    if found is None:
        return None
    order, _, at = found
    c = bulk_item.c
    counts: dict[str, int] = {}
    for outcome, count in tx.execute(
        sa.select(c.outcome, sa.func.count()).where(c.bulk_id == bulk_id).group_by(c.outcome)
    ):
        counts[outcome] = count
    refused = sa.select(bulk_item).where(c.bulk_id == bulk_id, c.outcome == Outcome.REFUSED.value)
    items = tuple(_item(row) for row in tx.execute(refused.order_by(c.place).limit(REFUSED_SHOWN)))
    return BulkProgress(
        id=bulk_id,
        kind=order.kind,
        value=order.value,
        total=sum(counts.values()),
        done=counts.get(Outcome.DONE.value, 0),
        waiting=counts.get(Outcome.WAITING.value, 0),
        refused_count=counts.get(Outcome.REFUSED.value, 0),
        refused=items,
        ordered_at=at,
    )


def items(tx: sa.Connection, bulk_id: str) -> tuple[BulkItem, ...]:
    """Return every item of an order, in its order."""
    wanted = sa.select(bulk_item).where(bulk_item.c.bulk_id == bulk_id).order_by(bulk_item.c.place)
    return tuple(_item(row) for row in tx.execute(wanted))


def _item(row: sa.Row[Any]) -> BulkItem:
    says = Text(zh=row.says_zh, en=row.says_en) if row.says_zh else None
    return BulkItem(system_id=row.system_id, outcome=Outcome(row.outcome), says=says)
