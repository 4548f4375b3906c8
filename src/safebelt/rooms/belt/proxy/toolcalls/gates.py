"""Which gate an endpoint has, and how a gate is driven."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec

from safebelt.rooms.belt.model import ToolCall
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.toolcalls.asking import Asked, Events, Gate, Json, Ruling
from safebelt.rooms.belt.proxy.toolcalls.chat import ChatGate
from safebelt.rooms.belt.proxy.toolcalls.messages import MessagesGate
from safebelt.rooms.belt.proxy.toolcalls.responses import ResponsesGate

Rule = Callable[[ToolCall], Coroutine[Any, Any, Ruling]]
_GATES: dict[str, type[ChatGate] | type[MessagesGate] | type[ResponsesGate]] = {
    "/v1/chat/completions": ChatGate,
    "/v1/messages": MessagesGate,
    "/v1/responses": ResponsesGate,
}
_DONE = b"[DONE]"


def gate_of(path: str, rule: Rule) -> "Driven | None":
    """Return the gate of an endpoint; None where its answers have no calls."""
    gate = _GATES.get(path)
    return Driven(gate(), rule) if gate else None


class Driven:
    """A gate whose questions are answered.

    Args:
        gate: Finds the calls.
        rule: Judges one; may wait long.
    """

    def __init__(self, gate: Gate, rule: Rule) -> None:
        self._gate, self._rule = gate, rule

    async def whole(self, body: Json) -> Json:
        """Return an answer as it may go on."""
        steps = self._gate.whole(body)
        try:
            while True:
                await self._answer(next(steps))
        except StopIteration as end:
            return dict(end.value)

    async def events(self, datas: Iterable[bytes], *, is_over: bool = False) -> list[bytes]:
        """Return the data of the events that may go on now; what the gate does not change is the same bytes.

        Args:
            datas: The data of events, in order.
            is_over: Whether nothing more comes.

        Raises:
            UpstreamBroke: Calls pile up unfinished.
        """
        out: list[bytes] = []
        for data in datas:
            if data == _DONE:
                out += await self._driven(self._gate.close())
                out.append(data)
            elif (chunk := _parsed(data)) is None:
                out.append(data)  # what it is, the screening says
            else:
                out += [data if each is chunk else each for each in await self._taken(chunk)]
        return [*out, *(await self._driven(self._gate.close()) if is_over else ())]

    async def _taken(self, chunk: Json) -> list[Any]:
        found = await self._steps(self._gate.take(chunk))
        return [each if each is chunk else msgspec.json.encode(each) for each in found]

    async def _driven(self, steps: Events) -> list[bytes]:
        return [msgspec.json.encode(each) for each in await self._steps(steps)]

    async def _steps(self, steps: Events) -> list[Json]:
        found: list[Json] = []
        for step in steps:
            if isinstance(step, Asked):
                await self._answer(step)
            else:
                found.append(step)
        return found

    async def _answer(self, asked: Asked) -> None:
        """Judge all calls side by side: people see them together, and the wait is one wait."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._rule(call)) for call in asked.calls]
        asked.rulings = [task.result() for task in tasks]


def _parsed(data: bytes) -> Json | None:
    if not data:
        return None
    try:
        chunk = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    except RecursionError as error:
        raise UpstreamBroke("an event nested so deeply cannot be judged") from error
    return chunk if isinstance(chunk, dict) else None
