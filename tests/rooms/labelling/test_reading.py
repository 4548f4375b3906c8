"""A label is read in every shape it is met in, and what departs from the standard is said."""

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.rooms.labelling.decide import reading
from safebelt.rooms.labelling.model import FoundLabel, Verdict

CODE = "001191310104MACE0YX63918020"
LABEL = {
    "Label": "1",
    "ContentProducer": CODE,
    "ProduceID": "rec_1",
    "ReservedCode1": "",
    "ContentPropagator": "",
    "PropagateID": "",
    "ReservedCode2": "",
}
BARE = json.dumps(LABEL, separators=(",", ":"))


def found(raw: str, *, is_native: bool = True) -> FoundLabel:
    read = reading.read(raw)
    return FoundLabel(place="here", is_native=is_native, fields=read.fields if read else {}, raw=raw)


def verdicts(*raws: str) -> tuple[Verdict, Verdict]:
    says, form = reading.label_axes([found(raw) for raw in raws])
    return says.verdict, form.verdict


@pytest.mark.parametrize(
    "raw",
    [
        BARE,
        json.dumps({"AIGC": LABEL}),
        json.dumps({"AIGC": BARE}),
        json.dumps(BARE),
        html.escape(BARE),
        json.dumps({"LabelMataData": LABEL}),
    ],
)
def test_every_shape_seen_in_the_wild_is_read(raw) -> None:
    read = reading.read(raw)

    assert read is not None
    assert read.fields == LABEL


def test_the_standards_own_two_shapes_have_no_departure_and_the_others_have_one() -> None:
    for plain in (BARE, json.dumps({"AIGC": LABEL})):
        assert reading.read(plain).departures == ()  # type: ignore[union-attr]
    for other in (json.dumps(BARE), html.escape(BARE), json.dumps({"LabelMataData": LABEL})):
        assert reading.read(other).departures  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "raw", ["", "{}", "[]", "null", "7", '"x"', '{"AIGC":7}', "AI生成", '{"Tags":"1"}', "[" * 60_000]
)
def test_what_is_no_label_is_none(raw) -> None:
    assert reading.read(raw) is None


def test_a_whole_label_is_ok_on_both_questions() -> None:
    assert verdicts(BARE) == (Verdict.OK, Verdict.OK)


def test_no_label_is_absent_and_never_a_verdict_on_the_content() -> None:
    assert verdicts() == (Verdict.ABSENT, Verdict.ABSENT)


@pytest.mark.parametrize(
    "change",
    [
        {"ContentProducer": ""},
        {"ProduceID": ""},
        {"ContentProducer": "某公司"},
        {"ProduceID": "with blank"},
        {"ContentProducer": CODE[:21] + "8" + CODE[22:]},
        {"ContentPropagator": CODE},
        {"Extra": "1"},
        {"ProduceID": 7},
    ],
)
def test_a_departure_of_form_leaves_what_the_label_says(change) -> None:
    assert verdicts(json.dumps({**LABEL, **change})) == (Verdict.OK, Verdict.BAD)


@pytest.mark.parametrize("value", ["0", "4", "AIGC", "", "yes", " 1"])
def test_a_value_of_label_that_the_standard_does_not_know_says_nothing(value) -> None:
    assert verdicts(json.dumps({**LABEL, "Label": value})) == (Verdict.BAD, Verdict.BAD)


@pytest.mark.parametrize("value", ["1", "2", "3"])
def test_the_three_values_are_told_apart(value) -> None:
    says, _ = reading.label_axes([found(json.dumps({**LABEL, "Label": value}))])

    assert says.verdict is Verdict.OK
    others = [reading.label_axes([found(json.dumps({**LABEL, "Label": one}))])[0] for one in {"1", "2", "3"} - {value}]
    assert says.reason.says not in [one.reason.says for one in others]


def test_two_labels_that_agree_break_a_rule_of_form_and_two_that_differ_say_nothing() -> None:
    assert verdicts(BARE, BARE) == (Verdict.OK, Verdict.BAD)
    assert verdicts(BARE, json.dumps({**LABEL, "Label": "2"})) == (Verdict.BAD, Verdict.BAD)


def test_an_unreadable_label_beside_a_good_one_is_not_passed_over() -> None:
    assert verdicts(BARE, "{broken")[0] is Verdict.BAD


def test_a_key_given_twice_is_a_departure() -> None:
    assert verdicts(BARE[:-1] + ',"Label":"1"}') == (Verdict.OK, Verdict.BAD)


def test_a_place_no_guide_names_is_said_but_is_no_breach() -> None:
    _, form = reading.label_axes([found(BARE, is_native=False)])

    assert form.verdict is Verdict.OK
    assert "here" in form.reason.because[0].says.en


@given(st.text(max_size=200) | st.dictionaries(st.sampled_from([*LABEL, "AIGC", "x"]), st.text() | st.integers()
    | st.none() | st.dictionaries(st.sampled_from([*LABEL, "AIGC"]), st.text())).map(json.dumps))  # fmt: skip
def test_nothing_that_stands_in_a_file_makes_reading_raise(raw) -> None:
    says, form = reading.label_axes([found(raw)])

    assert says.verdict in (Verdict.OK, Verdict.BAD)
    assert form.verdict in (Verdict.OK, Verdict.BAD)
