"""How a system's stage changes: one place that saves it, keeps the passage, and tells the ledger."""

from dataclasses import replace

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import lifecycle as decide
from safebelt.rooms.registry.model import Status, System
from safebelt.rooms.registry.service.base import Desk


class Moving(Desk):
    """Puts systems to stages.  Whoever calls holds that the system may go there."""

    def _put(
        self,
        tx: sa.Connection,
        system: System,
        to: Status,
        reason: Text | str,
        by: Actor,
        *,
        facts_version: int = 0,
        asks: Reason | None = None,
        provisional: bool = False,
    ) -> System:
        """Put a system to a stage, inside the caller's transaction.

        Args:
            tx: The transaction, in which the system was read.
            system: As it was read.
            to: Where to.
            reason: Why.
            by: Who does.
            facts_version: The facts it was judged by; 0 where no gate was asked.
            asks: What the gates on the way rested on.
            provisional: Whether it goes into service on evidence that is only claimed.

        Raises:
            Conflict: It is there already, it is retired, or it was changed meanwhile.
        """
        why = reason if isinstance(reason, Text) else Text(zh=reason, en=reason)
        moved, passage, event = decide.put(
            replace(system, provisional=provisional),
            to,
            why,
            new_id=self._new_id("pas"),
            at=self._clock(),
            by=by.id,
            facts_version=facts_version,
            asks=asks,
        )
        store.register.save_system(tx, moved)
        store.lifecycle.add_passage(tx, passage)
        self._ledger.append(tx, event, by=by)
        return moved
