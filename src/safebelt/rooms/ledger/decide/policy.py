"""Whose cosignatures are enough: C2SP tlog-policy, read strictly and within bounds, and judged.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>…
    quorum <name>|none

A name stands for itself byte by byte: whatever is not ASCII is opaque, as the specification says.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.model import Group, KeyParts, Named, WitnessPolicy

MAX_BYTES = 1024 * 1024
"""An ML-DSA-44 key takes 1.8 kB, so that every definition below can have one."""
MAX_EACH = 128
"""Logs, witnesses and groups; the specification asks for at least 32 of each."""
NONE = "none"

ReadKey = Callable[[str], KeyParts]
"""A verifier key to its parts; raises a `Problem` where it is none."""

_BLANK = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")


def parse_policy(data: bytes, read_key: ReadKey) -> WitnessPolicy:
    """Read a policy file.

    Raises:
        Invalid: It is none, with the line that is wrong.
    """
    if len(data) > MAX_BYTES:
        raise _wrong(0, f"文件超过 {MAX_BYTES} 字节", f"the file has more than {MAX_BYTES} bytes")
    lines = data.decode("utf-8", errors="surrogateescape").split("\n")
    if lines.pop() != "":
        raise _wrong(len(lines) + 1, "最后一行未以换行结尾", "the last line does not end in a newline")
    draft = _Draft(read_key)
    for number, line in enumerate(lines, 1):
        if any((char < " " and char != "\t") or char == "\x7f" for char in line):
            raise _wrong(number, "含有控制字符", "it holds a control character")
        words = _BLANK.split(line.strip(" \t"))
        if words != [""] and not words[0].startswith("#"):
            draft.read(number, words)
    return draft.close(len(lines))


@dataclass(slots=True)
class _Draft:
    """A policy while its lines are read."""

    read_key: ReadKey
    logs: dict[bytes, Named] = field(default_factory=dict)
    witnesses: dict[bytes, Named] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    quorum: str | None = None

    def read(self, number: int, words: Sequence[str]) -> None:
        """Take the next line."""
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self._add(number, self.logs, "", vkey, url)
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._define(number, name)
                self._add(number, self.witnesses, name, vkey, url)
            case ["group", name, threshold, *members] if members:
                self._group(number, name, threshold, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise _wrong(number, "法定数只能定义一次", "there is one quorum line only")
                if name != NONE and name not in self.names:
                    raise _wrong(number, "引用了尚未定义的名称", "it refers to a name not defined above it")
                self.quorum = name
            case _:
                raise _wrong(number, "不是 log、witness、group 或 quorum 行", "no log, witness, group or quorum line")

    def close(self, number: int) -> WitnessPolicy:
        """Return the policy."""
        if self.quorum is None:
            raise _wrong(number, "缺少 quorum 行", "the quorum line is missing")
        return WitnessPolicy(
            logs=tuple(self.logs.values()),
            witnesses=tuple(self.witnesses.values()),
            groups=tuple(self.groups),
            quorum=self.quorum,
        )

    def _define(self, number: int, name: str) -> None:
        if name in self.names or name == NONE:
            raise _wrong(number, "名称已被使用", "the name is taken")
        self.names.add(name)

    def _add(self, number: int, to: dict[bytes, Named], name: str, vkey: str, url: Sequence[str]) -> None:
        try:
            parts = self.read_key(vkey)
        except Problem as problem:
            raise _wrong(number, problem.what.zh.rstrip("。"), problem.what.en.rstrip(".")) from problem
        if name and not parts.is_cosigner:
            raise _wrong(number, "这不是联署公钥（0x04 或 0x06）", "the key is not a cosigner's (type 0x04 or 0x06)")
        if parts.public in to:
            raise _wrong(number, "公钥重复", "the key stands there twice")
        if len(to) == MAX_EACH:
            raise _wrong(number, f"同类定义多于 {MAX_EACH} 个", f"more than {MAX_EACH} of a kind")
        to[parts.public] = Named(name=name, key=vkey, url=url[0] if url else "")

    def _group(self, number: int, name: str, threshold: str, members: Sequence[str]) -> None:
        if len(self.groups) == MAX_EACH:
            raise _wrong(number, f"同类定义多于 {MAX_EACH} 个", f"more than {MAX_EACH} of a kind")
        if unknown := [member for member in members if member not in self.names]:
            raise _wrong(number, f"成员 {shown(unknown[0])} 尚未定义", f"{shown(unknown[0])} is not defined above it")
        if len(set(members)) < len(members) or not self.members.isdisjoint(members):
            raise _wrong(number, "名称只能作为一个组的成员一次", "a name can be a member of one group, once")
        needed = {"any": 1, "all": len(members)}.get(threshold)
        if needed is None:
            needed = int(threshold) if _NUMBER.fullmatch(threshold) else 0
        if not 1 <= needed <= len(members):
            raise _wrong(
                number, "门槛须为 all、any 或 1 至成员数", "the threshold is all, any, or 1 to the number of members"
            )
        self._define(number, name)
        self.members.update(members)
        self.groups.append(Group(name=name, needed=needed, members=tuple(members)))


def quorum(policy: WitnessPolicy, signed: frozenset[str]) -> Reason:
    """Judge whether those who cosigned are enough.

    Args:
        policy: The rule.
        signed: Names of its witnesses whose cosignatures were verified.
    """
    if policy.quorum == NONE:
        return Reason(says=Text(zh="该策略不要求见证。", en="This policy asks for no witness."), holds=Truth.TRUE)
    reasons: dict[str, Reason] = {each.name: _of_witness(each.name, each.name in signed) for each in policy.witnesses}
    for group in policy.groups:  # a group names only what stands above it
        reasons[group.name] = _of_group(group, reasons)
    return reasons[policy.quorum]


def _of_witness(name: str, has_signed: bool) -> Reason:
    called = shown(name)
    says = (
        Text(zh=f"{called} 已联署。", en=f"{called} has cosigned.")
        if has_signed
        else Text(zh=f"{called} 未联署。", en=f"{called} has not cosigned.")
    )
    return Reason(says=says, holds=Truth.of(has_signed))


def _of_group(group: Group, reasons: Mapping[str, Reason]) -> Reason:
    because = tuple(reasons[member] for member in group.members)
    met = sum(reason.holds is Truth.TRUE for reason in because)
    called, total = shown(group.name), len(because)
    return Reason(
        says=Text(
            zh=f"{called}：{total} 个成员中需 {group.needed} 个，实有 {met} 个。",
            en=f"{called}: {group.needed} of {total} are needed, {met} have cosigned.",
        ),
        holds=Truth.of(met >= group.needed),
        because=because,
    )


def shown(name: str) -> str:
    """Return a name as it can be written anywhere; bytes that are not UTF-8 become a mark."""
    return name.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def _wrong(number: int, zh: str, en: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"见证策略第 {number} 行有误：{zh}。", en=f"Line {number} of the witness policy is wrong: {en}."),
        hint=Text(
            zh="格式见 C2SP tlog-policy：log、witness、group、quorum，每行以换行结尾。",
            en="The form is that of C2SP tlog-policy: log, witness, group and quorum lines, each ending in a newline.",
        ),
        details={"field": "policy", "line": str(number)},
    )
