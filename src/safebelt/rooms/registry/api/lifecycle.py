"""JSON door to gates, evidence, sign-offs."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.registry.model import Status, System
from safebelt.rooms.registry.model.lifecycle import (
    Attest,
    Evidence,
    Move,
    Passage,
    SignGate,
    SignOff,
    VouchFor,
    Withdraw,
)
from safebelt.rooms.registry.model.road import Gate
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

Id = Annotated[str, PathParameter(description="Id of the system, `sys_…`.")]
EvidenceId = Annotated[str, PathParameter(description="Id of the evidence, `evd_…`.")]
To = Annotated[Status | None, QueryParameter(description="The stage behind the gate; the next one, if none is given.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A system's gates, and everything they rest on.

    Attributes:
        gate: The way from where it stands to the stage asked about.
        evidence: Latest first; expired and withdrawn pieces are among it.
        passages: Its history, latest first.
    """

    gate: Gate
    evidence: list[Evidence]
    sign_offs: list[SignOff]
    passages: list[Passage]


class LifecycleApi(Controller):
    """`/api/registry/systems/{id}/gates`, `…/evidence`, `…/sign-offs`, `…/passages`, and `/api/registry/evidence`."""

    path = "/api/registry"
    tags = ("registry",)

    @get(
        "/systems/{system_id:str}/gates",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound, Conflict),
    )
    def get_gates(self, registry: NamedDependency[Registry], system_id: Id, to: To = None) -> Life:
        """Return what the gates on the way to a stage come to, and exactly what is missing."""
        found = registry.life(system_id, to)
        return Life(
            gate=found.gate,
            evidence=list(found.evidence),
            sign_offs=list(found.sign_offs),
            passages=list(found.passages),
        )

    @post(
        "/systems/{system_id:str}/passages",
        sync_to_thread=True,
        guards=[requires("registry.gate")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def move_system(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], system_id: Id, data: JSONBody[Move]
    ) -> System:
        """Move a system to another stage; a refusal says exactly what is missing."""
        return registry.move(system_id, data, by=by)

    @post(
        "/systems/{system_id:str}/sign-offs",
        sync_to_thread=True,
        guards=[requires("registry.gate")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def sign_off(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], system_id: Id, data: JSONBody[SignGate]
    ) -> SignOff:
        """Sign off a gate in the name of a person named for the system."""
        return registry.sign_off(system_id, data, by=by)

    @post(
        "/systems/{system_id:str}/evidence",
        sync_to_thread=True,
        guards=[requires("registry.attest")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def attest(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], system_id: Id, data: JSONBody[Attest]
    ) -> Evidence:
        """State that a kind of evidence is there: signed, dated, expiring, and claimed until others vouch for it."""
        return registry.attest(system_id, data, by=by)

    @post(
        "/systems/{system_id:str}/evidence/issued",
        sync_to_thread=True,
        guards=[requires("registry.vouch")],
        responses=problems(NotFound, Conflict, Invalid, Refused, has_body=True),
    )
    def issue_evidence(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], system_id: Id, data: JSONBody[Attest]
    ) -> Evidence:
        """Give evidence about somebody else's system, as an association, assessor or authority."""
        return registry.issue(system_id, data, by=by)

    @post(
        "/evidence/{evidence_id:str}/vouches",
        sync_to_thread=True,
        guards=[requires("registry.vouch")],
        responses=problems(NotFound, Conflict, Invalid, Refused, has_body=True),
    )
    def vouch(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        evidence_id: EvidenceId,
        data: JSONBody[VouchFor],
    ) -> Evidence:
        """Vouch for evidence that somebody else attested, as an association, assessor or authority."""
        return registry.vouch(evidence_id, data, by=by)

    @post(
        "/evidence/{evidence_id:str}/withdrawal",
        sync_to_thread=True,
        guards=[requires("registry.attest")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def withdraw_evidence(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        evidence_id: EvidenceId,
        data: JSONBody[Withdraw],
    ) -> Evidence:
        """Take evidence back; from now on it does not count."""
        return registry.withdraw(evidence_id, data, by=by)

    @get("/evidence/expiring", sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_expiring(
        self,
        registry: NamedDependency[Registry],
        system_id: Annotated[str, QueryParameter(description="Only this system's.", max_length=40)] = "",
    ) -> list[Evidence]:
        """List evidence that expired within the last year or expires soon, soonest first."""
        return list(registry.expiring(system_id=system_id))


API: tuple[type, ...] = (LifecycleApi,)
