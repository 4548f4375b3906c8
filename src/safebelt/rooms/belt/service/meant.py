"""What an order is for, as it may be kept; and whether anybody knows it."""

import sqlalchemy as sa

from safebelt.kernel.errors import Invalid, NotFound, Problem
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import Order, Scope, scope_of
from safebelt.rooms.belt.service.base import Tools, missing

MAX_TARGET_CHARS = 80
"""What the column holds; `model:` and the like included."""


def cleaned(target: str) -> str:
    """Return what an order is for, as it may be kept.

    Raises:
        Invalid: It is too long.  It is not cut: an order for a part of a name would stop nothing, and look like a stop.
    """
    kept = store.clean(target).strip()
    if len(kept) <= MAX_TARGET_CHARS:
        return kept
    scope = scope_of(kept)
    field, most = (scope.value, MAX_TARGET_CHARS - len(scope.of(""))) if scope else ("system", MAX_TARGET_CHARS)
    raise Invalid(
        what=Text(
            zh=f"“{kept[:60]}…”超过 {most} 个字符。没有下达命令。",
            en=f"“{kept[:60]}…” has more than {most} characters. Nothing was ordered.",
        ),
        hint=Text(
            zh="请核对名称；名称确有这么长时，请就系统或密钥下令，情况紧急时请停止全部系统。",
            en="Check the name; if it is really so long, order for the system or the key, or stop all if it is urgent.",
        ),
        details={"field": field},
    )


def unknown(tools: Tools, order: Order) -> Problem | None:
    """Return that nobody knows what an order is for: a slip in an id must not look like a stop."""
    if not order.system_id:
        return None
    scope = scope_of(order.system_id)
    if scope is not None:
        return _unknown_key(tools, order.system_id) if scope is Scope.KEY else None
    try:
        tools.registry.system(order.system_id)
    except NotFound:
        return missing(
            Text(zh="系统", en="system"),
            order.system_id,
            Text(
                zh="命令已按此编号下达，但登记册中没有这个系统：请核对编号；情况紧急时请停止全部系统。",
                en="The order was given for this id, but the register knows no such system: check the id, "
                "or stop all systems if it is urgent.",
            ),
        )
    return None


def _unknown_key(tools: Tools, target: str) -> Problem | None:
    key_id = target.partition(":")[2]
    with tools.sql.read() as tx:
        if tx.execute(sa.select(store.key.c.id).where(store.key.c.id == key_id)).first() is not None:
            return None
    return missing(
        Text(zh="密钥", en="key"),
        key_id,
        Text(
            zh="命令已按此编号下达，但没有这个密钥：请核对编号（safebelt belt keys list）。",
            en="The order was given for this id, but there is no such key: check it (`safebelt belt keys list`).",
        ),
    )
