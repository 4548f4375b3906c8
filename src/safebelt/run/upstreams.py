"""A worker's upstreams, and what it tells of them, so that whoever looks need not ask every process."""

import asyncio
import os
import ssl
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

import structlog

from safebelt.app import House
from safebelt.rooms.belt.control.upstreams import tell
from safebelt.rooms.belt.model.upstreams import UpstreamSeen
from safebelt.rooms.belt.proxy.client import Upstream
from safebelt.rooms.belt.proxy.turns import Turns
from safebelt.rooms.belt.proxy.upstreams import Model, Upstreams

LOOK_SECONDS = 0.5
"""An opened circuit is on the page within a second."""

_log = structlog.get_logger("safebelt.belt")
_Raw = list[tuple[str, dict[str, Any]]]


def upstreams_of(house: House, tls: ssl.SSLContext) -> Upstreams:
    """Return the upstream and those that stand in for it, each with its own key: a key is for nobody else."""
    settings = house.settings
    keys = dict(zip_longest(settings.fallback_upstreams, settings.fallback_keys, fillvalue=""))
    turns = Turns()
    first = Upstream(settings.upstream_url, key=settings.upstream_key, tls=tls, turns=turns)
    others = (Upstream(url, key=keys[url], tls=tls, turns=turns) for url in settings.fallback_upstreams)
    return Upstreams([first, *others])


def earlier_of(house: House, tls: ssl.SSLContext) -> dict[str, Model]:
    """Return the earlier versions that are served elsewhere, each with its own key."""
    settings, turns = house.settings, Turns()
    return {
        name: Upstreams([Upstream(one.upstream, key=settings.earlier_keys.get(name, ""), tls=tls, turns=turns)])
        for name, one in settings.earlier_versions.items()
        if one.upstream
    }


async def keep_telling(house: House, worker: int, usual: Model, earlier: Mapping[str, Model]) -> None:
    """Write down for ever how the upstreams stand, whenever that has changed."""
    before: _Raw | None = None
    while True:
        now = _raw(usual, earlier)
        if now != before:
            before = await _told(house, worker, now)
        await asyncio.sleep(LOOK_SECONDS)


async def _told(house: House, worker: int, now: _Raw) -> _Raw | None:
    """Tell; return what was told, or None where it is to be told again."""
    at, ticks = house.clock(), time.monotonic()
    seen = [_seen(version, one, at, ticks) for version, one in now]
    try:
        await asyncio.to_thread(tell, house.box.folder, worker, seen)
    except OSError as error:
        _log.warning("belt.upstreams_not_told", problem=str(error), pid=os.getpid())
        return None
    return now


def _raw(usual: Model, earlier: Mapping[str, Model]) -> _Raw:
    named = [("", usual), *earlier.items()]
    return [(name, one) for name, model in named if isinstance(model, Upstreams) for one in model.told()]


def _seen(version: str, one: Mapping[str, Any], at: datetime, ticks: float) -> UpstreamSeen:
    """Return how one stands, with times that mean something to other processes."""
    times = {name: at + timedelta(seconds=one[name] - ticks) if one[name] else None for name in ("until", "failed_at")}
    return UpstreamSeen(version=version, **{**one, **times})
