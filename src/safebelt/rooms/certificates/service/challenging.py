"""Challenging a live service: draw a nonce, ask its identity door, judge the answer.  Needs no house."""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509

from safebelt.engines.clock import Chance
from safebelt.engines.signing.messages import strict_base64
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.decide import challenging as decide_challenging
from safebelt.rooms.certificates.pki import leaves
from safebelt.rooms.certificates.pki.reading import UNREADABLE
from safebelt.rooms.certificates.service.checking import read_certificates
from safebelt.rooms.certificates.service.proving import is_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx2

MAX_ANSWER_BYTES = 64 * 1024
MAX_LIST_BYTES = 4 * 1024 * 1024
_NONCE_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenged:
    """What a challenge came to.

    Attributes:
        place: Where it was asked.
        nonce: What was asked to be signed.
        proof: Whether the answer proves that the certificate's key is there; *unknown* where nobody answered.
        chain: The certificate and those above it, PEM, as the service sent them; empty where it sent none.
        text: What it signed; empty where it signed nothing.
    """

    place: str
    nonce: str
    proof: Reason
    chain: str = ""
    text: str = ""


def challenge(
    address: str, *, new_client: "Callable[[], httpx2.Client]", chance: Chance, system_id: str = ""
) -> Challenged:
    """Ask a live service who it is, and judge what it answers.

    Args:
        address: Where it is reached.
        new_client: Makes the client that asks.
        chance: Draws the nonce.
        system_id: Whom to ask for, where several live there.

    Raises:
        Invalid: It is no address.
        Unavailable: Nobody answers there: nothing is known then, nor is anything bad.
    """
    from safebelt.engines.http import fetch  # noqa: PLC0415  a check of a file calls nobody

    place = decide_challenging.place_of(address)
    nonce = base64.urlsafe_b64encode(chance(_NONCE_BYTES)).decode().rstrip("=")
    asked = {"nonce": nonce} | ({"system": system_id} if system_id else {})
    with new_client() as calls:
        answer = fetch(calls, "GET", f"{place}{decide_challenging.PATH}", max_bytes=MAX_ANSWER_BYTES, params=asked)
    if not answer.is_success:
        return Challenged(place=place, nonce=nonce, proof=_refused(answer))
    try:
        said = answer.json()
    except ValueError:
        said = None
    return judged(said, place=place, nonce=nonce)


def judged(said: Any, *, place: str, nonce: str) -> Challenged:
    """Judge an answer as it came, whatever it is."""
    try:
        text, chain = str(said["text"]), str(said["chain"])
        signature = strict_base64(str(said["signature"]))
        leaf = read_certificates(chain.encode())[0]
        holds = is_signed(leaf.public_key(), signature, text.encode())
        certified = _system_of(leaf)
    except (*UNREADABLE, KeyError, Invalid):
        why = Text(zh="答复不是身份证明", en="What it answered is no proof of identity")
        return Challenged(place=place, nonce=nonce, proof=decide_challenging.unproven(why))
    proof = decide_challenging.proof(text, place=place, nonce=nonce, certified=certified, is_signed=holds)
    return Challenged(place=place, nonce=nonce, proof=proof, chain=chain, text=text)


def fetch_lists(chain: str, *, new_client: "Callable[[], httpx2.Client]") -> tuple[bytes, ...]:
    """Fetch the revocation lists that the certificates of a chain name; what cannot be had is left out.

    Whatever comes is held to the chain's own signatures later: a list from elsewhere shows nothing.
    """
    from safebelt.engines.http import fetch  # noqa: PLC0415  a check of a file calls nobody

    found = list[bytes]()
    with new_client() as calls:
        for url in dict.fromkeys(each for one in read_certificates(chain.encode()) for each in _lists_of(one)):
            try:
                answer = fetch(calls, "GET", url, max_bytes=MAX_LIST_BYTES)
            except Problem:
                continue
            found += [answer.content] if answer.is_success else []
    return tuple(found)


def _lists_of(certificate: x509.Certificate) -> "Sequence[str]":
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    names = [name.value for point in points for name in point.full_name or ()]
    return [name for name in names if isinstance(name, str) and name.startswith("http://")]


def _system_of(leaf: x509.Certificate) -> str:
    claims = leaves.claims_of(leaf)
    return claims.system_id if claims else ""


def _refused(answer: "httpx2.Response") -> Reason:
    """A service that says why it proves nothing is not caught at anything: its words are passed on."""
    try:
        said = answer.json()
    except ValueError:
        said = {}
    told = {lang: _detail(said, lang) for lang in ("zh", "en")}
    why = Text(
        zh=f"服务没有证明身份（HTTP {answer.status_code}）。{told['zh']}",
        en=f"The service proved nothing (HTTP {answer.status_code}). {told['en']}".rstrip(),
    )
    return decide_challenging.unproven(why, Truth.UNKNOWN)


def _detail(said: object, lang: str) -> str:
    part = said.get(lang) if isinstance(said, dict) else None
    text = part.get("detail") if isinstance(part, dict) else None
    return " ".join(text.split())[:300] if isinstance(text, str) else ""
