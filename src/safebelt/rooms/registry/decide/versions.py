"""Judgments of versions: proposed, current, superseded, withdrawn; and what differs between two."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from safebelt.kernel.errors import Conflict
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.entering import TEXT_LIMIT, both, digest, invalid, line
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.differences import Change, Difference
from safebelt.rooms.registry.model.things import VERSION_STATES, ProposeVersion, SubjectKind, Version, VersionState
from safebelt.rooms.registry.model.things_events import (
    VersionPromoted,
    VersionProposed,
    VersionRolledBack,
    VersionWithdrawn,
)

LABEL_LIMIT = 100
REASON = Text(zh="理由", en="Reason")


def propose(
    cmd: ProposeVersion,
    *,
    subject_id: str,
    subject_kind: SubjectKind,
    same: Version | None,
    new_id: str,
    at: datetime,
) -> tuple[Version, VersionProposed]:
    """Propose a version of a system, a model or an agent.

    Args:
        cmd: Which.
        subject_id: Of what.
        subject_kind: What that is.
        same: The subject's version that bears this label, if there is one.
        new_id: Id of the version.
        at: Now.

    Raises:
        Invalid: It has no label, or a text or digest is wrong, or it is to be made in the future.
        Conflict: The label is taken.
    """
    label = line(cmd.label, "label", Text(zh="版本号", en="Label"), limit=LABEL_LIMIT, is_required=True)
    if same is not None:
        raise Conflict(
            what=Text(
                zh=f"版本“{label}”已存在（{VERSION_STATES[same.state].zh}）。",
                en=f"There is a version “{label}” already ({VERSION_STATES[same.state].en}).",
            ),
            hint=Text(zh="请使用新的版本号。", en="Give the new one another label."),
            details={"field": "label", "version_id": same.id},
        )
    made_on = cmd.made_on or at.date()
    if made_on > at.date():
        raise invalid("made_on", Text(zh="制作日还没有到。", en="That day has not come yet."))
    version = Version(
        id=new_id,
        subject_id=subject_id,
        subject_kind=subject_kind,
        label=label,
        digest=digest(cmd.digest, "digest"),
        notes=both(cmd.notes_zh, cmd.notes_en, "notes", Text(zh="改动说明", en="What changed"), limit=TEXT_LIMIT),
        made_on=made_on,
        made_by=line(cmd.made_by, "made_by", Text(zh="制作者", en="Made by")),
        state=VersionState.PROPOSED,
        proposed_at=at,
    )
    event = VersionProposed(
        subject=subject_id,
        personal={"made_by": version.made_by} if version.made_by else {},
        version_id=new_id,
        subject_kind=subject_kind.value,
        label=label,
        digest=version.digest,
        notes_zh=version.notes.zh,
        notes_en=version.notes.en,
        made_on=made_on.isoformat(),
    )
    return version, event


Moved = tuple[Version, Version | None, Event]
"""The version that moved, the one that made room for it, and what happened."""


def promote(version: Version, current: Version | None, *, reason: str, at: datetime) -> Moved:
    """Make a proposed version current; the one that was is superseded.

    Raises:
        Conflict: It is not a proposed one.
        Invalid: No reason is given.
    """
    _hold(version, VersionState.PROPOSED, Text(zh="上线", en="become current"))
    why = line(reason, "reason", REASON, limit=TEXT_LIMIT, is_required=True)
    event = VersionPromoted(
        subject=version.subject_id,
        version_id=version.id,
        subject_kind=version.subject_kind.value,
        label=version.label,
        superseded=current.id if current else "",
        reason=why,
    )
    return _made_current(version, at), _made_room(current, VersionState.SUPERSEDED, at), event


def roll_back(version: Version, current: Version | None, *, reason: str, at: datetime) -> Moved:
    """Make a superseded version current again; the one that was is withdrawn, for it did not hold.

    Raises:
        Conflict: It is not a superseded one.
        Invalid: No reason is given.
    """
    _hold(version, VersionState.SUPERSEDED, Text(zh="回退", en="be rolled back to"))
    why = line(reason, "reason", REASON, limit=TEXT_LIMIT, is_required=True)
    event = VersionRolledBack(
        subject=version.subject_id,
        version_id=version.id,
        subject_kind=version.subject_kind.value,
        label=version.label,
        withdrawn=current.id if current else "",
        reason=why,
    )
    return _made_current(version, at), _made_room(current, VersionState.WITHDRAWN, at), event


def withdraw(version: Version, *, reason: str, at: datetime) -> tuple[Version, VersionWithdrawn]:
    """Withdraw a version.  This asks nobody's leave: taking out of use must always be easier than putting in.

    Raises:
        Conflict: It is withdrawn already.
        Invalid: No reason is given.
    """
    if version.state is VersionState.WITHDRAWN:
        raise _not_from(version, Text(zh="再次撤下", en="be withdrawn again"))
    why = line(reason, "reason", REASON, limit=TEXT_LIMIT, is_required=True)
    event = VersionWithdrawn(
        subject=version.subject_id,
        version_id=version.id,
        subject_kind=version.subject_kind.value,
        label=version.label,
        was=version.state.value,
        reason=why,
    )
    until = at if version.state is VersionState.CURRENT else version.current_until
    return replace(version, state=VersionState.WITHDRAWN, current_until=until), event


def _made_current(version: Version, at: datetime) -> Version:
    return replace(version, state=VersionState.CURRENT, current_from=at, current_until=None)


def _made_room(version: Version | None, state: VersionState, at: datetime) -> Version | None:
    return None if version is None else replace(version, state=state, current_until=at)


def _hold(version: Version, wanted: VersionState, deed: Text) -> None:
    if version.state is not wanted:
        raise _not_from(version, deed)


def _not_from(version: Version, deed: Text) -> Conflict:
    state = VERSION_STATES[version.state]
    return Conflict(
        what=Text(
            zh=f"版本“{version.label}”{state.zh}，不能{deed.zh}。",
            en=f"Version “{version.label}” is {state.en}; it cannot {deed.en}.",
        ),
        hint=Text(zh="请重新载入，核对各版本的状态。", en="Load it again and look where each version stands."),
        details={"state": version.state.value},
    )


# --- what differs ------------------------------------------------------------------------------------------------


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Compare two records field by field; what nobody stated and what was taken away are different things.

    Args:
        before: Field to value.
        after: Field to value.

    Returns:
        Every field of either, in the order of `before` and then of what `after` adds.
    """
    names = dict.fromkeys((*before, *after))
    return tuple(_difference(name, before, after) for name in names)


def _difference(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    if name not in before:
        return Difference(field=name, change=Change.ADDED, after=said(after[name]))
    if name not in after:
        return Difference(field=name, change=Change.REMOVED, before=said(before[name]))
    old, new = said(before[name]), said(after[name])
    # Yes is not "true", and 1 is not "1": what reads the same may still differ in kind.
    is_same = old == new and type(before[name]) is type(after[name])
    return Difference(field=name, change=Change.SAME if is_same else Change.CHANGED, before=old, after=new)


def said(value: Any) -> str:
    """Return a value as one text: yes and no by name, dates as they are written, lists one a line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list | frozenset | set):
        items = [said(item) for item in value]
        return "\n".join(sorted(items) if isinstance(value, frozenset | set) else items)
    return "" if value is None else str(value)


def version_fields(version: Version) -> dict[str, str]:
    """Return what two versions of a model are compared by."""
    return {
        "label": version.label,
        "digest": version.digest,
        "notes_zh": version.notes.zh,
        "notes_en": version.notes.en,
        "made_on": version.made_on.isoformat(),
        "made_by": version.made_by,
        "state": version.state.value,
    }


Step = tuple[int, Mapping[str, Sequence[str]]]
"""A change of a registration: the version it led to, and field to (before, after)."""


def registration_fields(system: System) -> dict[str, str]:
    """Return what two registrations of a system are compared by, under the names its changes bear in the ledger."""
    return {
        "name_zh": system.name.zh,
        "name_en": system.name.en,
        "purpose_zh": system.purpose.zh,
        "purpose_en": system.purpose.en,
        "provider_id": system.provider_id,
        "deployer_id": system.deployer_id,
        "status": system.status.value,
    }


def step_of(data: Mapping[str, Any]) -> Step | None:
    """Return an entry of the ledger as a change of a registration, or None where it is none.

    Where what was kept apart has been erased, the fields that changed are known and what they said before is not.
    """
    erased = {name: ("", "") for name in data.get("fields", ())}
    changes, version = data.get("changes") or erased or None, data.get("version")
    return (version, changes) if isinstance(changes, Mapping) and isinstance(version, int) else None


def registration_at(now: Mapping[str, str], version: int, steps: Sequence[Step], wanted: int) -> dict[str, str] | None:
    """Return what a registration said at an earlier version, by taking its changes back one by one.

    Args:
        now: What it says, field by field.
        version: At which version it is.
        steps: Its changes, in any order.
        wanted: Which version is asked for.

    Returns:
        Field to value; None where there was no such version.
    """
    if not 1 <= wanted <= version:
        return None
    fields = dict(now)
    for _led_to, changes in sorted((s for s in steps if wanted < s[0] <= version), key=lambda s: s[0], reverse=True):
        fields |= {name: str(pair[0]) for name, pair in changes.items() if name in fields}
    return fields
