"""Judging the calls of one exchange: by the policy, and by a person where the policy asks for one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from safebelt.engines.clock import Clock
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide import MAX_NAME_CHARS, is_offered, judge_call
from safebelt.rooms.belt.model import (
    Action,
    Answer,
    Answered,
    Harness,
    Held,
    Key,
    Policy,
    ToolAction,
    ToolCall,
    ToolVerdict,
)
from safebelt.rooms.belt.proxy.toolcalls.asking import Ruling
from safebelt.rooms.belt.scanner.engine import mask_all
from safebelt.rooms.belt.scanner.linear import matches

MAX_READ_CHARS = 16 * 1024
"""Arguments that are put before a person: whole or not at all, and more than this nobody reads."""
_MAX_SAID_CHARS = 2000
"""What of the conversation's last message a person sees: its beginning."""
_MAX_NOTED = 64
"""Calls that a record names; more are only counted."""
_LARGE = 8 * 1024
"""Characters of arguments above which judging leaves the event loop."""
Holding = Callable[[Held], Awaitable[Answer]]
"""Puts a call before people and waits; the answer may say that nobody answered."""
_NOT_LET = Text(zh="安全带没有放行工具调用", en="Safebelt did not let a tool call pass")


async def nobody_to_ask(held: Held) -> Answer:
    """Refuse: there is nobody to ask."""
    return Answer(answered=Answered.REFUSED, at=held.at, by="machine", reason="nobody can be asked here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """By what the calls of an exchange are judged.

    Attributes:
        key: Whose they are.
        harness: How the belt sits on the system.
        policy: Its policy, with a section on tools.
        record: The exchange's record.
        clock, new_id: Time and ids.
        hold: Puts a call before people.
        waited: Is told for how many nanoseconds, until now, people were waited for.
        is_stopped: Whether a person has stopped a tool.
        limited: Counts a call; says why it may not pass where a person limited the tool.
    """

    key: Key
    harness: Harness
    policy: Policy
    record: str
    clock: Clock
    new_id: NewId
    hold: Holding
    waited: Callable[[int], None] = lambda _nanos: None
    is_stopped: Callable[[str], bool] = lambda _name: False
    limited: Callable[[str], Text | None] = lambda _name: None


class Governor:
    """Judges the calls of one exchange, and remembers what became of them for the record.

    Attributes:
        said: The last message of the conversation, for whoever is asked.
        withheld: Path → the arguments of calls that did not pass, and whether they are JSON: only for masking into the
            record, where those that pass stand anyway.
    """

    def __init__(self, judging: Judging) -> None:
        self._by, self.said = judging, ""
        self._notes: list[dict[str, Any]] = []
        self._count = self._waiting = self._since = 0
        self._removed: list[str] = []
        self._would = self._done = ToolAction.ALLOW
        self._rules: set[str] = set()
        self.withheld: dict[str, tuple[str, bool]] = {}

    # ---- judging

    async def rule(self, call: ToolCall) -> Ruling:
        """Say what becomes of a call; waits for a person where the policy holds it."""
        call = replace(call, caller=self._by.key.name)
        verdict = await self._judged(call)
        note = self._noted(call, verdict)
        if self._by.is_stopped(call.name):
            return self._withhold(call, verdict, note, _STOPPED)
        if verdict.done is ToolAction.DENY:
            return self._withhold(call, verdict, note, Text(zh="规则不允许", en="the policy denies it"))
        if why := self._by.limited(call.name):
            return self._withhold(call, verdict, note, why)
        if verdict.done is ToolAction.ALLOW:
            return Ruling(is_allowed=True, says=_NOT_LET)
        if len(call.arguments) > MAX_READ_CHARS:
            note["answered"] = Answered.REFUSED.value
            return self._withhold(
                call, verdict, note, Text(zh="参数过长，无法人工审阅", en="nobody could read it whole")
            )
        return await self._asked(call, verdict, note)

    async def _judged(self, call: ToolCall) -> ToolVerdict:
        by = self._by
        arguments = (by.policy, by.harness.stance, call, self._today(), matches)
        return (
            await asyncio.to_thread(judge_call, *arguments) if len(call.arguments) > _LARGE else judge_call(*arguments)
        )

    async def _asked(self, call: ToolCall, verdict: ToolVerdict, note: dict[str, Any]) -> Ruling:
        held = self._held(call, verdict)
        note["approval"] = held.id
        answer = await self._waited(held)
        note["answered"] = answer.answered.value
        if answer.answered is Answered.APPROVED:
            return Ruling(is_allowed=True, says=_NOT_LET)
        return self._withhold(call, verdict, note, _ANSWERS[answer.answered])

    async def _waited(self, held: Held) -> Answer:
        """Put a call before people; calls that wait side by side are one wait."""
        if not self._waiting:
            self._since = time.perf_counter_ns()
        self._waiting += 1
        try:
            return await self._by.hold(held)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._by.waited(time.perf_counter_ns() - self._since)

    def _held(self, call: ToolCall, verdict: ToolVerdict) -> Held:
        by, now = self._by, self._by.clock()
        seconds = by.policy.tools.hold_seconds if by.policy.tools else 0
        return Held(
            id=by.new_id("apr"),
            record=by.record,
            system_id=by.key.system_id,
            key_id=by.key.id,
            caller=by.key.name,
            tool=mask_all(call.name),
            server=call.server,
            arguments=mask_all(call.arguments, as_json=call.is_json),
            said=mask_all(self.said[:_MAX_SAID_CHARS]),
            policy=by.policy.id,
            policy_version=by.policy.version,
            policy_digest=by.policy.digest,
            rule=verdict.rule,
            title=verdict.title,
            reason=verdict.reason,
            at=now,
            expires_at=now + timedelta(seconds=seconds),
        )

    def _noted(self, call: ToolCall, verdict: ToolVerdict) -> dict[str, Any]:
        note: dict[str, Any] = {
            "tool": mask_all(call.name[:MAX_NAME_CHARS]),
            **({"server": call.server} if call.server else {}),
            "would": verdict.would.value,
            "done": verdict.done.value,
            "rule": verdict.rule,
        }
        self._count += 1
        self._would = max(self._would, verdict.would, key=lambda action: action.weight)
        self._rules |= {verdict.rule} - {""} if verdict.would is not ToolAction.ALLOW else set()
        if len(self._notes) < _MAX_NOTED:
            self._notes.append(note)
        return note

    def _withhold(self, call: ToolCall, verdict: ToolVerdict, note: dict[str, Any], why: Text) -> Ruling:
        self._done = ToolAction.DENY
        note["done"] = ToolAction.DENY.value
        self.withheld[f"tools[{len(self.withheld)}].arguments"] = call.arguments, call.is_json
        name, title, appeal = call.name[:64], verdict.title, self._by.policy.appeal
        says = Text(
            zh=f"{_NOT_LET.zh}“{name}”：{why.zh}（规则类别：{title.zh}；记录 {self._by.record}）。{appeal.zh}",
            en=f"{_NOT_LET.en} (“{name}”): {why.en}. Class of rule: {title.en}. Record {self._by.record}. {appeal.en}",
        )
        return Ruling(is_allowed=False, says=says)

    # ---- what is offered

    def may_offer(self, name: str, *, server: str = "", is_hosted: bool = False) -> bool:
        """Whether a tool may be offered to the model, or to a client; one that may not is remembered."""
        by = self._by
        call = ToolCall(name=name, arguments="", server=server, caller=by.key.name)
        if not by.is_stopped(name) and is_offered(
            by.policy, by.harness.stance, call, self._today(), is_hosted=is_hosted
        ):
            return True
        self._removed.append(mask_all(name[:MAX_NAME_CHARS]))
        return False

    def _today(self) -> date:
        return self._by.clock().date()

    # ---- for the record

    @property
    def done(self) -> Action:
        """What was done, in the words of screening."""
        return Action.REFUSE if self._done is ToolAction.DENY else Action.ALLOW

    @property
    def would(self) -> Action:
        """What the policy asks for, in the words of screening: a call that waits for a person is flagged."""
        return {ToolAction.DENY: Action.REFUSE, ToolAction.HOLD: Action.FLAG}.get(self._would, Action.ALLOW)

    @property
    def rules(self) -> frozenset[str]:
        """Ids of the rules that held or denied, or would have."""
        return frozenset(self._rules)

    def facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a record is told of an outcome, with what became of the calls."""
        if not self._count and not self._removed:
            return dict(facts)
        done, would = Action(facts["done"]), Action(facts["would"])
        return {
            **facts,
            "done": max(done, self.done, key=lambda action: action.weight).value,
            "would": max(would, self.would, key=lambda action: action.weight).value,
            "rules": sorted({*facts["rules"], *self._rules}),
            "tools": self._notes,
            "tool_calls": self._count,
            **({"tools_not_offered": self._removed[:_MAX_NOTED]} if self._removed else {}),
        }


_STOPPED = Text(zh="负责人已停用此工具", en="a person has stopped this tool")
_ANSWERS = {
    Answered.REFUSED: Text(zh="负责人未予批准", en="a person refused it"),
    Answered.EXPIRED: Text(zh="在时限内无人批准", en="nobody answered in time"),
    Answered.GONE: Text(zh="等待已中止", en="the wait was broken off"),
}
