"""The belt's tables: harnesses, keys, stops, and a rebuildable index of what stands in the record segments."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.belt.model import (
    UNGUARDED,
    Action,
    Adoption,
    Answer,
    Answered,
    Approval,
    Brought,
    ContentMode,
    Exchange,
    Harness,
    Held,
    NoticeMode,
    RecordMode,
    Stance,
)
from safebelt.rooms.belt.store.admission import admission, admission_versions, newest_admission
from safebelt.rooms.belt.store.keys import from_key, key, to_key
from safebelt.rooms.belt.store.stops import from_order, from_proof, stop, to_order, to_proof
from safebelt.rooms.belt.store.strikes import from_strike, strike, to_strike
from safebelt.rooms.belt.store.two_people import two_people

__all__ = [
    "admission",
    "admission_versions",
    "from_key",
    "from_order",
    "from_proof",
    "from_strike",
    "key",
    "newest_admission",
    "stop",
    "strike",
    "to_key",
    "to_order",
    "to_proof",
    "to_strike",
]

harness = sa.Table(
    "belt_harness",
    metadata,
    sa.Column("system_id", sa.String(40), primary_key=True),
    sa.Column("policy", sa.String(80), nullable=False),
    sa.Column("stance", sa.String(10), nullable=False),
    sa.Column("record_mode", sa.String(10), nullable=False),
    sa.Column("notice", sa.String(10), nullable=False),
    sa.Column("content", sa.String(10), nullable=False, server_default=sa.text("'masked'")),
    sa.Column("recipients", sa.Text, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("content_days", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("version", sa.Integer, nullable=False),
)

exchange = sa.Table(
    "belt_exchange",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("system_id", sa.String(40), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sa.Column("endpoint", sa.String(80), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("is_stream", sa.Boolean, nullable=False),
    sa.Column("done", sa.String(10), nullable=False),
    sa.Column("would", sa.String(10), nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("finish", sa.String(20), nullable=False),
    sa.Column("total_ms", sa.Float, nullable=False),
    sa.Column("added_ms", sa.Float, nullable=False),
    sa.Column("segment", sa.String(40), nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("minute", sa.BigInteger, nullable=False, index=True),
    sa.Column("changed", sa.BigInteger, nullable=False, index=True),
    sa.Column("tokens", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("is_estimated", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("is_unguarded", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Index("ix_belt_exchange_system_id_at", "system_id", "at"),
    sa.Index("ix_belt_exchange_key_id_at", "key_id", "at"),
    sa.Index("ix_belt_exchange_key_id_ended_at", "key_id", "ended_at"),
)
"""`minute` is `at` in whole minutes since 1970, so that both databases group alike; `changed` numbers the index's own
steps, so that a live page can ask what is newer."""

hit = sa.Table(
    "belt_hit",
    metadata,
    sa.Column("exchange_id", sa.String(40), sa.ForeignKey("belt_exchange.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("rule", sa.String(120), primary_key=True, index=True),
)
"""Which rules hit in which exchange, for search and for counting."""

cursor = sa.Table(
    "belt_cursor",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""How far the segments have been read."""

segment = sa.Table(
    "belt_segment",
    metadata,
    sa.Column("segment", sa.String(40), primary_key=True),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("root", sa.String(64), nullable=False),
    sa.Column("sealed_at", UtcDateTime, nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.Column("removed_at", UtcDateTime),
    sa.Column("removed_entry", sa.String(40), nullable=False, server_default=sa.text("''")),
)
"""Finished segments and the ledger entries that carry their roots; and when one was removed because it was too old."""

policy = sa.Table(
    "belt_policy",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("policy", sa.String(80), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
"""Every version of every policy that was ever in force, whole: canonical JSON under its own SHA-256."""

adoption = sa.Table(
    "belt_policy_adoption",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("policy", sa.String(80), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), sa.ForeignKey("belt_policy.digest"), nullable=False),
    sa.Column("brought", sa.String(10), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("red_lines", sa.Text, nullable=False),
    sa.Column("proposal", sa.String(40), nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
)
"""When each came into force; the newest of a policy is in force."""

call = sa.Table(
    "belt_call",
    metadata,
    sa.Column("id", sa.String(70), primary_key=True),
    sa.Column("system_id", sa.String(40), nullable=False, index=True),
    sa.Column("record", sa.String(40), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("held", sa.Text, nullable=False),
    sa.Column("held_entry", sa.String(40), nullable=False),
    sa.Column("answered", sa.String(10)),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("by", sa.String(80)),
    sa.Column("reason", sa.Text),
    sa.Column("answer_entry", sa.String(40)),
    sa.Column("acted_at", UtcDateTime),
)
"""Tool calls that waited for a person: `held` is the call as it was shown, JSON; what it said goes with its record."""

TABLES = (harness, key, stop, exchange, hit, cursor, segment, policy, adoption, admission, call, strike, two_people)


def to_harness(row: sa.RowMapping) -> Harness:
    """Read a row of `belt_harness`."""
    return Harness(
        system_id=row["system_id"],
        policy=row["policy"],
        stance=Stance(row["stance"]),
        record_mode=RecordMode(row["record_mode"]),
        notice=NoticeMode(row["notice"]),
        content=ContentMode(row["content"]),
        recipients=tuple(json.loads(row["recipients"])),
        content_days=row["content_days"],
        version=row["version"],
    )


def from_harness(value: Harness) -> dict[str, Any]:
    """Write a row of `belt_harness`."""
    return {
        "system_id": value.system_id,
        "policy": value.policy,
        "stance": value.stance.value,
        "record_mode": value.record_mode.value,
        "notice": value.notice.value,
        "content": value.content.value,
        "recipients": json.dumps(list(value.recipients)),
        "content_days": value.content_days,
        "version": value.version,
    }


def to_exchange(row: sa.RowMapping) -> Exchange:
    """Read a row of `belt_exchange`."""
    plain = {name: row[name] for name in _PLAIN}
    return Exchange(
        **plain, done=Action(row["done"]), would=Action(row["would"]), rules=tuple(json.loads(row["rules"]))
    )


def from_exchange(value: Exchange, changed: int) -> dict[str, Any]:
    """Write a row of `belt_exchange`.  Free text of callers is cut to what its column holds."""
    return {name: getattr(value, name) for name in _PLAIN} | {
        "model": clean(value.model)[:200],
        "endpoint": clean(value.endpoint)[:80],
        "done": value.done.value,
        "would": value.would.value,
        "rules": json.dumps(list(value.rules)),
        "minute": minute_of(value.at),
        "changed": changed,
    }


_PLAIN = [c.name for c in exchange.c if c.name not in ("done", "would", "rules", "minute", "changed")]


def to_adoption(row: sa.RowMapping) -> Adoption:
    """Read a row of `belt_policy_adoption`."""
    plain = {name: row[name] for name in _ADOPTION}
    return Adoption(**plain, brought=Brought(row["brought"]), red_lines=tuple(json.loads(row["red_lines"])))


def from_adoption(value: Adoption) -> dict[str, Any]:
    """Write a row of `belt_policy_adoption`."""
    plain = {name: getattr(value, name) for name in _ADOPTION}
    return plain | {"brought": value.brought.value, "red_lines": json.dumps(list(value.red_lines))}


_ADOPTION = [c.name for c in adoption.c if c.name not in ("brought", "red_lines")]


def adoptions(tx: sa.Connection, policy_id: str = "") -> list[Adoption]:
    """Return adoptions, of one policy where named, newest first."""
    query = sa.select(adoption).order_by(adoption.c.number.desc())
    if policy_id:
        query = query.where(adoption.c.policy == clean(policy_id))
    return [to_adoption(row) for row in tx.execute(query).mappings()]


def in_force(tx: sa.Connection) -> dict[str, str]:
    """Return the digest in force of every policy of which a version was adopted, by id."""
    newest = sa.select(sa.func.max(adoption.c.number)).group_by(adoption.c.policy)
    query = sa.select(adoption.c.policy, adoption.c.digest).where(adoption.c.number.in_(newest))
    return {row.policy: row.digest for row in tx.execute(query)}


def policy_content(tx: sa.Connection, digest: str) -> str | None:
    """Return the content that is kept under a digest."""
    return tx.execute(sa.select(policy.c.content).where(policy.c.digest == digest)).scalar()


def shown() -> sa.ColumnElement[str]:
    """Return what is shown of an exchange first, as `Exchange.shown`."""
    return sa.case((exchange.c.is_unguarded, UNGUARDED), else_=exchange.c.done)


def minute_of(at: datetime) -> int:
    """Return whole minutes since 1970."""
    return int(at.timestamp()) // 60


def clean(text: str) -> str:
    """Return text both databases can hold: no NUL (PostgreSQL refuses it) and no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def put_exchanges(tx: sa.Connection, exchanges: Iterable[Exchange], changed: int) -> None:
    """Insert or replace exchanges and their hits; of two with one id the later wins."""
    latest = {each.id: each for each in exchanges}
    ids: Sequence[str] = list(latest)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        tx.execute(sa.delete(hit).where(hit.c.exchange_id.in_(part)))
        tx.execute(sa.delete(exchange).where(exchange.c.id.in_(part)))
        tx.execute(sa.insert(exchange), [from_exchange(latest[id_], changed) for id_ in part])
        hits = [{"exchange_id": id_, "rule": rule} for id_ in part for rule in sorted(set(latest[id_].rules))]
        if hits:
            tx.execute(sa.insert(hit), hits)


_CHUNK = 500
"""SQLite takes 999 bound values in old builds; 500 ids stay under every limit."""


def from_held(value: Held, entry_id: str) -> dict[str, Any]:
    """Write a new row of `belt_call`."""
    return {
        "id": value.id,
        "system_id": value.system_id,
        "record": value.record,
        "at": value.at,
        "held": clean(msgspec.json.encode(value).decode()),
        "held_entry": entry_id,
    }


def from_answer(value: Answer) -> dict[str, Any]:
    """Write the columns of `belt_call` that an answer fills."""
    said = {"answered": value.answered.value, "by": value.by, "reason": clean(value.reason)}
    return {**said, "answered_at": value.at}


def to_approval(row: sa.RowMapping) -> Approval:
    """Read a row of `belt_call`."""
    is_open = row["answered"] is None
    return Approval(
        held=msgspec.json.decode(row["held"], type=Held),
        answer=None
        if is_open
        else Answer(answered=Answered(row["answered"]), at=row["answered_at"], by=row["by"], reason=row["reason"]),
        acted_at=row["acted_at"],
        held_entry=row["held_entry"],
        answer_entry=row["answer_entry"] or "",
    )


def without_texts(held: Held) -> Held:
    """Return a call without what it said."""
    return replace(held, arguments="", said="")


def blank_calls(tx: sa.Connection, record_id: str) -> None:
    """Erase what the calls of a record said; what became of them stands."""
    _blank_calls(tx, call.c.record == record_id)


def blank_calls_before(tx: sa.Connection, at: datetime, system_id: str = "") -> None:
    """Erase what calls said that are older; of one system, or of all."""
    _blank_calls(tx, (call.c.at < at) & (sa.true() if not system_id else call.c.system_id == system_id))


def _blank_calls(tx: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    for row in tx.execute(sa.select(call.c.id, call.c.held).where(which)).all():
        blank = without_texts(msgspec.json.decode(row.held, type=Held))
        tx.execute(sa.update(call).where(call.c.id == row.id).values(held=msgspec.json.encode(blank).decode()))
