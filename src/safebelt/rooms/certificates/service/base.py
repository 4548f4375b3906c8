"""What every deed of the certificates needs: tables, ledger, register, keys, addresses, time, chance."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from safebelt.engines.clock import Chance, Clock
from safebelt.engines.sql import Sql
from safebelt.rooms.certificates import store
from safebelt.rooms.certificates.decide import refusals
from safebelt.rooms.certificates.model import Certificate, Part, Role
from safebelt.rooms.certificates.pki.keys import KeyType, Signatory, SigningKey, load_key, make_key
from safebelt.rooms.certificates.pki.names import Places
from safebelt.rooms.certificates.service.reading import ROLES, fingerprint, read
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.service import Registry

LOCK = "certificates"
"""Name of the section in which one process at a time changes the authority itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the certificates work with.

    Attributes:
        sql: Where they are kept.
        ledger: Remembers every issue, suspension and revocation in the same transaction.
        registry: Says which systems there are, and which are in service.
        keys: Folder of the private keys.
        base: Address under which the public reaches this house; written into what is issued.
        clock: Says now.
        chance: Draws random bytes, for serial numbers.
        make_key: Makes the authority's private keys; a hardware token's stand-ins go here.
    """

    sql: Sql
    ledger: Ledger
    registry: Registry
    keys: Path
    base: str
    clock: Clock
    chance: Chance
    make_key: Callable[[KeyType], SigningKey] = make_key


class Desk:
    """The desk that all deeds of the certificates work at."""

    def __init__(self, tools: Tools) -> None:
        self._sql, self._ledger, self._registry = tools.sql, tools.ledger, tools.registry
        self._folder, self._base, self._clock, self._chance = tools.keys, tools.base, tools.clock, tools.chance
        self._makes_key = tools.make_key

    @property
    def places(self) -> Places:
        """Where whoever reads a certificate finds its status, its issuer and its system.

        Lists and answers are signed themselves, and their addresses are `http` (RFC 5280, section 8): fetching a
        revocation list over TLS would need a revocation list.
        """
        plain = "http://" + self._base.partition("://")[2]
        return Places(
            ocsp_url=f"{plain}/pki/ocsp/",
            issuers_url=f"{plain}/pki/issuing.cer",
            crl_url=f"{plain}/pki/issuing.crl",
            root_crl_url=f"{plain}/pki/root.crl",
            register_url=f"{self._base}/en/register",
        )

    def _parts(self, tx: sa.Connection) -> dict[Role, Part]:
        """Return the certificates of the authority in force, one of each role; empty where there is no authority."""
        return {part.role: part for part in store.parts(tx)}

    def _signatory(self, part: Part) -> Signatory:
        """Return a certificate of the authority with its private key.

        Raises:
            Unavailable: The key is not on this machine.
        """
        path = self._key_path(part.role, part.der)
        if not path.exists():
            raise refusals.key_is_away(ROLES[part.role])
        return Signatory(certificate=read(part.der), key=load_key(path))

    def _key_path(self, role: Role, der: bytes) -> Path:
        """Where the private key of a part of the authority lies: nothing but the root's is ever taken away."""
        return self._folder / f"{role.value}-{fingerprint(der)[:16]}.key"

    def _part(self, role: Role) -> Part:
        """Return the authority's certificate of a role in force.

        Raises:
            NotFound: There is no authority.
        """
        with self._sql.read() as tx:
            parts = self._parts(tx)
        if role not in parts:
            raise refusals.no_authority()
        return parts[role]

    def _in_force(self, role: Role) -> Signatory:
        """Return what signs in a role now.

        Raises:
            NotFound: There is no authority.
            Unavailable: The key is not on this machine.
        """
        return self._signatory(self._part(role))


def found_certificate(tx: sa.Connection, serial: str, *, lock: bool = False) -> Certificate:
    """Return one certificate.

    Raises:
        NotFound: None of that serial number was issued here.
    """
    return _held(serial, store.by_serial(tx, _plain(serial), lock=lock))


def certificate_now(sql: Sql, serial: str) -> Certificate:
    """Return one certificate, in a reading of its own, which takes a fraction of the time; errors as above."""
    return _held(serial, store.now_by_serial(sql, _plain(serial)))


def _plain(serial: str) -> str:
    return serial.strip().lower().replace(":", "").lstrip("0")


def _held(serial: str, found: Certificate | None) -> Certificate:
    if found is None:
        raise refusals.no_certificate(serial)
    return found
