"""Points of Ed25519 from outside: each in its one spelling, and none of small order.

A public key of small order has signed everything: for some signature the equation holds whatever the message is.  RFC
8032 lets a verifier pass over that, and OpenSSL does; the tools that we hand to strangers do not, and neither does the
house.  Small order and spellings: RFC 8032, section 5.1.3; K. Chalkias, F. Garillot, V. Nikolaenko, "Taming the Many
EdDSAs" (SSR 2020), table 1; libsodium's `ge25519_has_small_order` holds the same points.
"""

from functools import lru_cache

_P = 2**255 - 19
_D = -121665 * pow(121666, _P - 2, _P) % _P
_EIGHTH = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
# The eight points by their y: the neutral one, those of order 2 and 4, and the four of order 8, each with either sign.
_SMALL = frozenset({1, _P - 1, 0, _EIGHTH, _P - _EIGHTH})


def has_large_order(point: bytes) -> bool:
    """Say whether 32 bytes can be a point that proves something: y is reduced, and not that of a point of small order.

    The other spelling of x = 0 is refused with them: only points of order 1 and 2 have it.
    """
    y = int.from_bytes(point, "little") & (1 << 255) - 1
    return len(point) == 32 and y < _P and y not in _SMALL


@lru_cache(maxsize=1024)
def is_public_key(data: bytes) -> bool:
    """Say whether 32 bytes are a key that only its holder can sign with: a point of the curve, of large order."""
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    # x^2 = u/v has a root (Euler's criterion); u*v is a square exactly where u/v is, and neither is zero here.
    return has_large_order(data) and pow(u * v, (_P - 1) // 2, _P) == 1
