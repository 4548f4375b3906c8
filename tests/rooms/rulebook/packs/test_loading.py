"""From files to the rulebook; overlays that come alone; the command for authors; the count of what is complete."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.packs.tiny import TINY, changed, line_of, write

from safebelt.kernel.errors import Problem
from safebelt.rooms.rulebook.decide.overlays import consolidate, text_on
from safebelt.rooms.rulebook.model import Deed, DueKind, Modality, Overlay, OverlayStanding, Part, Rulebook
from safebelt.rooms.rulebook.packs import (
    Unreadable,
    check_folder,
    completeness,
    completeness_table,
    load_law,
    load_overlay,
    open_law,
    read_overlay,
    run_cases,
)
from safebelt.rooms.rulebook.packs.__main__ import main

DRAFT = """\
id: eu/mini@draft-1
title: {zh: 草案, en: Draft}
instrument: eu/mini
standing: draft
effective: 2027-01-01
basis: primary
changes:
  - add_provision: {eid: art_9, summary: {zh: 新义务。, en: A new duty.}, duty: true, basis: primary}
  - add_norm:
      id: eu.mini.art_9
      title: {zh: 新义务, en: New duty}
      must: {zh: 做新的事。, en: Do the new thing.}
      bearer: provider
      cites: [eu/mini#art_9]
      in_force: {from: 2027-01-01}
      when: {fact: use.purposes, includes: chat}
      controls: [{kind: log_retention, months: {param: eu.mini.many}}]
      basis: primary
      status: verified
  - amend_norm: [eu.mini.art_2]
    set: {must: {zh: 保存更多日志。, en: Keep more logs.}, due: {by: 2027-06-01}, unless: null}
  - amend_class: [eu/mini.high]
    set: {when: {fact: system.is_ai, is: true}}
  - repeal_provision: art_4
  - set_parameter: eu.mini.many
    values: {2027-01-01: 10}
"""


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory) -> Rulebook:
    return load_law(write(tmp_path_factory.mktemp("law"), TINY))


def test_what_the_files_say_is_in_the_rulebook(rulebook) -> None:
    base = rulebook.base
    norm = base.norms["eu.mini.art_2"]

    assert (norm.modality, norm.says.en, norm.starts[0].from_) == (
        Modality.MUST,
        "Logs are to be kept.",
        date(2025, 2, 1),
    )
    assert norm.controls[0].fields == {"months": 6}
    assert base.norms["eu.mini.art_3"].due.kind is DueKind.WITHIN
    assert (base.norms["eu.mini.art_3"].due.amount, base.norms["eu.mini.art_3"].due.fact) == (15, "incident.aware_on")
    assert base.parameters["eu.mini.many"].values == {date(2024, 2, 1): 1000.0}
    assert base.provisions["eu/mini#art_4"].no_norm
    assert [label.id for label in base.instruments["eu/mini"].classes] == ["banned", "high"]
    assert base.instruments["eu/mini"].identifiers[0].value == "7"


def test_an_amendment_is_kept_apart_and_changes_the_text_from_its_day(rulebook) -> None:
    before, after = text_on(rulebook, date(2025, 6, 30)), text_on(rulebook, date(2025, 7, 1))

    assert [one.standing for one in rulebook.enacted] == [OverlayStanding.ENACTED]
    assert len(before.norms["eu.mini.art_1"].when.parts) == 2
    assert len(after.norms["eu.mini.art_1"].when.parts) == 3
    assert after.parameters["eu.mini.many"].on(date(2025, 8, 1)) == 900


def test_a_broken_folder_raises_one_problem_with_every_finding(tmp_path) -> None:
    files = changed("eu/mini/norms.yaml", "bearer: provider", "bearer: supplier")

    with pytest.raises(Unreadable) as raised:
        load_law(write(tmp_path, files))

    assert raised.value.status == 422
    assert any("eu/mini/norms.yaml" in one.where for one in raised.value.findings)


def test_a_repeal_that_leaves_a_rule_without_what_it_names_is_found_at_the_repeal(tmp_path) -> None:
    name = "eu/mini/amendments/2025-1.yaml"
    files = changed(name, "  - set_parameter", "  - repeal_term: [eu.mini.high]\n  - set_parameter")
    folder = write(tmp_path, files)

    with pytest.raises(Unreadable) as raised:
        load_law(folder)

    where = (name, line_of(files[name], "- repeal_term"), "fits")
    assert {(one.file, one.line, one.rule) for one in raised.value.findings} == {where}
    assert where in {(one.file, one.line, one.rule) for one in check_folder(folder)}


def test_every_case_of_the_tiny_law_agrees_and_a_wrong_one_says_why(tmp_path) -> None:
    law = open_law(write(tmp_path / "good", TINY))
    wrong = open_law(write(tmp_path / "bad", changed("eu/mini/cases.yaml", "eu/mini: banned", "eu/mini: high")))

    disagreeing = [one for one in run_cases(wrong.rulebook, wrong.cases) if not one.agrees]

    assert all(one.agrees for one in run_cases(law.rulebook, law.cases))
    assert [(one.about, one.wanted, one.got) for one in disagreeing] == [("eu/mini", "high", "banned")]
    assert disagreeing[0].why.zh
    assert disagreeing[0].as_finding().line == line_of(TINY["eu/mini/cases.yaml"], "given:")


def test_a_draft_that_comes_alone_is_read_and_fits(rulebook, tmp_path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(DRAFT, encoding="utf-8")

    draft = load_overlay(path, rulebook)
    after = consolidate(text_on(rulebook, date(2027, 1, 1)), (draft,))

    assert draft.changes == read_overlay(DRAFT, rulebook).changes
    assert draft.standing is OverlayStanding.DRAFT
    assert [(one.deed, one.part) for one in draft.changes[:2]] == [(Deed.ADD, Part.PROVISION), (Deed.ADD, Part.NORM)]
    assert after.faults == ()
    assert after.text.norms["eu.mini.art_2"].says.en == "Keep more logs."
    assert after.text.norms["eu.mini.art_2"].due.by == date(2027, 6, 1)
    assert "eu/mini#art_4" not in after.text.provisions


BREAKS = [
    ("instrument: eu/mini", "instrument: eu/mine", "eu/mine"),
    ("amend_norm: [eu.mini.art_2]", "amend_norm: [eu.mini.art_7]", "art_7"),
    ("includes: chat", "includes: chatt", "chatt"),
    ("cites: [eu/mini#art_9]", "cites: [eu/mini#art_99]", "art_99"),
    ("kind: log_retention", "kind: log_retain", "log_retain"),
    ("set: {must:", "set: {most:", "most"),
    ("repeal_provision: art_4", "repeal_provision: art_44", "art_44"),
    ("effective: 2027-01-01", "effective: soon", "soon"),
    ("status: verified", "status: unverified", "status: unverified"),
    ("id: eu.mini.art_9\n", "id: eu.mini.art_3\n", "add_norm"),
    ("set: {when: {fact: system.is_ai, is: true}}", "set: {when: {term: eu.mini.none}}", "eu.mini.none"),
    ("set_parameter: eu.mini.many", "repeal_norm: [eu.mini.art_2]", "repeal_norm"),
    ("- repeal_provision: art_4", "- repeal_term: [eu.mini.high]", "repeal_term"),
]


@pytest.mark.parametrize(("old", "new", "at"), BREAKS, ids=lambda part: part[:24])
def test_what_does_not_fit_in_a_draft_is_said_in_its_line(rulebook, old, new, at) -> None:
    text = DRAFT.replace(old, new, 1)

    with pytest.raises(Unreadable) as raised:
        read_overlay(text, rulebook)

    assert line_of(text, at) in {one.line for one in raised.value.findings}


_PIECES = st.sampled_from(
    [line + "\n" for line in DRAFT.splitlines()] + ["{", "[", "&a ", "*a", ": ", "\t", "- ", "null\n"]
)


@settings(max_examples=80, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_PIECES, max_size=30).map("".join) | st.tuples(st.integers(0, len(DRAFT)), st.integers(0, 40), st.text(max_size=12)).map(
    lambda cut: DRAFT[: cut[0]] + cut[2] + DRAFT[cut[0] + cut[1] :]
))  # fmt: skip
def test_no_overlay_raises_anything_but_a_problem(rulebook, text) -> None:
    try:
        assert isinstance(read_overlay(text, rulebook), Overlay)
    except Problem as said:
        assert said.what.zh


def test_the_count_says_what_is_complete(tmp_path) -> None:
    law = open_law(write(tmp_path, TINY))

    (row,) = completeness(law.rulebook, law.cases)

    assert (row.provisions, row.duties, row.with_norm, row.without_norm, row.missing) == (4, 4, 3, 1, ())
    assert (row.verified, row.unverified) == (3, 1)
    assert row.cases == 24
    assert "| Mini Act (`eu/mini`) | law | 4 | 4 | 3 | 1 | 0 | 3 | 1 | 24 |" in completeness_table([row], "en")
    assert "合计" in completeness_table([], "zh")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_for_authors_prints_file_line_what_and_what_to_do(tmp_path, capsys, lang) -> None:
    good, bad = write(tmp_path / "good", TINY), changed("eu/mini/norms.yaml", "bearer: deployer", "bearer: deploier")

    assert main([str(good), "--lang", lang]) == 0
    assert main([str(write(tmp_path / "bad", bad)), "--lang", lang]) == 1
    assert main([str(tmp_path / "bad"), "--instrument", "us/other"]) == 0

    out = capsys.readouterr().out
    assert f"eu/mini/norms.yaml:{line_of(bad['eu/mini/norms.yaml'], 'deploier')}: form: bearer" in out
    assert "deployer" in out


OTHER = DRAFT.replace("@draft-1", "@draft-2").replace("art_9", "art_8")


@pytest.mark.parametrize(
    "broken",
    [
        "id: nothing\n",
        "x: [\n",
        OTHER.replace("eu.mini.art_2", "eu.mini.art_99"),
        OTHER.replace("eu/mini\n", "eu/none\n"),
    ],
)
def test_a_broken_draft_is_left_out_and_takes_no_law_down(tmp_path, broken) -> None:
    folder = write(tmp_path, {**TINY, "drafts/broken.yaml": broken, "drafts/good.yaml": DRAFT})

    law = open_law(folder)

    assert [one.id for one in law.rulebook.drafts] == ["eu/mini@draft-1"]
    assert [one.file for one in law.warnings if one.file.startswith("drafts/")]
    assert any(one.file == "drafts/broken.yaml" and not one.is_warning for one in check_folder(folder))
