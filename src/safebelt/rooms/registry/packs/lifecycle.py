"""Reading `registry/lifecycle.yaml`: every error at once, each with its line, in both languages."""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import PersonRole, Status
from safebelt.rooms.registry.model.road import Ask, AskKind, Road, Stage
from safebelt.rooms.rulebook.model import Bearer, DueKind, Kind, Standing
from safebelt.rooms.rulebook.service.documents import (
    MAX_BYTES,
    Document,
    Finding,
    Words,
    few_suggestions,
    finding,
    read_document,
    suggestion,
    unreadable,
    validated,
)

FILE = "lifecycle.yaml"
SUBJECT = Text(zh="生命周期（registry/lifecycle.yaml）", en="The lifecycle (registry/lifecycle.yaml)")

Signer = Literal[PersonRole.ACCOUNTABLE, PersonRole.OVERSEER]
KindId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=80)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _NeededWhen(_Strict):
    evidence: Annotated[tuple[KindId, ...], Field(min_length=1)]


class _StageDoc(_Strict):
    id: Status
    says: Words
    to: tuple[Status, ...]
    off_road: bool = False
    needed_when: _NeededWhen | None = None

    def as_stage(self) -> Stage:
        return Stage(
            id=self.id,
            says=self.says.as_text(),
            to=self.to,
            needed_when=self.needed_when.evidence if self.needed_when else (),
            is_on_road=not self.off_road,
        )


class _AskDoc(_Strict):
    person: PersonRole | None = None
    facts: Literal["on_record"] | None = None
    red_line: Literal["none"] | None = None
    measure: Literal["none"] | None = None
    duties: Literal["determined"] | None = None
    evidence: Literal["due"] | None = None
    sign_off: Signer | None = None

    def said(self) -> list[tuple[AskKind, Any]]:
        return [(kind, value) for kind in AskKind if (value := getattr(self, kind.value)) is not None]

    def as_ask(self) -> Ask:
        kind, value = self.said()[0]
        return Ask(kind=kind, role=value if isinstance(value, PersonRole) else None)


class _DeterminedIn(_Strict):
    standings: frozenset[Standing]
    kinds: frozenset[Kind]


class _Attestation(_Strict):
    at_most_days: Annotated[int, Field(ge=1, le=366)]
    tell_days_before: Annotated[int, Field(ge=0, le=366)]


class _LifecycleDoc(_Strict):
    safebelt: Literal["lifecycle/1"]
    stages: Annotated[tuple[_StageDoc, ...], Field(min_length=1)]
    gates: Mapping[Status, tuple[_AskDoc, ...]]
    evidence: Mapping[Status | Literal["after_service"], tuple[KindId, ...]]
    bearers: frozenset[Bearer]
    due_later: frozenset[DueKind]
    determined_in: _DeterminedIn
    attestation: _Attestation


@lru_cache(maxsize=4)
def open_road(folder: Path, evidence: frozenset[str]) -> Road:
    """Return the road a folder's `lifecycle.yaml` describes; read once.

    Args:
        folder: The registry's data.
        evidence: Ids of the evidence the rulebook knows.

    Raises:
        Unreadable: Something is wrong; `findings` has every error with its line.
    """
    with (folder / FILE).open("rb") as file:
        return read_road(file.read(MAX_BYTES + 1), evidence)


@few_suggestions()
def read_road(raw: bytes | str, evidence: Collection[str]) -> Road:
    """Read a road.

    Args:
        raw: The text of the file.
        evidence: Ids of the evidence the rulebook knows.

    Raises:
        Unreadable: Something is wrong; `findings` has every error with its line.
    """
    document = read_document(raw, FILE)
    found: list[Finding] = list(document.findings)
    doc = None
    if not found:
        doc = validated(document, _LifecycleDoc, document.data)
        found = doc if isinstance(doc, list) else list(_faults(document, doc, evidence))
    if doc is None or found:
        raise unreadable(SUBJECT, set(found))
    return _built(doc)


def _built(doc: _LifecycleDoc) -> Road:
    return Road(
        stages={one.id: one.as_stage() for one in doc.stages},
        gates={stage: tuple(ask.as_ask() for ask in asks) for stage, asks in doc.gates.items()},
        due_by={kind: stage for stage, kinds in doc.evidence.items() if isinstance(stage, Status) for kind in kinds},
        after_service=frozenset(doc.evidence.get("after_service", ())),
        bearers=doc.bearers,
        due_later=doc.due_later,
        standings=doc.determined_in.standings,
        kinds=doc.determined_in.kinds,
        at_most_days=doc.attestation.at_most_days,
        tell_days_before=doc.attestation.tell_days_before,
    )


def _faults(document: Document, doc: _LifecycleDoc, evidence: Collection[str]) -> Iterator[Finding]:
    yield from _stage_faults(document, doc)
    yield from _gate_faults(document, doc)
    yield from _evidence_faults(document, doc, evidence)


def _stage_faults(document: Document, doc: _LifecycleDoc) -> Iterator[Finding]:
    seen: set[Status] = set()
    for place, one in enumerate(doc.stages):
        if one.id in seen:
            yield _twice(document, ("stages", place, "id"), one.id)
        seen.add(one.id)
        if one.id in one.to:
            what = Text(zh=f"{one.id} 不能转到自己。", en=f"{one.id} cannot lead to itself.")
            yield finding(document.where(("stages", place, "to")), "stages", what, _MEND)
    for missing in (one for one in Status if one not in seen):
        what = Text(zh=f"缺少阶段 {missing}。", en=f"The stage {missing} is missing.")
        yield finding(document.where(("stages",)), "stages", what, _MEND)
    yield from _ends(document, doc)


def _ends(document: Document, doc: _LifecycleDoc) -> Iterator[Finding]:
    """The road begins where systems enter, ends in service, and nothing comes back from retirement."""
    road = [one.id for one in doc.stages if not one.off_road]
    if road[:1] != [Status.IDEA] or road[-1:] != [Status.IN_SERVICE]:
        what = Text(
            zh="路线须从 idea 开始、到 in_service 结束。", en="The road must begin at idea and end at in_service."
        )
        yield finding(document.where(("stages",)), "stages", what, _MEND)
    for place, one in enumerate(doc.stages):
        if one.id is Status.RETIRED and one.to:
            what = Text(zh="退役之后不能再去任何阶段。", en="Nothing may follow retirement.")
            yield finding(document.where(("stages", place, "to")), "stages", what, _MEND)
        if one.off_road and one.needed_when:
            what = Text(zh="不在路线上的阶段不能有 needed_when。", en="A stage off the road has no needed_when.")
            yield finding(document.where(("stages", place, "needed_when")), "stages", what, _MEND)


def _gate_faults(document: Document, doc: _LifecycleDoc) -> Iterator[Finding]:
    road = {one.id for one in doc.stages if not one.off_road}
    for stage, asks in doc.gates.items():
        if stage not in road:
            what = Text(zh=f"{stage} 不在路线上，不设关口。", en=f"{stage} is not on the road and has no gate.")
            yield finding(document.where(("gates", stage.value)), "gates", what, _MEND)
        for place, ask in enumerate(asks):
            if len(ask.said()) != 1:
                what = Text(zh="每一项恰好写一个要求。", en="Each line asks for exactly one thing.")
                yield finding(document.where(("gates", stage.value, place)), "gates", what, _MEND)
    if not doc.gates.get(Status.IN_SERVICE):
        what = Text(zh="缺少“在用”的关口。", en="The gate into service is missing.")
        yield finding(document.where(("gates",)), "gates", what, _MEND)


def _evidence_faults(document: Document, doc: _LifecycleDoc, known: Collection[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    road = {one.id for one in doc.stages if not one.off_road}
    for stage, kinds in doc.evidence.items():
        if isinstance(stage, Status) and stage not in road:
            what = Text(zh=f"{stage} 不在路线上。", en=f"{stage} is not on the road.")
            yield finding(document.where(("evidence", stage.value)), "evidence", what, _MEND)
        for place, kind in enumerate(kinds):
            path = ("evidence", str(stage), place)
            if kind in seen:
                yield _twice(document, path, kind)
            seen.add(kind)
            yield from _unknown(document, path, kind, known)
    for place, one in enumerate(doc.stages):
        for at, kind in enumerate(one.needed_when.evidence if one.needed_when else ()):
            yield from _unknown(document, ("stages", place, "needed_when", "evidence", at), kind, known)


def _unknown(document: Document, path: tuple[str | int, ...], kind: str, known: Collection[str]) -> Iterator[Finding]:
    if kind not in known:
        what = Text(zh=f"没有证据种类 {kind}。", en=f"There is no evidence kind {kind}.")
        yield finding(document.where(path), "evidence", what, suggestion(kind, known) or _EVIDENCE)


def _twice(document: Document, path: tuple[str | int, ...], name: str) -> Finding:
    what = Text(zh=f"{name} 写了两次。", en=f"{name} stands there twice.")
    return finding(document.where(path), "once", what, _MEND)


_MEND = Text(zh="请对照 registry/README.md 改正。", en="Correct it; registry/README.md says how.")
_EVIDENCE = Text(zh="证据种类见 law/evidence.yaml。", en="The kinds are in law/evidence.yaml.")
