"""Path validation: four questions, each answered by itself, and never *ok* without the whole proof."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from tests.rooms.certificates.pki_house import (
    DAY,
    NOW,
    curve,
    family,
    issuing_key,
    remade,
    strangers,
    subject,
    test_key,
)

from safebelt.kernel.errors import Invalid
from safebelt.rooms.certificates.pki import chains, crl, drafts, names, ocsp, reading
from safebelt.rooms.certificates.pki.keys import Signatory
from safebelt.rooms.certificates.pki.path import Purpose, RevocationSource, examine
from safebelt.rooms.certificates.pki.verdicts import Axis, Outcome, no, open_, together, yes

ROOT, ISSUING = test_key("root"), issuing_key()
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def states(examined) -> dict[str, str]:
    return {axis: getattr(examined, axis).state.value for axis in ("chain", "validity", "purpose", "revocation")}


def judged(leaf=None, **words) -> dict[str, str]:
    """Examine with an answer that says *good* about just this leaf."""
    leaf = leaf or family().leaf
    return states(family().examine(leaf=leaf, ocsp=family().answer(leaf=leaf), **words))


ALL_OK = {"chain": "ok", "validity": "ok", "purpose": "ok", "revocation": "ok"}


def test_a_good_leaf_is_ok_on_every_axis_and_each_says_why() -> None:
    examined = family().examine(ocsp=family().answer())

    assert states(examined) == ALL_OK and examined.is_ok
    assert examined.path == (family().leaf, family().issuing.certificate, family().root.certificate)
    for axis in (examined.chain, examined.validity, examined.purpose, examined.revocation):
        assert axis.reason.holds == "true" and axis.reason.because and axis.reason.as_text("zh")
    assert "RFC 5280, 6.3" in examined.revocation.reason.cites


def test_leaves_of_every_level_and_key_are_ok() -> None:
    for words in ({"level": "al2"}, {"public_key": ed25519.Ed25519PrivateKey.generate().public_key()}):
        leaf = family().issue(**words)
        assert judged(leaf) == ALL_OK


# --- the chain ---------------------------------------------------------------------------------------------------


def test_a_missing_issuer_is_unknown_and_an_untrusted_root_is_bad() -> None:
    assert judged(others=[])["chain"] == "unknown"
    assert judged(roots=[])["chain"] == "unknown"
    assert judged(roots=[], others=[family().issuing.certificate, family().root.certificate])["chain"] == "bad"
    assert judged(roots=[family().stamping_ca.certificate])["chain"] == "unknown"


def test_a_root_or_an_issuer_of_the_same_name_and_another_key_is_bad() -> None:
    assert judged(roots=[strangers().root.certificate])["chain"] == "bad"
    assert judged(others=[strangers().issuing.certificate])["chain"] == "bad"


def test_impostors_beside_the_right_ones_do_no_harm() -> None:
    others = [strangers().issuing.certificate, strangers().root.certificate, family().issuing.certificate]

    assert judged(others=others, roots=[strangers().root.certificate, family().root.certificate]) == ALL_OK


def test_a_self_signed_leaf_is_bad_even_as_its_own_root() -> None:
    own = remade(family().leaf, family().leaf_key, issuer=family().leaf.subject)

    assert judged(own)["chain"] == "bad"
    assert judged(own, roots=[own])["chain"] == "bad"
    assert judged(family().root.certificate)["chain"] == "bad"


ISSUER_FAULTS = {
    "no authority": {"with_": [drafts.constraints(is_authority=False)]},
    "no basic constraints": {"without": [x509.BasicConstraints]},
    "basic constraints that may be ignored": {"with_": [(x509.BasicConstraints(ca=True, path_length=0), False)]},
    "a key that may not sign certificates": {"with_": [drafts.usage("crl_sign")]},
    "no key usage": {"without": [x509.KeyUsage]},
    "an unknown critical extension": {"with_": [(STRANGE, True)]},
    "name constraints, which are not worked with here": {
        "with_": [(x509.NameConstraints([x509.DNSName("example.org")], None), True)]
    },
    "policy constraints": {"with_": [(x509.PolicyConstraints(0, None), True)]},
    "another key identifier": {"with_": [(x509.SubjectKeyIdentifier(b"1" * 20), False)]},
    "a signature with SHA-224": {"hash": hashes.SHA224()},
    "another subject": {"subject": subject("somebody").as_name()},
    "a key of a stranger": {"public_key": strangers().issuing.certificate.public_key()},
}


@pytest.mark.parametrize("fault", ISSUER_FAULTS)
def test_an_issuer_with_a_fault_breaks_the_chain(fault) -> None:
    issuer = remade(family().issuing.certificate, ROOT, **ISSUER_FAULTS[fault])

    assert judged(others=[issuer])["chain"] in ("bad", "unknown")
    assert judged(others=[issuer])["revocation"] == "unknown"
    assert judged(others=[remade(family().issuing.certificate, ROOT)]) == ALL_OK


LEAF_FAULTS = {
    "an unknown critical extension": {"with_": [(STRANGE, True)]},
    "a signature with SHA-224": {"hash": hashes.SHA224()},
    "another issuer's name": {"issuer": subject("somebody").as_name()},
    "another authority's key identifier": {
        "with_": [(x509.AuthorityKeyIdentifier(b"1" * 20, None, None), False)],
    },
}


@pytest.mark.parametrize("fault", LEAF_FAULTS)
def test_a_leaf_with_a_fault_breaks_the_chain(fault) -> None:
    assert judged(remade(family().leaf, ISSUING, **LEAF_FAULTS[fault]))["chain"] in ("bad", "unknown")
    assert judged(remade(family().leaf, ISSUING)) == ALL_OK


def test_a_list_of_an_authority_that_may_not_sign_lists_proves_nothing() -> None:
    listless = remade(family().issuing.certificate, ROOT, with_=[drafts.usage("key_cert_sign")])
    listed = family().list_()

    assert states(family().examine(crls=(listed,))) == ALL_OK
    assert states(family().examine(crls=(listed,), others=[listless])) == ALL_OK | {"revocation": "unknown"}


def test_a_leaf_signed_by_another_key_under_the_right_name_is_bad() -> None:
    forged = remade(family().leaf, curve("ca forger"))

    assert judged(forged)["chain"] == "bad"


def test_a_signature_with_unused_bits_or_of_a_changed_octet_is_bad() -> None:
    der = bytearray(family().leaf.public_bytes(Encoding.DER))
    der[-1] ^= 1

    assert judged(x509.load_der_x509_certificate(bytes(der)))["chain"] == "bad"
    assert not reading.is_signature_whole(b"\x03\x05\x01abcd", b"abcd")
    assert reading.is_signature_whole(b"\x03\x05\x00abcd", b"abcd")


def authority(name: str, by: Signatory, *, path_length: int | None = None, own: str | None = None) -> Signatory:
    key = curve(f"ca {own or name}")
    template = strangers().issuing.certificate
    made = remade(
        template,
        by.key,
        subject=subject(name).as_name(),
        issuer=by.name,
        public_key=key.public_key(),
        with_=[
            drafts.constraints(is_authority=True, path_length=path_length),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), False),
        ],
    )
    return Signatory(certificate=made, key=key)


def top(path_length: int | None) -> Signatory:
    key = curve("ca top")
    made = remade(
        strangers().root.certificate,
        key,
        subject=subject("top").as_name(),
        issuer=subject("top").as_name(),
        public_key=key.public_key(),
        with_=[
            drafts.constraints(is_authority=True, path_length=path_length),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False),
        ],
    )
    return Signatory(certificate=made, key=key)


def under(issuer: Signatory) -> x509.Certificate:
    return remade(
        strangers().leaf,
        issuer.key,
        issuer=issuer.name,
        with_=[(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)],
    )


def find(leaf: x509.Certificate, *others: Signatory, root: Signatory) -> str:
    return chains.find(leaf, [one.certificate for one in others], [root.certificate]).reason.holds.value


@pytest.mark.parametrize(
    ("allowed", "between", "found"),
    [(0, 0, "true"), (0, 1, "false"), (1, 1, "true"), (1, 2, "false"), (2, 2, "true"), (None, 3, "true")],
)
def test_no_more_authorities_than_the_root_allows(allowed, between, found) -> None:
    root = top(allowed)
    line = [root]
    for step in range(between):
        line.append(authority(f"step {step}", line[-1]))

    assert find(under(line[-1]), *line[1:], root=root) == found


def test_an_authority_in_the_middle_limits_those_below_it() -> None:
    root = top(None)
    first = authority("first", root, path_length=0)
    second = authority("second", first)

    assert find(under(first), first, root=root) == "true"
    assert find(under(second), first, second, root=root) == "false"


def test_an_authority_that_only_changes_its_key_does_not_count() -> None:
    root = top(None)
    first = authority("first", root, path_length=0)
    renewed = authority("first", first, path_length=0, own="renewed")

    assert find(under(renewed), first, renewed, root=root) == "true"


def test_a_chain_that_is_too_long_is_refused() -> None:
    root = top(None)
    line = [root]
    for step in range(chains.MAX_LINKS):
        line.append(authority(f"long {step}", line[-1]))

    assert find(under(line[chains.MAX_LINKS - 2]), *line[1:], root=root) == "true"
    assert find(under(line[chains.MAX_LINKS - 1]), *line[1:], root=root) == "false"


def test_authorities_that_sign_each_other_lead_nowhere() -> None:
    key = curve("ca knot b")
    a = authority("knot a", Signatory(certificate=_knot_b(key), key=key))
    b = authority("knot b", a)

    assert find(under(b), a, b, root=top(None)) in ("false", "unknown")


def _knot_b(key) -> x509.Certificate:
    return remade(
        strangers().issuing.certificate,
        key,
        subject=subject("knot b").as_name(),
        issuer=subject("knot a").as_name(),
        public_key=key.public_key(),
        with_=[(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)],
    )


def test_the_search_through_many_lookalikes_ends(monkeypatch) -> None:
    tried = []
    real = reading.has_issued
    monkeypatch.setattr(reading, "has_issued", lambda *words: tried.append(1) or real(*words))
    leaf = under(authority("crowd", top(None)))
    crowd = [
        remade(
            strangers().issuing.certificate,
            curve("ca crowd"),
            subject=subject("crowd").as_name(),
            issuer=subject("crowd").as_name(),
            public_key=curve("ca crowd").public_key(),
            serial=serial + 1,
            with_=[
                drafts.constraints(is_authority=True),
                (x509.SubjectKeyIdentifier.from_public_key(curve("ca crowd").public_key()), False),
                (x509.AuthorityKeyIdentifier.from_issuer_public_key(curve("ca crowd").public_key()), False),
            ],
        )
        for serial in range(reading.MAX_CERTIFICATES)
    ]

    found = chains.find(leaf, crowd, [top(None).certificate])

    assert not found.is_whole
    assert 0 < len(tried) <= chains.MAX_TRIES
    assert not chains.find(leaf, crowd * 2, [top(None).certificate]).is_whole


# --- validity, purpose -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("moved", "state"), [(timedelta(), "ok"), (89 * DAY, "ok"), (91 * DAY, "bad"), (-DAY, "bad")])
def test_validity_is_that_of_the_moment_asked_about(moved, state) -> None:
    on = NOW + moved

    assert states(family().examine(on=on))["validity"] == state


def test_an_authority_out_of_its_time_spoils_the_validity_of_the_whole() -> None:
    early = remade(family().issuing.certificate, ROOT, start=NOW - 9 * DAY, end=NOW - DAY)
    late = remade(family().issuing.certificate, ROOT, start=NOW + DAY, end=NOW + 9 * DAY)

    for issuer, word in ((early, "expired"), (late, "not valid before")):
        examined = family().examine(others=[issuer], ocsp=family().answer())
        assert states(examined) == ALL_OK | {"validity": "bad"}
        assert word in examined.validity.reason.as_text("en")


def test_without_a_chain_nothing_about_the_whole_is_ok_but_what_is_bad_is_said() -> None:
    assert judged(others=[]) == {
        "chain": "unknown",
        "validity": "unknown",
        "purpose": "unknown",
        "revocation": "unknown",
    }
    assert judged(others=[], on=NOW + 91 * DAY)["validity"] == "bad"
    assert judged(others=[], purpose=Purpose.TIME_STAMPING)["purpose"] == "bad"


def uses(*which, is_critical=False):
    return {"with_": [drafts.purposes(*which, is_critical=is_critical)]}


ANY = x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
PURPOSE_FAULTS = {
    "none": {"without": [x509.ExtendedKeyUsage]},
    "any purpose": uses(ANY),
    "any purpose beside": uses(names.CLAIM_SIGNING, ANY),
    "e-mail only": uses(names.EMAIL_PROTECTION),
    "web servers": uses(x509.ExtendedKeyUsageOID.SERVER_AUTH),
    "OCSP beside": uses(names.CLAIM_SIGNING, names.OCSP_SIGNING),
    "time-stamping beside": uses(names.CLAIM_SIGNING, names.TIME_STAMPING),
    "no signing": {"with_": [drafts.usage("key_encipherment")]},
    "no key usage": {"without": [x509.KeyUsage]},
    "an authority": {"with_": [drafts.constraints(is_authority=True)]},
    "no policy": {"without": [x509.CertificatePolicies]},
}


@pytest.mark.parametrize("fault", PURPOSE_FAULTS)
def test_a_leaf_for_something_else_has_a_bad_purpose(fault) -> None:
    leaf = remade(family().leaf, ISSUING, **PURPOSE_FAULTS[fault])

    assert judged(leaf) == ALL_OK | {"purpose": "bad"}


@pytest.mark.parametrize(
    "change", [uses(names.TIME_STAMPING), {"without": [x509.ExtendedKeyUsage]}, {"without": [x509.CertificatePolicies]}]
)
def test_an_authority_for_something_else_may_not_vouch_for_the_leaf(change) -> None:
    issuer = remade(family().issuing.certificate, ROOT, **change)

    assert judged(others=[issuer]) == ALL_OK | {"purpose": "bad"}


def test_an_identity_needs_the_words_of_the_register_and_signs_no_claims() -> None:
    identity = family().issue(level=None)

    assert judged(identity, purpose=Purpose.IDENTITY) == ALL_OK
    assert judged(purpose=Purpose.IDENTITY) == ALL_OK
    assert judged(identity)["purpose"] == "bad"
    for spoilt in (b"", b"\x30\x00", b"\x05\x00"):
        extension = x509.UnrecognizedExtension(names.REGISTER_CLAIMS, spoilt)
        leaf = remade(identity, ISSUING, with_=[(extension, False)])
        assert judged(leaf, purpose=Purpose.IDENTITY)["purpose"] == "bad"
    dumb = remade(family().issue(level=None), ISSUING, without=[_Register])
    assert judged(dumb, purpose=Purpose.IDENTITY)["purpose"] == "bad"


class _Register(x509.ExtensionType):
    oid = names.REGISTER_CLAIMS


def test_a_time_stamper_is_examined_with_the_lists_of_its_own_authorities() -> None:
    listed = crl.make_crl(family().stamping_ca, [], number=1, on=NOW, next_update=NOW + DAY)
    words = {"leaf": family().stamper.certificate, "others": [family().stamping_ca.certificate], "crls": (listed,)}

    assert states(family().examine(purpose=Purpose.TIME_STAMPING, **words)) == ALL_OK
    assert states(family().examine(purpose=Purpose.CLAIM_SIGNING, **words))["purpose"] == "bad"
    loose = remade(family().stamper.certificate, test_key("stamping"), **uses(names.TIME_STAMPING))
    assert states(family().examine(purpose=Purpose.TIME_STAMPING, **words | {"leaf": loose}))["purpose"] == "bad"


# --- what comes from outside -------------------------------------------------------------------------------------


def test_the_answer_must_be_the_issuers_even_when_two_roots_are_trusted() -> None:
    theirs = strangers().answer()
    roots = [family().root.certificate, strangers().root.certificate]

    assert states(family().examine(ocsp=theirs, roots=roots))["revocation"] == "unknown"


def test_a_weak_authority_proves_nothing() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    root = remade(
        strangers().root.certificate,
        weak,
        public_key=weak.public_key(),
        without=[x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier],
    )
    leaf = remade(strangers().leaf, weak, issuer=root.subject, without=[x509.AuthorityKeyIdentifier])

    assert chains.find(leaf, [], [root]).reason.holds == "false"


def test_certificates_are_read_from_pem_and_der_and_nothing_else() -> None:
    both = [family().leaf, family().issuing.certificate]
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in both)

    assert list(reading.read_certificates(pem)) == both
    assert reading.read_certificates(both[0].public_bytes(Encoding.DER)) == (both[0],)
    for data in (
        b"",
        b"text",
        pem.replace(b"CERTIFICATE", b"PUBLIC KEY"),
        pem[:40] + b"!" + pem[41:],
        pem * 20,
        both[0].public_bytes(Encoding.DER) + b"\x00",
        b"\x30\x03\x02\x01\x00",
        b"\x30" * 2_000_000,
    ):
        with pytest.raises(Invalid):
            reading.read_certificates(data)


@pytest.mark.parametrize("which", ["leaf", "issuing"])
def test_a_certificate_whose_parts_are_malformed_is_refused_and_never_breaks_an_examination(which) -> None:
    """The library reads names late: a certificate of which one cannot be read is a certificate all the same."""
    good = family().leaf if which == "leaf" else family().issuing.certificate
    der = good.public_bytes(Encoding.DER)
    parts = der.split(b"\x13\x02CN")  # a printable string; of a type nobody knows afterwards
    for place in range(1, len(parts)):
        head, tail = b"\x13\x02CN".join(parts[:place]), b"\x13\x02CN".join(parts[place:])
        late = x509.load_der_x509_certificate(head + b"\x00\x02CN" + tail)

        words = {"leaf": late} if which == "leaf" else {"others": [late]}
        assert not family().examine(ocsp=family().answer(), **words).is_ok
        with pytest.raises(Invalid, match="malformed"):
            reading.read_certificates(late.public_bytes(Encoding.DER))


def test_no_verdict_contradicts_its_reason() -> None:
    assert Axis.of(yes("是", "y")).state is Outcome.OK
    assert Axis.of(no("否", "n")).state is Outcome.BAD
    assert Axis.of(open_("不知", "?")).state is Outcome.UNKNOWN
    assert together("无", "none", []).holds == "unknown"
    assert together("两", "two", [yes("是", "y"), open_("不知", "?"), no("否", "n")]).holds == "false"


def test_an_examination_with_nothing_at_all_is_ok_in_nothing() -> None:
    examined = examine(
        family().leaf, [], [], on=NOW, purpose=Purpose.CLAIM_SIGNING, revocation=RevocationSource(), max_age=DAY
    )

    assert not examined.is_ok and set(states(examined).values()) == {"unknown"}
    assert ocsp.MAX_BYTES < 10_000
