"""Changes and responsibility in a real browser: previewed, made, answered for; both languages, wide and narrow."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.registry.house import build_app, build_ledger, build_registry
from tests.rooms.registry.test_changes import LARGE, SMALL, register
from tests.rooms.registry.test_responsibility import people
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry.model import PersonRole
from safebelt.rooms.registry.pages.changes import panels
from safebelt.rooms.registry.service import Registry

pytestmark = pytest.mark.browser


def now() -> datetime:
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path):
    sql = Sql(f"sqlite:///{tmp_path / 'browser.db'}")
    metadata.create_all(sql.engine)
    ids = real_ids()
    ledger = build_ledger(sql, tmp_path, clock=now, new_id=ids, chance=real_chance)
    yield build_registry(sql, ledger, build_rules(sql, ledger, now, ids), now, ids, tmp_path)
    sql.close()


def fits(page, path: str) -> None:
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_change_is_previewed_made_and_answered_for(browser_page, serve, registry: Registry) -> None:
    system = register(registry, SMALL)
    named = people(registry, system)
    url = serve(build_app(registry, panels=panels(registry)))
    here = f"{url}/zh/registry/systems/{system.id}"

    browser_page.goto(f"{here}/changes")
    browser_page.get_by_label("设想的描述文件").fill(LARGE)
    browser_page.get_by_role("button", name="预览").press("Enter")
    assert "检测工具" in browser_page.get_by_role("table", name="会重新打开的证据").inner_text()
    fits(browser_page, "preview")
    assert registry.changes(system.id) == ()

    registry.describe(system.id, LARGE, by=OWNER)
    browser_page.goto(f"{here}/changes")
    assert "2026-12-21" in browser_page.get_by_role("table", name="因变更待重做的证据").inner_text()
    fits(browser_page, "changes")
    browser_page.goto(here)
    assert "检测工具" in browser_page.locator("#changes").inner_text()
    fits(browser_page, "dossier")

    browser_page.goto(f"{here.replace('/zh/', '/en/')}/responsibility")
    fits(browser_page, "responsibility")
    browser_page.locator("#hand-from_person").select_option(named[PersonRole.ACCOUNTABLE])
    browser_page.locator("#hand-to_person").select_option(named[PersonRole.OPERATOR])
    browser_page.locator("#hand-scope").select_option("bearer:provider")
    browser_page.locator("#hand-reason").fill("runs it day by day")
    browser_page.get_by_role("button", name="Hand over").press("Enter")
    browser_page.wait_for_url("**/responsibility?done=handed")
    assert "assigned to every duty of this bearer" in browser_page.locator("main").inner_text()
    assert registry.assignments(system.id)[0].person_id == named[PersonRole.OPERATOR]

    browser_page.goto(f"{here}/changes")
    browser_page.get_by_role("button", name="恢复第 1 版").press("Enter")
    browser_page.wait_for_url("**/changes?done=back")
    assert "没有因变更而待办的事项" in browser_page.locator("main").inner_text()
    assert browser_page.wrong == []
