"""Judgments of forms: fill them from what is on record, say where each value came from, name what is missing."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.forms import (
    Field,
    FilingNumbered,
    FilingRecord,
    FilingState,
    Filled,
    FilledForm,
    FormFiled,
    FormSpec,
    Known,
    Material,
    Receive,
)

ANSWER = "answer"
ANSWER_LIMIT = 10_000
"""Characters of one answer: twice the longest field of any form."""
NUMBER_LIMIT = 200

_FROM: Mapping[str, Text] = {
    ANSWER: Text(zh="填写", en="written into the form"),
    "system": Text(zh="系统登记", en="the system's registration"),
    "provider": Text(zh="提供者的登记", en="the provider's registration"),
    "deployer": Text(zh="部署者的登记", en="the deployer's registration"),
    "person": Text(zh="记名人员", en="the people named"),
    "identifier": Text(zh="提供者的编号", en="the provider's identifiers"),
    "fact": Text(zh="记录在案的事实", en="the facts on record"),
    "evidence": Text(zh="证据", en="the evidence"),
    "thing": Text(zh="关联的模型、数据或部件", en="linked models, datasets or components"),
    "extra": Text(zh="导入来源的原文", en="the source it was imported from"),
    "said": Text(zh="导入来源所称（在此未通过任何关口）", en="what the source says (no gate was passed here)"),
    "constant": Text(zh="表式规定", en="the form itself"),
}
_TO_DO: Mapping[str, Text] = {
    "system": Text(zh="请在变更登记中补上。", en="Add it to the registration."),
    "provider": Text(zh="请在提供者的登记中补上。", en="Add it to the provider's registration."),
    "deployer": Text(
        zh="请登记部署者，或在其登记中补上。", en="Register the deployer, or add it to the deployer's registration."
    ),
    "person": Text(zh="请在卷宗中指定该人员。", en="Name the person in the dossier."),
    "identifier": Text(zh="请登记提供者的编号。", en="Enter the provider's identifier."),
    "fact": Text(zh="请记录这一事实。", en="Put the fact on record."),
    "evidence": Text(zh="请在卷宗中提交这项证据。", en="Put the evidence on record in the dossier."),
    "thing": Text(zh="请登记并关联到本系统。", en="Register it and link it to the system."),
}
_WRITE = Text(zh="请在表单中填写。", en="Write it into the form.")


def fill(spec: FormSpec, material: Material) -> FilledForm:
    """Fill a form; what is not on record is named with what to do, and nothing is made up."""
    fields = tuple(_filled(one, spec, material) for one in spec.fields)
    return FilledForm(spec=spec, system_id=material.system_id, on=material.on, fields=fields)


def _filled(field: Field, spec: FormSpec, material: Material) -> Filled:
    trouble = None
    for source, known in _found(field, material):
        value, wrong = _fitted(field, known, spec.lang)
        if value:
            return Filled(field=field, value=value, source=source, said=_FROM[_kind(source)], trouble=wrong)
        trouble = trouble or wrong
    return Filled(field=field, value="", source="", said=_to_do(field), trouble=trouble)


def _found(field: Field, material: Material) -> Iterable[tuple[str, Known]]:
    answer = material.answers.get(field.id, "")
    if answer:
        yield ANSWER, Known(raw=_lines(answer) if field.is_many else answer)
    for source in field.source:
        kind, _, rest = source.partition(".")
        if kind == "constant":
            yield source, Known(raw=rest)
        elif source in material.values:
            yield source, material.values[source]


def _fitted(field: Field, known: Known, lang: str) -> tuple[str | tuple[str, ...], Text | None]:
    """The value as the form takes it; and what is wrong with what it does not take."""
    texts = _texts(field, known, lang)
    refused = [one for one in texts if field.allowed and one not in field.allowed]
    long = [one for one in texts if field.max and len(one) > field.max]
    good = tuple(one for one in texts if one not in refused and one not in long)
    wrong = _wrong(field, refused, long)
    return (good if field.is_many else (good[0] if good else "")), wrong


def _texts(field: Field, known: Known, lang: str) -> list[str]:
    if field.values:
        return [field.values.get(_word(one), _word(one)) for one in _several(known.raw) if _word(one)]
    if known.label is not None and not field.is_many:
        return [known.label.zh if lang == "zh" else known.label.en]
    words = [_word(one) for one in _several(known.raw) if _word(one)]
    return words if field.is_many else ["; ".join(words)] if words else []


def _several(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _word(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case None:
            return ""
    return str(value).strip()


def _lines(answer: str) -> list[str]:
    return [one.strip() for one in answer.splitlines() if one.strip()]


def _wrong(field: Field, refused: list[str], long: list[str]) -> Text | None:
    if refused:
        few = ", ".join(one[:60] for one in refused[:3])
        return Text(
            zh=f"表式不收“{few}”；可填：{'、'.join(field.allowed)}。",
            en=f"The form does not take {few!r}; it takes: {', '.join(field.allowed)}.",
        )
    if long:
        return Text(
            zh=f"有 {len(long[0])} 个字符，表式至多收 {field.max} 个；请缩写，程序不会截断。",
            en=f"It has {len(long[0])} characters and the form takes {field.max}; shorten it, nothing is cut off.",
        )
    return None


def _to_do(field: Field) -> Text:
    if field.missing is not None:
        return field.missing
    kinds = dict.fromkeys(_kind(one) for one in field.source)
    found = [_TO_DO[one] for one in kinds if one in _TO_DO]
    return Text(zh="".join(one.zh for one in found) or _WRITE.zh, en=" ".join(one.en for one in found) or _WRITE.en)


def _kind(source: str) -> str:
    return source.partition(".")[0]


def hold_answers(spec: FormSpec, answers: Mapping[str, str]) -> dict[str, str]:
    """Return what somebody wrote, once it is certain that it fits.

    Raises:
        Invalid: The form has no such field, or an answer is too long.
    """
    known = {one.id for one in spec.fields}
    unknown = [name for name in answers if name not in known]
    if unknown:
        raise Invalid(
            what=Text(zh=f"该表没有栏目“{unknown[0]}”。", en=f"The form has no field {unknown[0]!r}."),
            hint=Text(zh=f"栏目：{'、'.join(sorted(known))}。", en=f"It has: {', '.join(sorted(known))}."),
            details={"field": unknown[0]},
        )
    long = [name for name, one in answers.items() if len(one) > ANSWER_LIMIT or "\0" in one]
    if long:
        raise Invalid(
            what=Text(zh=f"“{long[0]}”填写的内容不能用。", en=f"What was written into {long[0]!r} cannot be used."),
            hint=Text(zh=f"至多 {ANSWER_LIMIT} 个字符。", en=f"At most {ANSWER_LIMIT} characters."),
            details={"field": long[0]},
        )
    return {name: one.strip() for name, one in answers.items()}


def file_form(
    form: FilledForm, *, body: str, digest: str, new_id: str, by: str, at: datetime, is_submitted: bool
) -> tuple[FilingRecord, FormFiled]:
    """Record that a filing was produced, or submitted to whom it goes.

    Raises:
        Invalid: It is said to be submitted although something required is missing.
    """
    missing = tuple(one.field.id for one in form.missing)
    if is_submitted and missing:
        raise Invalid(
            what=Text(
                zh=f"还缺必填栏目：{'、'.join(missing)}。", en=f"Required fields are missing: {', '.join(missing)}."
            ),
            hint=Text(zh="补齐后再提交。", en="Fill them before it is submitted."),
            details={"field": missing[0]},
        )
    state = FilingState.SUBMITTED if is_submitted else FilingState.PRODUCED
    record = FilingRecord(
        id=new_id,
        system_id=form.system_id,
        form=form.spec.id,
        digest=digest,
        body=body,
        state=state,
        missing=missing,
        by=by,
        at=at,
    )
    event = FormFiled(
        subject=form.system_id,
        filing_id=new_id,
        form=form.spec.id,
        state=state.value,
        digest=digest,
        missing=missing,
    )
    return record, event


def receive(record: FilingRecord, cmd: Receive, *, today: date) -> FilingNumbered:
    """Record the number a filing received.

    Raises:
        Conflict: It has one.
        Invalid: There is no number, or its day is still to come.
    """
    if record.number:
        raise Conflict(
            what=Text(zh=f"该备案已有编号 {record.number}。", en=f"The filing has the number {record.number} already."),
            hint=Text(zh="如编号有变，请重新制作备案表。", en="If it changed, file again."),
        )
    number, day = cmd.number.strip(), cmd.received_on or today
    if not number or len(number) > NUMBER_LIMIT or day > today:
        raise Invalid(
            what=Text(
                zh="请填写编号（不超过 200 个字符），日期不晚于今天。",
                en="Enter the number, at most 200 characters, and a day that is not still to come.",
            ),
            hint=Text(zh="按主管部门的写法填写。", en="Write it as the authority does."),
            details={"field": "number"},
        )
    return FilingNumbered(
        subject=record.system_id, filing_id=record.id, form=record.form, number=number, received_on=day
    )
