"""Certificates are issued to systems in service, are taken back at once, and the log remembers it all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tests.rooms.certificates.house import csr
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service, move

from safebelt.kernel.actors import MACHINE, OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.rooms.certificates.model import Axis, Filter, Found, Issue, Role, Standing, Why
from safebelt.rooms.certificates.pki import leaves
from safebelt.rooms.certificates.service import Brought, check_offline, pem_of
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.lifecycle import Issuer


def test_a_house_has_one_authority_and_says_so_where_it_has_none(bare) -> None:
    with pytest.raises(NotFound, match="found"):
        bare.authority()
    with pytest.raises(NotFound):
        bare.revocation_list()

    made = bare.found(Found(organization="  明理  认证 ", country="cn", issuer=Issuer.SELF), by=OWNER)

    assert (made.organization, made.country, set(made.parts)) == ("明理 认证", "CN", set(Role))
    with pytest.raises(Conflict):
        bare.found(Found(organization="another", country="CN", issuer=Issuer.SELF), by=OWNER)


@pytest.mark.parametrize(
    ("organization", "country"), [("", "CN"), ("x" * 65, "CN"), ("a\nb\0", "CN"), ("Mingli", "CHN"), ("Mingli", "中国")]
)
def test_what_cannot_stand_in_a_certificate_founds_nothing(bare, organization, country) -> None:
    with pytest.raises(Invalid):
        bare.found(Found(organization=organization, country=country, issuer=Issuer.SELF), by=OWNER)
    with pytest.raises(NotFound):
        bare.authority()


def test_the_root_key_may_leave_and_everything_goes_on(certificates, served) -> None:
    place = certificates.root_key_path()
    assert certificates.authority().has_root_key and oct(place.stat().st_mode)[-3:] == "600"

    away = place.rename(place.parent.parent / "usb-stick.key")

    assert not certificates.authority().has_root_key
    assert certificates.issue(Issue(system_id=served.id, request=csr()), by=OWNER).standing is Standing.GOOD
    with pytest.raises(Unavailable, match="root"):
        certificates.renew_root_list(by=OWNER)
    away.rename(place)
    assert certificates.renew_root_list(by=OWNER) == certificates.root_list()


def test_only_a_system_in_service_gets_one_and_the_refusal_says_what_is_missing(certificates, registry) -> None:
    system = enter(registry, DESCRIBED)

    with pytest.raises(Conflict) as refused:
        certificates.issue(Issue(system_id=system.id, request=csr()), by=OWNER)

    assert "accountable" in refused.value.what.en and "gate" in refused.value.hint.en
    assert certificates.certificates(Filter()).total == 0
    into_service(registry, system.id)
    assert certificates.issue(Issue(system_id=system.id, request=csr()), by=OWNER).system_id == system.id


def test_a_certificate_says_what_the_register_says(certificates, issued, served, registry) -> None:
    leaf = x509.load_der_x509_certificate(issued.der)
    claims = leaves.claims_of(leaf)

    assert (claims.system_id, claims.party_id) == (served.id, served.provider_id)
    assert claims.provisional and issued.provisional and served.provisional
    assert claims.issuer_kind == "association" and issued.issuer is Issuer.ASSOCIATION
    assert served.id in claims.register_url
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(days=90)
    assert "明理科技" in issued.subject


@pytest.mark.parametrize(
    "request_",
    [b"", b"rubbish", csr(rsa.generate_private_key(65537, 2048)), csr()[:-60], csr() + csr()],
    ids=["empty", "rubbish", "rsa", "cut", "two"],
)
def test_a_request_that_proves_nothing_gets_nothing(certificates, served, request_) -> None:
    with pytest.raises(Invalid):
        certificates.issue(Issue(system_id=served.id, request=request_), by=OWNER)
    assert certificates.certificates(Filter()).total == 0


@pytest.mark.parametrize("days", [0, -1, 91, 10**9])
def test_nothing_is_issued_for_longer_than_ninety_days(certificates, served, days) -> None:
    with pytest.raises(Invalid):
        certificates.issue(Issue(system_id=served.id, request=csr(), days=days), by=OWNER)


def test_a_key_speaks_for_one_system_and_a_lost_one_for_none(certificates, registry, served) -> None:
    other = into_service(registry, enter(registry, DESCRIBED).id)
    key = ed25519.Ed25519PrivateKey.generate()
    first = certificates.issue(Issue(system_id=served.id, request=csr(key)), by=OWNER)

    with pytest.raises(Conflict, match="Another system"):
        certificates.issue(Issue(system_id=other.id, request=csr(key)), by=OWNER)
    certificates.issue(Issue(system_id=served.id, request=csr(key)), by=OWNER)  # its own system may renew on it

    certificates.revoke(first.serial, Why.KEY_COMPROMISE, reason="a laptop was stolen", by=OWNER)
    with pytest.raises(Conflict, match="no longer secret"):
        certificates.issue(Issue(system_id=served.id, request=csr(key)), by=OWNER)


def test_suspending_resuming_and_revoking_show_at_once_in_answer_list_and_check(certificates, issued) -> None:
    def axis(which: Axis) -> Truth:
        return certificates.check(pem_of(issued.der).encode()).axes[which].holds

    def listed() -> dict[int, x509.ReasonFlags]:
        crl = x509.load_der_x509_crl(certificates.revocation_list())
        return {one.serial_number: one.extensions.get_extension_for_class(x509.CRLReason).value.reason for one in crl}

    number = int(issued.serial, 16)
    assert (axis(Axis.REVOCATION), axis(Axis.LOG), listed()) == (Truth.TRUE, Truth.TRUE, {})

    certificates.suspend(issued.serial, reason="a complaint", by=OWNER)
    assert (axis(Axis.REVOCATION), axis(Axis.LOG)) == (Truth.FALSE, Truth.FALSE)
    assert listed() == {number: x509.ReasonFlags.certificate_hold}

    certificates.resume(issued.serial, reason="unfounded", by=OWNER)
    assert (axis(Axis.REVOCATION), axis(Axis.LOG), listed()) == (Truth.TRUE, Truth.TRUE, {})

    certificates.revoke(issued.serial, Why.PRIVILEGE_WITHDRAWN, reason="found out", by=OWNER)
    assert (axis(Axis.REVOCATION), axis(Axis.LOG)) == (Truth.FALSE, Truth.FALSE)
    assert listed() == {number: x509.ReasonFlags.privilege_withdrawn}
    with pytest.raises(Conflict, match="final"):
        certificates.resume(issued.serial, reason="please", by=OWNER)


def test_whatever_is_done_to_a_certificate_needs_a_reason_and_leaves_one_entry(certificates, issued, ledger) -> None:
    before = ledger.count()
    for act in (certificates.suspend, certificates.resume):
        with pytest.raises((Invalid, Conflict)):
            act(issued.serial, reason="  ", by=OWNER)
    assert ledger.count() == before

    certificates.suspend(issued.serial, reason="Li Hua complained", by=OWNER)

    assert ledger.count() == before + 1
    entry = ledger.entries(subject=f"crt_{issued.serial}", limit=1)[0]
    assert b"Li Hua" not in entry.body and entry.personal == {"reason": "Li Hua complained"}


def test_two_who_revoke_at_once_leave_one_revocation(certificates, issued, ledger) -> None:
    def revoke(_: int) -> bool:
        try:
            certificates.revoke(issued.serial, Why.UNSPECIFIED, reason="both", by=OWNER)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(revoke, range(4)))

    assert sum(done) == 1
    assert len(ledger.entries(subject=f"crt_{issued.serial}", kind="certificates.revoked.v1")) == 1


def test_a_system_that_leaves_service_has_no_certificate_that_counts(
    certificates, issued, registry, served, ledger
) -> None:
    ledger.advance()
    assert certificates.follow(by=MACHINE) == 0
    move(registry, served.id, Status.SUSPENDED, "a fault")

    checked = certificates.check(pem_of(issued.der).encode())
    assert checked.axes[Axis.REGISTRATION].holds is Truth.FALSE  # before any habit had its turn

    ledger.advance()
    assert certificates.follow(by=MACHINE) == 1
    assert certificates.certificate(issued.serial).standing is Standing.SUSPENDED
    assert certificates.follow(by=MACHINE) == 0
    with pytest.raises(Conflict, match="not in service"):
        certificates.resume(issued.serial, reason="come on", by=OWNER)


def test_a_turn_looks_at_what_the_ledger_tells_of_and_now_and_then_at_all(
    certificates, issued, registry, served, ledger, clock, monkeypatch
) -> None:
    ledger.advance()
    looked = list[str]()
    asked = certificates._system
    monkeypatch.setattr(certificates, "_system", lambda one: looked.append(one) or asked(one))

    certificates.follow(by=MACHINE)
    assert looked == [served.id]  # the first turn
    certificates.follow(by=MACHINE)
    assert looked == [served.id]  # nothing happened since
    clock.move(minutes=11)
    certificates.follow(by=MACHINE)
    assert looked == [served.id] * 2


def test_a_natural_person_stands_in_a_certificate_by_their_id(certificates, registry) -> None:
    from safebelt.rooms.registry.model import PartyKind, RegisterParty

    person = registry.register_party(RegisterParty(name="Zhao Xiaoming", kind=PartyKind.PERSON), by=OWNER)
    system = into_service(registry, registry.register_described(DESCRIBED, provider_id=person.id, by=OWNER).id)

    made = certificates.issue(Issue(system_id=system.id, request=csr()), by=OWNER)

    assert "Zhao" not in made.subject and person.id in made.subject
    assert b"Zhao" not in made.der


def test_a_certificate_of_another_authority_holds_on_no_axis_that_trust_rests_on(
    certificates, served, bare, issued
) -> None:
    from cryptography.hazmat.primitives import hashes

    key = ec.generate_private_key(ec.SECP256R1())
    leaf = x509.load_der_x509_certificate(issued.der)
    builder = x509.CertificateBuilder().subject_name(leaf.subject).issuer_name(leaf.issuer).public_key(key.public_key())
    builder = builder.serial_number(leaf.serial_number).not_valid_before(leaf.not_valid_before_utc)
    builder = builder.not_valid_after(leaf.not_valid_after_utc)
    for one in leaf.extensions:
        builder = builder.add_extension(one.value, one.critical)
    forged = builder.sign(key, hashes.SHA256())

    axes = certificates.check(
        forged.public_bytes(__import__("cryptography").hazmat.primitives.serialization.Encoding.PEM)
    ).axes

    assert axes[Axis.CHAIN].holds is not Truth.TRUE
    assert axes[Axis.REVOCATION].holds is not Truth.TRUE
    assert axes[Axis.LOG].holds is Truth.FALSE  # the log knows that number, and other bytes under it


def test_a_stranger_with_the_root_and_the_answers_checks_it_offline(certificates, issued, ledger, clock) -> None:
    root, key = certificates.part(Role.ROOT), str(ledger.verifier_keys()[-1])
    chain = (pem_of(issued.der) + pem_of(certificates.part(Role.ISSUING))).encode()
    lists = (certificates.revocation_list(), certificates.root_list())

    def bring(**more) -> dict[Axis, Truth]:
        found = check_offline(chain, Brought(roots=root, **more), on=clock())
        return {axis: reason.holds for axis, reason in found.axes.items()}

    alone = bring()
    assert alone[Axis.CHAIN] is alone[Axis.VALIDITY] is alone[Axis.PURPOSE] is Truth.TRUE
    assert alone[Axis.REVOCATION] is alone[Axis.LOG] is alone[Axis.REGISTRATION] is Truth.UNKNOWN
    assert bring(crls=lists)[Axis.REVOCATION] is Truth.TRUE

    certificates.revoke(issued.serial, Why.SUPERSEDED, reason="newer", by=OWNER)
    receipt = ledger.prove(certificates.certificate(issued.serial).last_entry_id)

    assert (
        bring(crls=lists)[Axis.REVOCATION] is Truth.TRUE
    )  # an older list, still in its time: what it says is what it said
    assert bring(crls=lists, receipts=(receipt,), key=key)[Axis.LOG] is Truth.FALSE
    assert bring(crls=lists, receipts=(receipt.replace("index", "indez"),), key=key)[Axis.LOG] is Truth.UNKNOWN


def test_kept_identities_prove_who_they_are_and_renew_themselves(certificates, served, clock) -> None:
    import base64

    from cryptography.hazmat.primitives import hashes

    with pytest.raises(NotFound):
        certificates.identity("", "a" * 22)
    first = certificates.keep(served.id, by=OWNER)
    nonce = base64.urlsafe_b64encode(b"n" * 24).decode().rstrip("=")

    said = certificates.identity("", nonce)

    leaf = x509.load_pem_x509_certificates(said.chain.encode())[0]
    leaf.public_key().verify(base64.b64decode(said.signature), said.text.encode(), ec.ECDSA(hashes.SHA256()))
    assert f"nonce {nonce}\n" in said.text and "place https://ai.example.org\n" in said.text
    assert certificates.renew() == 0
    clock.move(days=61)
    assert certificates.renew() == 1
    (kept,) = certificates.kept()
    assert kept.serial != first.serial and kept.not_after > first.not_after
    assert x509.load_pem_x509_certificates(certificates.identity(served.id, nonce).chain.encode())[0] != leaf


def test_a_suspended_identity_proves_nothing_and_a_dropped_one_is_gone(certificates, served) -> None:
    made = certificates.keep(served.id, by=OWNER)
    certificates.suspend(made.serial, reason="a complaint", by=OWNER)
    with pytest.raises(Conflict):
        certificates.identity(served.id, "a" * 22)

    certificates.drop(served.id, reason="moved elsewhere", by=OWNER)

    assert certificates.kept() == ()
    with pytest.raises(NotFound):
        certificates.identity(served.id, "a" * 22)


@pytest.mark.parametrize("nonce", ["", "short", "a" * 87, "a" * 21 + "+", "中" * 22])
def test_a_nonce_must_be_long_enough_that_no_older_answer_fits(certificates, served, nonce) -> None:
    certificates.keep(served.id, by=OWNER)
    with pytest.raises(Invalid):
        certificates.identity("", nonce)


def test_the_authoritys_short_lived_parts_are_replaced_in_time_and_old_answers_stay_good(
    certificates, issued, clock
) -> None:
    before = certificates.part(Role.RESPONDER)
    assert certificates.keep_parts() == ()
    clock.move(days=25)

    assert certificates.keep_parts() == (Role.RESPONDER,)

    assert certificates.part(Role.RESPONDER) != before
    assert certificates.keep_parts() == ()
    assert certificates.check(pem_of(issued.der).encode()).axes[Axis.REVOCATION].holds is Truth.TRUE


def test_pages_of_certificates_lead_through_all_of_them(certificates, served, monkeypatch) -> None:
    monkeypatch.setattr("safebelt.rooms.certificates.store.PAGE", 4)
    made = {certificates.issue(Issue(system_id=served.id, request=csr()), by=OWNER).serial for _ in range(6)}

    first = certificates.certificates(Filter())
    rest = certificates.certificates(Filter(before=first.before))

    assert first.total == 6 and rest.before == "" and len(first.items) == 4
    assert {one.serial for one in (*first.items, *rest.items)} == made
    one = first.items[3]
    assert [found.serial for found in certificates.certificates(Filter(words=one.serial[5:25])).items] == [one.serial]
    assert certificates.certificate(one.serial.upper()).serial == one.serial
