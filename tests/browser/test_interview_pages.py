"""The interview in a real browser: by keyboard, in both languages, narrow, accessible, without any script."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.rulebook.owed_house import FIRST, OwedHouse, build_house

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.rulebook.pages.interviews import InterviewPages

pytestmark = pytest.mark.browser


@pytest.fixture
def house(tmp_path: Path):
    sql = Sql(f"sqlite:///{tmp_path / 'browser.db'}")
    metadata.create_all(sql.engine)
    yield build_house(sql, tmp_path, lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), real_ids(), real_chance)
    sql.close()


def test_somebody_answers_with_the_keyboard_alone_and_reads_the_result(browser_page, serve, house: OwedHouse) -> None:
    site = serve(house.app(InterviewPages))
    browser_page.goto(f"{site}/zh/rulebook/interviews")
    assert_accessible(browser_page)
    browser_page.get_by_label("系统名称").press_sequentially("简历排序")
    browser_page.get_by_label("系统名称").press("Enter")

    browser_page.get_by_label("欧盟", exact=True).press("Space")
    assert_accessible(browser_page)
    browser_page.get_by_role("button", name="下一步").press("Enter")
    assert browser_page.get_by_role("rowheader", name="提供地").is_visible()
    browser_page.get_by_role("button", name="撤销上一个答案").press("Enter")
    assert browser_page.get_by_text("还没有回答。").is_visible()

    browser_page.set_viewport_size({"width": 390, "height": 800})
    browser_page.goto(browser_page.url.replace("/zh/", "/en/"))
    browser_page.get_by_role("button", name="Continue").press("Enter")
    assert_accessible(browser_page)
    browser_page.get_by_role("link", name="Give an answer").press("Enter")
    assert browser_page.evaluate("document.activeElement.id") == "answer"
    assert browser_page.evaluate("document.documentElement.scrollWidth <= 390")

    browser_page.wrong[:] = [line for line in browser_page.wrong if "422" not in line]  # the answer we asked for

    found = house.rules.interviews(by=FIRST)[0]
    for name, value in {"system.is_ai": True, "market.jurisdictions": ["eu"], "use.military": "exclusive"}.items():
        house.rules.answer(found.id, name, value, by=FIRST)
    while (question := house.rules.asks(house.rules.interview(found.id, by=FIRST).answers)) is not None:
        house.rules.answer(found.id, question.fact.id, None, by=FIRST)
    browser_page.goto(browser_page.url)
    assert browser_page.get_by_role("heading", name="EU AI Act: out of scope").is_visible()
    assert_accessible(browser_page)
