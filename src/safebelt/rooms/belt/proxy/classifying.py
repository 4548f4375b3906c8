"""The stage beyond words: a trained model judges what comes in, where a rule of the policy asks for one.

It is asked off the event loop, with a limit on its time; where it does not answer, the policy says whether the request
passes or is refused, and the record says so either way.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from safebelt.rooms.belt.decide import RawHit, joined, judge
from safebelt.rooms.belt.model import Action, Harness, OnSilence, Policy, Rule, Side, Stance
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.screens import Screened

Classify = Callable[[Sequence[str], float], Awaitable[list[float] | None]]
"""`(texts, seconds)` → how probable it is that each attacks the model; None where there is no answer in time."""
DETECTOR = "classifier"
"""Name under which a classifier's finding stands in records."""


async def nobody_classifies(_texts: Sequence[str], _within_seconds: float) -> None:
    """Answer nothing: there is no classifier."""
    return


def asks_classifier(policy: Policy) -> bool:
    """Whether a rule of the policy asks a trained model."""
    return any(rule.classifier is not None for rule in policy.rules)


async def classified(
    classify: Classify, policy: Policy, harness: Harness, screened: Screened, more: Mapping[str, str] | None = None
) -> tuple[Screened, errors.BeltError | None]:
    """Return a request as the classifier's rules judge it too, and why it is refused where silence refuses it.

    Args:
        classify: Asks the model.
        policy: The policy in force.
        harness: How the belt sits on the system.
        screened: The request after the scanner; one that is refused already is not put before the model.
        more: Further texts for the model by name, besides those of its messages.
    """
    rules = [rule for rule in policy.rules if rule.classifier is not None]
    texts = {name: text for name, text in {**screened.texts, **(more or {})}.items() if text.strip()}
    if not rules or not texts or screened.verdict.done is Action.REFUSE:
        return screened, None
    within_ms = min(rule.classifier.within_ms for rule in rules if rule.classifier)
    scores = await classify(list(texts.values()), within_ms / 1000)
    if scores is None:
        return _silent(policy, harness, screened, rules)
    found = {name: _hits(rules, text, score) for (name, text), score in zip(texts.items(), scores, strict=True)}
    verdict = judge(policy, harness.stance, Side.INPUT, {name: hits for name, hits in found.items() if hits})
    return (replace(screened, verdict=joined(screened.verdict, verdict)) if verdict.hits else screened), None


def _hits(rules: Sequence[Rule], text: str, score: float) -> list[RawHit]:
    return [
        RawHit(rule.id, DETECTOR, 0, len(text))
        for rule in rules
        if rule.classifier is not None and score >= rule.classifier.at_least
    ]


def _silent(
    policy: Policy, harness: Harness, screened: Screened, rules: Sequence[Rule]
) -> tuple[Screened, errors.BeltError | None]:
    unread = tuple(f"({DETECTOR} {rule.id})" for rule in rules)
    verdict = judge(policy, harness.stance, Side.INPUT, {}, unread)
    refuses = any(rule.classifier is not None and rule.classifier.on_silence is OnSilence.REFUSE for rule in rules)
    error = errors.UNCLASSIFIED if refuses and harness.stance is Stance.ENFORCE else None
    return replace(screened, verdict=joined(screened.verdict, verdict)), error
