"""Which marks are owed on a file: the law that applies to the system which made it is asked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.decide import owed
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind, sniff
from safebelt.rooms.labelling.model import Mark
from safebelt.rooms.labelling.model.owing import Medium, OwedMark
from safebelt.rooms.labelling.service.base import Furnished
from safebelt.rooms.labelling.service.working import unknown

REGIMES = ("cn", "eu")
"""Places whose law a caller may name."""
MOST_COUNTED = 10_000
"""Contents that are counted for a page; of more it says *or more*."""
_PLAIN_TEXTS = (Kind.TXT, Kind.MARKDOWN, Kind.HTML, Kind.JSON)
_MEDIA = {"image": Medium.IMAGE, "audio": Medium.AUDIO, "video": Medium.VIDEO}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedFor:
    """What is owed on a content.

    Attributes:
        medium: What it is.
        marks: Every mark, and whether it is owed.
    """

    medium: Medium
    marks: Mapping[Mark, OwedMark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which marks a system owes, and what was marked.

    Attributes:
        marks: By the kinds of content that it makes, as far as they are on record.
        count: How many of its contents this house marked, files only; at most `MOST_COUNTED`.
        first, last: When the first and the last was.
    """

    marks: Mapping[Medium, Mapping[Mark, OwedMark]]
    count: int
    first: datetime | None
    last: datetime | None


class Owing(Furnished):
    """Says which marks are owed."""

    def owed(self, source: Path, system_id: str, *, regimes: Collection[str] = ()) -> OwedFor:
        """Return which marks are owed on a file.

        Args:
            source: The file.
            system_id: What made it; empty where no registered system did.
            regimes: Judge as if it went to these places, and by their law alone; empty for the places on record.

        Raises:
            NotFound: There is no such file or system.
            Invalid: The file is of no known format, or a place is none that can be named.
        """
        try:
            with files.opened(source) as (_, data):
                kind, size = sniff(data, source.name), len(data)
        except OSError as error:
            raise NotFound(
                what=Text(zh=f"没有文件“{source}”，或无法读取。", en=f"There is no file {str(source)!r} to be read."),
                hint=Text(zh="请核对路径。", en="Check the path."),
            ) from error
        if kind is None:
            raise unknown(source.name)
        is_short = kind in _PLAIN_TEXTS and owed.short(size)
        medium = medium_of(kind)
        return OwedFor(medium=medium, marks=self.owed_of(medium, system_id, regimes=regimes, is_short=is_short))

    def owed_of(
        self, medium: Medium, system_id: str, *, regimes: Collection[str] = (), is_short: bool = False
    ) -> Mapping[Mark, OwedMark]:
        """Return which marks are owed on a kind of content.

        Raises:
            NotFound: There is no such system.
            Invalid: A place is none that can be named.
        """
        _hold_regimes(regimes)
        rules = self.desk.rules
        record = rules.on_record(self.desk.registry.system(system_id).id) if system_id else None
        if record is None and not regimes:
            return owed.not_evaluated()
        known = record.description.values() if record else {}
        text = rules.text()
        facts = owed.facts_for(known, medium, regimes)
        judgment, text = rules.judge(facts, instruments=owed.instruments(text))
        return owed.owed(judgment, text, medium, regimes=regimes, is_short=is_short)

    def standing(self, system_id: str) -> Standing:
        """Return which marks a system owes on what it makes, and how many this house put on its contents."""
        rules, marks = self.desk.rules, dict[Medium, Mapping[Mark, OwedMark]]()
        record = rules.on_record(system_id)
        if record is not None and (made := owed.media_made(record.description.values())):
            text = rules.text()
            judgment, text = rules.judge(record.description.values(), instruments=owed.instruments(text))
            marks = {medium: owed.owed(judgment, text, medium) for medium in made}
        with self.desk.sql.read() as tx:
            count, first, last = store.counted(tx, system_id, MOST_COUNTED)
        return Standing(marks=marks, count=count, first=first, last=last)


def medium_of(kind: Kind) -> Medium:
    """Return what kind of content a format holds; documents are text."""
    return _MEDIA.get(MEDIA_TYPES[kind].split("/", 1)[0], Medium.TEXT)


def _hold_regimes(regimes: Collection[str]) -> None:
    if set(regimes) - set(REGIMES):
        named = ",".join(regimes)
        raise Invalid(
            what=Text(zh=f"不认识的法域：{named}。", en=f"No such regime: {named}."),
            hint=Text(zh="请用 cn、eu 或 cn,eu。", en="Use cn, eu, or cn,eu."),
            details={"field": "regime"},
        )
