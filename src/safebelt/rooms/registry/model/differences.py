"""Words of comparison: two records side by side, field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.text import Text


class Change(StrEnum):
    """What became of a field."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


CHANGES: Mapping[Change, Text] = {
    Change.SAME: Text(zh="未变", en="same"),
    Change.CHANGED: Text(zh="已变", en="changed"),
    Change.ADDED: Text(zh="新增", en="added"),
    Change.REMOVED: Text(zh="去除", en="removed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of two records.

    Attributes:
        field: Its key.
        change: What became of it.
        before, after: Its values as text; several stand one a line.
    """

    field: str
    change: Change
    before: str = ""
    after: str = ""


class Aspect(StrEnum):
    """What is compared of a system, model or agent."""

    FACTS = "facts"
    REGISTRATION = "registration"
    VERSIONS = "versions"


ASPECTS: Mapping[Aspect, Text] = {
    Aspect.FACTS: Text(zh="记录在案的事实", en="facts on record"),
    Aspect.REGISTRATION: Text(zh="登记内容", en="registration"),
    Aspect.VERSIONS: Text(zh="版本", en="versions"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two states of one subject side by side.

    Attributes:
        subject_id: Of which system, model or agent.
        of: What was compared.
        before, after: Number or label of the two.
        fields: Every field of either.
        changed: How many of them are not the same.
    """

    subject_id: str
    of: Aspect
    before: str
    after: str
    fields: tuple[Difference, ...]
    changed: int
