"""What makes evidence stale: properties over real described systems, and the reader of `registry/changes.yaml`."""

import re
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.house import ROOT, law

from safebelt.kernel.errors import Invalid
from safebelt.rooms.registry.decide.changes import Setting, asked, compare, standings, still_to_do
from safebelt.rooms.registry.decide.touching import Files, Holding, Side, changed_facts, is_fresh, touched
from safebelt.rooms.registry.model.changes import STILL_OPEN, Change, ChangeKind, Trigger, Weight
from safebelt.rooms.registry.model.lifecycle import Evidence, Issuer
from safebelt.rooms.registry.packs.changes import Known, open_changes, read_changes
from safebelt.rooms.registry.packs.lifecycle import open_road
from safebelt.rooms.rulebook import decide, packs

DAY = date(2026, 12, 10)
NAMES = ("us-midjourney", "cn-ernie-bot", "eu-cv-ranking", "cn-internal-assistant")
CHANGES = (
    {"scale.monthly_users": 10_000_000},
    {"scale.monthly_users": 1_000},
    {"market.jurisdictions": ("eu", "cn", "us-ca")},
    {"market.jurisdictions": ("us-ca",)},
    {"use.purposes": ("recruitment_selection", "entertainment")},
    {"system.functions": ("generates_images", "converses", "generates_text")},
    {"offer.to_public": False},
    {"audience.includes": ("minors",)},
)


@cache
def known() -> Known:
    base = law().rulebook.base
    return Known(facts=frozenset(base.facts), evidence=frozenset(base.evidence), norms=frozenset(base.norms))


@cache
def rules():
    return open_changes(ROOT / "registry", known())


@cache
def road():
    return open_road(ROOT / "registry", known().evidence)


@cache
def facts_of(name: str):
    path = ROOT / "law" / "systems" / f"{name}.yaml"
    return packs.read_description(path, law().rulebook).values()


def side(facts) -> Side:
    return Side(facts=facts, judgment=decide.judge(decide.text_on(law().rulebook, DAY), facts, DAY))


def piece(kind: str, facts, version: int) -> Holding:
    evidence = Evidence(
        id=f"evd_{version}_{kind}",
        system_id="sys_1",
        kind=kind,
        statement="there",
        issuer=Issuer.SELF,
        person_id="per_1",
        by="owner",
        made_on=DAY,
        expires_on=DAY + timedelta(days=100),
        facts_version=version,
        digest="",
        note="",
    )
    return Holding(evidence=evidence, facts=facts)


def setting(*pieces: Holding) -> Setting:
    return Setting(rules=rules(), road=road(), files=Files(pieces=pieces), on=DAY)


def change(number: int, before: Side, after: Side, pieces) -> Change:
    found = compare(setting(*pieces), before, after)
    return Change(
        id=f"chg_{number}",
        system_id="sys_1",
        trigger=Trigger.FACTS,
        at=None,
        on=DAY,
        before_version=number - 1,
        version=number,
        by="owner",
        difference=found,
    )


systems, alterations = st.sampled_from(NAMES), st.lists(st.sampled_from(CHANGES), min_size=1, max_size=2)
few = settings(max_examples=15, deadline=None, derandomize=True)


@few
@given(systems, st.integers(0, 3))
def test_identical_facts_open_nothing_however_much_is_lacking(name: str, kept: int) -> None:
    now = side(facts_of(name))
    pieces = [piece(kind, now.facts, 1) for kind in list(asked(road(), now.judgment).binding)[:kept]]

    found = compare(setting(*pieces), now, side(dict(now.facts)))

    assert not found.is_felt
    assert (found.facts, found.kinds) == ((), ())


@few
@given(systems, alterations, st.integers(0, 9))
def test_what_is_opened_is_asked_for_and_a_change_undone_leaves_nothing_that_was_not_open(
    name: str, alterations: list[dict], kept: int
) -> None:
    before = side(facts_of(name))
    after = side({**before.facts, **{fact: value for one in alterations for fact, value in one.items()}})
    wanted = asked(road(), before.judgment).binding
    pieces = [piece(kind, before.facts, 1) for kind in list(wanted)[:kept]]
    lacking = wanted.keys() - {one.evidence.kind for one in pieces}

    first = change(2, before, after, pieces)
    second = change(3, after, before, pieces)

    for found, now in ((first.difference, after), (second.difference, before)):
        binding = asked(road(), now.judgment).binding
        assert {one.evidence for one in found.reopened} <= binding.keys()
        for one in found.redos:
            assert one.norms
            assert one.due is not None or one.weight is not Weight.BINDING
        assert not any(
            is_fresh(rules(), held, now)
            for one in found.reopened
            for held in pieces
            if held.evidence.kind == one.evidence
        )
    left = still_to_do(standings(setting(*pieces), (second, first), before))
    assert {one.redo.evidence for one in left if one.standing in STILL_OPEN} <= lacking


@pytest.mark.parametrize(
    ("fact", "before", "after", "kinds"),
    [
        ("scale.monthly_users", 1_000, 9_999, ()),
        ("scale.monthly_users", 1_000, 10_000, (ChangeKind.SCALE,)),
        ("scale.monthly_users", 0, 1, (ChangeKind.SCALE,)),
        ("scale.monthly_users", 10_000, 1_000, ()),
        ("scale.monthly_users", None, 10_000_000, ()),
        ("market.jurisdictions", ("eu",), ("eu", "cn"), (ChangeKind.JURISDICTION,)),
        ("market.jurisdictions", ("eu", "cn"), ("cn", "eu"), ()),
        ("market.jurisdictions", ("eu", "cn"), ("eu",), ()),
        ("use.only_for", ("research",), (), (ChangeKind.USE,)),
        ("use.only_for", (), ("research",), ()),
        ("use.military", "none", "also", (ChangeKind.USE,)),
        ("model.general_purpose", False, True, (ChangeKind.MODEL,)),
        ("provider.size", "sme", "large", (ChangeKind.PEOPLE,)),
        ("event.kinds", (), ("important_model_update",), (ChangeKind.MODEL,)),
        ("event.kinds", (), ("purpose_change",), (ChangeKind.USE,)),
        ("event.kinds", (), ("placing_on_market",), ()),
        ("offer.open_source", False, True, (ChangeKind.OTHER,)),
    ],
)
def test_a_change_of_a_fact_is_of_the_kind_the_rules_say(fact, before, after, kinds) -> None:
    then = {} if before is None else {fact: before}

    assert tuple(touched(rules(), changed_facts(then, {fact: after}))) == kinds


# ---- the reader

TEXT = (ROOT / "registry" / "changes.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("fact: model.training_flop", "fact: model.training_flops", "no fact model.training_flops"),
        ("fact: scale., when", "fact: scala., when", "no fact scala."),
        ("[cross_border_assessment]", "[cross_border_assesment]", "no kind of evidence"),
        ("basis: eu.ai-act.art_43__para_4", "basis: eu.ai-act.art_4343", "no norm"),
        ("new_within_days: 30", "new_within_days: 0", "new_within_days"),
        ("new_within_days: 30", "new_within_days: 400", "new_within_days"),
        ("- id: scale", "- id: scales", "kinds.1.id"),
        ("- id: scale", "- id: model", "scale must stand there exactly once"),
        ("when: grows, times: 10}", "when: grows}", "times"),
        ("{fact: model.}", "{fact: model., options: [a]}", "options"),
        ("{zh: 模型变更, en: Change of model}", "{zh: 模型变更}", "kinds.0.title.en"),
        ("safebelt: changes/1", "safebelt: changes/2", "safebelt"),
        ("{fact: decision.}", "{fact: use.}", "stands there twice"),
    ],
)
def test_every_mistake_in_the_rules_is_named(old: str, new: str, named: str) -> None:
    assert old in TEXT

    with pytest.raises(Invalid) as error:
        read_changes(TEXT.replace(old, new), known())

    assert named in f"{error.value.what.en} {error.value.details}"
    assert error.value.what.zh != error.value.what.en


def test_all_mistakes_are_named_at_once() -> None:
    broken = TEXT.replace("fact: model.training_flop", "fact: model.nix").replace("[cross_border_assessment]", "[nix]")

    with pytest.raises(Invalid) as error:
        read_changes(broken, known())

    assert len(error.value.details) == 2


def test_rules_that_are_not_there_are_said_to_be_missing(tmp_path) -> None:
    with pytest.raises(Invalid, match="cannot be opened"):
        open_changes(tmp_path, known())


def test_every_basis_is_a_norm_of_the_law_or_said_to_be_a_house_rule() -> None:
    bases = {redo.basis for kind in rules().kinds.values() for redo in kind.redo}

    assert bases <= known().norms | {"house rule"}
    assert len(re.findall("basis:", TEXT)) == sum(len(kind.redo) for kind in rules().kinds.values())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=200), st.integers(0, len(TEXT) - 40).map(lambda at: TEXT[:at] + TEXT[at + 37 :])))
def test_whatever_stands_in_the_file_is_read_or_refused(text: str) -> None:
    try:
        found = read_changes(text, known())
    except Invalid as problem:
        assert problem.what.en and problem.what.zh
    else:
        assert set(found.kinds) == set(ChangeKind)
