"""A label has the seven keys, keeps to the standard's characters, invents nothing, and says what it lacks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.labelling.decide import (
    as_field,
    as_header,
    is_label_value,
    label,
    notice_for,
    provider_code_holds,
    provider_code_of,
)
from safebelt.rooms.labelling.decide.label import counts, counts_plainly
from safebelt.rooms.labelling.model import CITATIONS, KEYS, NOTICE, Conformance, Generation
from safebelt.rooms.labelling.room import ROOM

CODE = "001191110102MACQD9K64010000"
SEVEN = ["Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"]


def test_a_label_with_provider_and_number_has_all_required_keys() -> None:
    made, conformance, reason = label(Generation.GENERATED, provider_code=CODE, produce_id="rec_01")

    assert conformance is Conformance.COMPLETE
    assert list(made.as_object()) == SEVEN == list(KEYS.values())
    assert made.as_object()["Label"] == "1"
    assert made.as_object()["ContentProducer"] == CODE
    assert CITATIONS["implicit"] in reason.cites


def test_without_a_provider_none_is_invented_and_the_label_says_incomplete() -> None:
    made, conformance, reason = label(Generation.GENERATED, provider_code="", produce_id="rec_01")

    assert conformance is Conformance.INCOMPLETE
    assert as_field(made, conformance) == {
        "AIGC": {
            "Label": "1",
            "ContentProducer": "",
            "ProduceID": "rec_01",
            "ReservedCode1": "",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        },
        "status": "incomplete",
        "missing": ["ContentProducer"],
    }
    assert "ContentProducer" in reason.as_text("zh")


def test_a_wrong_check_digit_makes_the_label_incomplete_and_is_told() -> None:
    _, conformance, reason = label(Generation.GENERATED, provider_code="001191110102MACQD9K65010000", produce_id="r")

    assert conformance is Conformance.INCOMPLETE
    assert any(part.holds is Truth.FALSE for _, part in reason.walk())


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        (CODE, Truth.TRUE),
        ("001191110102MACQD9K640", Truth.TRUE),
        ("001191440300708461136T1XGW3", Truth.TRUE),
        ("001191310104MACE0YX63918020", Truth.TRUE),
        ("001191310104MACE0YX63818020", Truth.FALSE),
        ("0011IIIIIIIIIIIIIIIIII", Truth.FALSE),
        ("002191110102MACQD9K640", Truth.UNKNOWN),
        ("Example-Provider", Truth.UNKNOWN),
    ],
)
def test_provider_codes_are_checked_as_far_as_they_are_known(code: str, holds: Truth) -> None:
    assert provider_code_holds(code) is holds


@pytest.mark.parametrize("value", ["有限公司", "two words", 'a"b', "a\\b", "x" * 2049, "a\r\nX-Evil:1", "é"])
def test_characters_the_standard_does_not_provide_for_are_refused(value: str) -> None:
    assert not is_label_value(value)
    with pytest.raises(Invalid) as caught:
        label(Generation.GENERATED, provider_code=value, produce_id="r")
    assert caught.value.details == {"field": "ContentProducer"}


def test_an_escaped_quote_is_allowed() -> None:
    assert is_label_value(r"a\"b")
    assert is_label_value("")


@given(
    st.sampled_from(list(Generation)),
    st.from_regex(r'(?:[!#-\[\]-~]|\\")*', fullmatch=True),
    st.from_regex(r"[!#-\[\]-~]{1,40}", fullmatch=True),
)
def test_every_label_that_is_made_is_a_safe_header_and_reads_back(kind: Generation, provider: str, number: str) -> None:
    made, conformance, _ = label(kind, provider_code=provider, produce_id=number)

    header = as_header(made, conformance)

    assert header.isascii()
    assert header.isprintable()
    assert json.loads(header) == as_field(made, conformance)
    assert json.loads(header)["AIGC"]["Label"] in {"1", "2", "3"}


def test_what_is_unsure_stays_marked_unsure() -> None:
    _, _, reason = label(Generation.GENERATED, provider_code=CODE, produce_id="r")

    assert any(part.holds is Truth.UNKNOWN for _, part in reason.walk())


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("今天天气很好。", NOTICE.zh),
        ("用 Python 写的程序很好读。", NOTICE.zh),
        ("The word 你好 means hello in Chinese.", NOTICE.en),
        ("Hello.", NOTICE.en),
        ("", NOTICE.en),
        ("42", NOTICE.en),
    ],
)
def test_the_notice_speaks_the_language_of_the_text(text: str, notice: str) -> None:
    assert notice_for(text) == notice


@given(st.text(st.characters(exclude_categories=())) | st.text("a Z你鿿ꀀ䷿é1\ud800"))
def test_characters_and_words_are_counted_alike_with_and_without_a_compiler(text: str) -> None:
    assert counts(text) == counts_plainly(text)


def test_what_is_no_text_is_not_counted() -> None:
    with pytest.raises((TypeError, AttributeError)):
        counts(b"bytes")  # type: ignore[arg-type]


def test_each_notice_holds_both_elements() -> None:
    for notice in (NOTICE.zh, NOTICE.en):
        assert "人工智能" in notice or "AI" in notice
        assert "生成" in notice


def test_no_wording_of_the_room_claims_approval() -> None:
    _, _, reason = label(Generation.GENERATED, provider_code=CODE, produce_id="r")

    said = reason.as_text("en") + ROOM.purpose.en + NOTICE.en
    assert "compliant" not in said.lower()
    assert "approved" not in said.lower()


def test_a_provider_code_is_made_of_a_credit_code_that_holds_and_of_nothing_else() -> None:
    made = provider_code_of("91310104MACE0YX639")  # of a public label

    assert made == "001191310104MACE0YX63900000" and len(made) == 27
    assert provider_code_holds(made) is Truth.TRUE
    assert {provider_code_of(one) for one in ("", "91310104MACE0YX638", "91310104MACE0YX6", "明理科技")} == {""}


def test_the_registers_code_fills_the_label_and_the_configured_one_goes_first() -> None:
    from safebelt.rooms.labelling.service.giving import Giving

    plain, configured = Giving(""), Giving("001191310104MACE0YX63918020")
    label_of = [one.generated("rec_1", "91310104MACE0YX639").field for one in (plain, configured)]

    assert [one["AIGC"]["ContentProducer"] for one in label_of] == [
        "001191310104MACE0YX63900000", "001191310104MACE0YX63918020",
    ]  # fmt: skip
    assert [one["status"] for one in label_of] == ["complete", "complete"]
    assert plain.generated("rec_1").field["missing"] == ["ContentProducer"]
