"""What persons ordered for a model or a tool: known only once a request has been read."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.model import Command, Policy, ToolAction, ToolPolicy
from safebelt.rooms.belt.proxy import errors

StoppedTool = Callable[[str], bool]
_ALL_MAY = ToolPolicy(unknown_tools=ToolAction.ALLOW)


def model_stop(switch: Switch, line: Line | None, body: Mapping[str, Any]) -> errors.BeltError | None:
    """Return why the model that is asked for may not be asked; else orders for it mean this exchange from now on."""
    model = body.get("model")
    if line is None or type(model) is not str or line.model == model:
        return None
    order = switch.in_force_for(line, model)
    return None if order.command is Command.RUN else errors.stopped(order.command.value, order.order_id)


def with_tools(policy: Policy, switch: Switch) -> Policy:
    """Return a policy under which calls are looked at: where it says nothing on tools, a stopped one must be seen."""
    return replace(policy, tools=_ALL_MAY) if policy.tools is None and switch.has_tool_orders else policy


def stopped_tool(switch: Switch) -> StoppedTool:
    """Return what says whether a person has stopped a tool."""
    return lambda name: switch.tool(name).command is not Command.RUN
