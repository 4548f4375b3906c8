"""Commands that stop, resume, and say what holds."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.belt.cli.words import Model, OfKey, Page, PerPage, Reason, System, Tool, listed
from safebelt.rooms.belt.model import NO_TERMS, Command, Order, target_of
from safebelt.rooms.belt.service import Belt, BusNow, Stop
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

Hold = Annotated[bool, Parameter(help="Let new requests wait for the resume, instead of refusing them.")]
HoldSeconds = Annotated[int, Parameter(help="How long one may wait; left out: as the settings say.")]
HoldMost = Annotated[int, Parameter(help="How many may wait on a machine; left out: as the settings say.")]
WAIT_SECONDS = 2.0
"""How long a stop waits for its proof: the belt obeys within 25 ms, the supervisor within a second."""

HEARD_SECONDS = 10.0
"""How long it waits besides to hear whether anybody knows what the order is for: a shell enters the register anew."""

KEPT_SECONDS = 20.0
"""How long where a supervisor keeps the belt: killed by an order it could not obey, it is up again by then."""


def add_to(app: App, belt: Belt) -> None:
    """Add `stop`, `pause`, `drain`, `resume`, `state` and `stops`."""
    for name, command, says in _ORDERS:
        deed = _pause(belt) if command is Command.PAUSE else _order(belt, command)
        app.command(deed, name=name, help=says)
    _state(app, belt)


_ORDERS = (
    ("stop", Command.CUT, "End everything that runs and refuse what is new. 立即切断。"),
    ("pause", Command.PAUSE, "Hold running answers; refuse what is new, or let it wait (--hold). 暂停。"),
    ("drain", Command.DRAIN, "Let running answers end and refuse what is new. 排空。"),
    ("resume", Command.RUN, "Let traffic pass again. 恢复运行。"),
)


def _order(belt: Belt, command: Command) -> Callable[..., Answer]:
    def order(*, reason: Reason, system: System = "", model: Model = "", tool: Tool = "", key: OfKey = "") -> Answer:
        system = target_of(system, model=model, tool=tool, key=key)
        return asked(belt, belt.to_stop(command, system), reason)

    return order


def _pause(belt: Belt) -> Callable[..., Answer]:
    def pause(
        *,
        reason: Reason,
        system: System = "",
        model: Model = "",
        tool: Tool = "",
        key: OfKey = "",
        hold: Hold = False,
        hold_seconds: HoldSeconds = 0,
        hold_most: HoldMost = 0,
    ) -> Answer:
        target = target_of(system, model=model, tool=tool, key=key)
        terms = belt.hold(hold_seconds, hold_most) if hold or hold_seconds or hold_most else NO_TERMS
        return asked(belt, belt.to_stop(Command.PAUSE, target, terms), reason)

    return pause


def asked(belt: Belt, wanted: Wanted, reason: str) -> Answer:
    """Give an order, or propose it where it takes two people; say what came of it."""
    given = belt.ask(wanted, reason, OWNER)
    return proposed(given) if isinstance(given, Proposal) else told(belt, given)


def proposed(proposal: Proposal) -> Answer:
    """Say that something waits for a second person."""
    return Answer(
        data={"proposal": proposal.id},
        says=Text(
            zh=f"须由另一人同意：{proposal.id}（{proposal.says.zh}）。在此之前一切照旧。",
            en=f"Another person must second it: {proposal.id} ({proposal.says.en}). Until then nothing changes.",
        ),
        exit_code=NOT_EVALUATED,
    )


def told(belt: Belt, given: Order) -> Answer:
    """Wait for the proof of an order, and say what came of it.

    Raises:
        NotFound: Nobody knows what it is for; it holds for that id nevertheless.
    """
    proof = belt.wait_effective(given.id, WAIT_SECONDS, kept_seconds=KEPT_SECONDS)
    if (problem := belt.heard_of(given.id, HEARD_SECONDS)) is not None:
        raise problem
    stopped = belt.state().systems if given.command is Command.RUN else ()
    rest = [name for name in stopped if name != given.system_id]
    stop = Stop(order=given, proof=proof)
    return Answer(
        data=_stop_data(stop) | {"remembered": belt.is_remembered(given.id), "still_stopped": rest},
        says=_stop_says(stop, rest),
        exit_code=DONE if proof else NOT_EVALUATED,
    )


def _stop_data(stop: Stop) -> dict[str, Any]:
    order, proof = stop.order, stop.proof
    return {
        "order": order.id,
        "command": order.command.value,
        "system": order.system_id,
        "by": order.by,
        "reason": order.reason,
        **_terms_data(order),
        "ordered_at": order.at.isoformat(),
        "effective": proof is not None,
        "seen_at": proof.seen_at.isoformat() if proof else None,
        "effective_at": proof.effective_at.isoformat() if proof else None,
        "streams_cut": proof.streams_cut if proof else None,
        "streams_held": proof.streams_held if proof else None,
        "bytes_after": proof.bytes_after if proof else None,
        "killed_by_supervisor": proof.killed_by_supervisor if proof else None,
        "worker": proof.worker if proof else None,
        "ordered_entry": stop.ordered_entry,
        "effective_entry": stop.effective_entry,
    }


def _terms_data(order: Order) -> dict[str, Any]:
    """Return what an order says besides its command; nothing where it says nothing."""
    return {} if order.terms == NO_TERMS else {"terms": asdict(order.terms)}


def _stop_says(stop: Stop, rest: list[str]) -> Text:
    order, proof = stop.order, stop.proof
    where = Text(zh=order.system_id or "全部系统", en=order.system_id or "all systems")
    zh = [f"{order.id}：{order.command.value}，{where.zh}", f"下令  {order.at.isoformat()}"]
    en = [f"{order.id}: {order.command.value}, {where.en}", f"ordered    {order.at.isoformat()}"]
    if proof is None:
        zh.append("没有运行中的安全带应答。命令保持有效，安全带启动后立即执行。")
        en.append("No running belt answered. The order stays in force and is carried out as soon as a belt starts.")
    else:
        cut = Text(zh="全部（工作进程被终止）", en="all (the worker was killed)")
        cut = Text(zh=str(proof.streams_cut), en=str(proof.streams_cut)) if proof.streams_cut >= 0 else cut
        zh += [f"看到  {proof.seen_at.isoformat()}", f"生效  {proof.effective_at.isoformat()}"]
        en += [f"seen       {proof.seen_at.isoformat()}", f"effective  {proof.effective_at.isoformat()}"]
        zh.append(
            f"切断 {cut.zh} 条，暂停 {proof.streams_held} 条，此后写出 {proof.bytes_after} 字节（仅就本安全带而言）"
        )
        en.append(
            f"streams cut {cut.en}, held {proof.streams_held}, bytes after {proof.bytes_after} (through this belt)"
        )
    if rest:
        zh.append(f"仍然停止（各有自己的命令）：{'、'.join(rest)}")
        en.append(f"Still stopped by orders of their own: {', '.join(rest)}")
    return Text(zh="\n".join(zh), en="\n".join(en))


def _state(app: App, belt: Belt) -> None:
    @app.command
    def state() -> Answer:
        """Say what holds now, for all and for each system."""
        now = belt.state()
        lines = [f"{'*'}  {now.everything.command.value}  {now.everything.order_id}".rstrip()]
        lines += [f"{name}  {holds.command.value}  {holds.order_id}" for name, holds in now.systems.items()]
        data = {
            "all": {"command": now.everything.command.value, "order": now.everything.order_id},
            "systems": {
                name: {"command": holds.command.value, "order": holds.order_id} for name, holds in now.systems.items()
            },
            "waiting": [order.id for order in now.waiting],
            "alive": now.is_alive,
            "workers": [
                {"number": each.number, "pid": each.pid, "alive": each.is_alive, "owes": list(each.owes)}
                for each in now.workers
            ],
            "bus": _bus_data(now.bus),
        }
        alive = Text(
            zh="安全带在运行" if now.is_alive else "没有安全带在运行",
            en="the belt is up" if now.is_alive else "no belt is up",
        )
        data["limits"] = [each.order_id for each in now.limits]
        data["versions"] = [each.order_id for each in now.versions]
        lines += [f"{each.target or '*'}  roll_back  {each.order_id}" for each in now.versions]
        lines += [f"{each.target or '*'}  limit  {each.order_id}" for each in now.limits]
        zh, en = (
            [f"{alive.zh}；等待执行的命令：{len(now.waiting)}"],
            [f"{alive.en}; orders waiting: {len(now.waiting)}"],
        )
        if now.bus is not None:
            zh.append(_BUS[now.bus.is_lapsed].zh)
            en.append(_BUS[now.bus.is_lapsed].en)
        for each in now.workers:
            owes = ", ".join(each.owes)
            zh.append(f"工作进程 {each.number}  {each.pid}  {f'尚未确认 {owes}' if owes else '已执行全部命令'}")
            stands = f"has not confirmed {owes}" if owes else "carried out every order"
            en.append(f"worker {each.number}  {each.pid}  {stands}")
        return Answer(data=data, says=Text(zh="\n".join(zh + lines), en="\n".join(en + lines)))

    @app.command
    def stops(*, page: Page = 1, limit: PerPage = 20) -> Answer:
        """List orders and what became of them, newest first."""
        found = belt.stops(page=page, per_page=limit)
        rows = [_stop_data(stop) for stop in found.items]
        lines = [
            f"{row['order']}  {row['ordered_at']}  {row['command']:<5}  {row['system'] or '*'}"
            f"  {row['by']}  {row['reason']}"
            for row in rows
        ]
        return Answer(data={"stops": rows, "count": found.count}, says=listed(lines, _NO_STOPS))


def _bus_data(bus: BusNow | None) -> dict[str, Any] | None:
    if bus is None:
        return None
    return {
        "lease_seconds": bus.lease_seconds,
        "silent_seconds": bus.silent_seconds,
        "lapsed": bus.is_lapsed,
        "ordered": bus.ordered.command.value,
    }


_BUS = {
    True: Text(
        zh="命令总线：失去联系，已自行停止",
        en="command bus: lost; everything stopped by itself",
    ),
    False: Text(zh="命令总线：有联系", en="command bus: heard"),
}
_NO_STOPS = Text(zh="还没有人下过命令。", en="Nobody has given an order yet.")
