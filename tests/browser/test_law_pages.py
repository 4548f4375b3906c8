"""Reading the law in a real browser: both languages, wide and narrow, and the house question by mouse in two clicks."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.registry.house import build_ledger
from tests.rooms.rulebook.house import build_rules
from tests.rooms.rulebook.law_house import build_law_app

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata

pytestmark = pytest.mark.browser

PAGES = {
    "zh": (
        "",
        "/norms/cn.labelling.art_5__para_1",
        "/instruments/cn/labelling",
        "/coverage?held=event_logs",
        "/covenants",
    ),
    "en": (
        "/norms?search=oversight&instrument=eu/ai-act",
        "/norms/eu.ai-act.art_26__para_2",
        "/crosswalks?a=eu/ai-act&b=intl/iso-42001",
        "/provisions/eu/ai-act/art_26__para_2",
        "/completeness",
    ),
}


def now() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path, serve):
    sql = Sql(f"sqlite:///{tmp_path / 'browser.db'}")
    metadata.create_all(sql.engine)
    ids = real_ids()
    ledger = build_ledger(sql, tmp_path, clock=now, new_id=ids, chance=real_chance)
    yield serve(build_law_app(build_rules(sql, ledger, now, ids)))
    sql.close()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_of_the_law_are_accessible_and_fit_a_phone(browser_page, url: str, lang: str) -> None:
    for path in PAGES[lang]:
        answer = browser_page.goto(f"{url}/{lang}/rulebook{path}")
        assert answer.status == 200, path
        assert_accessible(browser_page)
        browser_page.set_viewport_size({"width": 390, "height": 900})
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390, path
        browser_page.set_viewport_size({"width": 1280, "height": 900})


def test_what_is_demanded_of_a_deployer_of_a_high_risk_system_is_two_clicks_away(browser_page, url: str) -> None:
    browser_page.goto(f"{url}/en/rulebook")
    browser_page.get_by_role("link", name="EU AI Act").first.click()
    browser_page.get_by_role("link", name="deployer, high-risk").click()

    assert browser_page.get_by_role("heading", level=1).inner_text() == "EU AI Act · high-risk · deployer"
    assert browser_page.get_by_role("heading", name="From 2027-12-02").is_visible()
    assert browser_page.get_by_role("link", name="Oversight by competent people").is_visible()
