"""Telephone numbers: mainland China, international form, North America."""

import re

from safebelt.rooms.belt.scanner.detectors.base import Detector

# Mobile numbers begin 13–19 (MIIT numbering plan); groups 3-4-4 with one blank or dash, and an optional 86.
CN_MOBILE = Detector(
    name="cn_mobile",
    hint=r"1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}",
    pattern=re.compile(
        r"(?<![0-9])(?<![0-9]\.)(?:(?:\+|00)?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9])",
    ),
)

# Area codes 010, 02x, 03xx–09xx; numbers of seven or eight digits begin 2–8.  The dash keeps other digits out.
CN_LANDLINE = Detector(
    name="cn_landline",
    hint=r"0[0-9]{2,3}-[2-8][0-9]{6}",
    pattern=re.compile(r"(?<![0-9])0(?:10|2[0-9]|[3-9][0-9]{2})-[2-8][0-9]{6,7}(?![0-9])"),
)

# ITU-T E.164: at most 15 digits; fewer than eight are no subscriber's number.
PHONE_INTERNATIONAL = Detector(
    name="phone_international",
    hint=r"\+[1-9](?:[ ().-]{0,2}[0-9]){7}",
    pattern=re.compile(r"(?<![0-9a-z])\+[1-9](?:[ ().-]{0,2}[0-9]){7,14}(?![0-9])"),
    needs=frozenset("+"),
)

# NANP: area code and exchange begin 2–9, an area code never ends in 11; only with separators.
US_PHONE = Detector(
    name="us_phone",
    hint=r"[2-9][0-9]{2}[ ).-] ?[2-9][0-9]{2}[ .-][0-9]{4}",
    pattern=re.compile(
        r"(?<![0-9a-z])(?<![0-9]\.)(?:1[ .-])?(?:\((?![2-9]11)[2-9][0-9]{2}\) ?|(?![2-9]11)[2-9][0-9]{2}[ .-])"
        r"[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9])"
    ),
)

DETECTORS = (CN_MOBILE, CN_LANDLINE, PHONE_INTERNATIONAL, US_PHONE)
