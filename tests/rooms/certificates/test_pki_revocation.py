"""Revocation fails closed: hundreds of faults, made one by one by rule, and not one is taken for a proof."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from tests.rooms.certificates.pki_faults import (
    HOUR,
    STRANGE,
    by_library,
    crafted,
    faults,
    list_by_library,
    only,
    responder,
    single,
    without_root_list,
)
from tests.rooms.certificates.pki_house import (
    DAY,
    NOW,
    curve,
    family,
    make_family,
    strangers,
    subject,
)

from safebelt.rooms.certificates.pki import crl, hierarchy
from safebelt.rooms.certificates.pki.crl import Revoked
from safebelt.rooms.certificates.pki.names import Ground
from safebelt.rooms.certificates.pki.ocsp import State
from safebelt.rooms.certificates.pki.revocation import SKEW

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a certificate a flipped bit has spoilt


# --- what is good is ok ------------------------------------------------------------------------------------------


def test_an_answer_of_the_delegated_responder_proves_it() -> None:
    examined = family().examine(ocsp=family().answer())

    assert examined.is_ok
    assert "says good" in examined.revocation.reason.as_text("en")
    assert "有效" in examined.revocation.reason.as_text("zh")


def test_a_fresh_list_that_does_not_name_it_proves_it() -> None:
    assert family().examine(crls=(family().list_(),)).is_ok
    assert family().examine(crls=(family().list_([Revoked(serial=1, at=NOW)]),)).is_ok


def test_both_together_and_a_list_of_somebody_else_beside_change_nothing() -> None:
    beside = crl.make_crl(strangers().stamping_ca, [], number=1, on=NOW, next_update=NOW + DAY)

    assert family().examine(ocsp=family().answer(), crls=(family().list_(), beside)).is_ok


def test_the_authority_itself_may_answer_and_a_nonce_that_comes_back_is_right() -> None:
    assert family().examine(ocsp=family().answer(responder=family().issuing)).is_ok
    assert family().examine(ocsp=family().answer(nonce=b"n" * 32), nonce=b"n" * 32).is_ok


def test_a_clock_that_runs_a_little_ahead_is_forgiven() -> None:
    assert family().examine(ocsp=family().answer(on=NOW + SKEW)).is_ok
    assert family().examine(crls=(family().list_(on=NOW + SKEW),)).is_ok


# --- what is revoked is bad --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Ground)
def test_revoked_by_answer_or_list_is_bad_for_every_reason(reason) -> None:
    leaf = family().leaf
    told = family().answer(State(at=NOW - HOUR, reason=reason))
    listed = family().list_([Revoked(serial=leaf.serial_number, at=NOW - HOUR, reason=reason)])
    word = "suspended" if reason is Ground.CERTIFICATE_HOLD else "revoked at"

    for examined in (
        family().examine(ocsp=told),
        family().examine(crls=(listed,)),
        family().examine(ocsp=told, crls=(family().list_(),)),
        family().examine(ocsp=family().answer(), crls=(listed,)),
    ):
        assert examined.revocation.state == "bad"
        assert word in examined.revocation.reason.as_text("en")
        assert not examined.is_ok


def test_a_revocation_stays_true_when_the_answer_or_the_list_is_old() -> None:
    leaf = family().leaf
    told = family().answer(State(at=NOW - HOUR))
    listed = family().list_([Revoked(serial=leaf.serial_number, at=NOW)])
    later = NOW + 5 * DAY

    assert family().examine(ocsp=told, on=later).revocation.state == "bad"
    assert family().examine(crls=(listed,), on=later).revocation.state == "bad"
    assert (
        family()
        .examine(crls=(listed, family().list_(on=later, number=8, next_update=later + DAY)), on=later)
        .revocation.state
        == "bad"
    )


def test_a_hold_that_a_newer_list_no_longer_names_is_over() -> None:
    held = family().list_([Revoked(serial=family().leaf.serial_number, at=NOW, reason=Ground.CERTIFICATE_HOLD)])
    released = family().list_(number=8)

    assert family().examine(crls=(held, released)).is_ok
    assert family().examine(crls=(family().list_(number=6, on=NOW - HOUR), held)).revocation.state == "bad"


def test_an_issuing_authority_the_root_has_revoked_takes_its_leaves_with_it() -> None:
    own = family().issuing.certificate.serial_number
    listed = crl.make_crl(
        family().root,
        [Revoked(serial=own, at=NOW, reason=Ground.CA_COMPROMISE)],
        number=2,
        on=NOW,
        next_update=NOW + DAY,
    )

    examined = family().examine(ocsp=family().answer(), crls=(listed,))

    assert examined.revocation.state == "bad"
    assert "测试签发机构" in examined.revocation.reason.as_text("zh")


# --- the faults --------------------------------------------------------------------------------------------------


def test_hundreds_of_faults_and_not_one_is_taken_for_a_proof() -> None:
    made = faults()
    tried = {name: examine().revocation for name, examine in made}

    assert len(tried) == len(made) >= 400
    assert [name for name, axis in tried.items() if axis.state == "ok"] == []
    assert {axis.state for axis in tried.values()} == {"unknown"}  # nobody said *revoked* in any of them
    assert all(axis.reason.says.zh and axis.reason.says.en for axis in tried.values())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: b"junk", "cannot be read"),
        (lambda: b"", "empty"),
        (lambda: family().answer(None), "does not know"),
        (lambda: family().answer(on=NOW - DAY, valid_for=HOUR), "stale"),
        (lambda: family().answer(on=NOW + DAY), "from the future"),
        (lambda: family().answer(responder=strangers().responder), "No responder of the issuer"),
        (lambda: family().answer(leaf=family().issue(serial=99)), "another certificate"),
        (lambda: family().answer(nonce=b"other"), "nonce"),
    ],
)
def test_an_unknown_says_why(answer, why) -> None:
    examined = family().examine(ocsp=answer(), nonce=b"mine" if why == "nonce" else None)

    assert why in examined.revocation.reason.as_text("en")


def test_the_faults_are_faults_of_a_thing_that_is_otherwise_good() -> None:
    now = datetime.now(UTC)  # the library writes the machine's clock into its answer, whenever the family was made
    assert family().examine(ocsp=by_library(), crls=(list_by_library(),), on=now).revocation.state == "ok"
    assert family().examine(crls=(list_by_library(line=(STRANGE, False)),)).revocation.state == "ok"
    assert family().examine(ocsp=family().answer(responder=responder())).revocation.state == "ok"
    for good in (
        crafted(),
        crafted(single(named="sha1")),
        crafted(by=responder()),
    ):
        assert family().examine(ocsp=good).revocation.state == "ok"


def test_a_responder_outlives_no_month() -> None:
    made = hierarchy.make_responder(family().issuing, subject("r"), on=NOW, key=curve("r"))

    assert made.certificate.not_valid_after_utc - NOW < 30 * DAY
    assert made.certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)


def test_elliptic_authorities_are_judged_alike() -> None:
    small = make_family(curve("ca a"), curve("ca b"), curve("ca c"), tag=" small")

    assert small.examine(ocsp=small.answer()).is_ok and small.examine(crls=(small.list_(),)).is_ok
    assert small.examine(ocsp=family().answer()).revocation.state == "unknown"
    assert isinstance(small.root.key, ec.EllipticCurvePrivateKey)


@pytest.mark.soak
@pytest.mark.parametrize("what", ["an answer", "a list", "the root's list"])
def test_with_any_one_bit_changed_nothing_is_a_proof_any_more(what) -> None:
    proven = family().answer()
    good = {"an answer": family().answer(), "a list": family().list_(), "the root's list": family().root_list}[what]
    examine_with = {
        "an answer": lambda data: only(answer=data),
        "a list": lambda data: only(crls=(data,)),
        "the root's list": lambda data: without_root_list(ocsp=proven, crls=(data,)),
    }[what]
    assert examine_with(good)().is_ok

    states = Counter[str]()
    for place in range(len(good)):
        for bit in range(8):
            changed = bytearray(good)
            changed[place] ^= 1 << bit
            states[examine_with(bytes(changed))().revocation.state] += 1

    assert states == {"unknown": 8 * len(good)}
