"""Strikes: given by the records and a policy's own rule, decided by a person, appealed by whoever was struck."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from safebelt.engines.sql import upsert
from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Conflict, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide.strikes import COUNTED_FOR, due, evidence_of, standing
from safebelt.rooms.belt.model import (
    Abuse,
    Decision,
    Policy,
    Standing,
    Strike,
    StrikeAppealed,
    StrikeReviewed,
    StrikeRule,
    Struck,
)
from safebelt.rooms.belt.service.base import REASON, given, missing, pages_of
from safebelt.rooms.belt.service.policies import PolicyReading

_CURSOR, _RECORDS = "strikes", "records"
_REFUSED = (store.exchange.c.finish == "refused") & (store.exchange.c.status == 400)
"""Refused before the model was asked: what callers send counts, never what a model says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikesFound:
    """One page of strikes, those that wait for a person first."""

    items: tuple[Strike, ...]
    waiting: int
    count: int
    page: int
    pages: int


class _Striking(NamedTuple):
    """A policy that gives strikes: its rule, and since when it is in force, where that is known."""

    policy: Policy
    rule: StrikeRule
    since: datetime | None


class Strikes(PolicyReading):
    """Deeds about repeated abuse."""

    # ------------------------------------------------------------------ giving

    def look_for_strikes(self) -> int:
        """Look at what was refused since the last look; return how many strikes came of it.

        Called every moment by a job.  It rests on the records alone, so that a restart neither forgets nor doubles.
        """
        with self._t.sql.read() as tx:
            policies = self._striking(tx)
            last, newest = _reached(tx, _CURSOR), _reached(tx, _RECORDS)
        if not policies or newest <= last:
            return 0
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, "belt_strike")
            last = _reached(tx, _CURSOR)
            given_ = sum(self._look_at(tx, *who, policies) for who in _suspects(tx, last, policies))
            upsert(tx, store.cursor, {"name": _CURSOR, "value": json.dumps({"changed": newest})}, ["name"])
        return given_

    def _striking(self, tx: sa.Connection) -> Mapping[str, _Striking]:
        """Return by system whose policy gives strikes: it, its rule, and since when it is in force."""
        found, since = self._in_force(tx), {each.policy: each.at for each in reversed(store.adoptions(tx))}
        rows = tx.execute(sa.select(store.harness.c.system_id, store.harness.c.policy))
        return {
            system: _Striking(found[id_], rule, since.get(id_))
            for system, id_ in rows
            if id_ in found and (rule := found[id_].strikes) is not None
        }

    def _look_at(
        self,
        tx: sa.Connection,
        key_id: str,
        system_id: str,
        first: datetime,
        policies: Mapping[str, _Striking],
    ) -> int:
        striking = policies[system_id]
        until = tx.execute(sa.select(sa.func.max(store.strike.c.until)).where(store.strike.c.key_id == key_id)).scalar()
        bounds = [each for each in (until, striking.since) if each is not None]
        since = first - timedelta(minutes=striking.rule.within_minutes)
        abuses = _abuses(tx, key_id, striking.rule.rules, since)
        strikes = list(due(striking.rule, abuses, max(bounds, default=None)))
        for counted in strikes:
            self._strike(tx, key_id, system_id, striking, counted)
        return len(strikes)

    def _strike(
        self,
        tx: sa.Connection,
        key_id: str,
        system_id: str,
        striking: _Striking,
        counted: tuple[Abuse, ...],
    ) -> None:
        policy, rule = striking.policy, striking.rule
        records = tuple(each.record for each in counted)
        event = Struck(
            subject=system_id,
            strike=self._t.new_id("stk"),
            key_id=key_id,
            policy=policy.id,
            policy_digest=policy.digest,
            rules=rule.rules,
            exchanges=rule.exchanges,
            within_minutes=rule.within_minutes,
            evidence=evidence_of(records),
        )
        made = Strike(
            id=event.strike,
            key_id=key_id,
            system_id=system_id,
            at=self._t.clock(),
            policy=policy.id,
            policy_digest=policy.digest,
            rules=rule.rules,
            exchanges=rule.exchanges,
            within_minutes=rule.within_minutes,
            since=counted[0].at,
            until=counted[-1].at,
            records=records,
            evidence=event.evidence,
            entry_id=self._t.ledger.append(tx, event, by=MACHINE),
        )
        tx.execute(sa.insert(store.strike).values(**store.from_strike(made)))

    # ------------------------------------------------------------------ looking

    def strikes(self, page: int = 1, per_page: int = 50, key_id: str = "") -> StrikesFound:
        """Return one page of strikes: those that wait for a person first, then the others, newest first."""
        table = store.strike
        where = table.c.key_id == store.clean(key_id) if key_id else sa.true()
        waits = table.c.decided_at.is_(None) | (table.c.appealed_at > table.c.decided_at)
        order = (sa.case((waits, 0), else_=1), table.c.at.desc(), table.c.id.desc())
        query = sa.select(table).where(where).order_by(*order).limit(per_page).offset((page - 1) * per_page)
        counting = sa.select(sa.func.count()).select_from(table).where(where)
        with self._t.sql.read() as tx:
            count, waiting = tx.execute(counting).scalar_one(), tx.execute(counting.where(waits)).scalar_one()
            items = tuple(store.to_strike(row) for row in tx.execute(query).mappings())
        return StrikesFound(items=items, waiting=waiting, count=count, page=page, pages=pages_of(count, per_page))

    def strike(self, strike_id: str) -> Strike:
        """Return one strike.

        Raises:
            NotFound: There is none of that id.
        """
        with self._t.sql.read() as tx:
            return _one(tx, strike_id)

    def standing_of(self, key_id: str) -> Standing | None:
        """Return how a key stands; None where no strike of it counts."""
        with self._t.sql.read() as tx:
            return self._standings(tx).get(key_id)

    def _standings(self, tx: sa.Connection) -> dict[str, Standing]:
        """Return how the keys stand that have strikes."""
        table, now = store.strike, self._t.clock()
        counts = (table.c.at >= now - COUNTED_FOR) | (table.c.decision == Decision.SUSPENDED.value)
        found = defaultdict[str, list[Strike]](list)
        for row in tx.execute(sa.select(table).where(counts).order_by(table.c.at, table.c.id)).mappings():
            found[row["key_id"]].append(store.to_strike(row))
        return {key: stands for key, each in found.items() if (stands := standing(each, now))}

    # ------------------------------------------------------------------ deciding

    def review_strike(self, strike_id: str, decision: Decision, reason: str, *, by: Actor) -> Strike:
        """Decide about a strike; a later decision replaces an earlier one, so a suspended key is freed the same way.

        Raises:
            NotFound: There is none of that id.
            Conflict: That is decided already, and nobody appealed since.
            Refused: No person decides.
            Invalid: No reason is given.
        """
        if by.id == MACHINE.id:
            raise Refused(
                what=Text(zh="违规记录须由人审核。", en="A person decides about a strike."),
                hint=Text(zh="请由有权限的人员审核。", en="Let somebody who may decide about it."),
            )
        reason = given(reason, field="reason", what=REASON)
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, "belt_strike")
            old = _one(tx, strike_id)
            if old.decision is decision and not old.is_waiting:
                raise Conflict(
                    what=Text(zh="已作出同样的决定。", en="That is decided already."),
                    hint=Text(zh="如需改变，请选择另一决定。", en="Choose another decision to change it."),
                )
            new = replace(
                old,
                decision=decision,
                decided_at=self._t.clock(),
                decided_by=by.id,
                decided_reason=reason,
                version=old.version + 1,
            )
            event = StrikeReviewed(
                subject=old.system_id,
                strike=old.id,
                key_id=old.key_id,
                decision=decision.value,
                appeal=old.appeal,
                reason=reason,
            )
            self._t.ledger.append(tx, event, by=by)
            _save(tx, new)
        return new

    def hold_appeal(self, strike_id: str) -> Strike:
        """Hold that a strike can be appealed against.

        Raises:
            NotFound: There is none of that id.
            Conflict: An appeal waits for its reviewer already, or the strike was withdrawn.
        """
        found = self.strike(strike_id)
        _hold_appeal(found)
        return found

    def appeal_strike(self, strike_id: str, case_id: str, *, by: Actor) -> Strike:
        """Take down that whoever was struck appealed, by a complaint; it waits for a person again.

        Raises:
            NotFound: There is none of that id.
            Conflict: An appeal waits for its reviewer already, or the strike was withdrawn.
        """
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, "belt_strike")
            old = _one(tx, strike_id)
            _hold_appeal(old)
            new = replace(old, appeal=case_id, appealed_at=self._t.clock(), version=old.version + 1)
            event = StrikeAppealed(subject=old.system_id, strike=old.id, key_id=old.key_id, case=case_id)
            self._t.ledger.append(tx, event, by=by)
            _save(tx, new)
        return new


def _reached(tx: sa.Connection, name: str) -> int:
    """Return up to which step of the index somebody has come."""
    value = tx.execute(sa.select(store.cursor.c.value).where(store.cursor.c.name == name)).scalar()
    return int(json.loads(value)["changed"]) if value else 0


def _suspects(tx: sa.Connection, last: int, policies: Mapping[str, _Striking]) -> Iterable[tuple[str, str, datetime]]:
    """Return keys of which something that may count is new: with their system, and when the first of it came."""
    table = store.exchange
    rules = {rule for each in policies.values() for rule in each.rule.rules}
    query = (
        sa.select(table.c.key_id, table.c.system_id, sa.func.min(table.c.at))
        .join(store.hit, store.hit.c.exchange_id == table.c.id)
        .where(table.c.changed > last, _REFUSED, store.hit.c.rule.in_(sorted(rules)), table.c.key_id != "")
        .where(table.c.system_id.in_(sorted(policies)))
        .group_by(table.c.key_id, table.c.system_id)
    )
    return [(key, system, first) for key, system, first in tx.execute(query.order_by(table.c.key_id))]


def _abuses(tx: sa.Connection, key_id: str, rules: tuple[str, ...], since: datetime) -> list[Abuse]:
    table = store.exchange
    hit = sa.select(store.hit.c.exchange_id).where(store.hit.c.rule.in_(rules), store.hit.c.exchange_id == table.c.id)
    query = sa.select(table.c.at, table.c.id).where(
        table.c.key_id == key_id, table.c.at >= since, _REFUSED, hit.exists()
    )
    return [Abuse(at, record) for at, record in tx.execute(query.order_by(table.c.at, table.c.id))]


def _one(tx: sa.Connection, strike_id: str) -> Strike:
    where = store.strike.c.id == store.clean(strike_id)
    row = tx.execute(sa.select(store.strike).where(where)).mappings().first()
    if row is None:
        hint = Text(zh="请查看违规记录列表。", en="See `safebelt belt strikes list`.")
        raise missing(Text(zh="违规记录", en="strike"), strike_id, hint)
    return store.to_strike(row)


def _save(tx: sa.Connection, value: Strike) -> None:
    row = store.from_strike(value)
    tx.execute(sa.update(store.strike).where(store.strike.c.id == value.id).values(**row))


def _hold_appeal(strike: Strike) -> None:
    if strike.decision is Decision.WITHDRAWN:
        raise Conflict(
            what=Text(zh="该违规记录已被撤销。", en="The strike was withdrawn."),
            hint=Text(zh="无需申诉。", en="There is nothing to appeal against."),
        )
    if strike.appeal and strike.is_waiting:
        raise Conflict(
            what=Text(zh="对该违规记录的申诉正在审核。", en="An appeal against this strike waits already."),
            hint=Text(zh="可凭查询码补充说明。", en="Add to it with the code of that complaint."),
        )
