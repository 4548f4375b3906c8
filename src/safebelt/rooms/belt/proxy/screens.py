"""Scanners at hand: one per policy and day, built once, shared by all exchanges."""

from datetime import date
from typing import Any

from safebelt.rooms.belt.decide import apply, hits_of, in_force, judge
from safebelt.rooms.belt.model import Harness, Hit, Policy, Side, Verdict
from safebelt.rooms.belt.proxy.leaves import rewrite_choice
from safebelt.rooms.belt.scanner.engine import Scanner, mask_all
from safebelt.rooms.belt.scanner.messages import read_request, rewrite
from safebelt.rooms.belt.scanner.stream import StreamScreen


class Screens:
    """Keeps the scanners of the policies in use."""

    def __init__(self) -> None:
        self._scanners: dict[tuple[str, date], Scanner] = {}

    def of(self, policy: Policy, on: date) -> Scanner:
        """Return the scanner for what of a policy is in force on a day."""
        key = (policy.digest, on)
        if key not in self._scanners:
            stale = [old for old in self._scanners if old[1] != on]
            for old in stale:
                del self._scanners[old]
            self._scanners[key] = Scanner(in_force(policy, on))
        return self._scanners[key]


def screen_request(scanner: Scanner, harness: Harness, body: dict[str, Any]) -> tuple[Verdict, dict[str, Any]]:
    """Judge a request; return the verdict and the body as it may go to the model."""
    reading = read_request(body)
    found = {part.path: scanner.scan(part.text, Side.INPUT, as_json=part.is_json) for part in reading.parts}
    verdict = judge(scanner.policy, harness.stance, Side.INPUT, found, reading.not_evaluated)
    by_part = {part.path: [hit for hit in verdict.hits if hit.part == part.path] for part in reading.parts}
    texts = [(part, apply(part.text, by_part[part.path], as_json=part.is_json)[0]) for part in reading.parts]
    return verdict, rewrite(body, texts)


def masked_request(body: dict[str, Any]) -> dict[str, str]:
    """Return the request's texts by path with all personal data masked, whatever the policy: for the record."""
    return {part.path: mask_all(part.text, as_json=part.is_json) for part in read_request(body).parts}


class WholeAnswer:
    """Screens an answer that came in one piece, exactly as its stream would have been.

    Attributes:
        hits: Findings.
        said: What the model said, by path, unmasked: only for masking into the record.
    """

    def __init__(self, scanner: Scanner, harness: Harness, *, is_json: bool) -> None:
        self._scanner, self._harness, self._is_json = scanner, harness, is_json
        self.hits: list[Hit] = []
        self.said: dict[str, str] = {}
        self._is_refused = False

    def screen(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body as it may leave; a choice in which a rule refused ends where the finding begins."""
        choices = body.get("choices")
        if not isinstance(choices, list):
            return body
        return {**body, "choices": [self._choice(choice, at) for at, choice in enumerate(choices)]}

    def _choice(self, choice: Any, at: int) -> Any:
        if not isinstance(choice, dict):
            return choice
        self._is_refused = False
        screened = rewrite_choice(choice, at, self._leaf)
        return {**screened, "finish_reason": "content_filter"} if self._is_refused else screened

    def _leaf(self, path: str, text: str, is_json: bool) -> str:
        if self._is_refused:
            return ""
        as_json = is_json or (self._is_json and path.endswith((".content", ".text")))
        self.said[path] = text
        found = self._scanner.scan(text, Side.OUTPUT, as_json=as_json)
        hits = hits_of(self._scanner.policy, self._harness.stance, Side.OUTPUT, path, found)
        self.hits += hits
        passed, refused = apply(text, hits, as_json=as_json)
        self._is_refused |= refused
        return passed


class ChannelOpener:
    """Makes a `StreamScreen` for each channel of one answer."""

    def __init__(self, scanner: Scanner, harness: Harness, *, is_json: bool) -> None:
        self._scanner, self._harness, self._is_json = scanner, harness, is_json

    def __call__(self, path: str, is_json: bool) -> StreamScreen:
        """Return a screen for the channel at `path`."""
        as_json = is_json or (self._is_json and path.endswith((".content", ".text")))
        return StreamScreen(self._scanner, self._harness.stance, Side.OUTPUT, path, as_json=as_json)
