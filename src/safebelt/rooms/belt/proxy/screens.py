"""Scanners at hand: one per policy and day, built once, shared by all exchanges; and what they do to whole texts."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from safebelt.rooms.belt.decide import RawHit, apply, hits_of, in_force, judge
from safebelt.rooms.belt.model import Action, Harness, Hit, Policy, Side, Stance, Verdict
from safebelt.rooms.belt.proxy.leaves import (
    Keys,
    are_plain_words,
    is_long_number,
    is_plain_choice,
    rewrite_choice,
    rewrite_words,
    strings_in,
)
from safebelt.rooms.belt.proxy.over import NOTHING, Over, found_over, in_choices, in_request, unspelled
from safebelt.rooms.belt.proxy.over import Text as Together
from safebelt.rooms.belt.scanner.detectors import DETECTORS
from safebelt.rooms.belt.scanner.engine import Scanner, mask_all
from safebelt.rooms.belt.scanner.messages import Part, path_of, read_request
from safebelt.rooms.belt.scanner.shelf import Shelf
from safebelt.rooms.belt.scanner.source import holds_text
from safebelt.rooms.belt.scanner.stream import StreamScreen

_SHORT = 64
"""Strings up to this length recur (roles, names of fields and models): what was found in them is kept."""
_MOST_VERDICTS = 256
"""Verdicts of nothing found that are kept: one a policy, stance and side."""
_FIELDS = "(fields)"
"""Part that findings outside the model's own speech name."""
_ORDINARY = re.compile(r"(?:[a-z_.()]|\[\d+\])*")
"""A path made of the interface's own names; any other holds names that a caller chose."""
_BLOB_FIELDS = frozenset({"url", "data", "file_data"})
_BLOB = re.compile(r"(?:data:[\w.+-]+/[\w.+-]+;base64,)?[A-Za-z0-9+/]{256,}={0,2}")
"""Pictures, sound and files in base64, but those that begin as a text: the reading names the part as not evaluated."""


class Screens:
    """Keeps the scanners of the policies in use.

    Args:
        shelf: Where what they compile is kept from one start to the next.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf
        self._scanners: dict[tuple[str, date], Scanner] = {}

    def of(self, policy: Policy, on: date) -> Scanner:
        """Return the scanner for what of a policy is in force on a day.  May be called from any thread."""
        scanner = self._scanners.get(key := (policy.digest, on))
        if scanner is None:
            scanner = Scanner(in_force(policy, on), shelf=self._shelf)
            self._scanners = {old: kept for old, kept in self._scanners.items() if old[1] == on} | {key: scanner}
        return scanner

    def knows(self, digest: str, on: date | None = None) -> bool:
        """Whether there is a scanner for a policy, of a day or of whatever day."""
        return any(policy == digest and on in (None, day) for policy, day in tuple(self._scanners))

    def has(self, scanner: Scanner) -> bool:
        """Whether a scanner is in use."""
        return any(one is scanner for one in self._scanners.values())

    def keep(self, policies: Iterable[Policy]) -> None:
        """Let go of every scanner but those of some policies: one of 10,000 words is tens of megabytes."""
        digests = {policy.digest for policy in policies}
        kept = {key: scanner for key, scanner in self._scanners.items() if key[0] in digests}
        if len(kept) < len(self._scanners):
            self._scanners = kept
            _find_short.cache_clear()
            masks_all_that_records_do.cache_clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A request after screening.

    Attributes:
        verdict: On the input.
        body: The request as it may go to the model.
        kept: Its texts by path, personal data masked whatever the policy: for the record.
        texts: The same as they came.
    """

    verdict: Verdict
    body: dict[str, Any]
    kept: dict[str, str]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """One string of a request, wherever it stands.

    Attributes:
        keys: The way to it; of a field's name, the way to the field.
        name: Unique, for people and records.
        is_field: It is the name of a field.
        is_message: The reading knows it as a text for the model.
    """

    keys: Keys
    name: str
    text: str
    is_json: bool
    is_field: bool
    is_message: bool


def screen_request(scanner: Scanner, harness: Harness, body: dict[str, Any]) -> Screened:
    """Judge a request, every string of it.

    Raises:
        RecursionError: It is nested too deeply.
    """
    reading = read_request(body)
    known = {part.keys: part.is_json for part in reading.parts}
    strings = strings_in(body)
    over = found_over(lambda text: scanner.scan(text, Side.INPUT), in_request(strings))
    if not reading.not_evaluated and not over and _is_clean_request(scanner, strings, known):
        return _unchanged(scanner, harness, body, reading.parts)
    texts = list(_named(strings, known))
    read = ((text, _find(scanner, Side.INPUT, text.text, is_json=text.is_json)) for text in texts)
    found = {text.name: hits for text, own in read if (hits := [*own, *over.get(text.keys, ())])}
    not_evaluated = tuple(map(_nameless, reading.not_evaluated))
    verdict = judge(scanner.policy, harness.stance, Side.INPUT, found, not_evaluated)
    by_part: dict[str, list[Hit]] = {}
    for hit in verdict.hits:
        by_part.setdefault(hit.part, []).append(hit)
    acting = {hit.part for hit in verdict.hits if hit.done.weight >= Action.MASK.weight}
    changed = {
        (text.keys, text.is_field): apply(text.text, by_part[text.name], as_json=text.is_json)[0]
        for text in texts
        if text.name in acting
    }
    told = [text for text in texts if text.is_message or text.name in by_part]
    return Screened(
        verdict=verdict,
        body=_rebuilt(body, (), changed) if changed else body,
        kept={
            text.name: mask_all(unspelled(text.text, over.get(text.keys, ())), as_json=text.is_json) for text in told
        },
        texts={text.name: text.text for text in told},
    )


def _is_clean_request(scanner: Scanner, strings: Iterable[tuple[Keys, str, bool]], known: Mapping[Keys, bool]) -> bool:
    """Whether nothing is found in any string: most requests, and then none needs a name."""
    for keys, text, is_field in strings:
        if _is_read(keys, text) and _find(scanner, Side.INPUT, text, is_json=not is_field and known.get(keys, False)):
            return False
    return True


def _unchanged(scanner: Scanner, harness: Harness, body: dict[str, Any], parts: Sequence[Part]) -> Screened:
    """Return a request in which nothing was found."""
    texts: dict[str, str] = {}
    kept = texts if masks_all_that_records_do(scanner, Side.INPUT) else dict[str, str]()
    for part in parts:
        name = written = _nameless(path_of(part.keys))
        while name in texts:
            name = f"{written} ({len(texts)})"
        texts[name] = part.text
        if kept is not texts:
            kept[name] = mask_all(part.text, as_json=part.is_json)
    verdict = nothing_found(scanner.policy, harness.stance, Side.INPUT)
    return Screened(verdict=verdict, body=body, kept=kept, texts=texts)


@lru_cache(maxsize=8)  # few, because a scanner is large
def masks_all_that_records_do(scanner: Scanner, side: Side) -> bool:
    """Whether a policy looks for everything that records mask: then what it finds nothing in needs no second look."""
    looked_for = {finder.detector.name for finder in scanner.finders(side)}
    return all(name in looked_for for name, detector in DETECTORS.items() if detector.is_masked_in_records)


_NOTHING: dict[tuple[str, str, int, Stance, Side], Verdict] = {}


def nothing_found(policy: Policy, stance: Stance, side: Side) -> Verdict:
    """Return the verdict where nothing was found and all was read: always the same one, so it is kept."""
    key = (policy.digest, policy.id, policy.version, stance, side)
    verdict = _NOTHING.get(key)
    if verdict is None:
        if len(_NOTHING) >= _MOST_VERDICTS:
            _NOTHING.clear()
        verdict = _NOTHING[key] = judge(policy, stance, side, {})
    return verdict


def _is_read(keys: Keys, text: str) -> bool:
    """Whether a string is looked at: it is not empty, and no picture or sound in base64."""
    return bool(text) and not (keys[-1] in _BLOB_FIELDS and _BLOB.fullmatch(text) and not holds_text(text))


def _named(strings: Iterable[tuple[Keys, str, bool]], known: Mapping[Keys, bool]) -> Iterator[_Text]:
    """Give each text a name of its own: two ways may be written as one path, and one must not hide the other."""
    names: set[str] = set()
    for keys, text, is_field in strings:
        if not _is_read(keys, text):
            continue
        is_message = not is_field and keys in known
        name = written = _nameless(path_of(keys)) + (" (name)" if is_field else "")
        while name in names:
            name = f"{written} ({len(names)})"
        names.add(name)
        is_json = is_message and known[keys]
        yield _Text(keys=keys, name=name, text=text, is_json=is_json, is_field=is_field, is_message=is_message)


def _rebuilt(node: Any, keys: Keys, changed: Mapping[tuple[Keys, bool], str]) -> Any:
    match node:
        case str():
            return changed.get((keys, False), node)
        case dict():
            return {
                changed.get(((*keys, name), True), name): _rebuilt(value, (*keys, name), changed)
                for name, value in node.items()
            }
        case list():
            return [_rebuilt(item, (*keys, at), changed) for at, item in enumerate(node)]
    return changed.get((keys, False), node) if is_long_number(node) else node


def _nameless(path: str) -> str:
    """Return a path that may be kept in a record: names of fields are the caller's own words."""
    return path if _ORDINARY.fullmatch(path) else mask_all(path)


def _find(scanner: Scanner, side: Side, text: str, *, is_json: bool = False) -> Sequence[RawHit]:
    if is_json or len(text) > _SHORT:
        return scanner.scan(text, side, as_json=is_json)
    return _find_short(scanner, side, text)


@lru_cache(maxsize=4096)
def _find_short(scanner: Scanner, side: Side, text: str) -> tuple[RawHit, ...]:
    return tuple(scanner.scan(text, side))


class Words:
    """Judges the strings of one answer that are not the model's speech, each by itself.

    Attributes:
        hits: Findings.
        is_refused: A refusing rule acted.
    """

    def __init__(self, scanner: Scanner, harness: Harness) -> None:
        self._scanner, self._harness = scanner, harness
        self._judged: dict[str, str] = {}
        self.hits: list[Hit] = []
        self.is_refused = False

    def __call__(self, text: str) -> str:
        """Return what of a string may be passed on."""
        if not text:
            return text
        judged = self._judged.get(text)
        if judged is None:
            judged = self._judge(text)
            if len(text) <= _SHORT and len(self._judged) < 256:  # a stream says the same in every chunk
                self._judged[text] = judged
        return judged

    def with_over(self, text: str, over: Sequence[RawHit]) -> str:
        """Return what of a string may be passed on in which a part of something stands: see `over`."""
        return self._judge(text, over)

    def _judge(self, text: str, over: Sequence[RawHit] = ()) -> str:
        found = [*_find(self._scanner, Side.OUTPUT, text), *over]
        if not found:
            return text
        hits = hits_of(self._scanner.policy, self._harness.stance, Side.OUTPUT, _FIELDS, found)
        self.hits += hits
        passed, refused = apply(text, hits)
        self.is_refused |= refused
        return passed


class WholeAnswer:
    """Screens an answer that came in one piece, exactly as its stream would have been.

    Attributes:
        said: What the model said, by path, with whether it is JSON source: only for masking into the record.
        is_clean: It was screened whole and nothing was found.
    """

    def __init__(self, scanner: Scanner, harness: Harness, *, is_json: bool) -> None:
        self._scanner, self._harness, self._is_json = scanner, harness, is_json
        self._hits: list[Hit] = []
        self._words = Words(scanner, harness)
        self._across = NOTHING
        self.said: dict[str, tuple[str, bool]] = {}
        self._is_refused = self.is_clean = False

    @property
    def hits(self) -> list[Hit]:
        """Findings so far."""
        return [*self._hits, *self._words.hits]

    def screen(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body as it may leave; a choice in which a rule refused ends where the finding begins.

        Raises:
            RecursionError: It is nested too deeply.
        """
        choices = body.get("choices")
        self._across = self._found_across(in_choices(choices) if isinstance(choices, list) else ())
        self.is_clean = not self._across and self._is_clean(body)
        if self.is_clean:
            return dict(body)
        self.said.clear()
        if not isinstance(choices, list):
            return dict(rewrite_words(body, self._words))
        frame = rewrite_words({key: value for key, value in body.items() if key != "choices"}, self._words)
        return {**frame, "choices": [self._choice(choice, at) for at, choice in enumerate(choices)]}

    def _found_across(self, lists: Iterable[Sequence[Together]]) -> Over:
        return found_over(lambda text: self._scanner.scan(text, Side.OUTPUT), lists)

    @staticmethod
    def _path(keys: Keys) -> str:
        return path_in_choices(keys)

    def _is_clean(self, body: dict[str, Any]) -> bool:
        """Whether nothing is found anywhere: most answers, which then pass without being built anew."""
        choices = body.get("choices")
        if not isinstance(choices, list):
            return are_plain_words(body, self._passes)
        frame = {key: value for key, value in body.items() if key != "choices"}
        return are_plain_words(frame, self._passes) and all(
            is_plain_choice(choice, at, self._passes_as_speech, self._passes) if isinstance(choice, dict) else False
            for at, choice in enumerate(choices)
        )

    def _passes(self, text: str) -> bool:
        return not text or not _find(self._scanner, Side.OUTPUT, text)

    def _passes_as_speech(self, keys: Keys, text: str, is_json: bool) -> bool:
        path = path_in_choices(keys)
        as_json = is_json or (self._is_json and path.endswith((".content", ".text")))
        self.said[path] = text, as_json
        return not self._scanner.scan(text, Side.OUTPUT, as_json=as_json)

    def _choice(self, choice: Any, at: int) -> Any:
        if not isinstance(choice, dict):
            return rewrite_words(choice, self._words)
        self._is_refused = False
        screened = rewrite_choice(choice, at, self._speech, self._words)
        return {**screened, "finish_reason": "content_filter"} if self._is_refused else screened

    def _speech(self, keys: Keys, text: str, is_json: bool) -> str:
        if self._is_refused:
            return ""
        path = self._path(keys)
        as_json = is_json or (self._is_json and path.endswith((".content", ".text")))
        over = self._across.get(keys, ())
        self.said[path] = unspelled(text, over) if over else text, as_json
        found = [*self._scanner.scan(text, Side.OUTPUT, as_json=as_json), *over]
        hits = hits_of(self._scanner.policy, self._harness.stance, Side.OUTPUT, path, found)
        self._hits += hits
        passed, refused = apply(text, hits, as_json=as_json)
        self._is_refused |= refused
        return passed


class ChannelOpener:
    """Makes a `StreamScreen` for each channel of one answer."""

    def __init__(self, scanner: Scanner, harness: Harness, *, is_json: bool) -> None:
        self._scanner, self._harness, self._is_json = scanner, harness, is_json
        self.words = Words(scanner, harness)

    def __call__(self, path: str, is_json: bool) -> tuple[StreamScreen, bool]:
        """Return a screen for the channel at `path`, and whether its text is JSON source."""
        as_json = is_json or (self._is_json and path.endswith((".content", ".text")))
        return StreamScreen(self._scanner, self._harness.stance, Side.OUTPUT, path, as_json=as_json), as_json


@lru_cache(maxsize=4096)
def plain_path(keys: Keys) -> str:
    """Return the path of a text, fit for a record."""
    return _nameless(path_of(keys))


@lru_cache(maxsize=4096)
def path_in_choices(keys: Keys) -> str:
    """Return the path of a text of speech, fit for a record."""
    return _nameless(path_of(("choices", *keys)))
