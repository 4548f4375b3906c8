"""An authority's desk and who works at it: without one, nobody supervises."""

import re
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import supervision as decide
from safebelt.rooms.registry.model.supervision import (
    Case,
    Moment,
    Office,
    OfficerAdmitted,
    SetUpOffice,
    Side,
)
from safebelt.rooms.registry.service.lifecycle import Lifecycle
from safebelt.rooms.registry.service.supervising.grounds import hold_instruments

_USER = re.compile(r"usr_[a-z0-9_]{1,56}")
"""What the id of a user looks like."""


class Offices(Lifecycle):
    """Deeds that set up an authority's desk and let people work at it."""

    def set_up_office(self, cmd: SetUpOffice, *, by: Actor) -> Office:
        """Set up an authority's desk, or state its competence anew; whoever does works at it from then on.

        Raises:
            Refused: Somebody else works at that desk, and has not admitted who asks.
            Conflict: Who asks works at another desk.
            Invalid: The party is no authority, or the rulebook does not know what is stated.
        """
        decide.hold_side(by, Side.AUTHORITY)
        _hold_zone(cmd.zone)
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, cmd.party_id)
            text = self._rules.text_within(tx, self._clock().date())
            hold_instruments(cmd.instruments, text)
            jurisdictions = {one.jurisdiction for one in text.instruments.values()}
            party = store.register.party_by_id(tx, cmd.party_id)
            office, event = decide.hold_office(cmd, party, jurisdictions, at=self._clock(), by=by.id)
            self._hold_free_desk(tx, cmd.party_id, by)
            store.supervision.save_office(tx, office)
            store.supervision.admit(tx, by.id, office.party_id, self._clock())
            self._ledger.append(tx, event, by=by)
        return office

    def admit_officer(self, actor_id: str, *, by: Actor) -> Office:
        """Let somebody else work at the desk of who asks.

        Raises:
            Refused: Who asks works at no desk.
            Conflict: They work at a desk already.
            Invalid: There is no id.
        """
        wanted = actor_id.strip()
        if not _USER.fullmatch(wanted):
            raise Invalid(
                what=Text(zh="请填写用户编号（usr_…）。", en="Give the id of a user (usr_…)."),
                hint=Text(zh="用户可在“我的账户”中看到自己的编号。", en="Users find their id under “Your account”."),
                details={"field": "actor_id"},
            )
        with self._sql.begin() as tx:
            office = self._my_desk(tx, by)
            if store.supervision.office_of(tx, wanted):
                raise Conflict(
                    what=Text(zh="该用户已在某个监督工作台。", en="That user works at an authority's desk already."),
                    hint=Text(zh="调动须由本机所有者进行。", en="Only the owner of this machine moves somebody."),
                )
            store.supervision.admit(tx, wanted, office.party_id, self._clock())
            self._ledger.append(tx, OfficerAdmitted(subject=office.party_id, officer=wanted), by=by)
        return office

    def move_officer(self, actor_id: str, party_id: str, *, by: Actor) -> Office:
        """Seat somebody at a desk, whichever they worked at before; only the owner of the machine does.

        Raises:
            Refused: Who asks is not the owner.
            NotFound: There is no such desk.
        """
        if Role.OWNER not in by.roles:
            raise Refused(
                what=Text(zh="只有本机所有者可以调动。", en="Only the owner of this machine moves somebody."),
                hint=Text(zh="请在本机命令行操作。", en="Use the command line on this machine."),
            )
        with self._sql.begin() as tx:
            found = store.supervision.offices(tx, (party_id,))
            if not found:
                raise not_there(party_id[:60])
            store.supervision.admit(tx, actor_id, party_id, self._clock())
            self._ledger.append(tx, OfficerAdmitted(subject=party_id, officer=actor_id), by=by)
        return found[0]

    def offices(self) -> tuple[Office, ...]:
        """Return every authority's desk, by name."""
        with self._sql.read() as tx:
            return store.supervision.offices(tx)

    def office_of(self, by: Actor) -> Office | None:
        """Return the desk somebody works at, or None."""
        if decide.sides_of(by) is not Side.AUTHORITY:
            return None
        with self._sql.read() as tx:
            return next(iter(store.supervision.offices(tx, (store.supervision.office_of(tx, by.id),))), None)

    def _hold_free_desk(self, tx: sa.Connection, party_id: str, by: Actor) -> None:
        """Hold that somebody may set up this desk: it is free, theirs, or they own the machine."""
        mine = store.supervision.office_of(tx, by.id)
        if mine == party_id or Role.OWNER in by.roles:
            return
        if mine:
            raise Conflict(
                what=Text(zh="您已在另一个主管部门的工作台。", en="You work at another authority's desk."),
                hint=Text(zh="调动须由本机所有者进行。", en="Only the owner of this machine moves somebody."),
            )
        if store.supervision.offices(tx, (party_id,)):
            raise Refused(
                what=Text(zh="该主管部门已有工作台。", en="That authority has a desk already."),
                hint=Text(
                    zh="请把您的用户编号告诉该部门的人员，由其加入您。",
                    en="Give your user id to somebody who works there, so that they admit you.",
                ),
            )

    def _my_desk(self, tx: sa.Connection, by: Actor) -> Office:
        """Return the desk somebody works at.

        Raises:
            Refused: They are no authority, or work at none.
        """
        decide.hold_side(by, Side.AUTHORITY)
        found = store.supervision.offices(tx, (store.supervision.office_of(tx, by.id),))
        if not found:
            raise Refused(
                what=Text(zh="您还没有监督工作台。", en="You do not work at an authority's desk yet."),
                hint=Text(zh="请先设立工作台，或由同事加入您。", en="Set one up first, or have a colleague admit you."),
            )
        return found[0]

    def _case_day(self, case: Case) -> date:
        """Return the day where the case's days are counted."""
        return self._clock().astimezone(ZoneInfo(case.zone)).date()

    def _case_moment(self, case: Case, by: Actor, office: Office | None) -> Moment:
        side = Side.OPERATOR if office is None else Side.AUTHORITY
        return Moment(by=by.id, side=side, today=self._case_day(case), office=office.party_id if office else "")


def _hold_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            what=Text(zh=f"没有时区“{zone}”。", en=f"There is no time zone “{zone}”."),
            hint=Text(
                zh="例如 Asia/Shanghai、Europe/Dublin、UTC。", en="For example Asia/Shanghai, Europe/Dublin, UTC."
            ),
            details={"field": "zone"},
        ) from error


def not_there(what: str) -> NotFound:
    """Return that there is no such case or step, said the same whether it is missing or another's."""
    return NotFound(
        what=Text(zh=f"没有找到 {what}。", en=f"There is no {what} that you can see."),
        hint=Text(zh="请在监督工作台的案件列表中查找。", en="Look it up in the list of cases."),
    )
