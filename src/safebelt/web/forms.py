"""Forms that come back: everything typed is kept, every mistake is named, in both languages.

    form = read_form(data, RegisterParty, labels=LABELS)
    if form.value is None:
        return page("registry/party_form.html", lang=lang, title=…, status=422, form=form)

A service's own `Invalid` with `details={"field": …}` joins them: `form.refused(problem)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Lang, Text
from safebelt.web.form_words import said_of

T = TypeVar("T")
Raw = Mapping[str, str | Sequence[str]]
"""A parsed form body: a field sent several times has a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one field; `field` is empty where it concerns the whole form."""

    field: str
    says: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[T]):
    """A form as it is shown.

    Attributes:
        values: What was typed, as text (several choices: a tuple).
        errors: What is wrong, in the order of the fields.
        value: The command, where nothing is wrong.
    """

    values: Mapping[str, str | tuple[str, ...]]
    errors: tuple[FieldError, ...] = ()
    value: T | None = None

    def error(self, field: str, lang: Lang) -> str:
        """Return what is wrong with one field, or an empty string."""
        return next((error.says.in_(lang) for error in self.errors if error.field == field), "")

    def typed(self, field: str) -> str:
        """Return what was typed into a field, or an empty string."""
        value = self.values.get(field, "")
        return value if isinstance(value, str) else ", ".join(value)

    def chosen(self, field: str, choice: str) -> bool:
        """Whether a choice was ticked or selected."""
        value = self.values.get(field, "")
        return choice == value if isinstance(value, str) else choice in value

    def refused(self, problem: Problem) -> "Form[T]":
        """Return the form with a service's problem beside the field it names."""
        error = FieldError(field=problem.details.get("field", ""), says=problem.what)
        return replace(self, errors=(*self.errors, error), value=None)


def empty_form(**values: str) -> Form[Any]:
    """Return a form nobody has typed into, with `values` filled in."""
    return Form(values=values)


def read_form(data: Raw, into: type[T], *, labels: Mapping[str, Text]) -> Form[T]:
    """Read a form into a dataclass, collecting every mistake rather than the first.

    Args:
        data: The parsed body.  Fields the dataclass does not know (the CSRF token) are left out.
        into: A dataclass; a field without a default must be filled in.
        labels: What the page calls each field.
    """
    if not is_dataclass(into):
        raise TypeError("read_form reads into a dataclass")
    hints = get_type_hints(into)
    good: dict[str, Any] = {}
    errors: list[FieldError] = []
    for each in fields(into):
        label = labels.get(each.name, Text(zh=each.name, en=each.name))
        found = _read_field(each, hints[each.name], data.get(each.name), label)
        if isinstance(found, FieldError):
            errors.append(found)
        elif found is not MISSING:
            good[each.name] = found
    values = {name: value if isinstance(value, str) else tuple(value) for name, value in data.items()}
    return Form(values=values, errors=tuple(errors), value=None if errors else into(**good))


def _read_field(each: Field[Any], hint: Any, raw: str | Sequence[str] | None, label: Text) -> Any:
    """Return the value, `MISSING` to take the default, or what is wrong."""
    trimmed = raw.strip() if isinstance(raw, str) else raw
    if not trimmed:
        return "" if raw is not None and _may_be_cleared(each, hint) else _blank(each, label)
    value: Any = [trimmed] if isinstance(trimmed, str) and _is_many(hint) else trimmed
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        says = said_of(str(error))
        return FieldError(field=each.name, says=Text(zh=f"{label.zh}：{says.zh}。", en=f"{label.en} {says.en}."))


def _blank(each: Field[Any], label: Text) -> Any:
    if each.default is not MISSING or each.default_factory is not MISSING:
        return MISSING
    return FieldError(field=each.name, says=Text(zh=f"请填写{label.zh}。", en=f"Enter: {label.en}."))


def _may_be_cleared(each: Field[Any], hint: Any) -> bool:
    """Whether a field sent empty means *make it empty*: an optional text, where leaving it out means *as it was*."""
    return each.default is None and str in get_args(hint)


def _is_many(hint: Any) -> bool:
    """Whether a field takes several values: a tuple, list or set, or one of them or None."""
    kinds = (get_origin(part) or part for part in (get_args(hint) or (hint,)) if part is not NoneType)
    return get_origin(hint) in {tuple, list, set, frozenset} or any(kind in {tuple, list, frozenset} for kind in kinds)
