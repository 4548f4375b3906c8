"""Keys in a real browser: issued with terms, changed, rotated with a grace, and their use beside their limits."""

from typing import Any

import pytest
from tests.browser.test_belt_pages import address, house, look  # noqa: F401  fixtures of the belt's pages
from tests.rooms.belt.house import House

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 1280)])
def test_a_key_is_issued_changed_and_rotated_by_hand(
    browser_page: Any,
    address: str,  # noqa: F811
    house: House,  # noqa: F811
    lang: str,
    width: int,
) -> None:
    browser_page.set_viewport_size({"width": width, "height": 900})
    browser_page.goto(f"{address}/{lang}/belt/systems/{house.system_id}")
    browser_page.fill("#name", "help desk")
    browser_page.click("form[action$=keys] summary")
    browser_page.fill("#scopes", "chat")
    browser_page.fill("#limits", "requests/minute=two")
    look(browser_page, f"key-issue-{lang}")
    browser_page.click("form[action$=keys] > button")
    browser_page.wait_for_selector(".govuk-error-summary")
    look(browser_page, f"key-issue-refused-{lang}")
    browser_page.wrong.clear()  # the browser notes that the form came back with 422, as it should
    browser_page.fill("#limits", "requests/minute=2")
    browser_page.click("form[action$=keys] > button")
    browser_page.wait_for_selector("#secret")
    look(browser_page, f"key-issued-{lang}")
    key = house.belt.keys(house.system_id)[0]
    browser_page.goto(f"{address}/{lang}/belt/keys/{key.id}")
    look(browser_page, f"key-{lang}")
    browser_page.fill("#caller", "Support team")
    browser_page.fill("#reason", "named")
    browser_page.click("form[action$=change] > button")
    browser_page.wait_for_url("**done=key")
    look(browser_page, f"key-changed-{lang}")
    browser_page.fill("#grace_hours", "2")
    browser_page.fill("#why", "yearly")
    browser_page.click("form[action$=rotate] > button")
    browser_page.wait_for_selector("#secret")
    browser_page.goto(f"{address}/{lang}/belt/keys")
    look(browser_page, f"keys-{lang}")

    old, new = house.belt.key(key.id), house.belt.keys(house.system_id)[0]
    assert (old.replaced_by, old.terms.caller, new.terms.limits) == (new.id, "Support team", key.terms.limits)
