"""Renewal by proof: whoever holds the key of a certificate that counts gets the next one, for another key.

No token is asked for: the signature of the present key says who asks, the request's own says that the next key is
theirs.  A key gets one certificate by renewal; a request that is sent again, by whomever, is answered with that one.
"""

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.certificates import store
from safebelt.rooms.certificates.decide import renewal as decide_renewal
from safebelt.rooms.certificates.decide.standing import subject_of
from safebelt.rooms.certificates.model import STANDINGS, Certificate, Issue, Renewal, Role, Standing
from safebelt.rooms.certificates.pki import requests
from safebelt.rooms.certificates.service.base import found_certificate
from safebelt.rooms.certificates.service.issuing import Issuing
from safebelt.rooms.certificates.service.proving import is_over, is_signed
from safebelt.rooms.certificates.service.reading import key_id, pem_of, read


class Renewing(Issuing):
    """Renewal for services whose keys do not lie here."""

    def renew_by_proof(self, cmd: Renewal) -> Certificate:
        """Issue the next certificate of a system to whoever holds the key of the present one.

        The present one is not revoked: it ends by itself.

        Raises:
            NotFound: There is no authority, or the certificate was not issued here.
            Invalid: The request is none, its proof of possession fails, its time is another; the days are off.
            Refused: It is not signed with the key of the certificate it names.
            Conflict: The certificate is suspended, revoked or over; the system is not in service (says what is
                missing); the key is the present one, another system's, or its certificate was taken back.
            Unavailable: The issuing key is not on this machine.
        """
        public = requests.read_request(cmd.request).public_key
        with self._sql.read() as tx:
            present = found_certificate(tx, cmd.serial)
        self._hold_proof(cmd, present)
        ready = self._ready(Issue(system_id=present.system_id, request=cmd.request, days=cmd.days))
        with self._sql.begin() as tx:
            present = found_certificate(tx, cmd.serial, lock=True)  # the same request twice at once: one waits
            self._hold_counts(present)
            if key_id(public) == key_id(read(present.der).public_key()):
                raise _same_key()
            told = self._told_before(tx, key_id(public), present.system_id)
            by = Actor(id=subject_of(present.serial), door="api")  # the entry says which certificate's key asked
            return told or self._issue(tx, ready, by)

    def above(self) -> str:
        """Return what stands above the certificates issued here now, without the root, PEM.

        Raises:
            NotFound: There is no authority.
        """
        return pem_of(self._part(Role.ISSUING).der)

    def _hold_proof(self, cmd: Renewal, present: Certificate) -> None:
        text = decide_renewal.renewal_text(
            system_id=present.system_id,
            fingerprint=present.fingerprint,
            request=cmd.request,
            days=cmd.days,
            at=cmd.at,
        )
        if not is_signed(read(present.der).public_key(), cmd.signature, text.encode()):
            raise _not_signed()
        decide_renewal.hold_moment(cmd.at, self._clock())

    def _hold_counts(self, present: Certificate) -> None:
        if present.standing is not Standing.GOOD:
            stands = STANDINGS[present.standing]
            raise Conflict(
                what=Text(
                    zh=f"证书（{present.serial}）的状态是“{stands.zh}”，不能凭它换发。",
                    en=f"Certificate {present.serial} is {stands.en}: nothing is renewed by it.",
                ),
                hint=Text(
                    zh="请签发机构恢复它，或由运营者重新申领。",
                    en="Its authority may resume it, or an operator asks for a first one again.",
                ),
                details={"field": "serial", "standing": present.standing.value},
            )
        if present.is_over(self._clock()):
            raise is_over(present.not_after)

    def _told_before(self, tx: sa.Connection, public: str, system_id: str) -> Certificate | None:
        """Return the certificate that a key has already; a request is not twice two certificates."""
        found = store.of_key(tx, public, system_id)
        if found is not None and found.standing is not Standing.GOOD:
            raise Conflict(
                what=Text(zh="这把新密钥的证书已被收回。", en="The certificate on this new key was taken back."),
                hint=Text(zh="请换一把新密钥再请求。", en="Ask again with another key."),
                details={"field": "request"},
            )
        return found


def _not_signed() -> Refused:
    return Refused(
        what=Text(
            zh="请求不是由该证书的私钥签署的。",
            en="The request is not signed with the key of the certificate it names.",
        ),
        hint=Text(
            zh="请核对证书序列号与密钥是否成对，以及签署的文本是否与文档一致。",
            en="Check that serial number and key are a pair, and that what was signed is the text the guide shows.",
        ),
        details={"field": "signature"},
    )


def _same_key() -> Conflict:
    return Conflict(
        what=Text(zh="换发须用新的密钥。", en="A renewal needs another key than the present one."),
        hint=Text(zh="请生成新的密钥后再请求。", en="Generate one, and ask again."),
        details={"field": "request"},
    )
