"""Screening a text while it streams: what cannot become a finding any more leaves at once, the rest waits.

Life of a delta: it is unescaped (JSON only) and folded behind what waits; the automaton steps over it; where the
horizon moves, findings that begin before it are final, are judged, and the text up to it is passed on.

A stream passes on exactly what screening the whole text would, however it is cut, for three reasons: a finding
depends on a bounded neighbourhood, never on where the scan began; the horizon never passes the begin of anything
unfinished; and `Resolver` and `Redactor` only ever look back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from safebelt.rooms.belt.decide import Redactor, Resolver, as_hit, is_acting, strictest
from safebelt.rooms.belt.model import Action, Hit, Side, Stance
from safebelt.rooms.belt.scanner.detectors import LOOK_BEHIND, REACH, Detector
from safebelt.rooms.belt.scanner.engine import ANY, FoldedHit, Scanner, found_in, original
from safebelt.rooms.belt.scanner.fold import MAX_INVISIBLE, Folded
from safebelt.rooms.belt.scanner.horizon import hold_from
from safebelt.rooms.belt.scanner.unescape import Unescaper
from safebelt.rooms.belt.scanner.words import stands_alone

MAX_HELD = 2 * REACH
"""Most folded characters that wait.  A run is looked at once it is this long, and half of it then leaves: so a flood
costs each character a bounded number of looks."""
MAX_HELD_CHARS = MAX_HELD * (MAX_INVISIBLE + 1) * 6
"""Most original characters that wait: each folded one may carry invisible ones, and in JSON each may be an escape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What may be passed on now.

    Attributes:
        text: Text to pass on, masked where the policy says so; may be empty.
        hits: Findings that became final, offsets in the whole original text.
        is_refused: A refusing rule acted: nothing more may follow; the text before it has been passed on.
    """

    text: str = ""
    hits: tuple[Hit, ...] = ()
    is_refused: bool = False


@dataclass(slots=True)
class _Tail:
    """A finding whose end is not yet seen."""

    hit: Hit
    detector: Detector
    end: int  # place in the folded buffer up to which it was followed


class StreamScreen:
    """Screens one text channel of one choice: content, reasoning, or the arguments of one tool call.

    Args:
        scanner: The policy's scanner.
        stance: Enforce or observe; red lines act in both.
        side: Which way the text travels.
        part: Path that findings name.
        as_json: The text is JSON source, and must stay valid.

    Attributes:
        is_refused: A refusing rule has acted; `feed` gives nothing any more.

    Example:
        >>> screen = StreamScreen(scanner, Stance.ENFORCE)
        >>> [screen.feed(delta).text for delta in ("call 138", "1234", "5678 now")]
        ['call ', '', '⟦手机号 mobile⟧ ']
        >>> screen.close().text
        'now'
    """

    def __init__(
        self, scanner: Scanner, stance: Stance, side: Side = Side.OUTPUT, part: str = "", *, as_json: bool = False
    ) -> None:
        self._policy, self._stance, self._side, self._part = scanner.policy, stance, side, part
        self._words, self._finders = scanner.words(side), scanner.finders(side)
        self._acting = frozenset(rule.id for rule in scanner.policy.rules if is_acting(rule, stance))
        self._has_acting_finders = any(finder.rule in self._acting for finder in self._finders)
        self._unescaper = Unescaper() if as_json else None
        self._redactor, self._resolver = Redactor(as_json=as_json), Resolver()
        self._source, self._source_at, self._read_to = (
            "",
            0,
            0,
        )  # original text that waits; where it begins; read so far
        self._folded, self._node = Folded(), 0
        self._seen = self._passed = 0  # places in the buffer: findings before are final; text before has left
        self._terms: list[FoldedHit] = []
        self._tails: list[_Tail] = []
        self._actions: list[Action] = []
        self.is_refused = False

    @property
    def held(self) -> int:
        """How many original characters wait."""
        return len(self._source)

    @property
    def done(self) -> Action:
        """The strictest action so far."""
        return strictest(self._actions)

    def feed(self, delta: str) -> Released:
        """Take the next piece; return what may be passed on now."""
        if self.is_refused:
            return Released(is_refused=True)
        self._take(delta, is_last=False)
        return self._advance(*self._horizons(), is_last=False)

    def close(self) -> Released:
        """End the text; return all that still waited and may be passed on."""
        if self.is_refused:
            return Released(is_refused=True)
        self._take("", is_last=True)
        end = len(self._folded.text)
        return self._advance(end, end, is_last=True)

    def _take(self, delta: str, *, is_last: bool) -> None:
        """Read on: unescape, fold, step over the words."""
        self._source += delta
        if self._unescaper:
            chars, starts, ends = self._unescaper.feed(delta, is_last=is_last)
            added = self._folded.grow(chars, starts, ends)
            self._read_to = ends[-1] if ends else self._read_to
        else:
            start, self._read_to = self._read_to, self._read_to + len(delta)
            added = self._folded.grow(delta, range(start, self._read_to), range(start + 1, self._read_to + 1))
        place = len(self._folded.text) - len(added)
        for char in added:
            self._node, place = self._words.step(self._node, char), place + 1
            for rule, term in self._words.found(self._node):
                self._terms.append(FoldedHit(rule, None, place - len(term), place))

    def _horizons(self) -> tuple[int, int]:
        """Return up to where findings are final, and up to where acting ones are."""
        end = len(self._folded.text)
        seen = end - self._words.depth(self._node, ANY)
        passed = end - self._words.depth(self._node, self._stance.value)
        if self._finders:
            run = hold_from(self._folded.text)
            is_flood = end - run > REACH // 2 and end - self._seen < MAX_HELD
            run = self._seen if is_flood else run
            seen = min(seen, run)
            passed = min(passed, run) if self._has_acting_finders else passed
        return max(self._seen, self._whole(seen)), max(self._passed, self._whole(passed))

    def _whole(self, place: int) -> int:
        """Step back to where an original character begins: one may fold to several."""
        starts = self._folded.starts
        while 0 < place < len(starts) and starts[place] == starts[place - 1]:
            place -= 1
        return place

    def _advance(self, seen: int, passed: int, *, is_last: bool) -> Released:
        """Judge what became final, pass on what may leave, forget what is done."""
        reported = self._follow_tails(is_last)
        hits = sorted(self._final(seen, passed, is_last), key=lambda found: Resolver.order(found[0]))
        until = self._folded.starts[passed] if passed < len(self._folded.text) else self._read_to
        acting: list[Hit] = []
        for hit, tail in hits:
            if not (self._resolver.stands(hit) or tail):
                continue
            self._actions.append(hit.done)
            if tail:
                self._tails.append(tail)
            else:
                reported.append(hit)
            if hit.done is Action.REFUSE:
                return self._refuse(hit, acting, reported)
            if hit.done is Action.MASK:
                acting.append(hit)
        text = self._pass_on(until, acting)
        self._forget(seen, passed)
        return Released(text=text, hits=tuple(reported))

    def _refuse(self, hit: Hit, acting: list[Hit], reported: list[Hit]) -> Released:
        self.is_refused = True
        text = self._pass_on(max(hit.start, self._source_at), acting)
        self._source = ""
        return Released(text=text, hits=(*reported, *(tail.hit for tail in self._tails)), is_refused=True)

    def _pass_on(self, until: int, acting: list[Hit]) -> str:
        count = until - self._source_at
        piece, self._source = self._source[:count], self._source[count:]
        text = self._redactor.pass_on(piece, self._source_at, acting)
        self._source_at = until
        return text

    def _final(self, seen: int, passed: int, is_last: bool) -> Iterator[tuple[Hit, _Tail | None]]:
        """Yield the findings that became final, with what follows of those whose end is not yet seen."""
        text = self._folded.text
        found = [term for term in self._terms if stands_alone(text, term.start, term.end)]
        if seen > self._seen or (self._has_acting_finders and passed > self._passed):
            found += found_in(text, self._finders)
        for hit in found:
            is_acting_rule = hit.rule in self._acting
            done, now = (self._passed, passed) if is_acting_rule else (self._seen, seen)
            if done <= hit.start < now:
                yield self._judged(hit, is_last)

    def _judged(self, found: FoldedHit, is_last: bool) -> tuple[Hit, _Tail | None]:
        hit = as_hit(self._policy, self._stance, self._side, self._part, original(found, self._folded))
        if is_last or not found.detector or not found.detector.tail:
            return hit, None
        end = found.detector.end_of_tail(self._folded.text, found.end)
        is_open = end == len(self._folded.text)
        return hit, _Tail(hit, found.detector, end) if is_open else None

    def _follow_tails(self, is_last: bool) -> list[Hit]:
        """Follow findings whose end was not seen; return those that ended."""
        ended: list[Hit] = []
        still: list[_Tail] = []
        for tail in self._tails:
            end = tail.detector.end_of_tail(self._folded.text, tail.end)
            if end > tail.end:
                longer = replace(tail.hit, end=self._folded.ends[end - 1])
                self._resolver.extend(tail.hit, longer)
                tail.hit, tail.end = longer, end
                if longer.done is Action.MASK:
                    self._redactor.extend(longer.end)
            if is_last or end < len(self._folded.text):
                ended.append(tail.hit)
            else:
                still.append(tail)
        self._tails = still
        return ended

    def _forget(self, seen: int, passed: int) -> None:
        """Keep only what later findings may look at."""
        self._seen, self._passed = seen, passed
        drop = max(0, min(seen, passed) - LOOK_BEHIND)
        self._resolver.forget(self._folded.starts[seen] if seen < len(self._folded.text) else self._read_to)
        self._terms = [term for term in self._terms if term.start >= (passed if term.rule in self._acting else seen)]
        if not drop:
            return
        self._folded.drop(drop)
        self._seen, self._passed = seen - drop, passed - drop
        self._terms = [FoldedHit(t.rule, t.detector, t.start - drop, t.end - drop) for t in self._terms]
        for tail in self._tails:
            tail.end -= drop
