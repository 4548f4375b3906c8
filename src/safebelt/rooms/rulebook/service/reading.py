"""Reading the law and trying it on facts.  Nothing here is remembered: what-ifs are private (invariant 15)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.decide import contract
from safebelt.rooms.rulebook.model import (
    Bearer,
    Description,
    Judgment,
    LawText,
    Overlay,
    Verdict,
)
from safebelt.rooms.rulebook.service.describing import Describing
from safebelt.rooms.rulebook.service.owing import SystemFile


class Reading(Describing):
    """Deeds that change nothing."""

    def read(self, source: str, *, name: str = "") -> Description:
        """Read a descriptor, YAML or JSON, in the form `system/1`; `name` is what its findings call it.

        Raises:
            Invalid: It cannot be read; every finding with its line.
        """
        return packs.read_description(source, self.rulebook, name=name)

    def judge(
        self,
        facts: Mapping[str, Any],
        *,
        on: date | None = None,
        instruments: Collection[str] | None = None,
        drafts: Iterable[Overlay] = (),
    ) -> tuple[Judgment, LawText]:
        """Judge facts on a day; today, if none is given.

        Args:
            facts: Fact id to value.
            on: The day.
            instruments: Only these.
            drafts: Drafts to read the law with.
        """
        day = on or self.today()
        text = self.text(day, drafts)
        return decide.judge(text, facts, day, instruments), text

    def owed(
        self,
        system: str,
        *,
        party: str = "",
        persons: Mapping[str, tuple[str, ...]] | None = None,
        held: Collection[str] = (),
        on: date | None = None,
    ) -> dict[str, Any] | None:
        """Return what is owed for a registered system by the facts on record; None where there are none.

        Args:
            system: Its id.
            party: The party whose covenants bind it.
            persons: Bearer to names of those who answer.
            held: Ids of evidence that is held.
            on: The day; today, if none is given.

        Returns:
            `{on, facts_version, classes, owed, open, barred_by}`, JSON-ready but for the day.
        """
        record, day = self.on_record(system), on or self.today()
        judgment = self.judgment_of(system, party=party, on=day)
        if record is None or judgment is None:
            return None
        text, named = self.text(day), {Bearer(name): people for name, people in (persons or {}).items()}
        duties = decide.owe(judgment, held=held, persons=named)
        return {
            "on": day,
            "facts_version": record.version,
            "classes": {
                name: self._shown(name, text, judgment)
                for name in _concerned(judgment, decide.touched(text, record.description.values()))
            },
            "owed": tuple(contract.duty_data(duty, text, judgment) for duty in duties),
            "open": sum(1 for one in judgment.findings.values() if one.verdict is Verdict.UNKNOWN),
            "barred_by": self.barred_by(system, party=party),
        }

    def told(self, file: SystemFile) -> dict[str, Any]:
        """Return what a file says of a system's classes and duties: `{classes, owed}`, JSON-ready."""
        outlook = file.outlook
        return {
            "classes": {name: contract.class_data(one) for name, one in outlook.judgment.classes.items()},
            "owed": [contract.duty_data(duty, outlook.text, outlook.judgment) for duty in outlook.duties],
        }

    def _shown(self, instrument: str, text: LawText, judgment: Judgment) -> dict[str, Any]:
        data = contract.class_data(judgment.classes[instrument])
        titles = {one.id: one.title for one in text.instruments[instrument].classes}
        data["short"] = contract.words(text.instruments[instrument].short)
        data["titles"] = {
            lang: [
                titles[name].in_(lang) if name in titles else contract.UNKNOWN_TITLE.in_(lang) for name in data["all"]
            ]
            for lang in ("zh", "en")
        }
        return data


def _concerned(judgment: Judgment, touched: Collection[str]) -> list[str]:
    """Instruments of the places that have to do with the system, unless they put it out of their scope."""
    return [name for name, one in judgment.classes.items() if name in touched and one.strictest not in _OUT]


_OUT = frozenset({"", "out_of_scope", "not_covered"})
"""Classes that say only that an instrument has nothing to say here."""
