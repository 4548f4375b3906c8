"""Whoever was struck appeals by a complaint, without signing in, and the appeal stands before who reviews it."""

from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.test_strikes import house, key, refuse  # noqa: F401  fixtures of the belt's house
from tests.rooms.portal.house import build_app, build_portal
from tests.rooms.portal.test_complaint_doors import BASE, code_of

from safebelt.kernel.actors import OWNER
from safebelt.rooms.belt.model import Decision

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TEXT = "These were tests of our own filter, announced a week before."


@pytest.fixture
def struck(house: Any, clock: StillClock, key: str) -> str:  # noqa: F811
    refuse(house, clock, key)
    return str(house.belt.strikes().items[0].id)


@pytest.fixture
def visitor(house: Any, clock: StillClock, tmp_path: Path) -> Any:  # noqa: F811
    portal = build_portal(house.registry, house.ledger, clock, tmp_path / "cert", lambda: house.belt)
    with TestClient(build_app(portal), base_url=BASE) as client:
        yield client


def send(visitor: TestClient, strike: str, *, system: str = "", text: str = TEXT) -> Any:
    data = {"text": text, "kind": "other", "system_id": system, "contact": "", "website": "", "strike": strike}
    return visitor.post("/en/complaints", data=data, files=[("nothing", ("", b""))])


@pytest.mark.parametrize(("lang", "says"), [("zh", "由人重新决定"), ("en", "a person decides anew")])
def test_the_form_says_that_it_is_an_appeal(visitor: TestClient, struck: str, lang: str, says: str) -> None:
    page = visitor.get(f"/{lang}/complaints?system=sys_x&strike={struck}").text

    assert says in page and f'name="strike" value="{struck}"' in page
    assert says not in visitor.get(f"/{lang}/complaints").text


def test_an_appeal_gets_a_receipt_and_reaches_the_reviewer(visitor: TestClient, house: Any, struck: str) -> None:  # noqa: F811
    house.belt.review_strike(struck, Decision.UPHELD, "all three", by=OWNER)
    house.clock.move(minutes=1)

    sent = send(visitor, struck, system=house.system_id)  # the system is not public

    assert sent.status_code == 200 and code_of(sent.text)
    found = house.belt.strike(struck)
    assert found.is_waiting and found.appeal.startswith("cpl_") and found.appeal in sent.text
    (told,) = house.entries("strike_appealed")
    assert (told["strike"], told["case"]) == (struck, found.appeal)
    again = send(visitor, struck, text="once more, please")
    assert again.status_code == 422 and "waits already" in again.text
    assert struck in again.text, "the form comes back as an appeal"


def test_what_is_no_strike_is_refused_and_nothing_is_filed(visitor: TestClient, house: Any, struck: str) -> None:  # noqa: F811
    before = len(house.ledger.entries(limit=1000))
    answer = send(visitor, "stk_invented")

    assert answer.status_code == 422 and "stk_invented" in answer.text
    assert len(house.ledger.entries(limit=1000)) == before


def test_a_program_appeals_too(visitor: TestClient, house: Any, struck: str) -> None:  # noqa: F811
    answer = visitor.post("/api/public/complaints", json={"text": TEXT, "strike": struck})

    assert answer.status_code == 201, answer.text
    assert house.belt.strike(struck).appeal == answer.json()["id"]


def test_a_complaint_without_a_strike_appeals_against_nothing(visitor: TestClient, house: Any, struck: str) -> None:  # noqa: F811
    assert send(visitor, "").status_code == 200
    assert house.belt.strike(struck).appeal == ""
