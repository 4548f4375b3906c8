"""Reading the law: `norms`, `explain`, `instruments`, `crosswalk`, `completeness`, `export`, `check`, `gaps`."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.cli import telling
from safebelt.rooms.rulebook.cli.judging import Instruments
from safebelt.rooms.rulebook.decide import contract
from safebelt.rooms.rulebook.decide.showing import norm_data, norm_told
from safebelt.rooms.rulebook.exports.catalog import law_json, oscal_catalog
from safebelt.rooms.rulebook.model import RELATIONS
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer


def add(app: App, rules: Rules) -> None:
    """Add the commands that read the law."""
    _norms(app, rules)
    _relations(app, rules)
    _whole(app, rules)


def _norms(app: App, rules: Rules) -> None:
    @app.command
    def norms(*, on: date | None = None, instrument: Instruments = (), search: str = "") -> Answer:
        """List norms as they read on a day; SEARCH filters by id and words."""
        asked, wanted, day = rules.known(instrument), search.casefold(), on or rules.today()
        text = rules.text(day)
        found = [
            one
            for one in text.norms.values()
            if (not asked or one.instrument in asked)
            and wanted in " ".join((one.id, one.title.zh, one.title.en, one.says.zh, one.says.en)).casefold()
        ]
        none = Text(zh="没有符合的规则。", en="No norm matches.")
        lines = telling.in_both(lambda lang: "\n".join(telling.norm(one, lang) for one in found))
        return Answer(data=[norm_data(one, text, day) for one in found], says=lines if found else none)

    @app.command
    def explain(norm: str, *, on: date | None = None) -> Answer:
        """Explain a norm: duty, bearer, dates, condition in words, exceptions, what it rests on, what is unsure."""
        day = on or rules.today()
        text, one = rules.text(day), rules.norm(norm, day)
        return Answer(
            data=norm_data(one, text, day), says=telling.in_both(lambda lang: norm_told(one, text, day, lang))
        )

    @app.command
    def instruments(*, on: date | None = None) -> Answer:
        """List the instruments of the rulebook."""
        found = rules.text(on).instruments.values()
        data = [
            {"id": one.id, "kind": one.kind.value, "title": contract.words(one.title), "url": one.url} for one in found
        ]
        lines = telling.in_both(
            lambda lang: "\n".join(f"  {one.id}  [{one.kind.value}]  {one.title.in_(lang)}" for one in found)
        )
        return Answer(data=data, says=lines)


def _relations(app: App, rules: Rules) -> None:
    @app.command
    def crosswalk(a: str, b: str, *, on: date | None = None) -> Answer:
        """Show how the provisions of two instruments relate, seen from the first; exits 3 where nothing is written."""
        text = rules.text(on)
        rules.known((a, b))
        pairs = decide.crosswalk(rules.rulebook, text, a, b)
        none = Text(zh=f"还没有 {a} 与 {b} 的对照。", en=f"No crosswalk of {a} and {b} is written yet.")
        lines = telling.in_both(
            lambda lang: "\n".join(
                f"  {one.a.id} {RELATIONS[one.relation].in_(lang)} {one.b.id}: {one.why.in_(lang)}" for one in pairs
            )
        )
        data = [
            {
                "a": one.a.id,
                "b": one.b.id,
                "relation": one.relation.value,
                "why": contract.words(one.why),
                "basis": one.basis.value,
                "norms_a": list(one.norms_a),
                "norms_b": list(one.norms_b),
            }
            for one in pairs
        ]
        return Answer(data=data, says=lines if pairs else none, exit_code=DONE if pairs else NOT_EVALUATED)

    @app.command
    def gaps() -> Answer:
        """List incidents, complaints and sandbox findings that met no norm."""
        found = rules.gaps()
        none = Text(
            zh="还没有报告规则空白。事件、投诉与沙盒结论中不符合任何规则的，由相应房间报告后列在这里。",
            en="No gap is reported. Incidents, complaints and sandbox findings that match no norm are listed here once "
            "the rooms that know of them report them.",
        )
        lines = telling.in_both(
            lambda lang: "\n".join(f"  {one.at:%Y-%m-%d}  {one.kind.value}  {one.says.in_(lang)}" for one in found)
        )
        return Answer(data=msgspec.to_builtins(found), says=lines if found else none)


def _whole(app: App, rules: Rules) -> None:
    @app.command
    def completeness(*, instrument: Instruments = ()) -> Answer:
        """Show, per instrument, how many duty-bearing provisions have a norm, and on what the norms rest."""
        table = packs.completeness(rules.rulebook, rules.law.cases)
        asked = rules.known(instrument)
        rows = [one for one in table if not asked or one.instrument in asked]
        lines = {lang: packs.completeness_table(rows, lang) for lang in LANGS}
        return Answer(data=[asdict(one) for one in rows], says=Text(**lines))

    @app.command
    def check(folder: Path | None = None) -> Answer:
        """Check the law's files, or those in FOLDER: every lint and every case; exits 1 where something is wrong."""
        found = packs.check_folder(folder or rules.folder)
        errors = [one for one in found if not one.is_warning]
        says = telling.in_both(lambda lang: telling.lints(found, lang))
        return Answer(data=[asdict(one) for one in found], says=says, exit_code=NEGATIVE if errors else DONE)

    @app.command
    def export(
        *,
        form: Annotated[Literal["oscal", "json"], Parameter(help="OSCAL catalog, or all of it as JSON.")] = "oscal",
        on: date | None = None,
        instrument: Instruments = (),
    ) -> Answer:
        """Print the law for other tools."""
        asked = rules.known(instrument)
        text = rules.text(on)
        data: Any = (
            oscal_catalog(text, at=rules.now(), instruments=asked)
            if form == "oscal"
            else law_json(text, on=on or rules.today(), instruments=asked)
        )
        printed = telling.as_json(data)
        return Answer(data=data, says=Text(zh=printed, en=printed))
