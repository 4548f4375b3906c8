"""Bring telemetry to a collector by OTLP/HTTP, and say what its answer means for what was sent."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote

import httpx2
import msgspec

from safebelt.engines.http import client, fetch
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.exports.otlp import Json, refused_of

_ANSWER_BYTES = 64 * 1024
_WAIT_FOR = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""What says nothing about the batch: a wrong token or address is put right by a person, and nothing is lost until then.
Of the rest of 4xx the batch itself is the reason, and it would be refused for ever."""


class Taken(StrEnum):
    """What became of a batch."""

    WHOLE = "whole"
    PARTLY = "partly"
    REFUSED = "refused"


class Answered(NamedTuple):
    """What a collector said.

    Attributes:
        taken: What became of the batch; it is over in any case.
        rejected: How many spans or points it left out, where it took it partly.
        said: Its status and words, bounded.
    """

    taken: Taken
    rejected: int = 0
    said: str = ""


class Collector:
    """One collector.

    Args:
        url: Its base, for example `http://collector:4318`.
        headers: Sent with everything.
        new_client: Makes the HTTP client; kept open afterwards.
    """

    def __init__(self, url: str, headers: Mapping[str, str], new_client: Callable[[], httpx2.Client]) -> None:
        self._url = url.rstrip("/")
        self._headers = {**headers, "content-type": "application/json"}
        self._new_client = new_client
        self._client: httpx2.Client | None = None

    def send_traces(self, request: Json) -> Answered:
        """Bring spans; see `send_metrics`."""
        return self._send("/v1/traces", request)

    def send_metrics(self, request: Json) -> Answered:
        """Bring metrics.

        Raises:
            Unavailable: It does not answer, is overloaded or out of order, or does not let us in: try again.
        """
        return self._send("/v1/metrics", request)

    def _send(self, path: str, request: Json) -> Answered:
        if self._client is None:
            self._client = self._new_client()
        answer = fetch(
            self._client,
            "POST",
            self._url + path,
            max_bytes=_ANSWER_BYTES,
            content=msgspec.json.encode(request),
            headers=self._headers,
        )
        return judged(answer.status_code, answer.content)


def judged(status: int, body: bytes) -> Answered:
    """Say what an answer means.

    Raises:
        Unavailable: Nothing is wrong with the batch, so that it has to come again.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        rejected, said = refused_of(body)
        return Answered(Taken.PARTLY if rejected else Taken.WHOLE, rejected, said)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _WAIT_FOR:
        return Answered(Taken.REFUSED, said=f"HTTP {status}")
    raise Unavailable(
        what=Text(zh=f"遥测收集器回应 HTTP {status}。", en=f"The telemetry collector answers HTTP {status}."),
        hint=Text(
            zh="请检查收集器及 SAFEBELT_OTLP、SAFEBELT_OTLP_HEADERS；记录仍在，恢复后会补送。",
            en="Check the collector, SAFEBELT_OTLP and SAFEBELT_OTLP_HEADERS; the records stay, and are sent then.",
        ),
    )


def collector_of(url: str, headers: str) -> Collector | None:
    """Return the collector that the settings name; None where they name none."""
    if not url:
        return None
    return Collector(url, headers_of(headers), lambda: client(connect_seconds=2.0, read_seconds=5.0, connections=2))


def headers_of(setting: str) -> dict[str, str]:
    """Read `name=value,name=value`, values percent-encoded, as `OTEL_EXPORTER_OTLP_HEADERS` has it.

    Raises:
        ValueError: A part has no name.
    """
    found = {}
    for part in filter(None, (part.strip() for part in setting.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ValueError("headers are name=value, separated by commas")
        found[name.strip().lower()] = unquote(value.strip())
    return found
