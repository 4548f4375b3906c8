"""A small real house around the belt: ledger, registry, records, order box, and a watcher that carries orders out."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.rooms.registry.house import build_registry
from tests.rooms.rulebook.house import build_rules, permissions

from safebelt.engines.clock import Chance, Clock, real_chance, real_ids, wall_clock
from safebelt.engines.reports import Press
from safebelt.engines.signing import KeyStore, open_note, sign_note
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.ids import NewId
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.access.service import Access
from safebelt.rooms.belt.control.heartbeat import Heartbeat
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.exports.collector import Collector
from safebelt.rooms.belt.model import Action, Basis, Earlier, Held, Policy, Record, Rule, RuleKind, Side
from safebelt.rooms.belt.records.writer import Writer
from safebelt.rooms.belt.scanner.policies import Policies
from safebelt.rooms.belt.service import Belt, Tools
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.model import RegisterParty, RegisterSystem
from safebelt.rooms.registry.service import Registry

ORIGIN = "safebelt.test/log"

POLICY = Policy(
    id="house/basic",
    version=3,
    title=Text(zh="基本筛查", en="Basic screening"),
    appeal=Text(zh="请联系系统负责人申诉。", en="Write to the person accountable for the system."),
    rules=(
        Rule(
            id="personal.cn_id",
            kind=RuleKind.PERSONAL,
            title=Text(zh="个人信息：身份证号", en="Personal data: ID-card number"),
            sides=frozenset(Side),
            action=Action.MASK,
            detectors=("cn_id",),
            basis=Basis(
                provision="cn/pipl#art_51",
                authority=Text(zh="全国人大", en="NPC"),
                scope=Text(zh="个人信息", en="personal information"),
            ),
        ),
        Rule(
            id="injection.override",
            kind=RuleKind.INJECTION,
            title=Text(zh="提示注入", en="Prompt injection"),
            sides=frozenset({Side.INPUT}),
            action=Action.REFUSE,
            is_red_line=True,
            terms=("ignore all previous instructions",),
        ),
    ),
    digest="ab" * 32,
)
OTHER = Policy(
    id="house/other", version=1, title=Text(zh="另一", en="Other"), appeal=POLICY.appeal, rules=(), digest="cd" * 32
)


@dataclass(kw_only=True)
class House:
    """Everything a test of the belt needs."""

    belt: Belt
    access: Access
    ledger: Ledger
    registry: Registry
    box: OrderBox
    records: Path
    keys: KeyStore
    clock: Clock
    new_id: NewId
    system_id: str

    def writer(self, **kwargs: Any) -> Writer:
        return Writer(
            self.records,
            **{
                "sign": lambda text: sign_note(text, self.keys.current()),
                "log_origin": ORIGIN,
                "clock": self.clock,
                "chance": real_chance,
                "new_id": self.new_id,
                "on_sealed": self.belt.sealed,
                "sealed": self.belt.sealed_segments(),
                **kwargs,
            },
        )

    @contextmanager
    def writing(self) -> Iterator[Callable[[Record], None]]:
        """Open the records; what is put is durable on return."""
        log = self.writer()
        log.start()

        def put(record: Record) -> None:
            done: list[Exception | None] = []
            ready = threading.Event()
            log.put(record, lambda error: (done.append(error), ready.set())[0])
            assert ready.wait(20)
            assert done == [None]

        try:
            yield put
        finally:
            log.close()

    def entries(self, kind: str, version: int = 1) -> list[Mapping[str, Any]]:
        return [entry.data for entry in reversed(self.ledger.entries(kind=f"belt.{kind}.v{version}", limit=200))]

    @contextmanager
    def watcher(self) -> Iterator[Switch]:
        """A real belt's watcher, obeying from a thread of its own."""
        loop = asyncio.new_event_loop()
        runner = threading.Thread(target=loop.run_forever, daemon=True)
        runner.start()
        switch, heartbeat = Switch(dict(self.box.state().orders)), Heartbeat(self.box.folder / "pulse")
        watcher = Watcher(
            box=self.box,
            switch=switch,
            clock=self.clock,
            new_id=self.new_id,
            loop=loop,
            heartbeat=heartbeat,
            complain=lambda _text: None,
        )
        watcher.start()
        try:
            yield switch
        finally:
            watcher.stop()
            loop.call_soon_threadsafe(loop.stop)
            runner.join()
            loop.close()
            heartbeat.close()


def build(
    sql: Sql,
    home: Path,
    *,
    clock: Clock = wall_clock,
    new_id: NewId | None = None,
    chance: Chance = real_chance,
    screening: Path | None = None,
    default_policy: str = "",
    admission: Path | None = None,
    collector: Collector | None = None,
    records: Path | None = None,
    records_days: int = 0,
    earlier: tuple[Earlier, ...] = (),
) -> House:
    """Furnish the house, with one party and one system in the register; `screening` is its folder of policies."""
    new_id = new_id or real_ids()
    keys = KeyStore(home / "keys" / "ledger.key", name=ORIGIN, chance=real_chance)
    ledger = Ledger(sql, clock=clock, new_id=new_id, chance=chance, signer=keys, origin=ORIGIN, tiles=home / "ledger")
    rules = build_rules(sql, ledger, clock, new_id)
    access = Access(sql, ledger, permissions(), clock=clock, new_id=new_id, chance=real_chance)
    registry = build_registry(sql, ledger, rules, clock, new_id, home)
    box, records = OrderBox(home / "belt"), records or home / "belt" / "records"
    belt = Belt(
        Tools(
            sql=sql,
            ledger=ledger,
            registry=registry,
            access=access,
            box=box,
            records=records,
            **_policies(screening),
            default_policy=default_policy,
            open_note=lambda note: open_note(note, keys.verifiers()).text,
            log_origin=ORIGIN,
            press=Press(Path(__file__).resolve().parents[3] / "reports"),
            clock=clock,
            new_id=new_id,
            chance=chance,
            admission=admission,
            collector=collector,
            records_days=records_days,
            earlier=earlier,
        )
    )
    party = registry.register_party(RegisterParty(name="示例研究院 Example Lab"), by=OWNER)
    system = registry.register_system(
        RegisterSystem(
            provider_id=party.id,
            name_zh="示范对话系统",
            name_en="Demonstration chat",
            purpose_zh="演示安全带",
            purpose_en="Shows the belt at work",
        ),
        by=OWNER,
    )
    return House(
        belt=belt,
        access=access,
        ledger=ledger,
        registry=registry,
        box=box,
        records=records,
        keys=keys,
        clock=clock,
        new_id=new_id,
        system_id=system.id,
    )


def _policies(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {"policies": {POLICY.id: POLICY, OTHER.id: OTHER}}
    policies = Policies(folder)
    return {"policies": policies, "sources": lambda: policies.sources, "required": policies.required, "lists": folder}


def intent(record_id: str, system_id: str, *, text: str = "我的身份证号是⟦身份证号 ID⟧", **facts: Any) -> Record:
    """An intent as the belt writes it."""
    core = {
        "system_id": system_id,
        "key_id": "key_test",
        "endpoint": "/v1/chat/completions",
        "model": "smollm2",
        "is_stream": True,
        "done": "mask",
        "would": "mask",
        "rules": ["personal.cn_id"],
        "reason": REASON.as_data(),
        "policy": POLICY.id,
        "policy_version": POLICY.version,
        "stance": "enforce",
        "not_evaluated": [],
        "hits": [
            {
                "rule": "personal.cn_id",
                "detector": "cn_id",
                "side": "input",
                "part": "messages[0].content",
                "start": 7,
                "end": 25,
                "would": "mask",
                "done": "mask",
            }
        ],
        **facts,
    }
    return Record(type="intent", id=record_id, core=core, content={"texts": {"messages[0].content": text}})


def outcome(record_id: str, *, text: str = "好的，已收到。", **facts: Any) -> Record:
    """An outcome as the belt writes it."""
    core = {
        "status": 200,
        "finish": "complete",
        "total_ms": 420.0,
        "added_ms": 1.25,
        "before_ms": 0.75,
        "first_byte_ms": 88.5,
        "upstream_ms": 418.75,
        "label": {"Label": "1", "ProduceID": record_id},
        "done": "allow",
        "would": "allow",
        "rules": [],
        **facts,
    }
    return Record(type="outcome", id=record_id, core=core, content={"texts": {"choices[0].message.content": text}})


REASON = Reason(
    says=Text(zh="输入共命中 1 处，处置：遮盖。", en="Screening of the input found 1; what was done: mask."),
    holds=Truth.TRUE,
    cites=("house/basic@3",),
    because=(
        Reason(
            says=Text(zh="“个人信息：身份证号”命中 1 处。", en="“Personal data: ID-card number” found 1."),
            holds=Truth.TRUE,
            cites=("house/basic@3#personal.cn_id", "cn/pipl#art_51"),
        ),
    ),
)


def held_call(new_id: NewId, clock: Clock, seconds: int = 600, **more: Any) -> Held:
    """A tool call as the belt holds it for a person; `more` says what is otherwise."""
    at = clock()
    usual = {
        "id": new_id("apr"),
        "record": "rec_1",
        "system_id": "",
        "key_id": "key_1",
        "caller": "agent",
        "tool": "pay",
        "server": "",
        "arguments": '{"amount": 500}',
        "said": "Pay the bill.",
        "policy": POLICY.id,
        "policy_version": POLICY.version,
        "policy_digest": POLICY.digest,
        "rule": "t.pay_more",
        "title": Text(zh="大额付款", en="Large payments"),
        "reason": REASON,
        "at": at,
        "expires_at": at + timedelta(seconds=seconds),
    }
    return Held(**{**usual, **more})
