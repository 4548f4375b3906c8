"""Jobs in a real browser: a person reads what is asked, grants it, watches it, and stops it; in both languages."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.registry.house import build_app, build_ledger, build_registry
from tests.rooms.registry.training_cases import CONFIG, DATA, OVERSEER, RUNNER, asking, forecast
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.registry.model.training import ReportJob, StartJob
from safebelt.rooms.registry.pages.training import panels
from safebelt.rooms.registry.service import Registry
from safebelt.web.panels import BeltState

pytestmark = pytest.mark.browser


def now() -> datetime:
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path):
    sql, ids = Sql(f"sqlite:///{tmp_path / 'browser.db'}"), real_ids()
    metadata.create_all(sql.engine)
    ledger = build_ledger(sql, tmp_path, clock=now, new_id=ids, chance=real_chance)
    yield build_registry(sql, ledger, build_rules(sql, ledger, now, ids), now, ids, tmp_path)
    sql.close()


def test_a_person_grants_a_job_watches_it_and_stops_it(browser_page, serve, registry: Registry) -> None:
    system = forecast(registry)
    job = registry.ask_job(asking(system.id), by=RUNNER)
    blocked = registry.ask_job(asking(forecast(registry, facts="").id), by=RUNNER)
    url = serve(build_app(registry, actor=OVERSEER, belt=BeltState(command="run"), panels=panels(registry)))

    browser_page.goto(f"{url}/en/registry/jobs/{blocked.id}")
    assert "Put the system's facts on record first." in browser_page.locator("main").inner_text()
    browser_page.goto(f"{url}/zh/registry/jobs")
    assert "有 2 项作业等待批准" in browser_page.locator("main").inner_text()
    assert_accessible(browser_page)
    browser_page.locator(f"#row-{job.id} a").first.click()
    assert_accessible(browser_page)
    browser_page.get_by_role("button", name="批准").click()
    browser_page.locator(".govuk-error-summary:focus").wait_for()  # the page's script moves it there once it has loaded
    browser_page.get_by_label("李安").check()
    browser_page.get_by_label("理由", exact=True).fill("数据已核对")
    browser_page.get_by_role("button", name="批准").click()
    assert "已获准，未开始" in browser_page.locator("main").inner_text()

    registry.start_job(job.id, StartJob(datasets=(DATA,), config=CONFIG), by=RUNNER)
    for number in range(1, 9):
        told = ReportJob(number=number, step=number * 10, metrics={"accuracy": 1 - 0.5 / number, "loss": 1 / number})
        registry.report_job(job.id, told, by=RUNNER)
    browser_page.get_by_text("第 80 步").wait_for()
    browser_page.locator("svg.sb-chart").first.wait_for()
    assert_accessible(browser_page)
    browser_page.get_by_role("link", name="English").click()
    browser_page.set_viewport_size({"width": 390, "height": 900})
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_accessible(browser_page)
    browser_page.get_by_label("Reason for the stop").fill("odd accuracy")
    browser_page.get_by_role("button", name="Stop this job").click()
    assert "odd accuracy" in browser_page.locator("#job-live").inner_text()
    for number in (9, 10):
        registry.report_job(job.id, ReportJob(number=number, step=number), by=RUNNER)

    browser_page.goto(f"{url}/en/registry/jobs?system={system.id}")
    assert "did not obey the stop" in browser_page.locator("table").inner_text()
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390
    browser_page.goto(f"{url}/zh/registry/systems/{system.id}")
    assert "未服从停止" in browser_page.locator("#jobs").inner_text()
    # The empty form came back as a 422, which the browser notes in its console; nothing else may be there.
    browser_page.wrong[:] = [line for line in browser_page.wrong if "422" not in line]
