"""Several upstreams in order of preference: one that fails rests, the next takes over, and no answer comes twice.

An exchange goes to the first upstream that is not resting.  Where that one fails *before its answer has begun*, the
next is asked; once an answer has begun, its upstream is the only one, and what breaks then is told as broken.  What
could be done twice (an order for a film) goes elsewhere only if nothing of it was sent.
"""

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from safebelt.rooms.belt.proxy.client import (
    ACCEPTED,
    After,
    Answer,
    Connection,
    MayGo,
    Ready,
    Unreached,
    Upstream,
    UpstreamBroke,
    UpstreamDown,
    UpstreamSlow,
    always,
)

FAILURES = 3
"""Failures in a row after which an upstream rests: one may be chance, and each costs its callers a try."""
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0
"""A rest doubles with each trial that fails: a model that restarts is back within seconds, a dead one costs little."""
UNREACHED, CLOSED, NOT_HTTP, SILENT, BROKEN, UNANSWERED, NOT_NOW = (
    *("unreached", "closed", "not_http", "silent", "broken", "unanswered", "not_now"),
)
"""How one fails: no connection; closed before it answered; no HTTP; too slow; broke off midway; any of these on a kept
connection; 502, 503 or 504."""
_PASSING_STATUS = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""Answers that say *not me, not now* (RFC 9110 sections 15.6.3 to 15.6.5)."""


class Model(Protocol):
    """What an exchange asks: one upstream, or several behind one face."""

    async def send(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        content_type: bytes = b"application/json",
        may_repeat: bool = False,
        after: After | None = None,
        may_go: MayGo = always,
        record: str = "",
        accept: bytes = ACCEPTED,
    ) -> Answer:
        """Return the answer once its head is here; raises as `Upstream.send`, and `NoneLeft`."""
        ...

    def at_once(self) -> Ready | None:
        """Return a kept connection to whom `send` would ask first, if there is one."""
        ...

    def close(self) -> None:
        """Close idle connections."""


class NoneLeft(UpstreamDown):
    """Every upstream rests.

    Args:
        seconds: Until the first is tried again.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__("every upstream rests")
        self.seconds = seconds


class Breaker:
    """Whether one upstream is asked: yes, not now, or once, to see.

    Args:
        ticks: A clock that never jumps, in seconds.
        longest_rest_seconds: Longest time between two trials.

    Attributes:
        all_failures, rests, taken_over: How often it failed, rested, and was asked after another had failed: all told.
        failed_at, failed_how: When, by the clock, and how it failed last.
    """

    def __init__(
        self, ticks: Callable[[], float] = time.monotonic, *, longest_rest_seconds: float = LONGEST_REST_SECONDS
    ) -> None:
        self._ticks, self._longest = ticks, longest_rest_seconds
        self._failures, self._rest = 0, FIRST_REST_SECONDS
        self._until = 0.0
        self._is_trying = False
        self.all_failures = self.rests = self.taken_over = 0
        self.failed_at, self.failed_how = 0.0, ""

    @property
    def is_resting(self) -> bool:
        """Whether it failed too often, and has not answered since."""
        return self._failures >= FAILURES

    def wait(self) -> float:
        """Return how many seconds from now it may be asked; 0 for now."""
        if not self.is_resting:
            return 0.0
        return max(0.0, self._until - self._ticks()) or (FIRST_REST_SECONDS if self._is_trying else 0.0)

    def begin(self) -> None:
        """Note that it is asked."""
        self._is_trying = self.is_resting

    def leave(self) -> None:
        """Note that a question ended without telling anything of it: the caller left."""
        self._is_trying = False

    def answered(self) -> None:
        """Note that it answered."""
        self._failures, self._rest, self._is_trying = 0, FIRST_REST_SECONDS, False

    def failed(self, how: str = BROKEN) -> None:
        """Note that it failed, before its answer or in the middle of it, and how."""
        self._failures += 1
        self.all_failures += 1
        self.failed_at, self.failed_how = self._ticks(), how
        if self.is_resting:
            self.rests += 1
            self._until = self._ticks() + self._rest
            self._rest = min(self._longest, self._rest * 2)
        self._is_trying = False

    def told(self) -> dict[str, Any]:
        """Return how it stands; times are of its clock."""
        return {
            "in_a_row": self._failures,
            "until": self._until if self.is_resting else 0.0,
            "failures": self.all_failures,
            "rests": self.rests,
            "taken_over": self.taken_over,
            "failed_at": self.failed_at,
            "failed_how": self.failed_how,
        }


class Upstreams:
    """Upstreams in order of preference.

    Args:
        upstreams: The first is preferred.
        ticks: A clock that never jumps, in seconds.

    Raises:
        ValueError: There is none.
    """

    def __init__(self, upstreams: Sequence[Upstream], *, ticks: Callable[[], float] = time.monotonic) -> None:
        if not upstreams:
            raise ValueError("no upstream")
        longest = LONGEST_REST_SECONDS if len(upstreams) > 1 else FIRST_REST_SECONDS  # nobody else: look often
        self._all = [(one, Breaker(ticks, longest_rest_seconds=longest)) for one in upstreams]
        for one, breaker in self._all:
            one.on_broken = breaker.failed
        self._none_left = 0

    async def send(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        content_type: bytes = b"application/json",
        may_repeat: bool = False,
        after: After | None = None,
        may_go: MayGo = always,
        record: str = "",
        accept: bytes = ACCEPTED,
    ) -> Answer:
        """Ask the first upstream that is not resting, and the next where one fails before its answer has begun.

        Args:
            method: HTTP method; an answer to a GET is looked for with each, where one has nothing.
            path: The client's path, starting with `/v1`.
            body: What is sent, or nothing.
            content_type: Its media type.
            may_repeat: Whether the request may be sent to another although one may have received it.
            after: Who was asked already and what came of it; those behind it are asked next.
            may_go: As of `Upstream.send`.
            record: As for `Upstream.send`.
            accept: As for `Upstream.send`.

        Raises:
            NoneLeft: Every upstream rests.
            Rerouted: As of `Upstream.send`.
            UpstreamDown, UpstreamBroke, UpstreamSlow: The last one that could be asked failed so.
        """
        question = _Question(method, path, body, content_type, may_repeat or method == "GET", may_go, record, accept)
        said: Answer | Exception | None = after.said if after else None
        for one, breaker in self._behind(after, question):
            if breaker.wait():
                continue
            if isinstance(said, Answer):
                said.close()
            breaker.taken_over += said is not None
            said = await self._ask(one, breaker, question)
            if not question.leads_on(said):
                break
        if isinstance(said, Answer):
            return said
        self._none_left += said is None
        raise said or NoneLeft(min(breaker.wait() for _, breaker in self._all))

    def _behind(self, after: After | None, question: "_Question") -> Sequence[tuple[Upstream, Breaker]]:
        """Return who may be asked, after what one may have said already."""
        if after is None:
            return self._all
        at = [one for one, _ in self._all].index(after.upstream)
        return self._all[at + 1 :] if question.leads_on(after.said) else ()

    def at_once(self) -> Ready | None:
        """Return a kept connection to the first upstream that is not resting; None where one of these must be tried."""
        for one, breaker in self._all:
            if breaker.is_resting:
                if breaker.wait():
                    continue
                return None
            connection = one.idle()
            return None if connection is None else _Watched(one, connection, breaker, is_alone=len(self._all) == 1)
        return None

    async def _ask(self, one: Upstream, breaker: Breaker, question: "_Question") -> Answer | Exception:
        """Return what one upstream answers, or how it failed."""
        breaker.begin()
        try:
            answer = await one.send(
                question.method,
                question.path,
                question.body,
                content_type=question.content_type,
                may_go=question.may_go,
                record=question.record,
                accept=question.accept,
            )
        except (UpstreamDown, UpstreamBroke, UpstreamSlow) as error:
            breaker.failed(_how(error))
            return error
        except BaseException:
            breaker.leave()
            raise
        _note(breaker, answer.status, is_alone=len(self._all) == 1)
        return answer

    def health(self) -> dict[str, int]:
        """Return how many there are, and how many rest."""
        return {"all": len(self._all), "resting": sum(breaker.is_resting for _, breaker in self._all)}

    def told(self) -> list[dict[str, Any]]:
        """Return how each stands, in order of preference; times are of the clock that was given."""
        return [
            {"upstream": one.authority, "asked_again": one.asked_again, "none_left": self._none_left, **breaker.told()}
            for one, breaker in self._all
        ]

    def close(self) -> None:
        """Close idle connections."""
        for one, _ in self._all:
            one.close()


class _Watched(Ready):
    """A kept connection to one of several upstreams, whose breaker hears how it went."""

    __slots__ = ("_breaker", "_is_alone")

    def __init__(self, upstream: Upstream, connection: Connection, breaker: Breaker, *, is_alone: bool) -> None:
        super().__init__(upstream, connection)
        self._breaker, self._is_alone = breaker, is_alone

    def answered(self, status: int) -> bool:
        """Note an answer; say whether it is one to pass on, where another could be asked."""
        return _note(self._breaker, status, is_alone=self._is_alone)

    def failed(self) -> None:
        """Note that it failed."""
        self._breaker.failed(UNANSWERED)


def _note(breaker: Breaker, status: int, *, is_alone: bool) -> bool:
    is_passing = status in _PASSING_STATUS and not is_alone
    if is_passing:
        breaker.failed(NOT_NOW)
    else:
        breaker.answered()
    return not is_passing


def _how(error: Exception) -> str:
    if isinstance(error, Unreached):
        return UNREACHED
    if isinstance(error, UpstreamSlow):
        return SILENT
    return NOT_HTTP if isinstance(error, UpstreamBroke) else CLOSED


class _Question(NamedTuple):
    """A request on its way."""

    method: str
    path: str
    body: bytes
    content_type: bytes
    may_repeat: bool
    may_go: MayGo
    record: str
    accept: bytes

    def leads_on(self, said: Answer | Exception) -> bool:
        """Whether another may be asked.

        After a failure: where nothing was sent, or it may be sent twice and this one is not still at work.  After an
        answer: where it says *not now*, or that what is asked for lies elsewhere.
        """
        if isinstance(said, Exception):
            return isinstance(said, Unreached) or (self.may_repeat and not isinstance(said, UpstreamSlow))
        is_elsewhere = self.method == "GET" and said.status == HTTPStatus.NOT_FOUND
        return is_elsewhere or (self.may_repeat and said.status in _PASSING_STATUS)
