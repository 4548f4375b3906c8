"""An authority's case in two browsers: the authority reads English, the operator Chinese; from question to closing."""

import os
from typing import Any

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.rulebook.house import law

from safebelt.app import House, every_table
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER, Role
from safebelt.rooms.registry.model import PartyKind, RegisterParty, RegisterSystem
from safebelt.run.doors import web
from safebelt.settings import Settings

pytestmark = pytest.mark.browser
PASSWORD = "a long enough password 7"
SHOTS = os.environ.get("SAFEBELT_SCREENSHOTS", "")
"""A folder to keep screenshots in, for whoever wants to look."""


@pytest.fixture
def house(tmp_path):
    """The whole console, put together as in life, with tables made from what the rooms declare."""
    made = House(Settings(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path / 'house.db'}"))
    made.__dict__["sql"] = Sql(made.settings.sql_url)
    every_table().create_all(made.sql.engine)
    made.rulebook.__dict__["law"] = law()
    yield made
    made.close()


def look(page: Any, name: str) -> None:
    """Hold what every page must be: accessible, and no wider than a phone."""
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    page.set_viewport_size({"width": 1280, "height": 900})
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/supervision-{name}.png", full_page=True)


class Reader:
    """A person at a browser of their own, signed in."""

    def __init__(self, browser: Any, url: str, lang: str, name: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(20000)
        self.page, self.url, self.lang = self.context.new_page(), url, lang
        self.wrong: list[str] = []
        self.page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(f"{url}/{lang}/access/sign-in?next=/{lang}/registry/supervision")
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.click("form[action$='/sign-in'] button")
        self.page.wait_for_url(lambda found: "sign-in" not in found)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}/{self.lang}/registry/supervision{path}")

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"#{name}", value)

    def send(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.locator(".govuk-notification-banner--success").wait_for()

    def main(self) -> str:
        return str(self.page.locator("main").inner_text())


class Officer(Reader):
    """Somebody at the authority's desk."""

    def step(self, case: str, kind: str, *, check: str = "", **fields: str) -> None:
        self.go(f"{case}/draft/{kind}")
        if check:
            self.page.get_by_label(check, exact=True).check()
        self.fill(text=f"On the {kind}.", basis="eu/ai-act#art_12__para_1", **fields)
        self.send("Keep the draft")
        self.send("Serve")


def test_a_case_runs_from_question_to_appeal_and_closing_in_two_browsers(browser, serve, house) -> None:
    registry, access = house.registry, house.access
    provider = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    registry.register_party(RegisterParty(name="Market Surveillance Office", kind=PartyKind.AUTHORITY), by=OWNER)
    words = {
        "name_zh": "政务问答助手",
        "name_en": "Public Service Helper",
        "purpose_zh": "答疑",
        "purpose_en": "Answers",
    }
    system = registry.register_system(RegisterSystem(provider_id=provider.id, **words), by=OWNER)
    roles = {"officer": Role.AUTHORITY, "second": Role.AUTHORITY, "operator": Role.OPERATOR}
    users = {name: access.add_user(name, [role], password=PASSWORD, by=OWNER).user for name, role in roles.items()}
    url = serve(web(house))

    officer = Officer(browser, url, "en", "officer")
    assert officer.page.url.endswith("/office")  # no desk yet
    look(officer.page, "office-en")
    officer.page.select_option("#jurisdiction", "eu")
    officer.fill(instruments="eu/ai-act", zone="Europe/Dublin")
    officer.send("Set up the desk")
    look(officer.page, "desk-empty-en")
    officer.go("/office")
    officer.fill(actor_id=users["second"].id)
    officer.send("Admit")

    officer.go(f"/new?system={system.id}")
    officer.fill(about="Logs of the help desk", basis="eu/ai-act#art_12__para_99")
    officer.page.get_by_role("button", name="Prepare the case").click()
    officer.page.locator(".govuk-error-summary").wait_for()
    assert "no such basis" in officer.main()
    look(officer.page, "new-refused-en")
    officer.wrong.clear()  # the 422 we asked for
    officer.fill(basis="eu/ai-act#art_12__para_1")
    officer.send("Prepare the case")
    case = "/" + officer.page.url.partition("supervision/")[2].partition("?")[0]

    operator = Reader(browser, url, "zh", "operator")
    assert "还没有主管部门送达任何步骤" in operator.main()
    look(operator.page, "desk-empty-zh")
    operator.go(case)
    assert operator.page.locator("main").get_by_text("没有找到").count()  # private until something is served
    operator.go("/office")
    assert "403" in operator.wrong[-1] and "404" in operator.wrong[0]
    operator.wrong.clear()

    officer.step(case, "question", days="10")
    look(officer.page, "case-en")
    operator.go(case)
    assert "我们的摘要" in operator.main() and "还剩 10 天" in operator.main() and "救济途径" in operator.main()
    look(operator.page, "case-zh")
    operator.page.locator("a[href*='/reply/answer?re=']").first.click()
    look(operator.page, "answer-zh")
    operator.fill(text="日志保存六个月。")
    operator.page.set_input_files("#files", {"name": "日志.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"})
    operator.send("提交")
    assert "日志.csv" in operator.main()

    officer.step(case, "breach")
    assert "Found by Market Surveillance Office; it is not a conclusion of this house" in officer.main()
    officer.step(case, "hearing", days="5")
    operator.go(f"{case}/reply/answer")
    operator.fill(text="我们不同意。")
    operator.send("提交")
    officer.go(f"{case}/draft/decision")
    look(officer.page, "decision-en")
    officer.step(case, "decision", check="warning", appeal_days="30")

    operator.go(f"{case}/reply/appeal")
    operator.fill(text="请求撤销。")
    operator.send("提交")
    officer.go(case)
    officer.page.get_by_text("What cannot be done now, and why").click()
    assert "somebody who had no hand in the decision" in officer.main()  # and not a form to decide it oneself
    second = Officer(browser, url, "en", "second")
    second.step(case, "appeal_decision", check="decision upheld")
    second.step(case, "closing")
    assert "Closed" in second.main() or "closed" in second.main()

    operator.go(case)
    assert "已结案" in operator.main() and "维持原决定" in operator.main()
    look(operator.page, "closed-zh")
    operator.go(f"{case}?view=print")
    assert operator.page.locator("main form").count() == 0
    operator.go("")
    look(operator.page, "desk-zh")
    for reader in (officer, second, operator):
        assert not reader.wrong, reader.wrong
        reader.context.close()
