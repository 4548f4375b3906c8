"""E-mail addresses, also where they touch Chinese characters."""

import re

from safebelt.rooms.belt.scanner.detectors.base import AFTER_ESCAPE, Detector

# Local part: 64 octets (RFC 5321 section 4.5.3.1.1).  Labels are cut at 41 and nine deep, to stay within REACH.
EMAIL = Detector(
    name="email",
    probe=r"[a-z0-9_.%+-]@[a-z0-9]",
    longest=430,
    hint=r"[a-z0-9_.%+-]@[a-z0-9]",
    pattern=re.compile(
        rf"(?:(?<![a-z0-9_])(?!(?<=\\)[nrt])|{AFTER_ESCAPE})[a-z0-9_][a-z0-9._%+-]{{0,63}}@"
        r"(?:[a-z0-9](?:[a-z0-9-]{0,39}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![a-z0-9])(?!-[a-z0-9])"
    ),
    needs=frozenset("@"),
)

DETECTORS = (EMAIL,)
