"""How often a policy hits what should pass: over-blocking, rule by rule, on texts that somebody vouches are benign."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from safebelt.rooms.belt.decide import hits_of
from safebelt.rooms.belt.model import Policy, Side, Stance
from safebelt.rooms.belt.scanner import Scanner

MAX_EXAMPLES = 5
"""Numbers of texts shown for each rule: enough to look them up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenignHits:
    """What a rule hit among benign texts.

    Attributes:
        rule: Its id.
        action: What it would have done.
        texts: In how many texts it hit, on either side it reads.
        examples: Numbers of some of them, from 1.
    """

    rule: str
    action: str
    texts: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benign:
    """What a policy did to benign texts.

    Attributes:
        texts: How many there were.
        hit: How many any rule hit.
        stopped: How many it would have masked or refused.
        rules: Every rule, most texts first.
    """

    texts: int
    hit: int
    stopped: int
    rules: tuple[BenignHits, ...]


def measure_benign(policy: Policy, texts: Iterable[str]) -> Benign:
    """Count, rule by rule, in how many benign texts a policy finds something; each text is tried on both sides."""
    scanner, actions = Scanner(policy), {rule.id: rule.action for rule in policy.rules}
    counts, examples = Counter[str](), dict[str, list[int]]()
    total = hit = stopped = 0
    for total, text in enumerate(texts, start=1):
        found = {
            each.rule
            for side in Side
            for each in hits_of(policy, Stance.ENFORCE, side, "text", scanner.scan(text, side))
        }
        hit += bool(found)
        stopped += any(actions[rule].value in {"mask", "refuse"} for rule in found)
        for rule in found:
            counts[rule] += 1
            if len(examples.setdefault(rule, [])) < MAX_EXAMPLES:
                examples[rule].append(total)
    rules = [
        BenignHits(rule=rule, action=action.value, texts=counts[rule], examples=tuple(examples.get(rule, ())))
        for rule, action in actions.items()
    ]
    return Benign(texts=total, hit=hit, stopped=stopped, rules=tuple(sorted(rules, key=lambda one: -one.texts)))
