"""What persons ordered for a model or a tool: known only once a request has been read."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.in_force import Over
from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.control.switch import UNREAD, Switch
from safebelt.rooms.belt.control.waiting_room import Ask, Waited, WaitingRoom, holds
from safebelt.rooms.belt.decide.admission import NotAdmitted, limited
from safebelt.rooms.belt.model import Command, Policy, ToolAction, ToolPolicy
from safebelt.rooms.belt.proxy import errors

StoppedTool = Callable[[str], bool]
LimitedTool = Callable[[str], Text | None]
PASSING = (Command.RUN, Command.LIMIT)
"""What holds for a line that no order stops; with the second, limits must be asked before it goes on."""
_ALL_MAY = ToolPolicy(unknown_tools=ToolAction.ALLOW)


def model_stop(switch: Switch, line: Line | None, body: Mapping[str, Any]) -> errors.BeltError | None:
    """Return why the model that is asked for may not be asked; else orders for it mean this exchange from now on."""
    model = body.get("model")
    if line is None or type(model) is not str or line.model == model:
        return None
    order = switch.in_force_for(line, model)
    if order.command is not Command.RUN:
        return errors.stopped(order.command.value, order.order_id)
    over = switch.take(line, model)
    return None if over is None else errors.not_admitted(barred_by(over))


async def entered(
    room: WaitingRoom,
    ask: Ask,
    size: int,
    tie: Callable[[], None] = lambda: None,
    waited: Callable[[int], None] = lambda _nanos: None,
) -> errors.BeltError | None:
    """Let a request that is not let in yet wait where an order says so; return why it may not go on.

    Args:
        room: Where it waits.
        ask: What holds for it now.
        size: Bytes of the request.
        tie: Called where it is held: from then on a cut ends it.
        waited: Is told for how many nanoseconds it waited.

    Raises:
        Stopped: It was cut while it waited.
    """
    order = ask()
    if holds(order):
        first, since = order, time.perf_counter_ns()
        came, order = await room.wait(ask, order, size, tie)
        waited(time.perf_counter_ns() - since)
        if came is Waited.TOO_LONG:
            is_unread = order is UNREAD
            return errors.UNREAD_ORDER if is_unread else errors.waited_in_vain(order.order_id, first.terms.hold_seconds)
        if came is Waited.FULL:
            return errors.UNREAD_ORDER if order is UNREAD else errors.no_room(order.order_id)
    return None if order.command in PASSING else errors.stopped(order.command.value, order.order_id)


async def model_entered(
    switch: Switch,
    line: Line | None,
    body: Mapping[str, Any],
    enter: Callable[[Ask], Awaitable[errors.BeltError | None]],
) -> errors.BeltError | None:
    """Return why the model that is asked for may not be asked, after waiting where an order lets requests wait.

    Args:
        switch: Knows the orders.
        line: The exchange's.
        body: The request.
        enter: Waits, as `entered`.
    """
    model = body.get("model")
    if line is not None and type(model) is str and line.model != model and switch.has_orders:
        stop = await enter(lambda: switch.in_force_for(line, model))
        if stop is not None:
            return stop
        line.model = ""  # so that limits are asked below
    return model_stop(switch, line, body)


def barred_by(over: Over) -> NotAdmitted:
    """Say that an exchange would go beyond a limit."""
    return limited(over.order_id, over.target, over.terms, over.seconds)


def with_tools(policy: Policy, switch: Switch) -> Policy:
    """Return a policy under which calls are looked at: where it says nothing on tools, a stopped one must be seen."""
    return replace(policy, tools=_ALL_MAY) if policy.tools is None and switch.has_tool_orders else policy


def limited_tool(switch: Switch) -> LimitedTool:
    """Return what counts a call of a tool, and says why it may not pass where a person limited it."""

    def ask(name: str) -> Text | None:
        over = switch.take_tool(name)
        return None if over is None else barred_by(over).reason.says

    return ask


def stopped_tool(switch: Switch) -> StoppedTool:
    """Return what says whether a person has stopped a tool."""
    return lambda name: switch.tool(name).command is not Command.RUN
