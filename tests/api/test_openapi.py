"""The whole JSON API answers as its OpenAPI document says, whatever it is asked, and whoever asks."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from schemathesis import GenerationMode
from tests.api import approvals, complaints, originals, policies
from tests.api.asking import ask_all, described, faults, is_of_the_register, operations
from tests.api.certificates import certified
from tests.api.conftest import Api
from tests.rooms.belt.test_strikes import struck
from tests.rooms.certificates.test_pki_c2pa import POINT

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import Command, TwoPeople
from safebelt.rooms.registry.model import NamePerson, PersonRole, RegisterSystem
from safebelt.rooms.rulebook.model.deeds import ProposeOverride

EXAMPLES, MANY_EXAMPLES = 4, 100
OPEN = {"/health", "/api/access/me", "/api/access/why"} | {
    f"/api/ledger/{name}" for name in ("check", "check-consistency", "checkpoint", "consistency")
}
OPEN |= {"/api/public/systems", "/api/public/systems.csv", "/api/public/systems/{system_id}"}
OPEN |= {f"/api/public/systems/{{system_id}}/versions/{{version}}{end}" for end in ("", "/proof")}
OPEN |= {"/api/registry/cases/decisions/{system_id}"}
OPEN |= {"/api/certificates/renew"}  # whose proof is the key of a certificate that counts
OPEN |= complaints.OPEN
OPEN |= {"/api/public/transparency"}
OPEN |= {"/api/labelling/verify", "/api/certificates/check", "/.well-known/safebelt", "/.well-known/safebelt/identity"}
"""What anybody may ask without a token: nothing else."""
BODIES: dict[str, dict[str, Any]] = {
    "/api/belt/stop": {"command": "pause", "reason": "drill"},
    "/api/belt/resume": {"reason": "drill over"},
    "/api/belt/limit": {"per_minute": 600, "reason": "drill"},
    "/api/belt/unlimit": {"reason": "drill over"},
    "/api/belt/roll-back": {"to": "model:m-1", "reason": "drill"},
    "/api/belt/roll-forward": {"reason": "drill over"},
    "/api/belt/two-people": {"reason": "why"},
    "/api/belt/resume/propose": {"reason": "why"},
    "/api/belt/stop/propose": {"command": "cut", "reason": "why"},
    "/api/belt/limit/propose": {"per_minute": 600, "reason": "why"},
    "/api/belt/unlimit/propose": {"reason": "why"},
    "/api/belt/roll-back/propose": {"to": "model:m-1", "reason": "why"},
    "/api/belt/roll-forward/propose": {"reason": "why"},
    "/api/belt/systems/{system_id}/keys": {"name": "app"},
    "/api/belt/exchanges/{record_id}/erase": {"reason": "asked by the person"},
    "/api/rulebook/coverage": {"evidence": ["technical_documentation"]},
    "/api/rulebook/judge": {"facts": {"market.jurisdictions": ["eu"]}, "verdicts": ["applies"]},
    "/api/rulebook/interviews": {"name": "our chatbot"},
}
"""What is sent with a POST that needs nothing but itself."""
ROOT = Path(__file__).parents[2]
DRAFT = (ROOT / "law" / "drafts" / "eu-emotion-recognition.yaml").read_text("utf-8")
ANOTHER = Actor(id="usr_another", roles=frozenset({Role.AUTHORITY, Role.OVERSEER}), door="web")
"""Somebody who proposed what whoever asks is to second."""
FACTS = """
safebelt: system/1
id: second
name: {zh: 第二个, en: Second}
facts: {system.is_ai: true, use.military: also}
"""


def _is_ours(path: str) -> bool:
    """Whether an operation is tried here; the register's are in `test_register.py`."""
    return not is_of_the_register(path)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_response_is_undocumented(api: Api, mode: GenerationMode) -> None:
    heard = ask_all(api, mode, EXAMPLES, _is_ours)

    assert not heard.wrong, "\n\n".join(heard.wrong)
    assert len(heard.statuses) > 20


@pytest.mark.soak
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_response_is_undocumented_however_long_one_asks(api: Api, mode: GenerationMode) -> None:
    heard = ask_all(api, mode, MANY_EXAMPLES, _is_ours)

    assert not heard.wrong, "\n\n".join(heard.wrong)


def _reconciled() -> dict[str, dict[str, Any]]:
    log = b'10.0.0.1 - - [21/Nov/2026:12:00:00 +0000] "POST /v1/chat/completions HTTP/1.1" 200 5\n'
    form = "multipart/form-data"
    return {
        "POST /api/belt/reconcile": {"body": {"file": log}, "media_type": form},
        "POST /api/belt/reconciliations": {"body": {"file": log, "reason": "monthly check"}, "media_type": form},
    }


def _ordinary(api: Api) -> dict[str, dict[str, Any]]:
    """What makes each operation that fuzzing hardly ever gets right do its work."""
    known, belt = api.known, api.house.belt
    house = api.house
    second = house.registry.register_system(
        RegisterSystem(provider_id=known["party_id"], name_en="Second", purpose_en="To be fitted"), by=OWNER
    )
    named = NamePerson(role=PersonRole.OPERATOR, name="韩梅梅")
    house.registry.name_person(second.id, named, by=OWNER)
    personal = next(entry.id for entry in house.ledger.entries() if entry.personal)
    person = house.access.add_user("somebody", [Role.OPERATOR], by=OWNER).user
    token = house.access.issue_token(person.id, name="old", days=1, by=OWNER).token
    key = belt.issue_key(known["system_id"], "old", OWNER)[0]
    proof = {"proof": house.ledger.prove(known["entry_id"]), "key": str(house.ledger.verifier_keys()[0])}
    old = house.ledger.checkpoint()
    house.ledger.advance()
    assert old
    rules = _ruled(api, second.id)
    for target in belt.two_people():  # fuzzing may have asked for two people, and then nobody resumes alone
        if waits := belt.require_two(target, TwoPeople(), "as it was", ANOTHER):
            belt.second_order(waits.id, answer="yes", by=OWNER)
    system = {"system_id": known["system_id"]}
    return {
        "PATCH /api/belt/systems/{system_id}": {
            "path_parameters": system,
            "body": {"version": belt.harness(known["system_id"]).version, "stance": "observe"},
        },
        "POST /api/ledger/entries/{entry_id}/erase": {
            "path_parameters": {"entry_id": personal},
            "body": {"reason": "asked by the person"},
        },
        "POST /api/belt/systems": {"body": {"system_id": second.id}},
        **policies.brought(api),
        **approvals.held(api),
        **_reconciled(),
        **originals.sealed(api),
        "POST /api/belt/orders/{proposal_id}/second": {
            "path_parameters": {"proposal_id": belt.propose_order(Command.PAUSE, "", "drill", ANOTHER).id},
            "body": {"reason": "I agree"},
        },
        "POST /api/belt/keys/{key_id}/revoke": {"path_parameters": {"key_id": key.id}, "body": {"reason": "over"}},
        **_keys(belt, known["system_id"]),
        **_admission(belt),
        **_struck(api),
        "POST /api/ledger/check": {"body": {**proof, "policy": "quorum none\n"}},
        "POST /api/ledger/check-consistency": {"body": {**proof, "proof": house.ledger.consistency(old.size)}},
        "GET /api/ledger/consistency": {"query": {"old": old.size}},
        "PUT /api/access/users/{user}/roles": {
            "path_parameters": {"user": person.id},
            "body": {"roles": ["overseer"]},
        },
        "PUT /api/access/users/{user}/standing": {
            "path_parameters": {"user": person.id},
            "body": {"is_disabled": True},
        },
        "POST /api/access/users": {"body": {"name": "newcomer", "roles": ["auditor"]}},
        **rules,
        **certified(api),
        **complaints.complained(api),
        "POST /api/labelling/verify": {"body": {"file": b"AI-generated text"}, "media_type": "multipart/form-data"},
        "POST /api/labelling/mark": {
            "body": {"file": POINT, "marks": "aigc"},
            "media_type": "multipart/form-data",
        },
        "POST /api/access/tokens": {"body": {"name": "script"}},
        "DELETE /api/access/tokens/{token}": {"path_parameters": {"token": token.id}},
    }


def _admission(belt: Any) -> dict[str, dict[str, Any]]:
    """Rules of admission of which one version is in force, and another to be brought."""
    rules = belt.admission().content
    belt.load_admission(f"{rules}// second\n".encode(), "why", by=OWNER)
    return {
        "POST /api/belt/admission": {"body": {"cedar": f"{rules}// third\n", "reason": "why"}},
        "POST /api/belt/admission/check": {"body": {"cedar": rules}},
        "POST /api/belt/admission/try": {"body": {"purpose": "support"}},
        "POST /api/belt/admission/roll-back": {"body": {"reason": "why", "number": 1}},
        "POST /api/belt/admission/off": {"body": {"reason": "why"}},
    }


def _struck(api: Api) -> dict[str, dict[str, Any]]:
    """A strike that a person decides about."""
    strike = replace(struck(1), key_id=api.known["key_id"], system_id=api.known["system_id"])
    with api.house.sql.begin() as tx:
        tx.execute(store.strike.insert().values(**store.from_strike(strike)))
    path = {"path_parameters": {"strike_id": strike.id}}
    return {
        "GET /api/belt/strikes/{strike_id}": path,
        "POST /api/belt/strikes/{strike_id}/review": {**path, "body": {"decision": "upheld", "reason": "read"}},
    }


def _keys(belt: Any, system_id: str) -> dict[str, dict[str, Any]]:
    """Keys of whom one is read, one changed and one replaced."""
    read, changed, old = (belt.issue_key(system_id, name, OWNER)[0].id for name in ("read", "changed", "replaced"))
    terms = {"caller": "team", "scopes": ["chat"], "limits": [{"measure": "requests", "span": "day", "most": 9}]}
    return {
        "GET /api/belt/keys/{key_id}": {"path_parameters": {"key_id": read}},
        "GET /api/belt/keys/{key_id}/usage": {"path_parameters": {"key_id": read}},
        "PATCH /api/belt/keys/{key_id}": {
            "path_parameters": {"key_id": changed},
            "body": {"version": 1, "reason": "less", "terms": terms},
        },
        "POST /api/belt/keys/{key_id}/rotate": {
            "path_parameters": {"key_id": old},
            "body": {"reason": "yearly", "grace_hours": 1},
        },
    }


def _ruled(api: Api, barred: str) -> dict[str, dict[str, Any]]:
    """What the rulebook's operations need: something proposed by another, a system that meets a red line."""
    house, known = api.house, api.known
    house.registry.describe(barred, FACTS, by=OWNER)
    rules, until = house.rulebook, house.rulebook.today() + timedelta(days=7)
    override = ProposeOverride(norms=rules.barred_by(barred), until=until, reason="drill")
    party, covenant = known["party_id"], "demo-covenant"
    names = {"norm": "eu.ai-act.art_26__para_2", "place": "eu/ai-act/art_26__para_2", "law": "eu/ai-act"}
    path = "/api/rulebook"
    interview = {"interview_id": rules.start_interview("kept", by=_asker(api)).id}
    gone = {"interview_id": rules.start_interview("to erase", by=_asker(api)).id}
    refused, own = _proposed(api, "refused", ANOTHER), _proposed(api, "withdrawn", _asker(api))
    return {
        f"GET {path}/instruments/{{name}}": {"path_parameters": {"name": names["law"]}},
        f"GET {path}/norms/{{name}}": {"path_parameters": {"name": names["norm"]}},
        f"GET {path}/provisions/{{name}}": {"path_parameters": {"name": names["place"]}},
        f"GET {path}/crosswalks": {"query": {"a": "eu/ai-act", "b": "intl/iso-42001"}},
        f"GET {path}/impact/{{overlay_id}}": {"path_parameters": {"overlay_id": "eu/ai-act@2026-1744"}},
        f"GET {path}/interviews/{{interview_id}}": {"path_parameters": interview},
        f"GET {path}/interviews/{{interview_id}}/descriptor": {"path_parameters": interview},
        f"DELETE {path}/interviews/{{interview_id}}": {"path_parameters": gone},
        f"DELETE {path}/interviews/{{interview_id}}/answers/last": {"path_parameters": interview},
        f"POST {path}/interviews/{{interview_id}}/answers": {
            "path_parameters": interview,
            "body": {"fact": "market.jurisdictions", "value": ["eu"]},
        },
        f"POST {path}/norms/{{name}}/reviews": {
            "path_parameters": {"name": names["norm"]},
            "body": {"opinion": "agrees", "note": "read beside the text"},
        },
        f"POST {path}/covenants/adopt": {"body": {"party": party, "covenant": covenant}},
        f"POST {path}/covenants/leave": {"body": {"party": party, "covenant": covenant, "reason": "drill"}},
        f"POST {path}/drafts/check": {"body": {"draft": DRAFT}},
        f"POST {path}/impact": {"body": {"overlay": DRAFT, "population": "examples"}},
        f"POST {path}/drafts": {"body": {"draft": _named("asked"), "reason": "consulted on"}},
        f"POST {path}/drafts/{{proposal_id}}/second": {
            "path_parameters": {"proposal_id": _proposed(api, "seconded", ANOTHER)},
            "body": {"answer": "read it"},
        },
        f"POST {path}/systems/{{system_id}}/overrides": {
            "path_parameters": {"system_id": barred},
            "body": {"norms": list(override.norms), "until": until.isoformat(), "reason": "drill"},
        },
        f"POST {path}/overrides/{{proposal_id}}/second": {
            "path_parameters": {"proposal_id": rules.propose_override(barred, override, by=ANOTHER).id},
            "body": {"answer": "agreed"},
        },
        "GET /api/access/proposals/{proposal_id}": {"path_parameters": {"proposal_id": refused}},
        "POST /api/access/proposals/{proposal_id}/refusal": {
            "path_parameters": {"proposal_id": refused},
            "body": {"reason": "not yet"},
        },
        "POST /api/access/proposals/{proposal_id}/withdrawal": {
            "path_parameters": {"proposal_id": own},
            "body": {"reason": "changed our mind"},
        },
    }


def _named(name: str) -> str:
    """The demonstration draft under another id."""
    head, _, rest = DRAFT.partition("\n")
    return f"{head}-{name}\n{rest}"


def _proposed(api: Api, name: str, by: Actor) -> str:
    return api.house.rulebook.propose_draft(_named(name), reason="drill", by=by).id


def _asker(api: Api) -> Actor:
    """Who asks with an administrator's token."""
    return api.house.access.authenticate_token(api.tokens[Role.ADMIN])


def test_every_operation_does_its_work_for_who_asks_in_the_ordinary_way(api: Api) -> None:
    schema, ordinary = described(api), _ordinary(api)
    wrong: list[str] = []
    for operation in operations(schema, _is_ours):
        wrong += faults(api, operation, ordinary.pop(operation.label, None) or _simple(api, operation))

    assert not wrong, "\n\n".join(wrong)
    assert not ordinary, "asked for what does not exist"


def _simple(api: Api, operation: Any) -> dict[str, Any]:
    """Fill path parameters with ids that exist; a body needs no more than a reason or a name."""
    how: dict[str, Any] = {
        "path_parameters": {parameter.name: api.known[parameter.name] for parameter in operation.path_parameters}
    }
    if operation.label == "GET /api/access/why":
        how["query"] = {"action": "belt.stop"}
    if operation.method == "post":
        how["body"] = BODIES[operation.path]
    return how


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("2026-11-21T12:00:00Z", 200),
        ("2026-11-21T12:00:00.25+08:00", 200),
        ("0.0", 400),
        ("2026-11-21T12:00:00", 400),
        ("2026-02-30T12:00:00Z", 422),
        ("0001-01-01T00:00:00+14:00", 422),
    ],
)
def test_a_moment_has_a_zone_and_exists(api: Api, since: str, status: int) -> None:
    with TestClient(api.app) as client:
        answer = client.get("/api/belt/exchanges", params={"since": since}, headers=api.headers())

    assert answer.status_code == status


def test_every_guarded_operation_refuses_who_shows_no_token_or_a_wrong_one(api: Api) -> None:
    wrong = {"authorization": "Bearer sbt_not-a-token"}
    with TestClient(api.app) as client:
        for path, method in _operations(api):
            is_open, address = path in OPEN, path.replace("{version}", "1")  # a number, or there is no such address
            assert (client.request(method, address, json={}).status_code == 401) is not is_open, path
            assert client.request(method, address, json={}, headers=wrong).status_code in {401}, path


def test_a_log_reaches_our_witness_and_our_tiles_without_token_cookie_or_form(api: Api) -> None:
    with TestClient(api.app) as client:
        unknown = client.post("/witness/add-checkpoint", content=_submission(api))
        noise = client.post("/witness/add-checkpoint", content=b"noise")
        shown = client.get("/log/checkpoint")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert (noise.status_code, noise.json()["code"]) == (400, "bad-request")
    assert shown.status_code == 200


def _submission(api: Api) -> bytes:
    last = api.house.ledger.checkpoint()
    assert last
    return f"old 0\n\n{last.note}".encode()


def test_the_document_says_which_operations_are_open(api: Api) -> None:
    schema = api.app.openapi_schema.to_schema()
    said = {path for path, item in schema["paths"].items() for op in item.values() if {} in op.get("security", [])}

    assert said == OPEN


FORBIDDEN = {
    Role.OPERATOR: ["POST /api/belt/resume", "POST /api/access/users", "POST /api/ledger/entries/{entry_id}/erase"],
    Role.OVERSEER: ["POST /api/belt/systems/{system_id}/keys", "PATCH /api/belt/systems/{system_id}"],
    Role.AUTHORITY: ["POST /api/belt/keys/{key_id}/revoke", "POST /api/belt/resume", "GET /api/access/users"],
}
"""Deeds that are not of a role's office.  An auditor's are all that change anything: see the test."""


def test_deeds_beyond_a_role_are_refused_and_leave_nothing_behind(api: Api) -> None:
    auditor = [f"{method} {path}" for path, method in _operations(api) if method != "GET" and not _harmless(path)]
    assert len(auditor) > 12
    before = api.house.ledger.entries()[0].id
    with TestClient(api.app) as client:
        for role, deeds in {**FORBIDDEN, Role.AUDITOR: auditor}.items():
            for deed in deeds:
                method, path = deed.split()
                answer = client.request(method, path.format_map(_Ids(api)), json={}, headers=api.headers(role))
                assert answer.status_code == 403, (role, deed, answer.text)
                assert answer.json()["code"] == "refused"

    assert api.house.ledger.entries()[0].id == before


def _harmless(path: str) -> bool:
    """Whether a POST only computes, or keeps one's own account or interviews."""
    own = ("/api/access/tokens", "/api/rulebook/interviews")
    return path in OPEN or path in COMPUTES or path.startswith(own)


COMPUTES = {
    "/api/belt/policies/check",
    "/api/belt/policies/replay",
    "/api/belt/over-blocking",  # a measurement; whoever may read the figures may have them made
    "/api/belt/admission/check",
    "/api/belt/reconcile",
    "/api/belt/admission/try",
    *(f"/api/rulebook/{name}" for name in ("judge", "coverage", "impact", "drafts/check")),
    *(f"/api/access/proposals/{{proposal_id}}/{name}" for name in ("refusal", "withdrawal")),
    "/api/registry/systems/{system_id}/changes/preview",
    "/api/registry/bulk/preview",
    "/api/registry/systems/{system_id}/package",  # an auditor may take a dossier out; the ledger remembers it
}
"""A POST to these changes nothing, or nothing that the right to the proposed act does not open."""


class _Ids(dict[str, str]):
    """Ids for a path: known ones, else made up."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.known)

    def __missing__(self, name: str) -> str:
        return f"{name}_none"


def _operations(api: Api) -> list[tuple[str, str]]:
    paths = api.app.openapi_schema.to_schema()["paths"]
    return [(path, method.upper()) for path, item in paths.items() for method in item]
