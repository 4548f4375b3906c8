"""The authority itself: founded once, its short-lived keys replaced before their time is over."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Problem
from safebelt.rooms.certificates import store
from safebelt.rooms.certificates.decide import refusals
from safebelt.rooms.certificates.decide.founding import hold_founding
from safebelt.rooms.certificates.model import (
    Authority,
    AuthorityFounded,
    Found,
    Part,
    PartRenewed,
    Role,
    RootListSigned,
)
from safebelt.rooms.certificates.pki import crl, hardware, hierarchy, keys
from safebelt.rooms.certificates.pki.keys import Signatory
from safebelt.rooms.certificates.pki.names import Subject
from safebelt.rooms.certificates.service.base import LOCK, Desk
from safebelt.rooms.certificates.service.reading import der_of, fingerprint, lifetime

RENEWED = {Role.RESPONDER: Role.ISSUING, Role.STAMPER: Role.STAMPING}
"""Parts that live for weeks, and who signs their successors.  The others are a person's business: a key ceremony."""
_COMMON_NAMES = {
    Role.ROOT: "AI systems root",
    Role.ISSUING: "AI systems issuing CA",
    Role.RESPONDER: "AI systems status responder",
    Role.STAMPING: "Time-stamping CA",
    Role.STAMPER: "Time-stamper",
}
ROOT_LIST_LIVES = timedelta(days=366)
"""How long the root's list is good for: its key is fetched once a year."""
_LEFT = 1 / 3
"""A part is replaced when less than this of its life is left: days remain to notice that replacing failed."""


class Founding(Desk):
    """Founding the authority, and keeping it."""

    def found(self, cmd: Found, *, by: Actor, token: str = "") -> Authority:
        """Make the authority's keys and certificates.

        Takes seconds: an RSA key of 4,096 bits is looked for.  The keys are on disk before the certificates are on
        record; keys of a founding that was interrupted belong to nothing.

        Args:
            cmd: What it is called, and who stands behind it.
            by: Who does it.
            token: A `pkcs11:` URI of the token in which the keys of the issuing and the stamping CA are made, which
                stay on this machine for years; empty: in files.  The root's key is a file, to be taken away.

        Raises:
            Invalid: The name or the country cannot stand in a certificate, or the URI is none.
            Conflict: There is an authority already.
            Refused: The token refuses the PIN.
            Unavailable: The token is not there.
        """
        cmd = hold_founding(cmd)
        with self._sql.read() as tx:
            if store.founded(tx) is not None:
                raise refusals.founded_already()
        at = self._clock()
        made = self._make(cmd, at, token)
        for role, signatory in made.items():
            keys.save_key(self._key_path(role, der_of(signatory.certificate)), signatory.key)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
            if store.founded(tx) is not None:
                raise refusals.founded_already()
            store.found(tx, cmd, at)
            prints = {role.value: self._record(tx, role, one, at) for role, one in made.items()}
            event = AuthorityFounded(
                subject=prints[Role.ROOT.value],
                organization=cmd.organization,
                country=cmd.country,
                issuer=cmd.issuer,
                fingerprints=prints,
            )
            store.add_root_list(tx, 1, _empty_list(made[Role.ROOT], 1, at), at)
            self._ledger.append(tx, event, by=by)
        return self.authority()

    def renew_root_list(self, *, by: Actor) -> bytes:
        """Sign the root's revocation list anew; once a year, with the root's key fetched for it.

        Raises:
            NotFound: There is no authority.
            Unavailable: The root's key is not on this machine.
        """
        root, at = self._in_force(Role.ROOT), self._clock()
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
            last = store.last_root_list(tx)
            number = 1 if last is None else last[0] + 1
            der = _empty_list(root, number, at)
            store.add_root_list(tx, number, der, at)
            event = RootListSigned(subject=fingerprint(der), number=number)
            self._ledger.append(tx, event, by=by)
        return der

    def authority(self) -> Authority:
        """Return the authority of this house.

        Raises:
            NotFound: There is none.
        """
        with self._sql.read() as tx:
            founded, parts = store.founded(tx), store.parts(tx)
        if founded is None:
            raise refusals.no_authority()
        current = {part.role: part for part in parts}
        return Authority(
            organization=founded.organization,
            country=founded.country,
            issuer=founded.issuer,
            parts=current,
            former=tuple(part for part in parts if current[part.role] is not part),
            has_root_key=self._key_path(Role.ROOT, current[Role.ROOT].der).exists(),
        )

    def root_key_path(self) -> Path:
        """Return where the root's private key lies until a person takes it away.

        Raises:
            NotFound: There is no authority.
        """
        return self._key_path(Role.ROOT, self.authority().parts[Role.ROOT].der)

    def keep_parts(self) -> tuple[Role, ...]:
        """Replace the parts whose time is running out; return which.  A turn with nothing to do reads one table."""
        with self._sql.read() as tx:
            parts = self._parts(tx)
        now = self._clock()
        due = [role for role in RENEWED if role in parts and _is_due(parts[role], now)]
        return tuple(role for role in due if self._renew(role))

    def _renew(self, role: Role) -> bool:
        """Replace one part, unless somebody else just did."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
            parts, at = self._parts(tx), self._clock()
            before = parts[role]
            if not _is_due(before, at):
                return False
            try:
                signer = self._signatory(parts[RENEWED[role]])
            except Problem:
                return False  # its key is away; what is in force goes on until its time is over
            founded = store.founded(tx)
            assert founded is not None  # noqa: S101  a part without an authority cannot be: both are written at once
            new = self._short_lived(role, signer, founded, at)
            keys.save_key(self._key_path(role, der_of(new.certificate)), new.key)
            event = PartRenewed(subject=self._record(tx, role, new, at), role=role, before=fingerprint(before.der))
            self._ledger.append(tx, event, by=MACHINE)
        return True

    def _record(self, tx: sa.Connection, role: Role, made: Signatory, at: datetime) -> str:
        der = der_of(made.certificate)
        store.add_part(tx, Part(role=role, der=der, since=at), fingerprint(der))
        return fingerprint(der)

    def _make(self, cmd: Found, at: datetime, token: str) -> dict[Role, Signatory]:
        make, places = hardware.maker(token, chance=self._chance) if token else self._makes_key, self.places
        root = hierarchy.make_root(_name(cmd, Role.ROOT), on=at, key=self._makes_key("rsa-4096"))
        issuing = hierarchy.make_issuing(root, _name(cmd, Role.ISSUING), on=at, places=places, key=make("p-384"))
        stamping = hierarchy.make_stamping_ca(
            root, _name(cmd, Role.STAMPING), on=at, places=places, key=make("rsa-3072")
        )
        return {
            Role.ROOT: root,
            Role.ISSUING: issuing,
            Role.RESPONDER: self._short_lived(Role.RESPONDER, issuing, cmd, at),
            Role.STAMPING: stamping,
            Role.STAMPER: self._short_lived(Role.STAMPER, stamping, cmd, at),
        }

    def _short_lived(self, role: Role, signer: Signatory, cmd: Found, at: datetime) -> Signatory:
        if role is Role.RESPONDER:
            return hierarchy.make_responder(signer, _name(cmd, role), on=at)
        places = replace(self.places, crl_url=self.places.crl_url.replace("issuing.crl", "stamping.crl"))
        return hierarchy.make_stamper(signer, _name(cmd, role), on=at, places=places)


def _name(cmd: Found, role: Role) -> Subject:
    return Subject(organization=cmd.organization, common_name=_COMMON_NAMES[role], country=cmd.country)


def _empty_list(root: Signatory, number: int, at: datetime) -> bytes:
    """The root's list: none of its few certificates was ever revoked; to revoke one is to found anew."""
    return crl.make_crl(root, (), number=number, on=at, next_update=at + ROOT_LIST_LIVES)


def _is_due(part: Part, now: datetime) -> bool:
    begins, ends = lifetime(part.der)
    return ends - now < (ends - begins) * _LEFT
