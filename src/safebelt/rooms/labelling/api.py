"""JSON doors of labelling: check a file, mark one, list what was marked."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import MultipartBody, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, TooMany
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.labelling.decide.contract import as_data
from safebelt.rooms.labelling.model import Mark
from safebelt.rooms.labelling.service import MAX_SENT_BYTES, Labelling, MarkedSent, MarkSent
from safebelt.web.openapi import NO_TOKEN, problems, public_problems
from safebelt.web.problems import invalid_field
from safebelt.web.security import open_to_all, requires

SystemId = Annotated[str, QueryParameter(max_length=40, description="Only what this system made; empty for all.")]
MarkId = Annotated[str, QueryParameter(max_length=40, description="`before` of the page before; empty for the latest.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContent:
    """A file to check; nothing of it is kept."""

    file: UploadFile


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkContent:
    """A file to mark; neither it nor the marked one is kept.

    Attributes:
        file: The file.
        system: Id of the system that made it.
        marks: `explicit`, `aigc`, `c2pa`, `watermark`, with commas between; empty for what the law asks of the system.
        regime: Judge as for these places: `cn`, `eu`, or both with a comma; empty for those on record.
        lang: Language of a notice: `zh` or `en`; empty for the content's own.
    """

    file: UploadFile
    system: str = ""
    marks: str = ""
    regime: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkEntry:
    """A mark that was put on a content: its id, what made the content, the file's digest, when, the ledger's entry."""

    id: str
    system: str
    sha256: str
    at: str
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkList:
    """Marks, the latest first; `before` leads to the older ones, and is empty where there are none."""

    items: list[MarkEntry]
    before: str


class LabellingApi(Controller):
    """`/api/labelling`."""

    path = "/api/labelling"
    tags = ("labelling",)

    @post(
        "/verify",
        sync_to_thread=True,
        status_code=200,
        request_max_body_size=MAX_SENT_BYTES,
        guards=[open_to_all("whoever is shown a content may check it; nothing of it is kept")],
        security=NO_TOKEN,
        responses=public_problems(Invalid, TooMany, has_body=True),
    )
    def verify_content(
        self, labelling: NamedDependency[Labelling], data: MultipartBody[CheckContent]
    ) -> dict[str, Any]:
        """Check a file: one answer a question (`ok`, `bad`, `absent`, `unknown`), each with why; and a sentence."""
        return as_data(labelling.verify_sent(data.file.file, data.file.filename))

    @post(
        "/mark",
        sync_to_thread=True,
        status_code=200,
        request_max_body_size=MAX_SENT_BYTES,
        guards=[requires("labelling.mark")],
        media_type="application/octet-stream",
        responses=problems(Invalid, NotFound, Conflict, TooMany, has_body=True),
    )
    def mark_content(
        self, labelling: NamedDependency[Labelling], by: NamedDependency[Actor], data: MultipartBody[MarkContent]
    ) -> Response[bytes]:
        """Mark a file, and return it; header `X-Safebelt-Marks` says in JSON what was put, left out and still owed."""
        made = labelling.mark_sent(data.file.file, data.file.filename, _wish(data), by=by)
        headers = {"X-Safebelt-Marks": as_header(made)}
        return Response(made.data, media_type="application/octet-stream", headers=headers)

    @get("/marks", sync_to_thread=True, guards=[requires("labelling.read")], responses=problems(Invalid))
    def marks(
        self,
        *,
        labelling: NamedDependency[Labelling],
        system: SystemId = "",
        find: Annotated[str, QueryParameter(max_length=64, description="A mark's id, or a file's SHA-256.")] = "",
        before: MarkId = "",
        size: Annotated[int, QueryParameter(ge=1, le=200, description="How many.")] = 20,
    ) -> MarkList:
        """List which contents this house marked, the latest first."""
        found = labelling.marks(system_id=system, find=find, before=before, size=size)
        items = [
            MarkEntry(id=one.id, system=one.system_id, sha256=one.sha256, at=one.at.isoformat(), entry=one.entry_id)
            for one in found.items
        ]
        return MarkList(items=items, before=found.before)


def as_header(made: MarkedSent) -> str:
    """Return what was done to a content, as ASCII JSON for a header."""
    said: dict[str, Any] = {
        "media_type": made.media_type,
        "sha256": made.marked.sha256,
        "put": {mark.value: place for mark, place in made.marked.put.items()},
        "left_out": {mark.value: why.en for mark, why in made.marked.left_out.items()},
        "owed_and_missing": [mark.value for mark in made.missing],
    }
    if made.marked.lacking:
        said["incomplete"] = list(made.marked.lacking)
    if made.sidecar:
        said["sidecar"] = json.loads(made.sidecar)
    return json.dumps(said, ensure_ascii=True, separators=(",", ":"))


def _wish(data: MarkContent) -> MarkSent:
    named = [one.strip() for one in data.marks.split(",") if one.strip()]
    if wrong := [one for one in named if one not in set(Mark)]:
        raise invalid_field(
            "marks",
            Text(zh=f"“{wrong[0][:40]}”不是一种标识。", en=f"{wrong[0][:40]!r} is no mark."),
            Text(zh="可用：explicit、aigc、c2pa、watermark。", en="There are explicit, aigc, c2pa and watermark."),
        )
    if data.lang not in ("", *LANGS):
        what = Text(zh="没有这种语言的提示。", en="There is no notice in that language.")
        raise invalid_field("lang", what, Text(zh="请填 zh 或 en。", en="Name zh or en."))
    return MarkSent(
        system_id=data.system,
        marks=frozenset(map(Mark, named)) if named else None,
        regimes=tuple(one.strip() for one in data.regime.split(",")) if data.regime else (),
        lang=data.lang,
    )


API = (LabellingApi,)
