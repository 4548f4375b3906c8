"""Originals for an auditor, for the tests of the API that keep them and hand one out."""

import os
from typing import Any

import pyrage
from tests.api.conftest import Api, record
from tests.rooms.belt.house import intent

from safebelt.kernel.actors import OWNER, Role
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records.sealing import Sealer
from safebelt.rooms.registry.model import RegisterSystem

SEALED = "rec_sealed"


def sealed(api: Api) -> dict[str, dict[str, Any]]:
    """Record an exchange whose original is sealed, let the owner propose, and return what makes each operation work."""
    belt, auditor = api.house.belt, str(pyrage.x25519.Identity.generate().to_public())
    asked, system_id = intent(SEALED, api.known["system_id"]), _another(api)
    box = Sealer((auditor,), chance=os.urandom).seal(SEALED, "intent", {"messages[0].content": "as it came"})
    record(
        api.house, Record(type="intent", id=SEALED, core=asked.core, content={**(asked.content or {}), "sealed": box})
    )
    opening = belt.propose_opening(SEALED, "an inquiry", by=OWNER)
    sealing = belt.propose_sealing(system_id, (auditor,), "a letter", "an inquiry", by=OWNER)
    wish = {"recipients": [auditor], "basis": "a letter", "reason": "an inquiry"}
    return {
        "POST /api/belt/systems/{system_id}/sealings": {"path_parameters": {"system_id": system_id}, "body": wish},
        "POST /api/belt/sealings/{proposal_id}/second": _second(sealing.id),
        "GET /api/belt/exchanges/{record_id}/openings": {"path_parameters": {"record_id": SEALED}},
        "POST /api/belt/exchanges/{record_id}/openings": {
            "path_parameters": {"record_id": SEALED},
            "body": {"reason": "an inquiry"},
        },
        "POST /api/belt/openings/{proposal_id}/second": _second(opening.id),
    }


def _another(api: Api) -> str:
    """Fit the belt to a system of its own: others change that of the demonstration."""
    new = RegisterSystem(provider_id=api.known["party_id"], name_en="Audited", purpose_en="To be audited")
    system = api.house.registry.register_system(new, by=OWNER)
    return api.house.belt.fit(system.id, by=OWNER).system_id


def _second(proposal_id: str) -> dict[str, Any]:
    return {"path_parameters": {"proposal_id": proposal_id}, "body": {"reason": "read"}, "role": Role.OVERSEER}
