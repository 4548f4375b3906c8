"""A house founded today signs leaves with P-384; one founded with RSA before goes on as it was."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.rooms.certificates.conftest import BASE
from tests.rooms.certificates.house import csr, spare_keys

from safebelt.engines.clock import real_chance
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.rooms.certificates.model import Axis, Certificate, Found, Issue, Role, Why
from safebelt.rooms.certificates.pki import keys
from safebelt.rooms.certificates.pki.reading import read_certificate
from safebelt.rooms.certificates.service import Certificates, Tools, pem_of
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.rooms.registry.service import Registry

FOUND = Found(organization="明理认证 Mingli", country="CN", issuer=Issuer.ASSOCIATION)


@pytest.fixture
def before(sql: Sql, ledger: Ledger, registry: Registry, clock, tmp_path: Path) -> Certificates:
    """A house as it was founded before: its issuing CA has RSA-3072.  It is entered anew with today's program."""
    make = spare_keys()

    def as_before(kind: keys.KeyType) -> keys.SigningKey:
        return make("rsa-3072" if kind == "p-384" else kind)

    def entered(make_key) -> Certificates:
        return Certificates(
            Tools(
                sql=sql,
                ledger=ledger,
                registry=registry,
                keys=tmp_path / "keys" / "certificates",
                base=BASE,
                clock=clock,
                chance=real_chance,
                make_key=make_key,
            )
        )

    entered(as_before).found(FOUND, by=OWNER)
    return entered(make)


def key_of(certificates: Certificates, role: Role) -> object:
    return read_certificate(certificates.part(role)).public_key()


def axis(certificates: Certificates, issued: Certificate, which: Axis) -> Truth:
    return certificates.check(pem_of(issued.der).encode()).axes[which].holds


def test_a_house_founded_today_signs_leaves_with_p384_and_the_rest_with_rsa(certificates) -> None:
    issuing, stamping, root = (key_of(certificates, role) for role in (Role.ISSUING, Role.STAMPING, Role.ROOT))

    assert isinstance(issuing, ec.EllipticCurvePublicKey) and issuing.curve.name == "secp384r1"
    assert isinstance(stamping, rsa.RSAPublicKey) and stamping.key_size == 3072
    assert isinstance(root, rsa.RSAPublicKey) and root.key_size == 4096


def test_a_house_founded_with_rsa_issues_answers_lists_and_takes_back_as_it_did(before, served) -> None:
    issuing = key_of(before, Role.ISSUING)
    issued = before.issue(Issue(system_id=served.id, request=csr()), by=OWNER)

    assert isinstance(issuing, rsa.RSAPublicKey) and issuing.key_size == 3072
    assert all(reason.holds is Truth.TRUE for reason in before.check(pem_of(issued.der).encode()).axes.values())
    assert x509.load_der_x509_crl(before.revocation_list()).is_signature_valid(issuing)

    before.revoke(issued.serial, Why.SUPERSEDED, reason="replaced", by=OWNER)

    assert axis(before, issued, Axis.REVOCATION) is axis(before, issued, Axis.LOG) is Truth.FALSE
    assert axis(before, issued, Axis.CHAIN) is Truth.TRUE


def test_a_house_founded_with_rsa_replaces_its_responder_when_its_month_is_nearly_over(before, served, clock) -> None:
    issued = before.issue(Issue(system_id=served.id, request=csr()), by=OWNER)
    responder = before.part(Role.RESPONDER)

    clock.move(days=25)

    assert Role.RESPONDER in before.keep_parts()
    assert before.part(Role.RESPONDER) != responder
    assert axis(before, issued, Axis.REVOCATION) is Truth.TRUE
