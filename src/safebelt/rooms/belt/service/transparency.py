"""What everybody may know of screening: rules and what they rest on, how often they acted, who may change them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any

import sqlalchemy as sa

from safebelt.kernel.documents import Document
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.model import ROLE_TITLES
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide import in_force
from safebelt.rooms.belt.decide.openly import coarse
from safebelt.rooms.belt.model import ContentMode, Decision, Policy, Rule
from safebelt.rooms.belt.service.base import Tools
from safebelt.rooms.belt.service.open_tools import (
    OpenPath,
    OpenStrikes,
    OpenTools,
    open_paths,
    open_strikes,
    open_tools,
)
from safebelt.rooms.belt.service.policies import PolicyReading

PERIOD_DAYS = 30
COUNTED_FOR = timedelta(minutes=5)
"""How long a report is told before it is counted again: anybody may ask, and counting a busy month takes a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRule:
    """A rule as everybody may know it; never its terms.

    Attributes:
        id, title, kind, action, sides: As authored.
        is_red_line: Whether it acts while the policy only observes.
        terms: How many words and phrases it looks for.
        detectors: Names of its detectors, a trained model among them.
        provision, authority, scope, expires: What it rests on; empty or None for a house rule.
        is_house_rule: Whether it has no legal basis.
        exchanges: In how many exchanges it hit in the period, in whole fives; None for fewer than five.
    """

    id: str
    title: Text
    kind: str
    action: str
    sides: tuple[str, ...]
    is_red_line: bool
    terms: int
    detectors: tuple[str, ...]
    provision: str
    authority: Text | None
    scope: Text | None
    expires: str | None
    is_house_rule: bool
    exchanges: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPolicy:
    """A policy in use, with how to appeal.

    Attributes:
        changed: When this version came into force, where that is known.
        tools: What it says of tools of agents; None where it does not govern them.
        strikes: What it says of repeated abuse; None where it gives no strikes.
        unguarded: What it lets pass although nobody screens it.
    """

    id: str
    version: int
    digest: str
    title: Text
    appeal: Text
    systems: int
    observing: int
    changed: datetime | None
    rules: tuple[OpenRule, ...]
    tools: OpenTools | None = None
    strikes: OpenStrikes | None = None
    unguarded: tuple[OpenPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transparency:
    """The report.

    Attributes:
        at: When it was counted.
        since: From when on.
        policies: Those in use.
        by_action: Exchanges by what was done, `unguarded` those that nobody screened, in whole fives; None for fewer
            than five.
        strikes: Strikes given in the period, and of these those withdrawn, upheld, suspended and appealed against, in
            whole fives; None for fewer than five.
        stops: Orders to stop or resume, by command: acts of the house, told exactly.
        complaints: Complaints about the systems in use, of every kind and time, in whole fives; None for fewer.
        complaints_known: Whether they could be asked for.
        originals_sealed: Of how many systems the records keep the originals, sealed to an auditor's key; an act of two.
        may_change, may_change_red_lines: Roles that may change rules; red lines take two people.
    """

    at: datetime
    since: datetime
    policies: tuple[OpenPolicy, ...]
    by_action: Mapping[str, int | None]
    strikes: Mapping[str, int | None]
    stops: Mapping[str, int]
    complaints: int | None
    complaints_known: bool
    may_change: tuple[Text, ...]
    may_change_red_lines: tuple[Text, ...]
    originals_sealed: int = 0


class Openly(PolicyReading):
    """What the public is told."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._told: Transparency | None = None
        self._counting = Lock()
        self._printed: dict[Lang, tuple[Transparency, bytes]] = {}

    def transparency(self) -> Transparency:
        """Return the report of the last thirty days, counted once in five minutes and by one caller at a time."""
        last = self._told
        if last is not None and self._t.clock() - last.at < COUNTED_FOR:
            return last
        with self._counting:
            if self._told is last or self._told is None:
                self._told = self._count()
            return self._told

    def transparency_printed(self, lang: Lang, drawn: Callable[[Transparency], Document]) -> bytes:
        """Return the same report as a PDF, printed once for each count and language.

        Args:
            lang: Whose words it is in.
            drawn: Lays the report out in that language.

        Raises:
            Unavailable: No font here has one of its characters.
        """
        report = self.transparency()
        of, printed = self._printed.get(lang, (None, b""))
        if of is not report:
            printed = self._t.press.pdf(drawn(report))
            self._printed[lang] = (report, printed)
        return printed

    def _count(self) -> Transparency:
        now = self._t.clock()
        since = now - timedelta(days=PERIOD_DAYS)
        with self._t.sql.read() as tx:
            harnesses = [store.to_harness(row) for row in tx.execute(sa.select(store.harness)).mappings()]
            policies = self._in_force(tx)
            changed = {each.policy: each.at for each in reversed(store.adoptions(tx))}
            policy_of = {each.system_id: each.policy for each in harnesses}
            hits, by_action, stops = _hits(tx, since, policy_of), _by_action(tx, since), _stops(tx, since)
            strikes = _strikes(tx, since)
        used = Counter(each.policy for each in harnesses)
        observing = Counter(each.policy for each in harnesses if each.stance.value == "observe")
        complaints = _sum(self._t.complaints, [each.system_id for each in harnesses])
        who_may: Callable[[str], Any] = self._t.access.permissions.who_may
        return Transparency(
            at=now,
            since=since,
            policies=tuple(
                _policy(policies[id_], now.date(), hits[id_], (used[id_], observing[id_]), changed.get(id_))
                for id_ in sorted(used)
                if id_ in policies
            ),
            by_action={action: coarse(count) for action, count in sorted(by_action.items())},
            strikes={name: coarse(count) for name, count in strikes.items()},
            stops=stops,
            complaints=None if complaints is None else coarse(complaints),
            complaints_known=complaints is not None,
            originals_sealed=sum(each.content is ContentMode.SEALED for each in harnesses),
            may_change=tuple(ROLE_TITLES[role] for role in who_may("belt.configure")),
            may_change_red_lines=tuple(ROLE_TITLES[role] for role in who_may("belt.red_lines")),
        )


def _sum(complaints: Callable[[str], int] | None, systems: list[str]) -> int | None:
    return None if complaints is None else sum(complaints(system) for system in systems)


def _hits(tx: sa.Connection, since: datetime, policy_of: Mapping[str, str]) -> Mapping[str, Counter[str]]:
    """Count the exchanges each rule hit, by the policy that the system uses now: rules of two may share an id."""
    table, found = store.exchange, defaultdict[str, Counter[str]](Counter)
    query = sa.select(store.hit.c.rule, table.c.system_id, sa.func.count()).where(table.c.at >= since)
    query = query.join(table, table.c.id == store.hit.c.exchange_id).group_by(store.hit.c.rule, table.c.system_id)
    for rule, system_id, count in tx.execute(query):
        found[policy_of.get(system_id, "")][rule] += count
    return found


def _by_action(tx: sa.Connection, since: datetime) -> dict[str, int]:
    table = store.exchange
    shown = store.shown().label("shown")
    query = sa.select(shown, sa.func.count()).where(
        table.c.at >= since,
        table.c.finish != "not_admitted",  # no rule on contents did that
    )
    query = query.group_by(shown)
    return {done: count for done, count in tx.execute(query)}


def _strikes(tx: sa.Connection, since: datetime) -> dict[str, int]:
    table = store.strike
    is_appealed_ = (table.c.appeal != "").label("is_appealed")
    query = sa.select(table.c.decision, is_appealed_, sa.func.count()).where(table.c.at >= since)
    found = dict.fromkeys(("given", *(each.value for each in Decision), "appealed"), 0)
    for decision, is_appealed, count in tx.execute(query.group_by(table.c.decision, sa.text("is_appealed"))):
        found["given"] += count
        found["appealed"] += count if is_appealed else 0
        if decision:
            found[decision] += count
    return found


def _stops(tx: sa.Connection, since: datetime) -> dict[str, int]:
    table = store.stop
    query = sa.select(table.c.command, sa.func.count()).where(table.c.at >= since).group_by(table.c.command)
    return {command: count for command, count in tx.execute(query.order_by(table.c.command))}


def _policy(
    policy: Policy, on: date, hits: Mapping[str, int], systems: tuple[int, int], changed: datetime | None
) -> OpenPolicy:
    return OpenPolicy(
        id=policy.id,
        version=policy.version,
        digest=policy.digest,
        title=policy.title,
        appeal=policy.appeal,
        systems=systems[0],
        observing=systems[1],
        changed=changed,
        rules=tuple(_rule(rule, hits.get(rule.id, 0)) for rule in in_force(policy, on).rules),
        tools=open_tools(policy.tools, on, hits),
        strikes=open_strikes(policy.strikes),
        unguarded=open_paths(policy.unguarded),
    )


def _rule(rule: Rule, count: int) -> OpenRule:
    basis = rule.basis
    return OpenRule(
        id=rule.id,
        title=rule.title,
        kind=rule.kind.value,
        action=rule.action.value,
        sides=tuple(sorted(side.value for side in rule.sides)),
        is_red_line=rule.is_red_line,
        terms=len(rule.terms),
        detectors=(*rule.detectors, *((f"classifier:{rule.classifier.model}",) if rule.classifier else ())),
        provision=basis.provision if basis else "",
        authority=basis.authority if basis else None,
        scope=basis.scope if basis else None,
        expires=basis.expires.isoformat() if basis and basis.expires else None,
        is_house_rule=basis is None,
        exchanges=coarse(count),
    )
