"""Words of over-blocking: how often what should pass is hit, list by list, and on which texts that was tried."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model.screening import Action


class OverBlockingState(StrEnum):
    """How far the measurement of a policy's version is."""

    NOT_EVALUATED = "not_evaluated"
    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    MEASURED = "measured"


class Outdated(StrEnum):
    """Why a measurement that there is should be made again."""

    TEXTS = "texts"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Benign texts that somebody vouches for.

    Attributes:
        name: The file's, without its ending.
        title: What they are.
        language: Of the texts; empty where nobody says.
        licence: SPDX identifier; empty for texts of the house, which are nobody else's.
        source, cite: Where they come from.
        sha256: Of the file as it was read.
        texts: How many.
    """

    name: str
    title: Text
    sha256: str
    texts: int
    language: str = ""
    licence: str = ""
    source: str = ""
    cite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A count, the share it is, and how sure that is for texts of this kind.

    Attributes:
        hits, of: So many of so many.
        rate: The share.
        low, high: Ends of the 95 % score interval.
    """

    hits: int
    of: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Where a rule hit: a place, never a text.

    Attributes:
        corpus: In which texts.
        number: Which of them, from one.
        start, end: From and to which character.
        detector: What found it.
    """

    corpus: str
    number: int
    start: int
    end: int
    detector: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHits:
    """What one rule, with its list, hit among benign texts.

    Attributes:
        rule: Its id.
        title: The class of rule.
        action: What it would have done.
        is_red_line: Whether it acts while the policy only observes.
        file: Its word list's file; empty where it has none.
        terms, detectors: How many words, and which detectors, it looks for.
        share: In how many texts it hit, on either side it reads; null where it was not evaluated.
        corpora: The same by corpus.
        examples: Some places.
    """

    rule: str
    title: Text
    action: Action
    is_red_line: bool
    file: str
    terms: int
    detectors: tuple[str, ...]
    share: Share | None
    corpora: dict[str, int]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverBlocking:
    """What one version of a policy does to benign texts.

    Attributes:
        policy, version, digest: The version.
        at: When it was measured.
        program: By which Safebelt.
        seconds: How long it took.
        corpora: On which texts.
        hit: How many any rule hit.
        stopped: How many it would have masked or refused.
        refused: How many of these it would have refused.
        stopped_corpora: How many it would have masked or refused, by corpus: over all of them, a list of English words
            looks better than it is.
        rules: Every rule, most texts first.
    """

    policy: str
    version: int
    digest: str
    at: datetime
    program: str
    seconds: float
    corpora: tuple[Corpus, ...]
    hit: Share
    stopped: Share
    refused: Share
    stopped_corpora: dict[str, int]
    rules: tuple[ListHits, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverBlockingNow:
    """How a version of a policy stands: *not evaluated* until it was measured.

    Attributes:
        policy, version, digest: The version.
        state: How far it is.
        done, all: Texts tried, of how many, while it runs.
        problem: Why it failed; null where it did not.
        outdated: Why it should be measured again.
        found: What was found; null where nothing was.
    """

    policy: str
    version: int
    digest: str
    state: OverBlockingState
    done: int = 0
    all: int = 0
    problem: Text | None = None
    outdated: tuple[Outdated, ...] = ()
    found: OverBlocking | None = None
