"""How the belt sits on a system: its policy, its stance."""

from dataclasses import replace

import sqlalchemy as sa

from safebelt.engines.sql import changed_once
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide import in_force
from safebelt.rooms.belt.decide.unguarded import opened
from safebelt.rooms.belt.model import (
    ContentMode,
    Harness,
    HarnessSet,
    NoticeMode,
    Policy,
    RecordMode,
    Snapshot,
    Stance,
)
from safebelt.rooms.belt.service.admission import RulesOfAdmission
from safebelt.rooms.belt.service.base import missing
from safebelt.rooms.belt.service.content import hold_days, two_people_seal
from safebelt.rooms.belt.service.policy_versions import PolicyVersions
from safebelt.rooms.belt.service.strikes import Strikes
from safebelt.rooms.registry.service.providers import codes_of

_NAMED = 200
"""Systems named with one query; the few beyond it are looked up one by one."""


class Harnesses(PolicyVersions, RulesOfAdmission, Strikes):
    """Fits the belt to systems."""

    # ------------------------------------------------------------------ harnesses

    def fit(
        self,
        system_id: str,
        policy: str = "",
        stance: Stance = Stance.OBSERVE,
        record_mode: RecordMode = RecordMode.STRICT,
        notice: NoticeMode = NoticeMode.END,
        *,
        by: Actor,
    ) -> Harness:
        """Fit the belt to a system.

        Args:
            system_id: A system of the registry.
            policy: Id of a screening policy; empty for the house's default.
            stance: Observe changes nothing but records what would have been done.
            record_mode: `strict` or `prompt`.
            notice: Whether plain text answers end with a notice that AI made them.
            by: Who acts.

        Raises:
            NotFound: There is no such system or policy.
            Conflict: The belt already sits on it.
            Refused: Records cannot be switched off, or the policy lacks a red line of the house.
        """
        self._t.registry.system(system_id)
        chosen = Harness(
            system_id=system_id,
            policy=policy or self.default_policy(),
            stance=stance,
            record_mode=record_mode,
            notice=notice,
        )
        _hold_recording(record_mode)
        self.hold_red_lines_of(self.policy(chosen.policy))
        with self._t.sql.begin() as tx:
            self._insert_harness(tx, chosen, by)
        return chosen

    def change(
        self,
        system_id: str,
        *,
        by: Actor,
        version: int,
        policy: str | None = None,
        stance: Stance | None = None,
        record_mode: RecordMode | None = None,
        notice: NoticeMode | None = None,
        content: ContentMode | None = None,
        content_days: int | None = None,
    ) -> Harness:
        """Change how the belt sits; what is None stays.

        Args:
            system_id: A system that has the belt.
            by: Who acts.
            version: Of the harness, as it was read.
            policy: As for `fit`.
            stance: As for `fit`.
            record_mode: As for `fit`.
            notice: As for `fit`.
            content: What records keep of texts; `sealed` is refused: two people choose it (`propose_sealing`).
            content_days: How many days they keep texts at most; 0 for as long as the records are there.

        Raises:
            NotFound: The belt is not fitted to the system, or there is no such policy.
            Conflict: Somebody changed it since `version` was read.
            Invalid: So many days are none.
            Refused: Records cannot be switched off, the policy lacks a red line of the house, or on one person's word
                originals would be kept, or paths pass unguarded.
        """
        old = self.harness(system_id)
        new = replace(
            old,
            policy=old.policy if policy is None else policy,
            stance=old.stance if stance is None else stance,
            record_mode=old.record_mode if record_mode is None else record_mode,
            notice=old.notice if notice is None else notice,
            content=old.content if content is None else content,
            content_days=old.content_days if content_days is None else content_days,
            version=version + 1,
        )
        hold_days(new.content_days)
        if new.content is not ContentMode.SEALED:
            new = replace(new, recipients=())
        elif old.content is not ContentMode.SEALED:
            raise two_people_seal()
        _hold_recording(new.record_mode)
        chosen = self.policy(new.policy)
        self.hold_red_lines_of(chosen)
        if new.policy != old.policy:
            now = {policy.id: policy for policy in self.policies()}
            _hold_closed(now.get(old.policy), chosen)
        with self._t.sql.begin() as tx:
            self._put_harness(tx, new, by)
        return new

    def harness(self, system_id: str) -> Harness:
        """Return how the belt sits on a system.

        Raises:
            NotFound: It is not fitted.
        """
        with self._t.sql.read() as tx:
            return self._harness(tx, system_id)

    def harnesses(self) -> tuple[Harness, ...]:
        """Return every fitted system's harness, by system id."""
        with self._t.sql.read() as tx:
            rows = tx.execute(sa.select(store.harness).order_by(store.harness.c.system_id)).mappings().all()
        return tuple(store.to_harness(row) for row in rows)

    def names(self) -> dict[str, Text]:
        """Return what the systems are called that the belt is fitted to, newest in the register first."""
        fitted = {harness.system_id for harness in self.harnesses()}
        found = {
            system.id: system.name for system in self._t.registry.systems(size=_NAMED).items if system.id in fitted
        }
        return found | {id_: self._t.registry.system(id_).name for id_ in sorted(fitted - found.keys())}

    # ------------------------------------------------------------------ for the traffic side

    def snapshot(self) -> Snapshot:
        """Return all the traffic side needs: living keys, harnesses, and the rules in force today."""
        with self._t.sql.read() as tx:
            keys = tx.execute(sa.select(store.key).where(store.key.c.revoked_at.is_(None))).mappings().all()
            harnesses = tx.execute(sa.select(store.harness)).mappings().all()
            policies = self._in_force(tx)
            admission, strikes = self._now(tx), self._standings(tx)
        today = self._t.clock().date()
        fitted = [row["system_id"] for row in harnesses]
        return Snapshot(
            keys={row["digest"]: store.to_key(row) for row in keys},
            harnesses={row["system_id"]: store.to_harness(row) for row in harnesses},
            policies={id_: in_force(policy, today) for id_, policy in policies.items()},
            providers=codes_of(self._t.sql, fitted) if fitted else {},
            admission=admission,
            strikes=strikes,
        )

    # ------------------------------------------------------------------ hands

    @staticmethod
    def _harness(tx: sa.Connection, system_id: str) -> Harness:
        where = store.harness.c.system_id == store.clean(system_id)
        row = tx.execute(sa.select(store.harness).where(where)).mappings().first()
        if row is None:
            raise missing(
                Text(zh="已装安全带的系统", en="system with the belt fitted,"),
                system_id,
                Text(
                    zh="请先为该系统装上安全带。", en="Fit the belt to the system first: `safebelt belt systems fit`."
                ),
            )
        return store.to_harness(row)

    def _insert_harness(self, tx: sa.Connection, chosen: Harness, by: Actor) -> None:
        where = store.harness.c.system_id == chosen.system_id
        self._t.sql.exclusive(tx, "belt_harness")
        if tx.execute(sa.select(store.harness.c.version).where(where)).first() is not None:
            raise Conflict(
                what=Text(zh="该系统已装有安全带。", en="The belt is already fitted to this system."),
                hint=Text(zh="如需调整，请修改现有设置。", en="Change how it sits instead of fitting it again."),
            )
        tx.execute(sa.insert(store.harness).values(**store.from_harness(chosen)))
        self._t.ledger.append(tx, self._harness_set(tx, chosen), by=by)

    def _put_harness(self, tx: sa.Connection, new: Harness, by: Actor, *, proposal: str = "") -> None:
        """Put a changed harness in the place of the one it was made from, once."""
        table = store.harness
        where = (table.c.system_id == new.system_id) & (table.c.version == new.version - 1)
        changed_once(tx.execute(sa.update(table).where(where).values(**store.from_harness(new))), new.system_id)
        self._t.ledger.append(tx, self._harness_set(tx, new, proposal=proposal), by=by)

    def _harness_set(self, tx: sa.Connection, chosen: Harness, *, proposal: str = "") -> HarnessSet:
        policy = self._policy(tx, chosen.policy)
        return HarnessSet(
            subject=chosen.system_id,
            policy=policy.id,
            policy_version=policy.version,
            policy_digest=policy.digest,
            stance=chosen.stance.value,
            record_mode=chosen.record_mode.value,
            notice=chosen.notice.value,
            content=chosen.content.value,
            recipients=chosen.recipients,
            content_days=chosen.content_days,
            proposal=proposal,
        )


def _hold_closed(old: Policy | None, new: Policy) -> None:
    """Hold that another policy lets nothing more pass unread: where there are red lines that takes two people."""
    more = opened(old, new)
    if not more:
        return
    named, now = ", ".join(each.named for each in more), old.id if old else "—"
    raise Refused(
        what=Text(
            zh=f"规则“{new.id}”会不经审查放行此系统现行规则“{now}”所不放行的路径：{named}；红线在那里不起作用。",
            en=f"The policy {new.id!r} lets paths pass unread that the system's present one, {now!r}, does not: "
            f"{named}; no red line acts there.",
        ),
        hint=Text(
            zh=f"请在“{now}”的新版本中写明这些路径：须由两人同意。",
            en=f"Name them in a new version of {now!r}: that takes two people.",
        ),
        details={"field": "policy", "unguarded": named},
    )


def _hold_recording(mode: RecordMode) -> None:
    """INVARIANT: a record may be left out only where the rulebook allows it, and the belt does not ask it yet."""
    if mode is RecordMode.OFF:
        raise Refused(
            what=Text(
                zh="不能关闭记录：只有规则库明确允许时才可关闭，而安全带目前尚不询问规则库。",
                en="Records cannot be switched off: only the rulebook may allow it, and the belt does not ask it yet.",
            ),
            hint=Text(
                zh="请选择 strict（先落盘后回答）或 prompt（先交给操作系统，10 毫秒内落盘）。",
                en="Choose strict (durable before the answer) or prompt (written before it, durable within 10 ms).",
            ),
            details={"field": "record_mode"},
        )
