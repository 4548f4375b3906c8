"""What kinds of cases, steps, outcomes, deadlines and stages there are, and what people call them."""

from collections.abc import Mapping
from enum import StrEnum

from safebelt.kernel.text import Text


class Side(StrEnum):
    """Who takes a step."""

    AUTHORITY = "authority"
    OPERATOR = "operator"


class CaseKind(StrEnum):
    """How much must come before a measure."""

    ROUTINE = "routine"
    INVESTIGATION = "investigation"
    URGENT = "urgent"


class Confidentiality(StrEnum):
    """Who may learn that there is a case."""

    PUBLIC = "public"
    PARTIES = "parties"


class Stage(StrEnum):
    """Where a case stands."""

    PREPARED = "prepared"
    INQUIRY = "inquiry"
    DECIDED = "decided"
    APPEALED = "appealed"
    REFERRED = "referred"
    CLOSED = "closed"


class WaitsOn(StrEnum):
    """Whose turn it is."""

    AUTHORITY = "authority"
    OPERATOR = "operator"
    NOBODY = "nobody"


class StepKind(StrEnum):
    """What a step is; the last four are the operator's."""

    QUESTION = "question"
    DOCUMENTS = "documents"
    INSPECTION_NOTICE = "inspection_notice"
    INSPECTION = "inspection"
    FACT = "fact"
    BREACH = "breach"
    HEARING = "hearing"
    HEARING_RECORD = "hearing_record"
    ORDER = "order"
    EXTENSION = "extension"
    VERIFICATION = "verification"
    DECISION = "decision"
    APPEAL_DECISION = "appeal_decision"
    REFERRAL = "referral"
    ACCEPTANCE = "acceptance"
    DECLINE = "decline"
    CLOSING = "closing"
    REOPENING = "reopening"
    ANSWER = "answer"
    RECTIFIED = "rectified"
    EXTENSION_REQUEST = "extension_request"
    APPEAL = "appeal"


OPERATOR_KINDS = frozenset({StepKind.ANSWER, StepKind.RECTIFIED, StepKind.EXTENSION_REQUEST, StepKind.APPEAL})
"""Steps an operator takes; no authority writes one."""


class Outcome(StrEnum):
    """What a decision, an appeal decision, an answer to a request, or a verification comes to."""

    NO_MEASURE = "no_measure"
    WARNING = "warning"
    RECTIFY = "rectify"
    SUSPEND = "suspend"
    WITHDRAW = "withdraw"
    UPHELD = "upheld"
    ANNULLED = "annulled"
    REMITTED = "remitted"
    GRANTED = "granted"
    REFUSED = "refused"
    DONE = "done"
    NOT_DONE = "not_done"


class DayUnit(StrEnum):
    """How days are counted."""

    CALENDAR = "calendar_days"
    WORKING = "working_days"


class CountsFrom(StrEnum):
    """From when days are counted."""

    SERVICE = "service"
    RECEIPT = "receipt"


class Channel(StrEnum):
    """How a step is served."""

    HERE = "here"
    POST = "post"
    IN_PERSON = "in_person"
    EMAIL = "email"
    PUBLIC_NOTICE = "public_notice"
    OTHER = "other"


SIDES: Mapping[Side, Text] = {
    Side.AUTHORITY: Text(zh="主管部门", en="authority"),
    Side.OPERATOR: Text(zh="运营者", en="operator"),
}
CASE_KINDS: Mapping[CaseKind, Text] = {
    CaseKind.ROUTINE: Text(
        zh="日常监督（责令整改、中止、撤出前须听取意见）",
        en="routine (heard before it must rectify, suspend or withdraw)",
    ),
    CaseKind.INVESTIGATION: Text(
        zh="立案调查（任何措施前须听取意见）", en="investigation (heard before any measure at all)"
    ),
    CaseKind.URGENT: Text(
        zh="紧急处置（可先中止，结案前须补听意见；撤出前仍须听取意见）",
        en="urgent (may suspend first and hear before closing; heard before it must withdraw)",
    ),
}
CONFIDENTIALITIES: Mapping[Confidentiality, Text] = {
    Confidentiality.PUBLIC: Text(zh="决定可以公开", en="decisions may be made public"),
    Confidentiality.PARTIES: Text(
        zh="仅限当事双方，不进入公开登记册", en="for the parties only, not for the public register"
    ),
}
STAGES: Mapping[Stage, Text] = {
    Stage.PREPARED: Text(zh="准备中（未送达）", en="prepared, nothing served"),
    Stage.INQUIRY: Text(zh="调查中", en="under inquiry"),
    Stage.DECIDED: Text(zh="已作决定", en="decided"),
    Stage.APPEALED: Text(zh="申诉中", en="under appeal"),
    Stage.REFERRED: Text(zh="移送中", en="being referred"),
    Stage.CLOSED: Text(zh="已结案", en="closed"),
}
WAITS: Mapping[WaitsOn, Text] = {
    WaitsOn.AUTHORITY: Text(zh="等待主管部门", en="waits on the authority"),
    WaitsOn.OPERATOR: Text(zh="等待运营者", en="waits on the operator"),
    WaitsOn.NOBODY: Text(zh="无待办", en="waits on nobody"),
}
STEP_KINDS: Mapping[StepKind, Text] = {
    StepKind.QUESTION: Text(zh="询问", en="question"),
    StepKind.DOCUMENTS: Text(zh="要求提供材料", en="request for documents"),
    StepKind.INSPECTION_NOTICE: Text(zh="检查通知", en="inspection announced"),
    StepKind.INSPECTION: Text(zh="检查报告", en="inspection report"),
    StepKind.FACT: Text(zh="认定事实", en="finding of fact"),
    StepKind.BREACH: Text(zh="认定违反", en="finding of breach"),
    StepKind.HEARING: Text(zh="听取意见通知", en="invitation to be heard"),
    StepKind.HEARING_RECORD: Text(zh="听取意见笔录", en="record of the hearing"),
    StepKind.ORDER: Text(zh="责令整改", en="rectification order"),
    StepKind.EXTENSION: Text(zh="对延期申请的答复", en="reply to a request for more time"),
    StepKind.VERIFICATION: Text(zh="整改核查", en="verification"),
    StepKind.DECISION: Text(zh="决定", en="decision"),
    StepKind.APPEAL_DECISION: Text(zh="申诉决定", en="decision on the appeal"),
    StepKind.REFERRAL: Text(zh="移送", en="referral"),
    StepKind.ACCEPTANCE: Text(zh="接受移送", en="referral accepted"),
    StepKind.DECLINE: Text(zh="不接受移送", en="referral declined"),
    StepKind.CLOSING: Text(zh="结案", en="closing"),
    StepKind.REOPENING: Text(zh="重新立案", en="reopening"),
    StepKind.ANSWER: Text(zh="答复", en="answer"),
    StepKind.RECTIFIED: Text(zh="整改报告", en="rectification report"),
    StepKind.EXTENSION_REQUEST: Text(zh="延期申请", en="request for more time"),
    StepKind.APPEAL: Text(zh="申诉", en="appeal"),
}
OUTCOMES: Mapping[Outcome, Text] = {
    Outcome.NO_MEASURE: Text(zh="不采取措施并结案", en="closed without measure"),
    Outcome.WARNING: Text(zh="警告", en="warning"),
    Outcome.RECTIFY: Text(zh="限期整改", en="rectify by the date stated"),
    Outcome.SUSPEND: Text(zh="中止系统", en="suspend the system"),
    Outcome.WITHDRAW: Text(zh="撤出系统", en="withdraw the system"),
    Outcome.UPHELD: Text(zh="维持原决定", en="decision upheld"),
    Outcome.ANNULLED: Text(zh="撤销原决定", en="decision annulled"),
    Outcome.REMITTED: Text(zh="发回重新决定", en="sent back to be decided anew"),
    Outcome.GRANTED: Text(zh="同意延期", en="more time given"),
    Outcome.REFUSED: Text(zh="不同意延期", en="more time refused"),
    Outcome.DONE: Text(zh="已整改到位", en="done"),
    Outcome.NOT_DONE: Text(zh="尚未整改到位", en="not done yet"),
}
UNITS: Mapping[DayUnit, Text] = {
    DayUnit.CALENDAR: Text(zh="日", en="calendar days"),
    DayUnit.WORKING: Text(zh="工作日", en="working days"),
}
COUNTS: Mapping[CountsFrom, Text] = {
    CountsFrom.SERVICE: Text(zh="自送达之日起", en="from service"),
    CountsFrom.RECEIPT: Text(zh="自签收之日起", en="from receipt"),
}
CHANNELS: Mapping[Channel, Text] = {
    Channel.HERE: Text(zh="本系统", en="in this house"),
    Channel.POST: Text(zh="邮寄", en="by post"),
    Channel.IN_PERSON: Text(zh="当面", en="in person"),
    Channel.EMAIL: Text(zh="电子邮件", en="by e-mail"),
    Channel.PUBLIC_NOTICE: Text(zh="公告", en="by public notice"),
    Channel.OTHER: Text(zh="其他方式", en="otherwise"),
}
