"""Who may have a certificate, and what may become of one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.decide import refusals
from safebelt.rooms.certificates.model import (
    WHYS,
    Certificate,
    CertificateResumed,
    CertificateRevoked,
    CertificateSuspended,
    Standing,
    Why,
)
from safebelt.rooms.registry.model.register import STATUSES, Status, System

MAX_DAYS = 90
"""Longest a leaf counts (C2PA certificate profile v0.2, assurance level 2)."""


def hold_days(days: int) -> int:
    """Hold that a certificate counts between one day and 90.

    Raises:
        Invalid: It would not.
    """
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(
            what=Text(zh=f"有效期不能是 {days} 天。", en=f"A certificate cannot count for {days} days."),
            hint=Text(
                zh=f"请填写 1 到 {MAX_DAYS} 天；到期前会换发。",
                en=f"Give 1 to {MAX_DAYS} days; it is renewed before it ends.",
            ),
            details={"field": "days"},
        )
    return days


def hold_issuable(system: System, missing: Sequence[Text]) -> System:
    """Hold that a system may have a certificate: its gates led it into service, and it is in service now.

    Args:
        system: The system.
        missing: What its gate into service still asks for, if it has not passed.

    Raises:
        Conflict: It is not in service; says what is missing.
    """
    if system.status is Status.IN_SERVICE:
        return system
    stage = STATUSES[system.status]
    lists = Text(
        zh="".join(f"\n- {one.zh}" for one in missing),
        en="".join(f"\n- {one.en}" for one in missing),
    )
    lead = Text(zh="还缺：", en="It lacks:") if missing else Text(zh="", en="")
    raise Conflict(
        what=Text(
            zh=f"只为在用的系统签发证书；该系统处于“{stage.zh}”。{lead.zh}{lists.zh}",
            en=f"Only systems in service get a certificate; this one is at “{stage.en}”. {lead.en}{lists.en}".rstrip(),
        ),
        hint=Text(
            zh=f"先通过关口：`safebelt registry gate {system.id} --to in-service`。",
            en=f"Pass its gates first: `safebelt registry gate {system.id} --to in-service`.",
        ),
        details={"field": "system_id"},
    )


def hold_key_is_new(holders: Sequence[str], system_id: str) -> None:
    """Hold that a key speaks for one system only.

    Args:
        holders: Ids of the systems that already have a certificate on this key, or had one that was revoked for it.
        system_id: Who asks now.

    Raises:
        Conflict: The key is another system's.
    """
    if set(holders) - {system_id}:
        raise Conflict(
            what=Text(zh="这把公钥已用于另一系统的证书。", en="Another system's certificate is on this public key."),
            hint=Text(zh="请为每个系统生成自己的密钥。", en="Generate a key of its own for every system."),
            details={"field": "request"},
        )


def suspend(found: Certificate, reason: str, at: datetime) -> tuple[Certificate, CertificateSuspended]:
    """Let a certificate not count until further notice.

    Raises:
        Invalid: No reason is given.
        Conflict: It is suspended or revoked already.
    """
    _hold(found, Standing.GOOD)
    said = _reason(reason)
    event = CertificateSuspended(
        subject=subject_of(found.serial),
        system_id=found.system_id,
        serial=found.serial,
        fingerprint=found.fingerprint,
        reason=said,
    )
    return replace(found, standing=Standing.SUSPENDED, reason=said, changed_at=at), event


def resume(found: Certificate, reason: str, at: datetime) -> tuple[Certificate, CertificateResumed]:
    """Let a suspended certificate count again.

    Raises:
        Invalid: No reason is given.
        Conflict: It is not suspended.
    """
    _hold(found, Standing.SUSPENDED)
    said = _reason(reason)
    event = CertificateResumed(
        subject=subject_of(found.serial),
        system_id=found.system_id,
        serial=found.serial,
        fingerprint=found.fingerprint,
        reason=said,
    )
    return replace(found, standing=Standing.GOOD, reason="", changed_at=at), event


def revoke(found: Certificate, why: Why, reason: str, at: datetime) -> tuple[Certificate, CertificateRevoked]:
    """Let a certificate never count again.

    Raises:
        Invalid: No reason is given.
        Conflict: It is revoked already.
    """
    _hold(found, Standing.GOOD, Standing.SUSPENDED)
    said = _reason(reason)
    event = CertificateRevoked(
        subject=subject_of(found.serial),
        system_id=found.system_id,
        serial=found.serial,
        fingerprint=found.fingerprint,
        why=why,
        reason=said,
    )
    return replace(found, standing=Standing.REVOKED, why=why, reason=said, changed_at=at), event


def lapsed(system: System | None) -> Text | None:
    """Return why a certificate of this system should not count now; None while the system is in service."""
    if system is None:
        return Text(zh="系统已不在登记册中", en="The system is no longer on the register")
    if system.status is Status.IN_SERVICE:
        return None
    stage = STATUSES[system.status]
    return Text(zh=f"系统不在服务中：{stage.zh}", en=f"The system is not in service: {stage.en}")


def subject_of(serial: str) -> str:
    """Return what ledger entries about a certificate are about."""
    return f"crt_{serial}"


def _reason(reason: str) -> str:
    if not reason.strip():
        raise refusals.no_reason()
    return reason.strip()


def _hold(found: Certificate, *allowed: Standing) -> None:
    if found.standing in allowed:
        return
    if found.standing is Standing.REVOKED:
        why = WHYS[found.why or Why.UNSPECIFIED]
        raise Conflict(
            what=Text(
                zh=f"证书已吊销（{why.zh}），不能再变更。", en=f"The certificate is revoked ({why.en}); that is final."
            ),
            hint=Text(zh="如需要，请签发新证书。", en="Issue another one if it is needed."),
        )
    is_good = found.standing is Standing.GOOD
    raise Conflict(
        what=Text(
            zh="证书没有被暂停。" if is_good else "证书已经暂停。",
            en="The certificate is not suspended." if is_good else "The certificate is suspended already.",
        ),
        hint=Text(zh="请先查看它的状态。", en="Look at its status first."),
    )
