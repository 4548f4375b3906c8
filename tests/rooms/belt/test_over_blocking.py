"""Over-blocking: measured on benign texts per rule, kept for one version of a policy, and shown beside the switch."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build
from tests.rooms.belt.test_policy_versions import OPERATOR, PLAIN, RED, written

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide.over_blocking import share
from safebelt.rooms.belt.jobs import habits
from safebelt.rooms.belt.model import Side
from safebelt.rooms.belt.model.over_blocking import Outdated, OverBlockingState
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

SHIPPED = Path(__file__).parents[3] / "screening"
TEXTS = "the blue whale sings\n\nnothing here\none dreadful thing, call 13812345678\n"
GUESS = {
    "id": "injection.guess",
    "kind": "injection",
    "title": {"zh": "猜测", "en": "A guess"},
    "sides": ["input"],
    "action": "refuse",
    "classifier": {"model": "guardian"},
}


@pytest.fixture
def house(sql: Sql, tmp_path: Path) -> Iterator[House]:
    metadata.create_all(sql.engine)
    folder = tmp_path / "screening"
    (folder / "benign").mkdir(parents=True)
    (folder / "house.yaml").write_bytes(written(rules=(RED, PLAIN)))
    (folder / "red-lines.txt").write_text("harm.red\n")
    (folder / "benign" / "mild.txt").write_text(TEXTS, "utf-8")
    house = build(sql, tmp_path, screening=folder, default_policy="house/rules")
    house.belt.open_policies()
    yield house


def measured(house: House) -> Any:
    house.belt.order_over_blocking("house/rules")
    assert house.belt.measure_wanted() == 1
    return house.belt.over_blocking(house.belt.policy("house/rules"))


def test_a_version_is_not_evaluated_until_it_was_measured(house: House) -> None:
    belt = house.belt
    before = belt.over_blocking(belt.policy("house/rules"))
    asked = belt.order_over_blocking("house/rules")

    now = measured(house)

    assert (before.state, before.found) == (OverBlockingState.NOT_EVALUATED, None)
    assert asked.state is OverBlockingState.WAITING
    assert now.state is OverBlockingState.MEASURED and not now.outdated
    assert (now.found.hit.hits, now.found.stopped.hits, now.found.refused.hits, now.found.hit.of) == (2, 1, 1, 3)
    assert {rule.rule: rule.share.hits for rule in now.found.rules} == {"harm.red": 1, "house.plain": 1}
    assert belt.measure_wanted() == 0


def test_another_version_is_not_evaluated_again_and_the_one_before_keeps_its_figures(house: House) -> None:
    first = measured(house).found
    loaded = house.belt.load_policy(written(2, rules=(RED,)), "fewer", by=OPERATOR)

    now = house.belt.over_blocking(house.belt.policy("house/rules"))

    assert now.version == 2 and now.state is OverBlockingState.NOT_EVALUATED and now.found is None
    assert loaded.adoption is not None
    assert house.belt.over_blocking(house.belt.policy_version("house/rules", "1")).found == first


def test_changed_texts_or_another_program_make_a_measurement_outdated(house: House, monkeypatch: Any) -> None:
    now = measured(house)
    (house.box.folder / "benign").mkdir()
    (house.box.folder / "benign" / "ours.txt").write_text("a text of our own\n")

    changed = house.belt.over_blocking(house.belt.policy("house/rules"))
    monkeypatch.setattr("safebelt.rooms.belt.service.over_blocking.__version__", "0.0.other")
    elsewhere = house.belt.over_blocking(house.belt.policy("house/rules"))

    assert not now.outdated
    assert changed.outdated == (Outdated.TEXTS,) and changed.found == now.found
    assert elsewhere.outdated == (Outdated.TEXTS, Outdated.PROGRAM)
    again = measured(house)
    assert [one.name for one in again.found.corpora] == ["mild", "ours"] and again.found.hit.of == 4


def test_texts_have_the_licence_of_their_description_only_as_long_as_they_are_those_described(house: House) -> None:
    folder = house.box.folder.parent / "screening" / "benign"
    digest = house.belt.corpora()[0].sha256
    described = {"file": "mild.txt", "title": {"zh": "温和", "en": "Mild"}, "licence": "CC0-1.0", "sha256": digest}
    (folder / "corpora.yaml").write_text(json.dumps([described]))

    as_described = house.belt.corpora()[0]
    (folder / "mild.txt").write_text(TEXTS + "one more\n")
    changed = house.belt.corpora()[0]

    assert (as_described.licence, as_described.title.en) == ("CC0-1.0", "Mild")
    assert (changed.licence, changed.texts) == ("", 4) and changed.sha256 != digest
    (folder / "corpora.yaml").write_text("- file: [")
    with pytest.raises(Unavailable):
        house.belt.corpora()


def test_examples_are_covered_unless_shown_and_personal_data_around_them_is_masked(house: House) -> None:
    now = measured(house)

    covered = house.belt.example_texts(now.found, is_shown=False)
    shown = house.belt.example_texts(now.found, is_shown=True)

    said = " ".join("".join(parts) for parts in covered.values())
    assert len(covered) == 2
    assert "dreadful" not in said and "13812345678" not in said and "▇" in said
    assert ("", "one dreadful thing", ", call 13812345678") in shown.values()
    kept = next((house.box.folder / "measured" / "over-blocking").glob("*.json")).read_text()
    assert "dreadful" not in kept and "whale sings" not in kept


def test_what_goes_wrong_is_said_and_may_be_asked_for_again(house: House) -> None:
    belt = house.belt
    belt.order_over_blocking("house/rules")
    texts = house.box.folder.parent / "screening" / "benign" / "mild.txt"
    texts.unlink()

    belt.measure_wanted()

    failed = belt.over_blocking(belt.policy("house/rules"))
    assert failed.state is OverBlockingState.FAILED and failed.problem is not None and failed.found is None
    assert belt.measure_wanted() == 0, "it is not tried for ever"
    with pytest.raises(Invalid):
        belt.order_over_blocking("house/rules")
    texts.write_text(TEXTS)
    assert measured(house).state is OverBlockingState.MEASURED


def test_work_that_another_process_is_at_is_left_to_it_and_taken_up_when_that_has_gone_silent(house: House) -> None:
    belt = house.belt
    belt.order_over_blocking("house/rules")
    path = next((house.box.folder / "measured" / "over-blocking").glob("*.order"))
    order = json.loads(path.read_text()) | {"all": 3, "done": 1}
    path.write_text(json.dumps(order))

    running = belt.over_blocking(belt.policy("house/rules"))
    left = belt.measure_wanted()
    path.write_text(json.dumps(order | {"at": "2020-01-01T00:00:00Z"}))

    assert (running.state, running.done, running.all, left) == (OverBlockingState.RUNNING, 1, 3, 0)
    assert belt.measure_wanted() == 1 and not path.exists()


def test_a_rule_with_a_trained_model_that_is_not_there_is_not_evaluated(house: House, monkeypatch: Any) -> None:
    def gone() -> None:
        raise Unavailable(what=Text(zh="没有", en="none"), hint=Text(zh="安装", en="install it"))

    policy = house.belt.check_policy(written(3, rules=(RED, PLAIN, GUESS)))
    with_model = house.belt.measure_over_blocking(policy, is_kept=False)
    monkeypatch.setattr("safebelt.rooms.belt.service.over_blocking.Guardian", gone)

    without = house.belt.measure_over_blocking(policy, is_kept=False)

    shares = {rule.rule: rule.share for rule in without.rules}
    assert shares["injection.guess"] is None and shares["harm.red"] is not None
    assert all(rule.share is not None for rule in with_model.rules)
    assert house.belt.over_blocking(policy).found is None, "what is not kept is not kept"


def test_the_interval_is_wilsons_and_nothing_found_is_never_nothing_at_all() -> None:
    none, some, all_, empty = share(0, 250), share(10, 100), share(5, 5), share(0, 0)

    assert (none.rate, none.low) == (0, 0) and none.high == pytest.approx(0.01513, abs=1e-4)
    assert (some.low, some.high) == (pytest.approx(0.05523, abs=1e-4), pytest.approx(0.17437, abs=1e-4))
    assert (all_.high, all_.low) == (1.0, pytest.approx(0.5655, abs=1e-3))
    assert (empty.low, empty.high) == (0.0, 1.0)


def test_the_work_process_looks_for_measurements() -> None:
    named = SimpleNamespace(**{name: name for name in ("collect_proofs", "keep_two_people", "collect_calls", "sweep")})
    named.__dict__.update({name: name for name in ("let_go", "index", "look_for_strikes", "export", "measure_wanted")})

    assert "measure_wanted" in [habit.step for habit in habits(named)]  # type: ignore[arg-type]


def test_the_api_says_how_far_it_is_and_refuses_what_is_not_there(house: House) -> None:
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        asked = {"policy": "house/rules"}
        assert client.get("/api/belt/over-blocking", params=asked).json()["state"] == "not_evaluated"
        ordered = client.post("/api/belt/over-blocking", json=asked)
        assert (ordered.status_code, ordered.json()["state"]) == (202, "waiting")
        house.belt.measure_wanted()
        found = client.get("/api/belt/over-blocking", params=asked).json()
        assert found["state"] == "measured" and found["found"]["stopped"]["hits"] == 1
        old = client.get("/api/belt/over-blocking", params={**asked, "version": found["digest"][:12]})
        assert old.json()["found"] == found["found"]
        assert [one["name"] for one in client.get("/api/belt/over-blocking/corpora").json()] == ["mild"]
        assert client.get("/api/belt/over-blocking", params={"policy": "no/such"}).status_code == 404
        assert client.post("/api/belt/over-blocking", json={"policy": "no/such"}).status_code == 404
    with TestClient(build_app(house, may=lambda action: action != "belt.read")) as client:
        assert client.get("/api/belt/over-blocking", params=asked).status_code == 403
        assert client.post("/api/belt/over-blocking", json=asked).status_code == 403


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_say_not_evaluated_measure_and_show_it_beside_the_switch(house: House, lang: str) -> None:
    not_evaluated, rate = {"zh": ("未评估", "33%"), "en": ("not evaluated", "33%")}[lang]
    house.belt.fit(house.system_id, by=OWNER)
    page, system = f"/{lang}/belt/over-blocking?policy=house/rules", f"/{lang}/belt/systems/{house.system_id}"
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        for path in (
            page,
            system,
            f"/{lang}/belt",
            f"/{lang}/belt/policies/house/rules",
            page.split("?", maxsplit=1)[0],
        ):
            assert not_evaluated in client.get(path).text.lower(), path
        assert client.get(f"/{lang}/belt/over-blocking/export.json?policy=house/rules").status_code == 404
        waits = client.post(f"/{lang}/belt/over-blocking/measure", data={"policy": "house/rules"})
        assert waits.status_code == 200 and "<progress" in waits.text
        house.belt.measure_wanted()
        for path in (
            page,
            system,
            f"/{lang}/belt",
            f"/{lang}/belt/policies/house/rules",
            page.split("?", maxsplit=1)[0],
        ):
            assert rate in client.get(path).text, path
        assert not_evaluated not in client.get(system).text.lower()
        assert "dreadful" not in client.get(page).text
        assert "dreadful" in client.get(f"{page}&examples=shown").text
        rows = client.get(f"/{lang}/belt/over-blocking/export.csv?policy=house/rules").text.splitlines()
        assert rows[0].endswith("hits:mild") and len(rows) == 3
        told = client.get(f"/{lang}/belt/over-blocking/export.json?policy=house/rules").json()
        assert told["stopped"]["hits"] == 1 and told["corpora"][0]["sha256"]
    with TestClient(build_app(house, may=lambda action: action != "belt.read_content")) as client:
        assert "dreadful" not in client.get(f"{page}&examples=shown").text


def test_the_command_line_shows_measures_and_says_not_evaluated(house: House) -> None:
    def run(*words: str) -> Answer:
        answer: Any = commands(house.belt)(
            ["policies", "over-blocking", *words], exit_on_error=False, print_error=False, result_action="return_value"
        )
        assert isinstance(answer, Answer)
        return answer

    assert run("house/rules").exit_code == NOT_EVALUATED
    found = run("house/rules", "--measure")
    assert found.exit_code == DONE and "33.33%" in found.says.en and "harm.red" in found.says.zh
    assert run("house/rules").data["found"] == found.data["found"]


def test_what_comes_with_safebelt_is_described_and_the_shipped_policy_stops_hardly_any_of_it(tmp_path: Path) -> None:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    belt = build(sql, tmp_path, screening=SHIPPED).belt

    corpora = belt.corpora()
    found = belt.measure_over_blocking(belt.policy("safebelt/baseline"))

    assert {one.name: (one.texts, bool(one.licence)) for one in corpora} == {
        "cvalues-zh": (664, True),
        "xstest-safe": (250, True),
    }
    assert found.hit.of == 914 and found.stopped.hits <= 4, found.rules
    assert found.stopped.high > 0
    assert Side.INPUT in belt.policy("safebelt/baseline").rules[0].sides
    sql.close()
