"""Words of what the public sees: a decision about each system, the record it published, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from safebelt.kernel.conditions import Truth
from safebelt.kernel.events import Event
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import PartyKind, Status


class Visibility(StrEnum):
    """What the public may see of a system."""

    PUBLIC = "public"
    EMBARGOED = "embargoed"
    RESTRICTED = "restricted"
    INTERNAL = "internal"


VISIBILITIES: Mapping[Visibility, Text] = {
    Visibility.PUBLIC: Text(zh="公开", en="public"),
    Visibility.EMBARGOED: Text(zh="到期公开", en="public from a date"),
    Visibility.RESTRICTED: Text(zh="依法不公开，只计数", en="kept back by law, counted only"),
    Visibility.INTERNAL: Text(zh="内部", en="internal"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A fact the open statistics count by.

    Attributes:
        fact: Its id in the rulebook.
        by_group: Whether the group of each option is counted instead of the option.
    """

    fact: str
    by_group: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRules:
    """What `registry/publication.yaml` says.

    Attributes:
        restricted_by: Norms by which the law itself keeps an entry out of the public part.
        counted_by: What systems are counted by, by the name of the count.
        places: Facts that say which places have to do with a system.
        everywhere: Jurisdictions of rules that belong to no place.
        silent_classes: Classes that say nothing to the public.
    """

    restricted_by: tuple[str, ...]
    counted_by: Mapping[str, Counted]
    places: tuple[str, ...]
    everywhere: frozenset[str]
    silent_classes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Decide what the public sees of a system.

    Attributes:
        visibility: What the public may see.
        reason: Why.  Of what is public, it goes to the public ledger; of anything else, it is kept apart from it.
        contact: How the public reaches the organisation that answers; never a person's own contact.
        not_for_zh, not_for_en: What it is not for, in either language.
        until: First public day, where it is embargoed.
        basis: Norm or provision of the rulebook it is kept back by, where it is embargoed or restricted.
        cleared: Why it may be public where the rulebook cannot tell whether a law keeps it back.
        digest: SHA-256 of the record that was previewed; empty where none was.
    """

    reason: str
    visibility: Visibility = Visibility.PUBLIC
    contact: str = ""
    not_for_zh: str = ""
    not_for_en: str = ""
    until: date | None = None
    basis: str = ""
    cleared: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishMany:
    """Decide the same about many systems: by id, by import batch, or by what a search finds.

    Attributes:
        decision: What is decided about each.  What the law keeps back is restricted with that law as its basis.
        ids: Which systems.
        batch: Id of an import batch.
        search: Every word must occur in a system's name, purpose or id.
        status: Only systems at this stage.
        expected: How many there should be; the deed stops before the first where there are more or fewer.
    """

    decision: Publish
    ids: tuple[str, ...] = ()
    batch: str = ""
    search: str = ""
    status: Status | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPublication:
    """Take a system out of the public register; its page then says so.

    Attributes:
        reason: Why; it goes to the public ledger and stands on the page.
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPublished:
    """A system that a deed about many left as it was, and why.

    Attributes:
        code: The problem's code.
        why: What stands in the way.
        hint: What to do about it.
        field: The part of the decision it is about, such as `cleared`; empty where it is about none.
    """

    system_id: str
    code: str
    why: Text
    hint: Text
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that stood in the way of some systems of a deed about many.

    Attributes:
        field: As of `NotPublished`.
        systems: How many it kept from being decided.
        first: One of them.
    """

    why: Text
    hint: Text
    field: str
    systems: int
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedMany:
    """What a deed about many systems came to.

    Attributes:
        published: How many were decided as asked.
        restricted: How many the law keeps back, so that they are restricted instead.
        unchanged: How many were so already.
        refused: Those that could not be, and why; at most the first 200.
        refused_total: How many that is.
        obstacles: What stood in the way, over all of them, the most frequent first; at most 20.
    """

    published: int
    restricted: int
    unchanged: int
    refused: tuple[NotPublished, ...]
    refused_total: int
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Who answers for a system, as the public sees it.

    Attributes:
        name: Of an organisation; empty for a person, whose name is not published.
    """

    kind: PartyKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What the rulebook made of the facts, as far as it is published.

    Attributes:
        on: The day judged; None where no facts are on record: *not evaluated*.
        facts_version: Which facts.
        facts_sha256: Digest of those facts.
        regimes: JSON-ready, one for each regime that has to do with the system.
        cites: Citation id to label and official address.
        marks: What the statistics count it under: pairs of count and value.
    """

    on: date | None
    facts_version: int = 0
    facts_sha256: str = ""
    regimes: tuple[Mapping[str, Any], ...] = ()
    cites: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBack:
    """Whether the law keeps a system out of the public part.

    Attributes:
        holds: True only by verified law in force; unknown where it is open, or nothing was judged.
        norms: Norms behind it.
    """

    holds: Truth
    norms: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The decision in force about one system.

    Attributes:
        version: Counts the decisions about it, endings among them.
        at: When it was decided.
        since: First day on which it was, or will be, public; None if never.
        until: First public day of an embargo.
        ended_at: When it stopped being public; None while it is, or if it never was.
        digest: SHA-256 of the record; empty where nothing is to be shown.
        entry_id: The ledger's entry of the decision.
    """

    system_id: str
    visibility: Visibility
    version: int
    at: datetime
    since: date | None
    until: date | None
    ended_at: datetime | None
    basis: str
    contact: str
    digest: str
    entry_id: str

    def is_shown(self, today: date) -> bool:
        """Whether the public sees its record on a day."""
        if self.visibility is Visibility.EMBARGOED:
            return self.until is not None and self.until <= today
        return self.visibility is Visibility.PUBLIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Exactly what the public would see.

    Attributes:
        record: The public record.
        digest: SHA-256 of its canonical JSON.
        kept_back: Whether the law keeps it out of the public part.
        slips: What would have to be taken out first: the field, and what is wrong with it.
        is_changed: Whether it differs from what is published now.
        current: The decision in force; None if there is none.
    """

    record: Mapping[str, Any]
    digest: str
    kept_back: KeptBack
    slips: tuple[tuple[str, Text], ...]
    is_changed: bool
    current: Publication | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationDecided(Event):
    """Somebody decided what the public sees of a system.

    The reason is empty where the entry is not public: then it is kept apart from the public log, as personal data is.
    """

    kind: ClassVar[str] = "registry.publication_decided.v1"
    title: ClassVar[Text] = Text(zh="决定公开范围", en="Decided what the public sees")
    apart: ClassVar[frozenset[str]] = frozenset({"reason", "cleared"})
    version: int
    visibility: str
    until: str
    basis: str
    digest: str
    reason: str
    cleared: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationEnded(Event):
    """A system was taken out of the public register."""

    kind: ClassVar[str] = "registry.publication_ended.v1"
    title: ClassVar[Text] = Text(zh="从公开登记册撤下", en="Taken out of the public register")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    version: int
    reason: str


EVENTS: tuple[type[Event], ...] = (PublicationDecided, PublicationEnded)
