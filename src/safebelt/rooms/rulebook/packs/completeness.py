"""How complete the law's files are: what has a duty, what has a norm, what is verified, what is tried."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.decide.overlays import text_on
from safebelt.rooms.rulebook.model import KINDS, Kind, LawText, Rulebook, Status
from safebelt.rooms.rulebook.packs.lints.cases import ANSWERS
from safebelt.rooms.rulebook.packs.schemas.others import CaseDoc
from safebelt.rooms.rulebook.packs.sources import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """One instrument's row.

    Attributes:
        provisions: In scope, with what enacted overlays added, and those they repealed.
        duties: Of them, those that put a duty, prohibition, right or exemption on somebody.
        with_norm: Duties that a norm cites.
        without_norm: Duties that say why no norm does.
        missing: Duties with neither.
        verified: Norms that rest on the primary text.
        unverified: Norms that only inform.
        cases: Expectations written for its norms and classes.
    """

    instrument: str
    title: Text
    kind: Kind
    provisions: int
    duties: int
    with_norm: int
    without_norm: int
    missing: tuple[str, ...]
    verified: int
    unverified: int
    cases: int


def completeness(rulebook: Rulebook, cases: Iterable[Entry[CaseDoc]] = ()) -> tuple[Completeness, ...]:
    """Return a row for every instrument, in the order of their ids; what was enacted later is counted in."""
    texts = (rulebook.base, text_on(rulebook, date.max))
    tried: dict[str, int] = {}
    for entry in cases:
        tried[entry.instrument] = tried.get(entry.instrument, 0) + _expectations(entry.doc)
    return tuple(_row(name, texts, tried.get(name, 0)) for name in sorted(rulebook.base.instruments))


def _expectations(doc: CaseDoc) -> int:
    answers = sum(getattr(doc, answer) is not None for answer in ANSWERS)
    return len(doc.expect) if doc.given is not None else answers * (len(doc.norms) + len(doc.classes))


def _row(name: str, texts: tuple[LawText, ...], cases: int) -> Completeness:
    instrument = texts[-1].instruments[name]
    provisions = {p.id: p for text in texts for p in text.provisions.values() if p.instrument == name}
    norms = {n.id: n for text in texts for n in text.norms.values() if n.instrument == name}
    cited = {cite for text in texts for norm in text.norms.values() for cite in norm.cites}
    duties = [one for one in provisions.values() if one.duty]
    verified = sum(one.status is Status.VERIFIED for one in norms.values())
    return Completeness(
        instrument=name,
        title=instrument.short,
        kind=instrument.kind,
        provisions=len(provisions),
        duties=len(duties),
        with_norm=sum(one.id in cited for one in duties),
        without_norm=sum(one.id not in cited and one.no_norm is not None for one in duties),
        missing=tuple(one.eid for one in duties if one.id not in cited and one.no_norm is None),
        verified=verified,
        unverified=len(norms) - verified,
        cases=cases,
    )


_HEADS = (
    Text(zh="文件", en="Instrument"),
    Text(zh="种类", en="Kind"),
    Text(zh="条款", en="Provisions"),
    Text(zh="其中有义务", en="With a duty"),
    Text(zh="有规范", en="Have a norm"),
    Text(zh="说明了为何没有", en="Say why none"),
    Text(zh="尚缺", en="Missing"),
    Text(zh="规范：已核实", en="Norms: verified"),
    Text(zh="规范：未核实", en="Norms: unverified"),
    Text(zh="用例", en="Cases"),
)
_TOTAL = Text(zh="合计", en="Total")


def completeness_table(rows: Iterable[Completeness], lang: Lang) -> str:
    """Render rows as a Markdown table with a total."""
    kept = tuple(rows)
    lines = [[head.in_(lang) for head in _HEADS], ["---", "---", *["---:"] * (len(_HEADS) - 2)]]
    for row in kept:
        name = f"{row.title.in_(lang)} (`{row.instrument}`)"
        lines.append([name, KINDS[row.kind].in_(lang), *map(str, _numbers(row))])
    totals = [sum(column) for column in zip(*map(_numbers, kept), strict=True)] or [0] * (len(_HEADS) - 2)
    lines.append([f"**{_TOTAL.in_(lang)}**", "", *map(str, totals)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _numbers(row: Completeness) -> tuple[int, ...]:
    return (
        row.provisions,
        row.duties,
        row.with_norm,
        row.without_norm,
        len(row.missing),
        row.verified,
        row.unverified,
        row.cases,
    )
