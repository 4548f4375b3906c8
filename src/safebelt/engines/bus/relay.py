"""The relay: sequenced ledger entries go out on the bus, in order, after a stored cursor (design, section 7).

The cursor moves after the message was handed over, never before: a crash in between sends it twice, and none is
ever skipped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from safebelt.engines.bus.port import Bus
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text

_BATCH = 200

_cursor = sa.Table(
    "engine_cursor",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A sequenced entry on its way out.

    Attributes:
        index: Its place in the ledger, zero-based and without gaps.
        id: Id of the entry.
        subject: `events.<kind>`, for example `events.belt.stop_ordered.v1`.
        data: Its canonical bytes.
    """

    index: int
    id: str
    subject: str
    data: bytes


Read = Callable[[int, int], Sequence[Outgoing]]
"""`(after_index, limit)` → the next sequenced entries in order; `after_index` is -1 at the very start."""


class Relay:
    """Publishes what the ledger has sequenced.

    Args:
        sql: Where the cursor is kept.
        bus: Where to.
        read: Gives the entries after an index.
        name: Name of the cursor; a second relay to another place has its own.
    """

    def __init__(self, sql: Sql, bus: Bus, read: Read, *, name: str = "bus") -> None:
        self._sql, self._bus, self._read, self._name = sql, bus, read, name

    def run_once(self) -> bool:
        """Publish the next batch; return whether there was anything to publish.

        Raises:
            Unavailable: The bus did not take a message; what it took before counts.
            Conflict: The ledger gave an entry out of order; nothing after the gap is published.
        """
        position = done = self.position()
        try:
            for entry in self._read(position, _BATCH):
                if entry.index != done + 1:
                    raise _gap(done + 1, entry.index)
                self._bus.publish(entry.subject, entry.id, entry.data)
                done = entry.index
        finally:
            if done > position:
                self._move(done)
        return done > position

    def position(self) -> int:
        """Return the index of the last entry that is known to be out; -1 for none."""
        with self._sql.read() as tx:
            stored = tx.execute(sa.select(_cursor.c.position).where(_cursor.c.name == self._name)).scalar_one_or_none()
        return -1 if stored is None else int(stored)

    def _move(self, position: int) -> None:
        """Move the cursor forward, never back: a slower second relay must not undo a faster one."""
        behind = sa.and_(_cursor.c.name == self._name, _cursor.c.position < position)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, f"cursor {self._name}")
            known = tx.execute(sa.select(_cursor.c.name).where(_cursor.c.name == self._name)).first()
            if known is None:
                tx.execute(sa.insert(_cursor).values(name=self._name, position=position))
            tx.execute(sa.update(_cursor).where(behind).values(position=position))


def _gap(wanted: int, got: int) -> Conflict:
    return Conflict(
        what=Text(
            zh=f"账本转发中断：应为第 {wanted} 条，实际得到第 {got} 条。",
            en=f"Relaying the ledger stopped: entry {wanted} was expected and entry {got} came.",
        ),
        hint=Text(
            zh="请运行 safebelt ledger verify 核验账本。", en="Run `safebelt ledger verify` to check the ledger."
        ),
    )
