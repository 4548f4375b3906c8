"""Keys and those who sign with them: making, keeping and using private keys.

The seam for a hardware token is `cryptography`'s own: a class of `RSAPrivateKey` or `EllipticCurvePrivateKey` whose
`sign` asks the token signs certificates, lists, OCSP answers and time-stamps like a key from a file (`hardware`).  The
key's file then holds the key's name, a `pkcs11:` URI, in the place of the key.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from safebelt.engines.signing import files
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.pki import hardware, token_uri

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SystemKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
KeyType = Literal["rsa-4096", "rsa-3072", "p-256", "p-384"]

_REMEDY = Text(
    zh="如可能已泄露，请更换密钥并吊销其证书。",
    en="If it may have been read, replace it and revoke its certificate.",
)
_IN_TOKEN = token_uri.SCHEME.encode()
_RSA_EXPONENT = 65537  # NIST SP 800-56B; every library makes keys with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """A certificate and the private key that belongs to it.

    Attributes:
        certificate: Says who signs.
        key: The private key, or a token's stand-in for it.
    """

    certificate: x509.Certificate
    key: SigningKey = field(repr=False)

    def __post_init__(self) -> None:
        """Hold that the two belong together.

        Raises:
            Conflict: The key belongs to another certificate.
        """
        if public_bytes(self.certificate.public_key()) != public_bytes(self.key.public_key()):
            raise Conflict(
                what=Text(zh="私钥与证书不匹配。", en="The private key does not belong to the certificate."),
                hint=Text(
                    zh="请核对密钥文件和证书文件是否成对。", en="Check that key file and certificate file are a pair."
                ),
            )

    @property
    def name(self) -> x509.Name:
        """Who signs."""
        return self.certificate.subject


def make_key(kind: KeyType) -> SigningKey:
    """Make a new private key; its chance is OpenSSL's."""
    if kind.startswith("rsa-"):
        return rsa.generate_private_key(_RSA_EXPONENT, int(kind.removeprefix("rsa-")))
    return ec.generate_private_key(ec.SECP256R1() if kind == "p-256" else ec.SECP384R1())


def public_bytes(key: object) -> bytes:
    """Return a public key as SubjectPublicKeyInfo, DER; keys compare by it.

    Raises:
        TypeError: It is no public key.
    """
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise TypeError("not a public key of a kind known here")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def hash_for(key: SigningKey) -> Hash:
    """Return the hash that is as strong as the key (NIST SP 800-57 part 1, table 3; FIPS 186-5)."""
    bits = key.curve.key_size if isinstance(key, ec.EllipticCurvePrivateKey) else 0
    return hashes.SHA384() if bits == 384 else hashes.SHA512() if bits == 521 else hashes.SHA256()


def sign(key: SigningKey, data: bytes) -> bytes:
    """Sign: RSA PKCS #1 v1.5 or ECDSA (DER), with `hash_for` the key."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hash_for(key)))
    return key.sign(data, padding.PKCS1v15(), hash_for(key))


def signature_oid(key: SigningKey) -> tuple[x509.ObjectIdentifier, bool]:
    """Return the number of `sign`'s algorithm, and whether a NULL follows it (RFC 5754, section 3)."""
    is_curve, name = isinstance(key, ec.EllipticCurvePrivateKey), hash_for(key).name.upper()
    return getattr(SignatureAlgorithmOID, f"{'ECDSA' if is_curve else 'RSA'}_WITH_{name}"), not is_curve


def save_key(path: Path, key: SigningKey, *, passphrase: bytes | None = None) -> None:
    """Keep a new private key in a file: PKCS #8 PEM, mode 0600, whole or not at all, never over an older one.

    Of a key in a token its name is kept; a passphrase has nothing to protect there.

    Raises:
        Conflict: There is a file already.
        Unavailable: The file cannot be written.
    """
    data = _written(key, passphrase)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(path, data, mode=0o600, is_new=True)
    except FileExistsError as error:
        raise Conflict(
            what=Text(zh=f"{path} 已有密钥。", en=f"There is a key in {path} already."),
            hint=Text(zh="请另选文件名；密钥不会被覆盖。", en="Choose another name; a key is never written over."),
        ) from error
    except OSError as error:
        raise files.unavailable(path, error.strerror or str(error)) from error


def _written(key: SigningKey, passphrase: bytes | None) -> str:
    if isinstance(key, hardware.InToken):
        return f"{key.uri.as_text()}\n"
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection).decode()


def load_key(path: Path, *, passphrase: bytes | None = None) -> SigningKey:
    """Read what `save_key` wrote.

    Raises:
        Invalid: The file holds a `pkcs11:` name that is none.
        Refused: Others than the owner may read the file or write to its directory, or a token refuses its PIN.
        Unavailable: The file cannot be read, holds no such key, the passphrase is missing or wrong, or the key is in a
            token that is not there.
    """
    try:
        files.guard(path, _REMEDY)
        data = path.read_bytes()
        if data.startswith(_IN_TOKEN):
            return hardware.load(data.decode("ascii", errors="replace").strip())
        key = serialization.load_pem_private_key(data, passphrase)
    except OSError as error:
        raise files.unavailable(path, error.strerror or str(error)) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise files.unavailable(
            path, "no private key, or not this passphrase", zh="其中没有私钥，或口令不对"
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise files.unavailable(path, "not an RSA or elliptic-curve key", zh="不是 RSA 或椭圆曲线密钥")
    return key
