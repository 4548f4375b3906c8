"""Commands that limit traffic, lift a limit, and say what limits hold."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.belt.cli.stopping import asked
from safebelt.rooms.belt.cli.words import Model, OfKey, Reason, System, Tool, listed
from safebelt.rooms.belt.model import Command, OrderTerms, target_of
from safebelt.rooms.belt.service import Belt, LimitNow
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.web.terminal import Answer

PerMinute = Annotated[int, Parameter(help="Exchanges (of a tool: calls) that may begin in any minute.")]
AtOnce = Annotated[int, Parameter(help="Exchanges that may run at the same time.")]
OfBasis = Annotated[str, Parameter(help="What it rests on: a provision, a contract; left out: a house rule.")]


def add_to(app: App, belt: Belt) -> None:
    """Add `limit`, `unlimit` and `limits`."""

    @app.command
    def limit(
        *,
        reason: Reason,
        per_minute: PerMinute = 0,
        at_once: AtOnce = 0,
        basis: OfBasis = "",
        system: System = "",
        model: Model = "",
        tool: Tool = "",
        key: OfKey = "",
    ) -> Answer:
        """Let so much traffic pass and no more; what is beyond gets 429."""
        target = target_of(system, model=model, tool=tool, key=key)
        terms = OrderTerms(per_minute=per_minute, at_once=at_once, basis=basis)
        return asked(belt, belt.to_limit(target, terms, OWNER), reason)

    @app.command
    def unlimit(*, reason: Reason, system: System = "", model: Model = "", tool: Tool = "", key: OfKey = "") -> Answer:
        """Lift a limit."""
        target = target_of(system, model=model, tool=tool, key=key)
        return asked(belt, Wanted(command=Command.UNLIMIT, target=target), reason)

    @app.command
    def limits() -> Answer:
        """List the limits in force, and how much of each is used on this machine now."""
        found = belt.state().limits
        return Answer(
            data={"limits": [_data(each) for each in found]}, says=listed([_line(each) for each in found], _NONE)
        )


def _data(limit: LimitNow) -> dict[str, Any]:
    used = limit.used
    return {
        "order": limit.order_id,
        "for": limit.target,
        "per_minute": limit.terms.per_minute,
        "at_once": limit.terms.at_once,
        "basis": limit.terms.basis,
        "layer": limit.layer,
        "in_minute": used.in_minute if used else None,
        "running": used.running if used else None,
        "refused": used.refused if used else None,
    }


def _line(limit: LimitNow) -> str:
    data = _data(limit)
    used = " ".join(f"{name}={data[name]}" for name in ("in_minute", "running", "refused") if data[name] is not None)
    most = " ".join(f"{name}={data[name]}" for name in ("per_minute", "at_once") if data[name])
    return f"{limit.order_id}  {limit.target or '*'}  {most}  {used}  {limit.terms.basis or '-'}".rstrip()


_NONE = Text(zh="没有限流命令。", en="No limit is in force.")
