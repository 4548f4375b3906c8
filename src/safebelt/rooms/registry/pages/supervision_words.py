"""Wording of the supervision pages, which fields each kind of step has, and how forms are read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from litestar.datastructures import UploadFile

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.supervision import (
    CASE_KINDS,
    CHANNELS,
    CONFIDENTIALITIES,
    COUNTS,
    OUTCOMES,
    SIDES,
    STAGES,
    STEP_KINDS,
    UNITS,
    WAITS,
    Case,
    CaseFile,
    FileIn,
    Option,
    Stage,
    Step,
    StepKind,
    WaitsOn,
)
from safebelt.web.forms import Form, read_form

__all__ = ["CASE_KINDS", "CHANNELS", "CONFIDENTIALITIES", "COUNTS", "OUTCOMES", "SIDES", "STAGES", "UNITS", "WAITS"]

T = TypeVar("T")
MAX_FILE = 20_000_000
"""Bytes read of one document; the house's own bound on a request comes first."""

DESK = Text(zh="监督工作台", en="Supervision desk")
ASKED = Text(zh="主管部门对我们的要求", en="What authorities ask of us")
CASES = Text(zh="监督案件", en="Supervision cases")
NEW_CASE = Text(zh="准备案件", en="Prepare a case")
OFFICE = Text(zh="设立监督工作台", en="Set up the authority's desk")

DONE: Mapping[str, Text] = {
    "office": Text(zh="工作台已设立。", en="The desk is set up."),
    "officer": Text(zh="已加入同事。", en="Your colleague works at this desk now."),
    "case": Text(zh="案件已准备，尚未送达任何内容。", en="The case is prepared. Nothing was served yet."),
    "draft": Text(zh="草稿已保存，仅本部门可见。", en="The draft is kept. Only your authority sees it."),
    "erased": Text(zh="已删除，不留痕迹。", en="Erased; nothing is left."),
    "served": Text(zh="已送达，并已记入存证账本。", en="Served, and on the ledger."),
    "answered": Text(zh="已提交给主管部门，并已记入存证账本。", en="Sent to the authority, and on the ledger."),
    "received": Text(zh="签收已记录。", en="The receipt is on record."),
    "published": Text(zh="决定已公开。", en="The decision is public."),
    "taken_down": Text(zh="决定已撤下。", en="The decision was taken down."),
}

LABELS: Mapping[str, Text] = {
    "party_id": Text(zh="主体", en="Party"),
    "jurisdiction": Text(zh="法域", en="Jurisdiction"),
    "instruments": Text(zh="主管的法规文件", en="Instruments"),
    "zone": Text(zh="时区", en="Time zone"),
    "system_id": Text(zh="系统编号", en="System id"),
    "about": Text(zh="案由", en="What it is about"),
    "kind": Text(zh="类型", en="Kind"),
    "confidentiality": Text(zh="保密级别", en="Confidentiality"),
    "basis": Text(zh="法律依据", en="Legal basis"),
    "other_basis": Text(zh="其他依据", en="Another basis"),
    "text": Text(zh="内容", en="What it says"),
    "items": Text(zh="逐项要求", en="Items"),
    "re": Text(zh="回应的步骤", en="Replies to"),
    "outcome": Text(zh="结果", en="Outcome"),
    "days": Text(zh="期限（日数）", en="Days"),
    "unit": Text(zh="日数的算法", en="Counted in"),
    "counts_from": Text(zh="从何时起算", en="Counted from"),
    "not_counted": Text(zh="不计入的日子", en="Days off"),
    "due": Text(zh="或：截止日期", en="Or: a date"),
    "contest": Text(zh="救济途径", en="How it can be contested"),
    "held_on": Text(zh="日期", en="Day"),
    "appeal_days": Text(zh="申诉期限（日数）", en="Days to appeal"),
    "appeal_unit": Text(zh="申诉期限的算法", en="Days to appeal are counted in"),
    "is_suspensive": Text(zh="申诉期间停止执行", en="An appeal stays the decision"),
    "appeal_to": Text(zh="受理申诉的主管部门", en="Authority that decides the appeal"),
    "to_office": Text(zh="移送给", en="Refer to"),
    "on": Text(zh="签收日期", en="Day of receipt"),
    "note": Text(zh="送达证明", en="Proof of delivery"),
    "summary_zh": Text(zh="中文摘要", en="Summary in Chinese"),
    "summary_en": Text(zh="英文摘要", en="Summary in English"),
    "channel": Text(zh="送达方式", en="How it is served"),
}

_DUE = ("days", "unit", "counts_from", "due", "not_counted")
FIELDS: Mapping[StepKind, tuple[str, ...]] = {
    StepKind.QUESTION: _DUE,
    StepKind.DOCUMENTS: ("items", *_DUE),
    StepKind.INSPECTION_NOTICE: ("held_on",),
    StepKind.INSPECTION: ("held_on",),
    StepKind.HEARING: ("held_on", *_DUE),
    StepKind.ORDER: ("items", *_DUE),
    StepKind.EXTENSION: ("outcome", *_DUE),
    StepKind.VERIFICATION: ("outcome", *_DUE),
    StepKind.DECISION: ("outcome", "items", *_DUE, "appeal_days", "appeal_unit", "is_suspensive", "appeal_to"),
    StepKind.APPEAL_DECISION: ("outcome", *_DUE),
    StepKind.REFERRAL: ("to_office",),
}
"""Fields a kind of step has beside its text, its basis and how it can be contested."""

HINTS: Mapping[StepKind, Text] = {
    StepKind.FACT: Text(zh="只写事实，不作评价。", en="State facts; judge nothing."),
    StepKind.BREACH: Text(
        zh="认定违反的是贵部门，页面会写明由谁认定。",
        en="Your authority finds the breach, and the page says so.",
    ),
    StepKind.HEARING: Text(
        zh="写明听取意见的日期，或提交书面意见的期限。", en="State the day of the hearing, or by when to write."
    ),
    StepKind.DECISION: Text(
        zh="中止或撤出会立即作用于该系统。整改须逐项列明并给出期限。",
        en="To suspend or withdraw acts on the system at once. To rectify, list what, and by when.",
    ),
    StepKind.REFERRAL: Text(
        zh="写明移送理由；对方接受之前，案件仍由贵部门负责。",
        en="Say why; until the other authority accepts, the case stays yours.",
    ),
    StepKind.APPEAL: Text(zh="写明不服的内容和理由。", en="Say what you contest, and why."),
    StepKind.EXTENSION_REQUEST: Text(zh="写明需要多少时间和原因。", en="Say how much time you need, and why."),
    StepKind.RECTIFIED: Text(
        zh="逐项写明做了什么，并附上材料。", en="Say what was done, item by item; attach the proof."
    ),
}

CONTEST = Text(
    zh="可在本系统中提出意见；对最终决定的申诉方式见决定。",
    en="Objections can be sent here; how to appeal is stated in the decision.",
)
"""What the form proposes; the authority writes what its law says."""


def options(titles: Mapping[Any, Text], lang: Lang, *, empty: Text | None = None) -> list[tuple[str, str]]:
    """Return an enumeration as the choices of a form, after an empty one where there is one."""
    first = [("", empty.in_(lang))] if empty else []
    return [*first, *((each.value, title.in_(lang)) for each, title in titles.items())]


def title_of(kind: StepKind) -> Text:
    """Return what people call a kind of step."""
    return STEP_KINDS[kind]


def tone(case: Case, today: Any) -> str:
    """Return the sign of a case: overdue, waiting, at rest."""
    if case.due_on is not None and case.due_on < today:
        return "flag"
    return {WaitsOn.NOBODY: "retired", WaitsOn.OPERATOR: "time", WaitsOn.AUTHORITY: "observe"}[case.waits_on]


def left(days: int) -> Text:
    """Say how many days are left, or how long it is overdue."""
    if days < 0:
        return Text(zh=f"已逾期 {-days} 天", en=f"{-days} day{'' if days == -1 else 's'} overdue")
    if days == 0:
        return Text(zh="今天到期", en="due today")
    return Text(zh=f"还剩 {days} 天", en=f"{days} day{'' if days == 1 else 's'} left")


def possible(found: CaseFile) -> tuple[Option, ...]:
    """Return the steps that can be taken now."""
    return tuple(one for one in found.options if one.reason.holds.value == "true")


def impossible(found: CaseFile) -> tuple[Option, ...]:
    """Return those that cannot, with why; a closed or prepared case need not list them all."""
    if found.case.stage in {Stage.CLOSED, Stage.PREPARED}:
        return ()
    return tuple(one for one in found.options if one.reason.holds.value != "true")


def waiting(found: CaseFile) -> tuple[Step, ...]:
    """Return what waits on the operator."""
    reported = {one.re for one in found.position.reports}
    return (*found.position.asked, *(one for one in found.position.orders if one.id not in reported))


def due_of(step: Step, found: CaseFile) -> Any:
    """Return the last day of a step, extensions counted in."""
    return found.position.dues.get(step.id, step.due_on)


def lines(raw: Any) -> list[str]:
    """Return the lines of a text field that are not blank; several fields of one name are read one after the other."""
    each = [raw] if isinstance(raw, str) else list(raw or ())
    return [line.strip() for one in each for line in str(one).splitlines() if line.strip()]


def read(data: Mapping[str, Any], into: type[T], *many: str) -> Form[T]:
    """Read a form whose fields `many` hold one value a line; what was typed comes back as it was typed."""
    plain = {
        name: value if isinstance(value, str) else [str(one) for one in value]
        for name, value in data.items()
        if isinstance(value, str | list | tuple) and not _has_upload(value)
    }
    raw: dict[str, str | Sequence[str]] = {**plain, **{name: lines(plain.get(name)) for name in many}}
    raw["basis"] = [*lines(plain.get("basis")), *lines(plain.get("more_basis"))]
    form = read_form(raw, into, labels=LABELS)
    typed = {name: value if isinstance(value, str) else tuple(value) for name, value in plain.items()}
    return replace(form, values=typed)


def _has_upload(value: Any) -> bool:
    return not isinstance(value, str) and any(isinstance(one, UploadFile) for one in value)


def uploads(raw: Any) -> tuple[FileIn, ...]:
    """Return the documents of a file field; a field left empty has none."""
    each = raw if isinstance(raw, list | tuple) else [raw]
    files = (one for one in each if isinstance(one, UploadFile) and one.filename)
    read_ = (FileIn(name=one.filename, content=one.file.read(MAX_FILE)) for one in files)
    return tuple(one for one in read_ if one.content)


def choice(value: str, kind: type[StrEnum]) -> Any:
    """Return a member of an enumeration by its value; None where there is none."""
    return kind(value) if value in {each.value for each in kind} else None
