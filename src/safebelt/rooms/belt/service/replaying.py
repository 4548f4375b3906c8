"""Replaying a policy over retained records: what it would have done, and of which records nobody can say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide import hits_of
from safebelt.rooms.belt.decide.replaying import (
    KeptText,
    Tally,
    changed_rules,
    is_hidden_from,
    kept_text,
    masked_hits,
)
from safebelt.rooms.belt.decide.replaying_calls import CallTally, kept_calls, newly_offered, would_do
from safebelt.rooms.belt.model import UNGUARDED, Action, Policy, Record, Replay, Side, Stance
from safebelt.rooms.belt.records.digests import DIGESTS
from safebelt.rooms.belt.records.reader import Exchanged, Reader
from safebelt.rooms.belt.scanner import Scanner
from safebelt.rooms.belt.scanner.linear import matches
from safebelt.rooms.belt.service.policies import PolicyReading

MAX_REPLAYED = 100_000
"""Exchanges of one replay; whoever needs more asks for a shorter time."""
SHOWN_DAYS = 7
"""Days whose numbers stand beside the switch from observing to enforcing: a week has every day of the week."""
_TOLD_EVERY = 500

Progress = Callable[[int, int], None]
_Texts = Sequence[tuple[Side, str, KeptText]]


def _quiet(_done: int, _all: int) -> None:
    """Tell nobody."""


class Replays(PolicyReading):
    """What policies would have done."""

    def replay(
        self,
        policy: Policy,
        since: datetime,
        *,
        system_id: str = "",
        most: int = MAX_REPLAYED,
        progress: Progress = _quiet,
    ) -> Replay:
        """Say what a policy would have done to the exchanges since a moment, had it acted.

        Args:
            policy: The policy; it need not be in force.
            since: From when on, with its zone.
            system_id: Of which system; empty for all.
            most: At most so many exchanges, the newest.
            progress: Told how many are done, of how many.

        Raises:
            Invalid: The moment lies ahead.
        """
        until = self._t.clock()
        if since > until:
            raise Invalid(
                what=Text(zh="起始时刻在将来。", en="The moment lies ahead."),
                hint=Text(zh="请给出过去的时刻。", en="Give one that is past."),
                details={"field": "since"},
            )
        places, is_capped = self._replayed_places(since, until, system_id, most)
        judge = _Judge(self, policy, Reader(self._t.records), until.date())
        for done, (record_id, segment, offset) in enumerate(places):
            if done % _TOLD_EVERY == 0:
                progress(done, len(places))
            judge.take(record_id, segment, offset)
        progress(len(places), len(places))
        tally = judge.tally
        return Replay(
            policy=policy.id,
            version=policy.version,
            digest=policy.digest,
            since=since,
            until=until,
            system_id=system_id,
            exchanges=len(places),
            is_capped=is_capped,
            evaluated=judge.evaluated,
            before=dict(tally.before),
            after=dict(tally.after),
            rules=tally.differences({rule.id: rule for rule in policy.rules}),
            not_evaluated=dict(sorted(tally.not_evaluated.items())),
            not_evaluated_examples={reason: tuple(ids) for reason, ids in sorted(tally.examples_not.items())},
            tools=judge.calls.told(),
        )

    def would_have(self, system_id: str, days: int = SHOWN_DAYS) -> Mapping[str, int]:
        """Count what was asked for in the last days at a system, by strictest action: as it was judged then."""
        table, since = store.exchange, self._t.clock() - timedelta(days=days)
        query = sa.select(table.c.would, sa.func.count()).where(table.c.system_id == system_id, table.c.at >= since)
        with self._t.sql.read() as tx:
            return {would: count for would, count in tx.execute(query.group_by(table.c.would))}

    def judged_by(self, facts: Mapping[str, object]) -> Policy | None:
        """Return the policy version that a record says judged it; None where it is not kept."""
        digest, policy_id = str(facts.get("policy_digest", "")), str(facts.get("policy", ""))
        with self._t.sql.read() as tx:
            if digest and store.policy_content(tx, digest) is not None:
                return self._kept(tx, digest)
            now = self._in_force(tx).get(policy_id)
        is_same = now is not None and digest in {"", now.digest} and facts.get("policy_version") == now.version
        return now if is_same else None

    def caller_names(self) -> Mapping[str, str]:
        """Return what every key is called, by its id: rules on tools ask who called."""
        with self._t.sql.read() as tx:
            return {row.id: row.name for row in tx.execute(sa.select(store.key.c.id, store.key.c.name))}

    def _replayed_places(
        self, since: datetime, until: datetime, system_id: str, most: int
    ) -> tuple[list[tuple[str, str, int]], bool]:
        table = store.exchange
        query = sa.select(table.c.id, table.c.segment, table.c.offset).where(table.c.at >= since, table.c.at <= until)
        if system_id:
            query = query.where(table.c.system_id == store.clean(system_id))
        with self._t.sql.read() as tx:
            rows = tx.execute(query.order_by(table.c.at.desc(), table.c.id.desc()).limit(most + 1)).all()
        return [(row.id, row.segment, row.offset) for row in rows[:most]], len(rows) > most


class _Judge:
    """Holds old and new policy against the kept texts, one exchange after the other."""

    def __init__(self, belt: Replays, policy: Policy, reader: Reader, on: date) -> None:
        self._belt, self._new, self._reader, self._on = belt, policy, reader, on
        self._callers = belt.caller_names()
        self._scanners: dict[str, Scanner] = {}
        self._old: dict[tuple[str, str, object], Policy | None] = {}
        self.tally, self.calls, self.evaluated = Tally(), CallTally(), 0

    def take(self, record_id: str, segment: str, offset: int) -> None:
        """Judge one exchange."""
        try:
            both = self._reader.exchange(segment, offset)
        except (Problem, OSError):
            self.tally.leave(record_id, ["unreadable"])
            return
        facts = both.intent.core if both.intent else {}
        if UNGUARDED in facts:
            self.tally.leave(record_id, [UNGUARDED])
            return
        self._take_calls(record_id, both, facts)
        old, texts = self._judged_by(facts), list(_texts(both))
        reasons = set(_missing(both))
        if old is None:
            reasons.add("policy_not_kept")
        elif texts or not reasons:
            reasons |= self._compare(record_id, old, texts, _recorded(both))
        self.tally.leave(record_id, sorted(reasons))
        self.evaluated += not reasons

    def _take_calls(self, record_id: str, both: Exchanged, facts: Mapping[str, Any]) -> None:
        outcome = both.outcome.core if both.outcome else {}
        caller = self._callers.get(str(facts.get("key_id")))
        for call in kept_calls(outcome, _kept(both.outcome), _kept(both.intent)):
            self.calls.take(record_id, call, would_do(self._new, call, caller, self._on, matches))
        for _ in newly_offered(self._new, outcome.get("tools_not_offered") or (), caller, self._on):
            self.calls.leave(record_id, "not_offered")

    def _judged_by(self, facts: Mapping[str, object]) -> Policy | None:
        key = str(facts.get("policy_digest")), str(facts.get("policy")), facts.get("policy_version")
        if key not in self._old:
            self._old[key] = self._belt.judged_by(facts)
        return self._old[key]

    def _compare(self, record_id: str, old: Policy, texts: _Texts, recorded: set[str]) -> set[str]:
        before, after = self._hits(old, texts), self._hits(self._new, texts)
        self.tally.compare(record_id, before, after)
        guessed = {rule.id for rule in old.rules if rule.classifier is not None}
        reasons = {"not_reproduced"} if recorded - before.keys() - guessed else set()
        differ, hit = changed_rules(old, self._new), before.keys() | after.keys()
        if any(rule.classifier is not None for rule in (*old.rules, *self._new.rules) if rule.id in differ):
            reasons.add("classifier")
        hidden = any(
            is_hidden_from(rule, side, text)
            for rule in (*old.rules, *self._new.rules)
            if rule.id in differ and rule.id not in hit
            for side, _, text in texts
        )
        return reasons | ({"masked"} if hidden else set())

    def _hits(self, policy: Policy, texts: _Texts) -> dict[str, Action]:
        rules, found = {rule.id: rule.action for rule in policy.rules}, set[str]()
        scanner = self._scanners.get(policy.digest) or self._scanners.setdefault(policy.digest, Scanner(policy))
        for side, part, text in texts:
            hits = hits_of(policy, Stance.ENFORCE, side, part, scanner.scan(text.visible, side))
            found |= {hit.rule for hit in hits} | masked_hits(policy, side, text)
        return {rule: rules[rule] for rule in found}


def _halves(both: Exchanged) -> Iterator[tuple[Side, Record]]:
    if both.intent is not None:
        yield Side.INPUT, both.intent
    if both.outcome is not None:
        yield Side.OUTPUT, both.outcome


def _kept(record: Record | None) -> dict[str, str]:
    texts = (record.content or {}).get("texts") if record else None
    return {str(path): str(text) for path, text in texts.items()} if isinstance(texts, Mapping) else {}


def _texts(both: Exchanged) -> Iterator[tuple[Side, str, KeptText]]:
    for side, record in _halves(both):
        texts = (record.content or {}).get("texts")
        if isinstance(texts, Mapping):
            yield from ((side, str(part), kept_text(str(text))) for part, text in texts.items())


def _missing(both: Exchanged) -> Iterator[str]:
    """Yield why some of an exchange cannot be read."""
    if both.intent is None:
        yield "unreadable"
    for side, record in _halves(both):
        if record.core.get("not_evaluated"):
            yield "not_text"
        if record.content is None and (side is Side.INPUT or record.core.get("finish") == "complete"):
            yield "erased"
        elif record.content is not None and DIGESTS in record.content:
            yield "digest_only"


def _recorded(both: Exchanged) -> set[str]:
    """Return the ids of the rules that hit when it happened."""
    listed = [record.core.get("rules") for _, record in _halves(both)]
    return {rule for rules in listed if isinstance(rules, list) for rule in rules if isinstance(rule, str)}
