"""What a cosigner signs (c2sp.org/tlog-cosignature): a checkpoint's text, or its meaning, with the time."""

import base64

_V1 = b"cosignature/v1\n"
_SUBTREE = b"subtree/v1\n\0"
_MAX_NAME_BYTES = 255  # the structure gives a name's length one byte
_TIME_BYTES = 8
_MAX_TIME = 2**63 - 1
_MAX_DIGITS = 19  # 2^63 has 19 digits
_ROOT_BYTES = 32


def strict_base64(text: str) -> bytes:
    """Decode the one canonical spelling of some bytes; a second spelling would let a byte change unseen.

    Raises:
        ValueError: The text is not that spelling.
    """
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 with stray bits")
    return data


def encode_time(at: int) -> bytes:
    """Return seconds since the epoch as a cosignature begins with them.

    Raises:
        ValueError: They are negative, or more than 2^63 - 1.
    """
    if not 0 <= at <= _MAX_TIME:
        raise ValueError("a time that no cosignature may have")
    return at.to_bytes(_TIME_BYTES)


def split_time(cosignature: bytes) -> tuple[int, bytes]:
    """Return the time of a `timestamped_signature`, in seconds since the epoch, and the signature itself.

    Raises:
        ValueError: It is too short, or its time is later than 2^63 - 1.
    """
    at = int.from_bytes(cosignature[:_TIME_BYTES])
    if len(cosignature) <= _TIME_BYTES or at > _MAX_TIME:
        raise ValueError("not a timestamped signature")
    return at, cosignature[_TIME_BYTES:]


def ed25519_message(at: int, text: str) -> bytes:
    """Return what an Ed25519 cosigner signs: a header, the time, and the checkpoint's whole text."""
    return _V1 + f"time {at}\n{text}".encode()


def mldsa44_message(name: str, at: int, text: str) -> bytes:
    """Return what an ML-DSA-44 cosigner signs: `cosigned_message`, which names cosigner, log, size and root.

    Lines after the third, which a checkpoint should not have, are not signed.

    Raises:
        ValueError: The text is no checkpoint, or a name has more than 255 bytes.
    """
    origin, size, root, *_ = text.split("\n")
    digits = size.isascii() and size.isdigit() and len(size) <= _MAX_DIGITS and (size == "0" or size[0] != "0")
    if not digits or len(hashed := strict_base64(root)) != _ROOT_BYTES:
        raise ValueError("not a checkpoint")
    ends = encode_time(at), (0).to_bytes(8) + int(size).to_bytes(8)
    return _SUBTREE + _opaque(name) + ends[0] + _opaque(origin) + ends[1] + hashed


def _opaque(name: str) -> bytes:
    data = name.encode()
    if not 0 < len(data) <= _MAX_NAME_BYTES:
        raise ValueError("a name has 1 to 255 bytes")
    return len(data).to_bytes(1) + data
