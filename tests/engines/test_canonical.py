"""Canonical JSON is what RFC 8785 says, and says no where there is none."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.engines.canonical import canonical
from safebelt.kernel.errors import Invalid

# RFC 8785, appendix B: IEEE 754 bits and their one way of writing.
NUMBERS = {
    "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324", "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308", "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992", "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000", "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23", "44b52d02c7e14af7": "1.0000000000000001e+23", "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000", "444b1ae4d6e2ef50": "1e+21", "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001", "41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333", "41b3de4355555556": "333333333.3333334", "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333", "43143ff3c1cb0959": "1424953923781206.2",
}  # fmt: skip


@pytest.mark.parametrize(("bits", "written"), NUMBERS.items())
def test_numbers_are_written_as_in_appendix_b(bits, written) -> None:
    [number] = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical(number).decode() == written


def test_the_example_of_section_3_2_2() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    written = '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'

    assert canonical(value).decode() == written


def test_keys_are_sorted_by_utf_16_as_in_section_3_2_3() -> None:
    value = {
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis",
    }  # fmt: skip

    assert list(json.loads(canonical(value)).values()) == [
        "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]  # fmt: skip


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_reading_canonical_bytes_gives_the_value_back_and_writing_again_the_bytes(value) -> None:
    written = canonical(value)
    # a large whole float is written without a point; only readers to whom all numbers are doubles get it back as one
    read = json.loads(written, parse_int=lambda digits: int(digits) if abs(int(digits)) < 2**53 else float(digits))

    assert read == value
    assert canonical(read) == written


@given(st.dictionaries(st.text(), st.integers(-5, 5)), st.randoms())
def test_the_order_of_keys_makes_no_difference(value, random) -> None:
    items = list(value.items())
    random.shuffle(items)

    assert canonical(dict(items)) == canonical(value)


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**53), "\ud800", {"\ud800": 1}, {1: 2}, b"x", object(), nested(100_000)],
    ids=["nan", "inf", "big", "small", "lone", "lone key", "key", "bytes", "object", "deep"],
)
def test_a_value_without_a_canonical_form_is_refused(value) -> None:
    with pytest.raises(Invalid, match="canonical"):
        canonical(value)
