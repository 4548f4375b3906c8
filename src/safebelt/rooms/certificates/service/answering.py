"""What the authority answers to whoever asks: revocation list, status of a certificate, time-stamps."""

from datetime import datetime, timedelta

from safebelt.rooms.certificates import store
from safebelt.rooms.certificates.decide import refusals
from safebelt.rooms.certificates.model import Role, Standing, Why
from safebelt.rooms.certificates.pki import crl, ocsp
from safebelt.rooms.certificates.pki.names import Ground
from safebelt.rooms.certificates.service.base import Desk
from safebelt.rooms.certificates.service.reading import read, serial_text

LIST_LIVES = timedelta(hours=24)
"""How long a revocation list may be relied upon (the CA/Browser Forum allows ten days)."""
ANSWER_LIVES = timedelta(minutes=5)
"""How long an answer about one certificate may be kept: whoever was told *good* asks again soon."""
_GROUNDS = {
    Why.UNSPECIFIED: Ground.UNSPECIFIED,
    Why.KEY_COMPROMISE: Ground.KEY_COMPROMISE,
    Why.AFFILIATION_CHANGED: Ground.AFFILIATION_CHANGED,
    Why.SUPERSEDED: Ground.SUPERSEDED,
    Why.CESSATION: Ground.CESSATION_OF_OPERATION,
    Why.PRIVILEGE_WITHDRAWN: Ground.PRIVILEGE_WITHDRAWN,
}
_LIST_AGES = timedelta(hours=1)


class Answering(Desk):
    """Answers that anybody may ask for; each is signed."""

    _cached: tuple[str, datetime, bytes] | None = None

    def revocation_list(self) -> bytes:
        """Return the issuing authority's revocation list (X.509 CRL, DER): what was revoked a moment ago is on it.

        Raises:
            NotFound: There is no authority.
            Unavailable: The issuing key is not on this machine.
        """
        now = self._clock()
        with self._sql.read() as tx:
            state = store.last_change(tx)
            if self._cached and self._cached[0] == state and now - self._cached[1] < _LIST_AGES:
                return self._cached[2]
            named = store.not_good(tx, now)
        listed = (
            crl.Revoked(serial=int(serial, 16), at=at, reason=_ground(standing, why))
            for serial, standing, why, at in named
        )
        number = int(now.timestamp() * 1000)  # grows with time, as RFC 5280 section 5.2.3 asks
        der = crl.make_crl(self._in_force(Role.ISSUING), listed, number=number, on=now, next_update=now + LIST_LIVES)
        self._cached = (state, now, der)
        return der

    def stamping_list(self) -> bytes:
        """Return the time-stamping authority's revocation list (X.509 CRL, DER): it never revoked anything.

        Raises:
            NotFound: There is no authority.
            Unavailable: The key is not on this machine.
        """
        now = self._clock()
        number = int(now.timestamp() * 1000)
        return crl.make_crl(self._in_force(Role.STAMPING), (), number=number, on=now, next_update=now + LIST_LIVES)

    def root_list(self) -> bytes:
        """Return the root's revocation list (X.509 CRL, DER).

        Raises:
            NotFound: There is no authority.
        """
        found = store.newest_root_list(self._sql)
        if found is None:
            raise refusals.no_authority()
        return found

    def status(self, query: bytes) -> bytes:
        """Answer an OCSP query (RFC 6960, DER) with what holds at this moment.

        Raises:
            NotFound: There is no authority.
            Unavailable: The responder's key is not on this machine.
        """
        with self._sql.read() as tx:
            parts = self._parts(tx)
        if Role.RESPONDER not in parts or Role.ISSUING not in parts:
            raise refusals.no_authority()
        responder, issuing = self._signatory(parts[Role.RESPONDER]), read(parts[Role.ISSUING].der)
        return ocsp.answer(query, responder, issuing, self._look, on=self._clock(), valid_for=ANSWER_LIVES)

    def part(self, role: Role) -> bytes:
        """Return the authority's own certificate of a role in force (X.509, DER).

        Raises:
            NotFound: There is no authority.
        """
        return self._part(role).der

    def _look(self, serial: int) -> ocsp.State | None:
        """Say how a certificate stands now; None where it was never issued here."""
        found = store.now_by_serial(self._sql, serial_text(serial))
        if found is None:
            return None
        if found.standing is Standing.GOOD:
            return ocsp.State()
        return ocsp.State(at=found.changed_at, reason=_ground(found.standing, found.why))


def _ground(standing: Standing, why: Why | None) -> Ground:
    """The word of RFC 5280, section 5.3.1, for what people said."""
    return Ground.CERTIFICATE_HOLD if standing is Standing.SUSPENDED else _GROUNDS[why or Why.UNSPECIFIED]
