"""Live pages: server-sent events from a plain function, read by `static/live.js` (WHATWG HTML, section 9.2).

    @get("/live", guards=[requires("belt.read")], include_in_schema=False)
    async def live_rows(self, request: Request, …) -> ServerSentEvent:
        return live(request, newer_than)

`newer_than(cursor)` is sync (it may query the database); it runs in a thread and returns what is newer.
The page says `<tbody data-live="/zh/belt/live" data-live-max="50">…`; a fragment replaces the element of the
same id, or goes on top.  Without JavaScript the page simply shows what was there when it was asked for.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.response import ServerSentEvent, ServerSentEventMessage

HEARTBEAT_SECONDS = 15.0
"""Proxies close what is silent for half a minute; a comment line every quarter keeps it open."""
LIFETIME_SECONDS = 600.0
"""Browsers reconnect by themselves; ending after ten minutes makes each reconnection pass the guard again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One thing that is new.

    Attributes:
        cursor: Where to go on from after it (sent as the event's id, comes back as `Last-Event-ID`).
        html: One element, with an `id`.
        event: `row` for rows and cards; `text` for `<span id="x">…` counters that only replace.
    """

    cursor: str
    html: str
    event: str = "row"


NewerThan = Callable[[str], Sequence[Update]]
"""`(cursor or "")` → what is newer, oldest first."""


def live(
    request: Request[Any, Any, Any],
    newer_than: NewerThan,
    *,
    since: str = "",
    every_seconds: float = 1.0,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    lifetime_seconds: float = LIFETIME_SECONDS,
) -> ServerSentEvent:
    """Answer with a stream of updates until the reader leaves or the lifetime is over.

    Args:
        request: Whose `Last-Event-ID` says where a reconnecting reader stopped.
        newer_than: Polled in a thread.
        since: Where a first-time reader starts.
        every_seconds: Pause between polls.
        heartbeat_seconds: Longest silence.
        lifetime_seconds: When to end and let the browser reconnect.
    """
    cursor = request.headers.get("last-event-id", since)
    return ServerSentEvent(updates(newer_than, cursor, every_seconds, heartbeat_seconds, lifetime_seconds))


async def updates(
    newer_than: NewerThan, cursor: str, every: float, heartbeat: float, lifetime: float
) -> AsyncIterator[ServerSentEventMessage]:
    """Poll, send, keep alive; cancelled by the server when the reader closes the connection."""
    clock = asyncio.get_running_loop().time
    end, spoken = clock() + lifetime, clock()
    yield ServerSentEventMessage(comment="safebelt", data=None, retry=3000)
    while clock() < end:
        for update in await asyncio.to_thread(newer_than, cursor):
            cursor, spoken = update.cursor, clock()
            yield ServerSentEventMessage(data=update.html, event=update.event, id=update.cursor)
        if clock() - spoken >= heartbeat:
            spoken = clock()
            yield ServerSentEventMessage(comment="still here", data=None)
        await asyncio.sleep(every)
