"""Reader of `registry/training.yaml`: what a job waits for, and how long things last.  Every mistake is named."""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.training import CHECK_IDS
from safebelt.rooms.registry.model.register import Status
from safebelt.rooms.registry.model.training import Check, JobKind, JobRules, Terms
from safebelt.rooms.registry.packs.plain import read_plain

FORMAT = "safebelt-registry-training/1"
_WHAT = Text(zh="registry/training.yaml", en="registry/training.yaml")
_KEYS = {"format", "terms", "closed", "compute_fact", "checks", "evidence"}
_TERMS = ("ask_hours", "valid_hours", "wall_hours", "lease_seconds")
Enum = TypeVar("Enum", bound=StrEnum)
T = TypeVar("T")


def load_rules(folder: Path, evidence: Collection[str]) -> JobRules:
    """Read the rules of jobs.

    Args:
        folder: `registry/`.
        evidence: Kinds of evidence the rulebook knows.

    Raises:
        Invalid: The file is not there, or not as it should be.
    """
    try:
        text = (folder / "training.yaml").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(str(error)) from error
    return read_rules(text, evidence)


def read_rules(text: str, evidence: Collection[str]) -> JobRules:
    """Read the same from its text.

    Raises:
        Invalid: It is not as it should be; the message says where.
    """
    data = read_plain(text, _WHAT)
    if set(data) != _KEYS or data["format"] != FORMAT:
        raise _wrong(f"keys {sorted(_KEYS)} and format {FORMAT!r} are wanted")
    checks = tuple(_check(one, n) for n, one in enumerate(_list(data["checks"], "checks")))
    if len({one.id for one in checks}) != len(checks):
        raise _wrong("checks: an id stands twice")
    return JobRules(
        checks=checks,
        evidence=_evidence(_mapping(data["evidence"], "evidence"), evidence),
        terms=_all_terms(_mapping(data["terms"], "terms")),
        closed=frozenset(_one(Status, one, "closed") for one in _list(data["closed"], "closed")),
        compute_fact=_text(data["compute_fact"], "compute_fact"),
    )


def _check(entry: Any, n: int) -> Check:
    where = f"checks[{n}]"
    found = _mapping(entry, where)
    if set(found) != {"id", "kinds", "says", "mend"}:
        raise _wrong(f"{where}: id, kinds, says and mend are wanted")
    if found["id"] not in CHECK_IDS:
        raise _wrong(f"{where}: there is no check {found['id']!r}; there are {', '.join(sorted(CHECK_IDS))}")
    return Check(
        id=str(found["id"]),
        kinds=_kinds(found["kinds"], where),
        says=_both(found["says"], f"{where}.says"),
        mend=_both(found["mend"], f"{where}.mend"),
    )


def _evidence(entries: Mapping[str, Any], known: Collection[str]) -> dict[str, frozenset[JobKind]]:
    strange = [name for name in entries if name not in known]
    if strange:
        raise _wrong(f"evidence: the law knows no {strange[0]!r}")
    return {name: _kinds(kinds, f"evidence.{name}") for name, kinds in entries.items()}


def _all_terms(entries: Mapping[str, Any]) -> dict[JobKind, Terms]:
    if set(entries) != {kind.value for kind in JobKind}:
        raise _wrong(f"terms: one entry for each of {', '.join(JobKind)} is wanted")
    return {JobKind(name): _terms(_mapping(entry, f"terms.{name}"), f"terms.{name}") for name, entry in entries.items()}


def _terms(entry: Mapping[str, Any], where: str) -> Terms:
    if set(entry) != set(_TERMS):
        raise _wrong(f"{where}: {', '.join(_TERMS)} are wanted")
    for name, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100_000:
            raise _wrong(f"{where}.{name}: a number above 0 is wanted")
    return Terms(
        ask_hours=float(entry["ask_hours"]),
        valid_hours=float(entry["valid_hours"]),
        wall_hours=float(entry["wall_hours"]),
        lease_seconds=max(1, int(entry["lease_seconds"])),
    )


def _kinds(value: Any, where: str) -> frozenset[JobKind]:
    return frozenset(_one(JobKind, one, where) for one in _list(value, where))


def _one(kind: type[Enum], value: Any, where: str) -> Enum:
    if not isinstance(value, str) or value not in [each.value for each in kind]:
        raise _wrong(f"{where}: {value!r} is none of {', '.join(kind)}")
    return kind(value)


def _both(value: Any, where: str) -> Text:
    found = _mapping(value, where)
    if set(found) != {"zh", "en"}:
        raise _wrong(f"{where}: zh and en are wanted")
    return Text(zh=_text(found["zh"], where), en=_text(found["en"], where))


def _typed(kind: type[T], says: str) -> Callable[[Any, str], T]:
    def typed(value: Any, where: str) -> T:
        if not isinstance(value, kind) or not value:
            raise _wrong(f"{where}: {says} is wanted")
        return value

    return typed


_text, _list, _mapping = _typed(str, "a text"), _typed(list, "a list"), _typed(dict, "keys with values")


def _wrong(says: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"registry/training.yaml 不可用：{says}。", en=f"registry/training.yaml cannot be used: {says}."),
        hint=Text(zh="请更正该文件；在此之前不能申请作业。", en="Correct the file; until then no job can be taken."),
    )
