"""Words of a check: separate questions about a file, each with its own answer.  They are never rolled into one word."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text


class Axis(StrEnum):
    """One question about a file."""

    EXPLICIT = "explicit"
    AIGC = "aigc"
    CONFORMANCE = "conformance"
    INTEGRITY = "integrity"
    C2PA = "c2pa"
    SIGNATURE = "signature"
    CHAIN = "chain"
    REVOCATION = "revocation"
    TIME = "time"
    IDENTITY = "identity"
    WATERMARK = "watermark"
    FINGERPRINT = "fingerprint"
    REGISTER = "register"
    CERTIFICATE = "certificate"
    LEDGER = "ledger"


AXES: Mapping[Axis, Text] = {
    Axis.EXPLICIT: Text(zh="显式标识", en="Visible notice"),
    Axis.AIGC: Text(zh="隐式标识（AIGC 元数据）", en="AIGC metadata"),
    Axis.CONFORMANCE: Text(zh="隐式标识的格式", en="Form of the AIGC metadata"),
    Axis.INTEGRITY: Text(zh="隐式标识的签名", en="Signature on the AIGC metadata"),
    Axis.C2PA: Text(zh="C2PA 与内容的绑定", en="C2PA binding to the content"),
    Axis.SIGNATURE: Text(zh="C2PA 签名", en="C2PA signature"),
    Axis.CHAIN: Text(zh="签名证书链", en="Chain of the signing certificate"),
    Axis.REVOCATION: Text(zh="证书吊销状态", en="Revocation"),
    Axis.TIME: Text(zh="签名时间", en="Time of signing"),
    Axis.IDENTITY: Text(zh="签名者身份", en="Identity of the signer"),
    Axis.WATERMARK: Text(zh="数字水印", en="Watermark"),
    Axis.FINGERPRINT: Text(zh="内容指纹", en="Fingerprint"),
    Axis.REGISTER: Text(zh="登记条目", en="Register entry"),
    Axis.CERTIFICATE: Text(zh="系统证书", en="Certificate of the system"),
    Axis.LEDGER: Text(zh="账本记录", en="Ledger entry"),
}
"""What people read for each question, in the order it is shown."""


class Verdict(StrEnum):
    """The answer to one question."""

    OK = "ok"
    BAD = "bad"
    ABSENT = "absent"
    UNKNOWN = "unknown"


VERDICTS: Mapping[Verdict, Text] = {
    Verdict.OK: Text(zh="成立", en="holds"),
    Verdict.BAD: Text(zh="不成立", en="does not hold"),
    Verdict.ABSENT: Text(zh="没有", en="not there"),
    Verdict.UNKNOWN: Text(zh="未能判断", en="not evaluated"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisFound:
    """One question, answered.

    Attributes:
        verdict: ok, bad, absent or unknown.
        reason: Why; `holds` is true only for ok and false only for bad.
    """

    verdict: Verdict
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLabel:
    """An implicit label as a file carries it.

    Attributes:
        place: Where it stands, as the format calls the place.
        is_native: Whether the practice guides name that place for the format.
        fields: The object's members as read, by the standard's keys; empty where it cannot be read.
        raw: What stands there, cut to a length that can be shown.
        at, length: The block of the file that holds it; None where it is compressed or spread.
        is_beside: Whether it stands in a file of its own beside the content.
    """

    place: str
    is_native: bool
    fields: Mapping[str, str]
    raw: str
    at: int | None = None
    length: int = 0
    is_beside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of a file came to.

    Attributes:
        file: What it is called.
        kind: Its format, as its first bytes show it; empty where it is none that is known here.
        size: Its length in bytes.
        axes: Every question with its answer; none is left out.
        labels: The implicit labels found, in the file's order.
        sentence: What it comes to, for a person.
        next_steps: What a person may do next.
        facts: What was read beside the verdicts: who signed, which system, which digest.
    """

    file: str
    kind: str
    size: int
    axes: Mapping[Axis, AxisFound]
    labels: tuple[FoundLabel, ...] = ()
    sentence: Text
    next_steps: tuple[Text, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_bad(self) -> bool:
        """Whether any answer is *does not hold*."""
        return any(one.verdict is Verdict.BAD for one in self.axes.values())

    @property
    def is_marked(self) -> bool:
        """Whether a mark was found that says what made the content."""
        says = (Axis.EXPLICIT, Axis.AIGC, Axis.C2PA, Axis.WATERMARK)
        return any(self.axes[one].verdict is Verdict.OK for one in says if one in self.axes)
