"""Passing content on: what a platform says of it, and its pair in the label, the producer's part left as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.decide import is_label_value, propagation
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.carrier import Span, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of
from safebelt.rooms.labelling.model import Axis, Checked, Duty, Verdict
from safebelt.rooms.labelling.model.label import SIDECAR
from safebelt.rooms.labelling.service.verifying import Verifying


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn:
    """What a platform knows of a content that it passes on.

    Attributes:
        propagator: The platform's name or code.
        propagate_id: Its own number for the content.
        is_declared: Whether the user declared it to be generated.
        is_detected: Whether the platform's own review found traces of generation.
    """

    propagator: str
    propagate_id: str
    is_declared: bool = False
    is_detected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """What came of it.

    Attributes:
        duty: What is to be said of the content.
        reason: Why.
        notice: What to show beside it; None where nothing is owed.
        place: Where the pair was written; empty where nothing was.
    """

    duty: Duty
    reason: Reason
    notice: Text | None
    place: str


class Passing(Verifying):
    """Passes content on."""

    def pass_on(self, source: Path, out: Path, cmd: PassOn) -> PassedOn:
        """Write a copy of a file with the platform's pair in its label, where one is owed.

        A file that carries a signed manifest is copied as it is, since any change would break that; the label then
        stands in a file of its own beside it.

        Raises:
            NotFound, Invalid: As `verify`; or a value holds characters that the standard does not provide for.
            Conflict: The file's labels cannot be read, or contradict each other.
        """
        for value in (cmd.propagator, cmd.propagate_id):
            if not value or not is_label_value(value):
                raise _bad_value(value)
        seen = self.verify(source)
        fields = _fields(seen)
        is_detected = cmd.is_detected or seen.axes[Axis.EXPLICIT].verdict is Verdict.OK
        found, reason = propagation.duty(fields, is_declared=cmd.is_declared, is_detected=is_detected)
        if found is Duty.NONE:
            return PassedOn(duty=found, reason=reason, notice=None, place="")
        label = propagation.passed_on(fields, found, propagator=cmd.propagator, propagate_id=cmd.propagate_id)
        place = _written(source, out, seen, json.dumps(label, ensure_ascii=True, separators=(",", ":")))
        return PassedOn(duty=found, reason=reason, notice=propagation.NOTICES[found], place=place)


def _fields(seen: Checked) -> Mapping[str, str]:
    if not seen.labels:
        return {}
    if seen.axes[Axis.AIGC].verdict is not Verdict.OK:
        raise Conflict(
            what=Text(
                zh="文件中的标识无法读取或相互矛盾，不能在其上续写。",
                en="The file's labels cannot be read, or contradict each other; nothing is added to them.",
            ),
            hint=Text(
                zh="请向发布者索取原始文件，或由人工审核。",
                en="Ask whoever published it for the original, or review it.",
            ),
        )
    return seen.labels[0].fields


def _written(source: Path, out: Path, seen: Checked, value: str) -> str:
    is_signed = seen.axes[Axis.C2PA].verdict not in (Verdict.ABSENT, Verdict.UNKNOWN)
    with files.opened(source) as (file, data), files.draft_of(out) as draft:
        whole = [Span(0, len(data))]
        try:
            edit = whole if is_signed or not seen.kind else carrier_of(Kind(seen.kind)).write(data, value)
        except Unwritable:
            edit = whole
        files.write(file, edit, draft)
    if edit is not whole:
        return seen.kind
    beside = out.with_name(out.name + SIDECAR)
    beside.write_text(f'{{"AIGC":{value}}}\n', "utf-8")
    return beside.name


def _bad_value(value: str) -> Invalid:
    return Invalid(
        what=Text(
            zh=f"传播者的名称、编码或编号“{value[:60]}”为空，或含有标准未规定的字符。",
            en=f"The propagator's name, code or number {value[:60]!r} is empty, or holds characters not provided for.",
        ),
        hint=Text(
            zh="请使用可见 ASCII 字符（不含空格、引号和反斜杠）。",
            en="Use visible ASCII without blanks, quotes or backslashes.",
        ),
        details={"field": "propagator"},
    )
