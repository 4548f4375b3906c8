"""Rules of admission: read, tried, versioned; what is unknown never admits."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import StillClock
from tests.rooms.belt.house import House, build

from safebelt.engines.clock import real_chance
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.rooms.belt import store
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide.admission import Barred, not_permitted
from safebelt.rooms.belt.model import Asked, Brought
from safebelt.rooms.belt.permissions import MAX_KEPT, AdmissionRules, Reading
from safebelt.web.terminal import Answer

FOLDER = Path(__file__).parents[3] / "admission"
ABOUT = '@cite("house") @why_zh("理由") @why_en("reason")\n'
PERMIT = f'@id("all") {ABOUT}permit (principal, action, resource);\n'
PURPOSES = (
    '@id("uses") @cite("eu/ai-act#art_5 cn/pipl#art_13") @why_zh("只许两种用途") @why_en("two uses only")\n'
    'forbid (principal, action == Action::"use", resource)\n'
    'unless { ["support", "translation"].contains(context.purpose) };\n'
)
ASKED = Asked("key_1", "", "sys_1", "chat")


def rules(text: str) -> AdmissionRules:
    return Reading(FOLDER).read(text.encode())


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> House:
    ticks = iter(range(10**6))
    return build(
        sql,
        tmp_path,
        clock=clock,
        new_id=lambda p: f"{p}_{next(ticks):026d}",
        chance=real_chance,
        admission=FOLDER,
    )


# ---------------------------------------------------------------------- what rules come to


def test_the_rules_of_the_house_let_every_holder_of_a_key_in() -> None:
    found = Reading(FOLDER).of_the_house()

    assert found and found.ask(ASKED).is_admitted
    assert found.reads == frozenset(), "so that nothing of a request need be read"


@pytest.mark.parametrize(("purpose", "is_admitted"), [("support", True), ("translation", True), ("scoring", False)])
def test_a_rule_of_purposes_admits_those_and_bars_the_others(purpose: str, is_admitted: bool) -> None:
    found = rules(PERMIT + PURPOSES).ask(ASKED._replace(purpose=purpose))

    assert found.is_admitted is is_admitted
    assert [rule.id for rule in found.rules] == ["all" if is_admitted else "uses"]


def test_whoever_is_barred_reads_which_rule_and_on_what_it_rests() -> None:
    barred = not_permitted(rules(PERMIT + PURPOSES).ask(ASKED._replace(purpose="scoring")))

    assert (barred.why, barred.rules) == (Barred.RULE, ("uses",))
    assert "two uses only" in barred.reason.says.en and "只许两种用途" in barred.reason.says.zh
    assert barred.reason.cites == ("eu/ai-act#art_5", "cn/pipl#art_13")


def test_a_rule_that_needs_what_is_unknown_bars_and_says_what_to_send() -> None:
    found = rules(PERMIT + PURPOSES).ask(ASKED)
    barred = not_permitted(found)

    assert not found.is_admitted
    assert (barred.why, barred.reason.holds) == (Barred.UNKNOWN, Truth.UNKNOWN)
    assert "X-Safebelt-Purpose" in barred.hint.en and "purpose" in barred.reason.says.zh


def test_a_permission_that_needs_what_is_unknown_falls_silent_and_another_still_admits() -> None:
    one = f'@id("staff") {ABOUT}permit (principal, action, resource) when {{ context.user_class == "staff" }};\n'

    assert not rules(one).ask(ASKED).is_admitted
    assert not_permitted(rules(one).ask(ASKED)).why is Barred.UNKNOWN
    assert rules(one).ask(ASKED._replace(user_class="staff")).is_admitted
    assert not_permitted(rules(one).ask(ASKED._replace(user_class="guest"))).why is Barred.RULE
    assert rules(one + PERMIT).ask(ASKED).is_admitted


def test_a_rule_may_say_what_holds_where_something_is_not_known() -> None:
    text = f'@id("known") {ABOUT}forbid (principal, action, resource) when {{ context has region && context.region == "xx" }};'

    assert rules(PERMIT + text).ask(ASKED).is_admitted
    assert not rules(PERMIT + text).ask(ASKED._replace(region="xx")).is_admitted


@pytest.mark.parametrize(
    ("when", "asked", "is_barred"),
    [
        ("context.hour >= 22 || context.hour < 6", {"hour": 23}, True),
        ("context.hour >= 22 || context.hour < 6", {"hour": 6}, False),
        ("context.weekday > 5", {"weekday": 6}, True),
        ("context.weekday > 5", {"weekday": 5}, False),
        ('context.model like "big-*"', {"model": "big-1"}, True),
        ('context.model like "big-*"', {"model": "small"}, False),
        ('context.data_class == "personal"', {"data_class": "personal"}, True),
        ('context.data_class == "personal"', {"data_class": "public"}, False),
        ('principal.caller == "Team A"', {"caller": "Team A"}, True),
        ('principal.caller == "Team A"', {"caller": "Team B"}, False),
        ('principal.caller == "Team A"', {"caller": ""}, True),  # unknown
        ('resource.ref == "sys_1"', {}, True),
        ('resource.ref == "sys_2"', {}, False),
        ('context.scope == "embeddings"', {}, False),
        ("context.minor", {"minor": True}, True),
        ("context.minor", {"minor": False}, False),
        ("context.minor", {"minor": None}, True),  # unknown
        ("context.hour + 9223372036854775807 > 0", {"hour": 5}, True),  # an error of any kind bars
    ],
)
def test_each_attribute_can_bar_and_its_contrary_does_not(when: str, asked: dict[str, Any], is_barred: bool) -> None:
    text = f'@id("rule") {ABOUT}forbid (principal, action, resource) when {{ {when} }};'

    assert rules(PERMIT + text).ask(ASKED._replace(**asked)).is_admitted is not is_barred


def test_what_rules_look_at_is_known_so_that_nothing_else_is_read() -> None:
    assert rules(PERMIT + PURPOSES).reads == {"purpose"}
    night = f'@id("n") {ABOUT}forbid (principal, action, resource) when {{ context has model && [1, 2].contains(context.hour) }};'
    assert rules(PERMIT + night).reads == {"model", "hour"}


def test_answers_are_kept_up_to_a_bound_and_stay_right() -> None:
    found = rules(PERMIT + PURPOSES)

    for number in range(MAX_KEPT + 10):
        assert not found.ask(ASKED._replace(purpose=f"p{number}")).is_admitted
    assert found.ask(ASKED._replace(purpose="support")).is_admitted
    assert found.ask(ASKED._replace(purpose="support")) is found.ask(ASKED._replace(purpose="support"))
    assert len(found._kept) <= MAX_KEPT


# ---------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    "text",
    [
        "permit (principal, action, resource",
        "permit (principal, action, resource);",
        PERMIT + PERMIT,
        PERMIT.replace('@cite("house") ', ""),
        PERMIT.replace('"all"', '"All of us"'),
        PERMIT.replace(";", " when { context.colour == 1 };"),
        PERMIT.replace(";", ' when { context.hour == "5" };'),
        PERMIT.replace("permit", "forbid"),
        "",
        PERMIT + "// " + "x" * 300_000,
    ],
)
def test_rules_that_cannot_be_used_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(Invalid) as invalid:
        rules(text)

    assert invalid.value.details["field"] == "cedar"


def test_every_attribute_of_the_program_is_in_the_schema_and_the_guide() -> None:
    for name in ("scope", "model", "purpose", "user_class", "region", "data_class", "hour", "weekday", "minor"):
        assert re.search(rf"\b{name}: ", (FOLDER / "schema.cedarschema").read_text("utf-8"))
        assert f"`{name}`" in (FOLDER / "README.md").read_text("utf-8")


# ---------------------------------------------------------------------- versions


def test_the_houses_rules_are_taken_once_and_a_loaded_version_outlives_a_restart(house: House) -> None:
    house.belt.open_admission()
    house.belt.open_admission()
    loaded = house.belt.load_admission((PERMIT + PURPOSES).encode(), "two uses", by=OWNER)

    house.belt.open_admission()

    now = house.belt.snapshot().admission
    assert now and now.digest == loaded.digest
    assert [each.brought for each in house.belt.admission_versions()] == [Brought.LOAD, Brought.FILE]
    told = house.entries("admission_adopted")
    assert [data["number"] for data in told] == [1, 2]
    assert (told[1]["rules"], told[1]["replaced"]) == (["all", "uses"], told[0]["digest"])
    assert "reason" not in told[1], "what people type stays out of the public leaf"


def test_a_version_is_rolled_back_and_forth(house: House) -> None:
    loaded = house.belt.load_admission((PERMIT + PURPOSES).encode(), "two uses", by=OWNER)

    back = house.belt.roll_back_admission("too strict", by=OWNER)
    assert (back.number, back.content) == (3, (FOLDER / "admission.cedar").read_text("utf-8"))
    again = house.belt.roll_back_admission("after all", by=OWNER, number=2)

    assert (again.digest, again.brought) == (loaded.digest, Brought.ROLL_BACK)
    with pytest.raises(NotFound):
        house.belt.roll_back_admission("none", by=OWNER, number=99)
    with pytest.raises(Conflict):
        house.belt.roll_back_admission("same", by=OWNER, number=4)
    with pytest.raises(Conflict):
        house.belt.load_admission((PERMIT + PURPOSES).encode(), "again", by=OWNER)
    with pytest.raises(Invalid):
        house.belt.load_admission(PERMIT.encode(), " ", by=OWNER)


def test_a_version_changed_where_it_is_kept_is_not_used(house: House, sql: Sql) -> None:
    house.belt.open_admission()
    with sql.begin() as tx:
        tx.execute(store.admission.update().values(content=PERMIT))

    with pytest.raises(Unavailable):
        house.belt.admission()


def test_admission_is_switched_off_by_somebody_for_a_reason_and_rolled_back(house: House) -> None:
    assert not house.belt.is_admission_off()

    off = house.belt.switch_off_admission("an emergency", by=OWNER)

    assert house.belt.is_admission_off() and house.belt.admission() is None
    assert house.entries("admission_adopted")[-1]["rules"] == []
    house.belt.open_admission()
    assert house.belt.is_admission_off(), "a restart does not switch it on"
    with pytest.raises(Conflict):
        house.belt.switch_off_admission("again", by=OWNER)
    with pytest.raises(Invalid):
        house.belt.switch_off_admission(" ", by=OWNER)
    assert house.belt.roll_back_admission("it is over", by=OWNER).number == off.number + 1
    assert not house.belt.is_admission_off()


def test_a_folder_without_rules_is_told_to_the_ledger_when_a_belt_starts(tmp_path: Path, sql: Sql) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "schema.cedarschema").write_text((FOLDER / "schema.cedarschema").read_text("utf-8"), "utf-8")
    house = build(sql, tmp_path)
    house.belt._reading = Reading(tmp_path / "rules")

    house.belt.open_admission()
    house.belt.open_admission()

    assert [(told["rules"], told["brought"]) for told in house.entries("admission_adopted")] == [([], "file")]
    assert house.belt.is_admission_off()


def test_a_house_without_the_folder_has_no_rules_and_says_so(tmp_path: Path, sql: Sql) -> None:
    house = build(sql, tmp_path)

    house.belt.open_admission()

    assert house.belt.admission() is None and house.belt.snapshot().admission is None
    assert house.belt.is_admission_off()
    with pytest.raises(Unavailable):
        house.belt.load_admission(PERMIT.encode(), "why", by=OWNER)


# ---------------------------------------------------------------------- shell


@pytest.fixture
def run(house: House) -> Iterator[Callable[..., Answer]]:
    app = commands(house.belt)

    def call(*words: str) -> Answer:
        answer: Any = app(["admission", *words], exit_on_error=False, print_error=False, result_action="return_value")
        assert isinstance(answer, Answer)
        assert answer.as_text("zh") and answer.as_text("en")
        return answer

    yield call


def test_the_shell_loads_tries_and_rolls_back(run: Callable[..., Answer], tmp_path: Path) -> None:
    file = tmp_path / "rules.cedar"
    file.write_text(PERMIT + PURPOSES, "utf-8")

    assert [rule["id"] for rule in run("check", str(file)).data["rules"]] == ["all", "uses"]
    assert run("load", str(file), "--reason", "two uses").data["number"] == 2
    assert run("try", "--purpose", "support").exit_code == 0
    assert run("try", "--purpose", "scoring").exit_code == 1
    assert run("try").exit_code == 1
    assert "house rule" in run("show").as_text("en")
    assert run("roll-back", "--reason", "too strict").data["number"] == 3
    assert run("try").data == {"is_admitted": True, "rules": ["house.holders-of-keys"]}
    assert len(run("versions").data) == 3
    assert run("off", "--reason", "an emergency").data["number"] == 4
    with pytest.raises(Invalid):
        run("check", str(tmp_path / "none.cedar"))
