"""Ed25519: published vectors, and signatures that libraries disagree about.

Sources: RFC 8032 section 7.1; K. Chalkias, F. Garillot, V. Nikolaenko, "Taming the many EdDSAs" (SSR 2020), whose first ten
cases are given here as published; encodings of points of small order follow from the curve's equation.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A key, a message, and what is said to be its signature."""

    what: str
    public: bytes
    message: bytes
    signature: bytes


def house_says(case: Signed) -> bool:
    """Ask the house's library."""
    try:
        Ed25519PublicKey.from_public_bytes(case.public).verify(case.signature, case.message)
    except (InvalidSignature, ValueError):
        return False
    return True


RFC_8032 = {
    "1": ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    "2": ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    "3": ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    "SHA(abc)": ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
                 hashlib.sha512(b"abc").hexdigest(),
                 "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
}  # fmt: skip

SPECCHECK = (
    ("8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000"),
    ("9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"),
    ("aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e"),
    ("9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"),
    ("e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"),
    ("e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405"),
    ("85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514"),
    ("85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22"),
    ("fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607"),
    ("84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09"),
)  # fmt: skip
"""Message, key, signature.  0 to 2: a point of small order; 3: mixed orders, and the equation holds; 4, 5: it holds only with
the cofactor; 6, 7: S is not reduced; 8, 9: R is another spelling of its point."""

BORDERLINE = {"speccheck 0", "speccheck 1", "speccheck 2"}


def vectors() -> Iterator[Signed]:
    """Good signatures, as published."""
    for what, (public, message, signature) in RFC_8032.items():
        yield Signed(
            what=f"RFC 8032 test {what}", public=bytes.fromhex(public), message=bytes.fromhex(message),
            signature=bytes.fromhex(signature),
        )  # fmt: skip


def edge_cases() -> Iterator[Signed]:
    """Signatures of which a careful verifier must think."""
    for number, (message, public, signature) in enumerate(SPECCHECK):
        yield Signed(
            what=f"speccheck {number}", public=bytes.fromhex(public), message=bytes.fromhex(message),
            signature=bytes.fromhex(signature),
        )  # fmt: skip
    yield from _malleable()
    for name, point in small_points().items():
        for s in (0, 1, ORDER - 1):
            for r in (point, (1).to_bytes(32, "little"), _base()):
                signature = r + s.to_bytes(32, "little")
                yield Signed(
                    what=f"small key {name}, S {s}, R {r.hex()}", public=point, message=b"m", signature=signature
                )


def _malleable() -> Iterator[Signed]:
    key = Ed25519PrivateKey.from_private_bytes(b"e" * 32)
    public, message = key.public_key().public_bytes_raw(), b"message"
    good = key.sign(message)
    s = int.from_bytes(good[32:], "little")
    changes = {
        "good": good,
        "S and the order": good[:32] + (s + ORDER).to_bytes(32, "little"),
        "S and seven times the order": good[:32] + (s + 7 * ORDER).to_bytes(32, "little"),
        "S is the order": good[:32] + ORDER.to_bytes(32, "little"),
        "S with a high bit": good[:63] + bytes([good[63] | 0x80]),
        "S negated": good[:32] + (ORDER - s).to_bytes(32, "little"),
        "R negated": good[:31] + bytes([good[31] ^ 0x80]) + good[32:],
        "R out of the field": b"\xff" * 32 + good[32:],
        "short": good[:63],
        "long": good + b"\0",
        "empty": b"",
    }
    for what, signature in changes.items():
        yield Signed(what=what, public=public, message=message, signature=signature)
    for what, other in (
        ("short key", public[:31]),
        ("long key", public + b"\0"),
        ("no point", b"\2" + bytes(31)),
        ("key negated", public[:31] + bytes([public[31] ^ 0x80])),
    ):
        yield Signed(what=what, public=other, message=message, signature=good)


def _base() -> bytes:
    return (4 * pow(5, P - 2, P) % P).to_bytes(32, "little")


def small_points() -> dict[str, bytes]:
    """Every spelling of a point of small order: y reduced or not, with either sign."""
    found = {}
    order_8 = _order_8()
    for y in (0, 1, P - 1, order_8, P - order_8):
        for spelled in (y, y + P):
            if spelled < 2**255:
                for sign in (0, 1):
                    found[f"y {hex(spelled)[-6:]} {sign}"] = (spelled | sign << 255).to_bytes(32, "little")
    return found


def _order_8() -> int:
    """Return y of a point of order 8.

    Doubled it has y = 0, so that x² = -y²; with -x² + y² = 1 + d x² y² that is d y⁴ + 2 y² - 1 = 0.
    """
    d = -121665 * pow(121666, P - 2, P) % P
    half = _root(1 + d)
    assert half is not None
    found = [y for sign in (1, -1) if (y := _root((sign * half - 1) * pow(d, P - 2, P)))]
    return found[0]


def _root(square: int) -> int | None:
    root = pow(square, (P + 3) // 8, P)
    turned = root * pow(2, (P - 1) // 4, P) % P
    return next((each for each in (root, turned) if each * each % P == square % P), None)
