"""Pictures that an answer names by address: fetched from places the operator trusts, and from nowhere else.

An address in a model's answer is foreign: who could choose it could have the belt ask any machine it reaches.  So the
belt asks the upstream's own origin and those the operator named (SAFEBELT_PICTURE_ORIGINS), follows nobody elsewhere,
and sends no key.
"""

import asyncio
import re
import ssl
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from safebelt.rooms.belt.proxy.client import Upstream
from safebelt.rooms.belt.proxy.tools import Unmarked

MAX_BYTES = 32 * 1024 * 1024
"""Largest picture that is fetched: the largest formats that services deliver stay well below."""
SECONDS = 60.0
"""Longest time for one picture, from the first byte sent to the last received."""
_ADDRESS = re.compile(r"https?://[\x21-\x7e]{1,4096}")  # no space and no control: it becomes a line of the request
_PORTS = {"http": 80, "https": 443}


def origin_of(address: str) -> str:
    """Return an address's origin (RFC 6454): scheme, host and port, for example `https://host:443`.

    Raises:
        ValueError: It is no http(s) address in ASCII, or carries a user's name.
    """
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"not an http(s) address in ASCII: {address[:200]!r}")
    parts = urlsplit(address)
    if not parts.hostname or "@" in parts.netloc or "\\" in parts.netloc:
        raise ValueError(f"not an address of a host alone: {address[:200]!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _PORTS[parts.scheme]}"


class Places:
    """Where pictures are fetched from.

    Args:
        addresses: One address of each origin.
        tls: Context for https.

    Raises:
        ValueError: One of them is no http(s) address.
    """

    def __init__(self, addresses: Iterable[str], *, tls: ssl.SSLContext) -> None:
        origins = {origin_of(address) for address in addresses}
        self._places = {origin: Upstream(origin, key="", tls=tls, answer_seconds=SECONDS) for origin in origins}

    async def fetch(self, address: str) -> bytes:
        """Return what lies at an address.

        Raises:
            Unmarked: It lies where the belt does not fetch from, or is not simply there.
            UpstreamDown, UpstreamBroke, UpstreamSlow: As of any upstream; also where it is too large.
        """
        try:
            place = self._places.get(origin_of(address))
        except ValueError as error:
            raise Unmarked(str(error)) from error
        if place is None:
            raise Unmarked("a picture at an address that the belt does not fetch from")
        parts = urlsplit(address)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await place.get(target)
                try:
                    if answer.status != HTTPStatus.OK:
                        raise Unmarked(f"the place of a picture answers {answer.status}")
                    return await answer.read(MAX_BYTES)
                finally:
                    answer.close()
        except TimeoutError as error:
            raise Unmarked("a picture did not come in time") from error

    def close(self) -> None:
        """Close idle connections."""
        for place in self._places.values():
            place.close()
