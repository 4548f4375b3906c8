"""Screening a text while it streams: what cannot become a finding any more leaves at once, the rest waits.

Life of a delta: it is unescaped (JSON only), decoded and folded behind what waits; what waits is read again for words,
with it; where the horizon moves, findings that begin before it are final, are judged, and the text up to it is passed
on.

A stream passes on exactly what screening the whole text would, however it is cut, for three reasons: a finding
depends on a bounded neighbourhood, never on where the scan began; the horizon never passes the begin of anything
unfinished; and `Resolver` and `Redactor` only ever look back.  (Texts within texts, in base64 or tag letters, are
looked for in requests only: see `source`.)
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from safebelt.rooms.belt.decide import RawHit, Redactor, Resolver, as_hit, is_acting, strictest
from safebelt.rooms.belt.model import Action, Hit, Side, Stance
from safebelt.rooms.belt.scanner.chars import MAX_INVISIBLE, classes_of
from safebelt.rooms.belt.scanner.detectors import LOOK_BEHIND, REACH, Detector
from safebelt.rooms.belt.scanner.engine import KEYWORD, Scanner, bit_of
from safebelt.rooms.belt.scanner.finders import Finder, FoldedHit
from safebelt.rooms.belt.scanner.fold import Folded
from safebelt.rooms.belt.scanner.glances import (
    FOLDED,
    LOUD,
    MOST_BEHIND,
    MOST_WINDOW,
    Calm,
    Glances,
    Quiet,
    folded_alike,
    quiet_of,
)
from safebelt.rooms.belt.scanner.horizon import hold_from
from safebelt.rooms.belt.scanner.source import Reader
from safebelt.rooms.belt.scanner.views import Reading, Waits

MAX_HELD = 2 * REACH
"""Most folded characters that wait.  A run is looked at once it is this long, and half of it then leaves: so a flood
costs each character a bounded number of looks."""
MAX_HELD_CHARS = MAX_HELD * (MAX_INVISIBLE + 1) * 6 * 33
"""Most original characters that wait: each folded one may carry invisible ones, each of those may be written as an HTML
entity, and in JSON as an escape."""


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """What may be passed on now.

    Attributes:
        text: Text to pass on, masked where the policy says so; may be empty.
        hits: Findings that became final, offsets in the whole original text.
        is_refused: A refusing rule acted: nothing more may follow; the text before it has been passed on.
    """

    text: str = ""
    hits: tuple[Hit, ...] = ()
    is_refused: bool = False


_NOTHING = Released()
_END = "$"
"""Marks windows that a text ends with, among those remembered."""
_MOST_DONE = 32
"""So many folded characters are kept that nothing looks at any more: to forget them one by one takes longer."""


@dataclass(slots=True)
class _Tail:
    """A finding whose end is not yet seen."""

    hit: Hit
    detector: Detector
    end: int  # place in the folded buffer up to which it was followed


@lru_cache(maxsize=8)  # few, because a scanner is large
def _looks(scanner: Scanner, stance: Stance, side: Side) -> tuple[tuple[Finder, ...], int, int, frozenset[str], bool]:
    """Return what a screen asks of a policy: detectors, bits of those who wait and who act, acting rules.

    Last, whether a detector is among those.
    """
    acting = frozenset(rule.id for rule in scanner.policy.rules if is_acting(rule, stance))
    finders = scanner.finders(side)
    return finders, bit_of(side), bit_of(side, stance), acting, any(finder.rule in acting for finder in finders)


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

    _is_ready = False

    def __init__(
        self, scanner: Scanner, stance: Stance, side: Side = Side.OUTPUT, part: str = "", *, as_json: bool = False
    ) -> None:
        self._policy, self._stance, self._side, self._part = scanner.policy, stance, side, part
        self._scanner, self._as_json = scanner, as_json
        self._finders, self._all, self._acts, self._acting, self._has_acting_finders = _looks(scanner, stance, side)
        self._source, self._source_at = "", 0  # original text that waits; where it begins
        self._glances = scanner.glances[self._acts]
        self._calm: Calm | None = None if as_json else Calm()
        if as_json:
            self._make_ready()
        self._terms: list[FoldedHit] = []
        self._tails: list[_Tail] = []
        self._actions: list[Action] = []
        self.is_refused = False

    def _make_ready(self) -> None:
        """Make what reads character by character: many a text is over before anything asks for it."""
        self._is_ready = True
        self._reader = Reader(as_json=self._as_json)
        self._redactor, self._resolver = Redactor(as_json=self._as_json), Resolver()
        self._folded, self._classes = Folded(), b""
        self._unfinished = self._unfinished_acting = 0  # places in the buffer: a word may begin there, and none before
        self._seen = self._passed = 0  # places in the buffer: findings before are final; text before has left

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
        if self._calm is not None:
            text = self.calmly(delta)
            if text is not None:
                return Released(text=text) if text else _NOTHING
            self._rouse(self._calm)
        self._take(delta, is_last=False)
        released = self._advance(*self._horizons(), is_last=False)
        self._calm_down()
        return released

    def calmly(self, delta: str) -> str | None:
        """Take a piece in which nothing is found, as `feed` would; return what may be passed on.

        None where it must be read character by character: then nothing has been done.
        """
        calm = self._calm
        if calm is None:
            return None
        folded = FOLDED.get(delta) or folded_alike(delta)
        if not folded:
            return None
        window = calm.window + folded
        quiet = self._glances.get((calm.kind, window)) or self._look_at(calm, window)
        if quiet is LOUD:
            return None
        count = calm.go_on(window, quiet, LOOK_BEHIND)
        source = self._source + delta
        self._source_at += count
        if count == len(source):
            self._source = ""
            return source
        self._source = source[count:]
        return source[:count]

    def remembered(self) -> tuple[dict[str, str], Glances, Quiet, int, int]:
        """Return what `calmly` in C (`proxy/_pieces.c`) asks: tokens, windows, which is loud, how much is kept."""
        return FOLDED, self._glances, LOUD, LOOK_BEHIND, MOST_BEHIND

    def _look_at(self, calm: Calm, window: str, *, is_last: bool = False) -> Quiet:
        """Read a window for the first time, and remember it unless it is long."""
        if len(window) > MOST_WINDOW:
            return LOUD
        left = calm.behind[-1:]
        text, begin = left + window, len(left)
        waits, quiet = Waits(len(text)), LOUD
        reading = Reading(text, begin, begin, is_last, waits)
        is_found = self._scanner.words_in(reading, classes_of(text), self._side) or (
            self._finders and not self._scanner.is_free_of_personal(window, self._side)
        )
        if not is_found:
            run = hold_from(text) if self._finders else len(text)
            seen, passed = min(waits.of(self._all), run), waits.of(self._acts)
            passed = min(passed, run) if self._has_acting_finders else passed
            quiet = quiet_of(window, max(0, seen - begin), max(0, passed - begin))
        return self._glances.keep((calm.kind + _END if is_last else calm.kind, window), quiet)

    def _is_over_calmly(self, calm: Calm) -> bool:
        """Whether nothing is found in what waits, where the text ends with it."""
        window = calm.window
        if not window:
            return True
        return (self._glances.get((calm.kind + _END, window)) or self._look_at(calm, window, is_last=True)) is not LOUD

    def _rouse(self, calm: Calm) -> None:
        """Go on character by character, with what may be found, from where calm has come to."""
        if not self._is_ready:
            self._make_ready()
        known = calm.behind[-LOOK_BEHIND:]
        text, behind = known + calm.window, len(known)
        begin = self._source_at - calm.passed - behind
        self._folded = Folded(
            text, list(range(begin, begin + len(text))), list(range(begin + 1, begin + len(text) + 1))
        )
        self._classes = classes_of(text)
        self._unfinished = self._unfinished_acting = self._seen = behind
        self._passed = behind + calm.passed
        self._reader.skip_to(self._source_at + len(self._source))
        self._calm = None

    def _calm_down(self) -> None:
        """Go on by windows, where nothing is found that is not over, and each character that waits folds to one."""
        folded, end = self._folded, self._source_at + len(self._source)
        is_idle = self._reader.is_idle and not (self._terms or self._tails or self.is_refused)
        if not is_idle or len(folded.text) - self._seen > MOST_WINDOW or not self._redactor.is_idle(self._source_at):
            return
        behind = max(0, self._seen - LOOK_BEHIND)
        places = range(end - len(folded.text) + behind, end)
        if folded.is_alike(behind, places):
            self._calm = Calm(folded.text[behind : self._seen], folded.text[self._seen :], self._passed - self._seen)

    def close(self) -> Released:
        """End the text; return all that still waited and may be passed on."""
        if self.is_refused:
            return Released(is_refused=True)
        if self._calm is not None:
            if self._is_over_calmly(self._calm):
                text, self._source = self._source, ""
                self._source_at += len(text)
                self._calm = Calm()
                return Released(text=text) if text else _NOTHING
            self._rouse(self._calm)
        self._take("", is_last=True)
        end = len(self._folded.text)
        return self._advance(end, end, is_last=True)

    def _take(self, delta: str, *, is_last: bool) -> None:
        """Read on: unescape, decode, fold, and read for words again from where one may begin."""
        self._source += delta
        known = len(self._folded.text)
        added = self._folded.grow(*self._reader.feed(delta, is_last=is_last))
        if not added and not is_last:
            return
        self._classes += classes_of(added)
        self._read_words(known, is_last=is_last)

    def _read_words(self, known: int, *, is_last: bool) -> None:
        waits = Waits(len(self._folded.text))
        reading = Reading(self._folded.text, self._unfinished, known, is_last, waits)
        if words := self._scanner.words_in(reading, self._classes, self._side):
            self._terms += (FoldedHit(word.rule, None, word.start, word.end) for word in dict.fromkeys(words))
        self._unfinished, self._unfinished_acting = waits.of(self._all), waits.of(self._acts)

    def _horizons(self) -> tuple[int, int]:
        """Return up to where findings are final, and up to where acting ones are."""
        end = len(self._folded.text)
        seen, passed = self._unfinished, self._unfinished_acting
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
        if place == len(starts):
            return place
        while 0 < place < len(starts) and starts[place] == starts[place - 1]:
            place -= 1
        return place

    def _advance(self, seen: int, passed: int, *, is_last: bool) -> Released:
        """Judge what became final, pass on what may leave, forget what is done."""
        until = self._folded.starts[passed] if passed < len(self._folded.text) else self._reader.read_to
        found = self._found(seen, passed)
        if not (found or self._tails):
            text = self._pass_on(until, [])
            self._forget(seen, passed)
            return Released(text=text) if text else _NOTHING
        reported = self._follow_tails(is_last)
        hits = sorted(self._final(found, seen, passed, is_last), key=lambda each: Resolver.order(each[0]))
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

    def _found(self, seen: int, passed: int) -> list[FoldedHit]:
        """Return the findings that may have become final."""
        found = self._terms
        if self._finders and (seen > self._seen or (self._has_acting_finders and passed > self._passed)):
            found = [*found, *self._scanner.personal_in(self._folded.text, self._side)]
        return found

    def _final(
        self, found: list[FoldedHit], seen: int, passed: int, is_last: bool
    ) -> Iterator[tuple[Hit, _Tail | None]]:
        """Yield the findings that became final, with what follows of those whose end is not yet seen."""
        for hit in found:
            is_acting_rule = hit.rule in self._acting
            done, now = (self._passed, passed) if is_acting_rule else (self._seen, seen)
            if done <= hit.start < now:
                yield self._judged(hit, is_last)

    def _judged(self, found: FoldedHit, is_last: bool) -> tuple[Hit, _Tail | None]:
        hit = as_hit(self._policy, self._stance, self._side, self._part, self._original(found))
        if is_last or not found.detector or not found.detector.tail:
            return hit, None
        end = found.detector.end_of_tail(self._folded.text, found.end)
        is_open = end == len(self._folded.text)
        return hit, _Tail(hit, found.detector, end) if is_open else None

    def _original(self, found: FoldedHit) -> RawHit:
        """Carry a finding back to the original text, with as much of its tail as is there."""
        end = found.detector.end_of_tail(self._folded.text, found.end) if found.detector else found.end
        name = found.detector.name if found.detector else KEYWORD
        return RawHit(found.rule, name, self._folded.starts[found.start], self._folded.ends[end - 1])

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
        self._resolver.forget(self._folded.starts[seen] if seen < len(self._folded.text) else self._reader.read_to)
        if self._terms:
            self._terms = [one for one in self._terms if one.start >= (passed if one.rule in self._acting else seen)]
        if drop < _MOST_DONE:
            return
        self._folded.drop(drop)
        self._classes = self._classes[drop:]
        self._unfinished, self._unfinished_acting = self._unfinished - drop, self._unfinished_acting - drop
        self._seen, self._passed = seen - drop, passed - drop
        self._terms = [FoldedHit(t.rule, t.detector, t.start - drop, t.end - drop) for t in self._terms]
        for tail in self._tails:
            tail.end -= drop
