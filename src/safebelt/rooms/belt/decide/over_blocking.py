"""What counts of hits on benign texts come to: shares with an honest interval, list by list.  Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt

from safebelt.rooms.belt.model import Action, Hit, Policy, Rule
from safebelt.rooms.belt.model.over_blocking import Example, ListHits, Share

Z_95 = 1.959963984540054
"""Of the standard normal distribution, two-sided 95 %."""
MAX_EXAMPLES = 5
"""Places kept for each rule: enough to see what it is that it hits."""
STOPS = frozenset({Action.MASK, Action.REFUSE})
"""What changes a benign text, or turns it away."""


def share(hits: int, of: int) -> Share:
    """Return a share with Wilson's score interval: none of 250 is *at most 1.5 %*, never *0 %*.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927);
    recommended for all counts by Brown, Cai and DasGupta, Statistical Science 16 (2001).
    """
    if not of:
        return Share(hits=0, of=0, rate=0.0, low=0.0, high=1.0)
    rate, square = hits / of, Z_95 * Z_95
    middle = rate + square / (2 * of)
    spread = Z_95 * sqrt(rate * (1 - rate) / of + square / (4 * of * of))
    low, high = ((middle - spread) / (1 + square / of), (middle + spread) / (1 + square / of))
    return Share(hits=hits, of=of, rate=rate, low=low if hits else 0.0, high=high if hits < of else 1.0)


class HitTally:
    """Counts texts, rule by rule.

    Args:
        policy: Whose rules.
        unread: Rules that cannot be asked here: *not evaluated*.
    """

    def __init__(self, policy: Policy, unread: frozenset[str] = frozenset()) -> None:
        self._rules, self._unread = {rule.id: rule for rule in policy.rules}, unread
        self._texts = self._hit = self._refused = 0
        self._stopped: Counter[str] = Counter()
        self._by_rule: dict[str, Counter[str]] = {rule.id: Counter() for rule in policy.rules}
        self._examples: dict[str, list[Example]] = {rule.id: [] for rule in policy.rules}

    @property
    def texts(self) -> int:
        """How many were counted."""
        return self._texts

    def add(self, corpus: str, number: int, found: Iterable[Hit]) -> None:
        """Count one text; of each rule its first finding is where it hit."""
        firsts: dict[str, Hit] = {}
        for hit in found:
            firsts.setdefault(hit.rule, hit)
        actions = {self._rules[rule].action for rule in firsts}
        self._texts += 1
        self._hit += bool(firsts)
        self._stopped[corpus] += bool(actions & STOPS)
        self._refused += Action.REFUSE in actions
        for rule, hit in firsts.items():
            self._by_rule[rule][corpus] += 1
            if len(self._examples[rule]) < MAX_EXAMPLES:
                place = Example(corpus=corpus, number=number, start=hit.start, end=hit.end, detector=hit.detector)
                self._examples[rule].append(place)

    def shares(self) -> tuple[Share, Share, Share]:
        """Return how many any rule hit, how many would have been masked or refused, and how many refused."""
        hit, stopped, refused = (
            share(count, self._texts) for count in (self._hit, self._stopped.total(), self._refused)
        )
        return hit, stopped, refused

    def stopped(self) -> dict[str, int]:
        """Return how many would have been masked or refused, by corpus."""
        return dict(self._stopped)

    def rules(self) -> tuple[ListHits, ...]:
        """Return every rule, most texts first; what was not evaluated last."""
        found = [self._of(rule) for rule in self._rules.values()]
        return tuple(sorted(found, key=lambda one: -1 if one.share is None else one.share.hits, reverse=True))

    def _of(self, rule: Rule) -> ListHits:
        counts: Mapping[str, int] = self._by_rule[rule.id]
        return ListHits(
            rule=rule.id,
            title=rule.title,
            action=rule.action,
            is_red_line=rule.is_red_line,
            file=rule.terms_file.file if rule.terms_file else "",
            terms=len(rule.terms),
            detectors=rule.detectors,
            share=None if rule.id in self._unread else share(sum(counts.values()), self._texts),
            corpora=dict(counts),
            examples=tuple(self._examples[rule.id]),
        )
