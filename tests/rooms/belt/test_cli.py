"""The belt's command line, with a real watcher where one is needed."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.house import ORIGIN, House, build, intent, outcome

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.records.disk import path_of
from safebelt.rooms.belt.records.proof import check
from safebelt.web.terminal import Answer

Run = Callable[..., Answer]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    yield build(sql, tmp_path)
    sql.close()


@pytest.fixture
def run(house: House) -> Run:
    app = commands(house.belt)

    def call(*words: str) -> Answer:
        answer: Any = app(list(words), exit_on_error=False, print_error=False, result_action="return_value")
        assert isinstance(answer, Answer)
        json.dumps(answer.data)
        assert answer.as_text("zh") and answer.as_text("en")
        return answer

    return call


def test_a_key_is_issued_as_id_and_key_and_later_revoked(run: Run, house: House) -> None:
    issued = run("keys", "issue", "--system", house.system_id, "--name", "app")

    assert set(issued.data) == {"id", "key"}
    assert issued.data["key"].startswith("sbk_")
    assert [row["id"] for row in run("keys", "list").data] == [issued.data["id"]]
    revoked = run("keys", "revoke", issued.data["id"], "--reason", "rotation")
    assert revoked.data["revoked_at"]
    with pytest.raises(NotFound):
        run("keys", "issue", "--system", "sys_none", "--name", "app")


@pytest.mark.parametrize(
    ("verb", "command"), [("stop", "cut"), ("pause", "pause"), ("drain", "drain"), ("resume", "run")]
)
def test_an_order_prints_its_proof_and_exits_0(run: Run, house: House, verb: str, command: str) -> None:
    with house.watcher():
        answer = run(verb, "--system", house.system_id, "--reason", "drill")

    assert answer.exit_code == 0
    assert (answer.data["command"], answer.data["bytes_after"]) == (command, 0)
    assert {"ordered_at", "seen_at", "effective_at", "streams_cut"} <= set(answer.data)
    assert answer.data["remembered"]


def test_a_stop_nobody_answers_exits_3_and_stays_in_force(run: Run, house: House) -> None:
    answer = run("stop", "--reason", "nobody is there")

    assert answer.exit_code == 3
    assert answer.data["effective"] is False
    assert "stays in force" in answer.as_text("en")
    assert len(run("state").data["waiting"]) == 1
    with house.watcher():
        assert run("state").data["all"]["command"] == "cut"


def test_a_resume_of_all_names_what_stays_stopped(run: Run, house: House) -> None:
    with house.watcher():
        run("stop", "--system", house.system_id, "--reason", "this one")
        run("pause", "--reason", "all of them")
        answer = run("resume", "--reason", "over")

        assert answer.data["still_stopped"] == [house.system_id]
        assert house.system_id in answer.as_text("zh")
        assert run("state").data["systems"] == {
            house.system_id: {"command": "cut", "order": run("stops").data["stops"][-1]["order"]}
        }


def test_a_part_is_stopped_by_its_name_and_a_slip_in_a_keys_id_is_told(run: Run, house: House) -> None:
    with house.watcher():
        run("stop", "--model", "org/model-1", "--reason", "wrong answers")
        run("pause", "--tool", "pay", "--reason", "too dear")
        with pytest.raises(NotFound):
            run("stop", "--key", "key_of_nobody", "--reason", "abuse")
        with pytest.raises(Invalid):
            run("stop", "--key", "key_1", "--tool", "pay", "--reason", "both")

        deadline = time.monotonic() + 30  # a slip is told at once, without waiting until the order is obeyed
        while run("state").data["waiting"] and time.monotonic() < deadline:
            time.sleep(0.05)
        held = {name: each["command"] for name, each in run("state").data["systems"].items()}
        assert held == {"model:org/model-1": "cut", "tool:pay": "pause", "key:key_of_nobody": "cut"}
        assert run("state").data["all"]["command"] == "run"


class _SlowToEnter:
    """The real register, entered by a shell on a busy machine: its first answer takes longer than an order waits."""

    def __init__(self, register: Any) -> None:
        self._register = register

    def __getattr__(self, name: str) -> Any:
        return getattr(self._register, name)

    def system(self, id_: str) -> Any:
        time.sleep(3)
        return self._register.system(id_)


def test_a_slip_in_a_systems_id_is_told_though_the_register_is_slow(run: Run, house: House) -> None:
    house.belt._t = replace(house.belt._t, registry=_SlowToEnter(house.registry))

    with house.watcher():
        with pytest.raises(NotFound) as caught:
            run("stop", "--system", "nope", "--reason", "drill")
        known = run("stop", "--system", house.system_id, "--reason", "drill")

    assert "nope" in caught.value.what.zh and caught.value.exit_code == 2
    assert known.exit_code == 0
    assert run("state").data["systems"]["nope"]["command"] == "cut"  # it holds all the same


@pytest.mark.parametrize("verb", ["stop", "pause", "drain", "resume", "limit", "unlimit", "roll-back", "roll-forward"])
def test_a_name_too_long_to_be_kept_is_refused_and_never_cut_to_another(run: Run, house: House, verb: str) -> None:
    more = {"limit": ["--per-minute", "5"], "roll-back": ["--to", "old"]}.get(verb, [])
    with pytest.raises(Invalid) as caught:
        run(verb, "--model", "m" * 3000, "--reason", "drill", *more)

    assert "74" in caught.value.what.en and "74" in caught.value.what.zh and len(caught.value.what.en) < 200
    assert caught.value.details["field"] == "model" and not run("state").data["waiting"]


def test_the_longest_name_that_can_be_kept_is_kept_whole(run: Run, house: House) -> None:
    with house.watcher():
        run("stop", "--model", "m" * 74, "--reason", "drill")

    assert list(run("state").data["systems"]) == ["model:" + "m" * 74]


@pytest.mark.parametrize(("option", "most"), [("--per-minute", "10,000,000"), ("--at-once", "1,000,000")])
def test_a_limit_out_of_range_is_told_with_its_range(run: Run, option: str, most: str) -> None:
    with pytest.raises(Invalid) as caught:
        run("limit", option, "9" * 30, "--reason", "drill")

    for said in (caught.value.what.zh, caught.value.what.en):
        assert option in said and most in said


def test_a_stop_needs_a_reason(run: Run, house: House) -> None:
    with pytest.raises(Invalid):
        run("stop", "--reason", " ")

    assert house.box.waiting() == []


def test_verify_says_nothing_then_holds_then_does_not(run: Run, house: House) -> None:
    assert run("verify").exit_code == 3
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        put(outcome("rec_1"))
    assert run("verify").exit_code == 0

    path = path_of(house.records, "seg-00000001")
    path.write_bytes(path.read_bytes().replace(b'"complete"', b'"c0mplete"'))

    answer = run("verify")
    assert answer.exit_code == 1
    assert answer.data["faults"] > 0


def test_exchanges_are_listed_shown_proven_and_erased(run: Run, house: House, tmp_path: Path) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id, text="hello belt"))
        put(outcome("rec_1"))
    file = tmp_path / "rec_1.tlog-proof"

    assert [row["id"] for row in run("exchanges", "list", "--search", "cn_id").data["exchanges"]] == ["rec_1"]
    assert run("exchanges", "list", "--system", "sys_none").data["exchanges"] == []
    assert "hello belt" in run("exchanges", "show", "rec_1").as_text("en")
    assert run("prove", "rec_1", "-o", str(file)).data["sealed_entry"]
    assert check(file.read_text("utf-8"), open_note=house.belt._t.open_note, log_origin=ORIGIN)
    assert run("erase", "rec_1", "--reason", "asked").data["erased"] == 2
    assert "hello belt" not in run("exchanges", "show", "rec_1").as_text("en")


def test_systems_are_fitted_and_switched(run: Run, house: House) -> None:
    assert run("systems", "fit", house.system_id).data["stance"] == "observe"
    assert run("systems", "enforce", house.system_id).data["stance"] == "enforce"
    assert run("systems", "observe", house.system_id).data["version"] == 3
    assert len(run("systems", "list").data) == 1


def test_policies_are_listed_shown_and_checked(run: Run, tmp_path: Path) -> None:
    assert [row["id"] for row in run("policies", "list").data] == ["house/basic", "house/other"]
    assert "house rule" in run("policies", "show", "house/basic").as_text("en")
    good = tmp_path / "good.yaml"
    good.write_text(
        "policy: my/own\nversion: 1\ntitle: {zh: 我的, en: Mine}\nappeal: {zh: 申诉, en: Write to us}\n"
        "rules:\n- {id: a.b, kind: keywords, title: {zh: 词, en: Words}, sides: [input], action: flag, terms: [x]}\n",
        "utf-8",
    )
    assert run("policies", "check", str(good)).data["id"] == "my/own"
    good.write_text(good.read_text("utf-8").replace("action: flag", "action: sing"), "utf-8")
    with pytest.raises(Invalid) as invalid:
        run("policies", "check", str(good))
    assert "good.yaml" in str(invalid.value)
    with pytest.raises(Invalid):
        run("policies", "check", str(tmp_path / "none.yaml"))


def test_the_owner_acts_and_the_ledger_says_so(run: Run, house: House) -> None:
    run("keys", "issue", "--system", house.system_id, "--name", "app")

    (entry,) = house.ledger.entries(kind="belt.key_issued.v2")
    assert (entry.actor, entry.door) == ("owner", "cli")


def test_a_stop_waits_no_longer_than_it_must(run: Run, house: House) -> None:
    with house.watcher():
        done = threading.Event()
        threading.Thread(target=lambda: (run("pause", "--reason", "quick"), done.set())).start()

        assert done.wait(1.5)


def test_check_text_holds_a_file_against_a_record(run: Run, house: House, tmp_path: Path) -> None:
    record, kept = "rec_1", "Say hello."
    with house.writing() as put:
        put(intent(record, house.system_id, text=kept))
    (tmp_path / "same.txt").write_text(f"{kept}\n", "utf-8")
    (tmp_path / "other.txt").write_text(f"{kept} indeed\n", "utf-8")

    fits = run("check-text", record, str(tmp_path / "same.txt"))
    differs = run("check-text", record, str(tmp_path / "other.txt"))
    house.belt.erase(record, "asked for", OWNER)
    erased = run("check-text", record, str(tmp_path / "same.txt"))

    assert (fits.exit_code, differs.exit_code, erased.exit_code) == (0, 1, 3)
    assert fits.data["fits"] == ["messages[0].content"]
