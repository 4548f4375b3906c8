"""What recurs in every exchange of one caller, worked out once a snapshot: facts, labels and headers around holes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any

import msgspec

from safebelt.rooms.belt.model import Action, ContentMode, Side, Snapshot
from safebelt.rooms.belt.proxy.classifying import asks_classifier
from safebelt.rooms.belt.proxy.notices import notice_of
from safebelt.rooms.belt.proxy.plain import Plain, Texts
from safebelt.rooms.belt.proxy.recording import TIMES, Recording, Times, verdict_facts
from safebelt.rooms.belt.proxy.screens import masks_all_that_records_do, nothing_found
from safebelt.rooms.belt.proxy.steps import LARGE, as_said, intent_facts, recording_of
from safebelt.rooms.belt.proxy.tools import Caller, Tools, caller_of
from safebelt.rooms.belt.records.line import encode_facts
from safebelt.rooms.belt.scanner.engine import Scanner, mask_all

_ID = "rec_" + "0" * 26
"""Stands for a record's id while what does not depend on it is written."""
_HOLES = tuple(f"\x00{name}" for name in (*TIMES, "upstream", "usage"))
_MOST_INTENTS, _MOST_KNOWN = 256, 4096
_JSON = b"application/json"
Said = dict[str, tuple[str, bool]]
"""What a model said, by path, with whether it is JSON source."""
_SAFEBELT = b',"safebelt":'
_REST = [(b"%a" % (part / 1000))[1:] for part in range(1000)]
"""How a number ends that says so many thousandths: `.0`, `.001` …"""


class Seat:
    """One caller under one policy.

    Args:
        tools: What every exchange works with.
        caller: Who calls.
        plain: Reads for the caller's scanner.

    Attributes:
        system_id, key_id: Whose system is asked, and with which key.
        keeps_asked, keeps_said: Whether records keep a text as it is in which the policy finds nothing.
    """

    def __init__(self, tools: Tools, caller: Caller, scanner: Scanner, plain: Plain) -> None:
        self.caller, self.plain = caller, plain
        stance, policy = caller.harness.stance, caller.policy
        self.verdict = nothing_found(scanner.policy, stance, Side.INPUT)
        self.system_id, self.key_id = caller.key.system_id, caller.key.id
        self.keeps_asked = masks_all_that_records_do(scanner, Side.INPUT)
        self.keeps_said = masks_all_that_records_do(scanner, Side.OUTPUT)
        self._tools, self._writer, self._new_id, harness = tools, tools.recorder, tools.new_id, caller.harness
        self._keeps_content, self._mode = harness.content is ContentMode.MASKED, harness.record_mode
        self._intents: dict[tuple[str, str, bool, int], tuple[bytes, Mapping[str, Any]]] = {}
        label = tools.labelling.generated(_ID, caller.provider)
        verdict = verdict_facts(nothing_found(scanner.policy, stance, Side.OUTPUT))
        facts = {
            "status": 200,
            "finish": "complete",
            **verdict,
            "label": label.field,
            **{hole[1:]: hole for hole in _HOLES},
        }
        self._outcome, self._places = _template(encode_facts(facts))
        self._hosts: dict[str, bytes] = {}
        self.notice = notice_of(tools.labelling, caller.harness, None, caller.policy.notice)
        complain_at = tools.complain_at(caller.key.system_id).en if tools.complain_at else ""
        field: dict[str, Any] = {
            "record": _ID,
            "verdict": Action.ALLOW.value,
            "would": Action.ALLOW.value,
            "stance": stance.value,
            "rules": [],
            "label": label.field,
            **({"complain": complain_at} if complain_at else {}),
        }
        self._field = _split(_SAFEBELT + msgspec.json.encode(field) + b"}")
        head = b"content-type: %b\r\nx-safebelt-record: %b\r\nx-safebelt-verdict: %b\r\n%bx-safebelt-aigc: %b\r\n" % (
            _JSON,
            _ID.encode(),
            Action.ALLOW.value.encode(),
            b"".join([b"%b: %b\r\n" % pair for pair in caller.headers]),
            label.header.encode("ascii"),
        )
        self._head = _split(head)
        self.policy = policy

    def recording(self) -> Recording:
        """Begin the record of an exchange; as `recording_of`, but that most of it is known."""
        if self._keeps_content:
            return Recording(self._writer, self._new_id("rec"), self._mode)
        return recording_of(self._tools, self.caller)

    def kept(self, texts: Texts, side: Side) -> Texts:
        """Return texts in which the policy found nothing, as records keep them."""
        keeps_all = self.keeps_asked if side is Side.INPUT else self.keeps_said
        return texts if keeps_all else {path: mask_all(text) for path, text in texts.items()}

    def kept_of(self, said: Said) -> Texts | None:
        """Return what a model said, with nothing found, as records keep it; None where working that out takes long."""
        if self.keeps_said:
            return as_said(said)
        is_long = sum([len(text) for text, _ in said.values()]) > LARGE
        return None if is_long else {path: mask_all(text, as_json=is_json) for path, (text, is_json) in said.items()}

    def intent(self, path: str, body: dict[str, Any], admitted: Mapping[str, Any]) -> bytes:
        """Return the facts of an intent in which nothing was found; `admitted` say how it was let in."""
        model, is_stream = str(body.get("model", "")), body.get("stream") is True
        known = self._intents.get((path, model, is_stream, id(admitted)))
        if known is None:
            if len(self._intents) >= _MOST_INTENTS:
                self._intents.clear()
            facts = encode_facts(intent_facts(replace(self.caller, admitted=admitted), path, body, self.verdict))
            known = facts, admitted  # kept, so that nothing else gets its id
            self._intents[path, model, is_stream, id(admitted)] = known
        return known[0]

    def outcome(self, id_: bytes, served_by: str, usage: bytes, times: Times) -> bytes:
        """Return the facts of an outcome in which nothing was found."""
        upstream = self._hosts.get(served_by)
        if upstream is None:  # there are as many as the operator has named
            upstream = self._hosts[served_by] = msgspec.json.encode(served_by)
        added, before, first, total, lasted = times
        whole = added // 1000, before // 1000, first // 1000, total // 1000, lasted // 1000
        rest = _REST[added % 1000], _REST[before % 1000], _REST[first % 1000], _REST[total % 1000], _REST[lasted % 1000]
        return self._outcome % self._places((*whole, *rest, upstream, usage, id_))

    def field(self, id_: bytes) -> msgspec.Raw:
        """Return the `safebelt` field of an answer in which nothing was found."""
        return msgspec.Raw(id_.join(self._field)[len(_SAFEBELT) : -1])

    def answer(self, id_: bytes, body: bytes, passed_on: bytes, *, is_last: bool) -> bytes:
        """Return the bytes of an answer in which nothing was found.

        Args:
            id_: The record's.
            body: Its JSON object, not empty.
            passed_on: Lines of the head that the upstream said.
            is_last: Whether the connection ends with it.
        """
        field = id_.join(self._field)
        return b"HTTP/1.1 200 OK\r\n%b%bcontent-length: %d\r\n%b\r\n%b%b" % (
            passed_on,
            id_.join(self._head),
            len(body) - 1 + len(field),
            b"connection: close\r\n" if is_last else b"",
            body[:-1],
            field,
        )


def _split(text: bytes) -> list[bytes]:
    return text.split(_ID.encode())


def _template(facts: bytes) -> tuple[bytes, Callable[[tuple[int | bytes, ...]], tuple[int | bytes, ...]]]:
    """Return facts as a pattern with holes, and what puts their fillings in the order of its holes.

    These are whole milliseconds of each time, then what is left of each as `_REST` has it, upstream, usage and id.
    """
    holes = {msgspec.json.encode(hole): place for place, hole in enumerate(_HOLES)} | {_ID.encode(): len(_HOLES)}
    parts = re.split(b"(%b)" % b"|".join(re.escape(hole) for hole in holes), facts)
    written, places = _literally(parts[0]), list[int]()
    for hole, after in zip(parts[1::2], parts[2::2], strict=True):
        place = holes[hole]
        is_time = place < len(TIMES)
        written += (b"%d%b" if is_time else b"%b") + _literally(after)
        places += (place, place + len(TIMES)) if is_time else (place + len(TIMES),)
    return written, itemgetter(*places)


def _literally(text: bytes) -> bytes:
    return text.replace(b"%", b"%%")


class Seats:
    """The callers of the snapshot in force, by the credential they send.

    Args:
        tools: What every exchange works with.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._snapshot: Snapshot | None = None
        self._on = date.min
        self._since = self._until = datetime.min.replace(tzinfo=UTC)
        self._known: dict[str, Seat | None] = {}
        self._plain: dict[int, tuple[Scanner, Plain]] = {}

    def of(self, digest: str, snapshot: Snapshot, now: datetime) -> Seat | None:
        """Return who sends a credential, by its SHA-256; None where that takes the long way."""
        if snapshot is not self._snapshot or not self._since <= now < self._until:
            self._snapshot, self._on = snapshot, now.date()
            self._since = datetime.combine(self._on, time.min, UTC)
            self._until = self._since + timedelta(days=1)
            self._known.clear()
            self._plain = {key: one for key, one in self._plain.items() if self._tools.screens.has(one[0])}
        if digest not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[digest] = self._seat(snapshot, digest)
        return self._known[digest]

    def _seat(self, snapshot: Snapshot, digest: str) -> Seat | None:
        caller = caller_of(snapshot, digest)
        if caller is None or caller.policy.tools is not None or asks_classifier(caller.policy):
            return None
        scanner = self._tools.screens.of(caller.policy, self._on)
        return Seat(self._tools, caller, scanner, self._plain_of(scanner))

    def _plain_of(self, scanner: Scanner) -> Plain:
        """Return what reads for a scanner; what it remembers outlives the snapshot, as the scanner does."""
        known = self._plain.get(id(scanner))
        if known is None:
            if len(self._plain) >= 8:
                self._plain.clear()
            known = self._plain[id(scanner)] = scanner, Plain(scanner)
        return known[1]
