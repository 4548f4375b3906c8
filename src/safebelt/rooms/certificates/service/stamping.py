"""Time-stamps: that some bytes existed at a moment, signed by a key that does nothing else (RFC 3161)."""

from safebelt.rooms.certificates.model import Role
from safebelt.rooms.certificates.pki import leaves, names, stamps
from safebelt.rooms.certificates.service.answering import Answering
from safebelt.rooms.certificates.service.reading import read

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
