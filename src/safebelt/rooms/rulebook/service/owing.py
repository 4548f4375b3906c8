"""What is owed for a registered system, with everything a reader needs to check it; and what a party owes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import decide, store
from safebelt.rooms.rulebook.decide import deeds
from safebelt.rooms.rulebook.model import Bearer, Duty, Entry, Judgment, LawText
from safebelt.rooms.rulebook.model.deeds import OnRecord, Override
from safebelt.rooms.rulebook.service.base import About, Holdings
from safebelt.rooms.rulebook.service.describing import Describing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Facts judged on a day, and everything that follows.

    Attributes:
        text: The law as it reads on the day.
        facts: What was judged, covenants of the party among them.
        duties: What is owed.
        calendar: Every date to come.
        claimed: Ids of evidence that is held and that nobody but the system's own side stands for.
    """

    on: date
    text: LawText
    facts: Mapping[str, Any]
    judgment: Judgment
    duties: tuple[Duty, ...]
    calendar: tuple[Entry, ...]
    claimed: tuple[str, ...] = ()

    def held_titles(self, evidence: Iterable[str]) -> tuple[Text, ...]:
        """Return what evidence that is held is called, and whether anybody but its own side stands for it."""
        return tuple(self._held_title(one) for one in evidence)

    def _held_title(self, kind: str) -> Text:
        title = self.text.evidence[kind].title if kind in self.text.evidence else Text(zh=kind, en=kind)
        if kind in self.claimed:
            return Text(zh=f"{title.zh}（自我声明）", en=f"{title.en} (claimed)")
        return Text(zh=f"{title.zh}（他方确认）", en=f"{title.en} (vouched for)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFile:
    """What the rulebook has on a registered system.

    Attributes:
        record: The facts that count.
        outlook: What they come to on the day asked about.
        red_lines: Red lines met on that day by verified law, in force.
        barred_by: Those of them that no override sets aside on that day.
        overrides: Every override, latest first.
    """

    system: str
    about: About
    record: OnRecord
    outlook: Outlook
    red_lines: tuple[str, ...]
    barred_by: tuple[str, ...]
    overrides: tuple[Override, ...]


class Owing(Describing):
    """Deeds that tell what is owed; they change nothing."""

    def holdings(self, party: str) -> Holdings:
        """Return a party's systems.

        Raises:
            NotFound: The register has no such party.
        """
        found = self._systems_of(party)
        if found is None:
            raise NotFound(
                what=Text(zh=f"没有登记主体 {party}。", en=f"There is no party {party} in the register."),
                hint=Text(zh="请在登记主体列表中查找。", en="Look it up in the list of parties."),
            )
        return found

    def file_of(self, system: str, *, on: date | None = None) -> SystemFile | None:
        """Return what the rulebook has on a system; None where no facts are on record: *not evaluated*.

        Args:
            system: Its id.
            on: The day; today, if none is given.

        Raises:
            NotFound: The register has no such system.
        """
        about, day = self.about(system), on or self.today()
        with self._sql.read() as tx:
            record = store.descriptions.current(tx, system)
            if record is None:
                return None
            commitments = store.decisions.commitments(tx, party=about.party) if about.party else []
            overrides = tuple(store.decisions.overrides(tx, system))
        facts = deeds.with_covenants(record.description.values(), commitments, day)
        outlook = outlook_on(self.text(day), facts, day, about.persons, about.held)
        outlook = replace(outlook, claimed=about.claimed)
        met = tuple(one.norm.id for one in decide.red_lines(outlook.judgment))
        return SystemFile(
            system=system,
            about=about,
            record=record,
            outlook=outlook,
            red_lines=met,
            barred_by=deeds.still_barred(met, overrides, day),
            overrides=overrides,
        )


def outlook_on(
    text: LawText,
    facts: Mapping[str, Any],
    on: date,
    persons: Mapping[str, tuple[str, ...]] | None = None,
    held: tuple[str, ...] = (),
) -> Outlook:
    """Judge facts by a text on a day, and return everything that follows.

    Args:
        text: The law as it reads on the day.
        facts: Fact id to value.
        on: The day.
        persons: Bearer to names of those who answer.
        held: Ids of evidence that is held.
    """
    judgment = decide.judge(text, facts, on)
    named = {Bearer(bearer): names for bearer, names in (persons or {}).items()}
    return Outlook(
        on=on,
        text=text,
        facts=facts,
        judgment=judgment,
        duties=decide.owe(judgment, held=held, persons=named),
        calendar=decide.calendar(text, facts, on),
    )
