"""The registry in a real browser: read it, change it, in both languages, wide and narrow, with and without JavaScript."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jinja2 import DictLoader
from litestar import Litestar, Request, get
from litestar.response import ServerSentEvent, Template
from tests.browser.conftest import assert_accessible
from tests.rooms.registry.house import build_app, build_ledger, build_registry
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import (
    NamePerson,
    PartyRole,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    System,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.live import Update, live
from safebelt.web.panels import BeltState, Panel
from safebelt.web.templating import page

pytestmark = pytest.mark.browser


def now() -> datetime:
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path):
    sql = Sql(f"sqlite:///{tmp_path / 'browser.db'}")
    metadata.create_all(sql.engine)
    ledger = build_ledger(sql, tmp_path, clock=now, new_id=real_ids(), chance=real_chance)
    ids = real_ids()
    built = build_registry(sql, ledger, build_rules(sql, ledger, now, ids), now, ids, tmp_path)
    assert built.road.order  # reads the law once, outside a browser's patience
    yield built
    sql.close()


def demo(registry: Registry, en: str = "Public Service Helper") -> System:
    party = registry.register_party(RegisterParty(name="明理科技有限公司", roles=(PartyRole.PROVIDER,)), by=OWNER)
    command = RegisterSystem(
        provider_id=party.id,
        name_zh="政务问答助手",
        name_en=en,
        purpose_zh="在政务服务大厅和网站上回答办事问题。",
        purpose_en="Answers questions about public services.",
    )
    system = registry.register_system(command, by=OWNER)
    registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏"), by=OWNER)
    return system


PANELS = tuple(
    Panel(
        name=f"demo-{place}",
        title=Text(zh=f"演示 {place}", en=f"Demo {place}"),
        template="demo/x.html",
        context=lambda _i, _l: {},
        place=place,
    )
    for place in ("lead", "main", "side")
)


def app_of(registry: Registry, **more: object) -> Litestar:
    app = build_app(registry, belt=BeltState(command="run"), **more)
    app.template_engine.engine.loader.mapping["demo"] = DictLoader(
        {
            "x.html": "{% for name in ['allow', 'flag', 'mask', 'refuse', 'observe', 'enforce', 'run', 'pause', 'drain', 'cut'] %}"
            "{{ ui.tag(name) }} {% endfor %}{{ ui.button_form('/zh/', t('切断', 'Cut off'), 'warning') }}",
            "live.html": '{% extends "web/layout.html" %}{% block content %}{% import "web/components.html" as ui with context %}'
            "<h1>{{ title }}</h1>{% call ui.table('Rows', ['A'], 0, 'Rows come here.', id='rows', live='/en/rows') %}{% endcall %}"
            "{% endblock %}",
        }
    )
    return app


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_is_accessible_and_fits_a_phone(browser_page, serve, registry: Registry, lang: str) -> None:
    system, _second = demo(registry), demo(registry, en="Second")
    url = serve(app_of(registry, panels=PANELS))
    one = f"registry/systems/{system.id}"
    forms = ("registry/parties/new", "registry/systems/new", f"{one}/people/new", f"{one}/change")

    for path in ("", "registry", "registry/parties", one, *forms, "problems", "api"):
        browser_page.goto(f"{url}/{lang}/{path}")
        assert_accessible(browser_page)
        assert browser_page.locator("html").get_attribute("lang") == ("zh-Hans" if lang == "zh" else "en")
        browser_page.set_viewport_size({"width": 390, "height": 900})
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert browser_page.locator("a.sb-stop").is_visible()
        if path == one:
            assert_accessible(browser_page)
        browser_page.set_viewport_size({"width": 1280, "height": 900})


def test_axe_would_find_something_wrong(browser_page, serve, registry: Registry) -> None:
    browser_page.goto(serve(app_of(registry)) + "/zh/")
    browser_page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/mark.svg\">')"
    )

    with pytest.raises(AssertionError, match="image-alt"):
        assert_accessible(browser_page)


def test_a_visitor_registers_a_first_system_by_keyboard_and_forms(browser_page, serve, registry: Registry) -> None:
    browser_page.goto(serve(app_of(registry)) + "/zh/")
    browser_page.keyboard.press("Tab")
    assert browser_page.evaluate("document.activeElement.className") == "govuk-skip-link"

    browser_page.get_by_role("link", name="登记提供者").click()
    browser_page.get_by_label("名称").fill("明理科技有限公司")
    browser_page.get_by_label("提供者").check()
    browser_page.get_by_role("button", name="登记", exact=True).click()
    assert "明理科技有限公司" in browser_page.locator("table").inner_text()

    browser_page.get_by_role("link", name="首页").click()
    browser_page.get_by_role("link", name="登记系统").click()
    browser_page.get_by_label("中文名称").fill("政务问答助手")
    browser_page.get_by_label("中文用途").fill("回答办事问题")
    browser_page.get_by_label("提供者").select_option(label="明理科技有限公司")
    browser_page.get_by_role("button", name="登记", exact=True).click()
    browser_page.get_by_role("link", name=re.compile("指定.*负责人")).click()
    browser_page.get_by_label("姓名").fill("王敏")
    browser_page.get_by_role("button", name="指定").click()

    assert "王敏" in browser_page.locator("#people").inner_text()
    assert "指定了人员" in browser_page.locator("#acts").inner_text()
    assert "要素不全" in browser_page.locator("#outcome").inner_text()
    browser_page.get_by_role("link", name="English").click()
    assert re.search(r"/en/registry/systems/sys_\w+", browser_page.url)
    assert "Person named" in browser_page.locator("#acts").inner_text()


def test_a_wrong_form_leads_to_its_mistakes(browser_page, serve, registry: Registry) -> None:
    demo(registry)
    browser_page.goto(serve(app_of(registry)) + "/en/registry/systems/new")
    browser_page.get_by_label("Name in English").fill("Kept")
    browser_page.get_by_role("button", name="Register").click()

    assert_accessible(browser_page)
    browser_page.locator(".govuk-error-summary:focus").wait_for()  # the page's script moves it there once it has loaded
    browser_page.get_by_role("link", name="Enter: Provider.").click()
    assert browser_page.evaluate("document.activeElement.id") == "provider_id"
    assert browser_page.get_by_label("Name in English").input_value() == "Kept"
    # The answer is a 422, which the browser notes in its console; nothing else may be there.
    browser_page.wrong[:] = [line for line in browser_page.wrong if "422" not in line]


def test_everything_can_be_read_and_sent_without_javascript(browser, serve, registry: Registry) -> None:
    url = serve(app_of(registry))
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(url + "/en/registry/parties/new")
    plain.get_by_label("Name").fill("Clear Reason Ltd")
    plain.get_by_role("button", name="Register").click()

    assert "Clear Reason Ltd" in plain.locator("table").inner_text()
    assert plain.get_by_role("link", name="Registry").is_visible()
    context.close()


def test_live_rows_arrive_replace_and_pause(browser_page, serve, registry: Registry) -> None:
    state = {"n": 0}

    @get("/en/live", sync_to_thread=False)
    def live_page() -> Template:
        return page("demo/live.html", lang="en", title=Text(zh="实时", en="Live"))

    @get("/en/rows", sync_to_thread=False)
    def rows(request: Request) -> ServerSentEvent:
        def newer_than(cursor: str) -> list[Update]:
            shown = int(cursor or 0)
            return [
                Update(cursor=str(n), html=f'<tr id="row-{n % 3}"><td>row {n}</td></tr>')
                for n in range(shown + 1, state["n"] + 1)
            ]

        return live(request, newer_than, every_seconds=0.05)

    browser_page.goto(serve(app_of(registry, handlers=(live_page, rows))) + "/en/live")
    assert browser_page.get_by_text("Rows come here.").is_visible()
    state["n"] = 2
    browser_page.get_by_text("row 2").wait_for()
    assert browser_page.locator("#rows tr").all_inner_texts() == ["row 2", "row 1"]
    assert not browser_page.get_by_text("Rows come here.").is_visible()

    browser_page.get_by_role("button", name="Pause updates").click()
    state["n"] = 5
    browser_page.wait_for_timeout(400)
    assert browser_page.locator("#rows tr").all_inner_texts() == ["row 2", "row 1"]
    browser_page.get_by_role("button", name="Resume updates").click()
    browser_page.get_by_text("row 5").wait_for()
    assert browser_page.locator("#rows tr").all_inner_texts() == ["row 3", "row 5", "row 4"]
    assert_accessible(browser_page)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_system_is_led_from_idea_into_service_by_forms_and_keyboard(
    browser_page, serve, registry: Registry, lang: str
) -> None:
    system = enter(registry, DESCRIBED)
    for role, who in ((PersonRole.OVERSEER, "李华"), (PersonRole.ACCOUNTABLE, "王敏")):
        registry.name_person(system.id, NamePerson(role=role, name=who), by=OWNER)
    page_, path = browser_page, f"{serve(app_of(registry))}/{lang}/registry/systems/{system.id}/gates"
    page_.goto(f"{path}?to=in_service")
    assert_accessible(page_)
    page_.set_viewport_size({"width": 390, "height": 900})
    assert page_.evaluate("document.documentElement.scrollWidth") <= 390
    page_.set_viewport_size({"width": 1280, "height": 900})
    for kind in ("ai_literacy_record", "training_record"):
        page_.goto(f"{path}?to=in_service")
        page_.locator(f'a[href$="attest?kind={kind}"]').press("Enter")
        page_.locator("#statement").fill("存放在档案室 kept in the archive")
        assert_accessible(page_)
        page_.locator("main form button[type=submit]").press("Enter")
        page_.locator(".govuk-notification-banner--success").wait_for()
    page_.locator('a[href$="/gates/sign"]').first.click()
    page_.locator("main form button[type=submit]").click()
    page_.goto(f"{path}?to=in_service")
    page_.locator('a[href$="move?to=in_service"]').click()
    page_.locator("#reason").fill("验收完成 accepted")
    page_.locator("main form button[type=submit]").click()

    assert {"zh": "在用（暂行）", "en": "In service, provisional"}[lang] in page_.locator(".sb-title").inner_text()
    assert_accessible(page_)
    page_.locator(f"#{'training_record'} a").click()
    assert_accessible(page_)
    assert {"zh": "尚无他方确认", "en": "nobody else vouches"}[lang] in page_.locator("main").inner_text()
