"""The deed that tells what comes next for a system."""

from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide import agenda as decide
from safebelt.rooms.registry.model import Duties
from safebelt.rooms.registry.model.agenda import NextKind, Upcoming
from safebelt.rooms.registry.model.training import JobState
from safebelt.rooms.registry.service.dossier_parts import DossierParts


class Agenda(DossierParts):
    """Tells what comes next; changes nothing."""

    def agenda(self, system_id: str) -> tuple[Upcoming, ...]:
        """Return what comes next for a system, soonest first; what has no day stands last.

        Raises:
            NotFound: There is no such system.
        """
        duties, today = self.dossier(system_id).duties, self._clock().date()
        names = {one.id: one.title for one in self._rules.rulebook.base.evidence.values()}
        return decide.agenda(
            decide.of_duties(duties.owed if isinstance(duties, Duties) else (), today),
            decide.of_changes(self.to_do(system_id), names),
            decide.of_evidence(self.expiring(system_id=system_id), names),
            decide.of_cases(self.cases_about(system_id).items, today),
            self._waiting_jobs(system_id),
        )

    def _waiting_jobs(self, system_id: str) -> tuple[Upcoming, ...]:
        waiting = self.jobs(system_id=system_id, state=JobState.ASKED).items
        return tuple(
            Upcoming(kind=NextKind.JOB, on=None, about=one.id, title=Text(zh=one.purpose, en=one.purpose))
            for one in waiting
        )
