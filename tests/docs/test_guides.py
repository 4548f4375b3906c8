"""The guides say what the program says: generated pages are fresh, examples are right, nothing private is in them."""

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from tests.architecture.house import ROOT, SRC

from safebelt.app import House
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.scanner.policies import load_policies
from safebelt.rooms.ledger import verifier
from safebelt.rooms.registry.model import PartyKind, RegisterParty
from safebelt.rooms.rulebook import decide, packs
from safebelt.settings import Settings

DOCS = ROOT / "docs"
GUIDES = sorted(
    [ROOT / "README.md", ROOT / "README.zh.md", *(page for page in DOCS.rglob("*.md") if "adr" not in page.parts)]
)


TOOLS = ROOT / "tools"
sys.path.append(str(TOOLS))  # as it is when a tool is run: they name each other without a package
gen, law_reference = map(importlib.import_module, ("gen_reference", "law_reference"))


# --- generated pages ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generated() -> tuple[dict[str, str], object]:
    say = gen.Wording(gen.known_wording())
    return gen.pages(say), say


def test_the_reference_says_what_the_program_says(generated) -> None:
    written, say = generated

    assert len(written) == 11
    assert gen.faults(written, say) == []


@pytest.fixture(scope="module")
def law() -> packs.Law:
    return packs.open_law(ROOT / "law")


def test_every_fact_and_every_duty_without_a_norm_is_in_the_reference(generated, law) -> None:
    written, _ = generated
    facts = re.findall(r"^\| `([^`]+)` \|", written["facts.zh.md"], re.MULTILINE)
    without = written["law-completeness.en.md"].split("\n## ")[-1]

    assert sorted(facts) == sorted(packs.vocabulary(law.rulebook))
    assert without.count("\n| `") == sum(row.without_norm for row in packs.completeness(law.rulebook))
    assert set(json.loads(written["system.schema.json"])["properties"]["facts"]["properties"]) == set(facts)


def test_a_duty_that_loses_its_norm_turns_up_in_the_reference(generated, law) -> None:
    written, _ = generated
    norms = dict(law.rulebook.base.norms)
    lost = norms.pop("cn.pipl.art_57")
    poorer = replace(law, rulebook=replace(law.rulebook, base=replace(law.rulebook.base, norms=norms)))

    page = law_reference.completeness_page(poorer, "en", "")

    assert f"| `{lost.cites[0]}` |" in page
    assert f"| `{lost.cites[0]}` |" not in written["law-completeness.en.md"]


def test_a_stale_page_and_a_missing_translation_are_noticed(generated, tmp_path) -> None:
    written, _ = generated
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "cli.zh.md").write_text(written["cli.zh.md"] + "x")
    say = gen.Wording({"Nobody says this any more.": "没有人再这样说。"})
    say("A new command.", "zh")

    found = gen.faults(written, say, tmp_path)

    assert len(found) == 3
    assert any("cli.zh.md is stale" in fault for fault in found)
    assert any(fault.endswith("has no Chinese for: A new command.") for fault in found)


@pytest.mark.parametrize(
    ("said", "english", "chinese"),
    [
        ("Only English.", "Only English.", ""),
        ("Who may do what. 身份权限。", "Who may do what.", "身份权限。"),
        ("启动全部。 Start everything.", "Start everything.", "启动全部。"),
        ("AI systems and their dossiers. AI 系统与卷宗。", "AI systems and their dossiers.", "AI 系统与卷宗。"),
        ("", "", ""),
    ],
)
def test_a_sentence_in_two_languages_is_parted(said: str, english: str, chinese: str) -> None:
    assert gen.split(said) == (english, chinese)


# --- every page, twice -------------------------------------------------------------------------------------------


def test_every_page_links_only_to_pages_of_its_own_language() -> None:
    strays = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in DOCS.rglob("*.md")
        for target in re.findall(r"\]\(([^)#\s]+\.(?:zh|en)\.md)", page.read_text())
        if Path(target).suffixes[-2] != page.suffixes[-2]
    ]

    assert strays == []


def test_the_index_leads_to_every_page() -> None:
    for lang in ("zh", "en"):
        index = DOCS / f"index.{lang}.md"
        pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob(f"*.{lang}.md")} - {index.name}

        assert {page for page in pages if f"({page})" not in index.read_text()} == set()


def code_blocks(page: Path) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.en.md")), ids=lambda page: page.stem)
def test_both_languages_show_the_same_commands(page: Path) -> None:
    twin = page.with_name(page.name.replace(".en.md", ".zh.md"))

    assert [commands(block) for block in code_blocks(page)] == [commands(block) for block in code_blocks(twin)]


def commands(block: str) -> list[str]:
    """The lines a reader types, without comments, quoted reasons, and the language of the terminal."""
    lines = (re.sub(r"\s*#.*$", "", re.sub(r'"[^"]*"', '""', line)).rstrip() for line in block.splitlines())
    return [line for line in lines if line and "SAFEBELT_LANG" not in line]


def test_no_guide_calls_anything_compliant_or_names_a_private_place() -> None:
    for page in GUIDES:
        assert not re.search(r"\bcompliant\b|\bapproved\b|/root/|docs-home", page.read_text()), page


# --- examples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_every_command_in_a_guide_exists(page: Path) -> None:
    known = {
        line.split("`")[1] for line in (DOCS / "reference" / "cli.en.md").read_text().splitlines() if "| `" in line
    }
    names = {" ".join(re.findall(r"^safebelt((?: [a-z-]+(?![a-z|\\-]))+)", usage)[0].split()) for usage in known}
    typed = [
        match
        for block in code_blocks(page)
        for match in re.findall(r"^(?:\S*/)?safebelt ((?:[a-z-]+ ?)+)", block, re.MULTILINE)
    ]

    assert [line for line in typed if not any(f"{line} ".startswith(f"{name} ") for name in names)] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_example_policy_of_the_guide_is_well_formed(lang: str, tmp_path: Path) -> None:
    text = next(
        b for b in code_blocks(DOCS / "how-to" / f"write-a-screening-policy.{lang}.md") if b.startswith("policy:")
    )
    (tmp_path / "house.yaml").write_text(text)

    policy = load_policies(tmp_path)["example/house"]

    assert [rule.id for rule in policy.rules] == [rule["id"] for rule in yaml.safe_load(text)["rules"]]
    (tmp_path / "house.yaml").write_text(text.replace("action: mask", "action: hide"))
    with pytest.raises(Invalid):
        load_policies(tmp_path)


def example(name: str, lang: str, start: str) -> str:
    return next(one for one in code_blocks(DOCS / "how-to" / f"{name}.{lang}.md") if one.startswith(start))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_example_description_and_draft_of_the_guides_can_be_judged(lang: str, law) -> None:
    facts = packs.read_description(example("describe-a-system", lang, "safebelt:"), law.rulebook).values()
    draft = packs.read_overlay(example("draft-and-impact", lang, "id:"), law.rulebook)
    text = decide.text_on(law.rulebook, draft.effective)

    before = decide.judge(text, facts, draft.effective, ["eu/ai-act"])
    after = decide.judge(decide.text_on(law.rulebook, draft.effective, (draft,)), facts, draft.effective, ["eu/ai-act"])

    assert before.classes["eu/ai-act"].strictest == "high_risk"
    moved = [one for one in draft.changes[0].ids if before.findings[one].in_force != after.findings[one].in_force]
    assert moved == ["eu.ai-act.art_26__para_6"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_example_norm_of_the_guide_passes_every_check_among_the_law(lang: str, tmp_path: Path) -> None:
    for shared in ("facts", "evidence", "controls"):
        shutil.copy(ROOT / "law" / f"{shared}.yaml", tmp_path)
    place = tmp_path / "house" / "acme"
    place.mkdir(parents=True)
    for kind in ("instrument", "provisions", "norms", "cases"):
        (place / f"{kind}.yaml").write_text(example("write-a-norm", lang, f"# {kind}.yaml"))

    assert packs.check_folder(tmp_path, instrument="house/acme") == []
    (place / "norms.yaml").write_text((place / "norms.yaml").read_text().replace("customer_service", "customers"))
    assert [one.rule for one in packs.check_folder(tmp_path, instrument="house/acme")] == ["options-exist"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_example_law_of_the_reference_is_whole_and_comes_to_what_is_said(lang: str, tmp_path: Path) -> None:
    for block in code_blocks(DOCS / "reference" / f"rule-language.{lang}.md"):
        if block.startswith("# "):
            path = tmp_path / block.split("\n", 1)[0].removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block)

    assert packs.check_folder(tmp_path) == []
    book = packs.load_law(tmp_path)
    facts = packs.read_description(tmp_path / "systems" / "desk.yaml", book).values()
    today, later = date(2026, 11, 22), date(2026, 12, 1)

    now = decide.judge(decide.text_on(book, today), facts, today).classes["house/notices"]
    drafted = decide.judge(decide.text_on(book, later, book.drafts), facts, later).classes["house/notices"]
    many = {**facts, "scale.monthly_users": 1000}
    asked = decide.judge(decide.text_on(book, today), {**many, "use.only_for": None}, today)

    assert (now.strictest, [(one.class_id, one.on) for one in now.coming]) == ("none", [("notice", date(2027, 1, 1))])
    assert drafted.strictest == "notice"
    assert asked.findings["house.notices.rule_1"].missing == ("use.only_for",)


NAMES_ITS_RULE = {"finding": 1, "missing": 0, "_unlisted": 1, "_say": 1}
"""Functions of the reader of law, and which of their arguments is the name of the rule broken."""


def rules_in(source: str) -> set[str]:
    """Return the rules that findings of a module can name."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    named = ((getattr(call.func, "id", getattr(call.func, "attr", "")), call.args) for call in calls)
    said = [args[NAMES_ITS_RULE[name]] for name, args in named if name in NAMES_ITS_RULE]
    return {one.value for one in said if isinstance(one, ast.Constant)}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_reference_names_every_rule_that_a_finding_can_name(lang: str) -> None:
    code = (path.read_text() for path in (SRC / "rooms" / "rulebook" / "packs").rglob("*.py"))
    table = (DOCS / "reference" / f"rule-language.{lang}.md").read_text().split("\n## ")[-1]

    assert set(
        re.findall(r"`([a-z-]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "| `" in line))
    ) == (set().union(*map(rules_in, code)))


def test_a_rule_that_nobody_documented_would_be_noticed() -> None:
    assert rules_in('yield finding(where, "new-rule", what)\nindex.missing("other", 1)\nfinding(x, y)') == {
        "new-rule",
        "other",
    }


# --- a stranger's script -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(Settings(home=tmp_path_factory.mktemp("home"), database_url=""))
    for number in range(11):
        house.registry.register_party(RegisterParty(name=f"Party {number}", kind=PartyKind.ORGANISATION), by=OWNER)
    house.ledger.advance()
    yield house
    house.close()


def strangers_word(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Do what the guide shows, in a folder where nothing of the house lies and with no package in reach."""
    command = [sys.executable, "-I", "-S", str(folder / verifier.SCRIPT), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env={"LC_ALL": "C.UTF-8"})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_stranger_of_the_first_hour_sees_what_the_guide_shows(house, tmp_path, lang) -> None:
    guide = (ROOT / "docs" / "tutorials" / f"first-hour.{lang}.md").read_text(encoding="utf-8")
    shown = [line.removeprefix("# ") for line in guide.splitlines() if re.match(r"# (已|未)载入", line)]
    (tmp_path / verifier.SCRIPT).write_bytes(verifier.tools()[verifier.SCRIPT].body)
    (tmp_path / "ledger.pub").write_text(f"{house.ledger.verifier_keys()[-1]}\n")
    (tmp_path / "entry.proof").write_text(house.ledger.prove(house.ledger.entries(limit=1)[0].id))
    (tmp_path / "changed.proof").write_text((tmp_path / "entry.proof").read_text().replace("A", "B", 1))

    good, changed = (strangers_word(tmp_path, f"{name}.proof", "--key", "ledger.pub") for name in ("entry", "changed"))

    assert (good.returncode, changed.returncode) == (0, 1)
    assert [said.stdout.splitlines()[0] for said in (good, changed)] == shown
