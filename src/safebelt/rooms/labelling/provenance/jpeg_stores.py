"""Manifest stores in JPEG files: one APP11 segment behind SOI and JFIF's APP0, where the engine puts them too.

Sources: C2PA Technical Specification 2.2, A.3.1; ISO/IEC 19566-5, D.2 (JUMBF in APP11: `JP`, instance, number, box).
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from safebelt.rooms.labelling.formats import jpeg
from safebelt.rooms.labelling.formats.carrier import Buffer
from safebelt.rooms.labelling.provenance import stores
from safebelt.rooms.labelling.provenance.stores import Store

_APP0, _APP11 = b"\xff\xe0", b"\xff\xeb"
_HEAD = b"JP" + (0x0211).to_bytes(2) + (1).to_bytes(4)
"""Common identifier, instance (any number will do: the engine's), and the number of the first and only segment."""
BEFORE = len(_APP11) + 2 + len(_HEAD)
"""Bytes of the segment before the store."""


def place(data: Buffer) -> int | None:
    """Return where a store goes; None where the file has JUMBF already, which is the engine's to deal with.

    Raises:
        Broken: The file is no whole JPEG.
    """
    if any(one.marker == _APP11[1] for one in jpeg.application_segments(data)):
        return None
    return _after_jfif(data)


def segment(store: bytes) -> bytes:
    """Return a store as the segment that holds it.

    Args:
        store: At most `stores.MAX_BYTES` bytes.
    """
    return _APP11 + (2 + len(_HEAD) + len(store)).to_bytes(2) + _HEAD + store


def found(data: Buffer) -> Store | None:
    """Return the store of a file, if it is one of ours and stands where it says; nothing is verified here."""
    at = _after_jfif(data)
    if bytes(data[at : at + 2]) != _APP11 or bytes(data[at + 4 : at + BEFORE]) != _HEAD:
        return None
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
    if end > len(data):
        return None
    store = stores.read(bytes(data[at + BEFORE : end]))
    return store if store is not None and (store.start, store.length) == (at, end - at) else None


def ders(chain: str) -> tuple[bytes, ...]:
    """Return a chain of certificates, PEM, one by one as DER."""
    return tuple(one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(chain.encode()))


def _after_jfif(data: Buffer) -> int:
    return 4 + int.from_bytes(data[4:6]) if bytes(data[2:4]) == _APP0 else 2
