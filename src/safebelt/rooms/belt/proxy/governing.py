"""The seam between an exchange and the governing of tool calls; without a policy on tools it does nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from safebelt.rooms.belt.model import Action
from safebelt.rooms.belt.proxy.ordered import limited_tool, stopped_tool, with_tools
from safebelt.rooms.belt.proxy.recording import Recording
from safebelt.rooms.belt.proxy.toolcalls import Driven, Governor, Judging, gate_of, last_said, offered
from safebelt.rooms.belt.proxy.tools import Caller, Tools

BEAT_SECONDS = 10.0
"""How often a stream that waits for a person says that it lives: proxies give up on silence after a minute."""
Json = dict[str, Any]


class ToolCalls:
    """The tool calls of one exchange.

    Args:
        tools: What every exchange works with.
        caller: Who calls.
        recording: The exchange's record.
        path: The endpoint.
    """

    def __init__(self, tools: Tools, caller: Caller, recording: Recording, path: str) -> None:
        self._path = path
        self._gate: Driven | None = None
        self.governor: Governor | None = None
        policy = with_tools(caller.policy, tools.switch)
        if policy.tools is not None:
            judging = Judging(
                key=caller.key,
                harness=caller.harness,
                policy=policy,
                record=recording.id,
                clock=tools.clock,
                new_id=tools.new_id,
                hold=tools.hold,
                waited=recording.waited,
                is_stopped=stopped_tool(tools.switch),
                limited=limited_tool(tools.switch),
            )
            self.governor = Governor(judging)
            self._gate = gate_of(path, self.governor.rule)

    def offered(self, body: Json) -> Json:
        """Return a request as the model may see it, and remember what it was asked last."""
        if self.governor is None or self._gate is None:
            return body
        self.governor.said = last_said(body)
        return offered(body, self.governor)

    async def whole(self, body: Json) -> Json:
        """Return an answer with the calls that may pass; may wait for a person."""
        return body if self._gate is None else await self._gate.whole(body)

    async def events(
        self, datas: list[bytes], beat: Callable[[], Awaitable[None]], *, is_over: bool = False
    ) -> list[bytes]:
        """Return the data of the events that may go on.

        Args:
            datas: The data of events.
            beat: Tells the client that the stream lives, while a call waits for a person.
            is_over: Whether nothing more comes.

        Raises:
            UpstreamBroke: Unfinished calls pile up.
        """
        if self._gate is None:
            return datas
        task = asyncio.ensure_future(self._gate.events(datas, is_over=is_over))
        try:
            while not (await asyncio.wait({task}, timeout=BEAT_SECONDS))[0]:
                await beat()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return task.result()

    @property
    def done(self) -> Action:
        """What was done to calls, in the words of screening."""
        return self.governor.done if self.governor else Action.ALLOW

    @property
    def withheld(self) -> dict[str, tuple[str, bool]]:
        """The arguments of calls that did not pass, for masking into the record."""
        return self.governor.withheld if self.governor else {}

    def facts(self, facts: Mapping[str, Any]) -> Json:
        """Return what a record is told of an outcome, with what became of the calls."""
        return self.governor.facts(facts) if self.governor else dict(facts)

    def field(self, field: Json) -> Json:
        """Return the answer's `safebelt` field, with the rules that held or denied calls."""
        if self.governor is None or not self.governor.rules:
            return field
        would = max(Action(field["would"]), self.governor.would, key=lambda action: action.weight)
        return {**field, "would": would.value, "rules": sorted({*field["rules"], *self.governor.rules})}
