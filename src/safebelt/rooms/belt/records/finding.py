"""What verification can find, each with its name and its place."""

from collections.abc import Mapping
from dataclasses import dataclass

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text

_SAYS: Mapping[str, Text] = {
    "unreadable": Text(zh="不是一条记录", en="this is no record"),
    "changed": Text(
        zh="与下一条记录不再相接：两者之一被改动过",
        en="this record and the next no longer fit: one of them was changed",
    ),
    "not_continuing": Text(
        zh="与前面已签名的记录不相接：被改动过", en="it does not continue the signed records before it: it was changed"
    ),
    "segment_not_continuing": Text(
        zh="首条记录与上一段不相接：两者之一被改动过，或中间有段缺失",
        en="its first record does not continue the segment before: one was changed, or a segment between is missing",
    ),
    "content_changed": Text(zh="内容与其摘要不符", en="its content does not match its digest"),
    "records_missing": Text(zh="其前有 {count} 条记录缺失", en="{count} records before it are missing"),
    "out_of_place": Text(
        zh="序号 {seq} 不应在此：被插入、重复或调换",
        en="number {seq} does not belong here: inserted, repeated or swapped",
    ),
    "truncated": Text(
        zh="第 {head} 个签名树头覆盖 {size} 条记录，文件中只有 {lines} 行：尾部被截断",
        en="head {head} signed {size} records and the file has {lines} lines: its end was cut off",
    ),
    "root_differs": Text(
        zh="根与第 {head} 个签名树头不符：这些行中有改动",
        en="the root is not the one head {head} signed: among these lines",
    ),
    "not_signed": Text(
        zh="已结束的段中这些行没有签名树头：树头缺失",
        en="the segment is closed, yet no head covers these lines: heads are missing",
    ),
    "head_overdue": Text(
        zh="此前一秒以上的记录没有签名树头：树头缺失",
        en="records older than a second had no signed head when this was written: heads are missing",
    ),
    "removed_by_rule": Text(
        zh="共 {count} 段按保存期限删除，最近一次在 {on}；各段的根在账本中",
        en="{count} segments were removed by rule, the last on {on}; their roots are in the ledger",
    ),
    "segment_missing": Text(zh="该段缺失", en="this segment is missing"),
    "sealed_differs": Text(
        zh="账本登记 {records} 条记录、根 {root}；现为 {lines} 条、根 {now}",
        en="the ledger has {records} records with root {root}; here are {lines} with root {now}",
    ),
    "head_unreadable": Text(zh="heads.log 的这一行不是树头", en="this line of heads.log is no head"),
    "head_forged": Text(zh="树头 {head} 没有可信密钥的签名", en="no trusted key signed head {head} as it stands"),
    "heads_missing": Text(zh="第 {first} 至 {last} 个树头缺失", en="heads {first} to {last} are missing"),
    "head_out_of_place": Text(
        zh="树头 {head} 是重放的旧树头，或被移动过", en="head {head} is an older one played again, or was moved"
    ),
    "torn": Text(
        zh="崩溃留下的残行，尚未签名；恢复时会切除并留存",
        en="a torn line that no head covers; recovery cuts and keeps it",
    ),
    "head_torn": Text(zh="崩溃留下的残缺树头；恢复时会切除并留存", en="a torn head; recovery cuts and keeps it"),
    "not_sealed": Text(zh="账本中尚无该段的根", en="the ledger does not have this segment's root yet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or that cannot be said yet.

    Attributes:
        kind: A stable name, for example `content_changed`.
        segment: Where; `heads.log` for heads.
        line, last_line: One-based lines it concerns, both included; 0 where it concerns the whole segment.
        record: Id of the record, where one is known.
        says: What, in both languages.
        holds: False for a fault; unknown for what is not sealed yet.
    """

    kind: str
    segment: str
    line: int
    last_line: int
    record: str
    says: Text
    holds: Truth

    def reason(self) -> Reason:
        """Return it as a statement with its place."""
        at = f" {self.line}" if self.line == self.last_line else f" {self.line}–{self.last_line}"
        zh, en = (f"，第{at} 行", f", line{at}") if self.line else ("", "")
        record = f" ({self.record})" if self.record else ""
        says = Text(
            zh=f"{self.segment}{zh}{record}：{self.says.zh}。", en=f"{self.segment}{en}{record}: {self.says.en}."
        )
        return Reason(says=says, holds=self.holds, cites=(self.record,) if self.record else ())


def finding(
    kind: str,
    segment: str,
    line: int = 0,
    *,
    last_line: int = 0,
    record: str = "",
    holds: Truth = Truth.FALSE,
    **facts: object,
) -> Finding:
    """Name a finding; `facts` fill the gaps in its wording."""
    says = _SAYS[kind]
    return Finding(
        kind=kind,
        segment=segment,
        line=line,
        last_line=max(line, last_line),
        record=record,
        says=Text(zh=says.zh.format(**facts), en=says.en.format(**facts)),
        holds=holds,
    )
