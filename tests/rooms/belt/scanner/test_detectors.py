"""Every kind of personal data is found, also against Chinese characters, and its near misses are not."""

import re
from functools import cache
from re import _parser as parser  # type: ignore[attr-defined]

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.scanner.samples import NEAR_MISSES, VALID, policy, rule

from safebelt.rooms.belt.decide import MASKED, PLACEHOLDERS, placeholder
from safebelt.rooms.belt.model import Action, Side
from safebelt.rooms.belt.scanner import Scanner, mask_all
from safebelt.rooms.belt.scanner.detectors import DETECTORS
from safebelt.rooms.belt.scanner.detectors.base import HINT_REACH, REACH
from safebelt.rooms.belt.scanner.fold import fold

SAMPLES = [(name, text) for name, texts in VALID.items() for text in texts]


@cache
def scanner(name: str) -> Scanner:
    """One detector alone.  Built when a test asks: every one of pytest's workers reads this file, one runs it."""
    return Scanner(policy(rule("r", Action.MASK, detectors=(name,))))


def found(name: str, text: str) -> list[str]:
    return [text[hit.start : hit.end] for hit in scanner(name).scan(text, Side.INPUT)]


def wide(text: str) -> str:
    """Full-width forms of visible ASCII."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def test_every_detector_has_samples_near_misses_and_a_placeholder() -> None:
    assert set(VALID) == set(NEAR_MISSES) == set(DETECTORS) == set(PLACEHOLDERS)


@pytest.mark.parametrize(("name", "text"), SAMPLES)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("我的是", "请记一下"),
        ("（", "）。"),
        ("号码：", "，谢谢"),
        ("它", "它"),
        ("見", "한"),
        ("is ", " ok"),
        ("——", "——"),
    ],
)
def test_personal_data_is_found_whole_also_where_it_touches_chinese(
    name: str, text: str, before: str, after: str
) -> None:
    hits = found(name, before + text + after)

    if name == "invisible_run":
        assert hits == ["\u200b"] * 7
    else:
        assert text in hits


@pytest.mark.parametrize(("name", "text"), [s for s in SAMPLES if s[0] != "invisible_run"])
@pytest.mark.parametrize(("before", "after"), [(r"\u53f7", r"\u5728"), (r"\n", r"\n"), (r"\t", r"\r\n"), ("\n", "\n")])
def test_escapes_of_json_within_a_text_hide_nothing(name: str, text: str, before: str, after: str) -> None:
    hits = found(name, f'{{"note": "{before}{text}{after}"}}')

    assert any(hit.startswith(text) for hit in hits)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ipv4", "IP203.0.113.57", "203.0.113.57"),
        ("ipv6", "IP2001:db8:85a3::8a2e:370:7334", "2001:db8:85a3::8a2e:370:7334"),
        ("mac", "MAC3c:22:fb:1a:2b:3c", "3c:22:fb:1a:2b:3c"),
        ("mac", "address:3c:22:fb:1a:2b:3c", "3c:22:fb:1a:2b:3c"),
        ("iban", "IBANDE89370400440532013000", "DE89370400440532013000"),
        ("us_phone", "Tel415-555-2671", "415-555-2671"),
        ("phone_international", "FAX+44 20 7946 0958", "+44 20 7946 0958"),
    ],
)
def test_the_name_of_a_kind_may_touch_it(name: str, text: str, value: str) -> None:
    assert found(name, f"请记{text}。") == [value]
    assert found(name, f"zz{text[:1]}{value}") == [] or name == "mac"


@pytest.mark.parametrize(("name", "text"), [s for s in SAMPLES if s[0] not in ("invisible_run", "private_key")])
def test_full_width_spelling_hides_nothing(name: str, text: str) -> None:
    assert wide(text) in found(name, "我的" + wide(text) + "好")


@pytest.mark.parametrize(("name", "text"), [s for s in SAMPLES if s[0] != "invisible_run"])
def test_invisible_characters_and_upper_case_hide_nothing(name: str, text: str) -> None:
    hidden = "\u200b".join(text).upper() if "\\n" not in text else "\u2060".join(text)

    assert hidden in found(name, "我的" + hidden + "好")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in NEAR_MISSES.items() for text in texts])
def test_a_near_miss_is_not_found(name: str, text: str) -> None:
    assert found(name, text) == []
    assert found(name, f"编号 {text} 结束") == []


def test_the_rest_of_a_long_token_is_found_with_it() -> None:
    token = VALID["jwt"][0] + "x" * 5000

    assert found("jwt", f"Bearer {token}, thanks") == [token]


def test_a_card_is_found_before_its_security_code_and_date() -> None:
    assert "4111 1111 1111 1111" in found("bank_card", "card 4111 1111 1111 1111 123 12/28")


def test_placeholders_are_safe_in_json_and_are_never_found_again() -> None:
    for text in (*PLACEHOLDERS.values(), MASKED):
        assert not set(text) & set('"\\0123456789')
        assert mask_all(text) == text


@pytest.mark.parametrize(("name", "text"), SAMPLES)
def test_records_mask_all_personal_data_whatever_the_policy(name: str, text: str) -> None:
    masked = mask_all(f"我的{text}好")

    if DETECTORS[name].is_masked_in_records:
        assert text not in masked
        assert "⟦" in masked
    else:
        assert masked == f"我的{text}好"
    assert mask_all(masked) == masked


def test_an_unknown_detector_gets_the_general_placeholder() -> None:
    assert placeholder("keyword") == MASKED


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_looks_no_further_than_it_says(name: str) -> None:
    detector, behind = DETECTORS[name], 2  # no pattern looks at more than two characters behind its end

    assert parser.parse(detector.pattern.pattern).getwidth()[1] + behind <= detector.longest <= REACH
    assert parser.parse(detector.hint).getwidth()[1] <= HINT_REACH


_around = st.sampled_from(["", " ", "，编号", "x" * 90, "。" * 200, "12 ", "2024-01-02", ":", "@", "sk-"])
_any_value = st.sampled_from([text for texts in (*VALID.values(), *NEAR_MISSES.values()) for text in texts])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_around, _any_value), max_size=5), st.sampled_from(sorted(DETECTORS)))
def test_what_is_found_near_hints_is_what_the_whole_text_holds(parts: list[tuple[str, str]], name: str) -> None:
    text, detector = fold("".join(around + value for around, value in parts)), DETECTORS[name]
    hints = [
        end for end in range(1, len(text) + 1) if re.search(rf"(?:{detector.hint})\Z", text[max(0, end - 80) : end])
    ]
    probed = re.search(detector.probe, text)

    spans = list(detector.find(text))

    assert list(detector.find_near(text, hints)) == spans
    assert probed or not spans
    assert list(detector.find_near(text, ())) == []
