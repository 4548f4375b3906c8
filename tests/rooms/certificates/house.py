"""Keys and requests for the certificates' tests."""

from collections.abc import Callable
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from safebelt.rooms.certificates.pki import keys


@lru_cache(maxsize=8)
def _spare_key(kind: keys.KeyType, number: int) -> keys.SigningKey:
    """A real key; RSA keys take seconds to find, so the authorities of all tests share a few."""
    return keys.make_key(kind)


def spare_keys() -> Callable[[keys.KeyType], keys.SigningKey]:
    given = {"rsa-4096": 0, "rsa-3072": 0}

    def make(kind: keys.KeyType) -> keys.SigningKey:
        if kind not in given:
            return keys.make_key(kind)
        given[kind] += 1
        return _spare_key(kind, given[kind])

    return make


def csr(key: object | None = None) -> bytes:
    """A request as `openssl req -new` makes it."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)
