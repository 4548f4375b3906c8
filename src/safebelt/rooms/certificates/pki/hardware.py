"""Keys in tokens (PKCS#11): made there, used there, and never seen here.

They stand behind `cryptography`'s own classes, so that whatever signs with a key from a file signs with one of these.
A token is believed no more than a file: each of its signatures is checked before it is used.  Nothing falls back:
without the token, the PIN or the key there is no signature.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.utils import Buffer

from safebelt.engines.clock import Chance
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.pki import token_uri
from safebelt.rooms.certificates.pki.token_sessions import ask, library, unavailable
from safebelt.rooms.certificates.pki.token_uri import TokenUri

_CURVES = {"p-256": "secp256r1", "p-384": "secp384r1"}
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_ID_BYTES = 16


class InToken:
    """What both kinds of key have in common: a name, and what never happens."""

    def __init__(self, uri: TokenUri, public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> None:
        self.uri, self._public = uri, public

    def _signed(self, data: bytes, mechanism: str) -> bytes:
        def deed(session: Any) -> bytes:
            key = _only(self.uri, session, "PRIVATE_KEY")
            return bytes(key.sign(data, mechanism=library(self.uri).Mechanism[mechanism]))

        return ask(self.uri, deed)

    def private_numbers(self) -> NoReturn:
        """Refuse: the key stays where it is.

        Raises:
            Conflict: Always.
        """
        raise Conflict(
            what=Text(zh="私钥不会离开令牌。", en="The private key never leaves its token."),
            hint=Text(zh="请在本进程内签名，不要使用进程池。", en="Sign in this process, without a pool of processes."),
        )

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> NoReturn:
        """Refuse: the key stays where it is.

        Raises:
            Conflict: Always.
        """
        self.private_numbers()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self


class CurveKey(InToken, ec.EllipticCurvePrivateKey):
    """An elliptic-curve key in a token."""

    _public: ec.EllipticCurvePublicKey

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Sign: ECDSA with SHA-2, in DER.

        Raises:
            Refused: The PIN is wrong.
            Unavailable: The token or its key is not there, or its signature does not hold.
            TypeError: Another algorithm is asked for.
        """
        digest = signature_algorithm.algorithm
        if not isinstance(digest, _HASHES):
            raise TypeError("a token's key signs with SHA-2")
        hasher = hashes.Hash(digest)
        hasher.update(data)
        raw = self._signed(hasher.finalize(), "ECDSA")  # r and s side by side (PKCS#11 2.40, 2.3.1)
        half = len(raw) // 2
        signature = encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
        return _held(self.uri, signature, lambda: self._public.verify(signature, data, signature_algorithm))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public key."""
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """Its curve."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Its size in bits."""
        return self._public.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        """Refuse: it signs, and does nothing else.

        Raises:
            Conflict: Always.
        """
        self.private_numbers()


class RsaKey(InToken, rsa.RSAPrivateKey):
    """An RSA key in a token."""

    _public: rsa.RSAPublicKey

    def sign(self, data: Buffer, padding_: Any, algorithm: Any) -> bytes:
        """Sign: PKCS #1 v1.5 with SHA-2.

        Raises:
            Refused: The PIN is wrong.
            Unavailable: The token or its key is not there, or its signature does not hold.
            TypeError: Another padding or hash is asked for.
        """
        if not (isinstance(padding_, padding.PKCS1v15) and isinstance(algorithm, _HASHES)):
            raise TypeError("a token's RSA key signs with PKCS #1 v1.5 and SHA-2")
        message = bytes(data)
        signature = self._signed(message, f"{algorithm.name.upper()}_RSA_PKCS")
        return _held(self.uri, signature, lambda: self._public.verify(signature, message, padding_, algorithm))

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the public key."""
        return self._public

    @property
    def key_size(self) -> int:
        """Its size in bits."""
        return self._public.key_size

    def decrypt(self, ciphertext: Buffer, padding: Any) -> NoReturn:
        """Refuse: it signs, and does nothing else.

        Raises:
            Conflict: Always.
        """
        self.private_numbers()


TokenKey = CurveKey | RsaKey


def load(text: str) -> TokenKey:
    """Return the key a URI names.

    Raises:
        Invalid: It is no URI of a key.
        Refused: The PIN is wrong, or its file is open to others.
        Unavailable: Module, token or key is not there.
    """
    uri = token_uri.read(text)
    return _key(uri, ask(uri, lambda session: _public_der(uri, session)))


def maker(text: str, *, chance: Chance, label: str = "safebelt") -> Callable[[str], TokenKey]:
    """Return what makes keys in a token: sensitive, not to be taken out, each with an id of its own.

    Args:
        text: URI of the token; the name of a key in it is passed over.
        chance: Draws the ids.
        label: What the keys are called, before their kind.
    """
    uri = token_uri.read(text)

    def make(kind: str) -> TokenKey:
        made = uri.of_key(f"{label}-{kind}", chance(_ID_BYTES))

        def deed(session: Any) -> bytes:
            _generate(made, session, kind)
            return _public_der(made, session)

        return _key(made, ask(made, deed))

    return make


def _generate(uri: TokenUri, session: Any, kind: str) -> None:
    pkcs11 = library(uri)
    words = {
        "store": True,
        "label": uri.label,
        "id": uri.key_id,
        "private_template": {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
    }
    if kind in _CURVES:
        parameters = pkcs11.util.ec.encode_named_curve_parameters(_CURVES[kind])
        domain = session.create_domain_parameters(
            pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: parameters}, local=True
        )
        domain.generate_keypair(**words)
    else:
        session.generate_keypair(pkcs11.KeyType.RSA, int(kind.removeprefix("rsa-")), **words)


def _public_der(uri: TokenUri, session: Any) -> bytes:
    """Return the public key that lies beside the private one, DER, and hold that the private one is there."""
    pkcs11 = library(uri)
    _only(uri, session, "PRIVATE_KEY")
    public = _only(uri, session, "PUBLIC_KEY")
    if public.key_type is pkcs11.KeyType.RSA:
        return bytes(pkcs11.util.rsa.encode_rsa_public_key(public))
    if public.key_type is pkcs11.KeyType.EC:
        return bytes(pkcs11.util.ec.encode_ec_public_key(public))
    raise unavailable(uri, "密钥既非 RSA 也非椭圆曲线", "the key is neither RSA nor elliptic curve")


def _key(uri: TokenUri, der: bytes) -> TokenKey:
    try:
        public = serialization.load_der_public_key(der)
    except ValueError as error:
        raise unavailable(uri, "公钥无法解读", "its public key cannot be read") from error
    if isinstance(public, rsa.RSAPublicKey):
        return RsaKey(uri, public)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return CurveKey(uri, public)
    raise unavailable(uri, "密钥既非 RSA 也非椭圆曲线", "the key is neither RSA nor elliptic curve")


def _only(uri: TokenUri, session: Any, kind: str) -> Any:
    """Return the one object a URI names; several of one name are as bad as none."""
    pkcs11 = library(uri)
    wanted: dict[Any, Any] = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass[kind]}
    if uri.label:
        wanted[pkcs11.Attribute.LABEL] = uri.label
    if uri.key_id:
        wanted[pkcs11.Attribute.ID] = uri.key_id
    found = list(session.get_objects(wanted))
    if len(found) != 1:
        part = Text(zh="私钥", en="private key") if kind == "PRIVATE_KEY" else Text(zh="公钥", en="public key")
        raise unavailable(
            uri, f"令牌中有 {len(found)} 个这样的{part.zh}", f"it holds {len(found)} such {part.en}s, not one"
        )
    return found[0]


def _held(uri: TokenUri, signature: bytes, verify: Callable[[], None]) -> bytes:
    try:
        verify()
    except InvalidSignature as error:
        raise unavailable(
            uri, "令牌给出的签名不成立", "what it signed does not hold against its own public key"
        ) from error
    return signature
