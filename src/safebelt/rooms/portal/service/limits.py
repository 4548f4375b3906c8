"""How often one address may come: counted in memory only, forgotten within the hour, never written anywhere.

No puzzle is set and no third party asked.  What it honestly is: a bound on what one address can cost in an hour, and a
bound for everybody together, so that many addresses cannot bury the desk.  Behind a proxy that hides addresses all
visitors are one address; then the proxy has to limit them.
"""

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from threading import Lock

from safebelt.engines.clock import Clock
from safebelt.kernel.errors import TooMany
from safebelt.kernel.text import Text

_WINDOW = timedelta(hours=1)
_ADDRESSES = 20_000
"""Addresses remembered at most; the one that came longest ago is forgotten first."""
_V6_PREFIX = 64
"""One subscriber has a whole /64 of IPv6 (RFC 6177): counting single addresses would count nothing."""


def counted_as(address: str) -> str:
    """Return what an address is counted as: itself, or its /64 where it is IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 4 or found.ipv4_mapped:
        return str(found if found.version == 4 else found.ipv4_mapped)
    return str(ip_network((found, _V6_PREFIX), strict=False))


class Limits:
    """Counts what came from where within the last hour.

    Args:
        clock: Says now.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._seen: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()

    def hold(self, what: str, address: str, most: int) -> None:
        """Hold that something came less often than `most` within the hour; it is not counted by this.

        Raises:
            TooMany: It did not.
        """
        with self._lock:
            times = self._within(what, address)
            if len(times) >= most:
                raise _too_many(times[0] + _WINDOW - self._clock())

    def count(self, what: str, address: str) -> None:
        """Count that something came."""
        key = (what, counted_as(address))
        with self._lock:
            self._within(what, address)
            self._seen.setdefault(key, deque()).append(self._clock())
            self._seen.move_to_end(key)
            while len(self._seen) > _ADDRESSES:
                self._seen.popitem(last=False)

    def spend(self, what: str, address: str, most: int) -> None:
        """Count that something comes, unless it came `most` times within the hour.

        Raises:
            TooMany: It did; this time is not counted.
        """
        self.hold(what, address, most)
        self.count(what, address)

    def came(self, what: str, address: str) -> bool:
        """Whether something came within the hour."""
        with self._lock:
            return bool(self._within(what, address))

    def _within(self, what: str, address: str) -> deque[datetime]:
        key = (what, counted_as(address))
        times = self._seen.get(key, deque[datetime]())
        while times and times[0] <= self._clock() - _WINDOW:
            times.popleft()
        if not times:
            self._seen.pop(key, None)
        return times


def _too_many(wait: timedelta) -> TooMany:
    seconds = max(1, round(wait.total_seconds()))
    minutes = -(-seconds // 60)
    return TooMany(
        what=Text(zh="一小时内提交得太多。", en="Too much was sent within an hour."),
        hint=Text(
            zh=f"请在 {minutes} 分钟后再试，或使用纸质表格。",
            en=f"Try again in {minutes} minute{'' if minutes == 1 else 's'}, or use the paper form.",
        ),
        details={"retry_after_seconds": str(seconds)},
    )
