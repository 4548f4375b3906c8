"""Every page of the register and of the public register, walked in both languages on the narrowest screen there is; and
by keyboard alone: Tab, Enter, Space and arrows lead everywhere, and one always sees where one is.

320 CSS pixels are a small telephone, and a 1280-pixel window at 400 %: what reflows there reflows at 200 % as well.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser.conftest import Serving, assert_accessible
from tests.browser.furnished import OFFICER, PASSWORD, STAFF, Furnished, build_house, furnish, pages_of
from tests.browser.keys import HERE, SEEN, Keys

import safebelt
from safebelt.app import House
from safebelt.run.doors import web

pytestmark = pytest.mark.browser

Site = tuple[str, Furnished, House]
NARROW = {"width": 320, "height": 720}
RAW = re.compile(
    r"(?:usr|per)_[0-9a-z]{26}|datetime\.|<[A-Z]\w+\.[A-Z_]+|\b[A-Z]\w+\(\w+='|\bNone\b|\{\{|\b[a-z]+/[a-z0-9-]+#[a-z]+_\w+"
)
"""What no reader should meet: whose ids, how Python writes a thing, a provision by its id."""

WIDEST = """[...document.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => `${each.tagName}.${each.className} ${Math.round(each.getBoundingClientRect().right)}`).slice(0, 6).join("; ")"""
TOLD = """(() => { const main = document.querySelector("main");
  return [...main.querySelectorAll(".govuk-hint")].reduce((all, hint) => all.replace(hint.innerText, ""), main.innerText); })()"""
"""What a page's main part tells; hints are left out, where a field that asks for an id gives an example of one."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole console over a furnished house, built once."""
    house = build_house(tmp_path_factory.mktemp("everywhere"))
    made = furnish(house)
    serving = Serving(web(house))
    yield serving.url, made, house
    serving.stop()
    house.close()


@pytest.fixture(scope="module")
def readers(browser: Any, site: Site) -> Iterator[dict[str, Any]]:
    """A page for each who reads: staff, an authority's officer, and anybody."""
    url, _, _ = site
    pages = {}
    for name in (STAFF, OFFICER, ""):
        context = browser.new_context(viewport=NARROW, locale="zh-CN")
        context.set_default_timeout(40000)
        pages[name] = context.new_page()
        if name:
            sign_in(pages[name], url, name)
    yield pages
    for page in pages.values():
        page.context.close()


def sign_in(page: Any, url: str, name: str) -> None:
    page.goto(f"{url}/en/access/sign-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_url(lambda found: "sign-in" not in found)


def status_of(page: Any, address: str) -> int:
    """Go to a page.  A connection that lay idle while others were read may have been given up: the server says 408."""
    for _ in range(6):  # as many connections as a browser keeps to one place
        status = int(page.goto(address).status)
        if status != 408:
            break
    return status


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_is_wider_than_the_narrowest_screen_nor_shows_what_only_programs_read(site, readers, lang: str) -> None:
    url, made, _ = site
    wide, raw, other = [], [], []
    for at, (who, path) in enumerate(pages_of(made)):
        page = readers[who]
        status = status_of(page, f"{url}/{lang}/{path}")
        other += [f"{status} {path}"] if status not in (200, 410) else []
        width = page.evaluate("document.documentElement.scrollWidth")
        wide += [f"{path} is {width} px wide: {page.evaluate(WIDEST)}"] if width > NARROW["width"] else []
        raw += [f"{found} on {path}" for found in RAW.findall(page.evaluate(TOLD))]
        footer = page.locator("footer").inner_text()
        raw += [] if f"Safebelt {safebelt.__version__} ·" in footer else [f"footer of {path}"]
        if at % 2 == (lang == "zh"):  # each page once: half of them in Chinese, half in English
            assert_accessible(page)

    assert not other, other
    assert not wide, wide
    assert not raw, raw


def test_something_too_wide_or_raw_would_be_seen(site, readers) -> None:
    url, _, _ = site
    page = readers[""]
    page.goto(f"{url}/en/register")

    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<p>usr_' + 'a'.repeat(26) + ' ' + 'm'.repeat(900) + '</p>')"
    )

    assert page.evaluate("document.documentElement.scrollWidth") > NARROW["width"]
    assert RAW.search(page.evaluate(TOLD))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_visitor_is_led_to_open_doors_only(site, readers, lang: str) -> None:
    url, made, _ = site
    page = readers[""]
    for path in ("register", f"register/{made.system}", f"register/{made.gone}", "register/statistics"):
        page.goto(f"{url}/{lang}/{path}")
        links = page.eval_on_selector_all("a[href^='/']", "all => all.map(a => a.getAttribute('href'))")
        account = f"/{lang}/access/account"  # where one signs in: it leads on to the form
        shut = {
            href
            for href in {*links} - {account}
            if page.request.get(url + href, max_redirects=0).status not in (200, 410)
        }

        assert f"/{lang}/register" in links
        assert not shut, f"{path}: {shut}"
        assert not [
            href for href in links if href.startswith((f"/{lang}/registry", f"/{lang}/belt", f"/{lang}/ledger"))
        ]


# ---- by keyboard


@pytest.fixture
def keys(browser_page: Any, site: Site) -> Keys:
    url, _, _ = site
    keys = Keys(browser_page)
    browser_page.goto(f"{url}/en/access/sign-in?next=/en/registry")
    keys.into("#name", STAFF)
    keys.into("#password", PASSWORD)
    keys.press("Enter")
    browser_page.wait_for_url(lambda found: "sign-in" not in found)
    return keys


def test_a_reader_finds_chooses_many_and_saves_the_question(keys: Keys, site) -> None:
    url, _, house = site
    page = keys.page
    page.goto(f"{url}/en/registry")
    keys.press("Tab")
    assert page.evaluate(SEEN)["text"] == "Skip to main content"
    keys.press("Enter", "Tab")
    assert page.evaluate(f"document.querySelector('main').contains({HERE})")

    keys.into("#search", "demand")
    keys.press("Enter")
    page.wait_for_url("**search=demand**")
    keys.to("summary:has(+ div #name)")
    keys.press("Enter")
    keys.into("#name", "Forecasts")
    keys.press("Enter")
    page.wait_for_url("**done=view**")
    assert page.get_by_role("link", name="Forecasts").count() == 1

    keys.to("#choose-all")
    keys.press("Space")
    assert page.locator("input[name=system]:checked").count() == page.locator("input[name=system]").count() > 1
    assert page.get_by_text("chosen", exact=False).first.is_visible()
    keys.to("[name=system]")
    keys.press("Space")
    assert page.evaluate("document.querySelector('#choose-all').indeterminate")
    chosen = page.locator("input[name=system]:checked").count()
    keys.to("summary:has(+ div #kind)", back=True)
    keys.press("Enter")
    keys.to("#kind")
    page.keyboard.type("Add a tag")
    keys.into("#value", "by keyboard")
    keys.press("Enter")
    page.wait_for_url("**/bulk/preview")
    keys.to("button.govuk-button--warning")
    assert str(chosen) in page.evaluate(SEEN)["text"]
    keys.press("Enter")
    page.wait_for_url("**/bulk/blk_*")
    assert house.registry.bulk(page.url.rpartition("/")[2]).done == chosen


def test_a_job_is_asked_for_from_the_dossier(keys: Keys, site) -> None:
    url, made, house = site
    page, system = keys.page, house.registry.job(made.asked).system_id
    page.goto(f"{url}/en/registry/systems/{system}")
    keys.enter("[href$='/registry/jobs?system=" + system + "']", "**/registry/jobs?system=*")
    keys.enter("Ask for a job", "**/registry/jobs/new?system=*")
    keys.to("input[name=kind]")
    keys.press("ArrowDown")
    assert page.locator("input[name=kind]:checked").get_attribute("value") == "fine_tuning"
    keys.into("#digests", "e" * 64)
    keys.into("#steps", "10")
    keys.into("#flop", "1e9")
    keys.to("Ask")
    keys.press("Enter")
    page.locator(".govuk-error-summary").wait_for()
    assert page.evaluate(f"{HERE}.className") == "govuk-error-summary"
    keys.to("Enter: Purpose.")
    keys.press("Enter")
    page.keyboard.type("Tuned to winter")
    keys.to("Ask")
    keys.press("Enter")
    page.wait_for_url("**/registry/jobs/job_*")

    job = house.registry.job(page.url.rpartition("/")[2].partition("?")[0])
    assert (job.kind, job.purpose, job.plan.datasets, job.plan.steps) == (
        "fine_tuning",
        "Tuned to winter",
        ("e" * 64,),
        10,
    )
    assert page.get_by_text("waits for a named person").is_visible()
    # The empty purpose came back as a 422, which the browser notes in its console; nothing else may be there.
    page.wrong[:] = [line for line in page.wrong if "422" not in line]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_focus_is_always_seen_goes_in_order_and_is_never_caught(keys: Keys, site, lang: str) -> None:
    url, made, _ = site
    for path in (f"registry/systems/{made.system}", f"registry/systems/{made.system}/gates", "registry?search=spam"):
        keys.page.goto(f"{url}/{lang}/{path}")
        passed = keys.walk()

        assert len(passed) > 20
        assert not [one for one in passed if not (one["marked"] and one["inside"] and one["size"])], path


def test_a_focus_nobody_sees_would_be_found(keys: Keys, site) -> None:
    url, _, _ = site
    keys.page.goto(f"{url}/en/registry?search=spam")
    keys.page.evaluate(
        "document.querySelector('#search').style.cssText = 'outline: none !important; box-shadow: none !important'"
    )

    keys.to("#search")

    assert not keys.page.evaluate(SEEN)["marked"]


def test_the_menu_of_a_telephone_opens_and_shuts_by_keyboard(keys: Keys, site) -> None:
    url, _, _ = site
    keys.page.set_viewport_size({"width": 390, "height": 800})
    keys.page.goto(f"{url}/en/registry")

    def told() -> Any:
        return keys.page.get_attribute("button.govuk-service-navigation__toggle", "aria-expanded")

    keys.to("button.govuk-service-navigation__toggle")
    before = told()
    keys.press("Enter")
    opened = told()
    keys.enter("Public register", "**/en/register")

    assert (before, opened) == ("false", "true")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_open_menu_of_a_telephone_leaves_a_finger_room(keys: Keys, site, lang: str) -> None:
    url, _, _ = site
    keys.page.set_viewport_size({"width": 390, "height": 800})
    keys.page.goto(f"{url}/{lang}/registry")
    keys.page.click("button.govuk-service-navigation__toggle")
    heights = keys.page.eval_on_selector_all(
        "#navigation a", "links => links.map(one => one.getBoundingClientRect().height)"
    )

    assert len(heights) > 4
    assert min(heights) >= 44
    assert_accessible(keys.page)
