"""`safebelt labelling owed`: which marks are owed on a file, and why; and what `mark` makes of that."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.labelling.decide import owed as decide
from safebelt.rooms.labelling.model import MARKS, Mark, Marked
from safebelt.rooms.labelling.model.owing import MEDIA, OWINGS, OwedMark, Owing
from safebelt.rooms.labelling.service import Labelling, OwedFor
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

_NO_LEGAL_ADVICE = Text(zh="不构成法律意见。", en="Not legal advice.")


def add_owed(app: App, labelling: Labelling) -> None:
    """Add the command to the group."""

    @app.command
    def owed(
        source: Path,
        *,
        system: Annotated[str, Parameter(help="Id of the system that made the content.")] = "",
        regime: Annotated[str, Parameter(help="Judge as for these places: cn, eu, or both with a comma.")] = "",
    ) -> Answer:
        """Say which marks are owed on a file, and by which provisions: by the facts on record of what made it.

        Exits 0 where every mark could be judged, 3 where facts are missing.
        """
        return _answer(labelling.owed(source, system, regimes=regimes(regime)))


def regimes(named: str) -> tuple[str, ...]:
    """Return the places that somebody named with commas between; an empty one is none that is known."""
    return tuple(one.strip() for one in named.split(",")) if named else ()


def marks_of(
    due: Mapping[Mark, OwedMark], regime: str, *, explicit: bool | None, watermark: bool | None
) -> frozenset[Mark]:
    """Return the marks to put: what is owed, or, where somebody names notice or watermark, those and the metadata."""
    wished = decide.wished(due, is_narrowed=bool(regimes(regime)))
    if explicit is None and watermark is None:
        return wished
    named = (Mark.EXPLICIT, explicit is not False), (Mark.WATERMARK, watermark is True)
    return (wished - {Mark.EXPLICIT, Mark.WATERMARK}) | {mark for mark, is_wished in named if is_wished}


def not_put(due: Mapping[Mark, OwedMark], made: Marked) -> list[Mark]:
    """Return the marks that are owed, and that nobody asked for."""
    return list(decide.missing(due, {*made.put, *made.left_out}))


def _answer(due: OwedFor) -> Answer:
    data = {
        "medium": due.medium.value,
        "marks": {
            mark.value: {"owing": one.owing.value, "why": one.reason.as_data(), "norms": list(one.norms)}
            for mark, one in due.marks.items()
        },
    }
    is_open = any(one.owing is Owing.NOT_EVALUATED for one in due.marks.values())
    says = Text(**{lang: _as_text(due, lang) for lang in LANGS})
    return Answer(data=data, says=says, exit_code=NOT_EVALUATED if is_open else DONE)


def _as_text(due: OwedFor, lang: Lang) -> str:
    lines = [MEDIA[due.medium].in_(lang)]
    for mark, one in due.marks.items():
        lines.append(f"{MARKS[mark].in_(lang)}: {OWINGS[one.owing].in_(lang)}")
        lines += [f"  {line}" for line in one.reason.as_text(lang).splitlines()]
    return "\n".join([*lines, _NO_LEGAL_ADVICE.in_(lang)])
