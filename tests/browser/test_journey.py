"""A visitor's first hour in a real browser, with everything behind it real: processes, ports, records, ledger."""

import os
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.browser.conftest import assert_accessible
from tests.journeys.home import PLAIN, Home, scripted_upstream

pytestmark = pytest.mark.browser
PASSWORD = "test-password-of-the-admin"
ID_CARD = "11010519491231002X"
SHOTS = os.environ.get("SAFEBELT_SCREENSHOTS", "")
"""A folder to keep screenshots in, for whoever wants to look."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """`safebelt up` before an operator's own upstream, which says what it is told."""
    with scripted_upstream() as (upstream, _seen):
        made = Home(tmp_path_factory.mktemp("journey") / "home", upstream=upstream)
        with made.up():
            yield made


@pytest.fixture
def system(home: Home) -> str:
    """The demonstration system, running, its policy acting."""
    found = home.json("belt", "systems", "list")[0]
    if found["stance"] != "enforce":
        home.json("belt", "systems", "enforce", found["system_id"])
        time.sleep(1)  # the belt reads changes twice a second
    return str(found["system_id"])


def sign_in(page: Any, home: Home, lang: str = "en", to: str = "") -> None:
    page.goto(f"{home.console}/{lang}/{to}")
    page.fill("#name", "admin")
    page.fill("#password", PASSWORD)
    page.click("form[action$='/sign-in'] button")
    page.wait_for_url(lambda url: "sign-in" not in url)


def chat(home: Home, text: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {home.key}"}
    body = {"messages": [{"role": "user", "content": f"SAY {text}"}]}
    return httpx2.post(f"{home.belt}/v1/chat/completions", json=body, headers=headers, timeout=120, verify=PLAIN)


def look(page: Any, name: str) -> None:
    """Hold what every page must be: accessible, and no wider than its window."""
    assert_accessible(page)
    assert widest(page) <= page.viewport_size["width"], f"{page.url} is {widest(page)} px wide"
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_a_first_visitor_signs_in_and_lands_on_the_dossier_beside_try_it(browser_page: Any, home: Home) -> None:
    browser_page.goto(f"{home.console}/")
    assert "safebelt access reset-password admin" in browser_page.inner_text("aside[aria-labelledby=help-title]")
    look(browser_page, "sign-in")
    browser_page.fill("#name", "admin")
    browser_page.fill("#password", PASSWORD)
    browser_page.click("form[action$='/sign-in'] button")

    browser_page.wait_for_url("**/zh/registry/systems/sys_*")
    assert browser_page.inner_text("h1") == "演示助手"
    look(browser_page, "dossier")
    browser_page.get_by_role("button", name="试一试").click()
    browser_page.wait_for_url("**/zh/belt/try*")


def test_a_wrong_password_is_told_and_leaves_the_visitor_outside(browser_page: Any, home: Home) -> None:
    browser_page.goto(f"{home.console}/en/belt")
    browser_page.fill("#name", "admin")
    browser_page.fill("#password", "not the password at all")
    browser_page.click("form[action$='/sign-in'] button")

    browser_page.wait_for_selector(".govuk-error-summary")
    look(browser_page, "sign-in-wrong")
    browser_page.wrong[:] = [line for line in browser_page.wrong if "401" not in line]  # the answer we asked for
    browser_page.goto(f"{home.console}/en/belt")
    assert "/access/sign-in" in browser_page.url


def test_an_own_upstream_is_observed_and_one_click_enforces(browser_page: Any, home: Home, system: str) -> None:
    home.json("belt", "systems", "observe", system)
    time.sleep(1)
    assert ID_CARD in chat(home, ID_CARD).text
    sign_in(browser_page, home, to="belt")
    look(browser_page, "console-observing")
    browser_page.locator(".sb-banner").get_by_role("button").click()

    browser_page.wait_for_load_state()
    browser_page.goto(f"{home.console}/en/belt")
    assert browser_page.locator(".sb-banner").count() == 0
    time.sleep(1)
    assert ID_CARD not in chat(home, ID_CARD).text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_prompt_with_an_id_card_number_is_masked_and_the_exchange_says_why(
    browser_page: Any, home: Home, system: str, lang: str
) -> None:
    sign_in(browser_page, home, lang, "belt/try")
    browser_page.fill("#prompt", f"{ID_CARD} SAY 已收到 {ID_CARD}。")
    browser_page.click("#try button[type=submit]")

    browser_page.wait_for_selector("#tried")
    answer = browser_page.inner_text("#answer")
    assert "已收到" in answer and "⟦" in answer and ID_CARD not in answer
    look(browser_page, f"tried-{lang}")
    browser_page.locator("#tried a[href*='/belt/exchanges/']").click()
    browser_page.wait_for_url("**/belt/exchanges/rec_*")
    why = browser_page.locator(".sb-why[open]").first.inner_text()
    assert "personal.identity" in why
    assert ID_CARD not in browser_page.content()
    look(browser_page, f"exchange-{lang}")


def test_a_row_appears_in_the_console_when_somebody_else_chats(browser_page: Any, home: Home, system: str) -> None:
    sign_in(browser_page, home, to="belt")
    record = chat(home, "hello from elsewhere").headers["x-safebelt-record"]

    row = browser_page.wait_for_selector(f"#{record}")
    browser_page.wait_for_selector(f"#{record}:has-text('complete')")
    assert row
    look(browser_page, "console-live")


def test_a_person_cuts_a_system_sees_the_proof_and_lets_it_run_again(
    browser_page: Any, home: Home, system: str
) -> None:
    sign_in(browser_page, home)
    browser_page.click("a.sb-stop")
    browser_page.select_option("#system", system)
    browser_page.fill("#reason", "harmful answers")
    look(browser_page, "stop")
    browser_page.click("button[value=cut]")
    look(browser_page, "stop-confirm")
    browser_page.click(".sb-confirm button[type=submit]")

    browser_page.wait_for_selector("text=In effect")
    browser_page.wait_for_selector("text=in effect: ent_")
    look(browser_page, "stop-proof")
    assert chat(home, "anybody there?").status_code == 503
    browser_page.goto(f"{home.console}/en/belt/try")
    browser_page.fill("#prompt", "SAY hello")
    browser_page.click("#try button[type=submit]")
    browser_page.wait_for_selector("#tried")
    assert "No answer (HTTP 503)" in browser_page.inner_text("#tried")
    look(browser_page, "try-stopped")

    resume(browser_page, home, system)
    assert chat(home, "again").status_code == 200
    assert "running" in browser_page.inner_text("a.sb-stop").lower()


def resume(page: Any, home: Home, system: str) -> None:
    page.goto(f"{home.console}/en/belt/stop?system={system}")
    page.fill("#reason", "looked into")
    page.click("button[value=run]")
    page.click(".sb-confirm button[type=submit]")
    page.wait_for_selector("text=In effect")


def test_the_other_language_is_the_same_page(browser_page: Any, home: Home, system: str) -> None:
    sign_in(browser_page, home, "zh", "ledger?search=belt")
    browser_page.get_by_role("link", name="English").click()
    assert browser_page.url == f"{home.console}/en/ledger?search=belt"
    browser_page.goto(f"{home.console}/en/registry/systems/{system}")
    browser_page.get_by_role("link", name="中文").click()
    assert browser_page.url == f"{home.console}/zh/registry/systems/{system}"


def test_with_the_keyboard_alone_one_skips_to_the_content_and_reaches_the_stop(browser_page: Any, home: Home) -> None:
    sign_in(browser_page, home)
    browser_page.goto(f"{home.console}/en/belt/try")
    browser_page.keyboard.press("Tab")
    assert focused(browser_page) == "Skip to main content"
    browser_page.keyboard.press("Enter")
    assert browser_page.evaluate("document.activeElement.id") == "main-content"

    browser_page.goto(f"{home.console}/en/belt/try")
    for _ in range(3):
        browser_page.keyboard.press("Tab")
    assert "Stop control" in focused(browser_page)
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url("**/en/belt/stop")
    look(browser_page, "stop-by-keyboard")


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.innerText")).strip()


def test_without_javascript_one_signs_in_tries_and_stops(browser: Any, home: Home, system: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(40000)
    page = context.new_page()
    sign_in(page, home, to="belt/try")
    page.fill("#prompt", f"SAY my number is {ID_CARD}")
    page.click("#try button[type=submit]")
    assert "my number is ⟦" in page.inner_text("#answer")

    page.goto(f"{home.console}/en/belt/stop?system={system}")
    page.fill("#reason", "drill without scripts")
    page.click("button[value=pause]")
    page.click(".sb-confirm button[type=submit]")
    page.wait_for_selector("text=In effect")
    assert chat(home, "anybody there?").status_code == 503
    resume(page, home, system)
    context.close()


PAGES = {
    "home": "",
    "systems": "registry",
    "parties": "registry/parties",
    "party-new": "registry/parties/new",
    "system-new": "registry/systems/new",
    "dossier": "registry/systems/{system}",
    "change": "registry/systems/{system}/change",
    "person-new": "registry/systems/{system}/people/new",
    "console": "belt",
    "try": "belt/try",
    "belt-systems": "belt/systems",
    "belt-system": "belt/systems/{system}",
    "policies": "belt/policies",
    "policy": "belt/policies/safebelt/baseline",
    "stop": "belt/stop",
    "exchange": "belt/exchanges/{record}",
    "ledger": "ledger",
    "entry": "ledger/{entry}",
    "ledger-check": "ledger/check",
    "account": "access/account",
    "users": "access/users",
    "user": "access/users/{user}",
    "why": "access/why",
    "problems": "problems",
    "problem": "problems/not-found",
    "api": "api",
}


@pytest.mark.parametrize(("lang", "judged_at"), [("zh", 1280), ("en", 390)])
def test_every_page_is_accessible_and_fits_wide_and_narrow(
    browser_page: Any, home: Home, system: str, lang: str, judged_at: int
) -> None:
    ids = {
        "system": system,
        "record": chat(home, f"mine is {ID_CARD}").headers["x-safebelt-record"],
        "entry": home.json("ledger", "list")[0]["id"],
        "user": home.json("access", "users", "list")[0]["id"],
    }
    sign_in(browser_page, home, lang)
    time.sleep(1)  # until the exchange is in the index
    for name, path in PAGES.items():
        browser_page.set_viewport_size({"width": judged_at, "height": 900})
        answer = browser_page.goto(f"{home.console}/{lang}/{path.format_map(ids)}")
        assert answer.status == 200, path
        assert_accessible(browser_page)
        for width in (1280, 1100, 390):
            browser_page.set_viewport_size({"width": width, "height": 900})
            assert widest(browser_page) <= width, f"{path} is {widest(browser_page)} px wide in a window of {width}"
            assert least_margin(browser_page) >= 15, f"{path} touches the edge of a window of {width}"
            if SHOTS:
                browser_page.screenshot(path=f"{SHOTS}/{name}-{lang}-{width}.png", full_page=True)


def widest(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def least_margin(page: Any) -> float:
    """How far the head, the menu, the content and the foot stay from the window's left edge, in pixels."""
    boxes = "[...document.querySelectorAll('.govuk-width-container')].map(box => box.getBoundingClientRect().left)"
    return min(page.evaluate(boxes))
