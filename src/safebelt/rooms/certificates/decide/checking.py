"""The two axes of a check that the register and the log answer; the other four are mathematics (`pki.path`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import (
    CertificateIssued,
    CertificateResumed,
    CertificateRevoked,
    CertificateSuspended,
)
from safebelt.rooms.registry.model.register import Status, System

_REGISTRATION = Text(
    zh="证书所指的系统在登记册中，并在服务中", en="The system it names is on the register, and in service"
)
_LOG = Text(zh="账本记得它的签发，且没有吊销或暂停", en="The log remembers its issue, and no revocation or suspension")


def registration(system_id: str, system: System | None, *, is_known: bool) -> Reason:
    """Judge whether the register bears out what a certificate says.

    Args:
        system_id: The system the certificate names; empty where it names none.
        system: What the register knows of it.
        is_known: Whether there was a register to ask.
    """
    if not system_id:
        why = Text(zh="证书没有指明任何系统", en="The certificate names no system")
        return _judged(_REGISTRATION, Truth.UNKNOWN, why)
    if not is_known:
        why = Text(zh="没有登记册可查", en="No register was asked")
        return _judged(_REGISTRATION, Truth.UNKNOWN, why)
    if system is None:
        why = Text(zh=f"登记册中没有 {system_id}", en=f"The register knows no {system_id}")
        return _judged(_REGISTRATION, Truth.FALSE, why)
    stage = system.stage
    why = Text(zh=f"登记册中的状态：{stage.zh}", en=f"The register says: {stage.en}")
    return _judged(_REGISTRATION, Truth.of(system.status is Status.IN_SERVICE), why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What entries of the log tell of a certificate.

    Attributes:
        issued: Whether one remembers its issue.
        ended: Whether it was revoked, or suspended and not resumed since.
        entries: Ids of those that tell it: the issue, then the end.
    """

    issued: bool
    ended: bool
    entries: tuple[str, ...]


def telling(about: Sequence[tuple[str, str]]) -> Telling:
    """Judge the entries about one certificate.

    Args:
        about: Id and kind of each, latest first.
    """
    issued = [one for one, kind in about if kind == CertificateIssued.kind]
    revoked = [one for one, kind in about if kind == CertificateRevoked.kind]
    held = [(one, kind) for one, kind in about if kind in (CertificateSuspended.kind, CertificateResumed.kind)]
    suspended = [one for one, kind in held[:1] if kind == CertificateSuspended.kind]
    ends = (revoked or suspended)[:1]
    return Telling(issued=bool(issued), ended=bool(ends), entries=(*issued[-1:], *ends))


def logged(*, issued: bool | None, ended: bool | None, entries: tuple[str, ...] = ()) -> Reason:
    """Judge what the log says of a certificate.

    Args:
        issued: Whether it remembers the issue; None where nobody could look.
        ended: Whether it remembers that the certificate was revoked or is suspended; None where nobody could look.
        entries: Ids of the entries found.
    """
    parts = (
        Reason(
            says=Text(zh="账本记得它的签发", en="The log remembers its issue"),
            holds=Truth.of(issued),
            cites=entries[:1],
        ),
        Reason(
            says=Text(zh="账本没有记载吊销或暂停", en="The log remembers no revocation and no suspension"),
            holds=Truth.of(None if ended is None else not ended),
            cites=entries[1:],
        ),
    )
    holds = [part.holds for part in parts]
    verdict = Truth.FALSE if Truth.FALSE in holds else Truth.UNKNOWN if Truth.UNKNOWN in holds else Truth.TRUE
    return Reason(says=_LOG, holds=verdict, because=parts)


def _judged(says: Text, holds: Truth, why: Text) -> Reason:
    return Reason(says=says, holds=holds, because=(Reason(says=why, holds=holds),))
