"""Numbers that name a person or a body: identity cards, social security, passports, credit codes, plates."""

import re
from datetime import date

from safebelt.rooms.belt.scanner.detectors.base import BEGINS, Detector, if_true

_PROVINCE_CODES = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
)
"""GB/T 2260 two-digit codes; 81–83 are residence permits of Hong Kong, Macao and Taiwan residents."""
_PROVINCES = frozenset(_PROVINCE_CODES.split())


def is_cn_id(number: str) -> bool:
    """Whether an 18-character resident identity number holds (GB 11643: ISO 7064 MOD 11-2, real date, province)."""
    number = re.sub("[ -]", "", number)
    if number[6:8] not in ("19", "20"):
        return False
    total = sum(int(digit) << 17 - i for i, digit in enumerate(number[:17]))  # weight 2^(17-i) mod 11
    if number[:2] not in _PROVINCES or "10x98765432"[total % 11] != number[17]:
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return True


# Fifteen-digit numbers of the first generation have no check digit and are out of use since 2013: left out on purpose.
CN_ID = Detector(
    name="cn_id",
    longest=56,
    hint=r"[1-8](?:[ -]{0,2}[0-9]){16}",
    pattern=re.compile(r"(?<![0-9])[1-8](?:[ -]{0,2}[0-9]){16}[ -]{0,2}(?:x|[0-9](?![0-9]))"),
    judge=if_true(is_cn_id),
)

# SSA: area is not 000, 666 or 9xx, group not 00, serial not 0000; only with separators.
US_SSN = Detector(
    name="us_ssn",
    hint=r"[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}",
    pattern=re.compile(
        r"(?<![0-9])(?<![0-9]-)(?!000|666|9)[0-9]{3}([ -])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![0-9])(?!-[0-9])"
    ),
)

_USCC = "0123456789abcdefghjklmnpqrtuwxy"


def is_uscc(code: str) -> bool:
    """Whether a unified social credit code holds (GB 32100: weights 3^i mod 31)."""
    total = sum(_USCC.index(char) * pow(3, i, 31) for i, char in enumerate(code[:17]))
    return _USCC[-total % 31] == code[17]


# A body's public code, not a person's: policies may name it, records do not mask it.
CN_USCC = Detector(
    name="cn_uscc",
    hint=r"[0-9a-hj-npqrtuwxy]{2}[0-9]{6}[0-9a-hj-npqrtuwxy]{10}",
    pattern=re.compile(rf"{BEGINS}[0-9a-hj-npqrtuwxy]{{2}}[0-9]{{6}}[0-9a-hj-npqrtuwxy]{{10}}(?![0-9a-z])"),
    judge=if_true(is_uscc),
    is_masked_in_records=False,
)

# Ordinary passports: E and eight digits, or E, a letter but I and O, and seven digits; G is the form before 2012; those
# of diplomats and officials are DE, SE and PE with seven digits.
CN_PASSPORT = Detector(
    name="cn_passport",
    hint=r"[eg][0-9a-hj-np-z][0-9]{7}|[dps]e[0-9]{7}",
    pattern=re.compile(rf"{BEGINS}(?:[eg][0-9]{{8}}|e[a-hj-np-z][0-9]{{7}}|[dps]e[0-9]{{7}})(?![0-9a-z])"),
)

PROVINCE_SIGNS = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


def _is_plate(plate: str) -> bool:
    """GA 36: at most two letters among the last places, so that a word after 新 or 青 is no plate."""
    return sum(char.isdigit() for char in plate) >= 3


CN_PLATE = Detector(
    name="cn_plate",
    probe=rf"(?:{'|'.join(PROVINCE_SIGNS)})[a-hj-np-z]",
    hint=rf"(?:{'|'.join(PROVINCE_SIGNS)})[a-hj-np-z](?:[ .-]|·|•|・)?[a-z0-9]{{4}}",
    pattern=re.compile(
        rf"[{PROVINCE_SIGNS}][a-hj-np-z][ ·•・.-]?"
        r"(?:[a-hj-np-z0-9]{4}[a-hj-np-z0-9挂学警港澳]|[a-hj-np-z][a-hj-np-z0-9][0-9]{4}|[0-9]{5}[a-hj-np-z])(?![0-9a-z])"
    ),
    judge=if_true(_is_plate),
    needs=frozenset(PROVINCE_SIGNS),
)

DETECTORS = (CN_ID, US_SSN, CN_USCC, CN_PASSPORT, CN_PLATE)
