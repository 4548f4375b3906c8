r"""The index of a multi-picture JPEG, corrected when segments before its further pictures grow.

Source: CIPA DC-007-2009, 5.2: the MP index is a TIFF structure after `MPF\0`; of each picture it gives the size and
the offset from the structure's start, the first picture's offset being 0.
"""

import struct

_ENTRIES = 0xB002
_SIZE = 16


def shifted(payload: bytes, after: int, whole: int) -> bytes:
    """Return an index's payload for a file whose first picture changed.

    Args:
        payload: The segment's payload.
        after: Bytes that come in behind the index.
        whole: Bytes by which the first picture grows.

    Returns:
        The index; as it was where it is no index, or nothing moved.
    """
    made = bytearray(payload)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(payload[4:8])
    if order is None or (after == 0 and whole == 0):
        return payload
    try:
        at, size = _entries(payload, order)
        for entry in range(at, at + size - _SIZE + 1, _SIZE):
            _attributes, length, offset = struct.unpack_from(order + "III", payload, entry)
            if offset == 0:
                struct.pack_into(order + "I", made, entry + 4, length + whole)
            else:
                struct.pack_into(order + "I", made, entry + 8, offset + after)
    except struct.error:
        return payload
    return bytes(made)


def _entries(payload: bytes, order: str) -> tuple[int, int]:
    """Return where the entries of the index start in the payload, and how long they are."""
    directory = 4 + struct.unpack_from(order + "I", payload, 8)[0]
    for number in range(min(struct.unpack_from(order + "H", payload, directory)[0], 64)):
        tag, _kind, count, at = struct.unpack_from(order + "HHII", payload, directory + 2 + 12 * number)
        if tag == _ENTRIES:
            return 4 + at, min(count, len(payload) - 4 - at)
    return 0, 0
