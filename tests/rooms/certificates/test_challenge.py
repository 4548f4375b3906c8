"""What a live service answers is foreign input: only a whole and fitting proof holds, and nothing makes the judge stumble."""

import base64
import json
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.certificates.house import csr

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused, Unavailable
from safebelt.rooms.certificates.decide.challenging import fields_of, place_of
from safebelt.rooms.certificates.decide.identity import identity_text
from safebelt.rooms.certificates.model import Issue, Renewal
from safebelt.rooms.certificates.service import Elsewhere, challenge, pem_of
from safebelt.rooms.certificates.service.challenging import judged

ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NONCE, PLACE = "n" * 32, "https://api.example.org"
AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def answer(certificates, served) -> Callable[..., dict[str, Any]]:
    """What a service answers that has a certificate on a key; a test may change what is signed."""

    def build(key: Any = None, **other: Any) -> dict[str, Any]:
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = certificates.issue(Issue(system_id=served.id, request=csr(key)), by=OWNER)
        said = {"system_id": served.id, "place": PLACE, "nonce": NONCE, "at": AT, **other}
        text = identity_text(**said).encode()
        is_edwards = isinstance(key, ed25519.Ed25519PrivateKey)
        digest = hashes.SHA384() if not is_edwards and key.key_size == 384 else hashes.SHA256()
        signature = key.sign(text) if is_edwards else key.sign(text, ec.ECDSA(digest))
        return {
            "system_id": served.id,
            "text": text.decode(),
            "signature": base64.b64encode(signature).decode(),
            "chain": pem_of(made.der) + certificates.above(),
        }

    return build


@ON_ONE
@pytest.mark.parametrize("curve", ["p-256", "p-384", "ed25519"])
def test_a_fitting_answer_holds_whatever_kind_of_key_signed_it(answer, curve) -> None:
    kinds = {"p-256": ec.SECP256R1(), "p-384": ec.SECP384R1()}
    key = ec.generate_private_key(kinds[curve]) if curve in kinds else ed25519.Ed25519PrivateKey.generate()
    assert judged(answer(key), place=PLACE, nonce=NONCE).proof.holds is Truth.TRUE


@ON_ONE
@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"nonce": "o" * 32}, "nonce"),
        ({"place": "https://between.example.org"}, "asked"),
        ({"system_id": "sys_somebody"}, "system"),
    ],
)
def test_an_answer_to_something_else_fails_in_that_and_nothing_else(answer, other, why) -> None:
    found = judged(answer(**other), place=PLACE, nonce=NONCE)
    failed = [one.says.en for one in found.proof.because if one.holds is Truth.FALSE]
    assert found.proof.holds is Truth.FALSE and len(failed) == 1 and why in failed[0]


def changed(text: str, at: int) -> str:
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


@ON_ONE
def test_a_signature_that_is_spelled_otherwise_does_not_hold(answer) -> None:
    good = next(made for made in iter(answer, None) if made["signature"].endswith("="))
    body, pad = good["signature"].rstrip("="), "=" * good["signature"].count("=")
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    other = body[:-1] + letters[letters.index(body[-1]) + 1] + pad
    assert base64.b64decode(other) == base64.b64decode(good["signature"]), "bits that mean nothing"

    assert judged({**good, "signature": other}, place=PLACE, nonce=NONCE).proof.holds is Truth.FALSE


@ON_ONE
def test_no_changed_byte_of_what_was_signed_or_of_the_signature_holds(answer) -> None:
    good = answer()
    assert judged(good, place=PLACE, nonce=NONCE).proof.holds is Truth.TRUE

    for name in ("text", "signature"):
        for at in range(len(good[name])):
            found = judged({**good, name: changed(good[name], at)}, place=PLACE, nonce=NONCE)
            assert found.proof.holds is Truth.FALSE, (name, at)


def verdict_of(certificates, chain: str) -> Truth:
    try:
        return certificates.check(chain.encode()).holds
    except Invalid:
        return Truth.FALSE  # it can no longer be read at all, and the door says so


@ON_ONE
def test_a_changed_byte_of_the_certificate_shows_in_the_proof_or_in_the_check(answer, certificates, ledger) -> None:
    good = answer()
    ledger.advance()
    assert certificates.check(good["chain"].encode()).holds is Truth.TRUE

    for at in range(40, good["chain"].index("-----END"), 29):
        chain = changed(good["chain"], at)
        found = judged({**good, "chain": chain}, place=PLACE, nonce=NONCE)
        if found.proof.holds is Truth.TRUE and not good["chain"][at].isspace():
            assert verdict_of(certificates, chain) is Truth.FALSE


@given(
    said=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["text", "signature", "chain", "x"]), inner),
        max_leaves=8,
    )
)
def test_whatever_is_answered_is_judged_and_never_holds(said: Any) -> None:
    assert judged(said, place=PLACE, nonce=NONCE).proof.holds is Truth.FALSE


@given(text=st.text(max_size=300))
@settings(max_examples=200)
def test_only_texts_of_the_one_form_are_read(text: str) -> None:
    found = fields_of(text)
    assert found is None or list(found) == ["system", "place", "nonce", "at"]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://api.example.org", PLACE),
        ("HTTPS://API.Example.org:443/", PLACE),
        (" https://api.example.org/.well-known/safebelt/identity ", PLACE),
        ("http://127.0.0.1:8801", "http://127.0.0.1:8801"),
        ("http://[::1]:80/a/", "http://[::1]/a"),
    ],
)
def test_an_address_is_read_as_services_sign_it(address: str, place: str) -> None:
    assert place_of(address) == place


@pytest.mark.parametrize(
    "address",
    ["", "api.example.org", "ftp://a", "https://", "https://a?b", "https://a#b", "https://me@a", "https://a:b", "https://[", "https://a\\b", "https://" + "a" * 600],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        place_of(address)


# ---- over a line to somebody else's server


def client_of(answer: Callable[[httpx2.Request], httpx2.Response]) -> Callable[[], httpx2.Client]:
    return lambda: httpx2.Client(transport=httpx2.MockTransport(answer))


@pytest.mark.parametrize(
    ("status", "body", "holds"),
    [
        (200, b"<html>", Truth.FALSE),
        (200, b"{}", Truth.FALSE),
        (404, b"nothing here", Truth.UNKNOWN),
        (409, b'{"en": {"detail": "It is over."}}', Truth.UNKNOWN),
        (302, b"", Truth.UNKNOWN),
        (500, b"[1]", Truth.UNKNOWN),
    ],
)
def test_rubbish_is_no_proof_and_a_no_is_not_evaluated(status: int, body: bytes, holds: Truth) -> None:
    asked: list[httpx2.URL] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url)
        return httpx2.Response(status, content=body)

    found = challenge(PLACE + "/", new_client=client_of(answer), chance=bytes, system_id="sys_1")

    assert found.proof.holds is holds and found.chain == ""
    assert str(asked[0]) == f"{PLACE}/.well-known/safebelt/identity?nonce={'A' * 32}&system=sys_1"


def test_silence_raises_and_is_no_verdict() -> None:
    def silent(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("nobody")

    with pytest.raises(Unavailable):
        challenge(PLACE, new_client=client_of(silent), chance=bytes)


RENEWAL = Renewal(serial="1a", request=csr(), at=AT, days=90, signature=b"s")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", Unavailable),
        (200, b"[]", Unavailable),
        (201, b'{"pem": 5}', Unavailable),
        (404, b"<html>", Unavailable),
        (500, b'{"code": "internal", "en": 3}', Unavailable),
        (409, json.dumps({"code": "conflict", "en": {"detail": "It is over."}, "details": {"field": "serial"}}).encode(), Conflict),
        (403, b'{"code": "refused", "details": 7}', Refused),
    ],
)  # fmt: skip
def test_whatever_an_authority_answers_is_a_certificate_or_a_problem(status: int, body: bytes, kind) -> None:
    there = Elsewhere("https://ai.example.org/", new_client=client_of(lambda _: httpx2.Response(status, content=body)))
    with pytest.raises(kind) as met:
        there.renew(RENEWAL)
    assert isinstance(met.value, Problem) and met.value.what.zh and met.value.what.en
    with pytest.raises(Problem):
        there.above()


def test_an_authority_is_sent_what_its_door_reads_and_a_token_only_for_the_first() -> None:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(201, json={"pem": "PEM"})

    there = Elsewhere("https://ai.example.org", new_client=client_of(answer), token="sbt_secret")
    assert there.renew(RENEWAL) == "PEM"
    assert there.first(Issue(system_id="sys_1", request=csr(), days=7), after="") == "PEM"

    renewal, first = (json.loads(each.content) for each in sent)
    assert renewal == {
        "serial": "1a",
        "request": RENEWAL.request.decode(),
        "at": "2026-11-22T00:00:00+00:00",
        "days": 90,
        "signature": "cw==",
    }
    assert "authorization" not in sent[0].headers and sent[1].headers["authorization"] == "Bearer sbt_secret"
    assert first["days"] == 7 and not Elsewhere("https://a", new_client=client_of(answer)).can_begin
