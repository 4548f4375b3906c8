"""Words of the public register as it is read: by everybody, so there is nothing in them that not everybody may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLine:
    """A system as a list of the public register has it.

    Attributes:
        provider: Name of the organisation that provides it; empty where a person does.
        stage: Where it stands now, whatever was true when it was published.
        provisional: In service on its operator's own claims.
        since: First public day.
        at: When this record was published.
        is_imported: Whether it was taken over from another register.
        is_judged: Whether facts were on record when it was published.
    """

    id: str
    name: Text
    purpose: Text
    provider: str
    stage: Status
    provisional: bool
    since: date
    at: datetime
    version: int
    digest: str
    is_imported: bool
    is_judged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAct:
    """Something that happened to a system's entry in the public register.

    Attributes:
        is_end: Whether it was taken out; otherwise a record was published.
        on: The day it took hold for the public.
        digest: SHA-256 of the record; empty for an ending.
        entry_id: The ledger's entry, for its proof.
    """

    version: int
    is_end: bool
    on: date
    at: datetime
    digest: str
    entry_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicStep:
    """A system moved from one stage to another."""

    at: datetime
    before: Status
    after: Status
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFile:
    """Everything the public may know of one system.

    Attributes:
        record: What was published.
        body: The same as its canonical JSON, whose SHA-256 is `line.digest`.
        entry_id: The ledger's entry of the publication.
        history: What happened to the entry, latest first.
        steps: How the system moved through its life since it was registered, latest first.
        is_behind: Whether the register has changed since: a newer record is not published.
    """

    line: PublicLine
    record: Mapping[str, Any]
    body: bytes
    entry_id: str
    history: tuple[PublicAct, ...]
    steps: tuple[PublicStep, ...]
    is_behind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A system that was public and is not any more: its page says so instead of vanishing.

    Attributes:
        ended_on: The day it was taken out.
        reason: Why, where whoever took it out said so in public.
        entry_id: The ledger's entry, for its proof; empty where the decision itself is not public.
    """

    id: str
    ended_on: date
    reason: str
    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPage:
    """One page of the public register.

    Attributes:
        total: How many match; `is_more` where it is more than are counted.
        next: Where a program goes on reading; empty at the end.
    """

    items: tuple[PublicLine, ...]
    total: int
    is_more: bool
    page: int
    pages: int
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a visitor looks for.

    Attributes:
        search: Every word must occur in what is public.
        stage: Where it stands now.
        marks: Pairs of count and value, for example `("place", "eu")`.
    """

    search: str = ""
    stage: Status | None = None
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNumbers:
    """The public register, counted.

    Attributes:
        on: The day.
        total: Public systems.
        not_evaluated: Those for which no facts were on record.
        imported: Those taken over from another register.
        stages: Stage to count.
        provisional: In service on their operators' own claims.
        marks: Count and value to number: `("class", "eu/ai-act:high_risk")`.
        months: Month (`2026-11`) to how many became public in it.
        restricted: Norm or provision to how many entries it keeps back; they are only counted.
    """

    on: date
    total: int
    not_evaluated: int
    imported: int
    stages: Mapping[str, int]
    provisional: int
    marks: Mapping[tuple[str, str], int]
    months: Mapping[str, int]
    restricted: Mapping[str, int]


PLAIN_STAGES: Mapping[Status, Text] = {
    Status.IDEA: Text(zh="只是构想，尚未使用", en="an idea; it is not in use"),
    Status.DESIGN: Text(zh="正在设计，尚未使用", en="being designed; it is not in use"),
    Status.DEVELOPMENT: Text(zh="正在研发，尚未使用", en="being built; it is not in use"),
    Status.TESTING: Text(zh="正在测试，尚未投入使用", en="being tested; it is not in service"),
    Status.FILED: Text(zh="材料已提交，等待审查", en="its papers are filed and wait for review"),
    Status.UNDER_REVIEW: Text(zh="正在审查", en="under review"),
    Status.REGISTERED: Text(zh="已登记备案，尚未投入使用", en="registered; it is not in service yet"),
    Status.IN_SERVICE: Text(zh="在用", en="in service"),
    Status.SUSPENDED: Text(zh="已中止使用", en="suspended: it must not be used for now"),
    Status.WITHDRAWN: Text(zh="已从市场撤出", en="withdrawn from the market"),
    Status.RETIRED: Text(zh="已退役，不再使用", en="retired; it is not in use any more"),
}
"""Each stage in plain words, for readers who know nothing of registers."""

PROVISIONAL = Text(
    zh="所依据的证据只有运营者自己的声明，尚无第三方核实",
    en="on its operator's own claims: nobody independent has confirmed the evidence",
)
"""What *in service, provisional* means."""

SOURCES: Mapping[str, Text] = {
    "register": Text(zh="来自登记册", en="from the register"),
    "publication": Text(zh="公开时由其机构提供", en="stated by the organisation when this was published"),
    "rulebook": Text(zh="由规则库按记录的事实判断", en="judged by the rulebook from the facts on record"),
    "import": Text(zh="转录自来源登记册", en="taken over from the source register"),
}
"""Where a field of a public record comes from."""
