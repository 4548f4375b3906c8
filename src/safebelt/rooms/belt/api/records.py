"""`/api/belt`: what passed, and what proves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.belt.api.words import Id, PageNumber, PageSize, SystemId, WhyRequest
from safebelt.rooms.belt.exports.prometheus import CONTENT_TYPE as METRICS_TYPE
from safebelt.rooms.belt.model import Action, Exchange
from safebelt.rooms.belt.service import Belt, Found, Full, Sealed, Search, Traffic
from safebelt.web.openapi import problems
from safebelt.web.problems import invalid_field
from safebelt.web.security import requires

PROOF_TYPE = "text/plain; charset=utf-8"

# RFC 3339, and not `datetime`: a query's text would then also be read as seconds since 1970, or without its zone.
_RFC_3339 = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2}))?$"
Moment = Annotated[
    str,
    QueryParameter(pattern=_RFC_3339, description="With its zone, such as 2026-11-21T12:00:00Z; empty for any."),
]


class EndedAs(StrEnum):
    """How an exchange ended; `open` while it is under way."""

    OPEN = "open"
    COMPLETE = "complete"
    REFUSED = "refused"
    CUT = "cut"
    UPSTREAM_ERROR = "upstream_error"
    CLIENT_GONE = "client_gone"
    RECORDS_FAILED = "records_failed"
    BELT_ERROR = "belt_error"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class FullExchange:
    """One exchange in full; contents are null where they were erased or not asked for."""

    exchange: Exchange
    intent: dict[str, Any] | None
    outcome: dict[str, Any] | None
    reasons: list[dict[str, Any]]
    sealed_entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What reading every record again came to: `true`, `false`, or `unknown` where nothing could be verified."""

    holds: str
    counts: Mapping[str, int]
    reason: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many contents were blanked."""

    record_id: str
    contents: int


Shown = Literal["allow", "flag", "mask", "refuse", "unguarded"]
"""What is shown of an exchange: what was done, or that nobody screened it."""


class RecordsApi(Controller):
    """`/api/belt`: what passed, and what proves it."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/exchanges", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(Invalid))
    def exchanges(
        self,
        *,
        belt: NamedDependency[Belt],
        system: SystemId = "",
        search: Annotated[str, QueryParameter(max_length=200, description="Part of an id, key, rule or model.")] = "",
        done: Annotated[Shown | None, QueryParameter()] = None,
        would: Annotated[Action | None, QueryParameter()] = None,
        finish: Annotated[EndedAs | None, QueryParameter()] = None,
        since: Moment = "",
        until: Moment = "",
        page: PageNumber = 1,
        size: PageSize = 50,
    ) -> Found:
        """List exchanges, newest first."""
        wanted = Search(
            system=system,
            text=search,
            done=done or "",
            would=would.value if would else "",
            finish=finish.value if finish else "",
            since=_moment("since", since),
            until=_moment("until", until),
        )
        return belt.exchanges(wanted, page, size)

    @get(
        "/exchanges/{record_id:str}", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(NotFound)
    )
    def exchange(self, belt: NamedDependency[Belt], record_id: Id) -> FullExchange:
        """Return one exchange without its texts: facts, verdict and why."""
        return _full(belt.exchange(record_id), has_content=False)

    @get(
        "/exchanges/{record_id:str}/content",
        sync_to_thread=True,
        guards=[requires("belt.read_content")],
        responses=problems(NotFound),
    )
    def content(self, belt: NamedDependency[Belt], record_id: Id) -> FullExchange:
        """Return one exchange with its masked texts."""
        return _full(belt.exchange(record_id), has_content=True)

    @get(
        "/exchanges/{record_id:str}/proof",
        sync_to_thread=True,
        guards=[requires("belt.read")],
        responses=problems(NotFound),
        media_type=PROOF_TYPE,
    )
    def proof(self, belt: NamedDependency[Belt], record_id: Id) -> Response[str]:
        """Return a self-contained proof (C2SP tlog-proof) that the record stands in a signed head."""
        found = belt.prove(record_id)
        return Response(found.text, media_type=PROOF_TYPE)

    @post(
        "/exchanges/{record_id:str}/erase",
        sync_to_thread=True,
        guards=[requires("ledger.erase")],
        responses=problems(Invalid, NotFound, has_body=True),
    )
    def erase(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], record_id: Id, data: JSONBody[WhyRequest]
    ) -> Erased:
        """Erase a record's texts for good; every proof stands."""
        return Erased(record_id=record_id, contents=belt.erase(record_id, data.reason, by))

    @get("/traffic", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def traffic(
        self,
        belt: NamedDependency[Belt],
        system: SystemId = "",
        minutes: Annotated[int, QueryParameter(ge=1, le=1440)] = 60,
    ) -> Traffic:
        """Count the last minutes."""
        return belt.traffic(system, minutes)

    @get(
        "/metrics",
        sync_to_thread=True,
        guards=[requires("belt.read")],
        responses=problems(),
        media_type=METRICS_TYPE,
    )
    def metrics(self, belt: NamedDependency[Belt]) -> Response[str]:
        """Return counters and histograms as Prometheus text, counted from the records since this process started."""
        return Response(belt.metrics(), media_type=METRICS_TYPE)

    @get("/segments", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def segments(self, belt: NamedDependency[Belt]) -> list[Sealed]:
        """List finished record segments and the ledger entries with their roots."""
        return list(belt.sealed_segments().values())

    @get("/verify", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def verify(self, belt: NamedDependency[Belt]) -> Verdict:
        """Read every record again and hold it against signed heads and ledger."""
        found = belt.verify()
        return Verdict(holds=found.holds.value, counts=found.counts(), reason=found.reason.as_data())


def _moment(name: str, text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):  # no such day, or before the year 1 in UTC
        raise invalid_field(
            name,
            Text(zh=f"没有这个时刻：{text}", en=f"There is no such moment: {text}"),
            Text(zh="请写成 2026-11-21T12:00:00Z 的形式。", en="Write it like 2026-11-21T12:00:00Z."),
        ) from None


def _full(full: Full, *, has_content: bool) -> FullExchange:
    halves = [None if half is None else msgspec.to_builtins(half) for half in (full.intent, full.outcome)]
    for half in halves:
        if half is not None and not has_content:
            half["content"] = None
    return FullExchange(
        exchange=full.exchange,
        intent=halves[0],
        outcome=halves[1],
        reasons=[reason.as_data() for reason in full.reasons],
        sealed_entry=full.sealed_entry,
    )
