"""Judgments of a replay: what of a kept text can still be read, and what changes from one policy to another.

Records keep texts with personal data masked.  A placeholder says which detector found something there, so that rules
on personal data are judged by it; what else stood there nobody can tell.  Old and new policy are held against the same
kept text, so that a difference is one of policies and never of masking.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from safebelt.rooms.belt.decide.masking import MASKED, PLACEHOLDERS
from safebelt.rooms.belt.decide.screening import strictest
from safebelt.rooms.belt.model import Action, Policy, Rule, RuleDifference, Side

MAX_EXAMPLES = 5
"""Ids shown of each kind: enough to look at, and no list of people's exchanges."""
_HIDDEN = "\u25a1"
"""Stands where something was masked while a text is searched: a placeholder's own words are nobody's."""

_DETECTORS_OF: dict[str, frozenset[str]] = {
    shown: frozenset(name for name, other in PLACEHOLDERS.items() if other == shown)
    for shown in set(PLACEHOLDERS.values())
}
_PLACEHOLDER = re.compile("|".join(map(re.escape, sorted({*_DETECTORS_OF, MASKED}, key=len, reverse=True))))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptText:
    """A kept text as far as it can be read.

    Attributes:
        visible: The text, with a neutral sign where something was masked.
        masked: For each placeholder, the detectors that it may stand for; empty for one that names none.
    """

    visible: str
    masked: tuple[frozenset[str], ...]


def kept_text(text: str) -> KeptText:
    """Take the placeholders out of a kept text."""
    masked = tuple(_DETECTORS_OF.get(found, frozenset()) for found in _PLACEHOLDER.findall(text))
    return KeptText(visible=_PLACEHOLDER.sub(_HIDDEN, text), masked=masked)


def has_masked(text: str) -> bool:
    """Whether something in a kept text was masked."""
    return _PLACEHOLDER.search(text) is not None


def masked_hits(policy: Policy, side: Side, text: KeptText) -> set[str]:
    """Return the rules that hit what was masked: every detector that the placeholder may stand for is theirs."""
    return {
        rule.id
        for rule in policy.rules
        if side in rule.sides
        for detectors in text.masked
        if detectors and detectors <= set(rule.detectors)
    }


def changed_rules(old: Policy, new: Policy) -> set[str]:
    """Return the ids of the rules that are not the same in both."""
    before, after = ({rule.id: replace(rule, terms_file=None) for rule in policy.rules} for policy in (old, new))
    return {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}


def is_hidden_from(rule: Rule, side: Side, text: KeptText) -> bool:
    """Whether what a rule looks for may stand where something was masked."""
    if side not in rule.sides or not text.masked:
        return False
    return bool(rule.terms) or any(not detectors or detectors & set(rule.detectors) for detectors in text.masked)


@dataclass(slots=True)
class Tally:
    """Counts what changes, exchange by exchange."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    not_evaluated: Counter[str] = field(default_factory=Counter)
    examples_not: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def compare(self, record_id: str, old: Mapping[str, Action], new: Mapping[str, Action]) -> None:
        """Count one exchange.

        Args:
            record_id: Its id.
            old: Rule → action, of the rules that hit by the policy that judged it.
            new: The same by the policy that is replayed.
        """
        self.before[strictest(old.values()).value] += 1
        self.after[strictest(new.values()).value] += 1
        for rule in sorted(old.keys() | new.keys()):
            if kind := _kind(old.get(rule), new.get(rule)):
                self._kinds[rule][kind] += 1
                remember(self._examples[rule], record_id)

    def leave(self, record_id: str, reasons: Iterable[str]) -> None:
        """Count one exchange that could not be evaluated, or not wholly."""
        for reason in reasons:
            self.not_evaluated[reason] += 1
            remember(self.examples_not[reason], record_id)

    def differences(self, rules: Mapping[str, Rule]) -> tuple[RuleDifference, ...]:
        """Return what changes, rule by rule.

        Args:
            rules: Of the policy that is replayed, by id; one that it no longer has rests on nothing and has no terms.
        """
        return tuple(
            _difference(id_, kinds, tuple(self._examples[id_]), rules.get(id_))
            for id_, kinds in sorted(self._kinds.items())
        )


def _difference(id_: str, kinds: Mapping[str, int], examples: tuple[str, ...], rule: Rule | None) -> RuleDifference:
    basis = rule.basis if rule else None
    return RuleDifference(
        rule=id_,
        **kinds,
        examples=examples,
        terms=len(rule.terms) if rule else 0,
        basis=basis.provision if basis else "",
    )


def _kind(old: Action | None, new: Action | None) -> str:
    if old is new:
        return ""
    if old is None:
        return "newly"
    return "no_longer" if new is None else "changed"


def remember(examples: list[str], record_id: str) -> None:
    """Keep an id as an example, while there are few."""
    if len(examples) < MAX_EXAMPLES:
        examples.append(record_id)
