"""Every certificate of ours keeps to the C2PA certificate profile, and the schemas of the C2PA say so too."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from tests.rooms.certificates.c2pa_json import as_json, faults, schema
from tests.rooms.certificates.pki_house import DAY, FAMILIES, NOW, PLACES, everything, family, remade, subject
from tests.rooms.certificates.pki_house import curve as key_of

from safebelt.kernel.errors import Conflict, Invalid
from safebelt.rooms.certificates.pki import drafts, hierarchy, names, profile
from safebelt.rooms.certificates.pki.names import Kind

SCHEMAS = {
    Kind.ROOT: "rootCA",
    Kind.ISSUING: "claimSigningIssuingCA",
    Kind.STAMPING_CA: "tsaIssuingCA",
    Kind.RESPONDER: "ocspResponderLeaf",
    Kind.STAMPER: "tsaLeaf",
    Kind.LEAF_AL1: "claimSigningLeaf.al1",
    Kind.LEAF_AL2: "claimSigningLeaf.al2",
}
SIGNER = key_of("ca anybody")  # the profile does not ask who has signed


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("of", FAMILIES)
@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_kind_of_certificate_passes_its_schema_and_our_own_check(kind, of) -> None:
    certificate = everything(FAMILIES[of]())[kind]

    assert faults(SCHEMAS[kind], der(certificate)) == []
    assert profile.breaks(certificate, kind) == ()


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), key_of("ca leaf"), key_of("leaf")])
@pytest.mark.parametrize("level", ["al1", "al2"])
def test_leaves_of_every_kind_of_key_pass(key, level) -> None:
    for of in FAMILIES.values():
        leaf = of().issue(public_key=key.public_key(), level=level)

        assert faults(f"claimSigningLeaf.{level}", der(leaf)) == []


def test_a_schema_of_another_kind_refuses() -> None:
    certificates = everything(family())

    for kind, certificate in certificates.items():
        refusing = {other for other, name in SCHEMAS.items() if faults(name, der(certificate))}
        assert refusing == set(SCHEMAS) - {kind}, kind


def test_an_identity_without_standing_is_no_claim_signing_leaf() -> None:
    identity = everything(family())[Kind.IDENTITY]

    assert profile.breaks(identity, Kind.IDENTITY) == ()
    assert profile.breaks(identity, Kind.LEAF_AL1) and faults("claimSigningLeaf.al1", der(identity))


def test_the_schemas_see_what_we_write() -> None:
    rendered = as_json(der(family().leaf))
    body = rendered["decoded"]["tbsCertificate"]

    assert body["validity"]["computedValidityDays"] == 90
    assert schema("claimSigningLeaf.al1").is_valid(rendered)
    body["validity"]["computedValidityDays"] = 367
    assert not schema("claimSigningLeaf.al1").is_valid(rendered)


# --- broken ones -------------------------------------------------------------------------------------------------


def at(url: str) -> x509.CRLDistributionPoints:
    return drafts.list_at(url)[0]


def asked(method: x509.ObjectIdentifier, url: str) -> x509.AuthorityInformationAccess:
    return x509.AuthorityInformationAccess([x509.AccessDescription(method, x509.UniformResourceIdentifier(url))])


OCSP, ISSUERS = AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS
POLICY, OTHER_POLICY = names.C2PA_POLICY, x509.ObjectIdentifier("1.2.3.4")
SMALL = rsa.generate_private_key(65537, 1024).public_key()
AUTHORITIES = (Kind.ROOT, Kind.ISSUING, Kind.STAMPING_CA)
LEAVES = (Kind.LEAF_AL1, Kind.LEAF_AL2)
ALL = tuple(SCHEMAS)
NO_ROOT = tuple(kind for kind in ALL if kind is not Kind.ROOT)
NAMED = (*LEAVES, Kind.ISSUING, Kind.STAMPING_CA, Kind.STAMPER)
ONLY_CN = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])

BROKEN = {
    "no key identifier": (ALL, {"without": [x509.SubjectKeyIdentifier]}),
    "a critical key identifier": (ALL, {"with_": [(x509.SubjectKeyIdentifier(b"1" * 20), True)]}),
    "no authority key identifier": (ALL, {"without": [x509.AuthorityKeyIdentifier]}),
    "no key usage": (ALL, {"without": [x509.KeyUsage]}),
    "key usage not critical": (ALL, {"with_": [(drafts.usage("digital_signature")[0], False)]}),
    "another key usage": (ALL, {"with_": [drafts.usage("key_agreement")]}),
    "key usage of an authority beside": (
        (*LEAVES, Kind.RESPONDER, Kind.STAMPER),
        {"with_": [drafts.usage("digital_signature", "content_commitment", "key_cert_sign")]},
    ),
    "no basic constraints": (ALL, {"without": [x509.BasicConstraints]}),
    "a leaf that is an authority": (
        (*LEAVES, Kind.RESPONDER, Kind.STAMPER),
        {"with_": [drafts.constraints(is_authority=True)]},
    ),
    "an authority that is none": (AUTHORITIES, {"with_": [drafts.constraints(is_authority=False)]}),
    "an authority over anything": (AUTHORITIES, {"with_": [drafts.constraints(is_authority=True)]}),
    "an authority over three": (AUTHORITIES, {"with_": [drafts.constraints(is_authority=True, path_length=3)]}),
    "basic constraints not critical": (
        AUTHORITIES,
        {"with_": [(x509.BasicConstraints(ca=True, path_length=0), False)]},
    ),
    "no extended key usage": (NO_ROOT, {"without": [x509.ExtendedKeyUsage]}),
    "another extended key usage": (NO_ROOT, {"with_": [drafts.purposes(ExtendedKeyUsageOID.SERVER_AUTH)]}),
    "claim signing alone": ((*LEAVES, Kind.ISSUING), {"with_": [drafts.purposes(names.CLAIM_SIGNING)]}),
    "two uses where one is right": (
        (Kind.STAMPER, Kind.STAMPING_CA, Kind.RESPONDER),
        {"with_": [drafts.purposes(names.TIME_STAMPING, names.OCSP_SIGNING, is_critical=True)]},
    ),
    "time-stamping not critical": ((Kind.STAMPER,), {"with_": [drafts.purposes(names.TIME_STAMPING)]}),
    "claim signing critical": (
        (*LEAVES, Kind.ISSUING),
        {"with_": [drafts.purposes(names.CLAIM_SIGNING, names.EMAIL_PROTECTION, is_critical=True)]},
    ),
    "no policy": (NAMED, {"without": [x509.CertificatePolicies]}),
    "another policy": (
        NAMED,
        {"with_": [(x509.CertificatePolicies([x509.PolicyInformation(OTHER_POLICY, None)]), False)]},
    ),
    "a critical policy": (NAMED, {"with_": [(x509.CertificatePolicies([x509.PolicyInformation(POLICY, None)]), True)]}),
    "a policy of the responder": ((Kind.RESPONDER,), {"with_": [drafts.policy()]}),
    "no place to ask": (LEAVES, {"without": [x509.AuthorityInformationAccess]}),
    "no place at all": (NAMED, {"without": [x509.AuthorityInformationAccess, x509.CRLDistributionPoints]}),
    "only the issuer's place": (LEAVES, {"with_": [(asked(ISSUERS, "http://a/b"), False)]}),
    "a place over https": (LEAVES, {"with_": [(asked(OCSP, "https://a/b"), False)]}),
    "a list over https": (NAMED, {"with_": [(at("https://a/b"), False)]}),
    "a critical list": (NAMED, {"with_": [(at("http://a/b"), True)]}),
    "a place of the root": ((Kind.ROOT, Kind.RESPONDER), {"with_": [(at("http://a/b"), False)]}),
    "an asking place of the root": ((Kind.ROOT, Kind.RESPONDER), {"with_": [(asked(OCSP, "http://a/b"), False)]}),
    "no no-check": ((Kind.RESPONDER,), {"without": [x509.OCSPNoCheck]}),
    "a critical no-check": ((Kind.RESPONDER,), {"with_": [(x509.OCSPNoCheck(), True)]}),
    "a subject without country": (ALL, {"subject": ONLY_CN}),
    "a key that is too small": (ALL, {"public_key": SMALL}),
    "a small curve for an authority": (AUTHORITIES, {"public_key": key_of("leaf").public_key()}),
    "a curve nobody named": (ALL, {"public_key": ec.generate_private_key(ec.SECP256K1()).public_key()}),
    "Ed25519 where it is not allowed": (
        (*AUTHORITIES, Kind.RESPONDER, Kind.STAMPER),
        {"public_key": ed25519.Ed25519PrivateKey.generate().public_key()},
    ),
    "signed with SHA-224": (ALL, {"hash": hashes.SHA224()}),
    "sixteen years long": ((*NAMED,), {"end": NOW + timedelta(days=365 * 16)}),
    "of the other level": (
        LEAVES,
        {"with_": [(x509.UnrecognizedExtension(names.ASSURANCE_LEVEL, b"\x06\x03\x2a\x03\x04"), False)]},
    ),
    "a record that is none": (
        LEAVES,
        {"with_": [(x509.UnrecognizedExtension(names.PRODUCT_RECORD, b"\x0c\x03abc"), False)]},
    ),
    "a critical record": (
        LEAVES,
        {
            "with_": [
                (x509.UnrecognizedExtension(names.PRODUCT_RECORD, profile.record_der(names.PRODUCT_NAMESPACE)), True)
            ]
        },
    ),
    "a level of the responder": (
        (Kind.RESPONDER, Kind.STAMPER),
        {
            "with_": [
                (x509.UnrecognizedExtension(names.ASSURANCE_LEVEL, profile.level_der(names.ASSURANCE_LEVEL_1)), False)
            ]
        },
    ),
}
CASES = [(name, kind) for name, (kinds, _) in BROKEN.items() for kind in kinds]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_broken_certificate_is_found_by_the_schema_and_by_our_own_check(name, kind) -> None:
    broken = remade(everything(family())[kind], SIGNER, **BROKEN[name][1])

    assert profile.breaks(broken, kind)
    assert faults(SCHEMAS[kind], der(broken))


OURS_ALONE = {
    "an unknown critical extension": {
        "with_": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), True)]
    },
    "the key identifier of another key": {"with_": [(x509.SubjectKeyIdentifier(b"1" * 20), False)]},
    "a no-check where it is not wanted": {"with_": [(x509.OCSPNoCheck(), False)]},
}


@pytest.mark.parametrize("name", OURS_ALONE)
@pytest.mark.parametrize("kind", LEAVES)
def test_what_the_text_wants_and_the_schema_does_not_see_is_found_by_our_own_check(name, kind) -> None:
    broken = remade(everything(family())[kind], SIGNER, **OURS_ALONE[name])

    assert profile.breaks(broken, kind)


def test_a_certificate_that_breaks_the_profile_is_never_handed_out() -> None:
    with pytest.raises(Conflict, match="key's algorithm or size"):
        hierarchy.make_root(subject("weak"), on=NOW, key=key_of("leaf"))
    with pytest.raises(Conflict, match="key's algorithm or size"):
        family().issue(public_key=ec.generate_private_key(ec.SECP256K1()).public_key())


def test_the_house_allows_a_leaf_ninety_days_and_not_one_more() -> None:
    leaf = family().issue(days=90)

    assert timedelta(days=89) < leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(days=90)
    for days in (0, 91, -1):
        with pytest.raises(Invalid, match="1 to 90 days"):
            family().issue(days=days)


def test_a_leaf_never_outlives_its_issuer() -> None:
    end = family().issuing.certificate.not_valid_after_utc
    leaf = family().issue(on=end - 3 * DAY)

    assert leaf.not_valid_after_utc == end
    with pytest.raises(Conflict, match="not valid now"):
        family().issue(on=end + DAY)
    with pytest.raises(Conflict, match="not valid now"):
        family().issue(on=NOW - DAY)


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_a_serial_number_out_of_bounds_is_refused(serial) -> None:
    with pytest.raises(Invalid, match="serial number"):
        family().issue(serial=serial)


@pytest.mark.parametrize("field", ["ocsp_url", "issuers_url", "crl_url", "root_crl_url"])
@pytest.mark.parametrize("url", ["https://a/b", "http://", "http://a b", "http://a/" + "b" * 600, "http://例.中国"])
def test_places_that_the_profile_does_not_allow_are_refused(field, url) -> None:
    words = {
        name: getattr(PLACES, name) for name in ("ocsp_url", "issuers_url", "crl_url", "root_crl_url", "register_url")
    }

    with pytest.raises(Invalid, match="http://"):
        names.Places(**words | {field: url})
