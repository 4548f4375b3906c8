"""What keys used: counted from the index of exchanges, which is made from the records alone."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide.quotas import SPANS, begun
from safebelt.rooms.belt.model import Span, Usage, Used
from safebelt.rooms.belt.service.exchanges import Exchanges

NOT_ADMITTED = "not_admitted"
_MOST_ROUNDS = 100
"""Another process may index at the same time and be ahead each time; after so many rounds something else is wrong."""


class Quotas(Exchanges):
    """Counts what keys use."""

    def usage(self, key_id: str) -> Usage:
        """Return what a key used in the current minute, hour, day and month."""
        found = self._usages(key_id)
        return found.get(key_id) or Usage(key_id=key_id, since=self._since(), used=dict.fromkeys(SPANS, Used()))

    def usages(self) -> Mapping[str, Usage]:
        """Return what every key used that used anything this month, by its id."""
        return self._usages("")

    def usages_on_disk(self) -> Mapping[str, Usage]:
        """Bring the index up to the last record, and count: what a belt starts with."""
        for _ in range(_MOST_ROUNDS):
            before = self._cursor()
            self.index()
            if self._cursor() == before:
                break
        return self._usages("")

    def _since(self) -> dict[Span, datetime]:
        now = self._t.clock()
        return {span: begun(span, now) for span in SPANS}

    def _usages(self, key_id: str) -> dict[str, Usage]:
        since, found = self._since(), dict[str, dict[Span, Used]]()
        with self._t.sql.read() as tx:
            for span, at in since.items():
                for key, used in _counted(tx, at, key_id).items():
                    found.setdefault(key, dict.fromkeys(SPANS, Used()))[span] = used
        return {key: Usage(key_id=key, since=since, used=used) for key, used in found.items()}


def _counted(tx: sa.Connection, since: datetime, key_id: str) -> dict[str, Used]:
    """Return what was used since a moment: a request counts when it came, its tokens when they were known."""
    table = store.exchange
    mine = [table.c.key_id == store.clean(key_id)] if key_id else []
    requests = sa.select(table.c.key_id, sa.func.count()).where(
        table.c.at >= since, table.c.finish != NOT_ADMITTED, *mine
    )
    guessed = sa.case((table.c.is_estimated, table.c.tokens), else_=0)
    tokens = sa.select(table.c.key_id, sa.func.sum(table.c.tokens), sa.func.sum(guessed)).where(
        table.c.ended_at >= since, table.c.tokens > 0, *mine
    )
    found = {key: Used(requests=count) for key, count in tx.execute(requests.group_by(table.c.key_id))}
    for key, total, of_them in tx.execute(tokens.group_by(table.c.key_id)):
        found[key] = found.get(key, Used())._replace(tokens=int(total), estimated=int(of_them))
    return found
