"""Programs and libraries that are not ours accept the chain, the list, the answer and the stamp, and refuse wrong ones."""

import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha384, sha512
from pathlib import Path

import pytest
import rfc3161_client
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from cryptography.x509 import verification
from tests.rooms.certificates.pki_house import DAY, NOW, Family, curve, elders, family, strangers

from safebelt.rooms.certificates.pki import crl, names, ocsp, requests, stamps
from safebelt.rooms.certificates.pki.crl import Revoked
from safebelt.rooms.certificates.pki.names import Ground

DATA = "一份登记材料".encode()


def openssl(*words: str | Path) -> tuple[bool, str]:
    """Run the program; where it is missing the test fails and says so."""
    try:
        done = subprocess.run(["openssl", *map(str, words)], check=False, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.fail("the openssl command is needed for this test: apt-get install openssl")
    return done.returncode == 0, done.stdout + done.stderr


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def pem_list(der: bytes) -> bytes:
    return x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Files as a stranger would have them."""
    return laid_out(tmp_path, family())


def laid_out(tmp_path: Path, ours: Family) -> Path:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "root.pem").write_bytes(pem(ours.root.certificate))
    (tmp_path / "issuing.pem").write_bytes(pem(ours.issuing.certificate))
    (tmp_path / "leaf.pem").write_bytes(pem(ours.leaf))
    (tmp_path / "stranger.pem").write_bytes(pem(strangers().root.certificate))
    (tmp_path / "lists.pem").write_bytes(pem_list(ours.list_()) + pem_list(ours.root_list))
    revoked = ours.list_([Revoked(serial=ours.leaf.serial_number, at=NOW, reason=Ground.KEY_COMPROMISE)])
    (tmp_path / "revoked.pem").write_bytes(pem_list(revoked) + pem_list(ours.root_list))
    return tmp_path


# --- the chain and the list --------------------------------------------------------------------------------------


def verify(desk: Path, *, root: str = "root.pem", lists: str = "lists.pem", leaf: str = "leaf.pem") -> tuple[bool, str]:
    return openssl(
        "verify", "-x509_strict", "-crl_check_all", "-CAfile", desk / root, "-untrusted", desk / "issuing.pem",
        "-CRLfile", desk / lists, desk / leaf,
    )  # fmt: skip


def test_openssl_accepts_the_chain_and_the_lists_and_refuses_a_revoked_leaf(desk) -> None:
    assert verify(desk) == (True, f"{desk / 'leaf.pem'}: OK\n")

    is_ok, said = verify(desk, lists="revoked.pem")
    assert not is_ok and "certificate revoked" in said
    assert not verify(desk, root="stranger.pem")[0]


def test_openssl_accepts_the_chain_of_an_authority_founded_with_rsa_and_keeps_the_two_apart(tmp_path, desk) -> None:
    before = laid_out(tmp_path / "before", elders())

    assert verify(before) == (True, f"{before / 'leaf.pem'}: OK\n")
    assert not verify(before, leaf=str(desk / "leaf.pem"))[0]


def test_openssl_accepts_the_stamper_and_the_responder(desk) -> None:
    ours = family()
    (desk / "responder.pem").write_bytes(pem(ours.responder.certificate))
    (desk / "stamping.pem").write_bytes(pem(ours.stamping_ca.certificate))
    (desk / "stamper.pem").write_bytes(pem(ours.stamper.certificate))

    assert openssl(
        "verify",
        "-x509_strict",
        "-CAfile",
        desk / "root.pem",
        "-untrusted",
        desk / "issuing.pem",
        desk / "responder.pem",
    )[0]
    words = (
        "-x509_strict",
        "-purpose",
        "timestampsign",
        "-CAfile",
        desk / "root.pem",
        "-untrusted",
        desk / "stamping.pem",
    )
    assert openssl("verify", *words, desk / "stamper.pem")[0]
    assert not openssl("verify", *words, desk / "leaf.pem")[0]


def by_library(
    leaf: x509.Certificate, others: list[x509.Certificate], root: x509.Certificate
) -> list[x509.Certificate]:
    """Validate with `cryptography`'s own validator; its rules for web servers are not ours, so they are left out."""
    free = verification.ExtensionPolicy.permit_all()
    authority = free.require_present(x509.BasicConstraints, verification.Criticality.CRITICAL, None)
    store = verification.Store([root])
    builder = verification.PolicyBuilder().store(store).time(NOW)
    verifier = builder.extension_policies(ca_policy=authority, ee_policy=free).build_client_verifier()
    return verifier.verify(leaf, others).chain


def test_another_validator_accepts_the_chain_and_refuses_a_strangers_root() -> None:
    ours = family()

    assert by_library(ours.leaf, [ours.issuing.certificate], ours.root.certificate) == [
        ours.leaf, ours.issuing.certificate, ours.root.certificate,
    ]  # fmt: skip
    with pytest.raises(verification.VerificationError):
        by_library(ours.leaf, [ours.issuing.certificate], strangers().root.certificate)


def test_another_library_reads_the_list_as_it_was_meant() -> None:
    entries = [Revoked(serial=n + 1, at=NOW - DAY, reason=reason) for n, reason in enumerate(Ground)]
    found = x509.load_der_x509_crl(family().list_(entries, number=41))

    assert found.is_signature_valid(family().issuing.certificate.public_key())
    assert found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 41
    assert [line.serial_number for line in found] == [entry.serial for entry in entries]
    for line, entry in zip(found, entries, strict=True):
        told = {one.value.reason.value for one in line.extensions}
        assert told == (set() if entry.reason is Ground.UNSPECIFIED else {entry.reason.value})
        assert line.revocation_date_utc == entry.at


def test_a_list_of_twenty_thousand_is_made_and_looked_up() -> None:
    entries = [Revoked(serial=(1 << 128) + n, at=NOW) for n in range(20_000)]
    listed = family().list_(entries)

    assert len(listed) < 1_200_000
    assert family().examine(crls=(listed,)).is_ok


# --- the answer --------------------------------------------------------------------------------------------------


def ask(desk: Path, answer: bytes, *, root: str = "root.pem") -> tuple[bool, str]:
    (desk / "answer.der").write_bytes(answer)
    is_ok, said = openssl(
        "ocsp", "-respin", desk / "answer.der", "-issuer", desk / "issuing.pem", "-sha256", "-cert", desk / "leaf.pem",
        "-CAfile", desk / root, "-verify_other", desk / "issuing.pem", "-no_nonce",
    )  # fmt: skip
    return is_ok and "Response verify OK" in said, said


def test_openssl_accepts_our_answers(desk) -> None:
    ours = family()
    revoked = ocsp.State(at=NOW, reason=Ground.SUPERSEDED)

    for state, word in ((ocsp.State(), ": good"), (revoked, ": revoked"), (None, ": unknown")):
        is_ok, said = ask(desk, ours.answer(state))
        assert is_ok and word in said, said
    assert "superseded" in ask(desk, ours.answer(revoked))[1]


def test_openssl_refuses_an_answer_of_a_strangers_responder_or_a_stale_one(desk) -> None:
    assert not ask(desk, family().answer(responder=strangers().responder))[0]
    assert "Status times invalid" in ask(desk, family().answer(on=NOW - 9 * DAY))[1]


def test_openssl_asks_and_our_responder_answers(desk) -> None:
    ours = family()
    openssl(
        "ocsp", "-issuer", desk / "issuing.pem", "-sha1", "-cert", desk / "leaf.pem", "-reqout", desk / "q.der", "-nonce",
    )  # fmt: skip
    question = (desk / "q.der").read_bytes()

    answered = ocsp.answer(
        question, ours.responder, ours.issuing.certificate, lambda _: ocsp.State(), on=NOW, valid_for=DAY
    )
    (desk / "r.der").write_bytes(answered)
    is_ok, said = openssl(
        "ocsp", "-reqin", desk / "q.der", "-respin", desk / "r.der", "-CAfile", desk / "root.pem",
        "-verify_other", desk / "issuing.pem", "-resp_text",
    )  # fmt: skip

    assert is_ok and "Response verify OK" in said and "Cert Status: good" in said, said
    assert "no nonce" not in said and "Nonce Verify error" not in said  # it compares the two


def test_another_library_reads_the_answer_as_it_was_meant() -> None:
    ours = family()
    held = ocsp.State(at=NOW - DAY, reason=Ground.CERTIFICATE_HOLD)
    found = library.load_der_ocsp_response(ours.answer(held, nonce=b"n" * 20))

    assert found.certificate_status is library.OCSPCertStatus.REVOKED
    assert found.revocation_reason is x509.ReasonFlags.certificate_hold
    assert (found.revocation_time_utc, found.this_update_utc) == (NOW - DAY, NOW)
    assert (found.next_update_utc, found.produced_at_utc) == (NOW + DAY, NOW)
    assert found.certificates == [ours.responder.certificate]
    assert found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 20


@pytest.mark.parametrize("question", [b"", b"junk", b"\x30\x00", bytes(10_000), b"\x30\x80" * 2000])
def test_what_is_no_question_is_called_malformed(question) -> None:
    looked = []
    answered = ocsp.answer(
        question, family().responder, family().issuing.certificate, looked.append, on=NOW, valid_for=DAY
    )

    found = library.load_der_ocsp_response(answered)
    assert found.response_status is library.OCSPResponseStatus.MALFORMED_REQUEST and not looked


def test_a_question_about_another_authority_is_none_of_our_business() -> None:
    theirs = ocsp.query(strangers().leaf, strangers().issuing.certificate)
    answered = ocsp.answer(
        theirs, family().responder, family().issuing.certificate, lambda _: ocsp.State(), on=NOW, valid_for=DAY
    )

    assert library.load_der_ocsp_response(answered).response_status is library.OCSPResponseStatus.UNAUTHORIZED


def test_an_answer_is_about_the_serial_number_that_was_asked_for() -> None:
    seen = []
    question = ocsp.query(family().leaf, family().issuing.certificate)
    ocsp.answer(question, family().responder, family().issuing.certificate, seen.append, on=NOW, valid_for=DAY)

    assert seen == [family().leaf.serial_number]


# --- the stamp ---------------------------------------------------------------------------------------------------


def stamped(ours: Family, question: bytes, *, serial: int = 7) -> bytes:
    return stamps.stamp(question, ours.stamper_chain, serial=serial, on=NOW, policy=names.STAMP_POLICY)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_asks_for_a_stamp_and_accepts_ours(desk, algorithm) -> None:
    (desk / "data").write_bytes(DATA)
    openssl("ts", "-query", "-data", desk / "data", f"-{algorithm}", "-cert", "-out", desk / "q.tsq")
    (desk / "r.tsr").write_bytes(stamped(family(), (desk / "q.tsq").read_bytes()))
    words = ("ts", "-verify", "-queryfile", desk / "q.tsq", "-in", desk / "r.tsr")

    assert openssl(*words, "-CAfile", desk / "root.pem")[0]
    assert not openssl(*words, "-CAfile", desk / "stranger.pem")[0]
    (desk / "r.tsr").write_bytes(stamped(family(), stamps.make_query(sha256(b"other").digest())))
    assert not openssl(*words, "-CAfile", desk / "root.pem")[0]


@pytest.mark.parametrize("digest", [sha256, sha384, sha512])
def test_another_library_accepts_the_stamp(digest) -> None:
    reply = stamped(family(), stamps.make_query(digest(DATA).digest(), nonce=1 << 63))
    found = rfc3161_client.decode_timestamp_response(reply)
    builder = rfc3161_client.VerifierBuilder().nonce(1 << 63).policy_id(names.STAMP_POLICY)
    verifier = builder.add_root_certificate(family().root.certificate).build()

    assert verifier.verify_message(found, DATA)
    assert found.tst_info.gen_time == NOW and found.tst_info.serial_number == 7
    with pytest.raises(rfc3161_client.VerificationError):
        verifier.verify_message(found, DATA + b"!")
    theirs = rfc3161_client.VerifierBuilder().add_root_certificate(strangers().root.certificate).build()
    with pytest.raises(rfc3161_client.VerificationError):
        theirs.verify_message(found, DATA)


def test_our_own_reader_accepts_a_stamp_of_openssl(desk) -> None:
    """The other way round: a token made by the program, with a stamper of ours."""
    ours = family()
    (desk / "stamper.pem").write_bytes(pem(ours.stamper.certificate))
    (desk / "stamping.pem").write_bytes(pem(ours.stamping_ca.certificate))
    from cryptography.hazmat.primitives import serialization

    key = ours.stamper.key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (desk / "stamper.key").write_bytes(key)
    (desk / "ts.cnf").write_text(
        f"[t]\nserial={desk / 'serial'}\nsigner_cert={desk / 'stamper.pem'}\ncerts={desk / 'stamping.pem'}\n"
        f"signer_key={desk / 'stamper.key'}\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\n"
        "accuracy=secs:1\ness_cert_id_alg=sha256\n"
    )
    (desk / "serial").write_text("0A")
    (desk / "q.tsq").write_bytes(stamps.make_query(sha256(DATA).digest(), nonce=5))
    is_ok, said = openssl(
        "ts", "-reply", "-queryfile", desk / "q.tsq", "-config", desk / "ts.cnf", "-section", "t", "-out", desk / "r.tsr"
    )  # fmt: skip
    assert is_ok, said

    found = stamps.check_stamp(
        (desk / "r.tsr").read_bytes(),
        [ours.root.certificate],
        on=datetime.now(UTC) + timedelta(minutes=1),
        content=DATA,
        nonce=5,
    )

    assert found.policy == "1.2.3.4.1" and abs(found.at - NOW) < timedelta(hours=1)


# --- the request -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [("ED25519",), ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"), ("EC", "-pkeyopt", "ec_paramgen_curve:P-384")]
)
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_request_made_with_openssl_is_read(tmp_path, kind, form) -> None:
    openssl("genpkey", "-algorithm", *kind, "-out", tmp_path / "key")
    openssl(
        "req", "-new", "-utf8", "-key", tmp_path / "key", "-subj", "/C=CN/O=示例/CN=x", "-outform", form, "-out", tmp_path / "csr"
    )  # fmt: skip

    request = requests.read_request((tmp_path / "csr").read_bytes())

    assert "CN=x" in request.subject_name and "示例" in request.subject_name
    assert family().issue(public_key=request.public_key)


def test_a_chain_of_elliptic_authorities_is_accepted_too(desk) -> None:
    theirs = strangers()
    listed = crl.make_crl(theirs.issuing, [], number=1, on=NOW, next_update=NOW + DAY)
    (desk / "issuing.pem").write_bytes(pem(theirs.issuing.certificate))
    (desk / "leaf.pem").write_bytes(pem(theirs.leaf))
    (desk / "lists.pem").write_bytes(pem_list(listed) + pem_list(theirs.root_list))

    assert verify(desk, root="stranger.pem")[0]
    assert curve("leaf strange").curve.name == "secp256r1"
