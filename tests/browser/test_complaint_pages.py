"""A complaint in four browsers: a visitor on a telephone, the operator, the authority, and somebody without scripts."""

import json
import re
from pathlib import Path

import pytest
from tests.browser.conftest import assert_accessible
from tests.browser.keys import Keys
from tests.browser.test_supervision_pages import PASSWORD, Reader
from tests.rooms.portal.conftest import CHAT, CLEAR
from tests.rooms.rulebook.house import law

from safebelt.app import House, every_table
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.conditions import Truth
from safebelt.rooms.ledger.service import check, read_keys
from safebelt.rooms.registry.model import PartyKind, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.supervision import SetUpOffice
from safebelt.run.doors import web
from safebelt.settings import Settings

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of a screen"
WORDS = "The helper told me to stop taking my medicine. <script>document.title='x'</script>"


@pytest.fixture
def house(tmp_path):
    """The whole console, put together as in life, with tables made from what the rooms declare."""
    made = House(Settings(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path / 'house.db'}"))
    made.__dict__["sql"] = Sql(made.settings.sql_url)
    every_table().create_all(made.sql.engine)
    made.rulebook.__dict__["law"] = law()
    yield made
    made.close()


@pytest.fixture
def system(house) -> str:
    """A public system offered in the EU, an authority with a desk there, and people who may sign in."""
    registry, access = house.registry, house.access
    provider = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    authority = registry.register_party(
        RegisterParty(name="Market Surveillance Office", kind=PartyKind.AUTHORITY), by=OWNER
    )
    words = {
        "name_zh": "政务问答助手",
        "name_en": "Public Service Helper",
        "purpose_zh": "答疑",
        "purpose_en": "Answers",
    }
    made = registry.register_system(RegisterSystem(provider_id=provider.id, **words), by=OWNER)
    registry.describe(made.id, CHAT, by=OWNER)
    registry.publish(made.id, CLEAR, by=OWNER)
    roles = {"officer": Role.AUTHORITY, "operator": Role.OPERATOR, "overseer": Role.OVERSEER}
    users = {name: access.add_user(name, [role], password=PASSWORD, by=OWNER).user for name, role in roles.items()}
    officer = Actor(id=users["officer"].id, roles=frozenset({Role.AUTHORITY}), door="web")
    registry.set_up_office(SetUpOffice(party_id=authority.id, jurisdiction="eu", zone="Europe/Dublin"), by=officer)
    return str(made.id)


def fit(page) -> None:
    """Hold what every page must be: accessible, and no wider than a phone."""
    assert_accessible(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], (page.url, wide)


def test_a_visitor_complains_on_a_telephone_and_reads_the_answer_and_both_parties_have_it(
    browser, browser_page, serve, house, system
) -> None:
    url, page = serve(web(house)), browser_page
    page.set_viewport_size(PHONE)
    page.goto(f"{url}/en/register/{system}")
    page.get_by_role("link", name="Complain", exact=True).last.click()
    page.wait_for_url("**/complaints?system=**")
    fit(page)
    assert page.get_by_text("Public Service Helper").is_visible()

    page.select_option("#kind", "harm")
    page.set_input_files("#files", {"name": "program.png", "mimeType": "image/png", "buffer": b"MZ\0 no picture"})
    page.fill("#text", WORDS)
    keys = Keys(page)
    keys.to("button[type=submit]")
    keys.press("Enter")
    page.locator(".govuk-error-summary").wait_for()
    assert "not taken" in page.locator("main").inner_text() and page.input_value("#text") == WORDS
    fit(page)
    page.wrong.clear()  # the 422 we asked for
    page.set_input_files("#files", {"name": "screen.png", "mimeType": "image/png", "buffer": PNG})
    page.get_by_role("button", name="Send the complaint").click()
    page.locator("#code").wait_for()
    fit(page)
    code = page.locator("#code").inner_text().strip()
    case = re.search(r"cpl_[0-9a-z]{26}", page.locator("main").inner_text()).group()
    assert "Market Surveillance Office" in page.locator("main").inner_text()
    assert page.context.cookies() == []

    page.get_by_role("button", name="Download the proof").click()
    page.get_by_text("Your receipt is nearly ready").wait_for()
    assert_accessible(page)
    with page.expect_download() as waiting:  # the page asks again by itself
        house.ledger.advance()
    proof = Path(waiting.value.path()).read_text()
    keys_of_log = read_keys("\n".join(map(str, house.ledger.verifier_keys())))
    assert check(proof, keys_of_log)[0].holds is Truth.TRUE

    operator = Reader(browser, url, "zh", "operator")
    operator.page.goto(f"{url}/zh/registry/systems/{system}#complaints")
    operator.page.locator("#complaints li a").click()
    assert_accessible(operator.page)
    assert WORDS in operator.main() and "screen.png" in operator.main()
    with operator.page.expect_download() as sealed:
        operator.page.get_by_role("link", name="screen.png").click()
    assert Path(sealed.value.path()).read_bytes() == PNG
    operator.fill(text="我们已更正，并向您致歉。")
    operator.send("发出答复")

    page.goto(f"{url}/en/complaints/follow#{code}")  # as the telephone reads it from the receipt
    page.get_by_text("我们已更正").wait_for()
    assert "#" not in page.url and code not in page.url
    assert page.locator(".sb-tag").first.inner_text().lower() == "answered"
    fit(page)
    page.fill("#text", "Thank you.")
    page.get_by_role("button", name="Add it").click()
    page.locator(".govuk-notification-banner--success").wait_for()
    assert page.context.cookies() == []

    officer = Reader(browser, url, "en", "officer")
    officer.page.goto(f"{url}/en/registry/systems/{system}")
    assert officer.page.locator("#complaints li").count() == 1
    officer.page.locator("#complaints li a").click()
    assert "我们已更正" in officer.main() and "Thank you." in officer.main()
    officer.page.goto(f"{url}/en/portal/complaints")
    assert case in officer.main()
    assert_accessible(officer.page)
    overseer = Reader(browser, url, "en", "overseer")
    overseer.page.goto(f"{url}/en/registry/systems/{system}")
    counted = overseer.page.locator("#complaints").inner_text()
    assert "1 in all, 1 open, 0 overdue" in counted and overseer.page.locator("#complaints li").count() == 0
    for reader in (operator, officer, overseer):
        assert not reader.wrong, reader.wrong
        reader.context.close()


def test_without_scripts_one_complains_follows_and_has_all_erased_and_paper_is_entered(
    browser, serve, house, system
) -> None:
    url = serve(web(house))
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/zh/complaints")
    page.fill("#text", "它冒充真人。")
    page.get_by_role("button", name="提交投诉").click()
    code = page.locator("#code").inner_text().strip()
    assert "登记册没有说明由谁负责" in page.locator("main").inner_text()  # no system was named: said plainly
    page.goto(f"{url}/zh/complaints/follow")
    page.fill("#code", code.upper())
    page.get_by_role("button", name="查看").click()
    assert "它冒充真人。" in page.locator("main").inner_text()
    with page.expect_download() as said:
        page.get_by_role("button", name="下载内容").click()
    assert json.loads(Path(said.value.path()).read_text())["said"]["text"] == "它冒充真人。"
    page.check("#sure")
    page.get_by_role("button", name="删除", exact=True).click()
    assert "它冒充真人。" not in page.locator("main").inner_text()
    page.goto(f"{url}/zh/complaints/paper?system={system}")
    assert page.locator("svg[role=img]").count() == 1 and "政务问答助手" in page.locator("main").inner_text()
    context.close()

    officer = Reader(browser, url, "en", "officer")
    officer.page.goto(f"{url}/en/portal/complaints/enter")
    assert_accessible(officer.page)
    officer.fill(system_id=system, text="Written by hand.")
    officer.page.get_by_role("button", name="Enter it").click()
    officer.page.locator("#code").wait_for()
    assert_accessible(officer.page)
    assert not officer.wrong, officer.wrong
    officer.context.close()
