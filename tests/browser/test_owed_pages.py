"""Pages of duties, trials and drafts in a real browser: both languages, accessible, on a phone, printed, by keyboard."""

from datetime import UTC, datetime

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.rulebook.owed_house import SECOND, build_house, example

from safebelt.app import every_table
from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql
from safebelt.rooms.rulebook.pages import drafts, systems, trying

pytestmark = pytest.mark.browser

RED = """
safebelt: system/1
id: faces
name: {zh: 人脸检索, en: Face search}
facts:
  system.is_ai: true
  market.jurisdictions: [eu]
  output.used_in: [eu]
  use.military: none
  use.only_for: []
  use.purposes: []
  use.practices: [untargeted_face_scraping]
"""


def now() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def house(tmp_path):
    sql = Sql(f"sqlite:///{tmp_path / 'browser.db'}")
    every_table().create_all(sql.engine)
    yield build_house(sql, tmp_path, now, real_ids(), real_chance)
    sql.close()


def url_of(serve, house) -> str:
    return serve(house.app(*systems.PAGES, *trying.PAGES, *drafts.PAGES))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_is_accessible_fits_a_phone_and_speaks_its_language(browser_page, serve, house, lang):
    owed, red = house.system(example("us-midjourney")), house.system(RED)
    bare, party = house.system(), house.rules.about(owed).party
    url = url_of(serve, house)
    paths = (
        f"systems/{owed}",
        f"systems/{red}",
        f"systems/{bare}",
        f"parties/{party}",
        "try?example=eu-admissions-chatbot",
        "drafts",
        "impact/eu/ai-act@demo-emotion",
    )
    for path in paths:
        browser_page.goto(f"{url}/{lang}/rulebook/{path}")
        assert_accessible(browser_page)
        assert browser_page.locator("html").get_attribute("lang") == ("zh-Hans" if lang == "zh" else "en")
        browser_page.set_viewport_size({"width": 390, "height": 900})
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390, path
        browser_page.set_viewport_size({"width": 1280, "height": 900})


def test_the_print_view_shows_every_reason_and_no_form(browser_page, serve, house):
    system = house.system(example("us-midjourney"))
    url = url_of(serve, house)
    browser_page.goto(f"{url}/en/rulebook/systems/{system}")
    assert not browser_page.get_by_text("in force since").first.is_visible()
    browser_page.get_by_role("link", name="Print view").click()
    browser_page.emulate_media(media="print")

    assert browser_page.get_by_text("in force since").first.is_visible()
    assert browser_page.get_by_text("It is not legal advice").first.is_visible()
    assert not browser_page.locator("form.sb-owed__filter").is_visible()
    assert not browser_page.locator(".sb-nav").is_visible()
    browser_page.emulate_media(media="screen")
    assert_accessible(browser_page)


def test_a_reader_filters_by_keyboard_and_follows_a_reason_to_its_ground(browser_page, serve, house):
    system = house.system(example("eu-cv-ranking"))
    browser_page.goto(f"{url_of(serve, house)}/en/rulebook/systems/{system}")
    browser_page.get_by_label("Bearer", exact=True).select_option(label="deployer")
    browser_page.get_by_role("button", name="Show", exact=True).press("Enter")
    browser_page.wait_for_url("**bearer=deployer**")
    first = browser_page.locator("article.sb-owed__line").first
    first.locator("summary").press("Enter")
    first.get_by_role("link", name="see common ground").first.press("Enter")

    assert "#ground-" in browser_page.url


def test_one_proposes_an_exception_and_another_seconds_it(browser_page, serve, house):
    system = house.system(RED)
    page = f"{url_of(serve, house)}/zh/rulebook/systems/{system}"
    browser_page.goto(page)
    browser_page.get_by_text("提出红线例外（须两人）").click()
    browser_page.locator("#norms").check()
    browser_page.get_by_label("例外止于").fill("2026-12-20")
    browser_page.get_by_label("理由（写入账本）").fill("法院命令")
    browser_page.get_by_role("button", name="提出例外").click()
    assert "须由另一人同意后才生效" in browser_page.locator("main").inner_text()

    house.actor = SECOND
    browser_page.goto(page)
    browser_page.get_by_label("您的理由（写入账本）").fill("同意")
    browser_page.get_by_role("button", name="同意例外").click()
    assert "例外已生效" in browser_page.locator("main").inner_text()
    assert_accessible(browser_page)


def test_a_bad_draft_leads_to_its_mistakes(browser_page, serve, house):
    browser_page.goto(f"{url_of(serve, house)}/en/rulebook/drafts")
    browser_page.get_by_label("Draft (YAML)").fill("id: x\nchanges: []\n")
    browser_page.get_by_role("button", name="Check and try").click()

    browser_page.locator(".govuk-error-summary:focus").wait_for()  # where its mistakes are listed
    assert "line 1" in browser_page.locator(".sb-draft__findings").inner_text()
    assert_accessible(browser_page)
    # The answer is a 422, which the browser notes in its console; nothing else may be there.
    browser_page.wrong[:] = [line for line in browser_page.wrong if "422" not in line]
