"""Interviews at their doors: deeds, pages, API and terminal, with the real law."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cyclopts import App
from litestar.testing import TestClient
from tests.rooms.rulebook.owed_house import FIRST, SECOND, OwedHouse, build_house, example

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.api.interviews import InterviewsApi
from safebelt.rooms.rulebook.cli import interviewing
from safebelt.rooms.rulebook.exports.descriptor import descriptor_yaml
from safebelt.rooms.rulebook.pages.interviews import InterviewPages


@pytest.fixture
def house(tmp_path: Path):
    sql = Sql(f"sqlite:///{tmp_path / 'interviews.db'}")
    metadata.create_all(sql.engine)
    yield build_house(sql, tmp_path, lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), real_ids(), real_chance)
    sql.close()


def told(house: OwedHouse, name: str) -> dict:
    return packs.read_description(example(name), house.rules.rulebook).values()


# --- deeds


def test_an_answer_is_checked_against_its_fact_and_kept(house: OwedHouse) -> None:
    made = house.rules.start_interview("  助手 ", by=FIRST)

    kept = house.rules.answer(made.id, "market.jurisdictions", ["eu"], by=FIRST)
    kept = house.rules.answer(made.id, "system.is_ai", None, by=FIRST)

    assert kept.answers == {"market.jurisdictions": ("eu",), "system.is_ai": None}
    with pytest.raises(Invalid, match="mars"):
        house.rules.answer(made.id, "market.jurisdictions", ["mars"], by=FIRST)
    with pytest.raises(Invalid, match="too large"):
        house.rules.answer(made.id, "scale.monthly_users", 10**400, by=FIRST)
    with pytest.raises(NotFound, match=r"market\.jurisdictions"):
        house.rules.answer(made.id, "market.jurisdiction", ["eu"], by=FIRST)
    assert house.rules.interview(made.id, by=FIRST).answers == kept.answers


def test_the_last_answer_can_be_taken_back_until_none_is_left(house: OwedHouse) -> None:
    made = house.rules.start_interview("a", by=FIRST)
    house.rules.answer(made.id, "system.is_ai", True, by=FIRST)

    assert house.rules.take_back(made.id, by=FIRST).answers == {}
    assert house.rules.take_back(made.id, by=FIRST).answers == {}


def test_an_interview_is_nobody_elses_and_leaves_nothing_when_erased(house: OwedHouse) -> None:
    made = house.rules.start_interview("a", by=FIRST)

    with pytest.raises(NotFound):
        house.rules.answer(made.id, "system.is_ai", True, by=SECOND)
    house.rules.erase_interview(made.id, by=FIRST)
    with pytest.raises(NotFound):
        house.rules.interview(made.id, by=FIRST)


def test_the_answers_read_back_as_a_descriptor_that_judges_the_same(house: OwedHouse) -> None:
    made = house.rules.start_interview("yes: a name", by=FIRST)
    for name, value in told(house, "model-grok-4").items():
        house.rules.answer(made.id, name, value, by=FIRST)
    made = house.rules.answer(made.id, "data.leaves", None, by=FIRST)

    read = house.rules.read(descriptor_yaml(house.rules.described_by(made)))

    assert read.values() == {name: one for name, one in made.answers.items() if one is not None}
    assert {known.source for known in read.facts.values()} == {"interview"}
    first, again = (house.rules.so_far(facts)[0].classes for facts in (made.answers, read.values()))
    assert {name: one.strictest for name, one in first.items()} == {name: one.strictest for name, one in again.items()}


# --- pages


def answered(client: TestClient, path: str, house: OwedHouse, known: dict) -> int:
    """Answer what the page asks until it asks nothing; return how many questions that took."""
    interview = path.rsplit("/", 1)[1]
    for count in range(60):
        found = house.rules.interview(interview, by=FIRST)
        question = house.rules.asks(found.answers, found.instruments)
        page = client.get(path)
        assert page.status_code == 200
        if question is None:
            return count
        assert f'name="fact" value="{question.fact.id}"' in page.text
        form = {"fact": question.fact.id, **as_form(known.get(question.fact.id))}
        assert client.post(path, data=form, follow_redirects=False).status_code == 303
    raise AssertionError("the interview does not end")


def as_form(value: object) -> dict:
    if value is None:
        return {"act": "unknown"}
    if value == ():
        return {"act": "none"}
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return {"act": "answer", "answer": list(value) if isinstance(value, tuple) else str(value)}


def test_a_recruiting_system_is_classified_page_by_page_in_both_languages(house: OwedHouse) -> None:
    with TestClient(house.app(InterviewPages)) as client:
        began = client.post("/en/rulebook/interviews", data={"name": "CV ranking"}, follow_redirects=False)
        path = began.headers["location"]

        count = answered(client, path, house, told(house, "eu-cv-ranking"))
        english, chinese = client.get(path).text, client.get(path.replace("/en/", "/zh/")).text

        assert count <= 12
        assert "EU AI Act: high-risk" in english
        assert "Not legal advice" in english or "not legal advice" in english
        assert "欧盟人工智能法：高风险" in chinese
        assert "goal=duties" in english
        assert 'action="/en/rulebook/interviews' in client.get(f"{path}?goal=duties").text


def test_an_empty_answer_comes_back_with_what_to_do(house: OwedHouse) -> None:
    made = house.rules.start_interview("a", by=FIRST)
    with TestClient(house.app(InterviewPages)) as client:
        path = f"/en/rulebook/interviews/{made.id}"
        for fact, typed in (("use.practices", ""), ("scale.monthly_users", "many"), ("system.is_ai", "")):
            back = client.post(path, data={"fact": fact, "act": "answer", "answer": typed})

            assert back.status_code == 422
            assert 'id="answer-error"' in back.text
        assert client.post(path, data={"fact": "no.such", "act": "none"}).status_code == 404
        assert client.post("/en/rulebook/interviews", data={"name": " "}).status_code == 422


def test_an_answer_is_changed_undone_and_the_whole_erased_after_asking(house: OwedHouse) -> None:
    made = house.rules.start_interview("a", by=FIRST)
    house.rules.answer(made.id, "market.jurisdictions", ["cn"], by=FIRST)
    with TestClient(house.app(InterviewPages)) as client:
        path = f"/zh/rulebook/interviews/{made.id}"
        changing = client.get(f"{path}?change=market.jurisdictions")
        assert 'value="cn" checked' in changing.text

        client.post(path, data={"fact": "market.jurisdictions", "act": "answer", "answer": ["eu", "cn"]})
        assert house.rules.interview(made.id, by=FIRST).answers == {"market.jurisdictions": ("eu", "cn")}
        given = client.get(f"{path}/descriptor.yaml")
        assert house.rules.read(given.text).values() == {"market.jurisdictions": ("eu", "cn")}
        client.post(f"{path}/undo")
        assert house.rules.interview(made.id, by=FIRST).answers == {}
        assert client.get(f"{path}/erase").status_code == 200
        assert "还没有" in client.post(f"{path}/erase").text
        assert client.get(path).status_code == 404


# --- API


def test_the_api_asks_answers_and_says_what_comes_of_it(house: OwedHouse) -> None:
    with TestClient(house.app(InterviewsApi)) as client:
        made = client.post("/api/rulebook/interviews", json={"name": "a", "instruments": ["eu/ai-act"]}).json()
        path = f"/api/rulebook/interviews/{made['id']}"
        state, known = client.get(path).json(), told(house, "eu-spam-filter")
        while (question := state["question"]) is not None:
            value = known.get(question["fact"])
            body = {"fact": question["fact"], "value": list(value) if isinstance(value, tuple) else value}
            state = client.post(f"{path}/answers", json=body).json()

        assert state["result"]["classes"]["eu/ai-act"]["strictest"] == "minimal"
        assert client.post(f"{path}/answers", json={"fact": "system.is_ai", "value": "perhaps"}).status_code == 422
        assert len(client.delete(f"{path}/answers/last").json()["answers"]) == len(state["answers"]) - 1
        assert client.delete(path).status_code == 204
        assert client.get("/api/rulebook/interviews").json() == []


# --- terminal


@pytest.fixture
def command(house: OwedHouse):
    app = App(name="rulebook", result_action="return_value")
    interviewing.add(app, house.rules)
    return lambda *words: app(["interview", *map(str, words)], exit_on_error=False, print_error=False)


def test_a_terminal_asks_explains_takes_back_and_saves(command, tmp_path: Path, monkeypatch, capsys) -> None:
    kept = tmp_path / "answers.yaml"
    typed = "1\nwhy\n<\nnowhere\neu\n?\nq\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    answer = command("--save", kept, "--instrument", "eu/ai-act")

    shown = capsys.readouterr().out
    assert "can still change" in shown
    assert "nowhere" in shown
    saved = packs.documents.read_document(kept.read_text("utf-8"), "answers.yaml").data
    assert saved["safebelt"] == "interview/1"
    assert answer.exit_code == 3
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert command("--save", kept, "--instrument", "eu/ai-act").data["answers"] == saved["answers"]


def test_answers_in_a_file_give_the_next_question_and_exit_3_until_it_is_decided(command, tmp_path: Path) -> None:
    some = tmp_path / "some.json"
    some.write_text(json.dumps({"safebelt": "interview/1", "answers": {"market.jurisdictions": ["eu"]}}))
    whole = tmp_path / "whole.yaml"
    whole.write_text(example("eu-spam-filter"))

    first = command("--answers", some, "--instrument", "eu/ai-act")
    last = command("--answers", whole, "--instrument", "eu/ai-act")

    assert first.exit_code == 3
    assert first.data["question"]["why"]["cites"]
    assert (last.exit_code, last.data["question"]) == (0, None)
    assert last.data["result"]["classes"]["eu/ai-act"]["strictest"] == "minimal"


@pytest.mark.parametrize(
    "text", ["safebelt: interview/1\n", "safebelt: interview/1\nanswers: {system.is_ai: 7}\n", "[1"]
)
def test_a_file_of_answers_that_cannot_be_read_is_refused(command, tmp_path: Path, text: str) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text)

    with pytest.raises(Invalid):
        command("--answers", wrong)


def test_measuring_counts_questions_per_scope(command, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(example("eu-spam-filter"))

    found = command("--measure", tmp_path, "--instrument", "eu/ai-act")

    figures = found.data["eu/ai-act"]
    assert figures["systems"] == figures["same_classes"] == 1
    assert 0 < figures["median"] < figures["full_list"]
    with pytest.raises(NotFound):
        command("--measure", tmp_path / "nothing")
