"""The public register in a real browser: found, read and understood by anybody, in both languages, wide, narrow and large."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.conftest import StillClock
from tests.rooms.portal.conftest import furnish
from tests.rooms.portal.house import build_app as build_public
from tests.rooms.portal.house import build_portal
from tests.rooms.registry.house import build_app, build_ledger, build_registry
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.registry.pages.publication import panels

pytestmark = pytest.mark.browser


@pytest.fixture
def house(tmp_path: Path):
    sql, clock, ids = Sql(f"sqlite:///{tmp_path / 'public.db'}"), StillClock(), real_ids()
    metadata.create_all(sql.engine)
    ledger = build_ledger(sql, tmp_path, clock=clock, new_id=ids, chance=real_chance)
    registry = build_registry(sql, ledger, build_rules(sql, ledger, clock, ids), clock, ids, tmp_path)
    systems = furnish(registry, clock)
    clock.now = datetime(2026, 11, 21, 13, tzinfo=UTC)
    yield registry, build_portal(registry, ledger, clock, tmp_path / "keys"), systems
    sql.close()


def fits(page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_visitor_finds_a_system_and_learns_what_it_is_for_who_answers_and_why(browser_page, serve, house) -> None:
    _, portal, _ = house
    page = browser_page
    page.goto(serve(build_public(portal)) + "/en/register")
    assert_accessible(page)
    page.fill("#q", "judged")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="public judged").click()

    assert page.locator("a.sb-stop").count() == 0
    assert page.get_by_text("No certificate.").is_visible()
    page.locator(".sb-public__grade details summary").first.click()
    assert page.locator(".sb-public__grade .sb-why__cites a").first.is_visible()
    assert_accessible(page)
    assert page.context.cookies() == []

    page.locator(".sb-lang a").click()
    assert page.get_by_role("heading", name="它不用于什么").is_visible()
    assert_accessible(page)
    for width in (390, 640):  # a telephone; and a laptop's window at 200 %
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page)
    page.goto(page.url.rpartition("/")[0] + "/statistics")
    assert_accessible(page)
    assert fits(page)


def test_whoever_decides_sees_to_the_letter_what_the_public_will_see(browser_page, serve, house) -> None:
    registry, _, systems = house
    system = systems["undecided internal magpie"]
    page = browser_page
    page.goto(f"{serve(build_app(registry, panels=panels(registry)))}/en/registry/systems/{system}/publication")
    assert_accessible(page)
    page.fill("#reason", "Open to all")
    page.fill("#contact", "desk@service.example")
    page.fill("#cleared", "An ordinary service")
    page.get_by_role("button", name="Preview with what is filled in").click()
    assert page.locator(".sb-public--preview").get_by_text("desk@service.example").is_visible()
    page.get_by_role("button", name="Decide", exact=True).click()

    assert page.get_by_text("The public sees it, since 2026-11-21.").is_visible()
    assert registry.public_system(system).record["contact"] == "desk@service.example"
    page.goto(page.url.replace("publication?done=decided", "").rstrip("/"))
    assert page.locator("#publication").is_visible()
