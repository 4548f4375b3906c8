"""Network addresses of devices.  Private, loopback and link-local ones name nobody and are left alone."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from safebelt.rooms.belt.scanner.detectors.base import AFTER_ESCAPE, Detector, if_true

_NAMED = rf"(?<=ip)(?<![a-z]ip)|{AFTER_ESCAPE}"
"""What else an address may follow: `IP203.0.113.57`, or the end of a line in JSON within a text."""
_PRIVATE_V4 = re.compile(
    r"0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|2(?:2[4-9]|[345][0-9])\."
)


def _is_public_v4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return not _PRIVATE_V4.match(text)


IPV4 = Detector(
    name="ipv4",
    probe=r"[0-9]\.[0-9]{1,3}\.[0-9]",
    hint=r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}",
    pattern=re.compile(
        rf"(?:(?<![0-9a-z])(?<![0-9a-z]\.)|{_NAMED})[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?![0-9a-z])(?!\.[0-9])"
    ),
    judge=if_true(_is_public_v4),
)


def _is_public_v6(text: str) -> bool:
    """A real address with a digit and two groups: `std::vector` and `12:30:45` are none."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    is_local = address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    is_code = sum(1 for group in text.split(":") if group) < 2 or not any(char.isdigit() for char in text)
    return not is_local and not is_code


IPV6 = Detector(
    name="ipv6",
    probe=r":[0-9a-f]{0,4}:",
    hint=r":[0-9a-f]{0,4}:",
    pattern=re.compile(
        rf"(?:(?<![0-9a-z])(?<![0-9a-f:]:)|(?<=ipv6:)|{_NAMED})"
        r"(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![0-9a-z])(?!:[0-9a-f:])"
    ),
    judge=if_true(_is_public_v6),
    needs=frozenset(":"),
)


def _is_device(text: str) -> bool:
    return len(set(re.sub("[:-]", "", text))) > 1


MAC = Detector(
    name="mac",
    probe=r"[:-][0-9a-f]{2}[:-]",
    hint=r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}",
    pattern=re.compile(
        rf"(?:(?<![0-9a-z])(?<![0-9a-f]:)(?<![0-9a-z]-)|(?<=mac)|(?<=mac[:-])|{AFTER_ESCAPE})"
        r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![0-9a-z])(?![:-][0-9a-z])"
    ),
    needs=frozenset(":-"),
    judge=if_true(_is_device),
)

DETECTORS = (IPV4, IPV6, MAC)
