"""Everybody may know by which rules they are screened; nobody learns from it what somebody asked."""

import html
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from pypdf import PdfReader
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import POLICY, House, build, intent, outcome

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide.openly import SMALL, coarse
from safebelt.rooms.belt.model import Command


@pytest.fixture
def house(tmp_path: Path, clock: StillClock) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    house = build(sql, tmp_path, clock=clock)
    house.belt.fit(house.system_id, by=OWNER)
    yield house
    sql.close()


def passed(house: House, count: int) -> None:
    with house.writing() as put:
        for number in range(count):
            put(intent(f"rec_{number}", house.system_id))
            put(outcome(f"rec_{number}"))
    house.belt.index()


def test_rules_are_told_with_their_basis_or_as_house_rules_and_lists_only_by_their_number(house: House) -> None:
    with TestClient(build_app(house, may=lambda _action: False)) as client:  # whoever asks may do nothing
        told = client.get("/api/public/transparency")
        pages = [client.get(f"/{lang}/transparency") for lang in ("zh", "en")]

    (policy,) = told.json()["policies"]
    rules = {rule["id"]: rule for rule in policy["rules"]}
    assert rules["personal.cn_id"]["provision"] == "cn/pipl#art_51"
    assert rules["injection.override"]["is_house_rule"] is True and rules["injection.override"]["terms"] == 1
    assert told.json()["may_change_red_lines"] and told.json()["complaints_known"] is False
    for text in (told.text, *(page.text for page in pages)):
        assert "ignore all previous" not in text and "key_test" not in text and house.system_id not in text
    assert all(page.status_code == 200 and POLICY.digest in page.text for page in pages)
    assert "compliant" not in pages[1].text


def test_a_count_about_people_is_told_in_fives_and_a_small_one_not_at_all(house: House, clock: StillClock) -> None:
    passed(house, 3)
    few = house.belt.transparency()
    assert few.policies[0].rules[0].exchanges is None
    assert few.by_action == {"mask": None}

    passed(house, 12)
    assert house.belt.transparency() is few  # counted a moment ago
    clock.move(minutes=6)
    many = house.belt.transparency()
    assert (many.policies[0].rules[0].exchanges, many.by_action) == (10, {"mask": 10})
    assert many.policies[0].rules[1].exchanges == 0

    clock.move(days=31)
    assert house.belt.transparency().by_action == {}


def test_orders_to_stop_are_acts_of_the_house_and_told_exactly(house: House) -> None:
    house.belt.order(Command.CUT, "", "drill", OWNER)

    assert house.belt.transparency().stops == {"cut": 1}


@pytest.mark.parametrize(
    ("content", "number", "zh", "en"),
    [
        ("masked", 0, "没有系统的记录保留原文", "No system's records keep originals"),
        ("digest", 0, "没有系统的记录保留原文", "No system's records keep originals"),
        ("sealed", 1, "1 个系统的记录另存原文", "The records of 1 system keep the originals too"),
    ],
)
def test_whether_originals_are_kept_sealed_is_told_on_page_in_numbers_and_on_paper(
    house: House, content: str, number: int, zh: str, en: str
) -> None:
    with house.belt._t.sql.begin() as tx:
        tx.execute(sa.update(store.harness).values(content=content))
    with TestClient(build_app(house, may=lambda _action: False)) as client:
        told = client.get("/api/public/transparency").json()
        pages = {lang: client.get(f"/{lang}/transparency").text for lang in ("zh", "en")}
        paper = client.get("/en/transparency/report.pdf").content

    said = "".join("".join(each.extract_text() for each in PdfReader(io.BytesIO(paper)).pages).split())
    assert told["originals_sealed"] == number and house.system_id not in said
    assert zh in pages["zh"] and en in html.unescape(pages["en"])
    assert "".join(en.split()).replace("'", "’") in said.replace("'", "’")


@given(st.integers(0, 10**9))
def test_no_count_tells_more_than_whole_fives(count: int) -> None:
    told = coarse(count)

    assert (told is None) == (0 < count < SMALL)
    assert told is None or (told % SMALL == 0 and 0 <= count - told < SMALL)


def test_the_report_as_a_file_says_what_the_page_and_the_numbers_say_in_both_languages(
    house: House, clock: StillClock
) -> None:
    house.belt.order(Command.CUT, "", "drill", OWNER)
    passed(house, 12)
    with TestClient(build_app(house, may=lambda _action: False)) as client:  # whoever asks may do nothing
        told = client.get("/api/public/transparency").json()
        page = client.get("/en/transparency")
        files = {lang: client.get(f"/{lang}/transparency/report.pdf") for lang in ("zh", "en")}
        again = client.get("/en/transparency/report.pdf")

    assert 'href="/en/transparency/report.pdf"' in page.text
    assert again.content == files["en"].content != files["zh"].content
    (policy,) = told["policies"]
    for lang, answer in files.items():
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/pdf"
        said = "".join(each.extract_text() for each in PdfReader(io.BytesIO(answer.content)).pages)
        said = "".join(said.replace("\u200b", "").split())
        assert policy["digest"] in said and "ignoreallprevious" not in said and house.system_id not in said
        for rule in policy["rules"]:
            assert rule["id"] in said and "".join(rule["title"][lang].split()) in said
            assert rule["is_house_rule"] or rule["provision"] in said
    english = "".join("".join(each.extract_text() for each in PdfReader(io.BytesIO(again.content)).pages).split())
    assert "Exchanges:masked10" in english and "Orders:cutoff1" in english and "compliant" not in english

    clock.move(minutes=6)
    passed(house, 5)
    with TestClient(build_app(house)) as client:
        assert client.get("/en/transparency/report.pdf").content != again.content
