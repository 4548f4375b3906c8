"""The documentation is complete, and says the same in both languages."""

import ast
import re

import pytest
from tests.architecture.house import ROOT, SRC, room_names, sources

from safebelt.settings import Settings

REFERENCE = ROOT / "docs" / "reference"
ADR = ROOT / "docs" / "adr"


def rows(text: str) -> list[list[str]]:
    """Read the body of the only table in a page."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def page(name: str, lang: str) -> list[list[str]]:
    return rows((REFERENCE / f"{name}.{lang}.md").read_text())


def names_in(source: str) -> set[str]:
    """Every name a module defines: classes, functions, variables, attributes and enum members."""
    tree = ast.parse(source)
    defined = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)}
    return defined | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


@pytest.fixture(scope="module")
def names() -> set[str]:
    return set(room_names()).union(*(names_in(path.read_text()) for path in sources()))


# --- glossary ----------------------------------------------------------------------------------------------------


def test_both_glossaries_have_the_same_rows() -> None:
    zh, en = page("glossary", "zh"), page("glossary", "en")

    assert [row[:3] for row in zh] == [row[:3] for row in en]
    assert len(zh) > 30
    assert all(len(row) == 4 and all(row) for row in zh + en)


def test_one_word_has_one_word_has_one_identifier() -> None:
    for column in zip(*(row[:3] for row in page("glossary", "en")), strict=True):
        assert len(set(column)) == len(column)


def test_every_identifier_of_the_glossary_exists_in_the_code(names) -> None:
    assert [row[2] for row in page("glossary", "en") if row[2].strip("`") not in names] == []


def test_an_identifier_that_does_not_exist_would_be_noticed(names) -> None:
    assert "Ledgre" not in names
    assert names_in("class A: ...\nB = 1\ndef c():\n    d: int = 2\n") == {"A", "B", "c", "d"}


def test_meanings_are_written_in_the_language_of_the_page() -> None:
    assert all(re.search(r"[\u4e00-\u9fff]", row[3]) for row in page("glossary", "zh"))
    assert not [row for row in page("glossary", "en") if re.search(r"[\u4e00-\u9fff]", row[3])]


# --- settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_setting_is_documented_and_nothing_else(lang: str) -> None:
    documented = [row[0].strip("`") for row in page("settings", lang)]

    assert documented == list(Settings.model_fields)
    assert all(row[2] for row in page("settings", lang))


def test_every_setting_describes_itself() -> None:
    assert [name for name, one in Settings.model_fields.items() if not one.description] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_simple_defaults_are_stated_as_they_are(lang: str) -> None:
    stated = {row[0].strip("`"): row[1].strip("`") for row in page("settings", lang)}
    simple = {
        n: str(f.default)
        for n, f in Settings.model_fields.items()
        if isinstance(f.default, int | str) and f.default != ""
    }

    assert {name: stated[name] for name in simple} == simple


def test_secrets_among_the_settings_are_not_shown_when_printed() -> None:
    settings = Settings(upstream_key="hunter2", admin_password="hunter3")

    assert "hunter" not in repr(settings)


# --- decisions ---------------------------------------------------------------------------------------------------

DECISIONS = sorted(ADR.glob("[0-9]*.md"))


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (ADR / "README.md").read_text()
    assert [path.name for path in DECISIONS if f"({path.name})" not in index] == []


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_its_title_context_consequences_and_alternatives(path) -> None:
    text = path.read_text()

    assert text.startswith(f"# {path.name[:4]}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]
    assert all(body.strip() for body in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


# --- pages -------------------------------------------------------------------------------------------------------


def test_every_page_of_the_documentation_is_there_in_both_languages() -> None:
    pages = {path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md") if ADR not in path.parents}
    halves = {str(page).removesuffix(".md").removesuffix(".zh").removesuffix(".en") for page in pages}

    assert {half for half in halves for lang in ("zh", "en") if not (ROOT / f"{half}.{lang}.md").exists()} == set()


def test_links_between_pages_lead_somewhere() -> None:
    pages = [path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *SRC.rglob("*.md")]]
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in pages
        for target in re.findall(r"\]\((?!https?:|mailto:|#|/)([^)#\s]+)", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert broken == []


# --- the front page ----------------------------------------------------------------------------------------------

README = (ROOT / "README.md").read_text()
STANDINGS = ("works", "partly", "not yet")


def standing_of(readme: str) -> dict[int, str]:
    """Read `| R7 | … | partly | … |` rows: how each requirement stands."""
    table = {}
    for cells in (line.strip("| ").split("|") for line in readme.splitlines() if re.match(r"\|\s*R\d+\s*\|", line)):
        said = [standing for cell in cells for standing in STANDINGS if cell.strip().strip("*_`").lower() == standing]
        table[int(cells[0].strip()[1:])] = said[0] if len(said) == 1 else ""
    return table


def test_the_front_page_says_of_every_requirement_whether_it_works() -> None:
    table = standing_of(README)

    assert sorted(table) == list(range(1, 37))
    assert [number for number, standing in table.items() if not standing] == []


def test_both_front_pages_say_the_same_of_every_requirement() -> None:
    assert standing_of((ROOT / "README.zh.md").read_text()) == standing_of(README)


def test_a_requirement_without_a_plain_standing_is_noticed() -> None:
    assert standing_of("| R1 | x | works |\n| R2 | y | soon |\n| R3 | *partly* | z |") == {
        1: "works",
        2: "",
        3: "partly",
    }
