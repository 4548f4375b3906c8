"""The law's text on a day: the first text with every overlay that has taken effect, and exactly what each changed."""

from dataclasses import MISSING, Field, dataclass, fields, replace
from datetime import date
from functools import lru_cache
from typing import Any

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import (
    Change,
    Changed,
    Deed,
    Derived,
    Fact,
    Fault,
    FieldChange,
    Instrument,
    LawText,
    Norm,
    Overlay,
    OverlayStanding,
    Parameter,
    Part,
    Provision,
    Rulebook,
    Term,
)

_SHELVES = {
    Part.PROVISION: ("provisions", Provision),
    Part.FACT: ("facts", Fact),
    Part.TERM: ("terms", Term),
    Part.NORM: ("norms", Norm),
    Part.PARAMETER: ("parameters", Parameter),
    Part.DERIVED: ("derived", Derived),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidation:
    """A text after overlays.

    Attributes:
        text: The text with every change that could be made.
        changes: What was changed, in order.
        faults: Every change that could not be made.
    """

    text: LawText
    changes: tuple[Changed, ...]
    faults: tuple[Fault, ...]


def text_on(rulebook: Rulebook, on: date, drafts: tuple[Overlay, ...] = ()) -> LawText:
    """Return the text as it reads on a day.  The same state of the text is the same object.

    Args:
        rulebook: The first text and what was enacted.
        on: The day.
        drafts: Overlays to read as if they were enacted, each from its own day on.

    Raises:
        Invalid: An overlay does not fit; `details` names every fault.
    """
    due = tuple(overlay for overlay in in_order((*rulebook.enacted, *drafts)) if overlay.effective <= on)
    return _consolidated(rulebook, due, drafts)


def in_order(overlays: tuple[Overlay, ...]) -> tuple[Overlay, ...]:
    """Return overlays as they take effect: by day, on one day the enacted first, then by id."""
    return tuple(sorted(overlays, key=lambda one: (one.effective, one.standing is OverlayStanding.DRAFT, one.id)))


def reading(text: LawText, on: date) -> LawText:
    """Return how a text reads on another day, with the same drafts."""
    return text if text.origin is None else text_on(text.origin, on, text.drafts)


def coming_overlays(text: LawText, on: date) -> tuple[Overlay, ...]:
    """Return the overlays that take effect after a day, in order."""
    if text.origin is None:
        return ()
    return tuple(one for one in in_order((*text.origin.enacted, *text.drafts)) if one.effective > on)


@lru_cache(maxsize=64)
def _consolidated(rulebook: Rulebook, overlays: tuple[Overlay, ...], drafts: tuple[Overlay, ...]) -> LawText:
    done = consolidate(rulebook.base, overlays)
    refuse(done.faults)
    return replace(done.text, origin=rulebook, drafts=drafts)


def refuse(faults: tuple[Fault, ...]) -> None:
    """Do nothing if there are no faults.

    Raises:
        Invalid: There are; all of them are named.
    """
    if not faults:
        return
    raise Invalid(
        what=Text(
            zh="规则文本有误：" + " ".join(f"{one.where}：{one.what.zh}" for one in faults),
            en="The text of the rules has faults: " + " ".join(f"{one.where}: {one.what.en}" for one in faults),
        ),
        hint=Text(
            zh=" ".join(dict.fromkeys(one.hint.zh for one in faults)),
            en=" ".join(dict.fromkeys(one.hint.en for one in faults)),
        ),
        details={f"{number}:{one.where}": one.what.en for number, one in enumerate(faults, start=1)},
    )


def consolidate(text: LawText, overlays: tuple[Overlay, ...]) -> Consolidation:
    """Apply overlays in the order given; the text handed in stays as it is."""
    desk = _Desk(text)
    for overlay in overlays:
        for change in overlay.changes:
            desk.carry_out(overlay, change)
    return Consolidation(text=desk.text(overlays), changes=tuple(desk.changes), faults=tuple(desk.faults))


class _Desk:
    """A copy of the text on which changes are carried out one by one."""

    def __init__(self, text: LawText) -> None:
        self._before = text
        self._shelves: dict[Part, dict[str, Any]] = {
            part: dict(getattr(text, name)) for part, (name, _) in _SHELVES.items()
        }
        self._instruments: dict[str, Instrument] = dict(text.instruments)
        self._shelves[Part.CLASS] = {
            f"{instrument.id}.{one.id}": one for instrument in text.instruments.values() for one in instrument.classes
        }
        self.changes: list[Changed] = []
        self.faults: list[Fault] = []

    def text(self, overlays: tuple[Overlay, ...]) -> LawText:
        """Return what has come of it."""
        for instrument in self._before.instruments.values():
            prefix = f"{instrument.id}."
            kept = tuple(one for name, one in self._shelves[Part.CLASS].items() if name == prefix + one.id)
            if kept != instrument.classes:
                self._instruments[instrument.id] = replace(instrument, classes=kept)
        shelves: dict[str, Any] = {name: self._shelves[part] for part, (name, _) in _SHELVES.items()}
        applied = (*self._before.overlays, *(one.id for one in overlays))
        return replace(self._before, instruments=self._instruments, overlays=applied, **shelves)

    def carry_out(self, overlay: Overlay, change: Change) -> None:
        """Carry out one change, or note why it cannot be."""
        if change.deed is Deed.ADD:
            self._add(overlay, change)
            return
        shelf = self._shelves[change.part]
        for name in change.ids:
            if name not in shelf:
                self._fault(overlay, _unknown(change.part, name))
            elif change.deed is Deed.REPEAL:
                self._note(overlay, change, name, before=shelf.pop(name), after=None)
            else:
                self._amend(overlay, change, name)

    def _add(self, overlay: Overlay, change: Change) -> None:
        entry = change.entry
        if entry is None or change.part not in _SHELVES or not isinstance(entry, _SHELVES[change.part][1]):
            self._fault(overlay, Text(zh=f"没有可加入的{change.part}。", en=f"There is no {change.part} to add."))
        elif entry.id in self._shelves[change.part]:
            self._fault(overlay, Text(zh=f"{entry.id} 已经存在，不能再加入。", en=f"{entry.id} is there already."))
        else:
            self._shelves[change.part][entry.id] = entry
            self._note(overlay, change, entry.id, before=None, after=entry)

    def _amend(self, overlay: Overlay, change: Change, name: str) -> None:
        before = self._shelves[change.part][name]
        values, wrong = _new_values(before, change)
        for what in wrong:
            self._fault(overlay, what)
        if wrong:
            return
        after = self._shelves[change.part][name] = replace(before, **values)
        self._note(overlay, change, name, before=before, after=after)

    def _note(self, overlay: Overlay, change: Change, name: str, *, before: Any, after: Any) -> None:
        self.changes.append(
            Changed(
                overlay=overlay.id,
                deed=change.deed,
                part=change.part,
                id=name,
                before=before,
                after=after,
                fields=differences(before, after) if change.deed is Deed.AMEND else (),
                why=change.why,
                cites=change.cites,
            )
        )

    def _fault(self, overlay: Overlay, what: Text) -> None:
        hint = Text(
            zh=f"请改正 {overlay.id}，使每处修改都指向该日文本里有的内容。",
            en=f"Correct {overlay.id} so that every change points at what the text has on that day.",
        )
        self.faults.append(Fault(where=overlay.id, what=what, hint=hint))


def _unknown(part: Part, name: str) -> Text:
    return Text(zh=f"文本里没有 {part} {name}。", en=f"The text has no {part} {name}.")


def differences(before: Any, after: Any) -> tuple[FieldChange, ...]:
    """Return the attributes in which two entries of the same kind differ."""
    pairs = ((one.name, getattr(before, one.name), getattr(after, one.name)) for one in fields(before))
    return tuple(FieldChange(field=name, before=old, after=new) for name, old, new in pairs if old != new)


def _new_values(entry: Any, change: Change) -> tuple[dict[str, Any], list[Text]]:
    """The attributes to replace, and what is wrong with them."""
    known = {one.name: one for one in fields(entry)}
    values: dict[str, Any] = {}
    wrong: list[Text] = []
    for name, value in change.fields.items():
        if name not in known or name in ("id", "instrument", "eid"):
            wrong.append(Text(zh=f"{entry.id} 的 {name} 不能修改。", en=f"{name} of {entry.id} cannot be amended."))
        elif value is None and not _has_default(known[name]):
            wrong.append(Text(zh=f"{entry.id} 不能没有 {name}。", en=f"{entry.id} cannot do without {name}."))
        else:
            values[name] = _default(known[name]) if value is None else value
    if change.values and not isinstance(entry, Parameter):
        wrong.append(Text(zh=f"{entry.id} 不是参数，没有数值。", en=f"{entry.id} is no parameter and has no values."))
    elif change.values:
        values["values"] = {**entry.values, **change.values}
    return values, wrong


def _has_default(one: "Field[Any]") -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def _default(one: "Field[Any]") -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default
