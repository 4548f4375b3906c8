"""Commands that find, prove, verify and erase records."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.cli.words import Page, PerPage, Reason, System, listed
from safebelt.rooms.belt.model import Exchange
from safebelt.rooms.belt.service import Belt, Search, day_range, texts_of
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

_EXIT = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}


Done = Annotated[
    Literal["allow", "flag", "mask", "refuse", "unguarded"], Parameter(help="Only those of which this was done.")
]
Finish = Annotated[
    Literal[
        "open", "complete", "refused", "not_admitted", "cut", "upstream_error", "client_gone", "records_failed",
        "belt_error", "lost",
    ],
    Parameter(help="Only those that ended so."),
]  # fmt: skip
Sought = Annotated[str, Parameter(help="Part of a record's, key's, rule's or model's name.")]
_EARLIER = Text(zh="之前的记录已按保存期限删除", en="and later: older records were removed by rule")


def add_to(app: App, belt: Belt) -> None:
    """Add `exchanges`, `metrics`, `verify`, `prove`, `check-text` and `erase`."""
    app.command(_exchanges(belt))
    _evidence(app, belt)
    _checking(app, belt)

    @app.command
    def metrics() -> Answer:
        """Print counters and histograms over all records kept, as Prometheus text."""
        text = belt.metrics_of_all()
        return Answer(data={"text": text}, says=Text(zh=text, en=text))


def _exchanges(belt: Belt) -> App:
    app = App(name="exchanges", help="What passed through the belt. 往来记录。")

    @app.command(name="list")
    def list_(
        *,
        system: System = "",
        search: Sought = "",
        done: Done | None = None,
        finish: Finish | None = None,
        since: Annotated[date | None, Parameter(help="From this day on (UTC).")] = None,
        until: Annotated[date | None, Parameter(help="Up to this day (UTC), which counts too.")] = None,
        page: Page = 1,
        limit: PerPage = 20,
    ) -> Answer:
        """List exchanges, newest first."""
        belt.index()
        first, last = day_range(since.isoformat() if since else "", until.isoformat() if until else "")
        wanted = Search(system=system, text=search, done=done or "", finish=finish or "", since=first, until=last)
        found = belt.exchanges(wanted, page=page, per_page=limit)
        lines = [
            f"{e.id}  {e.at.isoformat(timespec='seconds')}  {e.shown:<6}  {e.status or '-'}  {e.finish or '…'}"
            f"  {','.join(e.rules)}"
            for e in found.items
        ]
        nothing = Text(zh="没有符合条件的往来。", en="No exchange matches.")
        data = {"exchanges": [_exchange_data(e) for e in found.items], "count": found.count, "more": found.is_more}
        if found.kept_from:
            day = found.kept_from.date().isoformat()
            lines.append(f"{day} {_EARLIER.zh} / {_EARLIER.en}")
            data["kept_from"] = found.kept_from.isoformat()
        return Answer(data=data, says=listed(lines, nothing))

    @app.command
    def show(record: str) -> Answer:
        """Show one exchange: what came in, what was done and why, what went out."""
        belt.index()
        full = belt.exchange(record)
        data = {
            "exchange": _exchange_data(full.exchange),
            "intent": msgspec.to_builtins(full.intent),
            "outcome": msgspec.to_builtins(full.outcome),
            "reasons": [reason.as_data() for reason in full.reasons],
            "sealed_entry": full.sealed_entry,
        }

        def told(lang: Lang) -> str:
            texts = [f"  {path}: {text}" for part in (full.intent, full.outcome) for path, text in texts_of(part)]
            calls = [_call_line(call) for call in (full.outcome.core if full.outcome else {}).get("tools") or []]
            waited = _waited(full.outcome.core if full.outcome else {}, lang)
            reasons = [reason.as_text(lang) for reason in full.reasons]
            return "\n".join([_line(full.exchange), *waited, *reasons, *calls, *texts])

        return Answer(data=data, says=Text(**{lang: told(lang) for lang in LANGS}))

    return app


def _line(e: Exchange) -> str:
    return f"{e.id}  {e.at.isoformat()}  {e.endpoint}  {e.model}  {e.shown}  {e.status}  {e.finish or '…'}"


def _waited(facts: Mapping[str, Any], lang: Lang) -> list[str]:
    """Say how long an exchange waited for a person, where it did."""
    waited, added = facts.get("waited_ms"), facts.get("added_ms")
    if not isinstance(waited, int | float) or not isinstance(added, int | float):
        return []
    says = Text(
        zh=f"等待人工 {waited:.1f} ms，不计入安全带自身的 {added:.1f} ms",
        en=f"waiting for a person {waited:.1f} ms, apart from the belt's own {added:.1f} ms",
    )
    return [f"  {says.in_(lang)}"]


def _call_line(call: Mapping[str, Any]) -> str:
    """Say what became of a tool call: the tool, what the policy asks, what was done or answered, the rule, the wait."""
    became = call.get("answered") or call["done"]
    return f"  {call['tool']}()  {call['would']} → {became}  {call['rule'] or '-'}  {call.get('approval', '')}".rstrip()


def _exchange_data(e: Exchange) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(e)
    return data


def _evidence(app: App, belt: Belt) -> None:
    @app.command
    def verify() -> Answer:
        """Read every record again; exit 0 holds, 1 does not, 3 nothing to verify."""
        found = belt.verify()
        reason = found.reason
        return Answer(
            data={"holds": found.holds.value, **found.counts(), "reason": reason.as_data()},
            says=Text(zh=reason.as_text("zh"), en=reason.as_text("en")),
            exit_code=_EXIT[found.holds],
        )

    @app.command
    def prove(record: str, *, output: Annotated[Path, Parameter(name=("--output", "-o"))]) -> Answer:
        """Write a self-contained proof of a record."""
        belt.index()
        proof = belt.prove(record)
        _write(output, proof.text)
        sealed = proof.sealed_entry
        return Answer(
            data={"record": record, "file": str(output), "segment": proof.segment, "sealed_entry": sealed},
            says=Text(
                zh=f"证明已写入 {output}。" + (f"该段的根见账本条目 {sealed}。" if sealed else "该段尚未封存入账。"),
                en=f"Wrote the proof to {output}. "
                + (
                    f"The ledger entry {sealed} carries its segment's root."
                    if sealed
                    else "Its segment is not sealed yet."
                ),
            ),
        )

    @app.command
    def erase(record: str, *, reason: Reason) -> Answer:
        """Erase a record's content for good; every proof stands."""
        count = belt.erase(record, reason, OWNER)
        return Answer(
            data={"record": record, "erased": count},
            says=Text(zh=f"已抹除 {count} 份内容；证明不受影响。", en=f"Erased {count} contents; every proof stands."),
        )


def _checking(app: App, belt: Belt) -> None:
    @app.command
    def check_text(record: str, file: Path) -> Answer:
        """Hold a text against what a record keeps of its texts; exit 0 fits, 1 does not, 3 nothing is kept."""
        belt.index()
        found = belt.check_text(record, _read(file))
        fitting = [fit.part for fit in found if fit.fits]
        data = {"record": record, "fits": fitting, "held_against": [fit.part for fit in found]}
        if not found:
            says = Text(
                zh="该记录没有可比对的文本或摘要：本来没有，或已抹除。",
                en="The record keeps no text and no digest to hold it against: there was none, or it was erased.",
            )
            return Answer(data=data, says=says, exit_code=NOT_EVALUATED)
        if not fitting:
            says = Text(
                zh=f"与该记录的 {len(found)} 处文本均不相符。",
                en=f"It is none of the {len(found)} texts of this record.",
            )
            return Answer(data=data, says=says, exit_code=NEGATIVE)
        where = ", ".join(fitting)
        return Answer(data=data, says=Text(zh=f"相符：{where}", en=f"It fits: {where}"))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = Text(zh="不是 UTF-8 文本", en="it is not UTF-8 text")
        if isinstance(error, OSError):
            why = Text(zh=str(error.strerror), en=str(error.strerror))
        raise Invalid(
            what=Text(zh=f"无法读取 {path}：{why.zh}。", en=f"Cannot read {path}: {why.en}."),
            hint=Text(zh="请给出 UTF-8 文本文件。", en="Give a text file in UTF-8."),
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise Unavailable(
            what=Text(zh=f"无法写入 {path}：{error.strerror}。", en=f"Cannot write {path}: {error.strerror}."),
            hint=Text(zh="请换一个可写的位置。", en="Choose a place that can be written to."),
        ) from error
