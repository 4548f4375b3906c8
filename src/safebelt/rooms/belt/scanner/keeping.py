"""The spellings of many terms, kept on the shelf beside what is compiled of them.

Working them out takes the tables of pinyin, and memory that stays; a belt that starts with them kept needs neither.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from unicodedata import unidata_version

import msgspec

from safebelt.rooms.belt.model import Policy
from safebelt.rooms.belt.scanner.shelf import Shelf
from safebelt.rooms.belt.scanner.terms import Forms, forms_of

_MANY = 1_000
"""From so many terms on, working them out takes longer than reading from a disk."""
_HERE = Path(__file__).parent


def forms_for(policy: Policy, shelf: Shelf | None) -> Forms:
    """Return the spellings of a policy's terms: from the shelf, where they are many and it has them."""
    origin = _origin(policy) if shelf is not None and _is_long(policy) else ""
    forms = _read(shelf.take(origin)) if shelf and origin else None
    if forms is None:
        forms = forms_of((rule.id, rule.terms) for rule in policy.rules)
        if shelf and origin:
            shelf.put(origin, msgspec.json.encode(forms))
    return forms


def lacks(policy: Policy, shelf: Shelf) -> bool:
    """Whether a policy is one whose spellings are to be kept, and they are not."""
    return _is_long(policy) and shelf.take(_origin(policy)) is None


def _is_long(policy: Policy) -> bool:
    return sum(len(rule.terms) for rule in policy.rules) >= _MANY


def _read(data: bytes | None) -> Forms | None:
    try:
        return None if data is None else msgspec.json.decode(data, type=Forms)
    except msgspec.MsgspecError:  # the house's own, and yet another thing: worked out anew
        return None


def _origin(policy: Policy) -> str:
    """Return the digest of everything the spellings are worked out from, and by."""
    made = sha256(_by())
    for rule in policy.rules:
        made.update(msgspec.json.encode([rule.id, *rule.terms]))
    return made.hexdigest()


@cache
def _by() -> bytes:
    """Return the digest of this scanner, program and tables: a mended one works its spellings out anew."""
    made = sha256(unidata_version.encode())
    for path in sorted((*_HERE.glob("*.py"), *_HERE.glob("tables/*.txt"))):
        made.update(path.read_bytes())
    return made.digest()
