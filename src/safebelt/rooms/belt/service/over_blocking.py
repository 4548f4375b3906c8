"""Measuring over-blocking: how often each rule of a policy's version hits what should pass, asked for and kept.

A measurement is long work: it is asked for in a file, done by the work process, and kept as a file under the version's
digest, so that another version has none.  It changes nothing that anybody is governed by and can be made again by
whoever has the policy and the texts; so the ledger is not told.  It holds places in the texts, never a text.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from safebelt import __version__
from safebelt.engines.classifiers.guardian import Guardian
from safebelt.kernel.errors import Invalid, NotFound, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide import hits_of, in_force
from safebelt.rooms.belt.decide.over_blocking import HitTally
from safebelt.rooms.belt.model import Hit, Policy, Side, Stance
from safebelt.rooms.belt.model.over_blocking import (
    Corpus,
    Example,
    Outdated,
    OverBlocking,
    OverBlockingNow,
    OverBlockingState,
)
from safebelt.rooms.belt.scanner import Scanner, mask_all
from safebelt.rooms.belt.service.base import Tools
from safebelt.rooms.belt.service.corpora import Corpora
from safebelt.rooms.belt.service.policies import PolicyReading

STILL_SECONDS = 60.0
"""Work that has told nothing for so long is not running any more: its process has ended, and another takes it up."""
_TELL_SECONDS = 0.5
AROUND_CHARS = 60
"""What an example shows on either side of what was hit."""
COVER = "▇▇▇"

Progress = Callable[[int, int], None]
_Kind = TypeVar("_Kind")
_log = structlog.get_logger("safebelt.belt")


class Ordered(msgspec.Struct, frozen=True):
    """A measurement that was asked for.

    Attributes:
        policy, version, digest: Of what.
        at: When it was asked for, or last told of.
        done, all: Texts tried, of how many.
        problem: Why it failed, in both languages.
    """

    policy: str
    version: int
    digest: str
    at: datetime
    done: int = 0
    all: int = 0
    problem: dict[str, str] | None = None


class OverBlockings(PolicyReading):
    """How often rules hit what should pass."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        shipped = [tools.lists / "benign"] if tools.lists else []
        self._corpora = Corpora([*shipped, tools.box.folder / "benign"])

    def corpora(self) -> tuple[Corpus, ...]:
        """Return the benign texts that there are: those that came with Safebelt, and `<home>/belt/benign/*.txt`."""
        return self._corpora.all()

    def over_blocking(self, policy: Policy) -> OverBlockingNow:
        """Return how a version of a policy stands; *not evaluated* where nobody has measured this very version."""
        found, order = _read(self._result_path(policy.digest), OverBlocking), self._ordered(policy.digest)
        state = OverBlockingState.NOT_EVALUATED if found is None else OverBlockingState.MEASURED
        now = OverBlockingNow(
            policy=policy.id,
            version=policy.version,
            digest=policy.digest,
            state=state,
            outdated=() if found is None else self._outdated(found),
            found=found,
        )
        if order is None:
            return now
        problem = Text(**order.problem) if order.problem else None
        state = OverBlockingState.FAILED if problem else self._how_far(order)
        return replace(now, state=state, done=order.done, all=order.all, problem=problem)

    def over_blockings(self) -> Mapping[str, OverBlockingNow]:
        """Return how every policy in force stands, by its id."""
        return {policy.id: self.over_blocking(policy) for policy in self.policies()}

    def order_over_blocking(self, policy_id: str, version: str = "") -> OverBlockingNow:
        """Ask for the measurement of the version in force, or of one that was; the work process does it.

        Raises:
            NotFound: There is no such policy or version.
            Invalid: There is no text to measure on.
        """
        policy = self.policy_version(policy_id, version) if version else self.policy(policy_id)
        self._some_texts()
        if self.over_blocking(policy).state not in {OverBlockingState.WAITING, OverBlockingState.RUNNING}:
            order = Ordered(policy.id, policy.version, policy.digest, self._t.clock())
            _write(self._order_path(policy.digest), order)
        return self.over_blocking(policy)

    def measure_wanted(self) -> int:
        """Make the measurements that were asked for; return how many.  Called every moment by a job.

        Two at once come to the same result; one that died is taken up again.
        """
        count = 0
        for path in sorted(self._folder.glob("*.order")):
            order = _read(path, Ordered)
            if order is None or order.problem or self._how_far(order) is OverBlockingState.RUNNING:
                continue
            self._measure_ordered(order)
            count += 1
        return count

    def _measure_ordered(self, order: Ordered) -> None:
        last = [time.monotonic() - _TELL_SECONDS]

        def tell(done: int, of: int) -> None:
            if time.monotonic() - last[0] >= _TELL_SECONDS:
                last[0] = time.monotonic()
                _write(self._order_path(order.digest), _told(order, self._t.clock(), done, of))

        try:
            self.measure_over_blocking(self._version_of(order), progress=tell)
        except Problem as problem:
            said = {"zh": problem.in_("zh"), "en": problem.in_("en")}
            _write(self._order_path(order.digest), msgspec.structs.replace(order, problem=said))
            _log.warning("belt.over_blocking_failed", policy=order.policy, problem=said["en"])
        else:
            self._order_path(order.digest).unlink(missing_ok=True)

    def measure_over_blocking(
        self, policy: Policy, *, progress: Progress = lambda _done, _all: None, is_kept: bool = True
    ) -> OverBlocking:
        """Count, rule by rule, in how many benign texts a policy finds something; each is tried on both sides.

        Args:
            policy: The policy; one that is not in force may be measured without being kept.
            progress: Told how many texts are tried, of how many.
            is_kept: Whether the result is kept under the version's digest.

        Raises:
            Invalid: There is no text to measure on.
        """
        corpora, begun = self._some_texts(), time.monotonic()
        policy_now = in_force(policy, self._t.clock().date())
        scores, unread = _classifiers(policy_now)
        tally, scanner, of = HitTally(policy_now, unread), Scanner(policy_now), sum(one.texts for one in corpora)
        for corpus in corpora:
            for number, text in enumerate(self._corpora.texts(corpus), 1):
                progress(tally.texts, of)
                tally.add(corpus.name, number, [*_hits(policy_now, scanner, text), *scores(text)])
        hit, stopped, refused = tally.shares()
        found = OverBlocking(
            policy=policy.id,
            version=policy.version,
            digest=policy.digest,
            at=self._t.clock().replace(microsecond=0),
            program=__version__,
            seconds=round(time.monotonic() - begun, 2),
            corpora=corpora,
            hit=hit,
            stopped=stopped,
            refused=refused,
            stopped_corpora=tally.stopped(),
            rules=tally.rules(),
        )
        if is_kept:
            _write(self._result_path(policy.digest), found)
        return found

    def example_texts(self, found: OverBlocking, *, is_shown: bool) -> Mapping[Example, tuple[str, str, str]]:
        """Return what stands before, at and behind every example; what was hit and personal data are covered.

        Args:
            found: Whose examples.
            is_shown: Whether to show them as they are.
        """
        wanted: dict[str, dict[int, list[Example]]] = {}
        for example in (one for rule in found.rules for one in rule.examples):
            wanted.setdefault(example.corpus, {}).setdefault(example.number, []).append(example)
        shown: dict[Example, tuple[str, str, str]] = {}
        for corpus in found.corpora:
            numbers = wanted.get(corpus.name, {})
            for number, text in self._texts_of(corpus) if numbers else ():
                shown |= {example: _around(text, example, is_shown=is_shown) for example in numbers.get(number, ())}
        return shown

    def _texts_of(self, corpus: Corpus) -> Iterator[tuple[int, str]]:
        try:
            yield from enumerate(self._corpora.texts(corpus), 1)
        except Unavailable:
            return  # changed since: the page says so, and shows places only

    def _some_texts(self) -> tuple[Corpus, ...]:
        corpora = self.corpora()
        if not corpora:
            raise Invalid(
                what=Text(zh="没有可供测量的无害文本。", en="There are no benign texts to measure on."),
                hint=Text(
                    zh="请把文本文件（每行一条）放入 <home>/belt/benign/。",
                    en="Put text files, one text a line, into <home>/belt/benign/.",
                ),
            )
        return corpora

    def _ordered(self, digest: str) -> Ordered | None:
        return _read(self._order_path(digest), Ordered)

    def _version_of(self, order: Ordered) -> Policy:
        now = self.policy(order.policy)
        return now if now.digest == order.digest else self.policy_version(order.policy, order.digest)

    def _outdated(self, found: OverBlocking) -> tuple[Outdated, ...]:
        now, then = ({(one.name, one.sha256) for one in corpora} for corpora in (self.corpora(), found.corpora))
        return tuple(
            why
            for why, holds in ((Outdated.TEXTS, now != then), (Outdated.PROGRAM, found.program != __version__))
            if holds
        )

    def _how_far(self, order: Ordered) -> OverBlockingState:
        is_running = bool(order.all) and (self._t.clock() - order.at).total_seconds() < STILL_SECONDS
        return OverBlockingState.RUNNING if is_running else OverBlockingState.WAITING

    @property
    def _folder(self) -> Path:
        return self._t.box.folder / "measured" / "over-blocking"

    def _result_path(self, digest: str) -> Path:
        return self._folder / f"{_plain(digest)}.json"

    def _order_path(self, digest: str) -> Path:
        return self._folder / f"{_plain(digest)}.order"


def _told(order: Ordered, at: datetime, done: int, of: int) -> Ordered:
    return msgspec.structs.replace(order, at=at, done=done, all=of)


def _hits(policy: Policy, scanner: Scanner, text: str) -> Iterator[Hit]:
    for side in Side:
        yield from hits_of(policy, Stance.ENFORCE, side, "text", scanner.scan(text, side))


def _classifiers(policy: Policy) -> tuple[Callable[[str], list[Hit]], frozenset[str]]:
    """Return what asks the trained model for the rules that have one, and those it cannot be asked for."""
    asking = [rule for rule in policy.rules if rule.classifier]
    guardian = None
    try:
        guardian = Guardian() if asking else None
    except Unavailable:
        _log.info("belt.over_blocking_without_classifier", rules=[rule.id for rule in asking])

    def scores(text: str) -> list[Hit]:
        if guardian is None:
            return []
        score = guardian.score(text)
        return [
            Hit(
                rule=rule.id,
                detector="classifier",
                side=Side.INPUT,
                part="text",
                start=0,
                end=len(text),
                would=rule.action,
                done=rule.action,
            )
            for rule in asking
            if rule.classifier and score >= rule.classifier.at_least
        ]

    # What a rule finds by words or detectors besides is not all of it: without its model it was not evaluated.
    return scores, frozenset(rule.id for rule in asking) if guardian is None else frozenset()


def _around(text: str, example: Example, *, is_shown: bool) -> tuple[str, str, str]:
    """Cover first and cut then: half a number would be no number to whoever looks for numbers."""
    before, at, behind = text[: example.start], text[example.start : example.end], text[example.end :]
    if not is_shown:
        before, at, behind = mask_all(before), COVER, mask_all(behind)
    cut_before = before if len(before) <= AROUND_CHARS else f"…{before[-AROUND_CHARS:]}"
    cut_behind = behind if len(behind) <= AROUND_CHARS else f"{behind[:AROUND_CHARS]}…"
    return cut_before, at[: 4 * AROUND_CHARS], cut_behind


def _plain(digest: str) -> str:
    """Return a digest as a file's name.

    Raises:
        NotFound: It is none.
    """
    if not (digest.isascii() and digest.isalnum() and len(digest) <= 64):
        raise NotFound(
            what=Text(zh="没有这一版规则。", en="There is no such version."),
            hint=Text(zh="请从版本列表中选择。", en="Choose one from the list of versions."),
        )
    return digest


def _read(path: Path, kind: type[_Kind]) -> _Kind | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def _write(path: Path, what: object) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(what))
    draft.replace(path)
