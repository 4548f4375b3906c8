"""Callers' keys: issued, changed, rotated, revoked."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sql import changed_once
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.control.switch import parts_of
from safebelt.rooms.belt.decide import hold_terms
from safebelt.rooms.belt.model import (
    Harness,
    Key,
    KeyChanged,
    KeyIssued,
    KeyRevoked,
    KeyRotated,
    KeyTerms,
    Scope,
    Stance,
)
from safebelt.rooms.belt.service.base import REASON, given, missing
from safebelt.rooms.belt.service.harness import Harnesses

KEY_PREFIX = "sbk_"
_KEY_BYTES = 32
"""256 bits: a key cannot be guessed, so its plain SHA-256 may be kept (no slow hash on every request)."""
MAX_GRACE_HOURS = 24 * 30
"""A key that was replaced because it may be known to others must not live on for longer than a month."""


def digest_of(secret: str) -> str:
    """Return what is kept of a key: its SHA-256, hex."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


class Keys(Harnesses):
    """Issues keys and takes them back."""

    def issue_key(
        self, system_id: str, name: str, by: Actor, *, terms: KeyTerms | None = None, expires_at: datetime | None = None
    ) -> tuple[Key, str]:
        """Issue a caller's key; the secret is returned once and never kept.

        A system the belt is not fitted to yet gets it now, observing: a key always leads through the belt.

        Args:
            system_id: For which system.
            name: What it is called.
            by: Who acts.
            terms: What it is for and how much it may do; open where left out.
            expires_at: From when it is dead; None for never.

        Returns:
            The key and its secret, `sbk_` and 64 hex digits.

        Raises:
            NotFound: There is no such system.
            Invalid: The name is empty or too long, the terms cannot be kept, or the end is not in the future.
        """
        name = given(name, field="name", what=Text(zh="密钥名称", en="a name for the key"), limit=120)
        terms = _clean(terms or KeyTerms())
        self._hold_end(expires_at)
        self._t.registry.system(system_id)
        secret = KEY_PREFIX + self._t.chance(_KEY_BYTES).hex()
        issued = Key(
            id=self._t.new_id("key"),
            system_id=system_id,
            name=name,
            digest=digest_of(secret),
            created_at=self._t.clock(),
            expires_at=expires_at,
            terms=terms,
        )
        with self._t.sql.begin() as tx:
            fitted = sa.select(store.harness.c.version).where(store.harness.c.system_id == system_id)
            if tx.execute(fitted).first() is None:
                chosen = Harness(system_id=system_id, policy=self.default_policy(), stance=Stance.OBSERVE)
                self._insert_harness(tx, chosen, by)
            tx.execute(sa.insert(store.key).values(**store.from_key(issued)))
            event = KeyIssued(subject=system_id, key_id=issued.id, name=name, **_told(issued))
            self._t.ledger.append(tx, event, by=by)
        return issued, secret

    def change_key(
        self,
        key_id: str,
        *,
        terms: KeyTerms,
        expires_at: datetime | None,
        version: int,
        reason: str,
        by: Actor,
    ) -> Key:
        """Change what a key is for, how much it may do, or until when; within a second the belt goes by it.

        Raises:
            NotFound: There is no such key.
            Conflict: It is revoked, or somebody changed it since `version` was read.
            Invalid: No reason is given, or the terms cannot be kept.
        """
        reason = given(reason, field="reason", what=REASON)
        terms = _clean(terms)
        with self._t.sql.begin() as tx:
            old = self._living(tx, key_id)
            if expires_at != old.expires_at:
                self._hold_end(expires_at)
            new = replace(old, terms=terms, expires_at=expires_at, version=version + 1)
            where = (store.key.c.id == key_id) & (store.key.c.version == version)
            changed_once(tx.execute(sa.update(store.key).where(where).values(**store.from_key(new))), key_id)
            event = KeyChanged(subject=old.system_id, key_id=key_id, version=new.version, reason=reason, **_told(new))
            self._t.ledger.append(tx, event, by=by)
        return new

    def rotate_key(self, key_id: str, reason: str, by: Actor, *, grace_hours: float = 24.0) -> tuple[Key, str]:
        """Put a new key in a key's place, on the same terms; the old one stays valid for a while, then it is dead.

        Args:
            key_id: The old key.
            reason: Why.
            by: Who acts.
            grace_hours: How long the old one stays valid, at most 30 days; 0 ends it at once.

        Returns:
            The new key and its secret.

        Raises:
            NotFound: There is no such key.
            Conflict: It is revoked, over, suspended, was replaced before, or a person's order stands for it.
            Invalid: No reason is given, or the time is too long.
        """
        reason = given(reason, field="reason", what=REASON)
        if not 0 <= grace_hours <= MAX_GRACE_HOURS:
            raise Invalid(
                what=Text(zh="宽限时间须为 0 至 720 小时。", en="The grace must be 0 to 720 hours."),
                hint=Text(zh="常用 24 小时。", en="A day is usual."),
                details={"field": "grace_hours"},
            )
        self._hold_not_ordered(key_id)
        secret, now = KEY_PREFIX + self._t.chance(_KEY_BYTES).hex(), self._t.clock()
        with self._t.sql.begin() as tx:
            old = self._living(tx, key_id)
            if old.replaced_by or (old.expires_at is not None and old.expires_at <= now):
                raise Conflict(
                    what=Text(zh="该密钥已被替换或已到期。", en="The key was replaced before, or its time is over."),
                    hint=Text(
                        zh="请轮换接替它的密钥，或另行签发。", en="Rotate the key that took its place, or issue one."
                    ),
                )
            self._hold_not_suspended(tx, old)
            new = replace(
                old, id=self._t.new_id("key"), digest=digest_of(secret), created_at=now, revoked_at=None, version=1
            )
            ends = now + timedelta(hours=grace_hours)
            ends = ends if old.expires_at is None else min(ends, old.expires_at)
            tx.execute(sa.insert(store.key).values(**store.from_key(new)))
            where = (store.key.c.id == key_id) & (store.key.c.version == old.version)
            put = {"expires_at": ends, "replaced_by": new.id, "version": old.version + 1}
            changed_once(tx.execute(sa.update(store.key).where(where).values(**put)), key_id)
            event = KeyRotated(
                subject=old.system_id, key_id=new.id, replaced=key_id, ends_at=ends.isoformat(), reason=reason
            )
            self._t.ledger.append(tx, event, by=by)
        return new, secret

    def revoke_key(self, key_id: str, reason: str, by: Actor) -> Key:
        """Revoke a key; within a second the belt knows it no more.

        Raises:
            NotFound: There is no such key.
            Conflict: It is revoked already.
            Invalid: No reason is given.
        """
        reason = given(reason, field="reason", what=REASON)
        with self._t.sql.begin() as tx:
            key, now = self._living(tx, key_id), self._t.clock()
            where = (store.key.c.id == key_id) & store.key.c.revoked_at.is_(None)
            changed_once(tx.execute(sa.update(store.key).where(where).values(revoked_at=now)), key_id)
            self._t.ledger.append(tx, KeyRevoked(subject=key.system_id, key_id=key_id, reason=reason), by=by)
        return replace(key, revoked_at=now)

    def key(self, key_id: str) -> Key:
        """Return one key.

        Raises:
            NotFound: There is no such key.
        """
        with self._t.sql.read() as tx:
            return self._key(tx, key_id)

    def keys(self, system_id: str = "") -> tuple[Key, ...]:
        """Return the keys of one system, or of all, newest first."""
        query = sa.select(store.key).order_by(store.key.c.created_at.desc(), store.key.c.id.desc())
        if system_id:
            query = query.where(store.key.c.system_id == system_id)
        with self._t.sql.read() as tx:
            return tuple(store.to_key(row) for row in tx.execute(query).mappings())

    # ------------------------------------------------------------------ hands

    def _key(self, tx: sa.Connection, key_id: str) -> Key:
        where = store.key.c.id == store.clean(key_id)
        row = tx.execute(sa.select(store.key).where(where)).mappings().first()
        if row is None:
            hint = Text(zh="请查看密钥列表。", en="See `safebelt belt keys list`.")
            raise missing(Text(zh="密钥", en="key"), key_id, hint)
        return store.to_key(row)

    def _living(self, tx: sa.Connection, key_id: str) -> Key:
        key = self._key(tx, key_id)
        if key.revoked_at is not None:
            raise Conflict(
                what=Text(zh="该密钥已被撤销。", en="The key is revoked already."),
                hint=Text(zh="撤销不能取消；请另行签发。", en="That cannot be undone; issue another."),
            )
        return key

    def _hold_not_ordered(self, key_id: str) -> None:
        """Hold that no stop, limit or roll-back stands for a key: its successor would be free of it."""
        target = Scope.KEY.of(key_id)
        kept = [each.order_id for key, each in self._t.box.state().orders.items() if parts_of(key)[1] == target]
        waiting = [order.id for order in self._t.box.waiting() if order.system_id == target and not order.command.lifts]
        if found := [*kept, *waiting]:
            raise Conflict(
                what=Text(
                    zh=f"对该密钥有命令在生效（{found[0]}），新密钥将不受其约束。",
                    en=f"An order stands for this key ({found[0]}), and a new key would be free of it.",
                ),
                hint=Text(
                    zh="请先解除命令；或另行签发密钥，并对它下达同样的命令。",
                    en="Lift the order first, or issue a key and give the same order for it.",
                ),
            )

    def _hold_not_suspended(self, tx: sa.Connection, key: Key) -> None:
        stands = self._standings(tx).get(key.id)
        if stands is not None and stands.suspended_by:
            raise Conflict(
                what=Text(zh="该密钥已停用。", en="The key is suspended."),
                hint=Text(
                    zh=f"请先重新审核违规记录 {stands.suspended_by}。",
                    en=f"Decide anew about strike {stands.suspended_by} first.",
                ),
            )

    def _hold_end(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self._t.clock():
            raise Invalid(
                what=Text(zh="到期时间不在将来。", en="The end of the key is not in the future."),
                hint=Text(
                    zh="请给出将来的时刻；要立即停用请撤销。", en="Give a later moment; to end it now, revoke it."
                ),
                details={"field": "expires_at"},
            )


def _clean(terms: KeyTerms) -> KeyTerms:
    """Return terms as they are kept; raises Invalid where they cannot be."""
    kept = replace(terms, caller=store.clean(terms.caller).strip(), scopes=tuple(sorted(set(terms.scopes))))
    hold_terms(kept)
    return kept


def _told(key: Key) -> dict[str, Any]:
    """Return a key's terms as the ledger is told them: who uses it stays out of the public leaf."""
    terms = {name: value for name, value in msgspec.to_builtins(key.terms).items() if name != "caller" and value}
    ends = key.expires_at.isoformat() if key.expires_at else ""
    return {"caller": key.terms.caller, "terms": terms, "expires_at": ends}
