"""Where an exchange goes that a person rolled back: to an earlier upstream, to an earlier model, or both.

INVARIANT: once an order is in effect no request of what it is for reaches the newer version: whoever sends asks at the
very moment of writing whether the way still holds, however long a connection took to come about.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.proxy import forms
from safebelt.rooms.belt.proxy.client import ACCEPTED, After, Answer, Rerouted, UpstreamDown
from safebelt.rooms.belt.proxy.upstreams import Model
from safebelt.rooms.belt.proxy.wire import Headers


class UnknownVersion(UpstreamDown):
    """This belt does not know the version that a person rolled back to; nothing goes to the newer one instead."""


class Question(NamedTuple):
    """What an upstream is asked.

    Attributes:
        method: HTTP method.
        path: The client's path, starting with `/v1`.
        body: What is sent, or nothing.
        content_type: Its media type.
        may_repeat: Whether it may be sent to another although one may have received it.
        record: Id of the exchange, empty for none; the upstream is told it.
        accept: Media types that are wanted.
    """

    method: str
    path: str
    body: bytes
    content_type: bytes = b"application/json"
    may_repeat: bool = False
    record: str = ""
    accept: bytes = ACCEPTED


class Way:
    """The way of one exchange to whoever serves it now.

    Args:
        usual: Who serves what nobody rolled back.
        earlier: Earlier versions, by the names that orders call them.
        switch: The orders.

    Attributes:
        version: The order by which it went to an earlier version; None where it went where it always goes, or nowhere.
    """

    __slots__ = ("_earlier", "_switch", "_usual", "version")

    def __init__(self, usual: Model, earlier: Mapping[str, Model], switch: Switch) -> None:
        self._usual, self._earlier, self._switch = usual, earlier, switch
        self.version: InForce | None = None

    async def ask(
        self, line: Line | None, body: Mapping[str, Any], question: Question, after: After | None = None
    ) -> Answer:
        """Return the answer once its head is here.

        Args:
            line: The exchange's.
            body: What the caller asked for, which names the model.
            question: What is sent.
            after: Who of the usual ones was asked already, and what came of it.

        Raises:
            UnknownVersion: This belt does not know the version in force.
            UpstreamDown, UpstreamBroke, UpstreamSlow: As `Upstreams.send`.
        """
        while True:
            version = self.version = self._now(line, body)
            kind, passed = _rewritten(version, question)
            more = {"after": after} if after is not None and version is None else {}
            try:
                return await self._upstream(version).send(
                    question.method,
                    question.path,
                    passed,
                    content_type=kind,
                    may_repeat=question.may_repeat,
                    record=question.record,
                    accept=question.accept,
                    may_go=partial(self._holds, version, line, body),
                    **more,
                )
            except Rerouted:
                after = None  # whoever was asked before is not asked any more

    def _now(self, line: Line | None, body: Mapping[str, Any]) -> InForce | None:
        model = body.get("model")
        return self._switch.version(line, model if type(model) is str else "")

    def _holds(self, version: InForce | None, line: Line | None, body: Mapping[str, Any]) -> bool:
        return self._now(line, body) is version

    def _upstream(self, version: InForce | None) -> Model:
        if version is None or not version.terms.upstream:
            return self._usual
        found = self._earlier.get(version.terms.to)
        if found is None:
            raise UnknownVersion(version.terms.to)
        return found

    @property
    def headers(self) -> Headers:
        """What the answer's head says of it."""
        if self.version is None:
            return ()
        terms, order = self.version.terms, self.version.order_id
        name = (terms.to or f"model:{terms.model}").encode("ascii", "replace")
        return ((b"x-safebelt-rolled-back", b"%b %b" % (order.encode("ascii"), name)),)

    @property
    def facts(self) -> dict[str, Any]:
        """What the record is told of it."""
        if self.version is None:
            return {}
        terms = self.version.terms
        return {"rolled_back": {"order": self.version.order_id, "to": terms.to, "model": terms.model}}


def _rewritten(version: InForce | None, question: Question) -> tuple[bytes, bytes]:
    """Return a request's media type and bytes, asking for the earlier model where one is named."""
    kind, passed = question.content_type, question.body
    if version is None or not version.terms.model or not passed:
        return kind, passed
    if forms.is_form(kind):
        texts, files = forms.read(kind, passed)
        return forms.written({**texts, "model": version.terms.model}, files)
    return kind, msgspec.json.encode({**msgspec.json.decode(passed), "model": version.terms.model})
