"""`/api/belt`: originals kept for an auditor, and handed out; each by two people."""

from dataclasses import dataclass
from datetime import datetime

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.belt.api.words import Id, WhyRequest
from safebelt.rooms.belt.model import Harness
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires

FILE_TYPE = "application/octet-stream"
"""A file, to be kept byte for byte: its digest is on the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """Keep a system's originals, sealed to public keys (`age1…`, `ssh-ed25519 …`)."""

    recipients: list[str]
    basis: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An act of two people: who proposed it, and how it stands."""

    proposal: str
    subject: str
    reason: str
    by: str
    at: datetime
    expires_at: datetime
    stand: str
    decided_by: str
    answer: str


class OriginalsApi(Controller):
    """`/api/belt`: originals kept for an auditor."""

    path = "/api/belt"
    tags = ("belt",)

    @post(
        "/systems/{system_id:str}/sealings",
        sync_to_thread=True,
        guards=[requires("belt.seal_originals", resource="system_id")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def propose_sealing(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], system_id: Id, data: JSONBody[SealRequest]
    ) -> Waiting:
        """Propose that a system's records keep originals, sealed; another person must second it."""
        return _waiting(belt.propose_sealing(system_id, data.recipients, data.basis, data.reason, by=by))

    @post(
        "/sealings/{proposal_id:str}/second",
        sync_to_thread=True,
        guards=[requires("belt.seal_originals")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def second_sealing(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], proposal_id: Id, data: JSONBody[WhyRequest]
    ) -> Harness:
        """Second it: originals of new exchanges are kept from now on."""
        return belt.second_sealing(proposal_id, answer=data.reason, by=by)

    @get(
        "/exchanges/{record_id:str}/openings",
        sync_to_thread=True,
        guards=[requires("belt.read")],
        responses=problems(NotFound),
    )
    def openings(self, belt: NamedDependency[Belt], record_id: Id) -> list[Waiting]:
        """List who proposed to hand out an exchange's originals, and what came of it."""
        return [_waiting(each) for each in belt.openings(record_id)]

    @post(
        "/exchanges/{record_id:str}/openings",
        sync_to_thread=True,
        guards=[requires("belt.open_originals", resource="record_id")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def propose_opening(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], record_id: Id, data: JSONBody[WhyRequest]
    ) -> Waiting:
        """Propose to hand out an exchange's sealed originals; another person must second it."""
        return _waiting(belt.propose_opening(record_id, data.reason, by=by))

    @post(
        "/openings/{proposal_id:str}/second",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.open_originals")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
        media_type=FILE_TYPE,
    )
    def hand_out(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], proposal_id: Id, data: JSONBody[WhyRequest]
    ) -> Response[bytes]:
        """Second it: return the sealed file, which only its recipients open."""
        handed = belt.hand_out(proposal_id, answer=data.reason, by=by)
        return Response(handed.content, media_type=FILE_TYPE, headers={"cache-control": "no-store"})


def _waiting(proposal: Proposal) -> Waiting:
    return Waiting(
        proposal=proposal.id,
        subject=proposal.subject,
        reason=proposal.reason,
        by=proposal.by,
        at=proposal.at,
        expires_at=proposal.expires_at,
        stand=proposal.stand.value,
        decided_by=proposal.decided_by,
        answer=proposal.answer,
    )
