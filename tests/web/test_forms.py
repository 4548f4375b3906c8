"""Forms come back whole: all mistakes at once, in both languages, and what was typed."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.web.form_words import said_of
from safebelt.web.forms import empty_form, read_form


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    name: str
    count: int
    since: date | None = None
    colours: tuple[Colour, ...] = ()
    note: str = "none"
    patch: str | None = None
    short: Annotated[str, Meta(max_length=3)] = ""


LABELS = {
    "name": Text(zh="名称", en="Name"),
    "count": Text(zh="数量", en="Count"),
    "since": Text(zh="日期", en="Since"),
}


def test_a_good_form_becomes_the_command() -> None:
    form = read_form(
        {"name": " 甲 ", "count": "3", "since": "2026-11-21", "colours": ["red", "blue"], "_csrf_token": "t"},
        Order,
        labels=LABELS,
    )

    assert form.value == Order(name="甲", count=3, since=date(2026, 11, 21), colours=(Colour.RED, Colour.BLUE))
    assert form.errors == ()


def test_every_mistake_is_named_at_once_and_in_order() -> None:
    form = read_form({"name": "", "count": "many", "since": "yesterday", "colours": "green"}, Order, labels=LABELS)

    assert form.value is None
    assert [error.field for error in form.errors] == ["name", "count", "since", "colours"]
    assert form.error("name", "zh") == "请填写名称。"
    assert form.error("count", "en") == "Count must be a whole number."
    assert "日期" in form.error("since", "zh") and "date" in form.error("since", "en")
    assert "green" in form.error("colours", "en")
    assert (form.typed("count"), form.error("note", "en")) == ("many", "")


def test_one_tick_is_a_list_of_one() -> None:
    assert read_form({"name": "a", "count": "1", "colours": "red"}, Order, labels={}).value.colours == (Colour.RED,)


def test_an_empty_field_takes_the_default_and_an_emptied_patch_is_empty() -> None:
    form = read_form({"name": "a", "count": "1", "note": " ", "since": "", "patch": ""}, Order, labels={})

    assert (form.value.note, form.value.since, form.value.patch) == ("none", None, "")
    assert read_form({"name": "a", "count": "1"}, Order, labels={}).value.patch is None


def test_a_refusal_of_the_service_joins_the_form() -> None:
    form = read_form({"name": "a", "count": "1"}, Order, labels={})
    what = Text(zh="太多。", en="Too many.")

    refused = form.refused(Invalid(what=what, hint=what, details={"field": "count"}))

    assert refused.value is None and refused.error("count", "en") == "Too many."
    assert refused.typed("name") == "a"


def test_choices_remember_what_was_ticked() -> None:
    form = read_form({"name": "a", "count": "x", "colours": ["red"]}, Order, labels={})

    assert form.chosen("colours", "red") and not form.chosen("colours", "blue")
    assert empty_form(colours="blue").chosen("colours", "blue")


@pytest.mark.parametrize(
    ("message", "zh", "en"),
    [
        ("Expected `int`, got `str`", "须填写整数", "must be a whole number"),
        ("Expected `str` of length <= 3", "不能超过 3 个字符", "must be 3 characters or fewer"),
        ("Expected `int` >= 1", "须 >= 1", "must be >= 1"),
        ("Object missing required field `name`", "缺少 name", "name is missing"),
        ("Invalid RFC3339 encoded date", "须填写日期，例如 2026-11-21", "must be a date such as 2026-11-21"),
        ("something new", "无法识别（something new）", "cannot be read (something new)"),
    ],
)
def test_what_is_wrong_is_said_in_both_languages(message: str, zh: str, en: str) -> None:
    assert said_of(message) == Text(zh=zh, en=en)


@given(
    st.dictionaries(
        st.sampled_from(["name", "count", "since", "colours", "note", "short"]),
        st.text() | st.lists(st.text(), max_size=3),
    )
)
def test_no_input_breaks_the_reader(data: dict[str, str | list[str]]) -> None:
    form = read_form(data, Order, labels=LABELS)

    assert (form.value is None) == bool(form.errors)
