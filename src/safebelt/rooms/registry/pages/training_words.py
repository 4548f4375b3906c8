"""Wording of the pages about jobs, and the small pictures of their measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.register import PERSON_ROLES, NamedPerson
from safebelt.rooms.registry.model.training import (
    CAUSES,
    JOB_KINDS,
    JOB_STATES,
    Job,
    JobKind,
    JobState,
    Report,
)

__all__ = ["CAUSES", "JOB_KINDS", "JOB_STATES", "JobKind", "JobState"]

JOBS = Text(zh="训练、上线与自我更新", en="Training, promotion and self-update")
PANEL = Text(zh="训练与上线", en="Training and promotion")
DONE: Mapping[str, Text] = {
    "asked": Text(
        zh="已申请，并已记入存证账本；等一位记名的人批准。",
        en="It is asked for, and the ledger remembers it; it waits for a named person.",
    ),
    "granted": Text(zh="已获准，并已记入存证账本。", en="The job is granted, and the ledger remembers it."),
    "refused": Text(zh="已拒绝，并已记入存证账本。", en="The job is refused, and the ledger remembers it."),
    "stopped": Text(
        zh="已停止。作业程序在下一次报告时得到命令；失联的程序会自行停止。",
        en="The job is stopped. Its runner is told with its next report; one that hears nothing ends by itself.",
    ),
    "rolled_back": Text(
        zh="已回退到上一版本，并已记入存证账本。", en="The earlier version is back, and the ledger remembers it."
    ),
}
FIELDS: Mapping[str, Text] = {
    "person_id": Text(zh="以谁的名义", en="In whose name"),
    "reason": Text(zh="理由", en="Reason"),
    "looked_at": Text(zh="查看了哪些证据", en="Evidence that was looked at"),
    "valid_hours": Text(zh="有效期（小时）", en="Valid for (hours)"),
    "max_wall_hours": Text(zh="最长运行（小时）", en="Longest run (hours)"),
    "max_steps": Text(zh="步数上限", en="Limit of steps"),
    "max_flop": Text(zh="计算量上限（浮点运算）", en="Limit of compute (operations)"),
    "lease_seconds": Text(zh="最长静默（秒）", en="Longest silence (seconds)"),
}
LOOKS: Mapping[JobState, str] = {
    JobState.ASKED: "flag",
    JobState.GRANTED: "observe",
    JobState.RUNNING: "run",
    JobState.FINISHED: "complete",
    JobState.REFUSED: "refuse",
    JobState.EXPIRED: "unknown",
    JobState.FAILED: "refuse",
    JobState.STOPPED: "cut",
    JobState.LOST: "lost",
}
"""Which of the house's tags a state looks like."""

_WIDTH, _HEIGHT, _PAD = 320.0, 80.0, 6.0
_CHARTS = 6
"""Measures drawn; the table beneath has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One measure over the steps.

    Attributes:
        name: What was measured.
        svg: Its line.
        first, last, least, most: For the words beside it.
    """

    name: str
    svg: Markup
    first: float
    last: float
    least: float
    most: float


def title_of(job: Job) -> Text:
    """Return a job's heading."""
    kind = JOB_KINDS[job.kind]
    return Text(zh=f"作业：{kind.zh}", en=f"Job: {kind.en}")


def person_options(people: Sequence[NamedPerson], lang: Lang) -> list[tuple[str, str]]:
    """Return who may grant, as choices; a person named for two things is offered for each."""
    return [(one.id, f"{one.name} · {PERSON_ROLES[one.role].in_(lang)}") for one in people]


def reason_of(data: Mapping[str, Any]) -> Reason:
    """Return a reason from its JSON-ready form, as it was kept with a decision."""
    return Reason(
        says=Text(zh=data["says"]["zh"], en=data["says"]["en"]),
        holds=Truth(data["holds"]),
        cites=tuple(data["cites"]),
        because=tuple(reason_of(one) for one in data["because"]),
    )


def measures(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return every measure that any report has, in the order of first mention."""
    return tuple(dict.fromkeys(name for one in reports for name in one.metrics))


def charts(reports: Sequence[Report], lang: Lang) -> tuple[Chart, ...]:
    """Draw each measure over the steps, as far as there are two points of it."""
    drawn = []
    for name in measures(reports)[:_CHARTS]:
        points = [(float(one.step), one.metrics[name]) for one in reports if name in one.metrics]
        if len(points) > 1:
            drawn.append(_chart(name, points, lang))
    return tuple(drawn)


def number(value: float) -> str:
    """Write a measure for people: four digits that count."""
    return f"{value:.4g}"


def _chart(name: str, points: Sequence[tuple[float, float]], lang: Lang) -> Chart:
    values = [value for _, value in points]
    least, most = min(values), max(values)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in _placed(points, least, most))
    label = Text(
        zh=f"{name}：由 {number(values[0])} 变为 {number(values[-1])}",
        en=f"{name}: from {number(values[0])} to {number(values[-1])}",
    ).in_(lang)
    svg = Markup(
        '<svg class="sb-chart" viewBox="0 0 {w} {h}" width="100%" role="img" aria-label="{label}">'
        '<line x1="0" y1="{floor}" x2="{w}" y2="{floor}" stroke="#8a9694" stroke-width="1"/>'
        '<polyline points="{line}" fill="none" stroke="#17635e" stroke-width="2" stroke-linejoin="round"/></svg>'
    ).format(w=int(_WIDTH), h=int(_HEIGHT), floor=_HEIGHT - 1, label=label, line=line)
    return Chart(name=name, svg=svg, first=values[0], last=values[-1], least=least, most=most)


def _placed(points: Sequence[tuple[float, float]], least: float, most: float) -> list[tuple[float, float]]:
    begin, end = points[0][0], points[-1][0]
    across = _WIDTH / ((end - begin) or 1.0)
    # Measures may span all a float can hold: halves keep the difference of the two ends finite.
    span = (most / 2 - least / 2) or 1.0
    up = _HEIGHT - 2 * _PAD
    return [((x - begin) * across, _HEIGHT - _PAD - (y / 2 - least / 2) / span * up) for x, y in points]
