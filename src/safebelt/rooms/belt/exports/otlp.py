"""OTLP 1.9 in its JSON encoding: ids in hex, 64-bit numbers as text, kinds as numbers.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from safebelt import __version__
from safebelt.rooms.belt.decide.telemetry import (
    BELT,
    FAILURES,
    SCHEMA_URL,
    UPSTREAM,
    Told,
    Value,
    attributes,
    span_id,
    trace_id,
)
from safebelt.rooms.belt.exports.counts import Counts, Histogram, Labels, Metric, named

_SERVER, _CLIENT, _ERROR, _CUMULATIVE = 2, 3, 2, 2
_SAID_CHARS = 200
_SCOPE = {"name": "safebelt.belt", "version": __version__}

Json = dict[str, Any]


def traces(ended: Sequence[Told], resource: Mapping[str, str]) -> Json:
    """Return an export request with the spans of some exchanges."""
    spans = [span for each in ended for span in spans_of(each)]
    scoped = {"scope": _SCOPE, "spans": spans, "schemaUrl": SCHEMA_URL}
    return {"resourceSpans": [{"resource": _resource(resource), "scopeSpans": [scoped], "schemaUrl": SCHEMA_URL}]}


def spans_of(told: Told) -> list[Json]:
    """Return the span of an exchange and, where it is known when the model was asked, that of the model's part."""
    start = max(0, told.ended_ns - _ns(told.total_ms))
    ids = {"traceId": trace_id(told.id), "spanId": span_id(told.id, BELT)}
    spans = [{**ids, **_span(told, _SERVER, BELT, start, told.ended_ns), **_status(told, told.finish in FAILURES)}]
    if told.before_ms is not None and told.upstream_ms:
        begun = min(start + _ns(told.before_ms), told.ended_ns)
        ended = min(begun + _ns(told.upstream_ms), told.ended_ns)
        child = {"traceId": ids["traceId"], "spanId": span_id(told.id, UPSTREAM), "parentSpanId": ids["spanId"]}
        failed = _status(told, told.finish == "upstream_error")
        spans.append({**child, **_span(told, _CLIENT, UPSTREAM, begun, ended), **failed})
    return spans


def metrics(counts: Counts, resource: Mapping[str, str], since_ns: int, now_ns: int) -> Json:
    """Return an export request with everything counted since a moment (cumulative)."""
    span = {"startTimeUnixNano": str(since_ns), "timeUnixNano": str(now_ns)}
    found: list[Json] = []
    for metric, series in counts.counters.items():
        points = [{**_point(metric, labels), **span, "asInt": str(count)} for labels, count in series.items()]
        total = {"aggregationTemporality": _CUMULATIVE, "isMonotonic": True, "dataPoints": points}
        found += [{**_about(metric), "sum": total}] if points else []
    for metric, timed in counts.histograms.items():
        points = [{**_point(metric, labels), **span, **_histogram(metric, each)} for labels, each in timed.items()]
        found += (
            [{**_about(metric), "histogram": {"aggregationTemporality": _CUMULATIVE, "dataPoints": points}}]
            if points
            else []
        )
    scoped = {"scope": _SCOPE, "metrics": found, "schemaUrl": SCHEMA_URL}
    return {"resourceMetrics": [{"resource": _resource(resource), "scopeMetrics": [scoped], "schemaUrl": SCHEMA_URL}]}


def refused_of(answer: bytes) -> tuple[int, str]:
    """Return how many of a request's spans or points a collector took no part of, and why; foreign, so bounded."""
    try:
        partial = msgspec.json.decode(answer).get("partialSuccess") or {}
        count = int(partial.get("rejectedSpans") or partial.get("rejectedDataPoints") or 0)
        said = partial.get("errorMessage")
    except (msgspec.MsgspecError, AttributeError, TypeError, ValueError, RecursionError):
        return 0, ""
    return max(0, min(count, 2**31)), said[:_SAID_CHARS] if isinstance(said, str) else ""


def _span(told: Told, kind: int, which: str, start: int, end: int) -> Json:
    said = [{"key": key, "value": _value(value)} for key, value in attributes(told, which)]
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}
    name = f"{told.operation} {told.model}".strip()
    return {"name": name, "kind": kind, **times, "attributes": said}


def _status(told: Told, has_failed: bool) -> Json:
    return {"status": {"code": _ERROR, "message": told.error}} if has_failed else {}


def _resource(resource: Mapping[str, str]) -> Json:
    return {"attributes": [{"key": key, "value": _value(value)} for key, value in resource.items()]}


def _about(metric: Metric) -> Json:
    return {"name": metric.name, "unit": metric.unit, "description": metric.help}


def _point(metric: Metric, labels: Labels) -> Json:
    pairs = named(metric, labels, is_text=False).items()
    return {"attributes": [{"key": key, "value": _value(value)} for key, value in pairs if value]}


def _histogram(metric: Metric, histogram: Histogram) -> Json:
    return {
        "count": str(histogram.count),
        "sum": histogram.total,
        "bucketCounts": [str(count) for count in histogram.buckets],
        "explicitBounds": list(metric.bounds),
    }


def _value(value: Value) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case tuple():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": value or ""}


def _ns(ms: float) -> int:
    return int(ms * 1_000_000)
