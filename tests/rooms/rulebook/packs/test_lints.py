"""Every rule of form is broken once, and must be found, by its name, in its file and line."""

import re
from pathlib import Path

import pytest
from tests.rooms.rulebook.packs.tiny import TINY, changed, line_of, write

from safebelt.rooms.rulebook.packs import Finding, check_folder, lints

NORMS, TERMS, CASES = "eu/mini/norms.yaml", "eu/mini/terms.yaml", "eu/mini/cases.yaml"
AMENDS, MAIN, PROVISIONS = "eu/mini/amendments/2025-1.yaml", "eu/mini/instrument.yaml", "eu/mini/provisions.yaml"

# rule, file, what stands there, what is put in its place, the part of the new text whose line is to be named
BREAKS: list[tuple[str, str, str, str, str]] = [
    ("form", NORMS, "{zh: 保存日志, en: Keep logs}", "{zh: 保存日志}", "title: {zh: 保存日志}"),
    ("form", NORMS, "{zh: 保存日志, en: Keep logs}", "{zh: Keep logs, en: Keep logs}", "{zh: Keep logs,"),
    ("form", NORMS, "en: Keep logs", "en: 保存日志", "en: 保存日志"),
    ("form", NORMS, "en: Keep logs", "en: Keep every log of every system for many years", "en: Keep every"),
    ("form", NORMS, "bearer: provider", "bearer: supplier", "bearer: supplier"),
    ("form", NORMS, "evidence: [", "evidense: [", "evidense"),
    ("form", NORMS, "must: {zh: 保存", "may: {zh: 可以, en: It may}\n  must: {zh: 保存", "- id: eu.mini.art_2\n"),
    ("form", NORMS, "within: 15 days", "within: 15 moons", "within: 15 moons"),
    ("form", NORMS, "from: 2024-02-01}", "from: 2024-02-31}", "2024-02-31"),
    ("form", "eu/mini/parameters.yaml", "1e3", "many", "many}"),
    ("cites-exist", NORMS, "cites: [eu/mini#art_3]", "cites: [eu/mini#art_33]", "art_33"),
    ("cites-exist", MAIN, "cites: [eu/mini#art_1]", "cites: [eu/mini#art_11]", "art_11"),
    ("cites-exist", NORMS, "en: A fine., cites: [eu/mini#art_2]", "en: A fine., cites: [eu/mini#art_9]", "art_9"),
    ("duties-have-norms", PROVISIONS, "  no_norm: {zh: 只约束机关。, en: It binds authorities only.}\n", "", "eid: art_4"),
    ("facts-exist", NORMS, "{fact: party.size, is: small}", "{fact: party.sizes, is: small}", "party.sizes"),
    ("facts-exist", CASES, "without: [party.size]", "without: [party.sise]", "party.sise"),
    ("operator-fits", TERMS, "includes_any: [hiring]", "is: hiring", "is: hiring"),
    ("operator-fits", TERMS, "{fact: system.is_ai, is: true}", "{fact: system.is_ai, at_least: 1}", "at_least: 1}"),
    ("options-exist", NORMS, "includes: chat", "includes: chatting", "chatting"),
    ("options-exist", TERMS, "{fact: system.is_ai, is: true}", "{fact: system.is_ai, is: yes}", "is: yes"),
    ("references-exist", NORMS, "{term: eu.mini.high}", "{term: eu.mini.hi}", "eu.mini.hi}"),
    ("references-exist", TERMS, "{applies: [eu.mini.art_1]}", "{applies: [eu.mini.art_7]}", "art_7"),
    ("references-exist", TERMS, "{param: eu.mini.many}", "{param: eu.mini.any}", "eu.mini.any"),
    ("references-exist", NORMS, "overrides: [eu.mini.art_2]", "overrides: [eu.mini.art_22]", "art_22"),
    ("conditions", TERMS, "when: {applies: [eu.mini.art_1]}", "when: {aplies: [eu.mini.art_1]}", "aplies"),
    ("conditions", TERMS, "includes_any: [hiring]", "includes_any: []", "includes_any: []"),
    ("acyclic", TERMS, "when: {applies: [eu.mini.art_1]}", "when: {term: eu.mini.banned}", "- id: eu.mini.banned"),
    ("acyclic", NORMS, "overrides: [eu.mini.art_2]", "overrides: [eu.mini.art_2, eu.mini.art_2.spared]", ""),
    ("parameters-cover", "eu/mini/parameters.yaml", "{2024-02-01: 1e3}", "{2024-02-02: 1e3}", ""),
    ("dates-in-order", NORMS, "until: 2030-01-01", "until: 2024-02-01", "until: 2024-02-01"),
    ("dates-in-order", NORMS, "from: 2025-02-01", "from: 2031-02-01", "2031"),
    ("status-matches-basis", NORMS, "basis: recalled\n  status: unverified", "basis: recalled\n  status: verified", "verified\n- id: eu.mini.art_2.spared"),
    ("status-matches-basis", TERMS, "status: verified", "status: unverified", "status: unverified"),
    ("rests-on-verified", "eu/mini/parameters.yaml", "basis: primary\n  status: verified", "basis: unsure\n  status: unverified", ""),
    ("evidence-known", NORMS, "evidence: [event_logs]", "evidence: [event_log]", "event_log]"),
    ("controls-known", NORMS, "kind: log_retention", "kind: log_retension", "log_retension"),
    ("controls-known", NORMS, "months: 6", "month: 6", "month: 6"),
    ("controls-known", NORMS, "months: 6", "months: six", "months: six"),
    ("controls-known", NORMS, ", months: 6", "", "{kind: log_retention}"),
    ("red-lines-forbid", NORMS, "due: {always: true}", "red_line: true", "red_line: true\n  evidence"),
    ("bars-stand-on-red-lines", NORMS, "  red_line: true\n", "", ""),
    ("bars-stand-on-red-lines", MAIN, "when: {term: eu.mini.banned}", "when: {fact: eu.watched, is: true}", "when: {fact: eu.watched"),
    ("due", NORMS, "after: {fact: incident.aware_on}", "after: {fact: scale.users}", "due: {within"),
    ("occurrences", NORMS, "when: {fact: system.is_ai, is: true}\n  upon", "when: {fact: incident.kinds, includes: death}\n  upon", "when: {fact: incident.kinds"),
    ("groups-exist", "facts.yaml", "group: work}", "group: works}", "group: works}"),
    ("ids-are-unique", TERMS, "id: eu.mini.high", "id: eu.mini.banned", "- id: eu.mini.banned\n  title: {zh: 高"),
    ("ids-are-unique", "facts.yaml", "{id: large", "{id: small", "{id: small, label: {zh: 大"),
    ("names-follow-the-folder", MAIN, "id: eu/mini\n", "id: eu/maxi\n", "id: eu/maxi"),
    ("names-follow-the-folder", "eu/mini/facts.yaml", "id: eu.watched", "id: cn.watched", "id: cn.watched"),
    ("has-cases", CASES, "    unknown: {from: big, without: [system.is_ai]}\n", "", ""),
    ("has-cases", CASES, "    unknown: {from: big, without: [use.purposes]}\n", "", ""),
    ("cases", CASES, "yes: {from: big}", "yes: {from: bigg}", "bigg"),
    ("cases", CASES, "classes: [eu/mini.high]", "classes: [eu/mini.hi]", "eu/mini.hi]"),
    ("cases", CASES, "eu.mini.art_2: applies", "eu.mini.art_2: holds", "holds"),
    ("cases", CASES, "eu/mini: banned", "eu/mini: ban", "eu/mini: ban,"),
    ("cases", CASES, "{use.purposes: [chat]}", "{use.purposes: chat}", "{use.purposes: chat}"),
    ("cases", CASES, "{use.purposes: [chat]}", "{eu.mini.weight: 2}", "{eu.mini.weight: 2}"),
    ("acyclic", CASES, "big: {facts", "big: {from: small, facts", "big: {from: small"),
    ("case", CASES, "no: {from: big, facts: {use.purposes: [hiring, chat]}}", "no: {from: big}", "no: {from: big}"),
    ("case", CASES, "eu/mini: banned", "eu/mini: high", "given:"),
    ("overlays", AMENDS, "amend_norm: [eu.mini.art_1]", "amend_norm: [eu.mini.art_8]", "art_8"),
    ("overlays", AMENDS, "amend_provision: art_1", "amend_provision: art_8", "art_8"),
    ("overlays", AMENDS, "set_parameter: eu.mini.many", "set_parameter: eu.mini.more", "eu.mini.more"),
    ("form", AMENDS, "penalty: null", "fine: null", "fine: null"),
    ("form", AMENDS, "  - set_parameter: eu.mini.many\n    values: {2025-07-01: 900}", "  - set_parameter: eu.mini.many", "set_parameter"),
    ("versions-do-not-overlap", AMENDS, "  - set_parameter", "  - {amend_provision: art_1, set: {summary: {zh: 又改, en: Again}}}\n  - set_parameter", "{amend_provision"),
    ("both-sides", CASES, "    on: 2025-01-15\n", "", ""),
    ("used", TERMS, "- id: eu.mini.banned", "- {id: eu.mini.spare, title: {zh: 闲, en: Spare}, when: {fact: system.is_ai, is: true}, basis: primary, status: verified}\n- id: eu.mini.banned", "eu.mini.spare"),
    ("used", "facts.yaml", "{id: chat, label: {zh: 聊天, en: Chat}}", "{id: chat, label: {zh: 聊天, en: Chat}}\n    - {id: spare, label: {zh: 闲, en: Spare}}", "options:"),
    ("duplicate-keys", NORMS, "bearer: deployer", "bearer: deployer\n  bearer: provider", "bearer: provider"),
    ("aliases", TERMS, "when: {applies", "when: &a {applies", "&a"),
    ("syntax", TERMS, "when: {applies: [eu.mini.art_1]}", "when: {applies: [eu.mini.art_1}", "eu.mini.art_1}"),
]  # fmt: skip


def of(found: list[Finding], rule: str) -> list[Finding]:
    return [one for one in found if one.rule == rule]


def test_the_tiny_law_is_whole(tmp_path) -> None:
    assert check_folder(write(tmp_path, TINY)) == []


@pytest.mark.parametrize(("rule", "file", "old", "new", "at"), BREAKS, ids=lambda part: str(part)[:24])
def test_what_breaks_a_rule_is_found_in_its_line(tmp_path, rule, file, old, new, at) -> None:
    files = changed(file, old, new)

    found = of(check_folder(write(tmp_path, files)), rule)

    assert found, f"{rule} was not found"
    if at:
        assert (file, line_of(files[file], at)) in {(one.file, one.line) for one in found}
    assert all(one.what_zh and one.what_en and one.hint_zh and one.hint_en for one in found)


def test_every_rule_of_form_has_a_negative_control() -> None:
    broken = {rule for rule, *_ in BREAKS} | {"crosswalks"}
    files = [path.read_text(encoding="utf-8") for path in Path(lints.__file__).parent.glob("*.py")]

    named = {name for text in files for name in re.findall(r"\"([a-z]+(?:-[a-z]+)+)\"", text)}

    assert named - broken == set()
    assert len(named) > 15


def test_a_crosswalk_names_provisions_that_exist(tmp_path) -> None:
    walk = (
        "id: a--b\na: eu/mini\nb: eu/mini\nrelations:\n"
        "  - {a: art_1, b: art_9, relation: equal, why: {zh: 同, en: Same}, basis: primary}\n"
    )

    found = of(check_folder(write(tmp_path, {**TINY, "crosswalks/a--b.yaml": walk})), "crosswalks")

    assert [(one.file, one.line) for one in found] == [("crosswalks/a--b.yaml", 5)]


def test_parts_of_one_overlay_carry_the_same_header(tmp_path) -> None:
    other = TINY[AMENDS].split("changes:")[0].replace("2025-07-01", "2025-08-01") + (
        "changes:\n  - {amend_term: eu.mini.high, set: {unless: null}}\n"
    )

    found = of(check_folder(write(tmp_path, {**TINY, "eu/mini/amendments/2025-2.yaml": other})), "overlays")

    assert [(one.file, one.line) for one in found] == [("eu/mini/amendments/2025-2.yaml", 5)]


def test_a_misspelt_file_name_and_a_missing_instrument_are_found(tmp_path) -> None:
    files = {**TINY, "eu/mini/norm.yaml": "[]\n", "us/other/terms.yaml": "[]\n"}

    found = of(check_folder(write(tmp_path, files)), "files")

    assert {one.file for one in found} == {"eu/mini/norm.yaml", "us/other/instrument.yaml"}
    assert "norms" in next(one.hint_en for one in found if one.file.startswith("eu"))


def test_a_folder_that_is_not_there_is_said(tmp_path) -> None:
    assert of(check_folder(tmp_path / "nowhere"), "files")


def test_a_list_may_be_a_folder_of_files(tmp_path) -> None:
    files = {**TINY}
    files["eu/mini/norms/all.yaml"] = files.pop(NORMS)

    assert check_folder(write(tmp_path, files)) == []


def test_one_instruments_findings_can_be_asked_for_while_another_is_unfinished(tmp_path) -> None:
    files = {**TINY, "us/other/terms.yaml": "- {id: us.other.x}\n"}

    assert check_folder(write(tmp_path, files), instrument="eu/mini") == []
    assert check_folder(tmp_path, instrument="us/other")


def test_all_errors_are_reported_at_once(tmp_path) -> None:
    files = changed(NORMS, "bearer: provider", "bearer: supplier")
    files[TERMS] = files[TERMS].replace("includes_any: [hiring]", "includes_any: [hire]")
    files[CASES] = files[CASES].replace("yes: {from: small}", "yes: {from: smal}")

    found = [one for one in check_folder(write(tmp_path, files)) if not one.is_warning]

    assert {one.file for one in found} >= {NORMS, TERMS, CASES}


def test_a_provision_with_a_norm_and_a_reason_for_none_is_pointed_out(tmp_path) -> None:
    files = changed(PROVISIONS, "{eid: art_2, ", "{eid: art_2, no_norm: {zh: 无, en: None at all}, ")

    found = of(check_folder(write(tmp_path, files)), "duties-have-norms")

    assert [(one.line, one.is_warning) for one in found] == [(2, True)]
