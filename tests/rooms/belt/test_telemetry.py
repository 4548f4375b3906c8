"""What other people's tools are told: read from the records, by others' readers, and never a word of what was said."""

import json
import re
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome

from safebelt.engines.http import client
from safebelt.engines.sql import Sql
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import LANGS
from safebelt.rooms.belt.decide.telemetry import OTHER, Told, attributes, told
from safebelt.rooms.belt.exports import otlp, prometheus
from safebelt.rooms.belt.exports.collector import Collector, Taken, headers_of, judged
from safebelt.rooms.belt.exports.counts import EXCHANGES, MOST_MODELS, TOKENS, Counts
from safebelt.rooms.belt.pages import chart
from safebelt.rooms.belt.records.following import Follower, end_of
from safebelt.rooms.belt.service import exporting
from safebelt.settings import Settings

CANARY = "canary-7f3a the secret of the prompt"
AT = "2026-11-23T05:00:00.250000+00:00"


# --- a real collector, whose judges are others' readers --------------------------------------------------------------


@dataclass
class Receiver:
    """Takes what is posted, and answers with the statuses it was told to, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    answer: bytes = b"{}"
    spans: list[Any] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def take(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        self.bodies.append(body)
        self.headers.append(headers)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            if path == "/v1/traces":
                request = json_format.Parse(_hex_to_base64(body), ExportTraceServiceRequest())
                self.spans += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
            elif path == "/v1/metrics":
                request = json_format.Parse(body, ExportMetricsServiceRequest())
                self.metrics = [m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics]
            else:
                return 404
        return status


def _hex_to_base64(body: bytes) -> str:
    """Turn ids as OTLP has them (hex) into ids as protobuf's own JSON has them (base64): the one difference."""
    request = json.loads(body)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = b64encode(bytes.fromhex(span[name])).decode()
    return json.dumps(request)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.take(self.path, body, {k.lower(): v for k, v in self.headers.items()})
            self.send_response(status)
            self.send_header("content-length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def collector(url: str, headers: str = "") -> Collector:
    return Collector(url, headers_of(headers), lambda: client(connect_seconds=1.0, read_seconds=5.0))


def attributes_of(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


# --- spans -----------------------------------------------------------------------------------------------------------


def test_an_exchange_becomes_a_span_and_its_models_part_a_child(sql: Sql, tmp_path: Path) -> None:
    with receiving() as there:
        house = build(sql, tmp_path, collector=collector(there.url, "authorization=Bearer%20abc"))
        house.belt.export()
        put(house, "rec_1", usage={"prompt_tokens": 11, "completion_tokens": 7}, upstream="models.example:8443")

        sent = house.belt.export()

    assert sent == 1
    whole, model = there.spans
    said = attributes_of(whole)
    assert (whole.kind, model.kind, model.parent_span_id) == (2, 3, whole.span_id)
    assert whole.trace_id == model.trace_id and len(whole.trace_id) == 16 and len(whole.span_id) == 8
    assert whole.end_time_unix_nano - whole.start_time_unix_nano == 420_000_000
    assert model.start_time_unix_nano - whole.start_time_unix_nano == 750_000
    assert model.end_time_unix_nano - model.start_time_unix_nano == 418_750_000
    assert said["gen_ai.operation.name"] == "chat"
    assert said["gen_ai.provider.name"] == "openai"
    assert said["gen_ai.request.model"] == "smollm2"
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (11, 7)
    assert said["http.response.status_code"] == 200
    assert said["safebelt.record"] == "rec_1"
    assert said["safebelt.verdict.done"] == "mask"
    assert [each.string_value for each in said["safebelt.rules"].values] == ["personal.cn_id"]
    assert "error.type" not in said and whole.status.code == 0
    assert attributes_of(model)["server.address"] == "models.example"
    assert attributes_of(model)["server.port"] == 8443
    assert "gen_ai.usage.input_tokens" not in attributes_of(model)
    assert there.headers[0]["authorization"] == "Bearer abc"


def test_an_older_record_that_does_not_say_when_the_model_was_asked_has_no_child(sql: Sql, tmp_path: Path) -> None:
    with receiving() as there:
        house = build(sql, tmp_path, collector=collector(there.url))
        house.belt.export()
        put(house, "rec_1", before_ms=None)

        house.belt.export()

    assert [span.kind for span in there.spans] == [2]


def test_what_failed_is_an_error_and_what_was_refused_is_none() -> None:
    failed = otlp.spans_of(told("rec_1", {}, {"finish": "upstream_error", "status": 502}, AT))[0]
    refused = otlp.spans_of(told("rec_1", {}, {"finish": "refused", "status": 400}, AT))[0]

    assert failed["status"]["code"] == 2
    assert "status" not in refused
    assert {"key": "error.type", "value": {"stringValue": "refused"}} in refused["attributes"]


def test_what_stood_there_before_is_no_news_and_what_comes_while_the_collector_is_down_is_not_lost(
    sql: Sql, tmp_path: Path
) -> None:
    with receiving() as there:
        address = there.url
        house = build(sql, tmp_path, collector=collector(address))
        put(house, "rec_old")
        house.belt.export()
        put(house, "rec_1")
        there.statuses = [503]
        with pytest.raises(Unavailable):
            house.belt.export()
        assert there.spans == []
        there.statuses = [429, 401]
        for _ in range(2):
            with pytest.raises(Unavailable):
                house.belt.export()
    with pytest.raises(Unavailable):  # now nobody is there at all
        house.belt.export()
    put(house, "rec_2")
    with receiving() as again:
        restarted = build(sql, tmp_path / "next", collector=collector(again.url), records=house.records)

        restarted.belt.export()
        restarted.belt.export()

    records = [attributes_of(span)["safebelt.record"] for span in again.spans if span.kind == 2]
    assert records == ["rec_1", "rec_2"]


def test_what_is_sent_twice_is_the_same_span(sql: Sql, tmp_path: Path) -> None:
    with receiving() as there:
        house = build(sql, tmp_path, collector=collector(there.url))
        house.belt.export()
        put(house, "rec_1")
        house.belt.export()
        first, there.spans = there.spans, []
        with sql.begin() as tx:  # as if the process had died before it could write down how far it was
            exporting._write(tx, exporting.Exported())

        house.belt.export()

    assert [span.span_id for span in first] == [span.span_id for span in there.spans]
    assert first[0].span_id != otlp.span_id("rec_2", "belt")


def test_a_batch_that_is_refused_for_ever_is_counted_and_does_not_block(sql: Sql, tmp_path: Path) -> None:
    with receiving() as there:
        house = build(sql, tmp_path, collector=collector(there.url))
        house.belt.export()
        put(house, "rec_1")
        there.statuses = [400]
        house.belt.export()
        put(house, "rec_2")

        house.belt.export()

    assert [attributes_of(span)["safebelt.record"] for span in there.spans if span.kind == 2] == ["rec_2"]
    assert (house.belt.exported().sent, house.belt.exported().skipped) == (1, 1)
    assert 'safebelt_otlp_exchanges_total{taken="no"} 1' in house.belt.metrics()


def test_spans_a_collector_leaves_out_are_counted(sql: Sql, tmp_path: Path) -> None:
    with receiving() as there:
        there.answer = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}'
        house = build(sql, tmp_path, collector=collector(there.url))
        house.belt.export()
        put(house, "rec_1")

        house.belt.export()

    assert house.belt.exported().rejected == 2


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_what_says_nothing_about_the_batch_is_waited_for(status: int) -> None:
    with pytest.raises(Unavailable):
        judged(status, b"")


@given(st.binary(max_size=200))
def test_whatever_a_collector_answers_the_batch_is_over(body: bytes) -> None:
    assert judged(200, body).taken in (Taken.WHOLE, Taken.PARTLY)
    assert judged(400, body).taken is Taken.REFUSED


def test_metrics_are_cumulative_and_add_up(sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "METRICS_SECONDS", 0.0)
    with receiving() as there:
        house = build(sql, tmp_path, collector=collector(there.url))
        house.belt.export()
        for number in range(3):
            put(house, f"rec_{number}", usage={"input_tokens": 5, "output_tokens": 2})
            house.belt.export()

    by_name = {metric.name: metric for metric in there.metrics}
    exchanges = by_name["safebelt.exchanges"].sum
    assert (exchanges.aggregation_temporality, exchanges.is_monotonic) == (2, True)
    assert [point.as_int for point in exchanges.data_points] == [3]
    assert sum(point.as_int for point in by_name["safebelt.tokens"].sum.data_points) == 21
    duration = by_name["gen_ai.server.request.duration"].histogram.data_points[0]
    assert (duration.count, round(duration.sum, 3)) == (3, 1.26)
    assert len(duration.bucket_counts) == len(duration.explicit_bounds) + 1


def test_without_a_collector_nothing_is_sent_and_nothing_written(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    put(house, "rec_1")

    assert house.belt.export() == 0
    assert "otlp" not in house.belt.metrics()


# --- Prometheus ------------------------------------------------------------------------------------------------------


def test_prometheus_reads_what_ended_since_the_process_began_to_count(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    put(house, "rec_old")
    house.belt.begin_counting()
    put(house, "rec_1", usage={"prompt_tokens": 3, "completion_tokens": 4})
    with TestClient(build_app(house)) as http:
        answer = http.get("/api/belt/metrics")
        put(house, "rec_2", finish="refused", status=400, done="refuse")
        later = http.get("/api/belt/metrics").text

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    first, second = samples(answer.text), samples(later)
    labels = {"system": house.system_id, "endpoint": "/v1/chat/completions", "would": "mask"}
    complete = key("safebelt_exchanges_total", **labels, done="mask", status="2xx", finish="complete")
    refused = key("safebelt_exchanges_total", **labels, done="refuse", status="4xx", finish="refused")
    assert (first[complete], refused in first) == (1, False)
    assert (second[complete], second[refused]) == (1, 1)
    assert first[key("safebelt_tokens_total", system=house.system_id, model="smollm2", type="output")] == 4
    assert second[key("safebelt_rule_hits_total", rule="personal.cn_id")] == 2
    assert second[key("safebelt_metrics_behind_bytes")] == 0
    assert second[key("safebelt_belt_alive")] == 0
    kind = {"operation": "chat", "provider": "openai"}
    assert second[key("gen_ai_server_request_duration_seconds_count", **kind)] == 2
    assert second[key("gen_ai_server_request_duration_seconds_bucket", **kind, le="0.32")] == 0
    assert second[key("gen_ai_server_request_duration_seconds_bucket", **kind, le="0.64")] == 2
    assert second[key("safebelt_added_seconds_bucket", **kind, le="0.0025")] == 2


def test_the_shell_counts_all_records_that_are_kept(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    put(house, "rec_1")
    put(house, "rec_2")

    found = samples(house.belt.metrics_of_all())

    assert sum(value for (name, _), value in found.items() if name == "safebelt_exchanges_total") == 2


def test_the_order_in_force_and_a_living_belt_are_seen(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    with house.watcher():
        time.sleep(0.1)

        found = samples(house.belt.metrics())

    assert found[key("safebelt_belt_alive")] == 1
    assert found[key("safebelt_order", system="", command="run")] == 1


def test_whoever_may_not_read_the_belt_gets_no_metrics(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    with TestClient(build_app(house, may=lambda action: action != "belt.read")) as http:
        assert http.get("/api/belt/metrics").status_code == 403


def test_two_scrapes_at_once_count_each_exchange_once(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    house.belt.begin_counting()
    for number in range(20):
        put(house, f"rec_{number}")
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(house.belt.metrics())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counts = [
        sum(value for (name, _), value in samples(text).items() if name == "safebelt_exchanges_total") for text in texts
    ]
    assert counts == [20] * 4


def test_callers_cannot_make_series_without_end() -> None:
    counts = Counts()
    for number in range(500):
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        made_up = {"finish": "upstream_error", "status": 404, "usage": usage}
        counts.add(told(f"rec_a{number}", {"model": f"made-up-{number}", "endpoint": f"/x/{number}"}, made_up, AT))
        served = {"finish": "complete", "status": 200, "usage": usage}
        counts.add(told(f"rec_b{number}", {"model": f"served-{number}"}, served, AT))

    models = {labels[1] for labels in counts.counters[TOKENS]}
    assert OTHER in models and len(models) == MOST_MODELS + 1
    assert not any(name.startswith("made-up") for name in models)
    assert {labels[1] for labels in counts.counters[EXCHANGES]} == {OTHER}


words = st.text(max_size=40) | st.sampled_from(['a"b', "a\\b", "a\nb", 'x"} 1\ny{z="', "\ud800", "\x00", "\r", " "])


@given(st.lists(words, min_size=1, max_size=5))
def test_any_label_survives_the_exposition_as_it_is(names: list[str]) -> None:
    counts = Counts()
    for number, name in enumerate(names):
        counts.add(told(f"rec_{number}", {"system_id": name, "rules": [name]}, {"finish": "complete"}, AT))

    found = samples(prometheus.text(counts, []))

    expected = {name[:80].encode("utf-8", "replace").decode() for name in names}
    assert {dict(labels)["system"] for (name, labels) in found if name == "safebelt_exchanges_total"} == expected


# --- facts of any kind -----------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
facts = st.fixed_dictionaries(
    {},
    optional={
        name: anything
        for name in [*Told._fields, "usage", "rules", "total_ms", "status", "finish", "system_id", "key_id", "at"]
    },
)
usages = st.dictionaries(
    st.sampled_from(["prompt_tokens", "input_tokens", "output_tokens", "cache_read_input_tokens"]), anything
)


@given(facts, facts, usages, st.text(max_size=30))
def test_facts_of_a_wrong_kind_stop_nothing(
    first: dict[str, Any], last: dict[str, Any], usage: dict[str, Any], at: str
) -> None:
    seen, counts = told("rec_1", first, {**last, "usage": usage}, at), Counts()
    counts.add(seen)

    request = json.dumps(otlp.traces([seen], {}))
    sums = json.dumps(otlp.metrics(counts, {}, 0, 1), allow_nan=False)

    json_format.Parse(_hex_to_base64(request.encode()), ExportTraceServiceRequest())
    json_format.Parse(sums, ExportMetricsServiceRequest())
    samples(prometheus.text(counts, []))
    chart.timing(chart.split({**last}) or [("before", 1.0), ("model", 0.0), ("after", 0.0)], "en")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}, (3, 4)),
        ({"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}, (3, 4)),
        (
            {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 1},
            (14, 4),
        ),
        ({"prompt_tokens": True, "completion_tokens": "4"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_tokens_are_read_in_the_shape_of_every_interface(usage: Any, expected: tuple[int | None, int | None]) -> None:
    seen = told("rec_1", {}, {"usage": usage}, AT)

    assert (seen.tokens_in, seen.tokens_out) == expected


def test_an_address_with_a_name_in_it_is_not_passed_on() -> None:
    paths = {path: told("rec_1", {"endpoint": path}, {}, AT).endpoint for path in ("/v1/videos/x", "/mcp/mine", "/y")}

    assert paths == {"/v1/videos/x": "/v1/videos", "/mcp/mine": "/mcp", "/y": OTHER}


# --- the records -----------------------------------------------------------------------------------------------------


def test_nothing_that_was_said_is_in_a_span_or_a_metric(
    sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "METRICS_SECONDS", 0.0)
    with receiving() as there:
        house = build(sql, tmp_path, collector=collector(there.url))
        house.belt.begin_counting()
        house.belt.export()
        with house.writing() as write:
            write(intent("rec_1", house.system_id, text=CANARY))
            write(outcome("rec_1", text=CANARY))
        house.belt.export()
        text = house.belt.metrics()

    assert any(CANARY.encode() in path.read_bytes() for path in house.records.iterdir())
    assert there.spans and there.metrics
    assert not any(CANARY[:10].encode() in body for body in there.bodies)
    assert CANARY[:10] not in text + house.belt.metrics_of_all()


def test_a_name_in_the_facts_would_be_seen_in_the_spans_so_the_check_above_can_fail() -> None:
    seen = told("rec_1", {"model": CANARY}, {"finish": "complete"}, AT)

    assert CANARY in json.dumps(otlp.traces([seen], {}))


def test_a_line_that_is_being_written_is_read_when_it_is_whole(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    put(house, "rec_1")
    (segment,) = house.records.glob("seg-*.log")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-5])
    follower = Follower(house.records)

    torn = follower.read(10, 5.0)
    follower.cursor = torn.end
    segment.write_bytes(whole)
    rest = follower.read(10, 5.0)

    assert torn.exchanges == [] and [each.id for each in rest.exchanges] == ["rec_1"]
    assert rest.end == end_of(house.records, "")
    assert rest.exchanges[0].intent["model"] == "smollm2"


def test_an_intent_read_long_ago_is_found_again(sql: Sql, tmp_path: Path) -> None:
    house = build(sql, tmp_path)
    with house.writing() as write:
        write(intent("rec_1", house.system_id))
        before = end_of(house.records, "")
        write(outcome("rec_1"))

    (ended,) = Follower(house.records, cursor=before).read(10, 5.0).exchanges

    assert ended.intent["system_id"] == house.system_id


def test_the_traffic_side_loads_nothing_of_it() -> None:
    proxy = Path(__file__).parents[3] / "src" / "safebelt" / "rooms" / "belt" / "proxy"
    sources = [path.read_text("utf-8") for path in proxy.rglob("*.py")]

    assert sources
    assert not any("telemetry" in text or "belt.exports" in text for text in sources)


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_an_exchanges_page_shows_where_its_time_went(sql: Sql, tmp_path: Path, lang: str) -> None:
    house = build(sql, tmp_path)
    put(house, "rec_1")
    put(house, "rec_2", before_ms=None)
    house.belt.index()
    with TestClient(build_app(house)) as http:
        page, older = (http.get(f"/{lang}/belt/exchanges/{name}").text for name in ("rec_1", "rec_2"))

    assert 'class="sb-split"' in page and 'role="img" aria-label="' in page
    assert ("the model 418.8 ms" if lang == "en" else "模型 418.8 ms") in page
    assert "sb-split" not in older


def test_the_parts_of_the_time_add_up_and_the_smallest_is_seen() -> None:
    parts = chart.split({"before_ms": 0.1, "upstream_ms": 9_999.0, "total_ms": 10_000.0})

    assert sum(ms for _, ms in parts) == pytest.approx(10_000.0)
    boxes = re.findall(r'x="([\d.]+)" y="0" width="([\d.]+)"', str(chart.timing(parts, "en")))
    ends = [(float(x), float(x) + float(width)) for x, width in boxes]
    assert all(end - start >= 10 for start, end in ends)
    assert all(after[0] == pytest.approx(before[1], abs=0.2) for before, after in pairwise(ends))
    assert ends[-1][1] == pytest.approx(chart.WIDTH, abs=0.2)
    assert chart.split({"total_ms": 5.0}) == []


def test_time_waited_for_a_person_is_a_part_of_its_own_only_where_there_was_some() -> None:
    held = chart.split({"before_ms": 2.0, "upstream_ms": 400.0, "total_ms": 20_410.0, "waited_ms": 20_000.0})
    paused = chart.split(
        {"before_ms": 602.0, "upstream_ms": 400.0, "total_ms": 1010.0, "waited_ms": 600.0, "waited_before_ms": 600.0}
    )
    plain = chart.split({"before_ms": 2.0, "upstream_ms": 400.0, "total_ms": 410.0})

    assert dict(held) == {"before": 2.0, "waited": 20_000.0, "model": 400.0, "after": 8.0}
    assert dict(paused) == {"before": 2.0, "waited": 600.0, "model": 400.0, "after": 8.0}
    assert dict(plain) == {"before": 2.0, "model": 400.0, "after": 8.0}


def put(house: House, record_id: str, **facts: Any) -> None:
    with house.writing() as write:
        write(intent(record_id, house.system_id))
        write(outcome(record_id, **facts))


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = list(text_string_to_metric_families(text))
    assert all(family.documentation for family in families)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_a_span_ends_when_the_outcome_was_written() -> None:
    at = datetime(2026, 11, 23, 5, 0, 0, 250_000, tzinfo=UTC)

    assert told("rec_1", {}, {}, AT).ended_ns == int(at.timestamp() * 1000) * 1_000_000
    assert ("safebelt.record", "rec_1") in attributes(told("rec_1", {}, {}, AT), "belt")


def test_a_collectors_token_is_not_shown_when_the_settings_are() -> None:
    settings = Settings(otlp="http://collector:4318", otlp_headers="authorization=Bearer%20hunter2")

    assert "hunter" not in repr(settings)
    assert headers_of(settings.otlp_headers) == {"authorization": "Bearer hunter2"}
    with pytest.raises(ValueError, match="name=value"):
        Settings(otlp_headers="hunter2")
