"""Looking into cases: each sees what is theirs to see, and with it what can be done next."""

from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import supervision as decide
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.publication import Visibility
from safebelt.rooms.registry.model.road import Seen
from safebelt.rooms.registry.model.supervision import (
    OPERATOR_KINDS,
    Attachment,
    Basis,
    Case,
    CaseFile,
    CasePage,
    Office,
    Option,
    Outcome,
    Position,
    PublicDecision,
    Side,
    Stage,
    Step,
    StepKind,
    WaitsOn,
)
from safebelt.rooms.registry.service.base import pages_of
from safebelt.rooms.registry.service.supervising.grounds import grounds
from safebelt.rooms.registry.service.supervising.handing import content_of
from safebelt.rooms.registry.service.supervising.offices import Offices, not_there

SUGGESTED = 12
"""Duties a form offers as a basis; every id of the rulebook can be typed."""

_READERS = frozenset({Role.OPERATOR, Role.OVERSEER, Role.AUDITOR, Role.AUTHORITY})
_HIDDEN = frozenset({Visibility.EMBARGOED, Visibility.RESTRICTED})


class CaseReading(Offices):
    """Deeds that show cases; nothing here changes one."""

    def _seen(self, tx: sa.Connection, system: System) -> Seen:
        """What a gate looks at, with the cases in which an authority keeps the system out of service."""
        decided = store.supervision.measures(tx, system.id)
        standing = (one for one in map(decide.measure_of, decided) if one is not None)
        return replace(super()._seen(tx, system), measures=tuple(one.case_id for one in standing))

    def cases(
        self,
        *,
        by: Actor,
        search: str = "",
        stage: Stage | None = None,
        waits_on: WaitsOn | None = None,
        page: int = 1,
        size: int = 20,
    ) -> CasePage:
        """Return a page of the cases somebody may see: what is due soonest first, closed ones last.

        Raises:
            Refused: They are neither side, nor oversee or audit.
        """
        if not _READERS & by.roles:
            raise Refused(
                what=Text(
                    zh="监督案件只对当事双方、监督员和审计员开放。",
                    en="Cases are for their parties, overseers and auditors.",
                ),
                hint=Text(zh="请联系管理员。", en="Ask an administrator."),
            )
        is_authority = decide.sides_of(by) is Side.AUTHORITY
        with self._sql.read() as tx:
            office = store.supervision.office_of(tx, by.id) if is_authority else ""
            if is_authority and not office:
                return CasePage(items=(), total=0, page=page, pages=1)
            wanted = store.supervision.Wanted(office=office, search=search, stage=stage, waits_on=waits_on)
            items, total = store.supervision.cases(tx, wanted, page=page, size=size)
        return CasePage(items=items, total=total, page=page, pages=pages_of(total, size))

    def cases_about(self, system_id: str, *, size: int = 5) -> CasePage:
        """Return the newest cases about a system that were opened; what their steps say is not among it."""
        with self._sql.read() as tx:
            wanted = store.supervision.Wanted(system=system_id)
            items, total = store.supervision.cases(tx, wanted, page=1, size=size)
        return CasePage(items=items, total=total, page=1, pages=pages_of(total, size))

    def names_of(self, found: CasePage) -> tuple[dict[str, Text], dict[str, str]]:
        """Return the names of the systems, and of the parties and authorities, of a page of cases."""
        with self._sql.read() as tx:
            return store.supervision.names_of(tx, found.items)

    def case_file(self, case_id: str, *, by: Actor) -> CaseFile:
        """Return a case with what somebody may see of it and do next.

        Raises:
            NotFound: There is none, or it is not theirs to see.
        """
        with self._sql.read() as tx:
            case, steps, office = self._case_seen(tx, case_id, by)
            drafts = store.supervision.drafts(tx, case_id, office.party_id) if office else ()
            ids = [*case.basis, *(one for step in (*steps, *drafts) for one in step.basis)]
            text = self._rules.text_within(tx, self._clock().date())
            systems, names = store.supervision.names_of(tx, (case,))
            others = [one for step in steps for one in (step.office_id, step.to_office, step.appeal_to) if one]
            names |= store.supervision.party_names(tx, others)
            public = frozenset(one.step_id for one in store.supervision.publications(tx, case_id=case_id))
        pos, side = decide.position(steps), decide.sides_of(by)
        return CaseFile(
            case=case,
            system=systems[case.system_id],
            side=side,
            office=office,
            today=self._case_day(case),
            position=pos,
            steps=steps,
            drafts=drafts,
            bases=grounds(ids, text, case.competence),
            options=self._case_options(case, pos, steps, by, office) if side else (),
            names=names,
            public=public,
        )

    def suggested_grounds(self, system_id: str, *, by: Actor) -> tuple[Basis, ...]:
        """Return duties the rulebook finds for a system, within the reader's competence: what a basis may be among.

        Empty where nothing is on record about the system, or who asks works at no authority's desk.
        """
        office = self.office_of(by)
        with self._sql.read() as tx:
            system = store.register.system_by_id(tx, system_id)
        owed = self._rules.owed(system_id, party=system.provider_id) if system else None
        if office is None or owed is None:
            return ()
        within = (one["norm"] for one in owed["owed"] if one["instrument"] in office.competence.instruments)
        ids = tuple(dict.fromkeys(within))[:SUGGESTED]
        return tuple(grounds(ids, self._rules.text(), office.competence).values())

    def jurisdictions(self) -> tuple[str, ...]:
        """Return the jurisdictions the rulebook knows."""
        return tuple(sorted({one.jurisdiction for one in self._rules.text().instruments.values()}))

    def side_of(self, by: Actor) -> Side | None:
        """Return for whom somebody acts; None for neither side."""
        return decide.sides_of(by)

    def case_day(self, case: Case) -> date:
        """Return the day where a case's days are counted."""
        return self._case_day(case)

    def case_attachment(self, case_id: str, step_id: str, digest: str, *, by: Actor) -> tuple[Attachment, bytes]:
        """Return a document handed over in a case.

        Raises:
            NotFound: There is none, or it is not theirs to see.
            Conflict, Unavailable: The file store does not give it as it was put.
        """
        with self._sql.read() as tx:
            _case, steps, office = self._case_seen(tx, case_id, by)
            drafts = store.supervision.drafts(tx, case_id, office.party_id) if office else ()
        mine = (file for step in (*steps, *drafts) if step.id == step_id for file in step.files)
        found = next((file for file in mine if file.digest == digest), None)
        if found is None:
            raise not_there(digest[:64])
        return found, content_of(found, self._tools.blobs)

    def public_decisions(self, system_id: str) -> tuple[PublicDecision, ...]:
        """Return the decisions about a system that their authorities made public, newest first.

        Of a system that the law keeps out of the public part, or not yet lets into it, there are none.
        """
        known, today = system_id.replace("\0", ""), self._clock().date()
        with self._sql.read() as tx:
            current = store.publication.current(tx, known)
            is_hidden = current is not None and current.visibility in _HIDDEN and not current.is_shown(today)
            return () if is_hidden else public_decisions(tx, known)

    def _case_seen(self, tx: sa.Connection, case_id: str, by: Actor) -> tuple[Case, tuple[Step, ...], Office | None]:
        case = store.supervision.case_by_id(tx, case_id)
        if case is None:
            raise not_there(case_id[:60])
        steps = store.supervision.steps(tx, case_id)
        office = store.supervision.office_of(tx, by.id) if decide.sides_of(by) is Side.AUTHORITY else ""
        if not decide.may_see(case, by, office, {step.office_id for step in steps}):
            raise not_there(case_id)
        return case, steps, next(iter(store.supervision.offices(tx, (office,))), None) if office else None

    def _case_options(
        self, case: Case, pos: Position, steps: tuple[Step, ...], by: Actor, office: Office | None
    ) -> tuple[Option, ...]:
        moment = self._case_moment(case, by, office)
        kinds = [kind for kind in StepKind if (kind in OPERATOR_KINDS) == (office is None)]
        return tuple(
            Option(
                kind=kind,
                reason=decide.may(case, pos, kind, moment),
                outcomes=tuple(
                    (outcome, decide.may(case, pos, kind, moment, outcome))
                    for outcome in (one for one in Outcome if one in decide.OUTCOMES_OF.get(kind, ()))
                ),
                targets=tuple(one.id for one in decide.targets(pos, kind, steps)),
            )
            for kind in kinds
        )


def public_decisions(tx: sa.Connection, system_id: str) -> tuple[PublicDecision, ...]:
    """Return the decisions about a system that were made public, newest first, with what became of each."""
    found = []
    for one in store.supervision.publications(tx, system_id=system_id):
        steps = store.supervision.steps(tx, one.case_id)
        decision = next(step for step in steps if step.id == one.step_id)
        if decision.outcome is None or decision.served is None:
            continue  # only served decisions are ever published
        names = store.supervision.party_names(tx, (decision.office_id,))
        found.append(
            PublicDecision(
                case_id=one.case_id,
                step_id=one.step_id,
                system_id=system_id,
                authority=names[decision.office_id],
                outcome=decision.outcome,
                decided_on=decision.served.on,
                standing=decide.standing_of(decision, steps),
                basis=decision.basis,
                other_basis=decision.other_basis,
                summary=one.summary,
                published_at=one.published_at,
            )
        )
    return tuple(found)
