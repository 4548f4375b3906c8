"""Complaints to ask about, and what makes each of their operations do its work."""

from typing import Any

from tests.api.conftest import Api

from safebelt.kernel.actors import OWNER, Role
from safebelt.rooms.portal.model.complaints import Complain, Filed
from safebelt.rooms.registry.model import PartyKind, RegisterParty
from safebelt.rooms.registry.model.supervision import SetUpOffice

DESK, PUBLIC = "/api/portal/complaints", "/api/public/complaints"
OPEN = {PUBLIC, f"{PUBLIC}/{{case_id}}"} | {
    f"{PUBLIC}/{{case_id}}/{end}" for end in ("receipt", "additions", "withdrawal")
}
"""What whoever complains asks without a token; beyond the first, with the code of their own complaint."""


def _filed(api: Api, number: int) -> Filed:
    return api.house.portal.complaints.complain(
        Complain(text=f"Complaint number {number}"), lang="en", address=f"198.51.100.{number}"
    )


def complained_in_public(api: Api) -> dict[str, dict[str, Any]]:
    """Complain, and return how each operation of whoever complains is asked."""
    one, over, gone = (_filed(api, number) for number in (1, 2, 3))

    def mine(filed: Filed, **more: Any) -> dict[str, Any]:
        path = {"case_id": filed.complaint.id}
        return {"path_parameters": path, "headers": {"x-complaint-code": filed.code}, **more}

    case = f"{PUBLIC}/{{case_id}}"
    file = {"name": "note.txt", "content": "bm90ZQ=="}
    return {
        f"POST {PUBLIC}": {"body": {"text": "It told me a lie.", "kind": "wrong", "files": [file]}},
        f"GET {case}": mine(one),
        f"GET {case}/receipt": mine(one),
        f"POST {case}/additions": mine(one, body={"text": "And again."}),
        f"POST {case}/withdrawal": mine(over, body={}),
        f"DELETE {case}": mine(gone),
    }


def complained(api: Api) -> dict[str, dict[str, Any]]:
    """Complain, and return how each operation of the two parties is asked."""
    complaints, registry = api.house.portal.complaints, api.house.registry
    officer = api.house.access.authenticate_token(api.tokens[Role.AUTHORITY])
    party = registry.register_party(RegisterParty(name="An office", kind=PartyKind.AUTHORITY), by=OWNER)
    registry.set_up_office(SetUpOffice(party_id=party.id, jurisdiction="eu"), by=officer)
    asker = api.house.access.authenticate_token(api.tokens[Role.ADMIN])
    ids = [_filed(api, number).complaint.id for number in (11, 12, 13, 14)]
    complaints.answer(ids[2], "An answer.", by=asker)
    case = f"{DESK}/{{case_id}}"
    return {
        f"GET {DESK}": {"query": {"is_apart": False}},
        f"POST {DESK}": {"body": {"text": "On paper.", "system_id": api.known["system_id"]}},
        f"GET {case}": {"path_parameters": {"case_id": ids[0]}},
        f"POST {case}/answers": {"path_parameters": {"case_id": ids[0]}, "body": {"text": "Sorry."}},
        f"POST {case}/pass": {
            "path_parameters": {"case_id": ids[1]},
            "body": {"reason": "Yours.", "office_id": party.id},
        },
        f"POST {case}/end": {"path_parameters": {"case_id": ids[2]}, "body": {"text": "Done."}},
        f"POST {case}/apart": {"path_parameters": {"case_id": ids[3]}, "body": {"is_apart": True}},
    }
