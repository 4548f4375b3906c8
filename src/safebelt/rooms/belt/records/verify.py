"""Read everything again and name what was changed: with the public key and the ledger, but without trust in the writer.

Found and named: any record flipped, dropped, swapped, inserted or cut off; a missing segment; a head that is missing,
forged, replayed or does not match; content that is not what its digest says; a root that is not the ledger's.
What no head covers yet, at most the last second, is *not yet sealed*: unknown, not a fault.

What it cannot see: that a whole folder was put back to an earlier state, as far as the ledger has no seal of what
followed.  Memory is constant; the pass is one read of every file.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.records.disk import (
    FIRST,
    heads_name,
    log_of,
    logs,
    path_of,
    segment_name,
    segment_number,
    segments,
)
from safebelt.rooms.belt.records.finding import Finding, finding
from safebelt.rooms.belt.records.head import Open
from safebelt.rooms.belt.records.headcheck import HeadCheck
from safebelt.rooms.belt.records.line import GENESIS
from safebelt.rooms.belt.records.segmentcheck import SegmentCheck

MOST_FINDINGS = 1000
"""More are counted, not kept: a log rewritten as a whole must not fill the memory of whoever checks it."""


class Removed(NamedTuple):
    """A segment that the house removed because it was too old, as the ledger has it.

    Attributes:
        on: The day, ISO 8601.
        last: Link of its last record.
    """

    on: str
    last: str


@dataclass(kw_only=True)
class Verification:
    """What reading everything again came to.

    Attributes:
        segments, records, heads: How many there are.
        erased: Records whose content was erased; they still verify.
        removed: Segments that the house removed because they were too old; the ledger has their roots.
        unsealed: Records that no matching signed head covers (yet).
        findings: What is wrong or unknown, in order; at most `MOST_FINDINGS`.
        faults: How many faults there are, kept or not.
    """

    segments: int = 0
    records: int = 0
    heads: int = 0
    erased: int = 0
    removed: int = 0
    unsealed: int = 0
    findings: list[Finding] = field(default_factory=list)
    faults: int = 0

    def add(self, found: Finding) -> None:
        """Count a finding, and keep it while there is room."""
        self.faults += found.holds is Truth.FALSE
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(found)

    @property
    def holds(self) -> Truth:
        """False with a fault; unknown where nothing is signed; else true."""
        if self.faults:
            return Truth.FALSE
        return Truth.TRUE if self.records > self.unsealed else Truth.UNKNOWN

    def counts(self) -> dict[str, int]:
        """Return the numbers, JSON-ready."""
        names = ("segments", "records", "heads", "erased", "removed", "unsealed", "faults")
        return {name: getattr(self, name) for name in names}

    @property
    def reason(self) -> Reason:
        """Return the verdict and why."""
        because = [f.reason() for f in self.findings]
        if self.unsealed and self.holds is not Truth.FALSE:
            waits = Text(
                zh=f"{self.unsealed} 条记录尚未被签名树头覆盖，无法判定。",
                en=f"{self.unsealed} records are not yet covered by a signed head: nothing can be said of them.",
            )
            because.append(Reason(says=waits, holds=Truth.UNKNOWN))
        return Reason(says=self._says(), holds=self.holds, because=tuple(because))

    def _says(self) -> Text:
        signed = self.records - self.unsealed
        if self.faults:
            return Text(
                zh=f"发现 {self.faults} 处问题。",
                en=f"{self.faults} {'fault was' if self.faults == 1 else 'faults were'} found.",
            )
        if not self.records:
            return Text(zh="没有可核验的记录。", en="There is nothing to verify.")
        if not signed:
            return Text(zh="尚无已签名的记录可核验。", en="No record is signed yet: there is nothing to verify.")
        return Text(
            zh=f"{signed} 条已签名的记录与签名时一致（其中 {self.erased} 条内容已抹除）。",
            en=f"{signed} signed records are as they were signed ({self.erased} have erased content).",
        )


def verify(
    folder: Path,
    *,
    open_note: Open,
    sealed: Mapping[str, tuple[int, str]],
    log_origin: str,
    removed: Mapping[str, Removed] | None = None,
) -> Verification:
    """Read everything again.  May run while the records are being written.

    Args:
        folder: Of the records.
        open_note: Signed note → its text, or raises Problem where no trusted key signed it.
        sealed: Segment → number of records and root (hex), as the ledger has them.
        log_origin: Name of the log; heads of another one do not count.
        removed: Segments that were removed by rule, as the ledger has them: only these may be absent.

    Raises:
        OSError: A file cannot be read.
    """
    result = Verification()
    for log in {FIRST: 0, **dict.fromkeys(logs(folder)), **dict.fromkeys(log_of(name) for name in sealed)}:
        sizes = {name: path_of(folder, name).stat().st_size for name in segments(folder, log)}  # before the heads
        heads = HeadCheck(folder, log_origin=log_origin, open_note=open_note, report=result.add, log=log)
        of_log = {name: each for name, each in sealed.items() if log_of(name) == log}
        gone = {
            name: each
            for name, each in sorted((removed or {}).items(), key=lambda pair: segment_number(pair[0]))
            if log_of(name) == log and name not in sizes
        }
        _verify_log(folder, log, sizes, heads=heads, sealed=of_log, gone=gone, result=result)
    return result


def _verify_log(
    folder: Path,
    log: str,
    sizes: Mapping[str, int],
    *,
    heads: HeadCheck,
    sealed: Mapping[str, tuple[int, str]],
    gone: Mapping[str, Removed],
    result: Verification,
) -> None:
    """Read one worker's log again: its chain, its heads and its seals are nobody else's."""
    newest = max(sizes, key=segment_number, default="")
    last, claimed, expected, named = GENESIS, 0, 1, set(gone)
    _name_removed(gone, result)
    left = {segment_number(name): name for name in gone}
    for name, size in sizes.items():
        gap = range(expected, segment_number(name))
        _name_missing(gap, left, log, named, result)
        for number in [number for number in left if number < gap.stop]:
            heads.take(left.pop(number))  # its heads are all that is left of it
        if gap:
            before = gone.get(segment_name(gap[-1], log))
            known = before.last if before else None
        else:
            known = last
        check = SegmentCheck(
            name,
            last=known,
            heads=heads.take(name),
            is_open=name == newest and name not in sealed,
            report=result.add,
        )
        check.run(folder, size)
        _hold_against_ledger(check, sealed.get(name), result, is_newest=name == newest)
        _add_up(check, result)
        last, claimed, expected = check.last or last, max(claimed, check.heads_claimed), segment_number(name) + 1
    _name_lost(folder, heads, sealed, named, result)
    if claimed > heads.count:
        result.add(finding("heads_missing", heads_name(log), first=heads.count + 1, last=claimed))
    result.heads += heads.signed


def _name_removed(gone: Mapping[str, Removed], result: Verification) -> None:
    """Say in one finding what the rule removed: a finding each would crowd out the faults."""
    if gone:
        names = list(gone)
        where = names[0] if len(names) == 1 else f"{names[0]} – {names[-1]}"
        on = max(each.on for each in gone.values())
        result.removed += len(names)
        result.add(finding("removed_by_rule", where, count=len(names), on=on, holds=Truth.TRUE))


def _name_missing(numbers: range, removed: Container[int], log: str, named: set[str], result: Verification) -> None:
    for number in islice((number for number in numbers if number not in removed), MOST_FINDINGS):
        name = segment_name(number, log)
        named.add(name)
        result.add(finding("segment_missing", name))


def _hold_against_ledger(
    check: SegmentCheck, sealed: tuple[int, str] | None, result: Verification, *, is_newest: bool
) -> None:
    if sealed is None:
        if not is_newest:
            result.add(finding("not_sealed", check.name, holds=Truth.UNKNOWN))
        return
    records, root = sealed
    if (records, root) != (check.lines, check.root.hex()):
        result.add(
            finding("sealed_differs", check.name, records=records, root=root, lines=check.lines, now=check.root.hex())
        )


def _add_up(check: SegmentCheck, result: Verification) -> None:
    result.segments += 1
    result.records += check.records
    result.erased += check.erased
    result.unsealed += max(0, check.records - check.signed)


def _name_lost(
    folder: Path, heads: HeadCheck, sealed: Mapping[str, tuple[int, str]], named: set[str], result: Verification
) -> None:
    """Name the segments that heads or the ledger know and the folder does not have."""
    for name in [*(head.segment for head in heads.rest()), *sealed]:
        if name not in named and not path_of(folder, name).exists():
            named.add(name)
            result.add(finding("segment_missing", name))
