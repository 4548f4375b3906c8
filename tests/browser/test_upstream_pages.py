"""How the model's side stands, in a real browser: nobody at work, all well, one resting, and where the time goes."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_belt_pages import look
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.test_upstreams_shown import at_work

from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.belt.control.upstreams import tell
from safebelt.rooms.belt.model.upstreams import UpstreamSeen

pytestmark = pytest.mark.browser
FIRST, SECOND, OLD = "model-a.internal:8443", "model-b.internal:8443", "model-2025.internal:8443"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    yield build(sql, tmp_path)
    sql.close()


@pytest.fixture
def address(house: House, serve: Callable[[Any], str]) -> str:
    return serve(build_app(house))


def served(house: House) -> None:
    """Exchanges of two upstreams, some of them slow before the model, one that a person was waited for."""
    chance = random.Random(15)
    with house.writing() as put:
        for n in range(60):
            model = chance.lognormvariate(6, 0.5)
            before, waited = chance.uniform(0.4, 2.5), 800.0 if n == 7 else 0.0
            times = {"before_ms": before + waited, "upstream_ms": model, "added_ms": before + 0.6}
            times |= {"total_ms": before + model + 0.6 + waited, "first_byte_ms": model / 3}
            waits = {"waited_ms": waited, "waited_before_ms": waited} if waited else {}
            upstream, name = ((FIRST, "qwen3-32b-instruct"), (SECOND, "qwen3-8b"))[n % 3 == 0]
            put(intent(f"rec_{n:03d}", house.system_id, model=name, is_stream=n % 2 == 0))
            put(outcome(f"rec_{n:03d}", upstream=upstream, **times, **waits))
        put(intent("rec_refused", house.system_id))
        put(outcome("rec_refused", finish="refused", status=400))
    house.belt.index()


def told(house: House) -> None:
    """What two workers say: one leaves the first upstream alone."""
    at = house.clock()
    failed = {"failed_at": at - timedelta(seconds=20), "failed_how": "silent"}
    resting = UpstreamSeen(
        upstream=FIRST, in_a_row=4, until=at + timedelta(minutes=5), failures=7, rests=2, none_left=1, **failed
    )
    others = [UpstreamSeen(upstream=SECOND, taken_over=7), UpstreamSeen(upstream=OLD, version="2025-11")]
    tell(house.box.folder, 1, [resting, *others])
    tell(house.box.folder, 2, [UpstreamSeen(upstream=FIRST, asked_again=3), *others])


@pytest.mark.parametrize(("lang", "judged_at"), [("zh", 1280), ("en", 390)])
def test_every_state_is_accessible_and_fits(
    browser_page: Any, address: str, house: House, lang: str, judged_at: int
) -> None:
    def see(state: str) -> None:
        browser_page.goto(f"{address}/{lang}/belt/upstreams")
        for width in (1280, 390):
            browser_page.set_viewport_size({"width": width, "height": 900})
            look(browser_page, f"upstreams-{state}-{lang}-{width}", has_axe=width == judged_at)

    see("none")
    served(house)
    told(house)
    with at_work(house, 1), at_work(house, 2):
        see("resting")


def test_a_reader_sees_who_rests_and_asks_for_a_longer_time_by_keyboard(
    browser_page: Any, address: str, house: House
) -> None:
    served(house)
    told(house)
    with at_work(house, 1), at_work(house, 2):
        browser_page.goto(f"{address}/en/belt/upstreams")
        cards = browser_page.locator(".sb-upstream")
        first = cards.nth(0).inner_text()
        browser_page.focus(".sb-upstream >> nth=0 >> summary")
        browser_page.keyboard.press("Enter")
        table = cards.nth(0).locator("table").inner_text()

    assert cards.count() == 3
    assert "Resting (circuit open): 1 of 2 workers" in first and "did not answer in time" in first
    assert "Asked (circuit closed)" in table and "Resting" in table
    assert "Requests refused because every upstream rested: 1" in browser_page.inner_text("main")
    assert browser_page.locator(".sb-latency").count() == 2
    browser_page.focus("text=6 hours")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url("**minutes=360*")
    assert browser_page.inner_text("main [aria-current=true]") == "6 hours"


def test_a_house_without_a_belt_at_work_says_that_nobody_knows(browser_page: Any, address: str, house: House) -> None:
    told(house)

    browser_page.goto(f"{address}/en/belt/upstreams")

    assert "nobody knows how the upstreams are" in browser_page.inner_text("main")
    assert FIRST not in browser_page.inner_text("main"), os.getpid()
