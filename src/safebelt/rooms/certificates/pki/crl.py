"""Certificate revocation lists (RFC 5280, section 5): complete, numbered, signed by the CA they speak for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from safebelt.rooms.certificates.pki import names
from safebelt.rooms.certificates.pki.keys import Signatory, hash_for
from safebelt.rooms.certificates.pki.names import Ground

__all__ = ["Ground", "Revoked", "make_crl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """One line of a list.

    Attributes:
        serial: Serial number of the certificate.
        at: Since when.
        reason: Why; `Ground.CERTIFICATE_HOLD` is a suspension.
    """

    serial: int
    at: datetime
    reason: Ground = Ground.UNSPECIFIED


def make_crl(
    issuing: Signatory, entries: Iterable[Revoked], *, number: int, on: datetime, next_update: datetime
) -> bytes:
    """Sign a complete list of what a CA has revoked.

    Args:
        issuing: The CA (or the root, for what the root has signed).
        entries: What is revoked or suspended; the last word on a serial number counts.
        number: Rises with every list of this CA, and never repeats.
        on: Now.
        next_update: Until when readers may rely on it.

    Returns:
        The list, DER.

    Raises:
        Invalid: The number or the times are out of order.
    """
    now, until = names.whole(on), names.whole(next_update)
    if not (0 <= number < 1 << 159 and until > now):
        raise names.problem(
            "吊销列表的编号或时间不对。",
            "The number or the times of the revocation list are out of order.",
            hint_zh="编号须为非负整数，下次更新须晚于本次。",
            hint_en="The number is not negative, and the next update is after this one.",
        )
    key = issuing.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    lines = {entry.serial: entry for entry in entries}
    builder = (
        # Given to the constructor: adding one by one copies the list each time, and a hundred thousand take minutes.
        x509.CertificateRevocationListBuilder(revoked_certificates=[_line(lines[serial]) for serial in sorted(lines)])
        .issuer_name(issuing.name)
        .last_update(now)
        .next_update(until)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    return builder.sign(issuing.key, hash_for(issuing.key)).public_bytes(serialization.Encoding.DER)


def _line(entry: Revoked) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(entry.serial, names.whole(entry.at))
    if entry.reason is not Ground.UNSPECIFIED:  # RFC 5280, 5.3.1: leave it out rather than say so
        builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags(entry.reason.value)), critical=False)
    return builder.build()
