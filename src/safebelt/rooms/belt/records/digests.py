"""Content without texts: of each a salted digest and its length, so that a text shown later can be held against it.

What is digested is the masked text, as it would otherwise be kept: a digest of an original could be found again by
trying all the numbers there are of its kind.  The salt stands beside the digests and is erased with them.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

DIGESTS, SALT = "digests", "digest_salt"


class Fit(NamedTuple):
    """A text of a record that a shown text was held against.

    Attributes:
        part: Where it stood, for example `messages[0].content`.
        fits: Whether it is the same.
    """

    part: str
    fits: bool


def digested(content: Mapping[str, Any], salt: bytes) -> dict[str, Any]:
    """Return content with digests in place of its texts; what holds no texts stays."""
    texts = content.get("texts")
    if not texts:
        return dict(content)
    rest = {name: value for name, value in content.items() if name != "texts"}
    digests = {
        path: {"ascii": text.isascii(), "chars": len(text), "sha256": _digest(text, salt)}
        for path, text in texts.items()
    }
    return {**rest, DIGESTS: digests, SALT: salt.hex()}


def fits(content: Mapping[str, Any], shown: frozenset[str]) -> list[Fit]:
    """Hold readings of a shown text against every text of a content, digested or not."""
    texts, digests = content.get("texts"), content.get(DIGESTS)
    if isinstance(texts, Mapping):
        return [Fit(str(part), text in shown) for part, text in texts.items()]
    if not isinstance(digests, Mapping):
        return []
    salt = bytes.fromhex(str(content.get(SALT, "")))
    known = {(len(text), _digest(text, salt)) for text in shown}
    return [Fit(str(part), (each.get("chars"), each.get("sha256")) in known) for part, each in digests.items()]


def _digest(text: str, salt: bytes) -> str:
    return sha256(salt + text.encode("utf-8", "surrogatepass")).hexdigest()
