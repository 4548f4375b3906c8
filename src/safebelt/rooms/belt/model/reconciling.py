"""Words of completeness: what the upstream says it answered, held against what the belt recorded."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason


class Form(StrEnum):
    """What the upstream's file is."""

    ACCESS_LOG = "access_log"
    USAGE = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that the upstream logged.

    Attributes:
        line: Where it stands in the file, from 1.
        at: When, to the second; logs differ in whether that is its begin or its end.
        record_id: The belt's record, where the line names it; else empty.
    """

    line: int
    at: datetime
    record_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """So many requests in a span of time, as usage figures tell it; `since` inclusive, `until` exclusive."""

    line: int
    since: datetime
    until: datetime
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamFile:
    """What was read of the upstream's file.

    Attributes:
        form: What it is.
        calls: Requests one by one, of an access log.
        buckets: Counts by time, of usage figures.
        unreadable: Numbers of some lines that could not be read, and how many there are.
        unreadable_count: How many.
    """

    form: Form
    calls: tuple[Call, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    unreadable: tuple[int, ...] = ()
    unreadable_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """An exchange as far as it matters here.

    Attributes:
        id: Its record.
        begun, ended: When it came in and was over.
        reached: Whether it certainly reached the upstream; a refused or broken one may not have.
    """

    id: str
    begun: datetime
    ended: datetime
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Requests of the upstream that no record explains.

    Attributes:
        line: Where the file tells of them, from 1.
        since, until: Their time; for a single request the same.
        requests: How many.
    """

    line: int
    since: datetime
    until: datetime
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What came of it.

    Attributes:
        holds: True: complete; false: incomplete; unknown: not evaluated.
        reason: Why.
        form: What the file is.
        since, until: The time it speaks of; None where it speaks of none.
        upstream: Requests the upstream says it had.
        recorded: Exchanges the belt recorded in that time.
        around: Requests of the upstream that no record explains.
        unexplained: Records of calls that certainly reached an upstream and that the file does not have.
        around_lines: Lines of some such requests, or of the buckets that hold them.
        went_around: The same with their times.
        by_id: How many requests were matched because the upstream's log names the record.
        unexplained_records: Ids of some such records.
    """

    holds: Truth
    reason: Reason
    form: Form
    since: datetime | None
    until: datetime | None
    upstream: int
    recorded: int
    around: int
    unexplained: int
    around_lines: tuple[int, ...]
    went_around: tuple[Around, ...]
    by_id: int
    unexplained_records: tuple[str, ...]
