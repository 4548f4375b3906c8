"""`/{lang}/belt`: the live console, its export, and one exchange in full."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import ServerSentEvent, Template

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model import UNGUARDED, Exchange, Stance, Unguarded
from safebelt.rooms.belt.pages import chart, rates, words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.records.digests import DIGESTS
from safebelt.rooms.belt.records.sealing import sealed_in
from safebelt.rooms.belt.service import Belt, Found, Search, day_range, texts_of
from safebelt.rooms.certificates.model import BEARINGS
from safebelt.web.live import Update, live
from safebelt.web.security import requires
from safebelt.web.templating import fragment
from safebelt.web.templating import page as render

ROWS = 50
MINUTES = 60
MAX_EXPORTED = 10_000
"""Rows of an export; whoever needs more narrows the dates, or reads the segments themselves."""

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
Word = Annotated[str, QueryParameter(max_length=200)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]


class ConsolePages(Controller):
    """What passes through the belt."""

    path = "/{lang:str}/belt"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("belt.read")])
    def console(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        lang: PathLang,
        system: Word = "",
        page: PageNumber = 1,
    ) -> Template:
        """Show state, stance, traffic and the newest exchanges."""
        search, problem = _search(request)
        cursor = belt.cursor()
        found = belt.exchanges(search, page, ROWS)
        is_live = page == 1 and problem is None and search == Search(system=system)
        now = belt.state()
        return render(
            "belt/console.html",
            lang=lang,
            title=words.CONSOLE,
            status=422 if problem else 200,
            found=found,
            search=search,
            query=dict(request.query_params.items()),
            problem=problem,
            names=belt.names(),
            now=now,
            identity=belt.identity(),
            bearings=BEARINGS,
            opened=_opened(belt, system),
            observed=[h for h in belt.harnesses() if h.stance is Stance.OBSERVE and system in ("", h.system_id)],
            over_blockings=belt.over_blockings(),
            rates=rates,
            is_admission_off=belt.is_admission_off(),
            live=f"/{lang}/belt/live?{urlencode({'system': system, 'since': cursor})}" if is_live else "",
            words=words,
            may=lambda action: words.may(request, action),
            notice=words.notice(request),
            **_numbers(belt, lang, system),
        )

    @get("/live", sync_to_thread=True, guards=[requires("belt.read")])
    def live_rows(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        lang: PathLang,
        system: Word = "",
        since: Word = "",
    ) -> ServerSentEvent:
        """Send rows as they come, and the numbers whenever something came."""
        names = belt.names()

        def newer_than(cursor: str) -> Sequence[Update]:
            newest, rows = belt.newer(int(cursor) if cursor.isdecimal() else 0, Search(system=system))
            if not rows:
                return []
            made = [
                Update(cursor=str(newest), html=fragment(request.app, "belt/_row.html", lang=lang, e=row, names=names))
                for row in rows
            ]
            numbers = fragment(request.app, "belt/_numbers.html", lang=lang, **_numbers(belt, lang, system))
            return [*made, Update(cursor=str(newest), html=numbers, event="text")]

        return live(request, newer_than, since=since or str(belt.cursor()))

    @get("/export.csv", sync_to_thread=True, guards=[requires("belt.read")])
    def export_csv(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Response[bytes]:
        """Hand the list out as CSV, with the same filters as the page."""
        return _file("exchanges.csv", "text/csv; charset=utf-8", as_csv(_exported(request, belt).items))

    @get("/export.json", sync_to_thread=True, guards=[requires("belt.read")])
    def export_json(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Response[bytes]:
        """Hand the list out as JSON, with the same filters as the page."""
        found = _exported(request, belt)
        body = msgspec.json.encode({"exchanges": found.items, "more": found.is_more})
        return _file("exchanges.json", "application/json", body)

    @get("/exchanges/{record_id:str}", sync_to_thread=True, guards=[requires("belt.read")])
    def exchange(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, record_id: PathId) -> Template:
        """Show one exchange in full."""
        full = belt.exchange(record_id)
        has_content = words.may(request, "belt.read_content", record_id)
        halves = [half for half in (full.intent, full.outcome) if half is not None]
        facts: dict[str, Any] = {key: value for half in halves for key, value in half.core.items()}
        return render(
            "belt/exchange.html",
            lang=lang,
            title=words.EXCHANGE,
            full=full,
            e=full.exchange,
            facts=facts,
            hits=[hit for half in halves for hit in half.core.get("hits") or [] if isinstance(hit, dict)],
            calls=[call for half in halves for call in half.core.get("tools") or [] if isinstance(call, dict)],
            unguarded=[half.core[UNGUARDED] for half in halves if isinstance(half.core.get(UNGUARDED), dict)],
            unread=[part for half in halves for part in half.core.get("not_evaluated") or []],
            texts_in=texts_of(full.intent) if has_content else [],
            texts_out=texts_of(full.outcome) if has_content else [],
            has_content=has_content,
            is_sealed=any(sealed_in(half.content) for half in halves),
            is_digest=any(DIGESTS in (half.content or {}) for half in halves),
            openings=len(belt.openings(full.exchange.id)),
            is_erased=any(half.content is None and half is full.intent for half in halves),
            label=facts.get("label"),
            sound=_sound(facts.get("sound")),
            names=belt.names(),
            words=words,
            split=(parts := chart.split(facts)),
            split_bar=chart.timing(parts, lang) if parts else "",
            split_names={name: title.in_(lang) for name, title in chart.SPLIT},
        )

    @get("/exchanges/{record_id:str}/proof", sync_to_thread=True, guards=[requires("belt.read")])
    def proof(self, belt: NamedDependency[Belt], lang: PathLang, record_id: PathId) -> Response[str]:
        """Hand out the record's self-contained proof."""
        found = belt.prove(record_id)
        return Response(
            found.text,
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{_file_name(record_id)}.tlog-proof"'},
        )


def _opened(belt: Belt, system: str) -> list[tuple[str, str, tuple[Unguarded, ...]]]:
    """Return by system what its policy lets pass unread, where it does."""
    names = {policy.id: policy.unguarded for policy in belt.policies() if policy.unguarded}
    fitted = [h for h in belt.harnesses() if h.policy in names and system in ("", h.system_id)]
    return [(h.system_id, h.policy, names[h.policy]) for h in fitted]


def _sound(said: object) -> dict[str, Any] | None:
    """Return a sound's size and digest, as the record has them; None where it says none that can be read."""
    if not isinstance(said, dict) or not isinstance(said.get("bytes"), int) or not isinstance(said.get("sha256"), str):
        return None
    return {"bytes": said["bytes"], "sha256": said["sha256"]}


def _exported(request: AnyRequest, belt: Belt) -> Found:
    search, problem = _search(request)
    if problem:
        raise problem
    return belt.exchanges(search, 1, MAX_EXPORTED)


def _file(name: str, media_type: str, body: bytes) -> Response[bytes]:
    return Response(body, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})


def _file_name(record_id: str) -> str:
    return "".join(char for char in record_id if char.isascii() and (char.isalnum() or char in "-_"))


def _numbers(belt: Belt, lang: Lang, system: str) -> dict[str, Any]:
    """Return what `_numbers.html` needs."""
    traffic = belt.traffic(system, MINUTES)
    return {
        "traffic": traffic,
        "bars": chart.bars(traffic.minutes, lang),
        "chart_rows": chart.rows(traffic.minutes),
        "series": chart.SERIES,
        "shares": chart.shares(traffic.by_done),
        "would_act": traffic.by_would.get("mask", 0) + traffic.by_would.get("refuse", 0),
        "rules": {rule.id: rule.title for policy in belt.policies() for rule in policy.rules},
    }


def _search(request: AnyRequest) -> tuple[Search, Invalid | None]:
    """Read the filters from the address; a date that is none is told, and leaves the list unnarrowed by it."""
    asked = {
        name: str(request.query_params.get(name, ""))[:200] for name in ("system", "text", "done", "would", "finish")
    }
    problem, since, until = None, None, None
    try:
        since, until = day_range(request.query_params.get("since", ""), request.query_params.get("until", ""))
    except (ValueError, OverflowError):
        problem = Invalid(
            what=Text(zh="日期格式不对。", en="That is no date."),
            hint=Text(zh="请写成 2026-11-21 这样的格式。", en="Write it like 2026-11-21."),
            details={"field": "since"},
        )
    return Search(**asked, since=since, until=until), problem


COLUMNS = (
    "id",
    "at",
    "system_id",
    "key_id",
    "endpoint",
    "model",
    "is_stream",
    "done",
    "would",
    "rules",
    "status",
    "finish",
    "is_unguarded",
)
NUMBERS = ("total_ms", "added_ms", "segment", "offset")


def as_csv(exchanges: Sequence[Exchange]) -> bytes:
    """Write exchanges as CSV (RFC 4180, UTF-8 with a mark so that spreadsheets read Chinese).

    A cell that a spreadsheet would take for a formula gets an apostrophe before it: the model's name is the caller's.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow((*COLUMNS, *NUMBERS))
    for each in exchanges:
        writer.writerow([_cell(getattr(each, name)) for name in (*COLUMNS, *NUMBERS)])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    text = " ".join(value) if isinstance(value, tuple) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
