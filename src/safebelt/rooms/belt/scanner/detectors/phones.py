"""Telephone numbers: mainland China, international form, North America."""

import re

from safebelt.rooms.belt.scanner.detectors.base import AFTER_ESCAPE, Detector

# Mobile numbers begin 13–19 (MIIT numbering plan); groups 3-4-4, with 86 or 0 before them, the first in brackets; other
# signs than blank and dash only where both places have the same; or each digit by itself.
_GAP, _SIGN = r"(?: {0,3}| ?- ?)", r"(?:[./_]|·|—)"
CN_MOBILE = Detector(
    name="cn_mobile",
    hint=rf"1[3-9][0-9]\)?(?:{_GAP}[0-9]{{4}}{_GAP}|{_SIGN}[0-9]{{4}}{_SIGN})[0-9]{{4}}|1[ .-][3-9](?:[ .-][0-9]){{9}}",
    pattern=re.compile(
        rf"(?<![0-9])(?<![0-9][./_·—])(?:(?:\+|00)?86[ -]?|0[ -]?)?"
        rf"(?:(?:1[3-9][0-9]|\(1[3-9][0-9]\)){_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}(?![0-9])"
        rf"|1[3-9][0-9]([./_·—])[0-9]{{4}}\1[0-9]{{4}}(?![0-9]|\1[0-9])"
        rf"|(?<![0-9][ -])1([ .-])[3-9](?:\2[0-9]){{9}}(?!\2?[0-9]))"
    ),
)

# Area codes 010, 02x, 03xx–09xx; numbers of seven or eight digits begin 2–8.  Dash, blank or brackets keep other digits
# out: eleven digits in a row may number anything.
_CITY = r"(?:10|2[0-9]|[3-9][0-9]{2})"
_LOCAL = r"[2-8][0-9]{2,3}[ -]?[0-9]{4}"
CN_LANDLINE = Detector(
    name="cn_landline",
    hint=rf"[086][ -]?[0-9]{{2,3}}(?:\)[ -]?|[ -]|(?:—){{1,2}}){_LOCAL}",
    pattern=re.compile(
        rf"(?<![0-9])(?:(?:(?:\+|00)?86[ -]?)?(?:0{_CITY}(?:[ -]|—{{1,2}})|\(0{_CITY}\)[ -]?)|\+?86[ -]{_CITY}[ -])"
        rf"{_LOCAL}(?![0-9])"
    ),
)

# ITU-T E.164: at most 15 digits; fewer than eight are no subscriber's number.  With 00 only what is called from the
# mainland every day, Hong Kong, Macao and Taiwan: documents are numbered so too.
_CALLED = rf"(?:(?<![0-9a-z])|{AFTER_ESCAPE}|(?<=tel)|(?<=fax))"
PHONE_INTERNATIONAL = Detector(
    name="phone_international",
    hint=r"\+[1-9](?:[ ().-]{0,2}[0-9]){7}|00(?:85[23]|886)(?:[ -]{0,2}[0-9]){8}",
    pattern=re.compile(
        rf"{_CALLED}(?:\+[1-9](?:[ ().-]{{0,2}}[0-9]){{7,14}}"
        r"|(?<![0-9][.,])00(?:85[23]|886)(?:[ -]{0,2}[0-9]){8,9})(?![0-9])"
    ),
    needs=frozenset("+0"),
)

# NANP: area code and exchange begin 2–9, an area code never ends in 11; only with separators.
US_PHONE = Detector(
    name="us_phone",
    hint=r"[2-9][0-9]{2}[ ).-] ?[2-9][0-9]{2}[ .-][0-9]{4}",
    pattern=re.compile(
        rf"{_CALLED}(?<![0-9]\.)(?:1[ .-])?(?:\((?![2-9]11)[2-9][0-9]{{2}}\) ?|(?![2-9]11)[2-9][0-9]{{2}}[ .-])"
        r"[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9])"
    ),
)

DETECTORS = (CN_MOBILE, CN_LANDLINE, PHONE_INTERNATIONAL, US_PHONE)
