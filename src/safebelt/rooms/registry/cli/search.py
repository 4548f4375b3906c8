"""Command line for search and lists: `safebelt registry search TEXT`."""

from datetime import date
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.search import Filters, Found, Hit, Question, Side, Sort
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import DONE, NEGATIVE, Answer

Many = Parameter(negative="")


def add(app: App, registry: Registry) -> None:
    """Add this piece's commands to the group `registry`."""

    @app.command
    def search(
        text: str = "",
        /,
        *,
        stage: Annotated[tuple[Status, ...], Many] = (),
        party: str = "",
        side: Side | None = None,
        class_: Annotated[tuple[str, ...], Parameter(name="--class", negative="")] = (),
        tag: Annotated[tuple[str, ...], Many] = (),
        source: str = "",
        red_line: Annotated[bool | None, Parameter(negative="--no-red-line")] = None,
        provisional: Annotated[bool | None, Parameter(negative="--no-provisional")] = None,
        since: date | None = None,
        until: date | None = None,
        sort: Sort = Sort.BEST,
        after: str = "",
        size: int = 20,
    ) -> Answer:
        """Find AI systems by words in Chinese or English, mistypes forgiven; exits 1 where nothing is found.

        Parameters
        ----------
        text
            Words; every one must be found. Without any, everything is listed that the filters let through.
        stage
            Any of these stages.
        party
            Id of a party that provides or deploys.
        side
            As what the party stands.
        class_
            Class of an instrument at the last judgment, for example `eu/ai-act=high_risk`.
        tag
            All of these tags.
        source
            Where it was imported from.
        red_line
            Whether its facts bar it from service.
        provisional
            Whether it is in service on claims alone.
        since
            First day of registration.
        until
            Last day of registration.
        sort
            In which order.
        after
            Cursor of the page before, as `--format json` gave it.
        size
            Systems on a page.
        """
        filters = Filters(
            stages=stage,
            provisional=provisional,
            party=party,
            side=side,
            classes=class_,
            tags=tag,
            source=source,
            red_line=red_line,
            since=since,
            until=until,
        )
        question = Question(text=text, filters=filters, sort=sort)
        found = registry.search(question, after=after, size=max(1, min(size, 200)), has_facets=True)
        says = Text(**{lang: _told(found, lang) for lang in LANGS})
        return Answer(data=_data(found), says=says, exit_code=DONE if found.hits else NEGATIVE)


def _data(found: Found) -> Any:
    return msgspec.to_builtins(found)


def _told(found: Found, lang: Lang) -> str:
    count = f"{found.total}{'+' if found.has_more_than_total else ''}"
    total = Text(zh=f"共 {count} 个系统。", en=f"{count} system{'' if count == '1' else 's'}.")
    lines = [total.in_(lang)]
    for part, met in found.meant.items():
        meant = Text(zh=f"没有“{part}”，按“{met}”查找。", en=f"Nothing says “{part}”; shown is what says “{met}”.")
        lines.append(meant.in_(lang))
    lines += [_line(hit, lang) for hit in found.hits]
    if found.hints:
        hints = "、".join(found.hints) if lang == "zh" else ", ".join(found.hints)
        lines.append(Text(zh=f"可以试试：{hints}", en=f"Try: {hints}").in_(lang))
    if found.after:
        lines.append(f"--after {found.after}")
    return "\n".join(lines)


def _line(hit: Hit, lang: Lang) -> str:
    stage = hit.system.stage.in_(lang)
    why = f"\n    {hit.why.in_(lang)}" if hit.why else ""
    return f"{hit.system.id}  {hit.system.name.in_(lang)} · {stage}{why}"
