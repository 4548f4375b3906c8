"""Over-blocking in a real browser: not evaluated, measured from the page by keyboard, and shown beside the switch."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_belt_pages import look
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build
from tests.rooms.belt.test_policy_versions import written

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER

pytestmark = pytest.mark.browser
SHIPPED = Path(__file__).parents[2] / "screening" / "benign"


def rule(name: str, action: str, terms: list[str], zh: str, en: str) -> dict[str, Any]:
    return {
        "id": f"harm.{name}",
        "kind": "keywords",
        "title": {"zh": zh, "en": en},
        "sides": ["input", "output"],
        "action": action,
        "terms": terms,
    }


RULES = (
    rule(
        "weapons",
        "refuse",
        ["kill", "炸弹"],
        "武器与杀伤（过宽的词表）",
        "Weapons and killing, a list that is too wide",
    ),
    rule("substances", "mask", ["coke", "毒品"], "违禁物质", "Forbidden substances"),
    rule("sensitive", "flag", ["歧视", "steal"], "敏感话题，只标记", "Delicate topics, flagged only"),
    rule("precise", "refuse", ["a phrase nobody writes by accident"], "精确的词语", "A precise phrase"),
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    folder = tmp_path / "screening"
    folder.mkdir()
    (folder / "benign").symlink_to(SHIPPED)
    (folder / "red-lines.txt").touch()
    (folder / "house.yaml").write_bytes(written(rules=RULES))
    made = build(sql, tmp_path, screening=folder, default_policy="house/rules")
    made.belt.open_policies()
    made.belt.fit(made.system_id, by=OWNER)
    yield made
    sql.close()


@pytest.fixture
def address(house: House, serve: Callable[[Any], str]) -> str:
    return serve(build_app(house))


@pytest.mark.parametrize(("lang", "judged_at"), [("zh", 1280), ("en", 390)])
def test_every_state_is_accessible_and_fits(
    browser_page: Any, address: str, house: House, lang: str, judged_at: int
) -> None:
    def see(state: str) -> None:
        for name, path in pages.items():
            browser_page.goto(f"{address}/{lang}/{path}")
            for width in (1280, 390):
                browser_page.set_viewport_size({"width": width, "height": 900})
                look(browser_page, f"over-{name}-{state}-{lang}-{width}", has_axe=width == judged_at)

    pages = {
        "list": "belt/over-blocking",
        "one": "belt/over-blocking?policy=house/rules",
        "system": f"belt/systems/{house.system_id}",
    }
    see("none")
    house.belt.order_over_blocking("house/rules")
    pages.pop("system")
    see("waiting")
    house.belt.measure_wanted()
    pages |= {"shown": "belt/over-blocking?policy=house/rules&examples=shown"}
    pages |= {"system": f"belt/systems/{house.system_id}", "console": "belt", "policy": "belt/policies/house/rules"}
    see("measured")


def test_a_person_measures_from_the_page_by_keyboard_and_sees_it_beside_the_switch(
    browser_page: Any, address: str, house: House
) -> None:
    browser_page.goto(f"{address}/en/belt/systems/{house.system_id}")
    assert "Over-blocking: not evaluated" in browser_page.inner_text(".sb-banner")
    browser_page.focus(".sb-banner a")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_selector("text=nobody knows how much it blocks wrongly")
    browser_page.focus("main form button")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_selector("progress")

    house.belt.measure_wanted()
    browser_page.focus("main p a >> text=Refresh")
    browser_page.keyboard.press("Enter")

    browser_page.wait_for_selector(".sb-rates")
    assert browser_page.locator(".sb-rates svg[role=img]").count() == len(RULES)
    assert "kill" not in browser_page.inner_text(".sb-examples >> nth=0").lower()
    browser_page.click("text=Show what was hit")
    assert "kill" in browser_page.inner_text(".sb-examples mark >> nth=0").lower()
    browser_page.goto(f"{address}/en/belt/systems/{house.system_id}")
    assert "Of 914 benign texts this version would mask or refuse" in browser_page.inner_text(".sb-banner")


def test_a_new_version_is_not_evaluated_again(browser_page: Any, address: str, house: House) -> None:
    house.belt.order_over_blocking("house/rules")
    house.belt.measure_wanted()
    house.belt.load_policy(written(2, rules=RULES[2:]), "a narrower list", by=OWNER)

    browser_page.goto(f"{address}/en/belt/systems/{house.system_id}")

    assert "not evaluated" in browser_page.inner_text(".sb-banner")
