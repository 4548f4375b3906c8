"""Identities this house keeps: their keys lie here, live services prove themselves with them, they renew themselves."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Conflict, NotFound, Problem
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.decide import identity as decide_identity
from safebelt.rooms.certificates.decide import refusals
from safebelt.rooms.certificates.model import (
    Certificate,
    Identity,
    IdentityDropped,
    IdentityKept,
    Issue,
    Kept,
    Role,
    Standing,
)
from safebelt.rooms.certificates.pki import keys
from safebelt.rooms.certificates.service.base import found_certificate
from safebelt.rooms.certificates.service.issuing import Issuing
from safebelt.rooms.certificates.service.proving import Prover, taken_back
from safebelt.rooms.certificates.service.reading import key_id, pem_of, read
from safebelt.rooms.certificates.store import identities


class Identities(Issuing):
    """Keys that are kept here for systems that run here."""

    def keep(self, system_id: str, *, by: Actor) -> Certificate:
        """Make a key for a system, have it certified, and prove with it from now on who the system is.

        Raises:
            NotFound, Conflict, Unavailable: See `issue`.
        """
        key = keys.make_key("p-256")
        path = self._path(key.public_key())
        keys.save_key(path, key)  # on disk before the certificate is on record; without one it belongs to nothing
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, keys.hash_for(key))
        try:
            made = self.issue(
                Issue(system_id=system_id, request=request.public_bytes(serialization.Encoding.DER)), by=by
            )
        except Problem:
            path.unlink(missing_ok=True)
            raise
        with self._sql.begin() as tx:
            before = identities.kept(tx, system_id)
            identities.put(tx, system_id, made.serial, made.issued_at)
            event = IdentityKept(subject=system_id, serial=made.serial, before=before[0].serial if before else "")
            self._ledger.append(tx, event, by=by)
        return made

    def drop(self, system_id: str, *, reason: str, by: Actor) -> None:
        """Keep a system's key no longer: it is erased, and its certificate is not renewed.

        Raises:
            Invalid: No reason is given.
            NotFound: None is kept.
        """
        if not reason.strip():
            raise refusals.no_reason()
        with self._sql.begin() as tx:
            found = identities.kept(tx, system_id)
            if not found:
                raise _not_kept(system_id)
            certificate = found_certificate(tx, found[0].serial)
            identities.drop(tx, system_id)
            event = IdentityDropped(subject=system_id, serial=certificate.serial, reason=reason.strip())
            self._ledger.append(tx, event, by=by)
        self._path(read(certificate.der).public_key()).unlink(missing_ok=True)

    def kept(self) -> tuple[Kept, ...]:
        """Return the systems whose keys are kept, those whose certificate ends first in front."""
        with self._sql.read() as tx:
            return identities.kept(tx)

    def identity(self, system_id: str, nonce: str) -> Identity:
        """Prove who a system is: sign what the asker chose.

        Args:
            system_id: Which; empty where this house keeps one only.
            nonce: 16 to 64 bytes of the asker's own, base64url.

        Raises:
            Invalid: The nonce is none.
            NotFound: No key is kept for that system.
            Conflict: Several are, and none is named; or the certificate does not count now.
        """
        nonce = decide_identity.hold_nonce(nonce)
        with self._sql.read() as tx:
            found = identities.kept(tx, system_id)
            if not found:
                raise _not_kept(system_id)
            if len(found) > 1:
                raise _which()
            certificate = found_certificate(tx, found[0].serial)
            parts = self._parts(tx)
        if certificate.standing is not Standing.GOOD:
            raise taken_back(certificate.serial, certificate.standing)
        prover = Prover(
            system_id=certificate.system_id,
            place=self._base,
            chain=pem_of(certificate.der) + pem_of(parts[Role.ISSUING].der),
            not_after=certificate.not_after,
            key=keys.load_key(self._path(read(certificate.der).public_key())),
        )
        return prover.prove(nonce, self._clock())

    def renew(self) -> int:
        """Renew the kept certificates that end soon; return how many.  One that fails does not hold up the others.

        The former certificate is not revoked: it ends by itself, and what was signed under it stays checkable.
        """
        renewed = 0
        with self._sql.read() as tx:
            due = [one for one in identities.kept(tx) if self._is_due(found_certificate(tx, one.serial), one)]
        for one in due:
            try:
                self.keep(one.system_id, by=MACHINE)
            except Problem:
                continue  # out of service, or the key is away: the list of certificates shows it ending
            renewed += 1
        return renewed

    def _is_due(self, certificate: Certificate, one: Kept) -> bool:
        return decide_identity.is_due(one, certificate.not_before, self._clock())

    def _path(self, public: object) -> Path:
        return self._folder / "systems" / f"{key_id(public)[:40]}.key"


def _not_kept(system_id: str) -> NotFound:
    name = system_id or "—"
    return NotFound(
        what=Text(zh=f"本平台没有代管系统 {name} 的身份密钥。", en=f"This house keeps no identity key of {name}."),
        hint=Text(
            zh="`safebelt certificates keep 系统编号` 可建立。", en="`safebelt certificates keep SYSTEM` makes one."
        ),
        details={"field": "system"},
    )


def _which() -> Conflict:
    return Conflict(
        what=Text(zh="本平台代管多个系统的身份。", en="This house keeps the identities of several systems."),
        hint=Text(zh="请用 system 参数指明系统。", en="Name one with `system`."),
        details={"field": "system"},
    )
