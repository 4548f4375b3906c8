"""Strikes in a real browser: listed, read, decided with a mistake and without."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_belt_pages import address, look  # noqa: F401  fixtures of the belt's pages
from tests.conftest import StillClock
from tests.rooms.belt.house import POLICY, House, build
from tests.rooms.belt.proxy.test_toolcalls import TOOLS
from tests.rooms.belt.test_strikes import RULE, refuse

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER, Actor, Role

pytestmark = pytest.mark.browser


@pytest.fixture
def house(tmp_path: Path, clock: StillClock) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    made = build(sql, tmp_path, clock=clock, new_id=real_ids(), chance=real_chance)
    made.belt._t.policies[POLICY.id] = replace(POLICY, strikes=RULE, tools=TOOLS)  # type: ignore[index]
    made.belt.fit(made.system_id, POLICY.id, by=OWNER)
    key = made.belt.issue_key(made.system_id, "demo app", OWNER)[0]
    refuse(made, clock, key.id, 6)
    caller = Actor(id="public", roles=frozenset({Role.PUBLIC}), door="web")
    made.belt.appeal_strike(made.belt.strikes().items[0].id, "cpl_demo", by=caller)
    yield made
    sql.close()


@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 1280)])
def test_a_strike_is_read_and_decided_by_hand(
    browser_page: Any,
    address: str,  # noqa: F811
    house: House,
    lang: str,
    width: int,
) -> None:
    strike = house.belt.strikes().items[0]
    browser_page.set_viewport_size({"width": width, "height": 900})
    browser_page.goto(f"{address}/{lang}/belt/strikes")
    look(browser_page, f"strikes-{lang}")
    browser_page.click(f"a[href$='{strike.id}']")
    browser_page.wait_for_url(f"**/{strike.id}")
    look(browser_page, f"strike-{lang}")
    browser_page.click("button[value=suspended]")
    browser_page.wait_for_selector(".govuk-error-summary")
    look(browser_page, f"strike-refused-{lang}")
    browser_page.wrong.clear()  # the browser notes that the form came back with 422, as it should
    browser_page.fill("#reason", "read all three")
    browser_page.click("button[value=suspended]")
    browser_page.wait_for_url("**done=yes")
    look(browser_page, f"strike-decided-{lang}")
    browser_page.goto(f"{address}/{lang}/transparency")
    browser_page.wait_for_selector("code:text-is('t.pay_more')")  # both of its tables are looked at
    look(browser_page, f"transparency-strikes-{lang}")

    assert house.belt.strike(strike.id).decided_reason == "read all three"
