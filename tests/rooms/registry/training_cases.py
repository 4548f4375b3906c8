"""A small forecasting system that may be trained, and everything a job of its needs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import NamePerson, PersonRole, RegisterParty, RegisterSystem, System
from safebelt.rooms.registry.model.training import AskJob, Gate, GrantJob, JobKind, Plan
from safebelt.rooms.registry.service import Registry

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RUNNER = Actor(id="usr_runner", roles=frozenset({Role.RUNNER}), door="api")
OVERSEER = Actor(id="usr_overseer", roles=frozenset({Role.OVERSEER}), door="web")
DATA = "d" * 64
CONFIG = "c" * 64
MADE = "a" * 64

FACTS = """safebelt: system/1
id: forecast
name: {zh: 用电需求预测, en: Demand forecast}
facts:
  system.is_ai: {value: true, note: test}
  market.jurisdictions: {value: [eu], note: test}
  use.purposes: {value: [energy_supply], note: test}
  system.functions: {value: [predicts_or_forecasts], note: test}
  use.practices: {value: [], note: test}
  use.military: {value: none, note: test}
  use.only_for: {value: [], note: test}
  offer.open_source: {value: false, note: test}
  model.provided: {value: false, note: test}
  eu.product.annex_i: {value: [], note: test}
  eu.component.failure_endangers: {value: neither, note: test}
  eu.component.safety_function: {value: false, note: test}
  intl.party.frameworks: {value: [], note: test}
"""


def forecast(registry: Registry, *, facts: str = FACTS, people: bool = True) -> System:
    """Register the system; without facts or people where a test wants them missing."""
    party = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    command = RegisterSystem(
        provider_id=party.id,
        name_zh="用电需求预测",
        name_en="Demand forecast",
        purpose_zh="预测用电需求。",
        purpose_en="Forecasts demand for electricity.",
    )
    system = registry.register_system(command, by=OWNER)
    if facts:
        registry.describe(system.id, facts, by=OWNER)
    if people:
        for role, name in ((PersonRole.ACCOUNTABLE, "王敏"), (PersonRole.OVERSEER, "李安")):
            registry.name_person(system.id, NamePerson(role=role, name=name), by=OWNER)
    return registry.system(system.id)


def asking(system_id: str = "sys_x", kind: JobKind = JobKind.TRAINING, **more: Any) -> AskJob:
    plan = Plan(datasets=(DATA,), flop=1e9, steps=100, config=CONFIG)
    if kind is JobKind.SELF_UPDATE:
        plan = Plan(target=MADE)
    if kind is JobKind.PROMOTION:
        plan = Plan()
    plan = replace(plan, **more.pop("plan", {}))
    return AskJob(**{"kind": kind, "system_id": system_id, "purpose": "更新季度数据 new quarter", "plan": plan} | more)


def granting(system: System, role: PersonRole = PersonRole.OVERSEER, **more: Any) -> GrantJob:
    person = system.current(role)[0].id
    return GrantJob(**{"person_id": person, "reason": "数据已核对 data checked", "looked_at": "evd_1"} | more)


def gate(holds: Truth = Truth.TRUE) -> Gate:
    gaps = () if holds is Truth.TRUE else (Text(zh="缺少事实。", en="Facts are missing."),)
    return Gate(reason=Reason(says=Text(zh="都成立", en="All holds"), holds=holds), gaps=gaps)


def later(**by: float) -> datetime:
    return AT + timedelta(**by)
