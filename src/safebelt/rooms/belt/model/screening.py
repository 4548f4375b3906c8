"""Words of screening: rules, findings and verdicts, and what the traffic side holds in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model.admission import Admits
from safebelt.rooms.belt.model.agents import ToolPolicy
from safebelt.rooms.belt.model.basis import Basis
from safebelt.rooms.belt.model.keys import Key
from safebelt.rooms.belt.model.strikes import Standing, StrikeRule
from safebelt.rooms.belt.model.unguarded import Unguarded


class Action(StrEnum):
    """What a rule does with what it finds, mildest first."""

    ALLOW = "allow"
    FLAG = "flag"
    MASK = "mask"
    REFUSE = "refuse"

    @property
    def weight(self) -> int:
        """Place in the order of severity, for taking the strictest of several."""
        return _WEIGHTS[self]


_WEIGHTS = {action: place for place, action in enumerate(Action)}


class Stance(StrEnum):
    """Whether a policy acts (`enforce`) or only records what it would have done (`observe`)."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class RecordMode(StrEnum):
    """How durable a record must be before an answer leaves (invariant 6).

    Attributes:
        STRICT: On disk.
        PROMPT: With the operating system, and on disk within 10 ms.
        OFF: There is none.
    """

    STRICT = "strict"
    PROMPT = "prompt"
    OFF = "off"


class ContentMode(StrEnum):
    """What a record keeps of the texts of an exchange.

    Attributes:
        MASKED: The texts, personal data masked.
        DIGEST: Of each masked text a salted digest and its length: a text shown later can be held against it.
        SEALED: The masked texts, and beside them the originals, sealed to an auditor's public key (ADR 0039).
    """

    MASKED = "masked"
    DIGEST = "digest"
    SEALED = "sealed"


class Side(StrEnum):
    """Which way a text travels: to the model or from it."""

    INPUT = "input"
    OUTPUT = "output"


class RuleKind(StrEnum):
    """What a rule looks for."""

    KEYWORDS = "keywords"
    PERSONAL = "personal"
    INJECTION = "injection"


class NoticeMode(StrEnum):
    """Where people are told that AI made it.

    `end`: plain text answers end with a notice, and pictures, speech and films carry those marks in what is seen and
    heard that the law asks of their system.  `text`: only texts have a notice; pictures, speech and films carry a
    watermark where the law asks for one, and no notice.  `off`: neither.  Label and manifest are put whatever this is.
    """

    OFF = "off"
    TEXT = "text"
    END = "end"


class OnSilence(StrEnum):
    """What becomes of a request on which a classifier has not answered in time."""

    PASS = "pass"  # noqa: S105  no password
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """A trained model that a rule asks besides, or instead of, words.

    Attributes:
        model: Which; see `scanner/guardian.py`.
        at_least: Probability of an attack from which on the rule hits.
        within_ms: How long a request waits for its answer.
        on_silence: What becomes of the request where none came; either way its record says so.
    """

    model: str
    at_least: float
    within_ms: int
    on_silence: OnSilence


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsFile:
    """The word list that a rule's terms were read from.

    Attributes:
        file: Its name in the policy's folder.
        category: Which of its rows; empty for all.
        sha256: Of the whole file, hex.
        terms: How many terms of the rule are its.
    """

    file: str
    category: str
    sha256: str
    terms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a screening policy.

    Attributes:
        id: Unique in its policy, for example `personal.cn_id`.
        kind: What it looks for.
        title: The class of rule, as the user is told it.
        sides: Which way the texts it reads travel.
        action: What it does in `enforce`.
        is_red_line: Whether it acts in `observe` too.
        terms: Words and phrases, for keywords and injection.
        detectors: Names of personal-data detectors.
        terms_file: The list that some of the terms were read from.
        classifier: The trained model it asks; None for none.
        basis: What it rests on.
        advice: What a person in need is told besides, for example where to find help.
    """

    id: str
    kind: RuleKind
    title: Text
    sides: frozenset[Side]
    action: Action
    is_red_line: bool = False
    terms: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    terms_file: TermsFile | None = None
    classifier: Classifier | None = None
    basis: Basis | None = None
    advice: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A versioned set of rules.

    Attributes:
        digest: SHA-256 of its canonical content, hex.
        tools: What agents may do with tools.
        notice: What ends plain answers besides the notice that AI made them.
        strikes: When refused requests come to a strike; None for never.
        unguarded: What passes without being screened.
    """

    id: str
    version: int
    title: Text
    appeal: Text
    rules: tuple[Rule, ...]
    digest: str
    tools: ToolPolicy | None = None
    notice: Text | None = None
    strikes: StrikeRule | None = None
    unguarded: tuple[Unguarded, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One finding.

    Attributes:
        rule: Id of the rule.
        detector: Which detector found it (`cn_id`, `keyword`, …).
        side: Input or output.
        part: Where, as a path into the message: `messages[1].content`, `choices[0]`.
        start, end: Character offsets in that part's original text.
        would: What the policy asks for.
        done: What was done: `would`, or `flag` where the stance is *observe* and the rule is no red line.
    """

    rule: str
    detector: str
    side: Side
    part: str
    start: int
    end: int
    would: Action
    done: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What screening came to.

    Attributes:
        done: The strictest action taken.
        would: The strictest action the policy asks for.
        hits: All findings.
        not_evaluated: Parts that no rule could read (images, token arrays): a verdict of their own.
        reason: Why.
    """

    done: Action
    would: Action
    hits: tuple[Hit, ...]
    not_evaluated: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """How the belt sits on one system.

    Attributes:
        system_id: The system in the registry.
        policy: Id of the screening policy.
        stance: Observe or enforce.
        record_mode: See `RecordMode`.
        notice: See `NoticeMode`.
        content: What its records keep of texts, see `ContentMode`.
        recipients: For whom originals are sealed: `age1…` or `ssh-ed25519 …`.
        content_days: How many days its records keep texts at most; 0 for as long as the records are there.
        version: For optimistic locking.
    """

    system_id: str
    policy: str
    stance: Stance
    record_mode: RecordMode = RecordMode.STRICT
    notice: NoticeMode = NoticeMode.END
    content: ContentMode = ContentMode.MASKED
    recipients: tuple[str, ...] = ()
    content_days: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All the traffic side needs, held in memory and swapped whole.

    Attributes:
        keys: SHA-256 hex of the key → key.
        harnesses: System id → harness.
        policies: Policy id → policy.
        providers: System id → unified social credit code of its provider, where that bears one.
        admission: The rules of admission in force; None where the house has none, which lets every key in.
        strikes: Key id → how it stands, where it has strikes.
    """

    keys: Mapping[str, Key] = field(default_factory=dict)
    harnesses: Mapping[str, Harness] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict)
    admission: Admits | None = None
    strikes: Mapping[str, Standing] = field(default_factory=dict)
