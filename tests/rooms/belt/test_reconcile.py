"""What went around the belt is found from the upstream's own figures, and a hostile file is named, never believed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.conftest import StillClock
from tests.rooms.belt.house import House, build, intent, outcome

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide.reconciling import reconcile
from safebelt.rooms.belt.imports.usage import read_upstream
from safebelt.rooms.belt.model.reconciling import Call, Form, Passed, UpstreamFile
from safebelt.web.terminal import Answer

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def line(seconds: int, what: str = "POST /v1/chat/completions", tail: str = "") -> str:
    when = at(seconds).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'10.0.0.1 - - [{when}] "{what} HTTP/1.1" 200 512{tail}\n'


def exchange(id_: str, begun: float, ended: float, *, reached: bool = True) -> Passed:
    return Passed(id=id_, begun=at(begun), ended=at(ended), reached=reached)


def judged(log: str, *passed: Passed) -> tuple[Truth, int, int]:
    found = reconcile(read_upstream(log.encode()), passed)
    return found.holds, found.around, found.unexplained


def test_every_request_with_a_record_is_complete_and_one_too_many_is_named_by_its_line() -> None:
    passed = (exchange("rec_a", 0, 3), exchange("rec_b", 60, 64), exchange("rec_c", 120, 121))
    log = line(3) + line(5, "GET /health") + line(64) + line(121)

    assert judged(log, *passed) == (Truth.TRUE, 0, 0)
    around = reconcile(read_upstream((log + line(90)).encode()), passed)
    assert (around.holds, around.around, around.around_lines) == (Truth.FALSE, 1, (5,))
    assert judged(log) == (Truth.FALSE, 3, 0)


def test_two_requests_in_the_span_of_one_exchange_are_one_too_many() -> None:
    assert judged(line(1) + line(2), exchange("rec_a", 0, 3)) == (Truth.FALSE, 1, 0)
    assert judged(line(1) + line(2), exchange("rec_a", 0, 3), exchange("rec_b", 0, 60)) == (Truth.TRUE, 0, 0)


def test_a_record_the_upstream_does_not_know_is_told_and_a_refused_one_is_not() -> None:
    log = line(0) + line(100)
    ends = (exchange("rec_a", -1, 0), exchange("rec_z", 99, 100))

    assert judged(log, *ends, exchange("rec_m", 50, 51)) == (Truth.FALSE, 0, 1)
    assert judged(log, *ends, exchange("rec_m", 50, 51, reached=False)) == (Truth.TRUE, 0, 0)


def test_a_line_that_names_its_record_is_matched_by_it_whatever_the_clock_says() -> None:
    known = f"rec_{'0' * 26}"

    assert judged(line(500, tail=f' "{known}"'), exchange(known, 0, 1)) == (Truth.TRUE, 0, 0)
    assert judged(line(500, tail=f' "rec_{"1" * 26}"'), exchange(known, 0, 1)) == (Truth.FALSE, 1, 0)


def test_lines_that_cannot_be_read_leave_it_not_evaluated_never_complete() -> None:
    log = line(1) + "garbage\n"

    assert judged(log, exchange("rec_a", 0, 2)) == (Truth.UNKNOWN, 0, 0)
    assert judged(line(5, "GET /health")) == (Truth.UNKNOWN, 0, 0)


def bucket(requests: int) -> dict[str, Any]:
    since = int(NOON.timestamp())
    results = [{"num_model_requests": requests}, {"num_model_requests": 0}]
    return {"object": "bucket", "start_time": since, "end_time": since + 3600, "results": results}


def test_usage_figures_are_compared_by_time_and_count() -> None:
    inside = [exchange(f"rec_{n}", n * 60 + 10, n * 60 + 11) for n in range(3)]
    refused = exchange("rec_r", 1000, 1001, reached=False)

    def of(requests: int) -> tuple[Truth, int, int]:
        return judged(json.dumps({"object": "page", "data": [bucket(requests)]}), *inside, refused)

    assert of(3) == of(4) == (Truth.TRUE, 0, 0)
    assert of(6) == (Truth.FALSE, 2, 0)
    assert of(2) == (Truth.FALSE, 0, 1)


def test_a_usage_export_as_csv_is_read_row_by_row_and_rows_of_one_span_belong_together() -> None:
    since = int(NOON.timestamp())
    head = "start_time,end_time,num_model_requests,model\n"
    file = read_upstream(f"{head}{since},{since + 60},2,a\n{since},{since + 60},3,b\nx,y,z,c\n".encode())

    assert [(each.requests, each.line) for each in file.buckets] == [(5, 2)]
    assert (file.form, file.unreadable, file.unreadable_count) == (Form.USAGE, (4,), 1)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
@example(b"")
@example(b"[" * 50_000)
@example(b'{"data": [{"start_time": 1e999, "end_time": -1}]}')
@example(b"start_time,end_time,num_model_requests\n" + b"9" * 4000 + b",1,1\n")
@example(b'start_time\n"' + b"x" * 200_000)
@example(line(1).replace("12:", "99:").encode())
@example(line(1).replace("2026", "0000").encode())
def test_whatever_the_bytes_the_only_failure_is_a_named_one(content: bytes) -> None:
    try:
        found = read_upstream(content)
    except Invalid as problem:
        assert problem.what.zh and problem.what.en
    else:
        assert isinstance(found, UpstreamFile)
        assert reconcile(found, []).holds in set(Truth)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 30)), max_size=40), st.data())
def test_calls_that_all_went_through_the_belt_are_never_called_missing(spans: Any, data: Any) -> None:
    passed = [exchange(f"rec_{n}", begun, begun + length) for n, (begun, length) in enumerate(spans)]
    calls = [
        Call(line=n, at=at(begun + data.draw(st.integers(0, length)))) for n, (begun, length) in enumerate(spans, 1)
    ]

    found = reconcile(UpstreamFile(form=Form.ACCESS_LOG, calls=tuple(calls)), passed)

    assert (found.around, found.unexplained) == (0, 0)


@pytest.fixture
def house(tmp_path: Path, clock: StillClock) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    yield build(sql, tmp_path, clock=clock)
    sql.close()


def test_the_command_says_it_in_its_exit_code_and_keeps_it_as_evidence(house: House, tmp_path: Path) -> None:
    app, file = commands(house.belt), tmp_path / "access.log"
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        put(outcome("rec_1"))

    def run(log: str, *words: str) -> Answer:
        file.write_text(log)
        answer: Any = app(
            ["reconcile", str(file), *words], exit_on_error=False, print_error=False, result_action="return_value"
        )
        assert isinstance(answer, Answer)
        json.dumps(answer.data)
        return answer

    assert run(line(0)).exit_code == 0
    around = run(line(0) + line(300), "--keep", "monthly check")
    assert (around.exit_code, around.data["around_lines"]) == (1, (2,))
    assert run(line(0, "GET /")).exit_code == 3
    (entry,) = house.entries("reconciled")
    assert (entry["verdict"], entry["around"], entry["reason"]) == ("false", 1, "monthly check")
    with pytest.raises(Invalid):
        run("not a log at all\n")
