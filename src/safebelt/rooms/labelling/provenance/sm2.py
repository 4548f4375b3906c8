"""Verifying SM2 signatures (GB/T 32918.2-2016) on the curve of GB/T 32918.5-2017.

Only verifying: everything here is public, so plain integers do, and no secret can leak through their timing.  Labels
made elsewhere carry such signatures (TC260-PG-202511A); ours carry those of our certificates.
"""

from cryptography.hazmat.primitives import hashes

DEFAULT_ID = b"1234567812345678"
"""The user id where none was agreed (GB/T 32918.2-2016, 5.5; GM/T 0009-2012, 10)."""

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_BYTES = 32
Point = tuple[int, int]
_Jacobian = tuple[int, int, int]
_NOWHERE: _Jacobian = (1, 1, 0)


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905-2016)."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def is_on_curve(point: Point) -> bool:
    """Whether a point is on the curve, in its range."""
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x * x + A * x + B)) % P == 0


def verify(key: Point, message: bytes, signature: tuple[int, int], *, user: bytes = DEFAULT_ID) -> bool:
    """Return whether a signature is that key's on that message.

    Args:
        key: The public key.
        message: What was signed.
        signature: `(r, s)`.
        user: The signer's id, at most 8,191 bytes.
    """
    r, s = signature
    if not (1 <= r < N and 1 <= s < N and is_on_curve(key)):
        return False
    t = (r + s) % N
    if t == 0:
        return False
    e = int.from_bytes(sm3(_z(key, user) + message))
    point = _affine(_sum(_times(s, G), _times(t, key)))
    return point is not None and (e + point[0]) % N == r


def _z(key: Point, user: bytes) -> bytes:
    """Return the digest of who signs (GB/T 32918.2-2016, 5.5)."""
    numbers = (A, B, *G, *key)
    return sm3((8 * len(user)).to_bytes(2) + user + b"".join(one.to_bytes(_BYTES) for one in numbers))


def _times(factor: int, point: Point) -> _Jacobian:
    found, base = _NOWHERE, (*point, 1)
    for bit in bin(factor)[2:]:
        found = _double(found)
        if bit == "1":
            found = _sum(found, base)
    return found


def _double(one: _Jacobian) -> _Jacobian:
    """Double in Jacobian coordinates, a = -3 (Bernstein and Lange, EFD: dbl-2001-b)."""
    x, y, z = one
    if not z or not y:
        return _NOWHERE
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = ((y + z) ** 2 - gamma - delta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, z3


def _sum(one: _Jacobian, other: _Jacobian) -> _Jacobian:
    """Add in Jacobian coordinates (EFD: add-1998-cmo-2)."""
    if not one[2]:
        return other
    if not other[2]:
        return one
    z1z1, z2z2 = one[2] * one[2] % P, other[2] * other[2] % P
    u1, u2 = one[0] * z2z2 % P, other[0] * z1z1 % P
    s1, s2 = one[1] * z2z2 * other[2] % P, other[1] * z1z1 * one[2] % P
    h, r = (u2 - u1) % P, (s2 - s1) % P
    if not h:
        return _double(one) if not r else _NOWHERE
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, one[2] * other[2] * h % P


def _affine(one: _Jacobian) -> Point | None:
    if not one[2]:
        return None
    inverse = pow(one[2], -1, P)
    square = inverse * inverse % P
    return one[0] * square % P, one[1] * square * inverse % P
