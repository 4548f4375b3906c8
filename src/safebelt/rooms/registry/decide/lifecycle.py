"""Judgments about the life of a system: moving it on, evidence, sign-offs."""

from dataclasses import replace
from datetime import datetime

from safebelt.kernel.errors import Conflict
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.lifecycle import Passage, SystemMoved
from safebelt.rooms.registry.model.register import STATUSES, Status, System


def put(
    system: System,
    to: Status,
    reason: Text,
    *,
    new_id: str,
    at: datetime,
    by: str,
    facts_version: int,
    asks: Reason | None,
) -> tuple[System, Passage, SystemMoved]:
    """Move a system to a stage.  Whether it may go there is judged elsewhere: by a gate, or by who orders it down.

    Raises:
        Conflict: It is there already, or it is retired.
    """
    if system.status is to:
        raise Conflict(
            what=Text(zh=f"该系统已处于“{STATUSES[to].zh}”。", en=f"The system already is at “{STATUSES[to].en}”."),
            hint=Text(zh="无需再次操作。", en="There is nothing left to do."),
            details={"field": "to"},
        )
    if system.status is Status.RETIRED:
        raise Conflict(
            what=Text(
                zh="该系统已退役，不能再进入任何阶段。", en="The system is retired; nothing comes back from there."
            ),
            hint=Text(zh="如重新启用，请作为新系统登记。", en="If it is used again, register it as a new system."),
            details={"field": "to"},
        )
    provisional = system.provisional and to is Status.IN_SERVICE
    moved = replace(system, status=to, provisional=provisional, version=system.version + 1)
    passage = Passage(
        id=new_id,
        system_id=system.id,
        before=system.status,
        after=to,
        at=at,
        by=by,
        reason=reason,
        facts_version=facts_version,
        asks=asks.as_data() if asks else {},
        provisional=provisional,
    )
    rests_on = dict.fromkeys(cite for _, each in asks.walk() for cite in each.cites) if asks else {}
    event = SystemMoved(
        subject=system.id,
        passage_id=new_id,
        before=system.status.value,
        after=to.value,
        reason_zh=reason.zh,
        reason_en=reason.en,
        facts_version=facts_version,
        asked=tuple(rests_on),
        provisional=provisional,
        version=moved.version,
    )
    return moved, passage, event
