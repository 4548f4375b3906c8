"""Judgments of particulars: each held against the schema of its kind, and read into its own type."""

import math
import re
from collections.abc import Callable, Mapping

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.entering import LINE_LIMIT, TEXT_LIMIT, address, day, digest, invalid, line
from safebelt.rooms.registry.model.things import THING_KINDS, ThingKind, Value
from safebelt.rooms.registry.model.things_fields import SCHEMAS, Form, Particular

LIST_LIMIT = 100
"""Items of a particular that takes several."""
COUNT_LIMIT = 2**53
"""Largest whole number: what every reader of JSON reads exactly."""
_COUNT = re.compile(r"[0-9]{1,16}")


def particulars(kind: ThingKind, given: Mapping[str, Value]) -> dict[str, Value]:
    """Hold what was given of a thing against the schema of its kind.

    Args:
        kind: Of what kind it is.
        given: Particular to value: as JSON has it, or as a form sends it (text; several one a line).

    Returns:
        Particular to value in its own type, in the order of the schema; what is empty is left out.

    Raises:
        Invalid: One is unknown, missing, or not of its form.
    """
    schema = SCHEMAS[kind]
    known = {each.name for each in schema}
    strange = sorted(given.keys() - known)
    if strange:
        allowed = ", ".join(each.name for each in schema)
        raise invalid(
            "details",
            Text(
                zh=f"{THING_KINDS[kind].zh}没有“{strange[0][:60]}”这一项。",
                en=f"There is no particular “{strange[0][:60]}” of the kind {THING_KINDS[kind].en}.",
            ),
            Text(zh=f"可以填写：{allowed}。", en=f"There are: {allowed}."),
        )
    found: dict[str, Value] = {}
    for each in schema:
        value = _read(each, given.get(each.name, ""))
        if value is not None:
            found[each.name] = value
        elif each.is_required:
            raise invalid(each.name, Text(zh=f"请填写{each.title.zh}。", en=f"Enter: {each.title.en}."))
    return _held_together(kind, found)


def _held_together(kind: ThingKind, found: dict[str, Value]) -> dict[str, Value]:
    first, last = ("collected_from", "collected_to") if kind is ThingKind.DATASET else ("since", "until")
    if first in found and last in found and str(found[last]) < str(found[first]):
        raise invalid(last, Text(zh="结束日早于起始日。", en="It ends before it begins."))
    return found


def _read(each: Particular, given: Value) -> Value | None:
    """One particular in its own type; None where nothing was given."""
    if each.form in (Form.LINES, Form.CHOICES):
        return _several(each, given)
    if isinstance(given, tuple | list):
        raise _wrong(each, Text(zh="只能填写一项", en="takes one value"))
    whole = int(given) if isinstance(given, float) and given.is_integer() else given
    text = str(whole).strip()
    return _READERS[each.form](each, text) if text else None


def _several(each: Particular, given: Value) -> tuple[str, ...] | None:
    items = (
        given.splitlines() if isinstance(given, str) else given if isinstance(given, tuple | list) else (str(given),)
    )
    lines = (line(str(item), each.name, each.title) for item in items)
    found = tuple(dict.fromkeys(item for item in lines if item))
    if len(found) > LIST_LIMIT:
        raise _wrong(each, Text(zh=f"最多 {LIST_LIMIT} 项", en=f"takes {LIST_LIMIT} items at most"))
    if each.form is Form.CHOICES:
        found = tuple(_choice(each, item) for item in found)
    return found or None


def _line(each: Particular, text: str) -> str:
    return line(text, each.name, each.title, limit=LINE_LIMIT)


def _text(each: Particular, text: str) -> str:
    return line(text, each.name, each.title, limit=TEXT_LIMIT)


def _count(each: Particular, text: str) -> int:
    digits = text.replace(",", "").replace(" ", "")
    if not _COUNT.fullmatch(digits) or int(digits) > COUNT_LIMIT:
        raise _wrong(each, Text(zh="应为非负整数", en="is a whole number, zero or more"))
    return int(digits)


def _number(each: Particular, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise _wrong(each, Text(zh="应为非负数，例如 1e25", en="is a number, zero or more, for example 1e25"))
    return number


def _day(each: Particular, text: str) -> str:
    found = day(text, each.name, each.title)
    return "" if found is None else found.isoformat()


def _url(each: Particular, text: str) -> str:
    return address(text, each.name, each.title)


def _fingerprint(each: Particular, text: str) -> str:
    return digest(text.replace(":", "").removeprefix("SHA256"), each.name)


def _choice(each: Particular, text: str) -> str:
    if text not in {choice.value for choice in each.choices}:
        allowed = ", ".join(choice.value for choice in each.choices)
        raise _wrong(each, Text(zh=f"应为其中之一：{allowed}", en=f"is one of: {allowed}"))
    return text


_READERS: Mapping[Form, Callable[[Particular, str], Value]] = {
    Form.LINE: _line,
    Form.TEXT: _text,
    Form.COUNT: _count,
    Form.NUMBER: _number,
    Form.DAY: _day,
    Form.CHOICE: _choice,
    Form.URL: _url,
    Form.FINGERPRINT: _fingerprint,
}


def _wrong(each: Particular, says: Text) -> Invalid:
    return invalid(each.name, Text(zh=f"{each.title.zh}{says.zh}。", en=f"{each.title.en} {says.en}."))
