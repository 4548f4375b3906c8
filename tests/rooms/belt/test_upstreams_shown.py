"""How upstreams stand is told by every worker, added up, and shown with the times that records have."""

import asyncio
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.ports import free_port
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome

from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.control.crew import pulse_page
from safebelt.rooms.belt.control.heartbeat import WATCHER, Heartbeat
from safebelt.rooms.belt.control.upstreams import tell
from safebelt.rooms.belt.decide.timing import MOST_GROUPS, OTHER, Took, grouped, split
from safebelt.rooms.belt.model.upstreams import Circuit, UpstreamSeen, UpstreamsNow
from safebelt.rooms.belt.proxy.client import Upstream, UpstreamDown
from safebelt.rooms.belt.proxy.upstreams import FAILURES, NoneLeft, Upstreams
from safebelt.run.keeping.folders import travelling
from safebelt.run.upstreams import keep_telling
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

HOST = "127.0.0.1:8802"


@pytest.fixture
def house(sql: Sql, tmp_path: Path) -> Iterator[House]:
    metadata.create_all(sql.engine)
    yield build(sql, tmp_path)


@contextmanager
def at_work(house: House, worker: int) -> Iterator[None]:
    """Let this process be a worker that gives signs of life."""
    page = Heartbeat(pulse_page(house.box.folder, worker))
    page.enter(os.getpid())
    page.beat(WATCHER)
    try:
        yield
    finally:
        page.enter(0)
        page.close()


def took(model: str, total: float, **more: Any) -> Took:
    parts = {"before": 1.0, "model": total - 2.0, "after": 1.0}
    usual = {"upstream": HOST, "is_stream": False, "is_broken": False, "parts": parts, "added": 2.0, "first_byte": 0.0}
    return Took(model=model, total=total, **{**usual, **more})


def served(house: House) -> None:
    """Exchanges as a belt records them: eight by one upstream, two by another, one by nobody."""
    with house.writing() as put:
        for number in range(8):
            put(intent(f"rec_{number}", house.system_id))
            put(outcome(f"rec_{number}", upstream=HOST, total_ms=400.0 + number))
        for number in range(8, 10):
            put(intent(f"rec_{number}", house.system_id, is_stream=False))
            finish = {"finish": "upstream_error", "status": 502} if number == 9 else {}
            put(outcome(f"rec_{number}", upstream="127.0.0.1:8803", **finish))
        put(intent("rec_refused", house.system_id))
        put(outcome("rec_refused", finish="refused", status=400))
    house.belt.index()


async def failing(house: House, hosts: list[str]) -> UpstreamsNow:
    """Ask upstreams of which none is there until all rest, and return what the worker told of it."""
    tls = ssl.create_default_context()
    upstreams = Upstreams([Upstream(f"http://{host}/v1", key="", tls=tls) for host in hosts])
    telling = asyncio.create_task(keep_telling(house, 1, upstreams, {"last-year": upstreams}))  # type: ignore[arg-type]
    for _ in range(FAILURES):
        with pytest.raises(UpstreamDown):
            await upstreams.send("POST", "/v1/chat/completions", b"{}", may_repeat=True)
    with pytest.raises(NoneLeft):
        await upstreams.send("POST", "/v1/chat/completions", b"{}", may_repeat=True)
    for _ in range(100):
        await asyncio.sleep(0.05)
        with at_work(house, 1):
            now = house.belt.upstreams()
        if now.upstreams and now.upstreams[0].none_left:
            break
    telling.cancel()
    upstreams.close()
    return now


def test_a_worker_tells_of_failures_rests_and_who_took_over(house: House) -> None:
    dead = [f"127.0.0.1:{free_port()}" for _ in range(2)]

    now = asyncio.run(failing(house, dead))

    assert (now.workers, now.told) == (1, 1)
    first, second, *earlier = now.upstreams
    assert [first.upstream, second.upstream] == dead and first.worst in {Circuit.OPEN, Circuit.HALF_OPEN}
    assert (first.failures, first.rests, first.taken_over, second.taken_over) == (FAILURES, 1, 0, FAILURES)
    assert first.failed_how == "unreached" and first.none_left == 1
    assert first.failed_at is not None and first.until is not None and first.until > first.failed_at
    assert [one.version for one in earlier] == ["last-year", "last-year"]


def test_what_workers_tell_is_added_up_and_the_worst_is_named(house: House) -> None:
    at = house.clock()
    resting = UpstreamSeen(upstream=HOST, in_a_row=4, until=at + timedelta(minutes=1), failures=4, rests=1)
    older = UpstreamSeen(upstream=HOST, failures=2, failed_at=at - timedelta(hours=1), failed_how="silent")
    with at_work(house, 1), at_work(house, 2):
        tell(house.box.folder, 1, [resting])
        one_told = house.belt.upstreams()
        tell(house.box.folder, 2, [older])

        both = house.belt.upstreams()
        told = house.belt.metrics()
    nobody = house.belt.upstreams()

    assert (one_told.workers, one_told.told) == (2, 1)
    (upstream,) = both.upstreams
    assert upstream.circuits == {Circuit.OPEN: 1, Circuit.CLOSED: 1} and upstream.worst is Circuit.OPEN
    assert (upstream.failures, upstream.rests, upstream.failed_how) == (6, 1, "silent")
    assert f'safebelt_upstream_resting{{upstream="{HOST}",version="",worker="1"}} 1' in told
    assert f'safebelt_upstream_failures_total{{upstream="{HOST}",version="",worker="2"}} 2' in told
    assert (nobody.workers, nobody.told, nobody.upstreams) == (0, 0, ())


def test_what_an_earlier_process_said_is_not_believed(house: House) -> None:
    tell(house.box.folder, 1, [UpstreamSeen(upstream=HOST)])
    path = house.box.folder / "upstreams" / "w1.json"
    with at_work(house, 1):
        believed = house.belt.upstreams().told
        path.write_bytes(path.read_bytes().replace(f'"pid":{os.getpid()}'.encode(), b'"pid":1'))
        stale = house.belt.upstreams().told
        path.write_bytes(b"\x00 torn")
        torn = house.belt.upstreams().told

    assert (believed, stale, torn) == (1, 0, 0)
    home = house.box.folder.parent
    assert "belt/upstreams/w1.json" not in [name for name, _ in travelling(home, is_obeyed=True)]


def test_a_rest_that_is_over_is_a_trial(house: House) -> None:
    at = house.clock()
    seen = UpstreamSeen(upstream=HOST, until=at)

    assert seen.circuit(at - timedelta(seconds=1)) is Circuit.OPEN
    assert seen.circuit(at + timedelta(seconds=1)) is Circuit.HALF_OPEN
    assert UpstreamSeen(upstream=HOST).circuit(at) is Circuit.CLOSED


def test_times_are_those_of_the_records_by_upstream_and_model(house: House) -> None:
    served(house)

    now = house.belt.upstreams()

    many, few = now.times
    assert (many.upstream, many.model, many.exchanges, many.streams, many.broken) == (HOST, "smollm2", 8, 8, 0)
    assert (few.exchanges, few.streams, few.broken) == (2, 0, 1)
    assert (many.total.p50_ms, many.total.p95_ms, many.added.p50_ms) == (403.0, 407.0, 1.25)
    assert many.first_byte is not None and many.first_byte.p50_ms == 88.5 and few.first_byte is None
    assert now.unanswered == {"refused": 1}
    assert (now.read, now.unread, now.is_capped) == (11, 0, False)


def test_a_record_that_was_changed_is_not_read_and_counted_as_such(house: House) -> None:
    served(house)
    segment = next(path for path in house.records.rglob("*") if path.is_file() and b"rec_8" in path.read_bytes())
    segment.write_bytes(segment.read_bytes().replace("好的，已收到。".encode(), "好的，已收走。".encode()))

    now = house.belt.upstreams()

    assert now.unread == 11 and not now.times


def test_models_beyond_the_most_are_one_group() -> None:
    found = grouped(took(f"model {number}", 10.0) for number in range(MOST_GROUPS + 5))

    assert len(found) == MOST_GROUPS + 1
    assert (found[-1].model, found[-1].exchanges) == (OTHER, 5)


def test_the_parts_of_the_slowest_are_told_apart_from_the_usual() -> None:
    slow = took("m", 1000.0, parts={"before": 900.0, "model": 99.0, "after": 1.0})
    (found,) = grouped([*(took("m", 10.0 + number / 100) for number in range(39)), slow])

    assert found.middle["model"] == pytest.approx(8.2, abs=0.1) and found.middle["before"] == 1.0
    assert found.slow["before"] > found.slow["model"] and "waited" not in found.slow
    assert (found.total.p50_ms, found.total.p95_ms) == (pytest.approx(10.19), pytest.approx(10.37))
    (alone,) = grouped([slow])
    assert alone.middle == alone.slow == {"before": 900.0, "model": 99.0, "after": 1.0}


def test_a_time_that_no_record_says_has_no_parts() -> None:
    assert split({"total_ms": 5.0, "before_ms": 1.0}) == []
    assert split({"total_ms": True, "before_ms": 1.0, "upstream_ms": 1.0}) == []
    assert dict(split({"total_ms": 5.0, "before_ms": 1.0, "upstream_ms": 3.0})) == {
        "before": 1.0,
        "model": 3.0,
        "after": 1.0,
    }


def test_the_api_the_shell_and_the_pages_say_the_same(house: House) -> None:
    def run() -> Answer:
        answer: Any = commands(house.belt)(
            ["upstreams"], exit_on_error=False, print_error=False, result_action="return_value"
        )
        assert isinstance(answer, Answer)
        return answer

    with TestClient(build_app(house)) as client:
        assert "nobody knows how the upstreams are" in client.get("/en/belt/upstreams").text
        assert run().exit_code == NOT_EVALUATED
        served(house)
        with at_work(house, 1):
            tell(house.box.folder, 1, [UpstreamSeen(upstream=HOST, failures=3, in_a_row=3, until=house.clock())])
            api = client.get("/api/belt/upstreams", params={"minutes": 15}).json()
            pages = [client.get(f"/{lang}/belt/upstreams?minutes=1440").text for lang in ("zh", "en")]
            shell = run()
        assert client.get("/api/belt/upstreams", params={"minutes": 0}).status_code in {400, 422}
    assert api["upstreams"][0]["circuits"] == {"half_open": 1} and api["minutes"] == 15
    assert all(HOST in page and "smollm2" in page and "sb-split" in page for page in pages)
    assert "断路器半开" in pages[0] and "circuit half open" in pages[1]
    assert shell.exit_code == DONE and "smollm2" in shell.says.en and HOST in shell.says.zh
    with TestClient(build_app(house, may=lambda action: action != "belt.read")) as client:
        assert client.get("/api/belt/upstreams").status_code == 403
        assert client.get("/en/belt/upstreams").status_code == 403


def test_nothing_is_written_while_nothing_changes(house: House) -> None:
    tls = ssl.create_default_context()
    upstreams = Upstreams([Upstream(f"http://{HOST}/v1", key="", tls=tls)])
    path = house.box.folder / "upstreams" / "w1.json"

    async def watch() -> tuple[int, int]:
        telling = asyncio.create_task(keep_telling(house, 1, upstreams, {}))  # type: ignore[arg-type]
        await asyncio.sleep(0.4)
        first = path.stat().st_mtime_ns
        await asyncio.sleep(1.2)
        telling.cancel()
        return first, path.stat().st_mtime_ns

    first, later = asyncio.run(watch())

    assert first == later
    assert SimpleNamespace(**upstreams.told()[0]).upstream == HOST
