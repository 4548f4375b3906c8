"""What a system owes, and the law tried on descriptions: pages and API say the same, and say what they do not know."""

from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar
from litestar.testing import TestClient
from tests.rooms.rulebook.owed_house import FIRST, OPERATOR, SECOND, build_house, example

from safebelt.app import every_table
from safebelt.engines.sql import Sql
from safebelt.rooms.rulebook.api import judging as judging_api
from safebelt.rooms.rulebook.api import systems as systems_api
from safebelt.rooms.rulebook.pages import systems, trying
from safebelt.rooms.rulebook.pages.cited import cited, place_of
from safebelt.rooms.rulebook.pages.owed_view import Chosen, When, common_grounds, placed, view

FACES = "eu.ai-act.art_5__para_1__point_e"


@pytest.fixture
def house(tmp_path, clock, new_id, chance):
    clock.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    sql = Sql(f"sqlite:///{tmp_path / 'doors.db'}")
    every_table().create_all(sql.engine)
    yield build_house(sql, tmp_path, clock, new_id, chance)
    sql.close()


@pytest.fixture
def client(house):
    with TestClient(house.app(*systems.PAGES, *trying.PAGES, *systems_api.API, *judging_api.API)) as found:
        yield found


# ---- what I owe


def test_the_page_lists_every_duty_once_with_its_source_and_is_no_legal_advice(house, client):
    said = {"zh": "不构成法律意见", "en": "It is not legal advice"}
    for name in ("eu-cv-ranking", "cn-doubao", "us-midjourney"):
        system = house.system(example(name))
        duties = house.rules.file_of(system).outlook.duties
        assert duties
        for lang in ("zh", "en"):
            body = client.get(f"/{lang}/rulebook/systems/{system}").text
            for duty in duties:
                norm = duty.finding.norm.id
                assert body.count(f'<article class="sb-owed__line" id="{norm}">') == 1
                assert f'href="/{lang}/rulebook/norms/{norm}"' in body
            assert said[lang] in body
            assert "王敏" in body


def test_the_filters_leave_out_what_is_not_asked_for_and_the_day_moves_what_has_begun(house, client):
    system = house.system(example("eu-cv-ranking"))
    page = f"/en/rulebook/systems/{system}"
    whole, mine = client.get(page).text, client.get(page, params={"bearer": "deployer"}).text
    house_rules = client.get(page, params={"instrument": "house/red-lines"}).text

    assert 0 < mine.count("sb-owed__line") < whole.count("sb-owed__line")
    assert "Run a risk management system" in whole
    assert "Run a risk management system" not in mine
    assert house_rules.count('class="sb-owed__line"') == 1
    assert 'datetime="2028-03-01"' in client.get(page, params={"on": "2028-03-01"}).text
    assert client.get(page, params={"on": "soon"}).status_code == 422


def test_without_facts_the_page_says_not_evaluated_and_not_that_nothing_is_owed(house, client):
    system = house.system()

    assert "does not mean that nothing is" in client.get(f"/en/rulebook/systems/{system}").text
    assert client.get(f"/en/rulebook/systems/{system}/calendar.ics").status_code == 404
    assert client.get("/en/rulebook/systems/sys_none").status_code == 404
    owed = client.get(f"/api/rulebook/systems/{system}/owed").json()
    assert owed["evaluated"] is False
    assert "owed" not in owed


def test_the_api_owes_what_the_page_owes_and_carries_reason_and_source(house, client):
    system = house.system(example("cn-doubao"))
    owed = client.get(f"/api/rulebook/systems/{system}/owed", params={"on": "2027-01-01"}).json()
    found = house.rules.file_of(system, on=date(2027, 1, 1))

    assert {one["norm"] for one in owed["owed"]} == {one.finding.norm.id for one in found.outlook.duties}
    assert all(one["why"]["says"] and one["cites"] for one in owed["owed"])
    assert owed["on"] == "2027-01-01"
    assert "legal advice" in owed["notice"]["en"]


def test_the_calendar_file_holds_every_date_and_both_doors_give_it(house, client):
    system = house.system(example("cn-doubao"))
    entries = client.get(f"/api/rulebook/systems/{system}/calendar").json()["entries"]
    page = Calendar.from_ical(client.get(f"/zh/rulebook/systems/{system}/calendar.ics").content)
    api = Calendar.from_ical(client.get(f"/api/rulebook/systems/{system}/calendar.ics").content)

    assert len(entries) == len(page.walk("VEVENT")) == len(api.walk("VEVENT")) > 0
    assert {str(one.get("uid")) for one in page.walk("VEVENT")} == {str(one.get("uid")) for one in api.walk("VEVENT")}


def test_a_party_sees_its_systems_with_counts_and_those_not_evaluated(house, client):
    system, bare = house.system(example("cn-doubao")), house.system()
    party = house.rules.about(system).party
    body = client.get(f"/en/rulebook/parties/{party}").text
    listed = client.get(f"/api/rulebook/parties/{party}/owed").json()["systems"]

    assert system in body
    assert bare not in body  # of another party
    assert [(one["system"], one["evaluated"]) for one in listed] == [(system, True)]
    other = house.rules.about(bare).party
    assert "Not evaluated" in client.get(f"/en/rulebook/parties/{other}").text.replace("not evaluated", "Not evaluated")
    assert client.get("/en/rulebook/parties/pty_none").status_code == 404


def test_every_reader_without_the_right_is_turned_away(house, client):
    system = house.system(example("eu-clearview"))
    house.actor = OPERATOR
    for path in ("overrides", "overrides/prp_x/second", "overrides/prp_x/refuse"):
        assert client.post(f"/en/rulebook/systems/{system}/{path}", data={}).status_code == 403
    assert client.post(f"/api/rulebook/systems/{system}/overrides", json={}).status_code == 403
    assert "Propose an exception" not in client.get(f"/en/rulebook/systems/{system}").text


# ---- exceptions to red lines


def test_a_red_line_is_shown_and_an_exception_is_proposed_and_seconded_on_the_page(house, client):
    system = house.system(example("eu-clearview"))
    page = f"/en/rulebook/systems/{system}"
    assert "meets a red line and is barred from service" in client.get(page).text

    typed = {"norms": FACES, "until": "2026-12-20", "reason": "court order"}
    assert client.post(f"{page}/overrides", data=typed, follow_redirects=False).status_code == 303
    assert "another person with the right to it decides" in client.get(page).text
    proposal = house.access.proposals(subject=system)[0]
    refused = client.post(f"{page}/overrides/{proposal.id}/second", data={"answer": "me too"})
    assert refused.status_code == 403
    assert house.rules.overrides(system) == []

    house.actor = SECOND
    assert "Second the exception" in client.get(page).text
    assert client.post(f"{page}/overrides/{proposal.id}/second", data={"answer": ""}).status_code == 422
    done = client.post(f"{page}/overrides/{proposal.id}/second", data={"answer": "agreed"})
    assert "The exception holds" in done.text
    assert [one.norms for one in house.rules.overrides(system)] == [(FACES,)]


def test_a_wrong_exception_comes_back_with_what_was_typed_and_a_refusal_ends_it(house, client):
    system = house.system(example("eu-clearview"))
    page = f"/en/rulebook/systems/{system}"
    wrong = client.post(f"{page}/overrides", data={"norms": FACES, "until": "2030-01-01", "reason": "kept words"})
    assert wrong.status_code == 422
    assert "kept words" in wrong.text
    assert client.post(f"{page}/overrides", data={"reason": "x"}).status_code == 422

    client.post(f"{page}/overrides", data={"norms": FACES, "until": "2026-12-20", "reason": "x"})
    house.actor = SECOND
    proposal = house.access.proposals(subject=system)[0]
    assert "is refused" in client.post(f"{page}/overrides/{proposal.id}/refuse", data={"answer": "no"}).text
    assert house.rules.overrides(system) == []


def test_the_api_takes_two_people_as_well(house, client):
    system = house.system(example("eu-clearview"))
    body = {"norms": [FACES], "until": "2026-12-20", "reason": "court order"}
    proposal = client.post(f"/api/rulebook/systems/{system}/overrides", json=body).json()
    assert client.post(f"/api/rulebook/overrides/{proposal['id']}/second", json={"answer": "me"}).status_code == 403

    house.actor = SECOND
    assert client.post(f"/api/rulebook/overrides/{proposal['id']}/second", json={"answer": "yes"}).status_code == 201
    assert [one["norms"] for one in client.get(f"/api/rulebook/systems/{system}/overrides").json()] == [[FACES]]
    house.actor = FIRST


# ---- trying


def test_an_example_is_judged_and_nothing_is_remembered(house, client):
    before = len(house.ledger.entries())
    body = client.get("/en/rulebook/try", params={"example": "us-midjourney"}).text

    assert "Midjourney image generator" in body
    assert "CA SB 942" in body
    assert "Nothing is kept here" in body
    assert client.post("/en/rulebook/try", files={"descriptor": (None, example("cn-doubao"))}).status_code == 200
    assert (len(house.ledger.entries()), house.rules.described()) == (before, 0)
    assert client.get("/en/rulebook/try", params={"example": "../../secret"}).status_code == 404


def test_examples_are_found_by_words_and_a_miss_says_so(client):
    assert "us-midjourney" in client.get("/zh/rulebook/try", params={"search": "图片"}).text
    assert "No example matches" in client.get("/en/rulebook/try", params={"search": "zzzz"}).text


def test_a_bad_descriptor_comes_back_with_every_error_its_line_and_what_to_do(client):
    bad = "safebelt: system/1\nid: x\nname: {zh: 名, en: N}\nfacts:\n  system.is_ay: true\n  use.military: maybe\n"
    answer = client.post("/en/rulebook/try", files={"descriptor": (None, bad)})

    assert answer.status_code == 422
    assert "line 5" in answer.text
    assert "line 6" in answer.text
    assert "system.is_ay" in answer.text
    for wrong in ({"descriptor": (None, "")}, {"file": ("x.yaml", b"\xff\xfe\x00")}, {"file": ("x.yaml", b"a: [")}):
        assert client.post("/en/rulebook/try", files=wrong).status_code == 422


def test_a_file_is_judged_like_pasted_text_as_of_a_day_and_with_a_draft(client):
    sent = {"file": ("system.yaml", example("eu-gamer-emotions").encode()), "on": (None, "2027-07-01")}
    plain = client.post("/en/rulebook/try", files=sent).text
    drafted = client.post("/en/rulebook/try", files={**sent, "draft": (None, "eu/ai-act@demo-emotion")}).text

    assert 'datetime="2027-07-01"' in plain
    assert "Read with the draft" in drafted
    assert "Read with the draft" not in plain
    assert client.post("/en/rulebook/try", files={**sent, "draft": (None, "eu/none@x")}).status_code == 404
    assert client.post("/en/rulebook/try", files={**sent, "on": (None, "31.2.")}).status_code == 422


def test_the_api_judges_a_descriptor_or_facts_alike_and_neither_or_both_not(client):
    by_text = client.post(
        "/api/rulebook/judge", json={"descriptor": example("eu-clearview"), "instruments": ["eu/ai-act"]}
    )
    facts = {"system.is_ai": True, "market.jurisdictions": ["eu"], "use.military": "none", "use.only_for": []}
    facts["use.practices"] = ["untargeted_face_scraping"]
    by_facts = client.post("/api/rulebook/judge", json={"facts": facts, "instruments": ["eu/ai-act"]})

    assert by_text.json()["classes"]["eu/ai-act"]["strictest"] == "prohibited"
    assert by_facts.json()["classes"]["eu/ai-act"]["strictest"] == "prohibited"
    assert by_text.json()["on"] == "2026-11-22"
    for wrong in ({}, {"facts": facts, "descriptor": "x"}, {"facts": {"no.such": 1}}, {"descriptor": "a: ["}):
        assert client.post("/api/rulebook/judge", json=wrong).status_code == 422, wrong
    for wrong in ({"facts": facts, "instruments": ["eu/none"]}, {"facts": facts, "drafts": ["eu/none"]}):
        assert client.post("/api/rulebook/judge", json=wrong).status_code == 404, wrong


def test_the_api_lists_only_the_verdicts_asked_for_and_reads_drafts(client):
    asked = {"descriptor": example("eu-gamer-emotions"), "on": "2027-07-01", "verdicts": ["applies"]}
    plain = client.post("/api/rulebook/judge", json=asked).json()
    drafted = client.post("/api/rulebook/judge", json={**asked, "drafts": ["eu/ai-act@demo-emotion"]}).json()

    assert {one["verdict"] for one in plain["results"]} == {"applies"}
    assert plain["overlays"] == ["eu/ai-act@2026-1744"]
    assert drafted["overlays"] == ["eu/ai-act@2026-1744", "eu/ai-act@demo-emotion"]


# ---- how it is shown


@pytest.mark.parametrize(
    ("eid", "zh", "en"),
    [
        ("art_26__para_2", "第26条第2款", "Art. 26(2)"),
        ("art_5__para_1__point_ba", "第5条第1款(ba)", "Art. 5(1)(ba)"),
        ("annex_iii__point_4__point_a", "附件III第4点(a)", "Annex III, point 4(a)"),
        ("annex_viii__sec_a__point_1", "附件VIIIA部分第1点", "Annex VIII, Section A, point 1"),
        ("sec_22757.13__para_a", "第22757.13节(a)", "§ 22757.13(a)"),
        ("gv-1.1", "GV-1.1", "GV-1.1"),
    ],
)
def test_a_place_in_an_instrument_reads_as_readers_know_it(eid, zh, en):
    assert (place_of(eid).zh, place_of(eid).en) == (zh, en)


def test_every_provision_has_a_citation_in_words_and_a_page(house):
    text = house.rules.text()
    for one in text.provisions:
        found = cited(text, one)
        assert found.label.zh and found.label.en and found.summary
        assert found.path == f"rulebook/provisions/{one.replace('#', '/')}"
    assert cited(text, "free words").path == ""


def test_every_duty_is_in_the_group_its_day_puts_it_in(house):
    for name in ("eu-cv-ranking", "cn-doubao", "us-hirevue"):
        outlook = house.rules.file_of(house.system(example(name))).outlook
        for duty in outlook.duties:
            when, day = placed(duty.finding, outlook.on)
            ahead = None if day is None else (day - outlook.on).days
            fits = {
                When.PASSED: day is not None and ahead < 0,
                When.SOON: day is not None and 0 <= ahead <= 90,
                When.LATER: day is not None and ahead > 90,
                When.STANDING: day is None and not duty.finding.contingent,
                When.UPON: day is None and duty.finding.contingent,
            }
            assert fits[when], (duty.finding.norm.id, when, day)


def test_common_grounds_are_told_once_and_only_where_several_reasons_share_them(house):
    outlook = house.rules.file_of(house.system(example("eu-cv-ranking"))).outlook
    shown = view(outlook, Chosen())
    whys = [duty.finding.why for duty in outlook.duties]

    assert shown.grounds
    assert list(shown.grounds.values()) == list(range(1, len(shown.grounds) + 1))
    for ground in shown.grounds:
        assert sum(any(node == ground for _, node in why.walk()) for why in whys) >= 3
    assert common_grounds(whys[:1]) == {}
