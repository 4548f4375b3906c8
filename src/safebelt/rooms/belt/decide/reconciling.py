"""Judgments of completeness: matching the upstream's requests with the belt's records.

Where a line names the belt's record (the belt tells the upstream its id), it is matched by it, once.  The others are
matched by time: a request belongs to an exchange in whose span it falls, give or take `SLACK`; of several the one that
ends first is taken, which matches as many as can be matched (points and intervals, earliest end first).  So it reports
too few rather than too many.
"""

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model.reconciling import Around, Bucket, Call, Passed, Reconciliation, UpstreamFile

SLACK = timedelta(seconds=2)
"""Logs tell whole seconds, and two clocks that are kept by NTP agree to well within one."""
_SHOWN = 20


def span(file: UpstreamFile) -> tuple[datetime, datetime] | None:
    """Return the time a file speaks of; None where it speaks of none."""
    starts = [call.at for call in file.calls] + [bucket.since for bucket in file.buckets]
    ends = [call.at for call in file.calls] + [bucket.until for bucket in file.buckets]
    return (min(starts), max(ends)) if starts else None


def reconcile(file: UpstreamFile, passed: Sequence[Passed]) -> Reconciliation:
    """Hold the upstream's file against the exchanges of its time.

    Args:
        file: What was read of it.
        passed: The exchanges whose span, give or take `SLACK`, touches the file's time.
    """
    found = _by_calls(file.calls, passed) if file.calls else _by_buckets(file.buckets, passed)
    time, upstream = span(file), len(file.calls) + sum(bucket.requests for bucket in file.buckets)
    holds = _verdict(file, upstream, bool(found.around or found.missing))
    count = sum(each.requests for each in found.around)
    shown = tuple(sorted(found.around, key=lambda each: each.line)[:_SHOWN])
    return Reconciliation(
        holds=holds,
        reason=_reason(holds, file, upstream, count, len(found.missing)),
        form=file.form,
        since=time[0] if time else None,
        until=time[1] if time else None,
        upstream=upstream,
        recorded=len(passed),
        around=count,
        unexplained=len(found.missing),
        around_lines=tuple(each.line for each in shown),
        went_around=shown,
        by_id=found.by_id,
        unexplained_records=tuple(id_ for id_ in found.missing[:_SHOWN] if id_),
    )


def _verdict(file: UpstreamFile, upstream: int, differs: bool) -> Truth:
    if differs:
        return Truth.FALSE
    return Truth.UNKNOWN if file.unreadable_count or not (upstream or file.buckets) else Truth.TRUE


class _Found(NamedTuple):
    around: list[Around]
    missing: list[str]
    by_id: int = 0


def _by_calls(calls: Sequence[Call], passed: Sequence[Passed]) -> _Found:
    """Return the calls without a record, and the records without a call.

    A record explains one call: whoever sends its id along on a way of their own has explained nothing.
    """
    known, named, others = {each.id for each in passed}, set[str](), list[Call]()
    for call in sorted(calls, key=lambda call: call.at):
        if call.record_id in known and call.record_id not in named:
            named.add(call.record_id)
        else:
            others.append(call)
    free = sorted((each for each in passed if each.id not in named), key=lambda each: each.begun)
    around, matched, at = list[Around](), set(named), 0
    waiting: list[tuple[datetime, str]] = []
    for call in others:
        while at < len(free) and free[at].begun - SLACK <= call.at:
            heapq.heappush(waiting, (free[at].ended + SLACK, free[at].id))
            at += 1
        while waiting and waiting[0][0] < call.at:
            heapq.heappop(waiting)
        if waiting:
            matched.add(heapq.heappop(waiting)[1])
        else:
            around.append(Around(line=call.line, since=call.at, until=call.at, requests=1))
    first, last = min(call.at for call in calls), max(call.at for call in calls)
    inside = [each for each in passed if each.begun >= first + SLACK and each.ended <= last - SLACK]
    missing = [each.id for each in inside if each.reached and each.id not in matched]
    return _Found(around, missing, len(named))


def _by_buckets(buckets: Sequence[Bucket], passed: Sequence[Passed]) -> _Found:
    """Return the surplus of each bucket, and as many empty ids as records are too many for it."""
    around, missing = list[Around](), list[str]()
    for bucket in buckets:
        most = sum(each.begun < bucket.until + SLACK and each.ended >= bucket.since - SLACK for each in passed)
        least = sum(
            each.reached and each.begun >= bucket.since + SLACK and each.ended < bucket.until - SLACK for each in passed
        )
        if bucket.requests > most:
            surplus = bucket.requests - most
            around.append(Around(line=bucket.line, since=bucket.since, until=bucket.until, requests=surplus))
        missing += [""] * max(0, least - bucket.requests)
    return _Found(around, missing)


def _reason(holds: Truth, file: UpstreamFile, upstream: int, around: int, missing: int) -> Reason:
    unread = file.unreadable_count
    unknown = Text(zh="文件中没有可以比对的请求", en="the file has no request to compare")
    if unread:
        unknown = Text(zh=f"文件中有 {unread} 行无法读取", en=f"{unread} lines of the file cannot be read")
    says = {
        Truth.TRUE: Text(
            zh=f"完整：上游的 {upstream} 次请求都有记录可以对应。",
            en=f"Complete: every one of the upstream's {upstream} requests is explained by a record.",
        ),
        Truth.FALSE: Text(
            zh=f"不完整：上游有 {around} 次请求没有记录可以对应（可能绕过了安全带）；"
            f"另有 {missing} 条记录不见于上游文件。",
            en=f"Incomplete: no record explains {around} of the upstream's requests (they may have gone around the "
            f"belt); {missing} records are not in the upstream's file.",
        ),
        Truth.UNKNOWN: Text(
            zh=f"未评估：{unknown.zh}。",
            en=f"Not evaluated: {unknown.en}.",
        ),
    }[holds]
    return Reason(says=says, holds=holds)
