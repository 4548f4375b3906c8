"""An operator marks a file in the console, saves it, finds the mark again; and others see it, but put none."""

from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import assert_accessible
from tests.browser.furnished import PASSWORD
from tests.browser.test_everywhere import sign_in
from tests.browser.test_verify_pages import house, with_an_authority
from tests.rooms.certificates.test_pki_c2pa import POINT

from safebelt.app import House
from safebelt.kernel.actors import OWNER, Role
from safebelt.rooms.labelling.service import MarkFile
from safebelt.run.doors import web

__all__ = ["house"]  # the fixture
pytestmark = pytest.mark.browser


def test_a_file_is_marked_saved_checked_and_found_again(
    browser_page: Any, serve: Any, house: House, tmp_path: Path
) -> None:
    page, system = browser_page, with_an_authority(house)
    plain, saved = tmp_path / "point.jpg", tmp_path / "saved.jpg"
    plain.write_bytes(POINT)
    house.access.add_user("wang", [Role.OPERATOR], password=PASSWORD, by=OWNER)
    url = serve(web(house))
    sign_in(page, url, "wang")

    page.goto(f"{url}/en/labelling")
    assert page.get_by_text("Nothing was marked yet.").is_visible()
    assert_accessible(page)
    page.goto(f"{url}/en/registry/systems/{system}")
    page.get_by_role("link", name="Mark a file").click()
    assert page.input_value("#system_id") == system
    assert_accessible(page)

    page.get_by_role("button", name="Mark a file").click()
    assert page.get_by_text("There is no file.").first.is_visible()
    page.wrong.clear()  # the browser's own line about that refusal
    assert_accessible(page)
    page.uncheck("#wish-owed")
    page.check("#wish-aigc")
    page.check("#wish-c2pa")
    page.set_input_files("#file", str(plain))
    page.get_by_role("button", name="Mark a file").click()
    page.locator("#result").wait_for()
    assert_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the marked file").click()
    download.value.save_as(saved)
    found = house.labelling.verify(saved)
    assert {one.value: answer.verdict.value for one, answer in found.axes.items()}["ledger"] == "ok"
    assert download.value.suggested_filename == "point.marked.jpg"

    page.goto(f"{url}/en/labelling?find={found.facts['sha256']}")
    assert page.locator("tbody tr").count() == 1
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"{url}/zh/labelling")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)
    page.goto(f"{url}/zh/labelling/mark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{url}/en/registry/systems/{system}")
    assert page.get_by_text("This house marked 1 file of its contents").is_visible()


def test_marks_are_listed_page_by_page_the_latest_first(house: House, tmp_path: Path) -> None:
    plain = tmp_path / "a.json"
    for number in range(5):
        plain.write_text(f'{{"n": {number}}}')
        house.labelling.mark(plain, tmp_path / "b.json", MarkFile(), by=OWNER)

    first = house.labelling.marks(size=2)
    second = house.labelling.marks(size=2, before=first.before)
    third = house.labelling.marks(size=2, before=second.before)
    ids = [one.id for page in (first, second, third) for one in page.items]
    assert len(ids) == 5 and ids == sorted(ids, reverse=True)
    assert third.before == ""
    assert [one.id for one in house.labelling.marks(find=first.items[0].sha256.upper()).items] == [first.items[0].id]
    assert house.labelling.marks(system_id="sys_none").items == ()
