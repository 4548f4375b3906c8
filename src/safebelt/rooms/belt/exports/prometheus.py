"""Prometheus text exposition, version 0.0.4.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from safebelt.rooms.belt.exports.counts import Counts, Histogram, Metric, named

CONTENT_TYPE = "text/plain; version=0.0.4"


class Gauge(NamedTuple):
    """A value of this moment, or a count that is kept elsewhere.

    Attributes:
        name: In Prometheus.
        help: One sentence.
        samples: Labels and value.
        kind: `gauge` or `counter`.
    """

    name: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]
    kind: str = "gauge"


def text(counts: Counts, gauges: Sequence[Gauge]) -> str:
    """Write everything down."""
    lines: list[str] = []
    for gauge in gauges:
        lines += _head(gauge.name, gauge.help, gauge.kind)
        lines += [_sample(gauge.name, labels, value) for labels, value in gauge.samples]
    for metric, series in counts.counters.items():
        lines += _head(metric.text, metric.help, "counter")
        for labels, count in series.items():
            lines.append(_sample(metric.text, named(metric, labels, is_text=True), count))
    for metric, timed in counts.histograms.items():
        lines += _head(metric.text, metric.help, "histogram")
        for labels, histogram in timed.items():
            lines += _buckets(metric, named(metric, labels, is_text=True), histogram)
    return "\n".join([*lines, ""])


def _buckets(metric: Metric, labels: Mapping[str, str], histogram: Histogram) -> Iterator[str]:
    below = 0
    for bound, count in zip((*metric.bounds, None), histogram.buckets, strict=True):
        below += count
        end = "+Inf" if bound is None else repr(bound)
        yield _sample(f"{metric.text}_bucket", {**labels, "le": end}, below)
    yield _sample(f"{metric.text}_sum", labels, histogram.total)
    yield _sample(f"{metric.text}_count", labels, histogram.count)


def _head(name: str, help_: str, kind: str) -> list[str]:
    said = help_.replace("\\", "\\\\").replace("\n", "\\n")
    return [f"# HELP {name} {said}", f"# TYPE {name} {kind}"]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(said)}"' for label, said in labels.items())
    return f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"


def _escaped(value: str) -> str:
    whole = value.encode("utf-8", "replace").decode()
    return whole.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
