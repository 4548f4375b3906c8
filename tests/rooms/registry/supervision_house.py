"""Two authorities, an operator and a system, for the tests of supervision."""

from dataclasses import dataclass
from typing import Any

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.rooms.registry.model import Party, PartyKind, RegisterParty, RegisterSystem, System
from safebelt.rooms.registry.model.supervision import (
    Case,
    OpenCase,
    SetUpOffice,
    Step,
    StepKind,
    WriteStep,
)
from safebelt.rooms.registry.service import Registry

OFFICER = Actor(id="usr_officer", roles=frozenset({Role.AUTHORITY}), door="web")
SECOND = Actor(id="usr_second", roles=frozenset({Role.AUTHORITY}), door="web")
ELSEWHERE = Actor(id="usr_elsewhere", roles=frozenset({Role.AUTHORITY}), door="web")
OPERATOR = Actor(id="usr_operator", roles=frozenset({Role.OPERATOR}), door="web")
AUDITOR = Actor(id="usr_auditor", roles=frozenset({Role.AUDITOR}), door="web")
ASSESSOR = Actor(id="usr_assessor", roles=frozenset({Role.ASSESSOR}), door="web")
BOTH = Actor(id="usr_both", roles=frozenset({Role.AUTHORITY, Role.OPERATOR}), door="web")

GROUND = "eu/ai-act#art_12__para_1"
CONTEST = "Object here, in writing."


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a test of supervision works with."""

    registry: Registry
    authority: Party
    other: Party
    provider: Party
    system: System

    def case(self, **more: Any) -> Case:
        words = {"system_id": self.system.id, "about": "Logs of the help desk", "basis": (GROUND,), **more}
        return self.registry.open_case(OpenCase(**words), by=OFFICER)

    def draft(self, case: Case, kind: StepKind, *, by: Actor = OFFICER, **more: Any) -> Step:
        files = more.pop("files", ())
        return self.registry.draft_step(case.id, step(kind, **more), files=files, by=by)

    def serve(self, case: Case, kind: StepKind, *, by: Actor = OFFICER, **more: Any) -> Step:
        return self.registry.serve_step(case.id, self.draft(case, kind, by=by, **more).id, by=by)

    def stage(self, case: Case) -> str:
        return self.registry.case_file(case.id, by=OFFICER).position.stage.value


def step(kind: StepKind, **more: Any) -> WriteStep:
    """A step with a text and a basis; whatever else its kind asks for is the test's to say."""
    return WriteStep(**{"kind": kind, "text": f"On the {kind.value}.", "basis": (GROUND,), "contest": CONTEST, **more})


def build_bench(registry: Registry) -> Bench:
    """Two desks: one with two officers, one elsewhere; and a system of a provider."""
    authority = registry.register_party(
        RegisterParty(name="Market Surveillance Office", kind=PartyKind.AUTHORITY), by=OWNER
    )
    other = registry.register_party(RegisterParty(name="数据监管局", kind=PartyKind.AUTHORITY), by=OWNER)
    provider = registry.register_party(RegisterParty(name="明理科技有限公司", contact="+86 10 5555"), by=OWNER)
    system = registry.register_system(
        RegisterSystem(
            provider_id=provider.id, name_zh="政务问答助手", name_en="Public Service Helper", purpose_zh="答疑"
        ),
        by=OWNER,
    )
    registry.set_up_office(
        SetUpOffice(party_id=authority.id, jurisdiction="eu", instruments=("eu/ai-act",), zone="Europe/Dublin"),
        by=OFFICER,
    )
    registry.admit_officer(SECOND.id, by=OFFICER)
    registry.set_up_office(SetUpOffice(party_id=other.id, jurisdiction="cn", zone="Asia/Shanghai"), by=ELSEWHERE)
    return Bench(registry=registry, authority=authority, other=other, provider=provider, system=system)
