"""The authorities: an offline root, the CA that issues, the responder that answers for it, and the time-stampers.

    root (RSA-4096, offline) ── issuing CA (P-384) ── leaves of systems, and the OCSP responder (P-256, 30 days)
                             └─ stamping CA (RSA-3072) ── time-stampers (P-256)

The C2PA profile lets a CA have RSA from 3072 bits or P-384 and P-521, and the two are good at different things: P-384
signs three and a half times as often as RSA-3072, RSA is checked many times as fast.  The issuing CA signs a leaf for
every version of every system, so it has P-384.  Root and stamping CA sign a handful in their lives and are checked by
every reader: they have RSA.  A reader pays for it with one P-384 signature a leaf: two C2PA engines took 1.5 times as
long for a picture as under an RSA-3072 CA, and 1.8 times where the root had P-384 too.  A CA with RSA does everything
alike, and one that was founded so stays.
"""

from datetime import datetime

from cryptography import x509

from safebelt.rooms.certificates.pki import drafts, names
from safebelt.rooms.certificates.pki.keys import Signatory, SigningKey, make_key
from safebelt.rooms.certificates.pki.names import Kind, Places, Subject

__all__ = ["Places", "Signatory", "make_issuing", "make_responder", "make_root", "make_stamper", "make_stamping_ca"]

_PATH_BELOW_ROOT = 1  # root, one authority, leaf; the profile allows 2
_STAMPER_DAYS = 1826  # five years; a time-stamp can be checked as long as the certificate under it lasts
_DAYS_A_YEAR = 365.25


def make_root(
    name: Subject, *, on: datetime, years: int = 20, key: SigningKey | None = None, serial: int | None = None
) -> Signatory:
    """Make the root: RSA-4096, self-signed, to be kept offline.

    Args:
        name: Who it is.
        on: The moment of the ceremony.
        years: How long it lasts, 25 at most.
        key: Its key, if it exists already (at least RSA-3072, P-384 or P-521).
        serial: Its serial number; a random one if not given.

    Raises:
        Conflict: The key breaks the profile.
        Invalid: A bound is broken.
    """
    key = key or make_key("rsa-4096")
    certificate = drafts.make(
        name.as_name(),
        key.public_key(),
        kind=Kind.ROOT,
        serial=_serial(serial),
        on=on,
        days=round(years * _DAYS_A_YEAR),
        signer=key,
        extensions=[
            drafts.usage("key_cert_sign", "crl_sign"),
            drafts.constraints(is_authority=True, path_length=_PATH_BELOW_ROOT),
        ],
    )
    return Signatory(certificate=certificate, key=key)


def make_issuing(
    root: Signatory,
    name: Subject,
    *,
    on: datetime,
    places: Places,
    days: int = names.LONGEST_DAYS[Kind.ISSUING],
    key: SigningKey | None = None,
    serial: int | None = None,
) -> Signatory:
    """Make the CA that issues leaves: P-384, no authority below it.  Of `places` it names the root's list.

    Raises:
        Conflict: The root is not valid now, or the key breaks the profile.
        Invalid: A bound is broken.
    """
    uses = drafts.purposes(names.CLAIM_SIGNING, names.EMAIL_PROTECTION, names.DOCUMENT_SIGNING)
    key = key or make_key("p-384")
    return _authority(Kind.ISSUING, root, name, uses=uses, on=on, days=days, places=places, key=key, serial=serial)


def make_stamping_ca(
    root: Signatory,
    name: Subject,
    *,
    on: datetime,
    places: Places,
    days: int = names.LONGEST_DAYS[Kind.STAMPING_CA],
    key: SigningKey | None = None,
    serial: int | None = None,
) -> Signatory:
    """Make the CA of the time-stampers: RSA-3072.  Of `places` it names the root's list.

    Raises:
        Conflict: The root is not valid now, or the key breaks the profile.
        Invalid: A bound is broken.
    """
    uses = drafts.purposes(names.TIME_STAMPING)
    key = key or make_key("rsa-3072")
    return _authority(Kind.STAMPING_CA, root, name, uses=uses, on=on, days=days, places=places, key=key, serial=serial)


def make_responder(
    issuing: Signatory,
    name: Subject,
    *,
    on: datetime,
    days: int = names.LONGEST_DAYS[Kind.RESPONDER],
    key: SigningKey | None = None,
    serial: int | None = None,
) -> Signatory:
    """Make the delegated OCSP responder of a CA: P-256, a month at most, because nobody can revoke it.

    `id-pkix-ocsp-nocheck` says so (RFC 6960, 4.2.2.2.1); it names no places, as the C2PA profile wants.

    Raises:
        Conflict: The CA is not valid now, or the key breaks the profile.
        Invalid: A bound is broken.
    """
    key = key or make_key("p-256")
    certificate = drafts.make(
        name.as_name(),
        key.public_key(),
        kind=Kind.RESPONDER,
        serial=_serial(serial),
        on=on,
        days=days,
        signer=issuing,
        extensions=[
            drafts.usage("digital_signature"),
            drafts.constraints(is_authority=False),
            drafts.purposes(names.OCSP_SIGNING),
            (x509.OCSPNoCheck(), False),
        ],
    )
    return Signatory(certificate=certificate, key=key)


def make_stamper(
    stamping_ca: Signatory,
    name: Subject,
    *,
    on: datetime,
    places: Places,
    days: int = _STAMPER_DAYS,
    key: SigningKey | None = None,
    serial: int | None = None,
) -> Signatory:
    """Make a time-stamper: P-256, for nothing but time-stamps (RFC 3161, 2.3).

    Args:
        stamping_ca: Who signs it.
        name: Who it is.
        on: The moment of signing.
        places: Its `crl_url` is where the list of the *stamping* CA is; nothing else of it is named.
        days: How long it lasts, 4110 at most.
        key: Its key, if it exists already.
        serial: Its serial number; a random one if not given.

    Raises:
        Conflict: The CA is not valid now, or the key breaks the profile.
        Invalid: A bound is broken.
    """
    key = key or make_key("p-256")
    certificate = drafts.make(
        name.as_name(),
        key.public_key(),
        kind=Kind.STAMPER,
        serial=_serial(serial),
        on=on,
        days=days,
        signer=stamping_ca,
        extensions=[
            drafts.usage("digital_signature", "content_commitment"),
            drafts.constraints(is_authority=False),
            drafts.purposes(names.TIME_STAMPING, is_critical=True),
            drafts.policy(),
            drafts.list_at(places.crl_url),
        ],
    )
    return Signatory(certificate=certificate, key=key)


def _authority(
    kind: Kind,
    root: Signatory,
    name: Subject,
    *,
    uses: tuple[x509.ExtendedKeyUsage, bool],
    on: datetime,
    days: int,
    places: Places,
    key: SigningKey,
    serial: int | None,
) -> Signatory:
    certificate = drafts.make(
        name.as_name(),
        key.public_key(),
        kind=kind,
        serial=_serial(serial),
        on=on,
        days=days,
        signer=root,
        extensions=[
            drafts.usage("key_cert_sign", "crl_sign"),
            drafts.constraints(is_authority=True, path_length=0),
            uses,
            drafts.policy(),
            drafts.list_at(places.root_crl_url),
        ],
    )
    return Signatory(certificate=certificate, key=key)


def _serial(given: int | None) -> int:
    return x509.random_serial_number() if given is None else given
