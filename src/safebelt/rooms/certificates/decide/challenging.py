"""What a live service's answer to a challenge comes to.  Pure; the browser's page takes the same steps.

Shown is that whoever holds the certificate's key answered, at the place that was asked, for this one challenge.  Not
shown is what the service does with what it is sent, nor that another address leads to the same service.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.decide.identity import HEADER

PATH = "/.well-known/safebelt/identity"
_FIELDS = ("system", "place", "nonce", "at")
_PORTS = {"http": 80, "https": 443}
_MAX_URL = 500
_PROOF = Text(
    zh="持有证书密钥者，在所问的地址，回答了这一次质询",
    en="Whoever holds the certificate's key answered this challenge, at the address that was asked",
)


def place_of(address: str) -> str:
    """Return the place that an address names, as services sign it: no slash at the end, no port where it is usual.

    Example:
        >>> place_of("HTTPS://API.Example.org:443/")
        'https://api.example.org'

    Raises:
        Invalid: It is no address of a service.
    """
    wanted = address.strip().removesuffix(PATH)
    try:
        found = urlsplit(wanted)
        port = found.port
    except ValueError:
        raise _no_address() from None
    is_plain = not (found.query or found.fragment or found.username or found.password or "\\" in wanted)
    if found.scheme not in _PORTS or not found.hostname or not is_plain or len(wanted) > _MAX_URL:
        raise _no_address()
    host = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
    shown = f":{port}" if port and port != _PORTS[found.scheme] else ""
    return f"{found.scheme}://{host}{shown}{found.path.rstrip('/')}"


def fields_of(text: str) -> Mapping[str, str] | None:
    """Return what a service signed, by the names of its lines; None where it is not written as it must be."""
    lines = text.split("\n")
    if len(lines) != len(_FIELDS) + 2 or lines[0] != HEADER or lines[-1]:
        return None
    pairs = [line.partition(" ") for line in lines[1:-1]]
    return {name: value for name, _, value in pairs} if tuple(name for name, _, _ in pairs) == _FIELDS else None


def proof(text: str, *, place: str, nonce: str, certified: str, is_signed: bool) -> Reason:
    """Judge a service's answer.

    Args:
        text: What it signed.
        place: Where it was asked.
        nonce: What it was asked to sign.
        certified: The system its certificate names; empty where it names none.
        is_signed: Whether the signature is by the certificate's key.
    """
    said = fields_of(text)
    if said is None:
        return unproven(Text(zh="所签文本的格式不符", en="What was signed is not written as it must be"))
    named = _named_place(said["place"])
    parts = (
        _part("签名出自证书所载的密钥", "The signature is by the key that the certificate names", is_signed),
        _part("所签的是此次质询的 nonce", "It signed the nonce of this challenge", said["nonce"] == nonce),
        _part(
            f"它写明的地址（{said['place'][:200]}）就是所问的地址",
            f"The place it names ({said['place'][:200]}) is the one that was asked",
            named == place,
        ),
        _part("它自称的系统就是证书所指的系统", "It names the system of its certificate", said["system"] == certified),
    )
    holds = Truth.of(all(one.holds is Truth.TRUE for one in parts))
    return Reason(says=_PROOF, holds=holds, because=parts)


def unproven(why: Text, holds: Truth = Truth.FALSE) -> Reason:
    """Return the judgment of an answer that is no proof at all; *unknown* where there was no answer to judge."""
    return Reason(says=_PROOF, holds=holds, because=(Reason(says=why, holds=holds),))


def _named_place(told: str) -> str:
    try:
        return place_of(told)
    except Invalid:
        return ""


def _part(zh: str, en: str, holds: bool) -> Reason:
    return Reason(says=Text(zh=zh, en=en), holds=Truth.of(holds))


def _no_address() -> Invalid:
    return Invalid(
        what=Text(zh="这不是服务的地址。", en="This is no address of a service."),
        hint=Text(
            zh="请填写 http:// 或 https:// 开头的地址，例如 https://api.example.org，不带问号及其后内容。",
            en="Give one that starts with http:// or https://, for example https://api.example.org, without a query.",
        ),
        details={"field": "address"},
    )
