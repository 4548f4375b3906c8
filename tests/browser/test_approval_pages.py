"""Held tool calls in real browsers: they appear by themselves, and a person answers with the keyboard."""

from typing import Any

import pytest
from tests.browser.test_belt_pages import address, house, look  # noqa: F401  fixtures of the belt's pages
from tests.rooms.belt.house import House, held_call

from safebelt.rooms.belt.control.calls import CallBox
from safebelt.rooms.belt.model import Answered, Held

pytestmark = pytest.mark.browser


def hold(house: House, tool: str) -> Held:  # noqa: F811
    made = held_call(house.new_id, house.clock, record="rec_02", system_id=house.system_id, tool=tool)
    CallBox(house.box.folder / "calls").hold(made)
    return made


@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 1280)])
def test_one_call_is_let_through_and_another_refused(
    browser_page: Any,
    address: str,  # noqa: F811
    house: House,  # noqa: F811
    lang: str,
    width: int,
) -> None:
    browser_page.set_viewport_size({"width": width, "height": 900})
    browser_page.goto(f"{address}/{lang}/belt/approvals")
    calls = {"approve": hold(house, "pay"), "refuse": hold(house, "delete_all")}
    other = browser_page.context.browser.new_page()
    other.goto(f"{address}/{lang}/belt/approvals/{calls['refuse'].id}")
    for deed, held in calls.items():
        browser_page.wait_for_selector(f"#left-{held.id}")
        look(browser_page, f"approvals-{lang}")
        browser_page.goto(f"{address}/{lang}/belt/approvals/{held.id}")
        look(browser_page, f"approval-{deed}-{lang}")
        browser_page.fill("#reason", "checked")
        browser_page.focus(f"button[formaction$={deed}]")
        browser_page.keyboard.press("Enter")
        browser_page.wait_for_url("**done=*")
        look(browser_page, f"answered-{deed}-{lang}")
        browser_page.goto(f"{address}/{lang}/belt/approvals")
    found = [house.belt.approval(held.id).answer for held in calls.values()]

    assert [each.answered for each in found if each] == [Answered.APPROVED, Answered.REFUSED]
    said = {"zh": "已拒绝", "en": "refused"}[lang]
    other.wait_for_selector(f"#left-{calls['refuse'].id}:has-text('{said}')")  # the second browser learns it by itself
    other.close()
