"""`/api/belt/reconcile`: did anything go around the belt?"""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Controller, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import MultipartBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.imports.usage import MAX_SENT_BYTES, hold_sent
from safebelt.rooms.belt.model.reconciling import Reconciliation
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires

_MOST_BODY = MAX_SENT_BYTES + (1 << 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamsFile:
    """An upstream's access log or usage figures; nothing of it is kept.

    Attributes:
        file: The file.
        system: Where the upstream serves one system only; empty for all.
    """

    file: UploadFile
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """An upstream's file, and why the result goes to the ledger.

    Attributes:
        file: The file; of it only the digest is kept.
        reason: Why.
        system: Where the upstream serves one system only; empty for all.
    """

    file: UploadFile
    reason: str
    system: str = ""


class ReconcileApi(Controller):
    """`/api/belt/reconcile`: completeness."""

    path = "/api/belt"
    tags = ("belt",)

    @post(
        "/reconcile",
        sync_to_thread=True,
        status_code=200,
        request_max_body_size=_MOST_BODY,
        guards=[requires("belt.read")],
        responses=problems(Invalid, has_body=True),
    )
    def reconcile(self, belt: NamedDependency[Belt], data: MultipartBody[UpstreamsFile]) -> dict[str, Any]:
        """Hold an upstream's own file against the records: what went around the belt, and what the file lacks."""
        belt.index()
        return _data(belt.reconcile(_read(data.file), system_id=data.system), "")

    @post(
        "/reconciliations",
        sync_to_thread=True,
        request_max_body_size=_MOST_BODY,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, has_body=True),
    )
    def keep(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: MultipartBody[KeptFile]
    ) -> dict[str, Any]:
        """The same, and put the result and the file's digest on the ledger."""
        belt.index()
        content = _read(data.file)
        found = belt.reconcile(content, system_id=data.system)
        entry = belt.keep_reconciliation(content, found, data.reason, by=by, system_id=data.system)
        return _data(found, entry)


def _read(upload: UploadFile) -> bytes:
    return hold_sent(upload.file.read(MAX_SENT_BYTES + 1))


def _data(found: Reconciliation, entry: str) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(found)
    return data | {"reason": found.reason.as_data(), "entry": entry}
