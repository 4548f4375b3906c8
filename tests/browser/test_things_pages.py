"""One journey: identify a party, register a model, link it, propose versions, compare; attach, comment, do and undo."""

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
from safebelt.rooms.registry.service import Registry
from safebelt.web.panels import BeltState

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


def test_parts_versions_and_notes_are_kept_by_keyboard_and_are_accessible(
    registry: Registry, browser_page, serve, tmp_path: Path
) -> None:
    party = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    system = registry.register_system(
        RegisterSystem(provider_id=party.id, name_zh="政务问答助手", name_en="Helper", purpose_zh="答", purpose_en="A"),
        by=OWNER,
    )
    page, url = browser_page, serve(build_app(registry, belt=BeltState(command="run")))

    page.goto(f"{url}/zh/registry/parties/{party.id}")
    page.locator("summary", has_text="登记身份编号").focus()
    page.keyboard.press("Enter")
    page.get_by_label("编号", exact=True).fill("9144030019220382 16")
    page.keyboard.press("Enter")
    page.get_by_text("格式正确，未经核实").wait_for()
    assert_accessible(page)

    page.goto(f"{url}/en/registry/things/new?kind=model")
    assert_accessible(page)
    page.get_by_label("Name in English").fill("Shared model")
    page.get_by_label("Parameters").fill("7,000,000,000")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("heading", name="Shared model").wait_for()
    thing = registry.things().items[0]
    for label in ("1", "2"):
        page.locator("summary", has_text="Propose a version").click()
        page.get_by_label("Label").fill(label)
        page.get_by_role("button", name="Propose").click()
        page.get_by_role("alert").wait_for()
    page.get_by_role("link", name="Compare two versions").click()
    page.get_by_role("cell", name="changed").wait_for()
    assert_accessible(page)

    page.goto(f"{url}/en/registry/systems/{system.id}/parts")
    page.locator("summary", has_text="Link a part").click()
    page.get_by_label("Part", exact=True).select_option(thing.id)
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_role("rowheader", name="Shared model").wait_for()
    assert registry.thing(thing.id).dependents == 1
    assert_accessible(page)

    (tmp_path / "报告.png").write_text("<html><script>alert(1)</script>")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{url}/zh/registry/systems/{system.id}/notes")
    page.get_by_label("附上文件").set_input_files(str(tmp_path / "报告.png"))
    page.get_by_role("button", name="附上", exact=True).click()
    page.get_by_text("与所称的 image/png 不符").wait_for()
    page.get_by_label("发表评论").fill("<b>请复核</b>")
    page.get_by_role("button", name="发表").click()
    page.get_by_text("<b>请复核</b>").wait_for()
    page.locator("summary", has_text="分派任务").click()
    page.get_by_label("任务", exact=True).fill("补充检测报告")
    page.get_by_label("由谁完成").select_option("owner")
    page.get_by_role("button", name="分派", exact=True).click()
    page.get_by_role("rowheader", name="补充检测报告").wait_for()
    assert_accessible(page)
    page.goto(f"{url}/zh/registry/tasks")
    page.get_by_role("button", name="完成", exact=True).click()
    page.get_by_role("button", name="撤销").click()
    page.get_by_role("rowheader", name="补充检测报告").wait_for()
    assert_accessible(page)
    assert registry.tasks(is_open=True).total == 1
