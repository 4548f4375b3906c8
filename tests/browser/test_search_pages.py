"""The register's list in a real browser, with the keyboard alone: find, narrow down, save, act on many."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.registry.house import build_app, build_ledger, build_registry
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry.model import RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.search import Filters, Judged, Question
from safebelt.rooms.registry.service import Registry

pytestmark = pytest.mark.browser


def now() -> datetime:
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path):
    sql = Sql(f"sqlite:///{tmp_path / 'browser.db'}")
    metadata.create_all(sql.engine)
    ledger = build_ledger(sql, tmp_path, clock=now, new_id=real_ids(), chance=real_chance)
    ids = real_ids()
    yield build_registry(sql, ledger, build_rules(sql, ledger, now, ids), now, ids, tmp_path)
    sql.close()


def fill(registry: Registry) -> None:
    party = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    for at in range(24):
        command = RegisterSystem(
            provider_id=party.id,
            name_zh=f"招聘筛选模型 {at}",
            name_en=f"Recruitment screening {at}",
            purpose_zh="为招聘专员排序应聘材料。",
            purpose_en="Ranks applications for a recruiter.",
        )
        system = registry.register_system(command, by=OWNER)
        registry.tag_system(system.id, add="试点", by=OWNER)
        with registry._sql.begin() as tx:
            registry.note_judged(tx, {system.id: Judged(classes={"eu/ai-act": "high_risk"}, red_lines=())})


def look(page, shots: Path | None, name: str) -> None:
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    if shots:
        page.screenshot(path=str(shots / f"{name}-390.png"), full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    if shots:
        page.screenshot(path=str(shots / f"{name}.png"), full_page=True)


def test_find_narrow_down_save_and_act_with_the_keyboard_alone(browser_page, serve, registry) -> None:
    shots = Path(os.environ["SAFEBELT_SHOTS"]) if "SAFEBELT_SHOTS" in os.environ else None
    page, url = browser_page, serve(build_app(registry))
    page.goto(f"{url}/zh/registry")
    look(page, shots, "empty-zh")
    fill(registry)

    page.goto(f"{url}/en/registry")
    look(page, shots, "list-en")
    page.focus("#search")
    page.keyboard.type("recrutment")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=recrutment**")
    assert "sort=best" in page.url
    assert "shown is what says “recruitment”" in page.inner_text("main")
    look(page, shots, "near-en")

    page.goto(page.url.replace("/en/", "/zh/"))
    page.focus("summary:has-text('筛选')")
    page.keyboard.press("Enter")
    page.focus("a:has-text('high risk')")
    page.keyboard.press("Enter")
    page.wait_for_url("**class=**")
    assert page.locator(".moj-filter__tag").inner_text().strip().endswith("eu/ai-act：high_risk ×")
    look(page, shots, "filtered-zh")

    page.focus("summary:has-text('已保存的视图')")
    page.keyboard.press("Enter")
    page.focus("#name")
    page.keyboard.type("在招的高风险系统")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=view**")
    assert "视图已保存" in page.inner_text("main")

    page.focus("input[name=system] >> nth=0")
    page.keyboard.press("Space")
    page.focus("input[name=system] >> nth=1")
    page.keyboard.press("Space")
    page.focus("summary:has-text('批量操作')")
    page.keyboard.press("Enter")
    page.focus("#value")
    page.keyboard.type("年度复核")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bulk/preview")
    look(page, shots, "preview-zh")
    page.focus("button:has-text('对 2 个系统执行')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bulk/blk_*")
    look(page, shots, "bulk-zh")
    assert len(registry.matching(question_of_tag("年度复核"), 10)) == 2

    page.goto(f"{url}/zh/registry?search=recruitment+zebra")
    assert "您要找的是不是" in page.inner_text("main")
    look(page, shots, "nothing-zh")


def question_of_tag(tag: str) -> Question:
    return Question(filters=Filters(tags=(tag,)))
