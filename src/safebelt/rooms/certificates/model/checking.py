"""Words of a check: separate questions, each with its own answer.  They are never rolled into one word."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text


class Axis(StrEnum):
    """One question about a certificate."""

    CHAIN = "chain"
    VALIDITY = "validity"
    PURPOSE = "purpose"
    REVOCATION = "revocation"
    REGISTRATION = "registration"
    LOG = "log"


AXES: Mapping[Axis, Text] = {
    Axis.CHAIN: Text(zh="签名链", en="Chain"),
    Axis.VALIDITY: Text(zh="有效期", en="Validity"),
    Axis.PURPOSE: Text(zh="用途", en="Purpose"),
    Axis.REVOCATION: Text(zh="吊销状态", en="Revocation"),
    Axis.REGISTRATION: Text(zh="登记状态", en="Registration"),
    Axis.LOG: Text(zh="账本", en="Log"),
}


class Verdict(StrEnum):
    """The answer to one question."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


STATES: Mapping[Verdict, Text] = {
    Verdict.OK: Text(zh="成立", en="holds"),
    Verdict.BAD: Text(zh="不成立", en="does not hold"),
    Verdict.UNKNOWN: Text(zh="未能判断", en="not evaluated"),
}

_VERDICTS = {Truth.TRUE: Verdict.OK, Truth.FALSE: Verdict.BAD, Truth.UNKNOWN: Verdict.UNKNOWN}


def verdict(reason: Reason) -> Verdict:
    """Return the answer that a reason comes to."""
    return _VERDICTS[reason.holds]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of a certificate came to.

    Attributes:
        axes: Each question and why it is answered as it is.
        serial: Its serial number; empty where it could not be read.
        system_id: The system it names; empty where it names none.
        is_public: Whether that system is in the public register here.
        subject: Whom it names, as RFC 4514 writes it.
        issuer: Who stands behind its issuer, by its own word (`Issuer`); empty where it does not say.
        provisional: Whether it says that its system is in service on evidence that is only claimed.
    """

    axes: Mapping[Axis, Reason]
    serial: str = ""
    system_id: str = ""
    is_public: bool = False
    subject: str = ""
    issuer: str = ""
    provisional: bool = False

    @property
    def holds(self) -> Truth:
        """True only if every axis holds; false if any is bad; unknown else.  For exit codes, not for people."""
        found = {one.holds for one in self.axes.values()}
        if Truth.FALSE in found:
            return Truth.FALSE
        return Truth.TRUE if found == {Truth.TRUE} else Truth.UNKNOWN
