"""Imports and forms in a real browser: see before deciding, enter, fill a form, undo; both languages, by keyboard."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.registry.house import build_app, build_ledger, build_registry
from tests.rooms.registry.test_imports import MAPPING, TABLE
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.registry.service import Registry

pytestmark = pytest.mark.browser


def now() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path):
    sql = Sql(f"sqlite:///{tmp_path / 'browser.db'}")
    metadata.create_all(sql.engine)
    ids = real_ids()
    ledger = build_ledger(sql, tmp_path, clock=now, new_id=ids, chance=real_chance)
    yield build_registry(sql, ledger, build_rules(sql, ledger, now, ids), now, ids, tmp_path)
    sql.close()


def test_a_table_is_looked_at_entered_filed_from_and_taken_out_again(browser_page, serve, registry: Registry):
    page, home = browser_page, serve(build_app(registry))
    table = {"name": "inventory.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}

    page.goto(f"{home}/en/registry/imports")
    assert_accessible(page)
    page.set_input_files("#file", files=table)
    page.get_by_role("button", name="See what would be entered").click()
    assert "Look over the mapping" in page.content()
    assert_accessible(page)
    page.fill("#mapping", MAPPING)
    page.set_input_files("#file", files=table)
    page.get_by_role("button", name="See what would be entered").press("Enter")
    page.get_by_text("Nothing is entered yet").wait_for()
    assert_accessible(page)
    page.get_by_role("button", name="Enter these systems").press("Enter")
    page.get_by_role("heading", name="Undo this import").wait_for()
    assert_accessible(page)
    assert registry.systems().total == 2

    page.goto(page.url.replace("/en/", "/zh/"))
    page.set_viewport_size({"width": 390, "height": 800})
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    page.set_viewport_size({"width": 1280, "height": 900})
    system_id = registry.systems().items[0].id
    page.goto(f"{home}/zh/registry/systems/{system_id}/forms")
    assert_accessible(page)
    page.get_by_role("link", name="欧盟数据库登记：高风险系统（附件八 A 节）").click()
    page.fill("#answer-member_states", "荷兰、德国")
    page.get_by_role("button", name="保存填写的内容").press("Enter")
    page.get_by_text("来源：填写").wait_for()
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    page.get_by_role("button", name="记录", exact=True).click()
    page.get_by_text("已生成").wait_for()
    assert_accessible(page)

    batch = registry.import_batches().items[0].id
    page.goto(f"{home}/en/registry/imports/{batch}")
    page.fill("#reason", "Wrong file")
    page.get_by_role("button", name="Undo the import").click()
    page.get_by_text("undone").first.wait_for()
    assert registry.systems().total == 1, "the system with a filing stays: somebody touched it"
    assert page.wrong == []
