"""Keys, requests, leaves and stamps: what they take, what they refuse, and that a token's key works like a file's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from asn1crypto import core, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.certificates.pki_house import (
    CLAIMS,
    DAY,
    FAMILIES,
    NOW,
    PLACES,
    curve,
    family,
    issuing_key,
    remade,
    strangers,
    subject,
    test_key,
)

from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused, Unavailable
from safebelt.rooms.certificates.pki import crl, der, hierarchy, keys, leaves, names, ocsp, requests, stamps, templates
from safebelt.rooms.certificates.pki.crl import Revoked
from safebelt.rooms.certificates.pki.path import RevocationSource
from safebelt.rooms.certificates.pki.tokens import Reply

DATA = b"what is to be stamped"


# --- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", [None, "口令".encode()])
def test_a_key_comes_back_from_its_file_and_only_its_owner_may_read_it(tmp_path, passphrase) -> None:
    path, key = tmp_path / "keys" / "issuing.pem", curve("ca")

    keys.save_key(path, key, passphrase=passphrase)

    assert keys.public_bytes(keys.load_key(path, passphrase=passphrase).public_key()) == keys.public_bytes(
        key.public_key()
    )
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert (b"ENCRYPTED" in path.read_bytes()) is (passphrase is not None)


def test_a_key_is_never_written_over(tmp_path) -> None:
    keys.save_key(tmp_path / "k", curve("ca"))
    before = (tmp_path / "k").read_bytes()

    with pytest.raises(Conflict, match="a key in"):
        keys.save_key(tmp_path / "k", curve("leaf"))
    assert (tmp_path / "k").read_bytes() == before and list(tmp_path.iterdir()) == [tmp_path / "k"]


def test_a_key_others_could_read_is_not_used(tmp_path) -> None:
    path = tmp_path / "keys" / "k"
    keys.save_key(path, curve("ca"))

    path.chmod(0o640)
    with pytest.raises(Refused, match="open to other users"):
        keys.load_key(path)
    path.chmod(0o600)
    path.parent.chmod(0o777)
    with pytest.raises(Refused, match="open to other users"):
        keys.load_key(path)


def test_what_is_no_key_or_needs_another_passphrase_is_said_to_be_so(tmp_path) -> None:
    path = tmp_path / "k"
    keys.save_key(path, curve("ca"), passphrase=b"right")
    other = tmp_path / "other"
    other.write_bytes(
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    junk = tmp_path / "junk"
    junk.write_text("junk")
    for file in (other, junk):
        file.chmod(0o600)

    for file, passphrase in ((path, b"wrong"), (path, None), (other, None), (junk, None), (tmp_path / "none", None)):
        with pytest.raises(Unavailable):
            keys.load_key(file, passphrase=passphrase)


def test_a_key_and_a_certificate_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(Conflict, match="does not belong"):
        keys.Signatory(certificate=family().root.certificate, key=test_key("issuing"))


def test_new_keys_are_of_the_kind_asked_for() -> None:
    assert keys.make_key("p-256").key_size == 256
    assert keys.make_key("p-384").key_size == 384
    made = keys.make_key("rsa-3072")
    assert isinstance(made, rsa.RSAPrivateKey) and made.key_size == 3072


class Token(ec.EllipticCurvePrivateKey):
    """A key that stays in its token: it can be asked to sign, and for nothing else."""

    def __init__(self, inside: ec.EllipticCurvePrivateKey) -> None:
        self._inside, self.asked = inside, 0

    def sign(self, data: bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        self.asked += 1
        return self._inside.sign(data, signature_algorithm)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._inside.public_key()

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._inside.curve

    @property
    def key_size(self) -> int:
        return self._inside.key_size

    def exchange(self, algorithm, peer_public_key) -> bytes:
        raise NotImplementedError

    def private_numbers(self):
        raise PermissionError("the key never leaves the token")

    def private_bytes(self, encoding, format, encryption_algorithm) -> bytes:
        raise PermissionError("the key never leaves the token")

    def __copy__(self):
        raise NotImplementedError

    def __deepcopy__(self, memo):
        raise NotImplementedError


def test_a_token_signs_certificates_lists_answers_and_stamps_like_a_file() -> None:
    token, small = Token(curve("ca token")), Token(curve("token"))
    issuing = hierarchy.make_issuing(family().root, subject("令牌机构"), on=NOW, places=PLACES, key=token)
    leaf = leaves.issue(issuing, curve("leaf").public_key(), CLAIMS, subject=subject(), serial=5, on=NOW, places=PLACES)
    responder = hierarchy.make_responder(issuing, subject("r"), on=NOW, key=small)
    listed = crl.make_crl(issuing, [], number=1, on=NOW, next_update=NOW + DAY)
    told = ocsp.answer(
        ocsp.query(leaf, issuing.certificate),
        responder,
        issuing.certificate,
        lambda _: ocsp.State(),
        on=NOW,
        valid_for=DAY,
    )
    stamper = hierarchy.make_stamper(family().stamping_ca, subject("t"), on=NOW, places=PLACES, key=small)
    chain = stamps.StamperChain(stamper=stamper, others=(family().stamping_ca.certificate,))
    reply = stamps.stamp(stamps.make_query(sha256(DATA).digest()), chain, serial=1, on=NOW, policy=names.STAMP_POLICY)

    assert family().examine(leaf=leaf, others=[issuing.certificate], ocsp=told, crls=(listed,)).is_ok
    assert stamps.check_stamp(reply, [family().root.certificate], on=NOW, content=DATA).at == NOW
    assert token.asked >= 3 and small.asked >= 2


# --- requests ----------------------------------------------------------------------------------------------------


def csr(key, *, digest: hashes.HashAlgorithm | None = hashes.SHA256(), name: x509.Name | None = None):  # noqa: B008
    builder = x509.CertificateSigningRequestBuilder().subject_name(name or subject().as_name())
    return builder.sign(key, digest)


GOOD = csr(curve("leaf"))
PEM, DER = GOOD.public_bytes(Encoding.PEM), GOOD.public_bytes(Encoding.DER)


def spoilt() -> bytes:
    data = bytearray(DER)
    data[-1] ^= 1
    return bytes(data)


def swapped() -> bytes:
    """The request of one key over the name of another: no proof of possession."""
    mine = keys.public_bytes(curve("leaf").public_key())
    return DER.replace(mine, keys.public_bytes(curve("another").public_key()))


@pytest.mark.parametrize(
    "key", [curve("leaf"), curve("ca 384"), ed25519.Ed25519PrivateKey.generate()], ids=["p256", "p384", "ed25519"]
)
def test_a_request_proves_possession_of_its_key(key) -> None:
    made = csr(key, digest=None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA384())

    for form in (Encoding.PEM, Encoding.DER):
        request = requests.read_request(made.public_bytes(form))
        assert keys.public_bytes(request.public_key) == keys.public_bytes(key.public_key())
        assert "示例科技有限公司" in request.subject_name
    assert requests.read_request(b"\r\n" + PEM.replace(b"\n", b"\r\n")).public_key


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither DER nor"),
        (b"hello", "neither DER nor"),
        (PEM + PEM, "neither DER nor"),
        (b"subject: x\n" + PEM, "neither DER nor"),
        (PEM + b"and more", "neither DER nor"),
        (PEM.replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"), "label"),
        (PEM.replace(b"CERTIFICATE REQUEST", b"CERTIFICATE"), "label"),
        (PEM.replace(b"END CERTIFICATE REQUEST", b"END CERTIFICATE"), "label"),
        (PEM.replace(b"-----\nM", b"-----\n="), "base64"),
        (DER + b"\x00", "not a certificate request"),
        (DER[:-1], "not a certificate request"),
        (b"\x30\x00", "not a certificate request"),
        (family().leaf.public_bytes(Encoding.DER), "not a certificate request"),
        (DER.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1), "not a certificate request"),  # of version 2
        (DER + bytes(requests.MAX_BYTES), "too long"),
        (spoilt(), "not signed with the key"),
        (swapped(), "not signed with the key"),
        (csr(test_key("issuing")).public_bytes(Encoding.DER), "Ed25519, P-256 or P-384"),
        (csr(ec.generate_private_key(ec.SECP521R1())).public_bytes(Encoding.DER), "Ed25519, P-256 or P-384"),
        (csr(ec.generate_private_key(ec.SECP256K1())).public_bytes(Encoding.DER), "Ed25519, P-256 or P-384"),
        (csr(curve("leaf"), digest=hashes.SHA224()).public_bytes(Encoding.DER), "not signed with the key"),
    ],
)
def test_a_request_that_is_not_right_is_refused_and_says_why(data, why) -> None:
    with pytest.raises(Invalid, match=why):
        requests.read_request(data)


# --- leaves ------------------------------------------------------------------------------------------------------


def test_a_leaf_says_what_the_register_says() -> None:
    assert leaves.claims_of(family().leaf) == CLAIMS
    assert leaves.claims_of(family().issuing.certificate) is None
    spoilt_ = remade(
        family().leaf,
        issuing_key(),
        with_=[(x509.UnrecognizedExtension(names.REGISTER_CLAIMS, b"\x30\x00"), False)],
    )
    with pytest.raises(Invalid, match="register's words"):
        leaves.claims_of(spoilt_)


@pytest.mark.parametrize(
    "changes",
    [
        {"system_id": ""},
        {"version_id": "x" * 129},
        {"party_id": "a\nb"},
        {"register_url": ""},
        {"register_url": "x" * 513},
        {"version": 2},
    ],
)
def test_words_out_of_bounds_are_refused(changes) -> None:
    words = {name: getattr(CLAIMS, name) for name in CLAIMS.__dataclass_fields__}

    with pytest.raises(Invalid, match="register's words"):
        leaves.Claims(**words | changes)


@pytest.mark.parametrize(
    "der",
    [
        CLAIMS.as_der() + b"\x00",
        CLAIMS.as_der()[:-1],
        CLAIMS.as_der().replace(b"authority", b"authorit!"),
        CLAIMS.as_der().replace(b"\x02\x01\x01", b"\x02\x01\x02"),
        bytes(5000),
    ],
)
def test_a_spelling_of_the_words_that_is_not_ours_is_refused(der) -> None:
    with pytest.raises(Invalid, match="register's words"):
        leaves.Claims.from_der(der)


@pytest.mark.parametrize(
    "words",
    [
        {"country": "cn"},
        {"country": "CHN"},
        {"organization": ""},
        {"common_name": "x" * 65},
        {"common_name": " x"},
        {"organization": "a\x00b"},
    ],
)
def test_a_subject_out_of_bounds_is_refused(words) -> None:
    with pytest.raises(Invalid):
        names.Subject(**{"organization": "o", "common_name": "c", "country": "CN"} | words)


def test_nobody_is_given_the_name_of_who_signs() -> None:
    with pytest.raises(Invalid, match="name of the authority"):
        family().issue(subject=subject("测试签发机构"))
    with pytest.raises(Invalid, match="name of the authority"):
        hierarchy.make_responder(family().issuing, subject("测试签发机构"), on=NOW, key=curve("responder"))


def test_a_serial_number_is_positive_and_has_all_its_chance() -> None:
    made = [leaves.serial_of(seed) for seed in (bytes(16), b"\xff" * 16, bytes(15) + b"\x01")]

    assert len(set(made)) == 3 and all(0 < one < 1 << 159 and one.bit_length() == 129 for one in made)
    for wrong in (b"", bytes(15), bytes(17)):
        with pytest.raises(ValueError, match="sixteen"):
            leaves.serial_of(wrong)


@pytest.mark.parametrize("of", FAMILIES)
@pytest.mark.parametrize("level", ["al1", "al2", None])
@pytest.mark.parametrize("key", [curve("leaf"), curve("ca 384"), ed25519.Ed25519PrivateKey.generate()])
def test_a_leaf_from_the_template_is_octet_for_octet_what_the_library_would_build(level, key, of) -> None:
    leaf = FAMILIES[of]().issue(level=level, public_key=key.public_key(), serial=(1 << 158) + 1)

    assert remade(leaf, FAMILIES[of]().issuing.key).tbs_certificate_bytes == leaf.tbs_certificate_bytes
    assert leaf.subject == subject().as_name()


def test_the_authority_that_signs_often_has_the_key_that_signs_fast() -> None:
    made = hierarchy.make_issuing(family().root, subject("b"), on=NOW, places=PLACES)
    seldom = hierarchy.make_stamping_ca(family().root, subject("c"), on=NOW, places=PLACES)

    assert isinstance(made.key, ec.EllipticCurvePrivateKey) and made.key.curve.name == "secp384r1"
    assert isinstance(seldom.key, rsa.RSAPrivateKey) and seldom.key.key_size == 3072


@pytest.mark.parametrize("whole", [b"", b"\x30", b"\x30\x80", b"\x30\x85" + bytes(9), b"\x30\x01", b"\x30\x00\x00"])
def test_what_is_no_single_value_of_der_is_not_taken_apart(whole) -> None:
    with pytest.raises(ValueError, match=r"nothing|no definite|cut off|something follows"):
        der.members(whole)


@given(parts=st.lists(st.binary(max_size=300), max_size=5))
def test_what_was_put_together_is_taken_apart_again(parts) -> None:
    values = [der.octets(one) for one in parts]

    assert der.members(der.sequence(*values)) == values
    assert [one[der.header(one) :] for one in values] == parts


@pytest.mark.parametrize(("year", "tag"), [(2049, 0x17), (2050, 0x18)])
def test_times_are_written_short_until_2049_and_long_after(year, tag) -> None:
    moment = templates._time(datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC))

    assert moment[0] == tag and moment.endswith(b"1231235959Z")


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_are_written_as_another_library_reads_them(size) -> None:
    written = der.octets(bytes(size))

    assert core.OctetString.load(written, strict=True).native == bytes(size)
    assert core.OctetString(bytes(size)).dump() == written


def test_many_leaves_are_the_ones_one_by_one_would_be() -> None:
    orders = [
        leaves.Order(
            public_key=curve(f"leaf {n % 3}").public_key(), claims=CLAIMS, subject=subject(f"系统 {n}"), serial=n + 1
        )
        for n in range(70)
    ]
    issuing = strangers().issuing

    alone = leaves.issue_many(issuing, orders, on=NOW, places=PLACES)
    with ThreadPoolExecutor(2) as pool:
        pooled = leaves.issue_many(issuing, orders, on=NOW, places=PLACES, executor=pool)

    assert [one.tbs_certificate_bytes for one in pooled] == [one.tbs_certificate_bytes for one in alone]
    assert [one.serial_number for one in pooled] == list(range(1, 71))
    for one in pooled:
        one.verify_directly_issued_by(issuing.certificate)


def test_one_order_that_cannot_be_met_stops_the_batch() -> None:
    good = leaves.Order(public_key=curve("leaf").public_key(), claims=CLAIMS, subject=subject(), serial=1)
    bad = leaves.Order(public_key=curve("leaf").public_key(), claims=CLAIMS, subject=subject(), serial=1, days=400)

    with ThreadPoolExecutor(1) as pool, pytest.raises(Invalid, match="90 days"):
        leaves.issue_many(strangers().issuing, [good, bad], on=NOW, places=PLACES, executor=pool)


def test_moments_are_whole_seconds_of_utc_and_never_without_a_zone() -> None:
    odd = datetime(2026, 11, 22, 17, 30, 1, 999_999, tzinfo=timezone(timedelta(hours=8)))

    assert names.whole(odd) == datetime(2026, 11, 22, 9, 30, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        names.whole(datetime(2026, 11, 22))  # noqa: DTZ001  that is the point


# --- lists -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [{"number": -1}, {"next_update": NOW}, {"next_update": NOW - DAY}, {"number": 1 << 159}]
)
def test_a_list_out_of_order_is_not_made(words) -> None:
    with pytest.raises(Invalid, match="revocation list"):
        family().list_(**words)


def test_the_last_word_on_a_serial_number_counts() -> None:
    entries = [Revoked(serial=5, at=NOW, reason=names.Ground.CERTIFICATE_HOLD), Revoked(serial=5, at=NOW)]

    assert len(x509.load_der_x509_crl(family().list_(entries))) == 1


# --- stamps ------------------------------------------------------------------------------------------------------


def stamped(**words: object) -> bytes:
    words = {"chain": family().stamper_chain, "serial": 9, "on": NOW, "policy": names.STAMP_POLICY} | words
    query = words.pop("query", stamps.make_query(sha256(DATA).digest(), nonce=77))
    return stamps.stamp(query, **words)  # type: ignore[arg-type]


def checked(reply: bytes, **words: object) -> stamps.Stamp:
    words = {"on": NOW, "content": DATA} | words
    return stamps.check_stamp(reply, words.pop("roots", [family().root.certificate]), **words)  # type: ignore[arg-type]


def test_a_stamp_says_when_and_who() -> None:
    stamp = checked(stamped(), nonce=77)

    assert (stamp.at, stamp.serial, stamp.nonce) == (NOW, 9, 77)
    assert stamp.certificate == family().stamper.certificate and stamp.policy == names.STAMP_POLICY.dotted_string
    assert stamp.revocation.state == "unknown"
    assert checked(stamped(), content=None, digest=sha256(DATA).digest()) == stamp
    assert checked(Reply.load(stamped())["time_stamp_token"].dump(), nonce=77).at == NOW


def test_a_stamp_whose_stamper_is_proven_not_revoked_says_so_and_of_a_revoked_one_is_refused() -> None:
    own = family().stamper.certificate.serial_number
    listed = [
        crl.make_crl(family().stamping_ca, lines, number=1, on=NOW, next_update=NOW + DAY)
        for lines in ([], [Revoked(serial=own, at=NOW)])
    ]

    good, bad = (RevocationSource(crls=(family().root_list, one)) for one in listed)

    assert checked(stamped(), revocation=good).revocation.state == "ok"
    with pytest.raises(Refused, match="revoked"):
        checked(stamped(), revocation=bad)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"content": b"other"}, "other data"),
        ({"content": None, "digest": bytes(32)}, "other data"),
        ({"content": None, "digest": b""}, "other data"),
        ({"nonce": 78}, "nonce"),
        ({"roots": []}, "not trusted"),
        ({"on": NOW - DAY}, "future"),
        ({"on": NOW + 5000 * DAY}, "not trusted"),
    ],
)
def test_a_stamp_is_not_believed_of_other_data_without_its_root_or_at_the_wrong_time(words, why) -> None:
    with pytest.raises(Refused, match=why) as refused:
        checked(stamped(), **words)
    assert refused.value.what.zh and refused.value.hint.zh


def test_a_stamp_of_a_stranger_or_of_a_leaf_is_not_believed() -> None:
    leaf = keys.Signatory(certificate=family().leaf, key=family().leaf_key)
    by_leaf = stamps.StamperChain(stamper=leaf, others=(family().issuing.certificate,))

    for chain in (strangers().stamper_chain, by_leaf):
        with pytest.raises(Refused, match="not trusted"):
            checked(stamped(chain=chain))


def test_a_stamp_signed_with_another_key_or_naming_another_certificate_is_not_believed() -> None:
    other = remade(family().stamper.certificate, test_key("stamping"), public_key=curve("x").public_key())
    forged = keys.Signatory(certificate=family().stamper.certificate, key=family().stamper.key)
    object.__setattr__(forged, "key", curve("x"))
    reply = bytearray(stamped(chain=stamps.StamperChain(stamper=forged, others=family().stamper_chain.others)))

    with pytest.raises(Refused, match="signature"):
        checked(bytes(reply))
    mine = family().stamper.certificate.public_bytes(Encoding.DER)
    theirs = other.public_bytes(Encoding.DER)
    assert len(mine) == len(theirs)
    with pytest.raises(Refused, match=r"signature|trusted"):
        checked(stamped().replace(mine, theirs))


def test_a_stamp_names_its_certificate_and_not_another_of_the_same_key_name_and_number() -> None:
    mine = family().stamper.certificate.public_bytes(Encoding.DER)
    end = family().stamper.certificate.not_valid_after_utc - timedelta(seconds=1)
    twin = remade(family().stamper.certificate, test_key("stamping"), end=end).public_bytes(Encoding.DER)

    assert len(mine) == len(twin) and checked(stamped())
    with pytest.raises(Refused, match="signature"):
        checked(stamped().replace(mine, twin))


def test_what_is_attested_cannot_be_changed_after_signing() -> None:
    reply = stamped()
    told = f"{NOW:%Y%m%d%H%M%SZ}".encode()

    assert reply.count(told) == 1
    for other in (f"{NOW - DAY:%Y%m%d%H%M%SZ}", f"{NOW:%Y%m%d%H%M}00Z", f"{NOW - 366 * DAY:%Y%m%d%H%M%SZ}"):
        if other.encode() != told:
            with pytest.raises(Refused, match="signature"):
                checked(reply.replace(told, other.encode()))


def test_without_the_certificates_in_it_a_stamp_needs_them_from_elsewhere() -> None:
    query = bytes(
        tsp.TimeStampReq(
            {
                "version": 1,
                "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": sha256(DATA).digest()},
            }
        ).dump()
    )
    with pytest.raises(Refused, match="malformed"):
        checked(stamped(query=query))
    assert checked(
        stamped(chain=stamps.StamperChain(stamper=family().stamper)), others=[family().stamping_ca.certificate]
    )


def query_with(**words: object) -> bytes:
    told = {"version": 1, "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}}
    return bytes(tsp.TimeStampReq(told | words).dump())


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (b"", "bad_data_format"),
        (b"junk", "bad_data_format"),
        (query_with() + b"\x00", "bad_data_format"),
        (bytes(9000), "bad_data_format"),
        (query_with(message_imprint={"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": bytes(20)}), "bad_alg"),
        (query_with(message_imprint={"hash_algorithm": {"algorithm": "md5"}, "hashed_message": bytes(16)}), "bad_alg"),
        (
            query_with(message_imprint={"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(31)}),
            "bad_request",
        ),
        (query_with(version=0), "bad_request"),
        (query_with(nonce=1 << 300), "bad_request"),
        (query_with(nonce=-1), "bad_request"),
        (query_with(req_policy="1.2.3"), "unaccepted_policy"),
        (
            query_with(
                extensions=[{"extn_id": "1.2.3", "critical": True, "extn_value": core.OctetString(b"\x05\x00")}]
            ),
            "unaccepted_extensions",
        ),
    ],
)
def test_a_query_that_cannot_be_met_is_refused_in_the_words_of_the_standard(query, why) -> None:
    refused = stamped(query=query)

    assert Reply.load(refused)["status"]["fail_info"].native == {why}
    with pytest.raises(Refused, match="malformed, or the request was refused"):
        checked(refused)


def test_a_stamper_out_of_its_time_stamps_nothing() -> None:
    refused = stamped(on=NOW + 9000 * DAY)

    assert Reply.load(refused)["status"]["fail_info"].native == {"time_not_available"}


def test_exactly_one_of_content_and_digest_is_asked_for() -> None:
    for words in ({"content": None}, {"digest": bytes(32)}):
        with pytest.raises(ValueError, match="content or its digest"):
            checked(stamped(), **words)
    with pytest.raises(ValueError, match="32, 48 or 64"):
        stamps.make_query(b"short")


def test_every_problem_speaks_both_languages() -> None:
    tried = [
        lambda: requests.read_request(b""),
        lambda: leaves.Claims.from_der(b""),
        lambda: checked(b""),
        lambda: family().issue(days=91),
        lambda: family().list_(number=-1),
    ]
    for deed in tried:
        with pytest.raises(Problem) as problem:
            deed()
        for text in (problem.value.what, problem.value.hint):
            assert text.zh and text.en and text.zh != text.en
