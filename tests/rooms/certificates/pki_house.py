"""One family of authorities for the tests of the machinery, made once: their RSA keys are test data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from safebelt.rooms.certificates.pki import crl, hierarchy, leaves, ocsp, stamps
from safebelt.rooms.certificates.pki.keys import Signatory, SigningKey, hash_for
from safebelt.rooms.certificates.pki.names import Kind, Places, Subject
from safebelt.rooms.certificates.pki.path import Examined, Purpose, RevocationSource, examine

DATA = Path(__file__).resolve().parents[2] / "data"
# The programs and engines that judge us look at the machine's clock, so this is now, taken once.
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
PLACES = Places(
    ocsp_url="http://pki.example/ocsp/",
    issuers_url="http://pki.example/issuing.cer",
    crl_url="http://pki.example/issuing.crl",
    root_crl_url="http://pki.example/root.crl",
    register_url="https://register.example/",
)
CLAIMS = leaves.Claims(
    system_id="sys_01k9x3",
    version_id="ver_01k9x4",
    party_id="pty_01k9x5",
    issuer_kind=leaves.IssuerKind.AUTHORITY,
    provisional=True,
    register_url="https://register.example/zh/registry/sys_01k9x3",
)
_PURPOSE = Purpose.CLAIM_SIGNING


def subject(common_name: str = "问答助手 1.0") -> Subject:
    return Subject(organization="示例科技有限公司", common_name=common_name, country="CN")


@cache
def test_key(name: str) -> SigningKey:
    key = serialization.load_pem_private_key(
        (DATA / "certificates" / f"test-only-{name}.key.pem").read_bytes(), None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(key, SigningKey)
    return key


test_key.__test__ = False  # type: ignore[attr-defined]  # the name says what the key is for


@cache
def curve(name: str) -> ec.EllipticCurvePrivateKey:
    """A key of its own for each name, the same in one run."""
    return ec.generate_private_key(ec.SECP384R1() if name.startswith("ca") else ec.SECP256R1())


@dataclass(frozen=True)
class Family:
    root: Signatory
    issuing: Signatory
    responder: Signatory
    stamping_ca: Signatory
    stamper: Signatory
    leaf: x509.Certificate
    leaf_key: ec.EllipticCurvePrivateKey

    @property
    def stamper_chain(self) -> stamps.StamperChain:
        return stamps.StamperChain(stamper=self.stamper, others=(self.stamping_ca.certificate,))

    def issue(self, **changes: object) -> x509.Certificate:
        return leaves.issue(
            self.issuing,
            **{  # type: ignore[arg-type]
                "public_key": self.leaf_key.public_key(),
                "claims": CLAIMS,
                "subject": subject(),
                "serial": 0x0123456789ABCDEF,
                "on": NOW,
                "places": PLACES,
                **changes,
            },
        )

    def answer(self, state: ocsp.State | None = ocsp.State(), **changes: object) -> bytes:  # noqa: B008  frozen
        words = {"on": NOW, "valid_for": DAY, "leaf": self.leaf, "nonce": None, "responder": self.responder} | changes
        question = ocsp.query(words.pop("leaf"), self.issuing.certificate, words.pop("nonce"))  # type: ignore[arg-type]
        return ocsp.answer(question, words.pop("responder"), self.issuing.certificate, lambda _: state, **words)  # type: ignore[arg-type]

    def list_(self, entries: Iterable[crl.Revoked] = (), **changes: object) -> bytes:
        words = {"number": 7, "on": NOW, "next_update": NOW + DAY, "by": self.issuing} | changes
        return crl.make_crl(words.pop("by"), entries, **words)  # type: ignore[arg-type]

    @property
    def root_list(self) -> bytes:
        return _root_list(self)

    def examine(
        self,
        *,
        ocsp: bytes | None = None,
        crls: tuple[bytes, ...] | None = None,
        leaf: x509.Certificate | None = None,
        others: list[x509.Certificate] | None = None,
        roots: list[x509.Certificate] | None = None,
        on: datetime = NOW,
        purpose: Purpose = _PURPOSE,
        **source: object,
    ) -> Examined:
        """Examine the leaf with a root's list that is in order, and what the test puts beside it."""
        return examine(
            leaf or self.leaf,
            [self.issuing.certificate] if others is None else others,
            [self.root.certificate] if roots is None else roots,
            on=on,
            purpose=purpose,
            revocation=RevocationSource(ocsp=ocsp, crls=(self.root_list, *(crls or ())), **source),  # type: ignore[arg-type]
            max_age=DAY,
        )


@cache
def _root_list(family: Family) -> bytes:
    return crl.make_crl(family.root, [], number=1, on=NOW, next_update=NOW + 90 * DAY)


def make_family(root_key: SigningKey, issuing_key: SigningKey, stamping_key: SigningKey, *, tag: str = "") -> Family:
    """Make one; `tag` sets the small keys apart, while the names stay the same."""
    root = hierarchy.make_root(subject("测试根"), on=NOW, key=root_key)
    issuing = hierarchy.make_issuing(root, subject("测试签发机构"), on=NOW, places=PLACES, key=issuing_key)
    stamping_ca = hierarchy.make_stamping_ca(root, subject("测试时间戳机构"), on=NOW, places=PLACES, key=stamping_key)
    key = curve("leaf" + tag)
    leaf = leaves.issue(
        issuing, key.public_key(), CLAIMS, subject=subject(), serial=0x0123456789ABCDEF, on=NOW, places=PLACES
    )
    return Family(
        root=root,
        issuing=issuing,
        responder=hierarchy.make_responder(issuing, subject("OCSP 应答者"), on=NOW, key=curve("responder" + tag)),
        stamping_ca=stamping_ca,
        stamper=hierarchy.make_stamper(
            stamping_ca, subject("时间戳服务"), on=NOW, places=PLACES, key=curve("stamper" + tag)
        ),
        leaf=leaf,
        leaf_key=key,
    )


@cache
def family() -> Family:
    """The family as it is founded now: RSA-4096 over P-384, the stampers under RSA-3072."""
    return make_family(test_key("root"), issuing_key(), test_key("stamping"))


@cache
def elders() -> Family:
    """A family as it was founded before: RSA-4096 over RSA-3072."""
    return make_family(test_key("root"), test_key("issuing"), test_key("stamping"), tag=" elder")


def issuing_key() -> SigningKey:
    """The key of the CA that issues leaves in `family`."""
    return curve("ca of leaves")


FAMILIES = {"P-384": family, "RSA-3072": elders}
"""Both kinds of issuing CA that are in the field."""


@cache
def strangers() -> Family:
    """Another family of the very same names, with other keys."""
    return make_family(curve("ca root"), curve("ca issuing"), curve("ca stamping"), tag=" strange")


def everything(of: Family) -> dict[Kind, x509.Certificate]:
    """One certificate of every kind."""
    return {
        Kind.ROOT: of.root.certificate,
        Kind.ISSUING: of.issuing.certificate,
        Kind.STAMPING_CA: of.stamping_ca.certificate,
        Kind.RESPONDER: of.responder.certificate,
        Kind.STAMPER: of.stamper.certificate,
        Kind.LEAF_AL1: of.leaf,
        Kind.LEAF_AL2: of.issue(level="al2"),
        Kind.IDENTITY: of.issue(level=None),
    }


Change = tuple[x509.ExtensionType, bool]


def remade(
    certificate: x509.Certificate,
    signer: SigningKey,
    *,
    without: Iterable[type[x509.ExtensionType]] = (),
    with_: Iterable[Change] = (),
    **facts: object,
) -> x509.Certificate:
    """Sign a certificate again, changed: what our own makers would refuse to make."""
    with_ = list(with_)
    dropped = {kind.oid for kind in without} | {value.oid for value, _ in with_}
    builder = x509.CertificateBuilder(
        issuer_name=facts.get("issuer", certificate.issuer),  # type: ignore[arg-type]
        subject_name=facts.get("subject", certificate.subject),  # type: ignore[arg-type]
        public_key=facts.get("public_key", certificate.public_key()),  # type: ignore[arg-type]
        serial_number=facts.get("serial", certificate.serial_number),  # type: ignore[arg-type]
        not_valid_before=facts.get("start", certificate.not_valid_before_utc).replace(tzinfo=None),  # type: ignore[attr-defined]
        not_valid_after=facts.get("end", certificate.not_valid_after_utc).replace(tzinfo=None),  # type: ignore[attr-defined]
    )
    for one in certificate.extensions:
        if one.oid not in dropped:
            builder = builder.add_extension(one.value, one.critical)
    for value, is_critical in with_:
        builder = builder.add_extension(value, is_critical)
    return builder.sign(signer, facts.get("hash", hash_for(signer)))  # type: ignore[arg-type]
