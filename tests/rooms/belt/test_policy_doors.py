"""Policies and their versions through the doors: API, pages and command line, each with its refusals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build
from tests.rooms.belt.test_policy_versions import OPERATOR, OVERSEER, PLAIN, RED, written

from safebelt.engines.sql import Sql, metadata
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.scanner.policies import read_source
from safebelt.rooms.belt.service.benign import measure_benign
from safebelt.web.terminal import NOT_EVALUATED, Answer

CHANGED = {**RED, "terms": ["one dreadful thing"]}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    folder = tmp_path / "screening"
    folder.mkdir()
    (folder / "house.yaml").write_bytes(written())
    (folder / "red-lines.txt").write_text("harm.red\n")
    house = build(sql, tmp_path, screening=folder, default_policy="house/rules")
    house.belt.open_policies()
    yield house
    sql.close()


def test_a_version_is_loaded_listed_shown_and_rolled_back_through_the_api(house: House) -> None:
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        body = {"yaml": written(2, rules=(RED,)).decode(), "reason": "fewer"}
        loaded = client.post("/api/belt/policies", json=body)
        assert (loaded.status_code, loaded.json()["adoption"]["number"]) == (201, 2)
        assert client.post("/api/belt/policies", json=body).status_code == 409
        bad = client.post("/api/belt/policies", json={"yaml": "policy: x\nversion: y\n", "reason": "bad"})
        assert bad.status_code == 422 and "policy.yaml:2" in bad.text
        listed = client.get("/api/belt/policies/versions", params={"policy": "house/rules"}).json()
        assert [row["version"] for row in listed] == [2, 1]
        first = client.get("/api/belt/policies/version", params={"policy": "house/rules", "version": "1"}).json()
        assert len(first["rules"]) == 2
        back = client.post("/api/belt/policies/roll-back", json={"policy": "house/rules", "reason": "too few"})
        assert back.json()["adoption"]["brought"] == "roll_back"
        assert client.get("/api/belt/policies").json()[0]["version"] == 1


def test_a_red_line_waits_at_the_api_and_the_proposer_cannot_second(house: House) -> None:
    body = {"yaml": written(2, rules=(CHANGED, PLAIN)).decode(), "reason": "fewer"}
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        waits = client.post("/api/belt/policies", json=body).json()
        assert waits["adoption"] is None and waits["red_lines"][0]["is_weaker"] is True
        second = f"/api/belt/policies/changes/{waits['proposal']}/second"
        assert client.post(second, json={"reason": "I agree with myself"}).status_code == 403
    with TestClient(build_app(house, actor=OVERSEER)) as client:
        assert client.post(second, json={"reason": "read"}).json()["red_lines"] == ["harm.red"]
        assert client.post(second, json={"reason": "twice"}).status_code == 409


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_load_wait_second_and_roll_back(house: House, lang: str) -> None:
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        bad = client.post(f"/{lang}/belt/policy-changes", data={"yaml": "policy: <b>x", "reason": ""})
        assert bad.status_code == 422 and "&lt;b&gt;" in bad.text and "<b>x" not in bad.text
        form = {"yaml": written(2, rules=(CHANGED, PLAIN)).decode().replace("\n", "\r\n"), "reason": "fewer"}
        waits = client.post(f"/{lang}/belt/policy-changes", data=form)
        assert waits.status_code == 200 and "harm.red" in waits.text and "/second" not in waits.text
        assert "/policy-changes/prp_" in client.get(f"/{lang}/belt/policies").text
    with TestClient(build_app(house, actor=OVERSEER)) as client:
        proposal = str(waits.url).rpartition("/")[2]
        page = f"/{lang}/belt/policy-changes/{proposal}"
        assert f"{page}/second" in client.get(page).text
        assert client.post(f"{page}/second", data={"answer": ""}).status_code == 422
        done = client.post(f"{page}/second", data={"answer": "read"})
        assert done.status_code == 200 and "?done=policy" in str(done.url)
        first = house.belt.policy_versions("house/rules")[-1]
        shown = client.get(f"/{lang}/belt/policies/house/rules?version={first.digest}")
        assert first.digest in shown.text and "/roll-back" in shown.text
        assert client.get(f"/{lang}/belt/policy-changes/prp_none").status_code == 404
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        back = client.post(
            f"/{lang}/belt/policy-changes/roll-back",
            data={"policy": "house/rules", "version": first.digest, "reason": "back"},
        )
        assert back.status_code == 200 and "/policy-changes/prp_" in str(back.url)


def test_the_command_line_says_in_its_exit_code_whether_a_version_is_in_force(house: House, tmp_path: Path) -> None:
    app = commands(house.belt)

    def run(*words: str) -> Answer:
        answer: Any = app(["policies", *words], exit_on_error=False, print_error=False, result_action="return_value")
        assert isinstance(answer, Answer)
        return answer

    (tmp_path / "two.yaml").write_bytes(written(2, rules=(RED,)))
    (tmp_path / "three.yaml").write_bytes(written(3, rules=(CHANGED,)))
    assert run("load", str(tmp_path / "two.yaml"), "--reason", "x").exit_code == 0
    assert run("show", "house/rules", "1").data["version"] == 1
    assert [row["version"] for row in run("versions", "house/rules").data] == [2, 1]
    waits = run("load", str(tmp_path / "three.yaml"), "--reason", "y")
    assert waits.exit_code == NOT_EVALUATED and waits.data["red_lines"][0]["weaker"] is True
    assert run("roll-back", "house/rules", "--reason", "z").data["version"] == 1
    assert house.belt.policy("house/rules").version == 1


def test_over_blocking_is_counted_rule_by_rule_on_texts_somebody_brings(house: House, tmp_path: Path) -> None:
    app = commands(house.belt)

    def check(policy: Path, benign: Path) -> Answer:
        words = ["policies", "check", str(policy), "--benign", str(benign)]
        answer: Any = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        assert isinstance(answer, Answer)
        return answer

    file, folder = tmp_path / "texts.txt", tmp_path / "texts"
    (tmp_path / "rules.yaml").write_bytes(written(rules=(RED, PLAIN)))
    file.write_text("the blue whale sings\n\nnothing here\none dreadful thing\n", "utf-8")
    folder.mkdir()
    (folder / "a.txt").write_text("nothing\nhere\n")

    found = check(tmp_path / "rules.yaml", file).data["benign"]

    assert (found["texts"], found["hit"], found["stopped"]) == (3, 2, 1)
    assert {(one["rule"], one["texts"], tuple(one["examples"])) for one in found["rules"]} == {
        ("house.plain", 1, (1,)),
        ("harm.red", 1, (3,)),
    }
    assert check(tmp_path / "rules.yaml", folder).data["benign"]["hit"] == 0
    file.write_text("\n")
    assert check(tmp_path / "rules.yaml", file).exit_code == NOT_EVALUATED


def test_the_shipped_policy_stops_hardly_any_of_the_prompts_that_only_sound_dangerous() -> None:
    shipped = Path(__file__).parents[3] / "screening"
    policy = read_source((shipped / "safebelt-baseline.yaml").read_bytes()).policy
    texts = (shipped / "benign" / "xstest-safe.txt").read_text("utf-8").splitlines()

    found = measure_benign(policy, texts)

    assert found.texts == 250
    assert found.stopped <= 2, found.rules
