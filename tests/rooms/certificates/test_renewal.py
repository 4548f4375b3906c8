"""Whoever holds the key of a certificate that counts gets the next one; nobody else does, and nobody gets two."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from tests.rooms.certificates.house import csr
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service, move

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.certificates.decide.renewal import LONGEST_PAUSE, SKEW, due_at, next_try, renewal_text
from safebelt.rooms.certificates.model import Certificate, Filter, Issue, Renewal, Standing, Why
from safebelt.rooms.registry.model import Status

ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the two databases cannot do differently."""
KEYS = {
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def signed(key, text: str) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(text.encode())
    return key.sign(text.encode(), ec.ECDSA(hashes.SHA384() if key.key_size == 384 else hashes.SHA256()))


def asking(present: Certificate, key, request: bytes, at: datetime, *, days: int = 90, **other) -> Renewal:
    """What the holder of a key sends; `other` changes what is signed."""
    said = {"system_id": present.system_id, "fingerprint": present.fingerprint, "request": request, "days": days}
    text = renewal_text(**{**said, "at": at, **other})
    return Renewal(serial=present.serial, request=request, at=at, days=days, signature=signed(key, text))


@pytest.fixture
def key():
    return KEYS["p-256"]()


@pytest.fixture
def present(certificates, served, key) -> Certificate:
    return certificates.issue(Issue(system_id=served.id, request=csr(key)), by=OWNER)


@ON_ONE
@pytest.mark.parametrize("kind", KEYS)
def test_the_key_of_a_certificate_that_counts_gets_the_next_and_the_log_says_whose_key_asked(
    certificates, served, clock, ledger, kind
) -> None:
    key = KEYS[kind]()
    present = certificates.issue(Issue(system_id=served.id, request=csr(key)), by=OWNER)
    clock.move(days=60)

    made = certificates.renew_by_proof(asking(present, key, csr(), clock()))

    assert made.system_id == served.id and timedelta(days=89) < made.not_after - clock() < timedelta(days=90)
    (entry,) = ledger.entries(subject=f"crt_{made.serial}")
    assert (entry.kind, entry.actor) == ("certificates.issued.v1", f"crt_{present.serial}")
    assert certificates.certificate(present.serial).standing is Standing.GOOD  # it ends by itself


def test_a_request_told_twice_or_by_two_at_once_leaves_one_certificate_and_one_entry(
    certificates, present, key, clock, ledger
) -> None:
    asked = asking(present, key, csr(), clock())

    with ThreadPoolExecutor(4) as pool:
        found = [each.result() for each in [pool.submit(certificates.renew_by_proof, asked) for _ in range(4)]]

    assert len({one.serial for one in found}) == 1
    assert certificates.certificates(Filter()).total == 2
    assert len(ledger.entries(kind="certificates.issued.v1")) == 2

    certificates.revoke(found[0].serial, Why.SUPERSEDED, reason="not wanted", by=OWNER)
    with pytest.raises(Conflict, match="taken back"):  # what was taken back is not handed out again
        certificates.renew_by_proof(asked)


@ON_ONE
@pytest.mark.parametrize("off", [timedelta(minutes=11), timedelta(minutes=-11), timedelta(days=400)])
def test_a_request_of_another_time_is_refused_and_says_what_time_it_is(certificates, present, key, clock, off) -> None:
    with pytest.raises(Invalid) as met:
        certificates.renew_by_proof(asking(present, key, csr(), clock() + off))
    assert met.value.details["now"].startswith("2026-11-21")

    almost = asking(present, key, csr(), clock() + SKEW)
    assert (
        certificates.renew_by_proof(almost).system_id == present.system_id
    )  # the control: a clock that is off a little


@ON_ONE
def test_what_another_key_signed_or_what_was_changed_on_the_way_is_refused(certificates, present, key, clock) -> None:
    good, other = asking(present, key, csr(), clock()), KEYS["p-256"]()
    forged = [
        asking(present, other, csr(), clock()),
        replace(good, request=csr()),  # somebody else's key slipped in
        replace(good, days=89),
        replace(good, at=clock() - timedelta(seconds=1)),
        replace(good, signature=b""),
        replace(good, signature=good.signature[:-1] + bytes([good.signature[-1] ^ 1])),
        asking(present, key, csr(), clock(), fingerprint="00" * 32),
        asking(present, key, csr(), clock(), system_id="sys_another"),
    ]

    for one in forged:
        with pytest.raises(Refused):
            certificates.renew_by_proof(one)

    assert certificates.certificates(Filter()).total == 1
    assert certificates.renew_by_proof(good).standing is Standing.GOOD


@ON_ONE
def test_a_proof_of_identity_is_no_request_and_a_request_no_proof(certificates, served, clock) -> None:
    kept = certificates.keep(served.id, by=OWNER)
    said = certificates.identity(served.id, "a" * 22)
    asked = Renewal(serial=kept.serial, request=csr(), at=clock(), days=90, signature=base64.b64decode(said.signature))
    with pytest.raises(Refused):
        certificates.renew_by_proof(asked)


@ON_ONE
def test_a_certificate_that_does_not_count_renews_nothing(certificates, present, key, clock, registry) -> None:
    certificates.suspend(present.serial, reason="a complaint", by=OWNER)
    with pytest.raises(Conflict, match="suspended"):
        certificates.renew_by_proof(asking(present, key, csr(), clock()))
    certificates.resume(present.serial, reason="unfounded", by=OWNER)

    clock.move(days=91)
    with pytest.raises(Conflict, match="over"):
        certificates.renew_by_proof(asking(present, key, csr(), clock()))


@ON_ONE
def test_a_lost_key_renews_nothing(certificates, present, key, clock) -> None:
    certificates.revoke(present.serial, Why.KEY_COMPROMISE, reason="stolen", by=OWNER)
    with pytest.raises(Conflict, match="revoked"):
        certificates.renew_by_proof(asking(present, key, csr(), clock()))


@ON_ONE
def test_a_system_that_left_service_is_told_what_is_missing(certificates, present, key, clock, registry) -> None:
    move(registry, present.system_id, Status.SUSPENDED)
    with pytest.raises(Conflict, match="service"):
        certificates.renew_by_proof(asking(present, key, csr(), clock()))


@ON_ONE
def test_the_next_key_is_another_and_nobody_elses(certificates, present, key, clock, registry) -> None:
    with pytest.raises(Conflict, match="another key"):
        certificates.renew_by_proof(asking(present, key, csr(key), clock()))

    theirs, neighbour = KEYS["p-256"](), into_service(registry, enter(registry, DESCRIBED).id)
    certificates.issue(Issue(system_id=neighbour.id, request=csr(theirs)), by=OWNER)
    with pytest.raises(Conflict, match="Another system"):
        certificates.renew_by_proof(asking(present, key, csr(theirs), clock()))
    with pytest.raises(NotFound):
        certificates.renew_by_proof(replace(asking(present, key, csr(), clock()), serial="1234"))


@ON_ONE
def test_programs_renew_over_the_api_without_any_token(client: TestClient, certificates, present, key, clock) -> None:
    asked = asking(present, key, csr(), clock(), days=30)
    body = {
        "serial": present.serial,
        "request": asked.request.decode(),
        "at": asked.at.isoformat(),
        "days": 30,
        "signature": base64.b64encode(asked.signature).decode(),
    }

    made = client.post("/api/certificates/renew", json=body)
    again = client.post("/api/certificates/renew", json=body)

    assert made.status_code == again.status_code == 201 and made.json()["serial"] == again.json()["serial"]
    leaf = x509.load_pem_x509_certificate(made.json()["pem"].encode())
    assert leaf.public_key() == x509.load_pem_x509_csr(asked.request).public_key()
    assert client.post("/api/certificates/renew", json={**body, "days": 31}).status_code == 403
    assert client.post("/api/certificates/renew", json={**body, "signature": "no base64 ~"}).status_code == 422


def test_what_is_signed_is_written_as_the_reference_says() -> None:
    at = datetime.fromisoformat("2026-11-22T10:00:00+00:00")

    text = renewal_text(system_id="sys_1", fingerprint="ab", request=b"CSR", days=90, at=at)

    assert text == (
        "safebelt renewal v1\nsystem sys_1\ncertificate ab\n"
        f"request {sha256(b'CSR').hexdigest()}\ndays 90\nat 2026-11-22T10:00:00+00:00\n"
    )


@given(days=st.integers(1, 90), mark=st.text(max_size=40))
def test_a_renewal_is_due_between_three_fifths_and_two_thirds_of_the_life(days: int, mark: str) -> None:
    begins = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    ends = begins + timedelta(days=days)

    part = (due_at(begins, ends, mark) - begins) / (ends - begins)

    assert 3 / 5 - 1e-6 <= part <= 2 / 3 + 1e-6


def test_renewals_of_a_day_are_spread() -> None:
    begins = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    ends = begins + timedelta(days=90)

    hours = {due_at(begins, ends, f"{number:x}").strftime("%d %H") for number in range(200)}

    assert len(hours) > 80  # of the 144 hours there are


@given(
    failures=st.integers(1, 10_000), left=st.integers(-86_400, 90 * 86_400), chance=st.binary(min_size=4, max_size=4)
)
def test_pauses_grow_to_six_hours_and_never_beyond_what_is_left(failures: int, left: int, chance: bytes) -> None:
    now = datetime.fromisoformat("2026-01-01T00:00:00+00:00")

    pause = next_try(now, failures, not_after=now + timedelta(seconds=left), chance=chance) - now

    assert timedelta(seconds=45) <= pause <= LONGEST_PAUSE * 1.25
    if left > 3600:
        assert pause < timedelta(seconds=left)
    if failures > 10 and left <= 0:
        assert pause >= LONGEST_PAUSE * 0.75
