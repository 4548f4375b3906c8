"""`safebelt belt upstreams`: how the model's side stands, and where the time goes."""

from typing import Annotated

import msgspec
from cyclopts import App, Parameter, validators

from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.model.upstreams import Circuit, Timed, UpstreamNow, UpstreamsNow
from safebelt.rooms.belt.service import Belt
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

Minutes = Annotated[
    int, Parameter(help="How far back the times go, at most a day.", validator=validators.Number(gte=1, lte=1440))
]
_CIRCUITS = {
    Circuit.CLOSED: Text(zh="正常", en="asked"),
    Circuit.HALF_OPEN: Text(zh="试探", en="tried once"),
    Circuit.OPEN: Text(zh="停用中", en="resting"),
}


def add_to(app: App, belt: Belt) -> None:
    """Add `upstreams`."""

    @app.command
    def upstreams(*, minutes: Minutes = 60) -> Answer:
        """Show how every upstream stands and where the time of exchanges went; exit 3 where no belt says so."""
        belt.index()
        now = belt.upstreams(minutes)
        says = Text(**{lang: _told(now, lang) for lang in LANGS})
        return Answer(data=msgspec.to_builtins(now), says=says, exit_code=DONE if now.told else NOT_EVALUATED)


def _told(now: UpstreamsNow, lang: Lang) -> str:
    nobody = Text(zh="没有安全带进程报告上游的状况。", en="No process of a belt tells how the upstreams are.")
    lines = [_upstream(one, lang) for one in now.upstreams] or [nobody.in_(lang)]
    head = Text(
        zh=f"过去 {now.minutes} 分钟，毫秒，中位数/第 95 百分位（读自 {now.read} 次往来）：",
        en=f"Last {now.minutes} minutes, milliseconds, median/95th percentile (read from {now.read} exchanges):",
    )
    return "\n".join([*lines, head.in_(lang), *(_timed(one, lang) for one in now.times)])


def _upstream(one: UpstreamNow, lang: Lang) -> str:
    circuits = ", ".join(f"{_CIRCUITS[kind].in_(lang)} ×{count}" for kind, count in one.circuits.items())
    counts = Text(
        zh=f"失败 {one.failures}，停用 {one.rests}，接替 {one.taken_over}，重试 {one.asked_again}",
        en=f"failures {one.failures}, rests {one.rests}, took over {one.taken_over}, asked again {one.asked_again}",
    )
    last = f"  {one.failed_at.isoformat(timespec='seconds')} {one.failed_how}" if one.failed_at else ""
    return f"{one.upstream}{f' ({one.version})' if one.version else ''}  {circuits}  {counts.in_(lang)}{last}"


def _timed(one: Timed, lang: Lang) -> str:
    names = {
        Text(zh="总计", en="in all"): one.total,
        Text(zh="安全带", en="the belt"): one.added,
        Text(zh="模型", en="the model"): one.upstream_part,
        Text(zh="首字节", en="first byte"): one.first_byte,
    }
    told = [f"{name.in_(lang)} {of.p50_ms:.1f}/{of.p95_ms:.1f}" for name, of in names.items() if of]
    return f"  {one.upstream}  {one.model}  ×{one.exchanges}  {'  '.join(told)}"
