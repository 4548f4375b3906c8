"""A small law, built in code, that tests judge by; each test changes what it is about."""

from datetime import date
from typing import Any

from safebelt.kernel.conditions import Condition
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import (
    Basis,
    Bearer,
    ClassLabel,
    Derived,
    Fact,
    FactType,
    InForce,
    Instrument,
    Kind,
    LawText,
    Modality,
    Norm,
    Option,
    Parameter,
    Row,
    Standing,
    Status,
    Subject,
    Term,
)

INSTRUMENT = "xx/act"
TODAY = date(2026, 11, 22)
PAST = date(2020, 1, 1)
V, U = Status.VERIFIED, Status.UNVERIFIED


def both(en: str) -> Text:
    return Text(zh=f"中文{en}", en=en)


def cond(tree: Any) -> Condition:
    return Condition.parse(tree, has_names=True)


def yes(fact: str) -> dict:
    return {"fact": fact, "is": True}


def basis(status: Status) -> Basis:
    return Basis.PRIMARY if status is V else Basis.RECALLED


def fact(
    name: str, kind: FactType = FactType.YES_NO, *options: str, subject: Subject = Subject.SYSTEM, **more: Any
) -> Fact:
    given = tuple(Option(id=one, label=both(one)) for one in options)
    return Fact(id=name, subject=subject, type=kind, label=both(name), question=both(f"{name}?"), options=given, **more)


def norm(name: str, when: Any = None, **more: Any) -> Norm:
    status = more.pop("status", V)
    starts = {"in_force": InForce(from_=PAST), "modality": Modality.MUST, "bearer": Bearer.PROVIDER} | more
    for key in ("unless", "upon"):
        if starts.get(key) is not None and not isinstance(starts[key], Condition):
            starts[key] = cond(starts[key])
    return Norm(
        id=name,
        instrument=INSTRUMENT,
        title=both(f"duty {name}"),
        says=both(f"do {name}"),
        cites=(f"{INSTRUMENT}#{name}",),
        when=None if when is None else cond(when),
        status=status,
        basis=basis(status),
        **starts,
    )


def term(name: str, when: Any, *, unless: Any = None, status: Status = V) -> Term:
    return Term(
        id=name, instrument=INSTRUMENT, title=both(f"term {name}"), when=cond(when), unless=None if unless is None else cond(unless),
        cites=(f"{INSTRUMENT}#{name}",), status=status, basis=basis(status),
    )  # fmt: skip


def parameter(name: str, values: dict, *, status: Status = V) -> Parameter:
    return Parameter(
        id=name, instrument=INSTRUMENT, title=both(f"limit {name}"), values=values, unit="people", status=status, basis=basis(status),
        cites=(f"{INSTRUMENT}#{name}",),
    )  # fmt: skip


def derived(name: str, rows: list, otherwise: Any, kind: FactType = FactType.NUMBER, *, status: Status = V) -> Derived:
    return Derived(
        id=name, instrument=INSTRUMENT, title=both(f"derived {name}"), type=kind, rows=tuple(Row(when=cond(w), value=v) for w, v in rows),
        otherwise=otherwise, status=status, basis=basis(status), cites=(f"{INSTRUMENT}#{name}",),
    )  # fmt: skip


def label(name: str, when: Any, **more: Any) -> ClassLabel:
    return ClassLabel(
        id=name,
        title=both(f"class {name}"),
        says=both(f"it is {name}"),
        when=cond(when),
        cites=(f"{INSTRUMENT}#{name}",),
        **more,
    )


def instrument(*classes: ClassLabel) -> Instrument:
    return Instrument(
        id=INSTRUMENT, kind=Kind.LAW, jurisdiction="xx", title=both("The Act"), short=both("Act"), authority=both("Parliament"),
        standing=Standing.IN_FORCE, basis=Basis.PRIMARY, classes=classes,
    )  # fmt: skip


FACTS = (
    *(fact(name) for name in "abcde"),
    fact("size", FactType.NUMBER, unit="people"),
    fact("kind", FactType.ONE_OF, "red", "green", "blue"),
    fact("uses", FactType.SOME_OF, "x", "y", "z"),
    fact("launched", FactType.DATE),
    fact("incident.bad", subject=Subject.INCIDENT),
    fact("incident.aware_on", FactType.DATE, subject=Subject.INCIDENT),
    fact("event.placed_on_market_on", FactType.DATE, subject=Subject.EVENT),
)


def law(*entries: Any, classes: tuple = (), facts: tuple = FACTS) -> LawText:
    """A text of norms, terms, parameters and derived facts in any order."""

    def shelf(kind: type) -> dict:
        return {one.id: one for one in entries if isinstance(one, kind)}

    return LawText(
        facts={one.id: one for one in facts}, norms=shelf(Norm), terms=shelf(Term), parameters=shelf(Parameter), derived=shelf(Derived),
        instruments={INSTRUMENT: instrument(*classes)},
    )  # fmt: skip
