"""Who sees what: an authority its own cases with their drafts, the operator what was served, others neither."""

from collections.abc import Collection

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.supervision import Case, Side

_READERS = frozenset({Role.OPERATOR, Role.OVERSEER, Role.AUDITOR})
"""Roles of the operator's own house, and its auditor: they read what was served."""


def sides_of(by: Actor) -> Side | None:
    """Return for whom somebody acts.  Whoever is an operator is one, whatever else; None for neither side."""
    if Role.OPERATOR in by.roles:
        return Side.OPERATOR
    return Side.AUTHORITY if Role.AUTHORITY in by.roles else None


def hold_side(by: Actor, side: Side) -> None:
    """Hold that somebody acts for a side.

    Raises:
        Refused: They do not: nobody judges their own cause, and no authority writes an operator's answer.
    """
    if sides_of(by) is side:
        return
    if side is Side.AUTHORITY:
        raise Refused(
            what=Text(zh="这一步只能由主管部门作出。", en="Only an authority takes this step."),
            hint=Text(
                zh="请以主管部门身份登录；运营者不得监督自己。",
                en="Sign in as an authority; an operator never supervises itself.",
            ),
        )
    raise Refused(
        what=Text(zh="这一步只能由运营者作出。", en="Only the operator takes this step."),
        hint=Text(
            zh="请以运营者身份登录；主管部门不得代为答复。",
            en="Sign in as the operator; an authority never answers for it.",
        ),
    )


def may_see(case: Case, by: Actor, office: str, offices: Collection[str]) -> bool:
    """Whether somebody may open a case.

    Args:
        case: The case.
        by: Who.
        office: The authority they work for; empty where none.
        offices: Authorities that took a step in it.
    """
    if sides_of(by) is Side.AUTHORITY:
        mine = {case.office_id, case.referred_to, case.appeal_to, *offices}
        return bool(office) and office in mine
    return case.opened_at is not None and bool(_READERS & by.roles)
