"""Drafts and amendments: what they change and for whom, told alike by pages, API and command line; two people adopt."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from litestar.testing import TestClient
from tests.rooms.rulebook.house import ROOT
from tests.rooms.rulebook.owed_house import FIRST, OPERATOR, SECOND, build_house, example

from safebelt.app import every_table
from safebelt.engines.sql import Sql
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.rooms.rulebook.api import drafts as drafts_api
from safebelt.rooms.rulebook.cli import impact as impact_cli
from safebelt.rooms.rulebook.exports.impact import impact_csv, impact_data
from safebelt.rooms.rulebook.pages import drafts
from safebelt.rooms.rulebook.service.weighing import Whom

DEMO = (ROOT / "law" / "drafts" / "eu-emotion-recognition.yaml").read_text("utf-8")
DRAFT = DEMO.replace("@demo-emotion", "@mine")
OMNIBUS = "eu/ai-act@2026-1744"


@pytest.fixture
def house(tmp_path, clock, new_id, chance):
    clock.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    sql = Sql(f"sqlite:///{tmp_path / 'drafts.db'}")
    every_table().create_all(sql.engine)
    yield build_house(sql, tmp_path, clock, new_id, chance)
    sql.close()


@pytest.fixture
def client(house):
    with TestClient(house.app(*drafts.PAGES, *drafts_api.API)) as found:
        yield found


# ---- the amendment of 2026 and the drafts that come with the law


def test_the_amendment_is_shown_with_every_entry_it_changes_and_whom_it_touches(house, client):
    found = house.rules.impact(house.rules.overlay(OMNIBUS), Whom.EXAMPLES)
    for lang in ("zh", "en"):
        body = client.get(f"/{lang}/rulebook/impact/{OMNIBUS}").text
        for change in found.reform.changes:
            assert body.count(f'<code class="sb-quiet">{change.id}</code>') >= 1
        assert f"<strong>{found.total.affected}</strong>" in body
        assert 'class="sb-impact-bars"' in body
        assert {"zh": "不构成法律意见", "en": "It is not legal advice"}[lang] in body


def test_the_list_is_paged_and_the_file_holds_all_of_it(house, client):
    found = house.rules.impact(house.rules.overlay(OMNIBUS), Whom.EXAMPLES)
    assert found.is_list_complete
    page = f"/en/rulebook/impact/{OMNIBUS}"
    first, last = client.get(page).text, client.get(page, params={"page": 99}).text
    rows = list(csv.DictReader(io.StringIO(client.get(page, params={"form": "csv"}).text)))

    assert "try?example=" + found.listed[0].id in first
    assert "try?example=" + found.listed[0].id not in last
    assert "try?example=" + found.listed[-1].id in last
    assert {row["system"] for row in rows} == {one.id for one in found.listed}
    assert rows == list(csv.DictReader(io.StringIO(impact_csv(found))))


def test_a_day_before_it_takes_effect_nothing_changes(client):
    body = client.get(f"/en/rulebook/impact/{OMNIBUS}", params={"on": "2026-01-01"}).text

    assert "it has not taken effect" in body
    assert "None of these systems is affected" in body


def test_what_is_not_there_is_not_found_and_wrong_choices_are_named(client):
    assert client.get("/en/rulebook/impact/eu/ai-act@none").status_code == 404
    assert client.get(f"/en/rulebook/impact/{OMNIBUS}", params={"whom": "everybody"}).status_code == 422
    assert client.get(f"/en/rulebook/impact/{OMNIBUS}", params={"on": "soon"}).status_code == 422
    assert client.get("/api/rulebook/impact/eu/none").status_code == 404


def test_the_register_is_weighed_by_the_facts_on_record(house, client):
    empty = client.get("/en/rulebook/impact/eu/ai-act@demo-emotion", params={"whom": "register"}).text
    system = house.system(example("eu-gamer-emotions"))
    body = client.get("/en/rulebook/impact/eu/ai-act@demo-emotion", params={"whom": "register"}).text

    assert "No system to divide" in empty
    assert f"/en/rulebook/systems/{system}" in body


def test_every_draft_that_comes_with_the_law_says_that_it_is_a_demonstration(house):
    assert house.rules.rulebook.drafts
    for one in house.rules.rulebook.drafts:
        assert one.standing == "draft"
        assert "示范" in one.title.zh
        assert "emonstration" in one.title.en


# ---- a draft of one's own


def test_a_draft_is_checked_and_nothing_is_remembered(house, client):
    before = len(house.ledger.entries())
    body = client.post("/en/rulebook/drafts", data={"source": DRAFT, "whom": "examples"}).text

    assert "Demonstration draft: emotion recognition prohibited everywhere" in body
    assert "eu-gamer-emotions" in body
    assert "Propose that it be adopted" in body
    file = client.post("/en/rulebook/drafts/impact.csv", data={"source": DRAFT, "whom": "examples"})
    assert "eu-gamer-emotions" in file.text
    assert (len(house.ledger.entries()), house.access.proposals()) == (before, [])


def test_a_bad_draft_comes_back_with_every_error_and_its_line(client):
    bad = DRAFT.replace("basis: unsure\nchanges", "basis: surely\nchanges").replace("point_f", "point_z")
    page = client.post("/en/rulebook/drafts", data={"source": bad, "whom": "examples"})
    api = client.post("/api/rulebook/drafts/check", json={"draft": DRAFT.replace("point_f", "point_z")})

    assert page.status_code == 422
    assert "line 7" in page.text
    assert "basis" in page.text
    assert api.status_code == 422
    assert "overlay.yaml:" in api.json()["detail"]
    for wrong in ("", "a: [", "[]", "x" * 10):
        assert client.post("/en/rulebook/drafts", data={"source": wrong}).status_code == 422


def test_one_proposes_another_seconds_on_the_pages_and_only_then_it_judges(house, client):
    wrong = client.post("/en/rulebook/drafts/propose", data={"source": DRAFT, "reason": " "})
    assert wrong.status_code == 422
    made = client.post("/en/rulebook/drafts/propose", data={"source": DRAFT, "reason": "try it"})
    proposal = house.access.proposals()[0]
    assert "You proposed this" in made.text
    page = f"/en/rulebook/drafts/proposals/{proposal.id}"
    assert client.post(f"{page}/second", data={"answer": "me too"}).status_code == 403
    assert house.rules.adoptions() == []

    house.actor = SECOND
    assert "Second it" in client.get(page).text
    assert client.post(f"{page}/second", data={"answer": ""}).status_code == 422
    done = client.post(f"{page}/second", data={"answer": "agreed"})
    assert "Two people adopted the draft" in done.text
    assert "two people of this house" in done.text
    assert [one.overlay for one in house.rules.adoptions()] == ["eu/ai-act@mine"]
    assert "eu-gamer-emotions" in client.get(page).text
    assert client.post(f"{page}/second", data={"answer": "again"}).status_code == 409


def test_a_second_person_can_refuse_on_the_page(house, client):
    client.post("/en/rulebook/drafts/propose", data={"source": DRAFT, "reason": "try it"})
    proposal = house.access.proposals()[0]
    house.actor = SECOND
    done = client.post(f"/en/rulebook/drafts/proposals/{proposal.id}/refuse", data={"answer": "no"})

    assert "is refused" in done.text
    assert house.access.proposal(proposal.id).stand == "refused"
    assert house.rules.adoptions() == []


def test_who_may_only_read_sees_the_drafts_and_is_offered_no_deed(house, client):
    house.actor = OPERATOR
    assert "Propose that it be adopted" not in client.post("/en/rulebook/drafts", data={"source": DRAFT}).text
    for path in ("propose", "proposals/prp_x/second", "proposals/prp_x/refuse"):
        assert client.post(f"/en/rulebook/drafts/{path}", data={"source": DRAFT}).status_code == 403
    assert client.post("/api/rulebook/drafts", json={"draft": DRAFT, "reason": "x"}).status_code == 403
    house.actor = FIRST
    assert client.get("/en/rulebook/drafts/proposals/prp_none").status_code == 404


# ---- the API and the command line


def test_the_api_weighs_checks_proposes_and_seconds(house, client):
    weighed = client.post("/api/rulebook/impact", json={"overlay": DRAFT, "population": "examples", "listed": 2}).json()
    known = client.get(f"/api/rulebook/impact/{OMNIBUS}", params={"population": "examples"}).json()
    checked = client.post("/api/rulebook/drafts/check", json={"draft": DRAFT}).json()

    assert (weighed["total"]["affected"], len(weighed["listed"]), weighed["is_list_complete"]) == (4, 2, False)
    assert known == json.loads(json.dumps(impact_data(house.rules.impact(house.rules.overlay(OMNIBUS), Whom.EXAMPLES))))
    assert [one["id"] for one in checked["changes"]] == ["eu.ai-act.art_5__para_1__point_f"]
    proposal = client.post("/api/rulebook/drafts", json={"draft": DRAFT, "reason": "try"}).json()
    second = f"/api/rulebook/drafts/{proposal['id']}/second"
    assert client.post(second, json={"answer": "me"}).status_code == 403
    house.actor = SECOND
    assert client.post(second, json={"answer": "agreed"}).json()["overlay"] == "eu/ai-act@mine"
    listed = client.get("/api/rulebook/drafts").json()
    assert "eu/ai-act@mine" in [one["id"] for one in listed["overlays"]]
    assert [one["stand"] for one in listed["proposals"]] == ["seconded"]


def test_the_command_line_weighs_a_known_change_and_a_file_on_the_examples_or_a_folder(house, tmp_path):
    from cyclopts import App

    app = App(result_action="return_value")
    impact_cli.add(app, house.rules)
    (tmp_path / "draft.yaml").write_text(DRAFT, "utf-8")
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "one.yaml").write_text(example("eu-gamer-emotions"), "utf-8")

    known = app(["impact", OMNIBUS, "--population", "examples", "--list", "1"])
    from_file = app(["impact", str(tmp_path / "draft.yaml"), "--population", str(tmp_path / "systems")])
    register = app(["impact", "eu/ai-act@demo-emotion"])

    assert (known.data["total"]["affected"] > 10, len(known.data["listed"])) == (True, 1)
    assert from_file.data["total"]["affected"] == 1
    assert "→" in from_file.as_text("en")
    assert "受影响" in from_file.as_text("zh")
    assert register.data["total"]["systems"] == 0
    for wrong in (["impact", "eu/none@x"], ["impact", OMNIBUS, "--population", str(tmp_path / "none")]):
        with pytest.raises((NotFound, Invalid)):
            app(wrong)


def test_a_name_that_looks_like_a_formula_is_harmless_in_the_file(house):
    tricky = example("eu-gamer-emotions").replace("name: {zh:", "name: {zh: =1+1, en: '=HYPERLINK(1)'} #")
    house.system(tricky)
    found = house.rules.impact(house.rules.overlay("eu/ai-act@demo-emotion"), Whom.REGISTER)
    rows = list(csv.reader(io.StringIO(impact_csv(found))))

    assert rows[1][2] == "'=HYPERLINK(1)"


def test_a_draft_that_no_longer_fits_is_named_wherever_drafts_are_listed(house, monkeypatch):
    from safebelt.kernel.text import Text
    from safebelt.rooms.rulebook.model.deeds import Adoption
    from safebelt.rooms.rulebook.service.base import Unfit

    gone = Adoption(overlay="eu/ai-act@gone", source="", sha256="0" * 64, proposal="prp_1", at=house.rules.now())
    why = Text(zh="没有这条规则。", en="There is no norm <b>x</b>.")
    monkeypatch.setattr(house.rules, "unfit", lambda: (Unfit(adoption=gone, why=why),))
    with TestClient(house.app(*drafts.PAGES, *drafts_api.API)) as client:
        page, data = client.get("/en/rulebook/drafts").text, client.get("/api/rulebook/drafts").json()

    assert "eu/ai-act@gone" in page
    assert "There is no norm &lt;b&gt;x&lt;/b&gt;." in page
    assert data["unfit"] == [{"overlay": "eu/ai-act@gone", "why": {"zh": why.zh, "en": why.en}}]
