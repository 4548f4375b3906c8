"""Whether anything went around the belt, through API and pages: what the upstream's own file says, and what is kept."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.test_reconcile import NOON, at, exchange, line

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.rooms.belt.decide.reconciling import reconcile
from safebelt.rooms.belt.imports.usage import lines_of, read_upstream

KNOWN = f"rec_{'0' * 26}"
AROUND = line(900, tail=' "curl/8 <b>around</b>"')


@pytest.fixture
def house(tmp_path: Path, clock: StillClock) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    clock.now = NOON
    house = build(sql, tmp_path, clock=clock)
    house.belt.fit(house.system_id, by=OWNER)
    with house.writing() as put:
        put(intent(KNOWN, house.system_id))
        clock.now += timedelta(seconds=1)
        put(outcome(KNOWN, total_ms=1000.0))
    clock.now += timedelta(hours=1)
    yield house
    sql.close()


def file(*lines: str) -> dict[str, tuple[str, bytes, str]]:
    return {"file": ("access.log", "".join(lines).encode(), "text/plain")}


# ---------------------------------------------------------------- by id


def test_a_record_explains_one_request_and_no_second_that_says_its_id() -> None:
    named = [line(seconds, tail=f' "{KNOWN}"') for seconds in (1, 300)]

    once = reconcile(read_upstream(named[0].encode()), [exchange(KNOWN, 0, 1)])
    twice = reconcile(read_upstream("".join(named).encode()), [exchange(KNOWN, 0, 1)])

    assert (once.holds, once.by_id) == (Truth.TRUE, 1)
    assert (twice.holds, twice.by_id, twice.around, twice.around_lines) == (Truth.FALSE, 1, 1, (2,))
    assert [(one.line, one.since, one.requests) for one in twice.went_around] == [(2, at(300), 1)]


def test_a_second_line_of_one_record_may_still_be_explained_by_time() -> None:
    named = "".join(line(seconds, tail=f' "{KNOWN}"') for seconds in (1, 300))

    found = reconcile(read_upstream(named.encode()), [exchange(KNOWN, 0, 1), exchange("rec_other", 299, 301)])

    assert (found.holds, found.around) == (Truth.TRUE, 0)


def test_lines_are_shown_by_their_number_and_others_are_not() -> None:
    assert lines_of(b"one\ntwo\r\n\xff three", {2, 3, 9}) == {2: "two", 3: "� three"}
    assert lines_of(b"", {1}) == {}


# ---------------------------------------------------------------- doors


def test_the_api_says_what_went_around_and_keeps_it_where_it_is_told_why(house: House) -> None:
    good, bad = file(line(1, tail=f' "{KNOWN}"')), file(line(1), AROUND)
    with TestClient(build_app(house)) as client:
        complete = client.post("/api/belt/reconcile", files=good).json()
        around = client.post("/api/belt/reconcile", files=bad, data={"system": house.system_id}).json()
        assert house.belt.reconciliations() == (), "nothing was kept"
        kept = client.post("/api/belt/reconciliations", files=bad, data={"reason": "monthly check"})
        unsaid = client.post("/api/belt/reconciliations", files=bad, data={"reason": " "})
        nonsense = client.post("/api/belt/reconcile", files=file("no log at all\n"))
        empty = client.post("/api/belt/reconcile", files=file(""))

    assert (complete["holds"], complete["by_id"], complete["upstream"]) == ("true", 1, 1)
    assert (around["holds"], around["around"], around["around_lines"]) == ("false", 1, [2])
    assert [one["line"] for one in around["went_around"]] == [2]
    assert (kept.status_code, unsaid.status_code, nonsense.status_code, empty.status_code) == (201, 422, 422, 422)
    (one,) = house.belt.reconciliations()
    assert (one.entry, one.holds, one.around, one.reason) == (kept.json()["entry"], Truth.FALSE, 1, "monthly check")


def test_who_may_only_read_compares_and_keeps_nothing(house: House) -> None:
    with TestClient(build_app(house, may=lambda action: action == "belt.read")) as client:
        assert client.post("/api/belt/reconcile", files=file(line(1))).status_code == 200
        assert client.post("/api/belt/reconciliations", files=file(line(1)), data={"reason": "x"}).status_code == 403
        assert client.post("/en/belt/reconcile/keep", files=file(line(1)), data={"reason": "x"}).status_code == 403
        assert "/reconcile/keep" not in client.get("/en/belt/reconcile").text
    assert house.belt.reconciliations() == ()


@pytest.mark.parametrize(
    ("lang", "complete", "incomplete", "unknown"),
    [("zh", "完整", "不完整", "未评估"), ("en", "Complete: every", "Incomplete: no record", "Not evaluated")],
)
def test_the_page_names_the_requests_that_went_around(
    house: House, lang: str, complete: str, incomplete: str, unknown: str
) -> None:
    path = f"/{lang}/belt/reconcile"
    with TestClient(build_app(house)) as client:
        assert f"{path}/keep" in client.get(path).text
        good = client.post(path, files=file(line(1, tail=f' "{KNOWN}"')), data={"system": ""})
        bad = client.post(path, files=file(line(1), AROUND))
        neither = client.post(path, files=file(line(1, "GET /health")))
        nothing = client.post(path, data={"system": ""}, files={"other": ("", b"")})
        nonsense = client.post(path, files=file("<b>no log\n"))
        unsaid = client.post(f"{path}/keep", files=file(line(1)), data={"reason": ""})
        kept = client.post(f"{path}/keep", files=file(line(1), AROUND), data={"reason": "monthly check"})
        after = client.get(path).text

    assert good.status_code == 200 and complete in good.text and incomplete not in good.text
    assert incomplete in bad.text and "&lt;b&gt;around" in bad.text and "<b>around" not in bad.text
    assert unknown in neither.text and incomplete not in neither.text
    assert (nothing.status_code, nonsense.status_code, unsaid.status_code) == (422, 422, 422)
    entry = house.belt.reconciliations()[0].entry
    assert entry in kept.text and "monthly check" in after and entry in after
    assert len(house.belt.reconciliations()) == 1


def test_what_is_larger_than_a_page_takes_is_refused_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from safebelt.rooms.belt.api import reconciling as api
    from safebelt.rooms.belt.imports import usage
    from safebelt.rooms.belt.pages import reconciling as pages

    for module in (api, usage, pages):
        monkeypatch.setattr(module, "MAX_SENT_BYTES", 100)
    with TestClient(build_app(house)) as client:
        assert client.post("/api/belt/reconcile", files=file(line(1), line(2))).status_code == 422
        assert client.post("/en/belt/reconcile", files=file(line(1), line(2))).status_code == 422
        assert client.post("/api/belt/reconcile", files=file(line(1))).status_code == 200
