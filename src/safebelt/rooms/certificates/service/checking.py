"""Checking a certificate: four axes of mathematics, one of the register, one of the log.

In the house the authority's own answer is asked for at this moment, so that what was revoked a moment ago is revoked
here too.  Offline, what nobody brought is *not evaluated*: absence of a revocation cannot be shown by a file that
does not speak of one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from safebelt.kernel.errors import Invalid, NotFound, Problem
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates import decide, store
from safebelt.rooms.certificates.decide import refusals
from safebelt.rooms.certificates.decide.standing import subject_of
from safebelt.rooms.certificates.model import (
    Axis,
    Checked,
    Role,
)
from safebelt.rooms.certificates.pki import leaves, ocsp, path
from safebelt.rooms.certificates.pki.reading import UNREADABLE
from safebelt.rooms.certificates.pki.seen import Seen, remember, remembered
from safebelt.rooms.certificates.service.answering import Answering
from safebelt.rooms.certificates.service.reading import der_of, fingerprint, read, serial_text
from safebelt.rooms.ledger.service import check as check_receipt
from safebelt.rooms.ledger.service import read_keys
from safebelt.rooms.registry.model.register import System

MAX_BYTES = 64 * 1024
MAX_CERTIFICATES = 10
"""A chain here has three; a file with more is no chain."""
FRESH = timedelta(hours=24)
"""The oldest answer that is relied upon."""
_NONCE_BYTES = 16
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a stranger brings to a check.

    Attributes:
        roots: The roots to trust, PEM or DER.
        crls: Revocation lists, DER.
        ocsp: The authority's answer about the certificate, DER.
        receipts: Proofs of ledger entries about it (C2SP tlog-proof).
        key: The log's verifier key; empty where no receipt is to be believed.
        memory: File in which the checker keeps what it has seen of authorities' lists and answers, so that an older one
            is caught as a replay (`pki.seen`); `None`: each check stands alone, and a replay that is in time cannot be
            told.
    """

    roots: bytes
    crls: tuple[bytes, ...] = ()
    ocsp: bytes | None = None
    receipts: tuple[str, ...] = ()
    key: str = ""
    memory: Path | None = None


class Checking(Answering):
    """Checks at home: with this authority, this register and this log."""

    def check(self, data: bytes) -> Checked:
        """Check a certificate.

        Args:
            data: The certificate, PEM or DER; what follows it in PEM is taken for its chain.

        Raises:
            Invalid: There is no certificate in it, or too much.
            NotFound: There is no authority here to trust.
            Unavailable: What was seen before of the root's lists cannot be read.
        """
        leaf, *others = read_certificates(data)
        with self._sql.read() as tx:
            parts = store.parts(tx)
        if not parts:
            raise refusals.no_authority()
        now = self._clock()
        roots = [read(part.der) for part in parts if part.role is Role.ROOT]
        others += [read(part.der) for part in parts if part.role in (Role.ISSUING, Role.STAMPING)]
        answer, nonce = self._ask(leaf, [read(one.der) for one in parts if one.role is Role.ISSUING])
        examined = path.examine(
            leaf,
            others,
            roots,
            on=now,
            purpose=path.Purpose.IDENTITY,
            revocation=path.RevocationSource(
                ocsp=answer, crls=(self.root_list(),), nonce=nonce, seen=remembered(self._memory)
            ),
            max_age=FRESH,
        )
        remember(self._memory, examined.seen)
        claims = _claims_of(leaf)
        system_id = claims.system_id if claims else ""
        axes = {
            **_mathematics(examined),
            Axis.REGISTRATION: decide.registration(system_id, self._found_system(system_id), is_known=True),
            Axis.LOG: self._logged(leaf),
        }
        return Checked(
            axes=axes,
            is_public=self._is_public(system_id),
            **_told(leaf, claims),
        )

    @property
    def _memory(self) -> Path:
        """Where the house remembers the root's lists: on disk, so that a table put back to an older one shows."""
        return self._folder / "seen.json"

    def _ask(self, leaf: x509.Certificate, issuing: Sequence[x509.Certificate]) -> tuple[bytes | None, bytes | None]:
        """Ask our own responder about a certificate, as a stranger would; nothing where another issued it."""
        for authority in issuing:
            if authority.subject == leaf.issuer:
                nonce = self._chance(_NONCE_BYTES)
                return self.status(ocsp.query(leaf, authority, nonce)), nonce
        return None, None

    def _logged(self, leaf: x509.Certificate) -> Reason:
        """Judge by the log itself, not by the table of certificates: whoever changed the table shows here."""
        entries = self._ledger.about(subject_of(serial_text(leaf.serial_number)), limit=200)
        about = [one for one in entries if one.data.get("fingerprint") == fingerprint(der_of(leaf))]
        telling = decide.telling([(one.id, one.kind) for one in about])
        try:
            for one in telling.entries:
                self._ledger.prove(one)
        except Problem:
            return decide.logged(issued=None, ended=None)
        return decide.logged(issued=telling.issued, ended=telling.ended, entries=telling.entries)

    def _is_public(self, system_id: str) -> bool:
        """Whether the public register shows a system: what is not shown there is not linked to either."""
        return bool(system_id) and self._registry.is_public(system_id)

    def _found_system(self, system_id: str) -> System | None:
        try:
            return self._registry.system(system_id) if system_id else None
        except NotFound:
            return None


def check_offline(data: bytes, brought: Brought, *, on: datetime) -> Checked:
    """Check a certificate with what a stranger brings, and nothing else: no house, no network.

    Raises:
        Invalid: A file holds no certificate, or the key is none.
        Unavailable: The memory of lists cannot be read or written.
    """
    leaf, *others = read_certificates(data)
    examined = path.examine(
        leaf,
        others,
        read_certificates(brought.roots),
        on=on,
        purpose=path.Purpose.IDENTITY,
        revocation=path.RevocationSource(
            ocsp=brought.ocsp, crls=brought.crls, seen=remembered(brought.memory) if brought.memory else Seen()
        ),
        max_age=FRESH,
    )
    if brought.memory:
        remember(brought.memory, examined.seen)
    claims = _claims_of(leaf)
    axes = {
        **_mathematics(examined),
        Axis.REGISTRATION: decide.registration(claims.system_id if claims else "", None, is_known=False),
        Axis.LOG: _proven(leaf, brought),
    }
    return Checked(axes=axes, **_told(leaf, claims))


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """Read the certificates of a file: PEM blocks, or one certificate as DER.

    Raises:
        Invalid: There is none, there are too many, or one cannot be read.
    """
    try:
        if len(data) > MAX_BYTES:
            raise ValueError("too long")
        blocks = _PEM.findall(data)
        found = [x509.load_pem_x509_certificate(one) for one in blocks[: MAX_CERTIFICATES + 1]]
        found = found or [read(data)]
        for one in found:  # names are read when they are asked for, and whoever checks asks for them
            _ = one.issuer, one.subject.rfc4514_string(), one.serial_number
    except UNREADABLE as error:
        raise _no_certificate() from error
    if len(found) > MAX_CERTIFICATES:
        raise _no_certificate()
    return found


def _no_certificate() -> Invalid:
    return Invalid(
        what=Text(zh="其中没有可读的证书。", en="There is no certificate in it that can be read."),
        hint=Text(
            zh=f"请给出 PEM 或 DER 格式的证书，最多 {MAX_CERTIFICATES} 张、{MAX_BYTES // 1024} KiB。",
            en=f"Give a certificate as PEM or DER; at most {MAX_CERTIFICATES} of them and {MAX_BYTES // 1024} KiB.",
        ),
        details={"field": "certificate"},
    )


def _proven(leaf: x509.Certificate, brought: Brought) -> Reason:
    """Judge by receipts.  They can show that it was issued, and that it was revoked; never that it was not."""
    if not (brought.receipts and brought.key):
        return decide.logged(issued=None, ended=None)
    keys, about = read_keys(brought.key), list[tuple[int, str, str]]()
    for receipt in brought.receipts:
        _, entry = check_receipt(receipt, keys)
        if entry is not None and entry["data"].get("fingerprint") == fingerprint(der_of(leaf)):
            about.append((entry["index"], str(entry["id"]), str(entry["kind"])))
    telling = decide.telling([(one, kind) for _, one, kind in sorted(about, reverse=True)])
    return decide.logged(issued=telling.issued or None, ended=telling.ended or None, entries=telling.entries)


def _mathematics(examined: path.Examined) -> dict[Axis, Reason]:
    return {
        Axis.CHAIN: examined.chain.reason,
        Axis.VALIDITY: examined.validity.reason,
        Axis.PURPOSE: examined.purpose.reason,
        Axis.REVOCATION: examined.revocation.reason,
    }


def _claims_of(leaf: x509.Certificate) -> leaves.Claims | None:
    """Return what a certificate says of the register; None where it says nothing that can be read."""
    try:
        return leaves.claims_of(leaf)
    except Problem:
        return None


def _told(leaf: x509.Certificate, claims: leaves.Claims | None) -> dict[str, Any]:
    """Return what a certificate says, by its own word."""
    return {
        "serial": serial_text(leaf.serial_number),
        "system_id": claims.system_id if claims else "",
        "subject": leaf.subject.rfc4514_string(),
        "issuer": claims.issuer_kind.value if claims else "",
        "provisional": claims.provisional if claims else False,
    }
