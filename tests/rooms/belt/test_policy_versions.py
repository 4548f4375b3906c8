"""A policy's life: versions kept whole, taken without a restart, rolled back; red lines only by two people."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from tests.conftest import StillClock
from tests.rooms.belt.house import House, build

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from safebelt.rooms.access.model import Stand
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide import changed_red_lines, missing_red_lines
from safebelt.rooms.belt.model import Brought, Policy
from safebelt.rooms.belt.scanner.policies import Source, read_kept, read_source

OVERSEER = Actor(id="usr_overseer", roles=frozenset({Role.OVERSEER}), door="web")
OPERATOR = Actor(id="usr_operator", roles=frozenset({Role.OPERATOR}), door="web")
AUDITOR = Actor(id="usr_auditor", roles=frozenset({Role.AUDITOR}), door="web")
RED: dict[str, object] = {
    "id": "harm.red",
    "kind": "keywords",
    "title": {"zh": "红线", "en": "Red line"},
    "sides": ["input"],
    "action": "refuse",
    "red_line": True,
    "terms": ["one dreadful thing", "another dreadful thing"],
}
PLAIN: dict[str, object] = {
    "id": "house.plain",
    "kind": "keywords",
    "title": {"zh": "普通", "en": "Plain"},
    "sides": ["input"],
    "action": "flag",
    "terms": ["blue whale"],
}


def written(
    version: int = 1, *, id_: str = "house/rules", rules: tuple[dict[str, object], ...] = (RED, PLAIN)
) -> bytes:
    words = {"zh": "规则", "en": "Rules"}
    content = {"policy": id_, "version": version, "title": words, "appeal": words, "rules": list(rules)}
    return yaml.safe_dump(content, allow_unicode=True).encode()


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    """One database is enough here: the statements are the plainest there are, and the doors' tests have both."""
    database = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def open_house(sql: Sql, tmp_path: Path, clock: StillClock) -> Callable[..., House]:
    """Opens a house over the same database, as a restart does."""
    ticks = iter(range(10**6))
    folder = tmp_path / "screening"
    folder.mkdir()
    (folder / "house.yaml").write_bytes(written())
    (folder / "red-lines.txt").write_text("harm.red  # never without it\n")

    def ids(prefix: str) -> str:
        return f"{prefix}_{next(ticks):026d}"

    def opened() -> House:
        return build(sql, tmp_path, clock=clock, new_id=ids, screening=folder, default_policy="house/rules")

    return opened


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    house = open_house()
    house.belt.open_policies()
    return house


def test_the_first_start_keeps_the_files_of_the_house_by_their_digest_and_the_second_adds_nothing(house: House) -> None:
    house.belt.open_policies()

    (first,) = house.belt.policy_versions("house/rules")
    assert (first.brought, first.version) == (Brought.FILE, 1)
    assert first.digest == read_source(written()).policy.digest
    assert [entry["digest"] for entry in house.entries("policy_adopted")] == [first.digest]
    assert house.belt.policy_version("house/rules", first.digest[:8]) == house.belt.policy("house/rules")


def test_a_loaded_version_is_in_the_next_snapshot_and_outlives_a_restart(
    house: House, open_house: Callable[..., House]
) -> None:
    more = {**PLAIN, "terms": ["blue whale", "white whale"]}

    loaded = house.belt.load_policy(written(2, rules=(RED, more)), "a new project", by=OPERATOR)

    assert loaded.adoption is not None and loaded.adoption.by == OPERATOR.id
    assert house.belt.snapshot().policies["house/rules"].version == 2
    again = open_house()
    again.belt.open_policies()
    assert again.belt.policy("house/rules").version == 2
    assert again.entries("policy_adopted")[-1]["reason"] == "a new project"


def test_roll_back_is_one_act_and_brings_back_the_very_content(house: House) -> None:
    house.belt.load_policy(written(2, rules=(RED,)), "fewer", by=OPERATOR)

    back = house.belt.roll_back_policy("house/rules", "too few", by=OPERATOR)

    assert back.adoption is not None and back.adoption.brought is Brought.ROLL_BACK
    assert house.belt.policy("house/rules") == read_source(written()).policy
    assert [each.version for each in house.belt.policy_versions("house/rules")] == [1, 2, 1]
    with pytest.raises(Conflict):
        house.belt.roll_back_policy("house/rules", "again", by=OPERATOR, version="1")
    with pytest.raises(NotFound):
        house.belt.roll_back_policy("house/rules", "never was", by=OPERATOR, version="9")


def test_a_bad_file_is_named_line_by_line_and_the_policy_in_force_stays(house: House) -> None:
    before = house.belt.snapshot().policies

    with pytest.raises(Invalid) as problem:
        house.belt.load_policy(b"policy: house/rules\nversion: none\nrules: []\n", "oops", by=OPERATOR, name="bad.yaml")

    assert any("bad.yaml:2" in where for where in problem.value.details)
    assert len(problem.value.details) >= 3
    assert house.belt.snapshot().policies == before


def test_a_version_number_is_never_given_to_other_content(house: House) -> None:
    with pytest.raises(Conflict) as problem:
        house.belt.load_policy(written(1, rules=(RED,)), "same number", by=OPERATOR)

    assert problem.value.details == {"field": "version"}
    with pytest.raises(Conflict):
        house.belt.load_policy(written(), "the same", by=OPERATOR)


@pytest.mark.parametrize(
    "weaker",
    [{**RED, "terms": ["one dreadful thing"]}, {**RED, "title": {"zh": "改名", "en": "Renamed"}}],
)
def test_a_change_of_a_red_line_waits_for_a_second_person_who_is_another(
    house: House, weaker: dict[str, object]
) -> None:
    loaded = house.belt.load_policy(written(2, rules=(weaker, PLAIN)), "reworded", by=OPERATOR)

    assert loaded.adoption is None and loaded.proposal is not None
    assert [change.rule for change in loaded.changes] == ["harm.red"]
    assert house.belt.policy("house/rules").version == 1
    for nobody in (OPERATOR, AUDITOR):
        with pytest.raises(Refused):
            house.belt.second_policy(loaded.proposal.id, answer="fine", by=nobody)
    assert house.belt.policy("house/rules").version == 1

    made = house.belt.second_policy(loaded.proposal.id, answer="I have read it", by=OVERSEER)

    assert (made.by, made.red_lines, made.proposal) == (OVERSEER.id, ("harm.red",), loaded.proposal.id)
    assert house.belt.snapshot().policies["house/rules"].version == 2
    assert house.access.proposal(loaded.proposal.id).stand is Stand.SECONDED
    assert house.entries("policy_adopted")[-1]["red_lines"] == ["harm.red"]


def test_rolling_back_over_a_red_line_needs_two_people_as_well(house: House) -> None:
    loaded = house.belt.load_policy(written(2, rules=({**RED, "sides": ["input", "output"]}, PLAIN)), "x", by=OPERATOR)
    assert loaded.proposal
    house.belt.second_policy(loaded.proposal.id, answer="y", by=OVERSEER)

    back = house.belt.roll_back_policy("house/rules", "z", by=OPERATOR)

    assert back.adoption is None and [change.is_weaker for change in back.changes] == [True]


def test_the_second_person_decides_on_what_was_proposed_or_not_at_all(house: House) -> None:
    loaded = house.belt.load_policy(written(2, rules=({**RED, "terms": ["x y z"]}, PLAIN)), "x", by=OPERATOR)
    house.belt.load_policy(written(3, rules=(RED,)), "meanwhile", by=OPERATOR)
    assert loaded.proposal

    with pytest.raises(Conflict):
        house.belt.second_policy(loaded.proposal.id, answer="y", by=OVERSEER)

    assert house.access.proposal(loaded.proposal.id).stand is Stand.OPEN
    assert house.belt.policy("house/rules").version == 3


@pytest.mark.parametrize("rules", [(PLAIN,), ({**RED, "red_line": False}, PLAIN)])
def test_no_policy_in_use_is_loaded_or_fitted_without_the_red_lines_of_the_house(
    house: House, rules: tuple[dict[str, object], ...]
) -> None:
    with pytest.raises(Refused) as problem:
        house.belt.load_policy(written(2, rules=rules), "without", by=OPERATOR)
    assert problem.value.details["red_lines"] == "harm.red"

    house.belt.load_policy(written(1, id_="house/lax", rules=rules), "not in use yet", by=OPERATOR)
    with pytest.raises(Refused):
        house.belt.fit(house.system_id, "house/lax", by=OPERATOR)
    house.belt.fit(house.system_id, by=OPERATOR)
    with pytest.raises(Refused):
        house.belt.change(house.system_id, by=OPERATOR, version=1, policy="house/lax")


def test_the_house_does_not_open_without_its_red_lines_or_without_the_list_of_them(
    open_house: Callable[..., House], tmp_path: Path
) -> None:
    (tmp_path / "screening" / "house.yaml").write_bytes(written(1, rules=(PLAIN,)))
    with pytest.raises(Refused, match=r"harm\.red"):
        open_house().belt.open_policies()

    (tmp_path / "screening" / "house.yaml").write_bytes(written())
    (tmp_path / "screening" / "red-lines.txt").unlink()
    with pytest.raises(Invalid, match="red-lines"):
        open_house().belt.open_policies()

    (tmp_path / "screening" / "red-lines.txt").write_text("")
    assert open_house().belt.open_policies() == ()


def test_a_red_line_whose_basis_expired_is_missing(clock: StillClock) -> None:
    words = {"zh": "国", "en": "x"}
    basis = {"provision": "a#b", "authority": words, "scope": words, "expires": "2026-11-20"}
    policy = read_source(written(rules=({**RED, "basis": basis},))).policy

    assert missing_red_lines(policy, {"harm.red"}, clock().date()) == ("harm.red",)


def test_a_changed_file_is_taken_at_the_next_start_but_not_where_it_touches_a_red_line(
    house: House, open_house: Callable[..., House], tmp_path: Path
) -> None:
    file = tmp_path / "screening" / "house.yaml"
    file.write_bytes(written(2, rules=(RED, {**PLAIN, "action": "mask"})))
    again = open_house()
    assert again.belt.open_policies() == ()
    assert again.belt.policy("house/rules").version == 2

    file.write_bytes(written(3, rules=({**RED, "terms": ["one dreadful thing"]}, PLAIN)))
    third = open_house()
    (left,) = third.belt.open_policies()
    assert [change.rule for change in left.changes] == ["harm.red"]
    assert third.belt.policy("house/rules").version == 2


def test_a_version_that_was_changed_in_the_database_is_refused_rather_than_obeyed(
    house: House, open_house: Callable[..., House], sql: Sql
) -> None:
    with sql.begin() as tx:
        content = tx.execute(sa.select(store.policy.c.content)).scalar_one()
        tx.execute(sa.update(store.policy).values(content=content.replace("another dreadful", "another harmless")))

    with pytest.raises(Unavailable):
        open_house().belt.snapshot()


def test_what_is_kept_is_named_by_its_own_hash(house: House, sql: Sql) -> None:
    with sql.read() as tx:
        digest, content = tx.execute(sa.select(store.policy.c.digest, store.policy.c.content)).one()

    assert sha256(content.encode()).hexdigest() == digest


def changed(**by: object) -> list[tuple[str, bool]]:
    old: Policy = read_source(written()).policy
    new = read_source(written(2, rules=({**RED, **by}, PLAIN))).policy
    return [(change.rule, change.is_weaker) for change in changed_red_lines(old, new)]


def test_what_changes_in_a_red_line_is_told_and_what_is_weaker_where_it_can_be() -> None:
    assert changed() == []
    assert changed(terms=["one dreadful thing"]) == [("harm.red", True)]
    assert changed(terms=["one dreadful thing", "another dreadful thing", "a third"]) == [("harm.red", False)]
    assert changed(red_line=False) == [("harm.red", True)]
    assert changed(sides=["input", "output"]) == [("harm.red", False)]
    assert changed(id="harm.other") == [("harm.red", True)]


def test_a_red_line_on_tool_calls_is_a_red_line_as_well() -> None:
    title = {"zh": "付款", "en": "Payments"}
    rule: dict[str, object] = {
        "id": "agents.pay",
        "title": title,
        "tools": ["pay", "transfer"],
        "action": "deny",
        "red_line": True,
    }
    rule["when"] = [{"argument": "amount", "more_than": 1e300}, {"argument": "to", "contains": "\x7f"}]

    def with_rule(rule: dict[str, object]) -> Source:
        tools = {"unknown_tools": "deny", "rules": [rule]}
        return read_source(yaml.safe_dump({**yaml.safe_load(written()), "tools": tools}).encode())

    old, new = with_rule(rule), with_rule({**rule, "tools": ["pay"]})

    assert read_kept(old.content) == old
    assert [(c.rule, c.is_weaker) for c in changed_red_lines(old.policy, new.policy)] == [("agents.pay", True)]
    assert changed_red_lines(old.policy, old.policy) == ()
