"""Issuing: only for a system in service, only to whoever holds the private key, only what meets the profile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.certificates import decide, store
from safebelt.rooms.certificates.decide import refusals
from safebelt.rooms.certificates.decide.renewal import due_at
from safebelt.rooms.certificates.decide.standing import subject_of
from safebelt.rooms.certificates.model import (
    Certificate,
    CertificateIssued,
    CertificateResumed,
    CertificateRevoked,
    CertificateSuspended,
    Filter,
    Found,
    Issue,
    Page,
    Role,
    Standing,
    Why,
)
from safebelt.rooms.certificates.pki import leaves, requests
from safebelt.rooms.certificates.pki.keys import Signatory, SystemKey
from safebelt.rooms.certificates.pki.leaves import Claims, IssuerKind, Subject
from safebelt.rooms.certificates.service.base import Desk, certificate_now, found_certificate
from safebelt.rooms.certificates.service.reading import der_of, fingerprint, key_id, lifetime, read, serial_text
from safebelt.rooms.registry.model.register import PartyKind, Status, System

NO_VERSION = "-"
"""Stands in a certificate where the register knows no versions of the system."""
ALL_EVERY = timedelta(minutes=10)
"""How often all systems with certificates are looked at, whatever the ledger said meanwhile."""
_ENTRIES, _BEYOND = 200, 1 << 53  # entries read at once; an index no log reaches
_MAX_NAME = 64  # ub-organization-name and ub-common-name, RFC 5280 appendix A.1
_SERIAL_BYTES = 16  # RFC 5280 allows 20 octets; CA/Browser Forum rules ask for 8 of them from chance


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A certificate that may be issued: what was asked for, and what was held."""

    cmd: Issue
    days: int
    key: SystemKey
    system: System
    signer: Signatory


class Issuing(Desk):
    """Issuing certificates, and saying how they stand."""

    _seen: int | None = None
    _looked_at: datetime = datetime.min.replace(tzinfo=UTC)

    def issue(self, cmd: Issue, *, by: Actor) -> Certificate:
        """Issue a certificate for a system in service.

        Raises:
            NotFound: There is no authority, no such system, or no such version of it.
            Invalid: The request is none, its proof of possession fails, or its key is too weak; the days are off.
            Conflict: The system is not in service (says what is missing), or the key is another's or was lost.
            Unavailable: The issuing key is not on this machine.
        """
        ready = self._ready(cmd)
        with self._sql.begin() as tx:
            return self._issue(tx, ready, by)

    def certificate(self, serial: str) -> Certificate:
        """Return one certificate by its serial number (hexadecimal, colons and case ignored).

        Raises:
            NotFound: None of that number was issued here.
        """
        return certificate_now(self._sql, serial)

    def certificates(self, wanted: Filter) -> Page:
        """Return a page of certificates, latest first."""
        with self._sql.read() as tx:
            return store.page(tx, wanted)

    def ending(self, shown: Sequence[Certificate]) -> frozenset[str]:
        """Return the numbers of those that count, are due for renewal, and have no successor yet."""
        now = self._clock()
        due = [one for one in shown if one.standing is Standing.GOOD and not one.is_over(now)]
        due = [one for one in due if now >= due_at(one.not_before, one.not_after, one.serial)]
        with self._sql.read() as tx:
            latest = store.latest(tx, tuple({one.system_id for one in due})) if due else {}
        return frozenset(one.serial for one in due if latest.get(one.system_id) == one.serial)

    def suspend(self, serial: str, *, reason: str, by: Actor) -> Certificate:
        """Let a certificate not count until further notice; at once.

        Raises:
            NotFound, Invalid, Conflict: See `decide.suspend`.
        """
        with self._sql.begin() as tx:
            found = found_certificate(tx, serial, lock=True)
            return self._change(tx, *decide.suspend(found, reason, self._clock()), by=by)

    def resume(self, serial: str, *, reason: str, by: Actor) -> Certificate:
        """Let a suspended certificate count again.

        Raises:
            NotFound, Invalid, Conflict: See `decide.resume`; Conflict, too, while its system is not in service.
        """
        with self._sql.begin() as tx:
            found = found_certificate(tx, serial, lock=True)
            if why := decide.lapsed(self._system(found.system_id)):
                raise Conflict(
                    what=Text(zh=f"不能恢复：{why.zh}。", en=f"It cannot be resumed: {why.en}."),
                    hint=Text(
                        zh="请先让系统重新通过“在用”关口。", en="Let the system pass its gate into service first."
                    ),
                )
            return self._change(tx, *decide.resume(found, reason, self._clock()), by=by)

    def revoke(self, serial: str, why: Why, *, reason: str, by: Actor) -> Certificate:
        """Let a certificate never count again; at once, and for ever.

        Raises:
            NotFound, Invalid, Conflict: See `decide.revoke`.
        """
        with self._sql.begin() as tx:
            found = found_certificate(tx, serial, lock=True)
            return self._change(tx, *decide.revoke(found, why, reason, self._clock()), by=by)

    def follow(self, *, by: Actor) -> int:
        """Suspend the certificates of systems that are not in service any more; return how many.

        A person resumes them: that a system came back does not say that its certificate should.  The ledger says which
        systems something happened to since the turn before; now and then, and at first, all are looked at.
        """
        with self._sql.read() as tx:
            system_ids = store.systems_counting(tx, self._clock(), among_ids=self._moved())
        gone = {one: why for one in system_ids if (why := decide.lapsed(self._system(one)))}
        if not gone:
            return 0
        with self._sql.begin() as tx:
            found = store.of_systems(tx, tuple(gone), self._clock())
            for one in found:
                why = gone[one.system_id]
                held = found_certificate(tx, one.serial, lock=True)
                if held.standing is Standing.GOOD:
                    self._change(tx, *decide.suspend(held, f"{why.zh} · {why.en}", self._clock()), by=by)
        return len(found)

    def _ready(self, cmd: Issue) -> _Ready:
        """Hold everything that can be held before the transaction begins; raises as `issue` does."""
        days, asked = decide.hold_days(cmd.days), requests.read_request(cmd.request)
        system = self._issuable(cmd)
        return _Ready(cmd=cmd, days=days, key=asked.public_key, system=system, signer=self._in_force(Role.ISSUING))

    def _issue(self, tx: sa.Connection, ready: _Ready, by: Actor) -> Certificate:
        """Sign a certificate, and put it on record and on the ledger; raises as `issue` does."""
        founded = store.founded(tx)
        if founded is None:
            raise refusals.no_authority()
        public = key_id(ready.key)
        self._hold_key(tx, public, ready.system.id)
        at, claims = self._clock(), self._claims(ready.cmd, ready.system, founded)
        leaf = leaves.issue(
            ready.signer,
            ready.key,
            claims,
            subject=self._subject(ready.system, founded),
            serial=leaves.serial_of(self._chance(_SERIAL_BYTES)),
            on=at,
            days=ready.days,
            places=self.places,
        )
        return self._put_on_record(tx, _as_word(der_of(leaf), claims, founded, at), public, by)

    def _moved(self) -> tuple[str, ...] | None:
        """Return the systems that entries since the last turn are about; None where all are to be looked at."""
        now, moved = self._clock(), set[str]()
        if self._seen is None or now - self._looked_at >= ALL_EVERY:
            newest = self._ledger.entries(before=_BEYOND, limit=1)
            self._seen, self._looked_at = (newest[0].index or 0) if newest else -1, now
            return None
        while found := self._ledger.entries(after=self._seen, limit=_ENTRIES):
            moved |= {one.subject for one in found}
            self._seen = max(one.index or 0 for one in found)
            if len(found) < _ENTRIES:
                break
        return tuple(sorted(moved))

    def _issuable(self, cmd: Issue) -> System:
        """Return the system a certificate is asked for, if it may have one."""
        system = self._registry.system(cmd.system_id)
        missing: Sequence[Text] = ()
        if system.status is not Status.IN_SERVICE:
            asked = self._registry.gate(system.id, Status.IN_SERVICE)
            missing = tuple(one.what for one in asked.missing)
        if cmd.version_id and self._registry.version(cmd.version_id).subject_id != system.id:
            raise Conflict(
                what=Text(
                    zh=f"{cmd.version_id} 不是该系统的版本。", en=f"{cmd.version_id} is no version of this system."
                ),
                hint=Text(
                    zh="`safebelt registry versions list` 可列出版本。",
                    en="`safebelt registry versions list` lists them.",
                ),
                details={"field": "version_id"},
            )
        return decide.hold_issuable(system, missing)

    def _hold_key(self, tx: sa.Connection, key_id: str, system_id: str) -> None:
        decide.hold_key_is_new(store.holders(tx, key_id), system_id)
        if store.has_lost(tx, key_id):
            raise Conflict(
                what=Text(zh="这把密钥已因泄露被吊销。", en="This key was revoked because it is no longer secret."),
                hint=Text(zh="请生成新的密钥。", en="Generate another key."),
                details={"field": "request"},
            )

    def _claims(self, cmd: Issue, system: System, founded: Found) -> Claims:
        return Claims(
            system_id=system.id,
            version_id=self._version_of(cmd, system),
            party_id=system.provider_id,
            issuer_kind=IssuerKind(founded.issuer.value),
            provisional=system.provisional,
            register_url=f"{self.places.register_url}/{system.id}",
        )

    def _subject(self, system: System, founded: Found) -> Subject:
        """Whom a certificate names; a natural person by their id, for a certificate travels and cannot be erased."""
        provider = self._registry.party(system.provider_id)
        return Subject(
            organization=_fitted(provider.name if provider.kind is not PartyKind.PERSON else provider.id),
            common_name=_fitted(system.name.en),
            country=founded.country,
        )

    def _version_of(self, cmd: Issue, system: System) -> str:
        """The version a certificate speaks for: the one named, the one in use, or none."""
        if cmd.version_id:
            return cmd.version_id
        current = self._registry.current_version(system.id)
        return current.id if current else NO_VERSION

    def _system(self, system_id: str) -> System | None:
        try:
            return self._registry.system(system_id)
        except NotFound:
            return None

    def _put_on_record(self, tx: sa.Connection, word: Certificate, key_id: str, by: Actor) -> Certificate:
        event = CertificateIssued(
            subject=subject_of(word.serial),
            system_id=word.system_id,
            version_id=word.version_id,
            serial=word.serial,
            fingerprint=word.fingerprint,
            issuer=word.issuer,
            provisional=word.provisional,
            not_before=word.not_before.isoformat(),
            not_after=word.not_after.isoformat(),
        )
        entry_id = self._ledger.append(tx, event, by=by)
        kept = replace(word, entry_id=entry_id, last_entry_id=entry_id)
        store.add(tx, kept, key_id=key_id)
        return kept

    def _change(
        self,
        tx: sa.Connection,
        changed: Certificate,
        event: CertificateSuspended | CertificateResumed | CertificateRevoked,
        *,
        by: Actor,
    ) -> Certificate:
        kept = replace(changed, last_entry_id=self._ledger.append(tx, event, by=by))
        store.put(tx, kept)
        return kept


def _as_word(der: bytes, claims: Claims, founded: Found, at: datetime) -> Certificate:
    leaf = read(der)
    begins, ends = lifetime(der)
    return Certificate(
        serial=serial_text(leaf.serial_number),
        system_id=claims.system_id,
        version_id=claims.version_id,
        subject=leaf.subject.rfc4514_string(),
        der=der,
        fingerprint=fingerprint(der),
        issuer=founded.issuer,
        provisional=claims.provisional,
        not_before=begins,
        not_after=ends,
        standing=Standing.GOOD,
        why=None,
        reason="",
        issued_at=at,
        changed_at=at,
        entry_id="",
        last_entry_id="",
    )


def _fitted(name: str) -> str:
    """Return a name as a certificate can carry it; a long one ends in an ellipsis."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return plain if len(plain) <= _MAX_NAME else plain[: _MAX_NAME - 1].rstrip() + "…"
