"""Judging a described system: `judge`, `calendar`, `owe`, `coverage`, `template`, `schema`."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.cli import telling
from safebelt.rooms.rulebook.decide import contract
from safebelt.rooms.rulebook.exports.ics import calendar_ics
from safebelt.rooms.rulebook.model import Bearer, Verdict
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.terminal import DONE, Answer, read_text

File = Annotated[Path, Parameter(allow_leading_hyphen=True, help="A descriptor, YAML or JSON; `-` for standard input.")]
Instruments = Annotated[
    tuple[str, ...], Parameter(name=["--instrument", "-i"], negative="", help="Only this one; repeat for several.")
]
Drafts = Annotated[
    tuple[Path, ...], Parameter(name="--draft", negative="", help="Read the law with this draft; repeat for several.")
]


def add(app: App, rules: Rules) -> None:
    """Add the commands that judge."""
    _judge(app, rules)
    _calendar(app, rules)
    _owe(app, rules)
    _coverage(app, rules)
    _forms(app, rules)


def _judge(app: App, rules: Rules) -> None:
    @app.command
    def judge(
        file: File,
        *,
        on: date | None = None,
        instrument: Instruments = (),
        draft: Drafts = (),
        verdict: Annotated[tuple[Verdict, ...], Parameter(negative="", help="List only these verdicts.")] = (),
        why: Annotated[bool, Parameter(negative="", help="Print the reasons in full.")] = False,
    ) -> Answer:
        """Judge the system described in FILE (YAML or JSON, `-` for standard input) as of a day.

        Exits 0 if judged, 1 if a red line makes it prohibited, 3 if the strictest class is unknown for an instrument
        asked for, or, where none is, for one of the places the description mentions.
        """
        description = rules.read(read_text(file), name=str(file))
        overlays = [rules.draft(read_text(path)) for path in draft]
        facts, asked = description.values(), rules.known(instrument) or None
        judgment, text = rules.judge(facts, on=on, instruments=asked, drafts=overlays)
        return Answer(
            data=contract.judgment_data(judgment, text, only=verdict or tuple(Verdict)),
            says=telling.in_both(lambda lang: telling.judgment(description, judgment, text, lang, in_full=why)),
            exit_code=decide.exit_code(judgment, asked or decide.touched(text, facts)),
        )


def _calendar(app: App, rules: Rules) -> None:
    @app.command
    def calendar(
        file: File,
        *,
        on: date | None = None,
        instrument: Instruments = (),
        ics: Annotated[Path | None, Parameter(help="Write the dates as an iCalendar file.")] = None,
    ) -> Answer:
        """List every date to come for the system described in FILE: what begins, ends, falls due, changes."""
        description, day = rules.read(read_text(file), name=str(file)), on or rules.today()
        asked = rules.known(instrument) or None
        entries = decide.calendar(rules.text(day), description.values(), day, instruments=asked)
        if ics is not None:
            ics.write_bytes(calendar_ics(entries, name=description.name, at=rules.now()))
        return Answer(
            data=[telling.entry_data(one) for one in entries],
            says=telling.in_both(lambda lang: telling.entries(entries, lang)),
        )


def _owe(app: App, rules: Rules) -> None:
    @app.command
    def owe(
        file: File,
        *,
        on: date | None = None,
        instrument: Instruments = (),
        bearer: Annotated[
            tuple[Bearer, ...], Parameter(name="--as", negative="", help="Only what lies on this bearer.")
        ] = (),
        held: Annotated[
            tuple[str, ...], Parameter(negative="", help="Id of evidence you have; repeat for several.")
        ] = (),
    ) -> Answer:
        """List what is owed for the system described in FILE: duty, bearer, why, due, evidence held and missing."""
        description = rules.read(read_text(file), name=str(file))
        judgment, text = rules.judge(description.values(), on=on, instruments=rules.known(instrument) or None)
        duties = decide.owe(judgment, held=rules.known_evidence(held), roles=frozenset(bearer) or None)
        return Answer(
            data=[contract.duty_data(one, text, judgment) for one in duties],
            says=telling.in_both(lambda lang: telling.duties(duties, text, lang)),
        )


def _coverage(app: App, rules: Rules) -> None:
    @app.command
    def coverage(
        held: Annotated[tuple[str, ...], Parameter(help="Ids of the evidence you have.")] = (),
        /,
        *,
        on: date | None = None,
        instrument: Instruments = (),
    ) -> Answer:
        """Show how far evidence reaches: which duties of each instrument name it.  It never says a duty is met."""
        text = rules.text(on)
        found = decide.coverage(text, rules.known_evidence(held), rules.known(instrument) or None)
        return Answer(
            data=telling.coverage_data(found),
            says=telling.in_both(lambda lang: telling.coverage(found, text, lang)),
        )


def _forms(app: App, rules: Rules) -> None:
    @app.command
    def template(*, instrument: Instruments = (), language: Lang = "en") -> Answer:
        """Print a descriptor to fill in, with every question as a comment."""
        form = packs.template(rules.rulebook, language, rules.known(instrument) or None)
        return Answer(data={"template": form}, says=Text(zh=form, en=form))

    @app.command
    def schema() -> Answer:
        """Print the JSON Schema of descriptors."""
        found: Any = packs.description_schema(rules.rulebook)
        printed = telling.as_json(found)
        return Answer(data=found, says=Text(zh=printed, en=printed), exit_code=DONE)

    @app.command
    def facts(search: str = "") -> Answer:
        """List the facts a descriptor may hold; SEARCH filters by id, label or option."""
        found = [one for one in rules.text().facts.values() if telling.mentions(one, search)]
        none = Text(zh="没有符合的事实。", en="No fact matches.")
        lines = Text(**{lang: "\n".join(telling.fact(one, lang) for one in found) for lang in LANGS})
        return Answer(data=[telling.fact_data(one) for one in found], says=lines if found else none)
