"""Rules of admission in a real browser: shown, tried, changed with a mistake and without, and rolled back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_belt_pages import address, house, look  # noqa: F401  fixtures of the belt's pages
from tests.rooms.belt.house import House

from safebelt.rooms.belt.permissions import Reading

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parents[2] / "admission"
RULE = (
    '@id("house.uses") @cite("house") @why_zh("只许客服") @why_en("support only")\n'
    'forbid (principal, action, resource) unless { context.purpose == "support" };\n'
)


@pytest.fixture
def rules(house: House) -> Iterator[House]:  # noqa: F811
    house.belt._reading = Reading(FOLDER)  # the belt of these pages' house is built without the folder
    yield house


@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 1280)])
def test_rules_are_tried_changed_and_rolled_back_by_hand(
    browser_page: Any,
    address: str,  # noqa: F811
    rules: House,
    lang: str,
    width: int,
) -> None:
    browser_page.set_viewport_size({"width": width, "height": 900})
    browser_page.goto(f"{address}/{lang}/belt/admission")
    look(browser_page, f"admission-{lang}")
    source = browser_page.input_value("#cedar")
    browser_page.fill("#cedar", source + RULE.replace('@cite("house") ', ""))
    browser_page.fill("#reason", "permitted uses")
    browser_page.click("form[action$=load] > button")
    browser_page.wait_for_selector(".govuk-error-summary")
    look(browser_page, f"admission-refused-{lang}")
    browser_page.wrong.clear()  # the browser notes that the form came back with 422, as it should
    browser_page.fill("#cedar", source + RULE)
    browser_page.click("form[action$=load] > button")
    browser_page.wait_for_url("**done=admission")
    browser_page.fill("#purpose", "scoring")
    browser_page.click("form[action$=try] > button")
    browser_page.wait_for_selector("[role=status] >> text=house.uses")
    look(browser_page, f"admission-tried-{lang}")
    browser_page.fill("#why", "too strict")
    browser_page.click("form[action$=roll-back] > button")
    browser_page.wait_for_url("**done=admission")
    look(browser_page, f"admission-back-{lang}")

    assert [each.brought.value for each in rules.belt.admission_versions()] == ["roll_back", "load", "file"]
