"""Judgments of what people do with the rulebook: words in; result and event out."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import Description, Judgment, Kind, LawText, Norm, Overlay, OverlayStanding
from safebelt.rooms.rulebook.model.deeds import (
    Adoption,
    Commitment,
    CovenantAdopted,
    CovenantLeft,
    DraftAdopted,
    Gap,
    GapReported,
    InterpretationReviewed,
    OnRecord,
    Override,
    ProposeOverride,
    RedLineOverridden,
    ReportGap,
    Reviewed,
    ReviewNorm,
    SystemDescribed,
)

MAX_OVERRIDE_DAYS = 90
"""Longest time a red line may be set aside before two people must decide again: a quarter, so that no exception
becomes the rule unnoticed."""
MAX_NOTE = 2000
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL knows no NUL, and no encoding knows half a surrogate."""


def describe(
    subject: str,
    description: Description,
    judgment: Judgment,
    barred_by: Iterable[str],
    *,
    before: OnRecord | None,
    sha256: str,
    by: str,
    at: datetime,
) -> tuple[OnRecord, SystemDescribed]:
    """Put a system's facts on record, with what they came to that day.

    Raises:
        Conflict: The facts are the ones on record already.
    """
    if before is not None and before.sha256 == sha256:
        raise Conflict(
            what=Text(zh="这些事实已经记录在案，没有变化。", en="These very facts are on record already."),
            hint=Text(zh="有变化时再提交。", en="Submit them when something has changed."),
        )
    version = 1 if before is None else before.version + 1
    record = OnRecord(subject=subject, version=version, description=description, sha256=sha256, by=by, at=at)
    event = SystemDescribed(
        subject=subject,
        version=version,
        facts_sha256=sha256,
        facts=len(description.facts),
        classes={name: one.strictest for name, one in judgment.classes.items() if one.strictest},
        barred_by=tuple(barred_by),
    )
    return record, event


def with_covenants(facts: Mapping[str, Any], commitments: Iterable[Commitment], on: date) -> dict[str, Any]:
    """Return the facts with the covenants that bind the party on a day: what it adopted here counts as known."""
    binding = sorted({one.covenant for one in commitments if is_binding(one, on)})
    return {**facts, "party.covenants": tuple(binding)} if binding else dict(facts)


def is_binding(commitment: Commitment, on: date) -> bool:
    """Whether a covenant binds a party on a day."""
    return commitment.since <= on and (commitment.until is None or on < commitment.until)


def adopt_covenant(
    text: LawText, party: str, covenant: str, running: Iterable[Commitment], *, today: date
) -> tuple[Commitment, CovenantAdopted]:
    """Bind a party by a covenant from today.

    Raises:
        NotFound: There is no such covenant.
        Conflict: It binds the party already.
    """
    found = covenants(text)
    if covenant not in found:
        raise NotFound(
            what=Text(zh=f"规则库中没有公约“{covenant}”。", en=f"The rulebook has no covenant {covenant!r}."),
            hint=Text(
                zh=f"现有公约：{'、'.join(sorted(found)) or '无'}。",
                en=f"It has: {', '.join(sorted(found)) or 'none'}.",
            ),
        )
    if any(one.covenant == covenant and is_binding(one, today) for one in running):
        raise Conflict(
            what=Text(zh="该主体已受此公约约束。", en="The covenant binds this party already."),
            hint=Text(zh="无需再次采纳。", en="There is nothing to do."),
        )
    return (
        Commitment(party=party, covenant=covenant, since=today),
        CovenantAdopted(subject=party, covenant=covenant, since=today),
    )


def leave_covenant(
    party: str, covenant: str, running: Iterable[Commitment], reason: str, *, today: date
) -> CovenantLeft:
    """End a commitment today.

    Raises:
        NotFound: It does not bind the party.
        Invalid: There is no reason.
    """
    if not any(one.covenant == covenant and is_binding(one, today) for one in running):
        raise NotFound(
            what=Text(zh="该主体目前不受此公约约束。", en="The covenant does not bind this party now."),
            hint=Text(zh="请核对主体与公约。", en="Check the party and the covenant."),
        )
    return CovenantLeft(subject=party, covenant=covenant, until=today, reason=note(reason))


def covenants(text: LawText) -> dict[str, str]:
    """Return covenant id, as `party.covenants` lists it, to instrument id."""
    return {
        name.rsplit("/", 1)[-1] + "-covenant": name
        for name, one in text.instruments.items()
        if one.kind is Kind.COVENANT
    }


def adopt(
    overlay: Overlay, source: str, sha256: str, taken: Iterable[str], *, proposal: str, at: datetime
) -> tuple[Adoption, DraftAdopted]:
    """Make a draft law of this house.

    Raises:
        Conflict: An overlay of that id judges already.
        Invalid: It says of itself that the legislator enacted it: then it belongs to the law's own folder.
    """
    hold_adoptable(overlay, taken)
    return (
        Adoption(overlay=overlay.id, source=source, sha256=sha256, proposal=proposal, at=at),
        DraftAdopted(subject=overlay.id, sha256=sha256, effective=overlay.effective, proposal=proposal),
    )


def hold_adoptable(overlay: Overlay, taken: Iterable[str]) -> None:
    """Hold that a draft can be adopted.

    Raises:
        Conflict, Invalid: As for `adopt`.
    """
    if overlay.id in set(taken):
        raise Conflict(
            what=Text(zh=f"“{overlay.id}”已经生效。", en=f"{overlay.id} judges already."),
            hint=Text(zh="如需再改，请另拟草案。", en="Draft another one to change it."),
        )
    if overlay.standing is not OverlayStanding.DRAFT:
        raise Invalid(
            what=Text(zh="只有草案可以在此通过。", en="Only a draft can be adopted here."),
            hint=Text(
                zh="立法机关已通过的修正属于 law/ 文件夹；草案请写 standing: draft。",
                en="What the legislator enacted belongs in law/; a draft says standing: draft.",
            ),
        )


def hold_override(cmd: ProposeOverride, barred_by: Iterable[str], *, today: date) -> None:
    """Hold that an override makes sense.

    Raises:
        Invalid: It names no red line the system meets, or runs too long.
    """
    met = set(barred_by)
    unknown = sorted(set(cmd.norms) - met)
    if not cmd.norms or unknown:
        raise Invalid(
            what=Text(
                zh=f"该系统没有触及这些红线：{'、'.join(unknown) or '（未指明）'}。",
                en=f"The system meets no such red line: {', '.join(unknown) or '(none named)'}.",
            ),
            hint=Text(
                zh=f"目前触及：{'、'.join(sorted(met)) or '无'}。", en=f"It meets: {', '.join(sorted(met)) or 'none'}."
            ),
            details={"field": "norms"},
        )
    if not today < cmd.until <= today + timedelta(days=MAX_OVERRIDE_DAYS):
        raise Invalid(
            what=Text(zh="例外的期限不合适。", en="The exception's end is not fit."),
            hint=Text(
                zh=f"请选择今天之后、{MAX_OVERRIDE_DAYS} 天之内的日期。",
                en=f"Choose a day after today and within {MAX_OVERRIDE_DAYS} days.",
            ),
            details={"field": "until"},
        )


def override(
    system: str, cmd: ProposeOverride, *, new_id: str, proposal: str, at: datetime
) -> tuple[Override, RedLineOverridden]:
    """Set red lines aside for one system, for a time."""
    made = Override(
        id=new_id,
        system=system,
        norms=cmd.norms,
        reason=note(cmd.reason),
        proposal=proposal,
        at=at,
        until=cmd.until,
    )
    event = RedLineOverridden(
        subject=system, override=new_id, norms=made.norms, until=made.until, reason=made.reason, proposal=proposal
    )
    return made, event


def hold_subject(subject: str, system: str) -> None:
    """Hold that a proposal is about the system a person had before them; any, where none is named.

    Raises:
        NotFound: It is about another.
    """
    if system and subject != system:
        raise NotFound(
            what=Text(zh=f"没有关于系统 {system} 的这项提案。", en=f"There is no such proposal about {system}."),
            hint=Text(zh="请在该系统的页面上决定。", en="Decide it on the page of the system it is about."),
        )


def hold_registered(party: str, *, is_registered: bool) -> None:
    """Hold that the register has a party: a commitment binds somebody.

    Raises:
        NotFound: It has not.
    """
    if not is_registered:
        raise NotFound(
            what=Text(zh=f"没有登记主体 {party}。", en=f"There is no party {party} in the register."),
            hint=Text(zh="请先登记该主体，再采纳公约。", en="Register the party first, then bind it."),
            details={"field": "party"},
        )


def hold_new_review(new: Reviewed, before: Iterable[Reviewed]) -> None:
    """Hold that a review says something new.

    Raises:
        Conflict: The same person said the same of this wording, or spoke at this very moment.
    """
    mine = [one for one in before if one.by == new.by]
    said = {(one.sha256, one.opinion, one.note) for one in mine}
    if (new.sha256, new.opinion, new.note) in said or any(one.at == new.at for one in mine):
        raise Conflict(
            what=Text(zh="您对这一文本已有相同的复核意见。", en="Your review of this wording is on record already."),
            hint=Text(zh="意见有变化时再提交。", en="Submit another when you have something else to say."),
        )


def still_barred(barred_by: Iterable[str], overrides: Iterable[Override], on: date) -> tuple[str, ...]:
    """Return the red lines that no override in force sets aside."""
    aside = {norm for one in overrides if on < one.until for norm in one.norms}
    return tuple(norm for norm in barred_by if norm not in aside)


def review(
    norm: Norm, cmd: ReviewNorm, *, sha256: str, by: str, at: datetime
) -> tuple[Reviewed, InterpretationReviewed]:
    """Review how a norm was put into this form.

    Raises:
        Invalid: There is no note.
    """
    said = note(cmd.note)
    return (
        Reviewed(norm=norm.id, opinion=cmd.opinion, note=said, sha256=sha256, by=by, at=at),
        InterpretationReviewed(subject=norm.id, opinion=cmd.opinion.value, note=said, norm_sha256=sha256),
    )


def report_gap(cmd: ReportGap, *, new_id: str, at: datetime) -> tuple[Gap, GapReported]:
    """Keep what met no norm."""
    gap = Gap(id=new_id, kind=cmd.kind, about=cmd.about, says=cmd.says, jurisdictions=tuple(cmd.jurisdictions), at=at)
    event = GapReported(subject=cmd.about, gap=new_id, gap_kind=cmd.kind.value, jurisdictions=gap.jurisdictions)
    return gap, event


def note(typed: str) -> str:
    """Return a reason as it is kept.

    Raises:
        Invalid: There is none, or it is too long.
    """
    said = typed.strip()
    if said and len(said) <= MAX_NOTE and not _NO_TEXT.search(said):
        return said
    raise Invalid(
        what=Text(zh="缺少说明，或说明过长。", en="There is nothing said, or too much."),
        hint=Text(
            zh=f"请用不超过 {MAX_NOTE} 字说明；它将写入账本。",
            en=f"Say it in at most {MAX_NOTE} characters; it goes to the ledger.",
        ),
        details={"field": "reason"},
    )
