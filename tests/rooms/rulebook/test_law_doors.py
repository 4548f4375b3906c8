"""The doors on which the law is read: who must do what from when, with every source, as pages and as JSON."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from tests.rooms.registry.house import build_ledger
from tests.rooms.rulebook.house import build_rules
from tests.rooms.rulebook.house import law as folder
from tests.rooms.rulebook.law_house import build_law_app

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER, Actor
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import decide
from safebelt.rooms.rulebook.api import law as law_api
from safebelt.rooms.rulebook.api import reading_more as more_api
from safebelt.rooms.rulebook.model import Bearer, Part, Status
from safebelt.rooms.rulebook.model.deeds import GapKind, Opinion, ReportGap, ReviewNorm
from safebelt.rooms.rulebook.pages.reading_changes import shown
from safebelt.rooms.rulebook.service import looking

TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
OVERSIGHT = "eu.ai-act.art_26__para_2"
PARTY = "pty_01abc"


def now() -> datetime:
    return TODAY


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("law")
    sql = Sql(f"sqlite:///{folder / 'law.db'}")
    metadata.create_all(sql.engine)
    ids = real_ids()
    ledger = build_ledger(sql, folder, clock=now, new_id=ids, chance=real_chance)
    yield build_rules(sql, ledger, now, ids)
    sql.close()


@pytest.fixture(scope="module")
def client(rules):
    with TestClient(build_law_app(rules, doors=(*law_api.API, *more_api.API))) as running:
        running.headers["accept"] = "text/html"
        yield running


def law():
    return folder().rulebook


def text():
    return decide.text_on(law(), TODAY.date())


# ---- looking


def test_what_a_deployer_of_a_high_risk_system_must_do_is_found_with_the_day_it_begins() -> None:
    wanted = looking.Wanted(instrument="eu/ai-act", class_id="high_risk", bearer=Bearer.DEPLOYER)

    found = looking.norms(text(), wanted)

    assert OVERSIGHT in {one.id for one in found}
    assert {one.bearer for one in found} == {Bearer.DEPLOYER}
    assert [looking.bites(one) for one in found] == sorted(looking.bites(one) for one in found)
    assert "eu.ai-act.art_50__para_1" not in {one.id for one in found}


def test_a_class_that_is_only_what_is_left_of_others_has_no_norms_and_no_class_asked_for_narrows_nothing() -> None:
    assert looking.class_members(text(), "eu/ai-act", "minimal") == frozenset()
    assert looking.class_members(text(), "eu/ai-act", "no_such_class") == frozenset()
    assert looking.class_members(text(), "eu/ai-act", "") is None


def test_the_grid_counts_what_the_list_behind_each_number_shows() -> None:
    for instrument in text().instruments.values():
        grid = looking.grid(text(), instrument)
        for bearer, counts, _rest, total in grid.rows:
            wanted = looking.Wanted(instrument=instrument.id, bearer=bearer)
            assert len(looking.norms(text(), wanted)) == total
            for label, count in zip(grid.classes, counts, strict=True):
                of_class = looking.Wanted(instrument=instrument.id, bearer=bearer, class_id=label.id)
                assert len(looking.norms(text(), of_class)) == count


@pytest.mark.parametrize("search", ["Art. 26(2)", "article 26 (2)", "第26条第2款", "26条 监督", "oversight competent"])
def test_a_place_is_found_as_lawyers_write_it_in_either_language(search: str) -> None:
    assert OVERSIGHT in {one.id for one in looking.norms(text(), looking.Wanted(search=search))}


def test_an_article_does_not_find_its_namesakes() -> None:
    found = looking.norms(text(), looking.Wanted(search="Art. 2", instrument="eu/ai-act"))

    assert OVERSIGHT not in {one.id for one in found}


@given(
    bearer=st.sampled_from([None, *Bearer]),
    status=st.sampled_from([None, *Status]),
    search=st.sampled_from(["", "risk", "标识", "zzzz"]),
    day=st.dates(),
)
def test_every_further_wish_only_narrows(bearer, status, search: str, day) -> None:
    wide = looking.norms(text(), looking.Wanted(bearer=bearer, search=search))
    narrow = looking.norms(text(), looking.Wanted(bearer=bearer, search=search, status=status, in_force=day))

    assert {one.id for one in narrow} <= {one.id for one in wide}
    assert all(looking.can_be_in_force(one, day) for one in narrow)


def test_every_norm_begins_on_exactly_one_day_of_the_calendar() -> None:
    begun = [name for day in looking.days(text(), law()) for name in day.begin]

    assert sorted(begun) == sorted(text().norms)


def test_every_change_of_every_amendment_is_put_into_words_in_both_languages() -> None:
    book = law()
    changes = looking.changes(book)
    told = [shown(one, book, looking.overlay(book, one.overlay), text()) for one in changes]

    assert len(told) > 100
    assert all(each.before.zh and each.after.en for one in told for each in one.fields)
    moved = next(
        one for one in told if one.id == OVERSIGHT and any(each.name.en.startswith("in force") for each in one.fields)
    )
    assert "2026-08-02" in moved.fields[0].before.en
    assert "2027-12-02" in moved.fields[0].after.en


def test_the_history_of_an_entry_holds_its_own_changes_only() -> None:
    assert {one.id for one in looking.history(law(), Part.NORM, OVERSIGHT)} == {OVERSIGHT}
    assert looking.history(law(), Part.NORM, "no.such") == ()


# ---- pages


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_instrument_and_each_kind_of_page_can_be_read(client, rules, lang: str) -> None:
    pages = [
        *(f"instruments/{name}" for name in rules.text().instruments),
        f"norms/{OVERSIGHT}",
        "provisions/eu/ai-act/art_26__para_2",
        "terms/eu.ai-act.full_regime",
        "amendments/eu/ai-act@2026-1744",
        "crosswalks?a=eu/ai-act&b=intl/iso-42001",
        "coverage?held=technical_documentation&held=event_logs",
        "completeness",
        "facts",
        "gaps",
    ]
    for page in pages:
        answer = client.get(f"/{lang}/rulebook/{page}")
        assert answer.status_code == 200, page
        if page.split("/")[0] in ("instruments", "norms", "provisions"):
            assert ("不构成法律意见" if lang == "zh" else "not legal advice") in answer.text


def test_the_house_question_is_answered_in_two_clicks(client) -> None:
    home = client.get("/en/rulebook").text
    assert 'href="/en/rulebook/instruments/eu/ai-act"' in home

    grid = client.get("/en/rulebook/instruments/eu/ai-act").text
    second = "/en/rulebook/norms?instrument=eu/ai-act&amp;bearer=deployer&amp;class=high_risk"
    assert second in grid

    answer = client.get(second.replace("&amp;", "&")).text
    assert "Oversight by competent people" in answer
    assert "From 2027-12-02" in answer
    assert "EU AI Act, Art. 26(2)" in answer


def test_every_citation_on_a_norms_page_leads_to_a_page_or_place_that_is_there(client) -> None:
    page = client.get(f"/en/rulebook/norms/{OVERSIGHT}").text
    links = {urlsplit(one) for one in re.findall(r'href="(/en/rulebook/(?:instruments|provisions)/[^"]+)"', page)}

    assert len(links) > 3
    for link in links:
        answer = client.get(link.path)
        assert answer.status_code == 200, link
        assert not link.fragment or f'id="{link.fragment}"' in answer.text, link


def test_an_unverified_norm_says_so_and_what_follows(client, rules) -> None:
    shaky = next(one for one in rules.text().norms.values() if one.status is Status.UNVERIFIED)

    page = client.get(f"/en/rulebook/norms/{shaky.id}").text

    assert "unverified, informs only" in page
    assert "never blocks, revokes or counts as a breach" in page
    assert "unverified, informs only" not in client.get(f"/en/rulebook/norms/{OVERSIGHT}").text


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("norms?bearer=nobody", 422, "not one of the choices"),
        ("norms?in_force=yesterday", 422, "not a date"),
        ("norms?instrument=eu/ai-atc", 404, "Did you mean eu/ai-act"),
        ("instruments/xx/none", 404, "no instrument"),
        ("provisions/eu/ai-act/art_999", 404, "no provision"),
        ("norms/no.such", 404, "no norm"),
        ("terms/no.such", 404, "no definition"),
        ("amendments/none", 404, "no amendment"),
        ("coverage?held=goodwill", 404, "no such evidence"),
        ("crosswalks?a=xx/none", 404, "no such instrument"),
    ],
)
def test_a_wrong_address_or_filter_says_what_is_wrong(client, path: str, status: int, says: str) -> None:
    answer = client.get(f"/en/rulebook/{path}")

    assert answer.status_code == status
    assert says in answer.text.replace("&#39;", "'")


def test_a_review_is_recorded_once_it_says_what_was_checked(client, rules) -> None:
    url = f"/en/rulebook/norms/{OVERSIGHT}"
    empty = client.post(f"{url}/reviews", data={"opinion": "agrees", "note": " "})
    assert empty.status_code == 422
    assert rules.reviews(OVERSIGHT) == []

    done = client.post(
        f"{url}/reviews", data={"opinion": "disagrees", "note": "Read beside the OJ."}, follow_redirects=True
    )

    assert "Your review is recorded" in done.text
    assert "Read beside the OJ." in done.text
    assert "of an older wording" not in done.text


def test_a_form_is_shown_only_to_those_it_serves(rules) -> None:
    with TestClient(build_law_app(rules, may=lambda action: action == "rulebook.read")) as reader:
        assert "Record my review" not in reader.get(f"/en/rulebook/norms/{OVERSIGHT}").text
        assert "Adopt from today" not in reader.get("/en/rulebook/covenants").text
        assert reader.post(f"/en/rulebook/norms/{OVERSIGHT}/reviews", data={}).status_code == 403


def test_a_party_adopts_a_covenant_and_leaves_it_with_a_reason(client, rules) -> None:
    form = {"party": PARTY, "covenant": "demo-covenant"}
    assert "looks like pty_" in client.post("/en/rulebook/covenants/adopt", data={**form, "party": "Acme"}).text
    assert not rules.commitments()

    bound = client.post("/en/rulebook/covenants/adopt", data=form, follow_redirects=True)
    twice = client.post("/en/rulebook/covenants/adopt", data=form)
    silent = client.post("/en/rulebook/covenants/leave", data={**form, "reason": ""})
    left = client.post(
        "/en/rulebook/covenants/leave", data={**form, "reason": "The service ends."}, follow_redirects=True
    )

    assert "still bound" in bound.text
    assert "binds this party already" in twice.text
    assert silent.status_code == 422
    assert "still bound" not in left.text


def test_gaps_are_empty_until_something_is_reported_and_then_listed(client, rules) -> None:
    assert "does not mean that there is no gap" in client.get("/en/rulebook/gaps").text

    says = Text(zh="助手谎报了自己的来源。", en="The assistant lied about its origin.")
    rules.report_gap(ReportGap(kind=GapKind.INCIDENT, about="inc_1", says=says, jurisdictions=("eu",)), by=OWNER)

    assert "lied about its origin" in client.get("/en/rulebook/gaps").text
    assert client.get("/api/rulebook/gaps").json()[0]["about"] == "inc_1"


def test_what_evidence_reaches_never_says_a_duty_is_met(client) -> None:
    page = client.get("/en/rulebook/coverage?held=technical_documentation").text

    assert "does not say that a duty is met" in page
    assert "<svg" in page


# ---- JSON


def test_the_api_finds_pages_and_explains_norms(client) -> None:
    query = "instrument=eu/ai-act&bearer=deployer&class=high_risk&size=5"
    first = client.get(f"/api/rulebook/norms?{query}").json()
    second = client.get(f"/api/rulebook/norms?{query}&page=2").json()
    norm = client.get(f"/api/rulebook/norms/{OVERSIGHT}").json()

    assert first["total"] == second["total"] == 20
    assert not {one["id"] for one in first["items"]} & {one["id"] for one in second["items"]}
    assert first["items"][0]["from_day"] == "2027-12-02"
    assert norm["norm"]["when"]["says"]["zh"]
    assert norm["changed_by"] == ["eu/ai-act@2026-1744", "eu/ai-act@2026-1744"]
    assert norm["notice"]["en"]


def test_the_api_reads_the_law_as_it_stood(client) -> None:
    before = client.get(f"/api/rulebook/norms/{OVERSIGHT}?on=2026-07-26").json()
    after = client.get(f"/api/rulebook/norms/{OVERSIGHT}?on=2026-07-27").json()

    assert (before["norm"]["in_force"]["from"], after["norm"]["in_force"]["from"]) == ("2026-08-02", "2027-12-02")


def test_the_api_tells_an_instrument_and_a_provision_whole(client) -> None:
    instrument = client.get("/api/rulebook/instruments/eu/ai-act").json()
    provision = client.get("/api/rulebook/provisions/eu/ai-act/art_26__para_2").json()

    assert [one["id"] for one in instrument["classes"]][:2] == ["prohibited", "high_risk"]
    assert sum(len(day["begin"]) for day in instrument["calendar"]) == instrument["line"]["norms"]
    assert instrument["amendments"][0]["changes"]
    assert instrument["counts"]["missing"] == []
    assert OVERSIGHT in provision["norms"]


def test_the_api_measures_reach_and_refuses_evidence_nobody_knows(client) -> None:
    good = client.post("/api/rulebook/coverage", json={"evidence": ["event_logs"], "instruments": ["eu/ai-act"]})
    bad = client.post("/api/rulebook/coverage", json={"evidence": ["goodwill"]}, headers={"accept": "application/json"})

    assert [one["instrument"] for one in good.json()["reach"]] == ["eu/ai-act"]
    assert good.json()["notice"]["en"] == "Holding evidence does not say that a duty is met."
    assert bad.status_code == 404


def test_the_api_exports_the_law_and_the_vocabulary(client) -> None:
    catalog = client.get("/api/rulebook/export?form=oscal&instrument=eu/ai-act").json()
    plain = client.get("/api/rulebook/export?form=json&instrument=eu/ai-act").json()
    template = client.get("/api/rulebook/template?language=zh")

    assert len(catalog["catalog"]["groups"]) == 1
    assert plain["instruments"][0]["id"] == "eu/ai-act"
    assert client.get("/api/rulebook/schema").json()["properties"]["facts"]
    assert template.text.startswith(("#", "safebelt"))
    assert json.loads(client.get("/en/rulebook/facts/schema.json").text)["$id"]


def test_the_api_lists_what_relates_what_is_encoded_and_what_can_be_known(client) -> None:
    relations = client.get("/api/rulebook/crosswalks?a=eu/ai-act&b=intl/iso-42001").json()
    facts = client.get("/api/rulebook/facts?search=market.jurisdictions").json()

    assert len(relations["relations"]) > 20
    assert ["eu/ai-act", "intl/iso-42001"] in relations["written"]
    assert [one["id"] for one in facts] == ["market.jurisdictions"]
    assert {one["instrument"] for one in client.get("/api/rulebook/completeness").json()} == set(text().instruments)


def test_the_api_records_reviews_and_commitments(client, rules) -> None:
    other = "eu.ai-act.art_26__para_1"
    made = client.post(f"/api/rulebook/norms/{other}/reviews", json={"opinion": "agrees", "note": "Checked."})
    adopted = client.post("/api/rulebook/covenants/adopt", json={"party": "pty_2", "covenant": "demo-covenant"})
    wrong = client.post("/api/rulebook/covenants/adopt", json={"party": "Acme", "covenant": "demo-covenant"})
    left = client.post(
        "/api/rulebook/covenants/leave", json={"party": "pty_2", "covenant": "demo-covenant", "reason": "Over."}
    )

    assert (made.status_code, adopted.status_code, wrong.status_code, left.status_code) == (201, 201, 400, 201)
    assert client.get(f"/api/rulebook/reviews?norm={other}").json()[0]["is_of_this_wording"] is True
    rules.review(other, ReviewNorm(opinion=Opinion.DISAGREES, note="Not so."), by=Actor(id="usr_2"))
    assert len(client.get(f"/api/rulebook/norms/{other}").json()["reviews"]) == 2
    assert client.get("/api/rulebook/covenants").json()[0]["commitments"]
