"""Completeness: the upstream's own figures held against the records, and kept as evidence where somebody asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.conditions import Truth
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide.reconciling import SLACK, reconcile, span
from safebelt.rooms.belt.imports.usage import read_upstream
from safebelt.rooms.belt.model import Reconciled
from safebelt.rooms.belt.model.reconciling import Passed, Reconciliation, UpstreamFile
from safebelt.rooms.belt.service.base import REASON, Chapter, given

_LONGEST = timedelta(hours=1)
"""An exchange that began so long before the file's time may still run into it."""
WHOLE_BELT = "belt"
_REACHED = ("complete", "upstream_error", "client_gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReconciliation:
    """A result as the ledger has it."""

    entry: str
    at: datetime
    subject: str
    holds: Truth
    upstream: int
    recorded: int
    around: int
    unexplained: int
    file_sha256: str
    reason: str


class Completeness(Chapter):
    """What went around the belt."""

    def reconcile(self, content: bytes, *, system_id: str = "") -> Reconciliation:
        """Hold an upstream's file against the records of its time.

        Args:
            content: An access log (common or combined), or usage figures (JSON, CSV).
            system_id: Where the upstream serves one system only; empty for all.

        Raises:
            Invalid: It is no such file.
        """
        file = read_upstream(content)
        return reconcile(file, self._passed(file, system_id))

    def keep_reconciliation(
        self, content: bytes, found: Reconciliation, reason: str, *, by: Actor, system_id: str = ""
    ) -> str:
        """Put a result on the ledger, with the digest of the file it came from; return the entry's id.

        Raises:
            Invalid: No reason is given.
        """
        event = Reconciled(
            subject=store.clean(system_id)[:80] or WHOLE_BELT,
            file_sha256=sha256(content).hexdigest(),
            form=found.form.value,
            since=found.since.isoformat() if found.since else "",
            until=found.until.isoformat() if found.until else "",
            verdict=found.holds.value,
            upstream=found.upstream,
            recorded=found.recorded,
            around=found.around,
            unexplained=found.unexplained,
            reason=given(reason, field="reason", what=REASON),
        )
        with self._t.sql.begin() as tx:
            return self._t.ledger.append(tx, event, by=by)

    def reconciliations(self, limit: int = 20) -> tuple[KeptReconciliation, ...]:
        """Return the results that were kept on the ledger, latest first."""
        return tuple(
            KeptReconciliation(
                entry=entry.id,
                at=entry.at,
                subject=entry.subject,
                holds=Truth(entry.data["verdict"]),
                upstream=int(entry.data["upstream"]),
                recorded=int(entry.data["recorded"]),
                around=int(entry.data["around"]),
                unexplained=int(entry.data["unexplained"]),
                file_sha256=str(entry.data["file_sha256"]),
                reason=str(entry.data["reason"]),
            )
            for entry in self._t.ledger.entries(kind=Reconciled.kind, limit=limit)
        )

    def _passed(self, file: UpstreamFile, system_id: str) -> list[Passed]:
        time = span(file)
        if time is None:
            return []
        table, (first, last) = store.exchange, time
        query = sa.select(table.c.id, table.c.at, table.c.total_ms, table.c.finish)
        query = query.where(table.c.at >= first - _LONGEST - SLACK, table.c.at <= last + SLACK)
        if system_id:
            query = query.where(table.c.system_id == store.clean(system_id))
        with self._t.sql.read() as tx:
            rows = [
                Passed(
                    id=row.id,
                    begun=row.at,
                    ended=row.at + timedelta(milliseconds=min(max(row.total_ms, 0.0), 86_400_000.0)),
                    reached=row.finish in _REACHED,
                )
                for row in tx.execute(query)
            ]
        return [each for each in rows if each.ended >= first - SLACK]
