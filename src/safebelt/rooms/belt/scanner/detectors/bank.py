"""Bank cards (Luhn and known issuers) and international account numbers (ISO 13616, mod 97)."""

import re
from collections.abc import Callable

from safebelt.rooms.belt.scanner.detectors.base import BEGINS, Detector

_ISSUERS: tuple[tuple[str, frozenset[int]], ...] = (
    (r"62|81", frozenset(range(16, 20))),  # UnionPay
    (r"4", frozenset({13, 16, 19})),  # Visa
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", frozenset({16})),  # Mastercard
    (r"3[47]", frozenset({15})),  # American Express
    (r"352[89]|35[3-8]", frozenset(range(16, 20))),  # JCB
    (r"30[0-5]|3[689]", frozenset(range(14, 20))),  # Diners Club
    (r"6011|64[4-9]|65", frozenset(range(16, 20))),  # Discover
    (r"220[0-4]", frozenset(range(16, 20))),  # Mir
    (r"5[06-8]|6[0-9]", frozenset(range(13, 20))),  # Maestro and older Chinese debit cards
    (r"9558", frozenset({16, 17, 18, 19})),  # ICBC, before UnionPay's prefix
)
"""First digits and lengths of card schemes (ISO/IEC 7812): keeps nine of ten chance hits of Luhn's sum away."""
_PREFIXES = tuple((re.compile(prefix), lengths) for prefix, lengths in _ISSUERS)


def luhn(digits: str) -> bool:
    """Whether the digits pass Luhn's sum (ISO/IEC 7812-1 annex B)."""
    total = 0
    for i, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + i % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_card(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    known = any(len(digits) in lengths and prefix.match(digits) for prefix, lengths in _PREFIXES)
    return known and luhn(digits)


def _longest(is_valid: Callable[[str], bool], fewest: int, most: int) -> Callable[[re.Match[str]], int | None]:
    """Judge by the longest beginning of the match, cut between groups, that is valid."""

    def judge(match: re.Match[str]) -> int | None:
        text = match.group()
        cuts = [i for i in range(fewest, len(text) + 1) if i == len(text) or text[i] in " -"]
        for cut in reversed(cuts):
            digits = re.sub("[^0-9]", "", text[:cut])
            if fewest <= len(digits) <= most and is_valid(digits):
                return match.start() + cut
        return None

    return judge


# Groups of three digits at least: "1 2 3 4 …" is counting, not a card.  The run may go past the card (CVV, date).
# Other signs than blanks and dashes stand between groups of four alone: two numbers with decimals are no card.
BANK_CARD = Detector(
    name="bank_card",
    longest=152,
    hint=r"[0-9](?:(?:[ -]{1,2}|[./_]|·|—)?[0-9]){12}",
    pattern=re.compile(
        r"(?<![0-9])(?<![0-9][./_·—])(?:[2-69][0-9]{3}([./_·—])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?(?!\1?[0-9])"
        r"|[2-69][0-9]{2,18}(?:[ -]{1,2}[0-9]{3,19}){0,6}(?![0-9]))"
    ),
    judge=_longest(_is_card, 13, 19),
)

_IBAN_COUNTRIES_BY_LENGTH = {
    15: "no",
    16: "be",
    18: "dk fi fo gl nl",
    19: "mk si",
    20: "at ba ee kz lt lu xk",
    21: "ch hr li lv",
    22: "bg bh cr de gb ge ie me rs va",
    23: "ae gi il iq tl",
    24: "ad cz es md pk ro sa se sk tn vg",
    25: "ly pt st",
    26: "is tr",
    27: "fr gr it mc mr sm",
    28: "al az by cy do gt hu lb pl sv",
    29: "br eg ps qa ua",
    30: "jo kw mu",
    31: "mt sc",
    32: "lc",
}
_IBAN_LENGTHS = {code: length for length, codes in _IBAN_COUNTRIES_BY_LENGTH.items() for code in codes.split()}
"""Length by country (SWIFT IBAN registry)."""
IBAN_COUNTRIES = "|".join(sorted(_IBAN_LENGTHS))


def _iban(match: re.Match[str]) -> int | None:
    text, length = match.group(), _IBAN_LENGTHS[match.group()[:2]]
    place = compact = 0
    while place < len(text) and compact < length:
        compact += text[place] != " "
        place += 1
    if compact < length or (place < len(text) and text[place] != " "):
        return None
    code = text[:place].replace(" ", "")
    number = "".join(str(int(char, 36)) for char in code[4:] + code[:4])
    return match.start() + place if int(number) % 97 == 1 else None


IBAN = Detector(
    name="iban",
    probe=r"[a-z]{2}[0-9]{2}",
    longest=66,
    hint=r"[a-z]{2}[0-9]{2}(?: ?[0-9a-z]){11}",
    pattern=re.compile(rf"(?:{BEGINS}|(?<=iban))(?:{IBAN_COUNTRIES})[0-9]{{2}}(?: ?[0-9a-z]){{11,30}}"),
    judge=_iban,
)

DETECTORS = (BANK_CARD, IBAN)
