"""Deeds of the certificates: found, issue, suspend, resume, revoke, keep, answer, check; and `check_offline`."""

from datetime import datetime

from safebelt.rooms.certificates.decide.renewal import bearing, due_at
from safebelt.rooms.certificates.model import House
from safebelt.rooms.certificates.service.agents import Agent, read_note
from safebelt.rooms.certificates.service.authorities import AtHome, Authority, Elsewhere, signature_of
from safebelt.rooms.certificates.service.base import Tools
from safebelt.rooms.certificates.service.challenging import Challenged, challenge, fetch_lists
from safebelt.rooms.certificates.service.checking import Brought, Checking, check_offline, read_certificates
from safebelt.rooms.certificates.service.founding import Founding
from safebelt.rooms.certificates.service.identities import Identities
from safebelt.rooms.certificates.service.reading import ROLES, lifetime, pem_of, words_of_part
from safebelt.rooms.certificates.service.renewing import Renewing
from safebelt.rooms.certificates.service.signing import Hand, hand
from safebelt.rooms.certificates.service.stamping import Stamping

__all__ = [
    "ROLES",
    "Agent",
    "AtHome",
    "Authority",
    "Brought",
    "Certificates",
    "Challenged",
    "Elsewhere",
    "Hand",
    "Tools",
    "bearing",
    "challenge",
    "check_offline",
    "due_at",
    "fetch_lists",
    "hand",
    "lifetime",
    "pem_of",
    "read_certificates",
    "read_note",
    "signature_of",
    "words_of_part",
]


class Certificates(Founding, Identities, Renewing, Checking, Stamping):
    """The issuing authority of a house, what it issued, and what it answers."""

    def now(self) -> datetime:
        """Return the moment by the house's clock."""
        return self._clock()

    def about(self) -> House:
        """Say where this house's keys, log, lists and register are."""
        with self._sql.read() as tx:
            has_authority = bool(self._parts(tx))
        places = self.places
        plain = places.crl_url.removesuffix("/pki/issuing.crl")
        authority = {
            "root": f"{plain}/pki/root.cer",
            "issuing": places.issuers_url,
            "crl": places.crl_url,
            "root_crl": places.root_crl_url,
            "ocsp": places.ocsp_url,
            "time_stamps": f"{plain}/pki/tsa",
        }
        return House(
            log=f"{self._base}/log/",
            origin=self._ledger.origin,
            keys=tuple(str(key) for key in self._ledger.verifier_keys()),
            authority=authority if has_authority else {},
            register=places.register_url,
            identity=f"{self._base}/.well-known/safebelt/identity",
        )
