"""How much of the end of a text may still become personal data, so that a stream must wait with it.

Personal data are runs of a few ASCII characters.  So what must wait is the run at the end, and not even the blank
after it: in Chinese prose nothing, in English prose the word being written.
"""

import re

from safebelt.rooms.belt.scanner.detectors.bank import IBAN_COUNTRIES
from safebelt.rooms.belt.scanner.detectors.base import BEGINS, REACH
from safebelt.rooms.belt.scanner.detectors.identity import PROVINCE_SIGNS
from safebelt.rooms.belt.scanner.detectors.secrets import PRIVATE_KEY

_UNBROKEN = "abcdefghijklmnopqrstuvwxyz0123456789._%+-@:"
"""Characters of one unbroken run: e-mail, addresses, keys."""
_GROUPED = "0123456789 ().-+/_·—"
"""Characters of numbers written in groups: telephones, cards, identity numbers."""
_GROUP_STARTS = frozenset("0123456789(+")
_UNFINISHED_IBAN = re.compile(rf"(?:{BEGINS}|(?<=iban))(?:{IBAN_COUNTRIES})[0-9]{{2}}(?: ?[0-9a-z]){{0,30}} ?\Z")
_DIGIT = re.compile("[0-9]")
_UNFINISHED_PLATE = re.compile(rf"[{PROVINCE_SIGNS}](?:[a-z][ ·•・.-]?[a-z0-9]{{0,6}}[挂学警港澳]?)?\Z")
_PEM_REACH = 512  # the longest beginning of a PEM key that its pattern takes, rounded up
_UNFINISHED_PEM = re.compile(
    rf"-----begin (?:[a-z0-9]{{1,12}} ){{0,3}}(?:[a-z0-9]{{0,12}}\Z|private key.{{0,{_PEM_REACH}}}\Z)", re.DOTALL
)


_PLATE_SIGNS = frozenset(PROVINCE_SIGNS)
_PEM_BEGIN = "-----begin "
_MAY_WAIT = frozenset(_UNBROKEN + _GROUPED + PROVINCE_SIGNS + "·•・挂学警港澳")
"""Whatever waits ends with one of these, but for what follows the beginning of a PEM key."""


def hold_from(text: str) -> int:
    """Return where the part of folded text begins that may still become, or belong to, personal data.

    Never more than `REACH` characters from the end: no detector looks further.
    """
    if text[-1:] not in _MAY_WAIT and _PEM_BEGIN not in text:
        return len(text)
    floor = max(0, len(text) - REACH)
    tail = text[floor:]
    held = min(_token(tail), _grouped(tail), _plate(tail), _iban(tail), _pem(tail))
    return floor + held


def _token(tail: str) -> int:
    return len(tail.rstrip(_UNBROKEN))


def _grouped(tail: str) -> int:
    start = len(tail.rstrip(_GROUPED))
    while start < len(tail) and tail[start] not in _GROUP_STARTS:
        start += 1
    return start


def _iban(tail: str) -> int:
    if not _DIGIT.search(tail, max(0, len(tail) - 72)):
        return len(tail)
    match = _UNFINISHED_IBAN.search(tail, max(0, len(tail) - 72))
    return match.start() if match else len(tail)


def _plate(tail: str) -> int:
    if _PLATE_SIGNS.isdisjoint(tail[-10:]):
        return len(tail)
    match = _UNFINISHED_PLATE.search(tail, max(0, len(tail) - 10))
    return match.start() if match else len(tail)


def _pem(tail: str) -> int:
    if _PEM_BEGIN not in tail:
        return len(tail)
    match = _UNFINISHED_PEM.search(tail, max(0, len(tail) - _PEM_REACH))
    while match:
        if not PRIVATE_KEY.pattern.match(tail, match.start()):
            return match.start()
        match = _UNFINISHED_PEM.search(tail, match.start() + 1)
    return len(tail)
