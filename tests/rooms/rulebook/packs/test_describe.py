"""A described system is read whole, or every error is said at once, in its line, with what to do."""

import time
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.packs.tiny import TINY, line_of, write

from safebelt.kernel.errors import Problem
from safebelt.rooms.rulebook.model import Description, FactValue, Rulebook, Source
from safebelt.rooms.rulebook.packs import Unreadable, description_schema, load_law, read_description, template

GOOD = """\
safebelt: system/1
id: bot
name: {zh: 机器人, en: Bot}
purpose: Answers people
sources:
  s1: {title: Its page, url: https://example.org/bot, as_of: 2026-01-31}
facts:
  system.is_ai: true
  use.purposes: {value: [hiring, chat], source: s1, as_of: 2026-01-31, note: {zh: 见首页, en: front page}}
  scale.users: 1e3
  party.size: small
  incident.aware_on: 2026-02-01
  eu.watched: no
expected:
  - {instrument: eu/mini, strictest: banned, source: s1, why: {zh: 官方说的, en: They say so}}
"""


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory) -> Rulebook:
    return load_law(write(tmp_path_factory.mktemp("law"), TINY))


def problem(text: str | bytes, rulebook: Rulebook, name: str = "") -> Unreadable:
    with pytest.raises(Unreadable) as raised:
        read_description(text, rulebook, name=name)
    return raised.value


def test_a_good_description_is_read(rulebook) -> None:
    bot = read_description(GOOD, rulebook)

    assert isinstance(bot, Description)
    assert bot.name.zh == "机器人"
    assert bot.sources == {"s1": Source(title="Its page", url="https://example.org/bot", as_of=date(2026, 1, 31))}
    assert bot.values() == {
        "system.is_ai": True, "use.purposes": ("hiring", "chat"), "scale.users": 1000.0, "party.size": "small",
        "incident.aware_on": date(2026, 2, 1), "eu.watched": False,
    }  # fmt: skip
    assert bot.facts["use.purposes"] == FactValue(
        value=("hiring", "chat"), source="s1", as_of=date(2026, 1, 31), note="见首页 / front page"
    )
    assert bot.expected[0].strictest == "banned"


def test_json_says_the_same_as_yaml(rulebook, tmp_path) -> None:
    text = '{"safebelt": "system/1", "id": "bot",\n\t"name": "Bot", "facts": {"incident.aware_on": "2026-02-01"}}'
    path = tmp_path / "system.json"
    path.write_text(text)

    assert read_description(path, rulebook) == read_description(text, rulebook)
    assert read_description(text, rulebook).values() == {"incident.aware_on": date(2026, 2, 1)}


BREAKS: list[tuple[str, str, str, str]] = [
    ("safebelt: system/1", "safebelt: system/2", "system/2", "system/1"),
    ("id: bot", "id: Bot No. 1", "Bot No. 1", ""),
    ("name: {zh: 机器人, en: Bot}", "name: {zh: 机器人}", "name: {zh", ""),
    ("purpose:", "purposes:", "purposes:", "Did you mean purpose?"),
    ("system.is_ai: true", "system.is_a: true", "system.is_a:", "Did you mean system.is_ai?"),
    ("system.is_ai: true", "system.is_ai: maybe", "maybe", "true or false"),
    ("system.is_ai: true", "system.is_ai: 1", "system.is_ai: 1", "true or false"),
    ("system.is_ai: true", "system.is_ai:", "system.is_ai:", "Leave the fact out"),
    ("[hiring, chat]", "[hireing, chat]", "hireing", "Did you mean hiring?"),
    ("[hiring, chat]", "hiring", "value: hiring", "[a, b]"),
    ("scale.users: 1e3", "scale.users: -1", "-1", "Check"),
    ("scale.users: 1e3", "scale.users: many", "many", "number"),
    ("party.size: small", "party.size: smal", "smal\n", "Did you mean small?"),
    ("party.size: small", "party.size: [small]", "[small]", "Use one of"),
    ("aware_on: 2026-02-01", "aware_on: 2026-02-31", "2026-02-31", "2026-07-27"),
    ("source: s1, as_of", "source: s2, as_of", "s2", "List it under sources"),
    ("as_of: 2026-01-31}\nfacts", "as_of: January}\nfacts", "January", "2026-07-27"),
    ("https://example.org/bot", "javascript:alert", "javascript", ""),
    ("instrument: eu/mini", "instrument: eu/mine", "eu/mine", "Did you mean eu/mini?"),
    ("strictest: banned", "strictest: ban", "strictest: ban,", "banned, high, unknown"),
    ("facts:", "facts: [1]\nfactz:", "facts: [1]", ""),
]


@pytest.mark.parametrize(("old", "new", "at", "hint"), BREAKS, ids=lambda part: str(part)[:24])
def test_an_error_is_said_in_its_line_with_what_to_do(rulebook, old, new, at, hint) -> None:
    text = GOOD.replace(old, new, 1)

    found = problem(text, rulebook).findings

    here = [one for one in found if one.line == line_of(text, at)]
    assert here
    assert any(hint in one.hint_en for one in here)
    assert all(one.what_zh and one.hint_zh for one in here)


def test_all_errors_are_said_at_once(rulebook) -> None:
    text = GOOD
    for old, new, _, _ in (BREAKS[0], BREAKS[4], BREAKS[8], BREAKS[10], BREAKS[15]):
        text = text.replace(old, new, 1)

    raised = problem(text, rulebook)

    assert {one.line for one in raised.findings} == {1, 8, 9, 10}
    assert len(raised.details) == len(raised.findings) == 5
    assert "system.yaml:8" in raised.what.en
    assert "system.yaml:8" in raised.what.zh


@pytest.mark.parametrize(
    "text",
    ["", "- 1\n", "just words", "42", "facts: &a {b: *a}\n", "!!set {a}", "a: 1\n---\nb: 2", "{", "[" * 5000, b"\xff\xfe", b"", "x" * 1_000_001],
    ids=lambda text: repr(text)[:16],
)  # fmt: skip
def test_what_is_no_description_is_refused(rulebook, text) -> None:
    assert problem(text, rulebook).findings


def test_a_file_that_is_not_there_or_too_large_is_refused(rulebook, tmp_path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"# " + b"x" * 3_000_000)

    for path, rule in ((tmp_path / "none.yaml", "files"), (tmp_path, "files"), (large, "size")):
        with pytest.raises(Unreadable) as raised:
            read_description(path, rulebook)
        assert [one.rule for one in raised.value.findings] == [rule]


def test_the_schema_is_made_of_the_vocabulary_in_both_languages(rulebook) -> None:
    facts = description_schema(rulebook)["properties"]["facts"]["properties"]

    assert set(facts) == set(rulebook.base.facts)
    assert facts["use.purposes"]["title"] == "用途 / Purposes"
    assert facts["scale.users"]["anyOf"][0] == {"type": "number", "minimum": 0, "description": "people"}


def test_a_template_can_hold_the_facts_of_one_instrument_only(rulebook) -> None:
    text = template(rulebook, "en", ["eu/mini"])

    assert "  # eu.watched: true" in text
    assert "  # party.size: small" in text  # through a derived fact
    assert "incident.kinds" not in text  # it starts a clock and decides nothing
    assert template(rulebook, "en", []).count("  # ") == 0
    assert "Not legal advice" in text


_PIECES = st.sampled_from(
    [line + "\n" for line in GOOD.splitlines()]
    + ["  ", "- ", "{", "}", "[", "]", ":", "&a ", "*a ", "!t ", "? ", "|", ">", "'", '"', "\t", "\x00", "null\n", "no\n", "1e25\n", "---\n", "2026-13-01\n", "系统\n", "facts:\n", "  system.is_ai: "]
)  # fmt: skip


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_PIECES, max_size=30).map("".join) | st.tuples(st.integers(0, len(GOOD)), st.integers(0, 40), st.text(max_size=12)).map(
    lambda cut: GOOD[: cut[0]] + cut[2] + GOOD[cut[0] + cut[1] :]
))  # fmt: skip
def test_no_description_raises_anything_but_a_problem(rulebook, text) -> None:
    begun = time.process_time()
    try:
        assert isinstance(read_description(text, rulebook), Description)
    except Problem as said:
        assert said.what.zh
        assert said.what.en
    assert time.process_time() - begun < 2
