"""`/{lang}/belt/upstreams`: which upstreams answer, which rest and why, and where the time of exchanges goes."""

from collections.abc import Mapping
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import Template
from markupsafe import Markup

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model.upstreams import Circuit, Timed, UpstreamsNow
from safebelt.rooms.belt.pages import chart, words
from safebelt.rooms.belt.service import Belt
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
Minutes = Annotated[int, QueryParameter(ge=1, le=1440)]
SPANS: Mapping[int, Text] = {
    15: Text(zh="15 分钟", en="15 minutes"),
    60: Text(zh="1 小时", en="1 hour"),
    360: Text(zh="6 小时", en="6 hours"),
    1440: Text(zh="24 小时", en="24 hours"),
}
TITLE = Text(zh="上游与耗时", en="Upstreams and times")
CIRCUITS: Mapping[Circuit, tuple[str, Text]] = {
    Circuit.CLOSED: ("allow", Text(zh="正常（断路器闭合）", en="asked (circuit closed)")),
    Circuit.HALF_OPEN: ("flag", Text(zh="试探（断路器半开）", en="tried once (circuit half open)")),
    Circuit.OPEN: ("refuse", Text(zh="停用中（断路器断开）", en="resting (circuit open)")),
}
"""The tag's tone, and what it says."""
FAILED: Mapping[str, Text] = {
    "unreached": Text(zh="连接不上", en="no connection came about"),
    "closed": Text(zh="未作答即关闭连接", en="closed before it answered"),
    "not_http": Text(zh="答复不是 HTTP", en="what it sent was no HTTP"),
    "silent": Text(zh="超时未答", en="did not answer in time"),
    "broken": Text(zh="答复中途中断", en="broke off in the middle of an answer"),
    "unanswered": Text(zh="在保持的连接上没有答复", en="did not answer over a kept connection"),
    "not_now": Text(zh="答复 502、503 或 504", en="answered 502, 503 or 504"),
}
STAGES: tuple[tuple[str, Text], ...] = (
    ("total", Text(zh="总计", en="in all")),
    ("added", Text(zh="安全带自身", en="the belt's own")),
    ("before", Text(zh="请求模型之前", en="before the model")),
    ("upstream_part", Text(zh="模型", en="the model")),
    ("after", Text(zh="模型之后", en="after the model")),
    ("first_byte", Text(zh="首字节（流式）", en="first byte (streams)")),
)


class UpstreamPages(Controller):
    """The model's side."""

    path = "/{lang:str}/belt/upstreams"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("belt.read")])
    def upstreams(self, belt: NamedDependency[Belt], lang: PathLang, minutes: Minutes = 60) -> Template:
        """Show every upstream with its circuit and failures, and the times split by stage."""
        now = belt.upstreams(minutes)
        return render(
            "belt/upstreams.html",
            lang=lang,
            title=TITLE,
            now=now,
            spans=SPANS,
            circuits=CIRCUITS,
            failed=FAILED,
            stages=STAGES,
            refused=sum({one.version: one.none_left for one in reversed(now.upstreams)}.values()),
            finishes=words.FINISHES,
            pictures=[(timed, pictures(timed, longest_of(now), lang)) for timed in now.times],
            part_names={name: title.in_(lang) for name, title in chart.SPLIT},
            is_waited=any("waited" in {**timed.middle, **timed.slow} for timed in now.times),
        )


def longest_of(now: UpstreamsNow) -> float:
    """Return the length that fills the picture: that of the longest bar."""
    return max((sum(mean.values()) for timed in now.times for mean in (timed.middle, timed.slow)), default=0.0) or 1.0


def pictures(timed: Timed, longest: float, lang: Lang) -> list[tuple[Text, float, Markup]]:
    """Return what each bar shows, how long that took, and the bar; all bars of a page on one scale."""
    shown: list[tuple[Text, Mapping[str, float]]] = [
        (Text(zh="一般（居中的五分之一）", en="usual (the middle fifth)"), timed.middle),
        (Text(zh="最慢的二十分之一", en="the slowest twentieth"), timed.slow),
    ]
    drawn: list[tuple[Text, float, Markup]] = []
    for name, mean in shown:
        total = sum(mean.values())
        drawn.append((name, total, chart.timing(list(mean.items()), lang, share=total / longest)))
    return drawn
