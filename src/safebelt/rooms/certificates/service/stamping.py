"""Time-stamps: that some bytes existed at a moment, signed by a key that does nothing else (RFC 3161)."""

from datetime import datetime

from safebelt.kernel.errors import Problem
from safebelt.kernel.reasons import Reason
from safebelt.rooms.certificates import store
from safebelt.rooms.certificates.model import Role
from safebelt.rooms.certificates.pki import leaves, names, path, stamps
from safebelt.rooms.certificates.pki.tokens import LIST_AGE
from safebelt.rooms.certificates.pki.verdicts import open_, together
from safebelt.rooms.certificates.service.answering import Answering
from safebelt.rooms.certificates.service.reading import read, serial_text

_SERIAL_BYTES = 16


class Stamping(Answering):
    """Answers to time-stamp queries."""

    def stamp(self, query: bytes) -> bytes:
        """Answer a time-stamp query (RFC 3161, DER): the digest existed at this moment.

        Raises:
            NotFound: There is no authority.
            Unavailable: The stamper's key is not on this machine.
        """
        stamper = self._in_force(Role.STAMPER)
        chain = (read(self.part(Role.STAMPING)),)
        serial = leaves.serial_of(self._chance(_SERIAL_BYTES))
        who = stamps.StamperChain(stamper=stamper, others=chain)
        return stamps.stamp(query, who, serial=serial, on=self._clock(), policy=names.STAMP_POLICY)

    def check_stamper(self, serial: str, *, at: datetime) -> tuple[Reason, ...]:
        """Say whether a time-stamper of this house may be believed: its chain then, and its revocation now.

        Args:
            serial: Number of its certificate, hexadecimal.
            at: When it stamped.

        Returns:
            Chain, time and purpose at that moment; and revocation, by the lists as of now.

        Raises:
            NotFound: There is no authority.
        """
        with self._sql.read() as tx:
            parts = store.parts(tx)
        known = [(part.role, read(part.der)) for part in parts]
        wanted = serial.strip().lower().replace(":", "").lstrip("0")
        found = [one for _, one in known if serial_text(one.serial_number) == wanted]
        if not found:
            none = open_(
                "本机构的记录中没有这个时间戳签署者", "No time-stamper of that number is on this house's record"
            )
            return (none,)
        roots = [one for role, one in known if role is Role.ROOT]
        others = [one for role, one in known if role in (Role.ISSUING, Role.STAMPING)]
        lists = path.RevocationSource(crls=self._lists())

        def seen(moment: datetime) -> path.Examined:
            return path.examine(
                found[0],
                others,
                roots,
                on=moment,
                purpose=path.Purpose.TIME_STAMPING,
                revocation=lists,
                max_age=LIST_AGE,
            )

        then, now = seen(at), seen(self._clock())
        chain = together(
            "时间戳签署者的证书链在签署时成立",
            "The stamper's chain held when it stamped",
            [then.chain.reason, then.validity.reason, then.purpose.reason],
        )
        return chain, now.revocation.reason

    def _lists(self) -> tuple[bytes, ...]:
        """Return the lists on which a stamper, or its authority, would stand; without one of them nothing is proven."""
        made = list[bytes]()
        for ask in (self.stamping_list, self.root_list):
            try:
                made.append(ask())
            except Problem:  # the key is elsewhere: revocation stays unknown, with the reason that no list was there
                continue
        return tuple(made)
