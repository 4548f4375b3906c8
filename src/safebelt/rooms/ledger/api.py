"""The ledger's JSON door, `/api/ledger`, and the public static log, `/log` (C2SP tlog-tiles)."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter, RawBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.ledger.decide import MAX_SUBMISSION_BYTES, SIZE_MEDIA_TYPE, refusals
from safebelt.rooms.ledger.model import Entry
from safebelt.rooms.ledger.service import (
    MAX_PAGE,
    Judged,
    Ledger,
    Malformed,
    Stale,
    check,
    check_consistency,
    read_keys,
    read_policy,
)
from safebelt.web.openapi import NO_TOKEN, problems, public_problems
from safebelt.web.problem_words import BadRequest, said
from safebelt.web.security import open_to_all, requires

_TEXT = "text/plain"  # Litestar adds the charset
_PROOF_IS_PUBLIC = open_to_all("whoever is shown a proof must be able to check it")
_LOG_IS_PUBLIC = open_to_all("a transparency log that is not public proves nothing; it holds no personal data")
_WITNESS_IS_PUBLIC = open_to_all("a witness cosigns for any log it accepts; the checkpoint's signature says who asks")
_MAX_INDEX = 2**53 - 1  # the largest whole number every JSON reader agrees on (RFC 8259 section 6)

Filter = Annotated[str, QueryParameter(max_length=120)]
Id = Annotated[str, PathParameter(description="Id of an entry, `ent_…`.", max_length=40)]
Index = Annotated[int | None, QueryParameter(gt=-1, le=_MAX_INDEX)]  # not ge=0: Litestar forgets to describe a zero


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """An entry as programs see it; `body` is base64 of the bytes its leaf hash commits to."""

    id: str
    index: int | None
    at: datetime
    actor: str
    door: str
    kind: str
    subject: str
    data: dict[str, Any]
    personal: dict[str, str] | None
    is_erased: bool
    body: str

    @classmethod
    def of(cls, entry: Entry) -> "EntryView":
        """Show an entry."""
        return cls(
            id=entry.id,
            index=entry.index,
            at=entry.at,
            actor=entry.actor,
            door=entry.door,
            kind=entry.kind,
            subject=entry.subject,
            data=dict(entry.data),
            personal=None if entry.personal is None else dict(entry.personal),
            is_erased=entry.is_erased,
            body=base64.b64encode(entry.body).decode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """A page of entries, newest first; `before` is what asks for the next page, null on the last."""

    items: list[EntryView]
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointView:
    """The newest signed checkpoint; `root` is base64, `keys` are verifier keys, oldest first."""

    origin: str
    size: int
    root: str
    note: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckProof:
    """A proof to check, and the verifier keys to check it with, one a line.

    `policy` is a C2SP tlog-policy file: whose cosignatures are asked for.  Without one, witnesses are not evaluated.
    """

    proof: str
    key: str
    policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a proof came to: whether it holds, why, and what is proven where it does."""

    holds: bool
    reason: dict[str, Any]
    proven: dict[str, Any] | None

    @classmethod
    def of(cls, judged: Judged) -> "Verdict":
        """Show a judgment."""
        reason, proven = judged
        return cls(
            holds=reason.holds is Truth.TRUE, reason=reason.as_data(), proven=None if proven is None else dict(proven)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseEntry:
    """Why personal data is erased.  The reason is public: no personal data in it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """The erased entry and the entry that remembers the erasing."""

    entry: str
    remembered_as: str


def attachment(text: str, name: str) -> Response[bytes]:
    """Answer with a text file to keep."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), media_type=_TEXT, headers=headers)


class LedgerApi(Controller):
    """`/api/ledger`."""

    path = "/api/ledger"
    tags = ("ledger",)

    @get("/entries", sync_to_thread=True, guards=[requires("ledger.read")], responses=problems())
    def list_entries(
        self,
        *,
        ledger: NamedDependency[Ledger],
        subject: Filter = "",
        kind: Filter = "",
        actor: Filter = "",
        search: Annotated[str, QueryParameter(max_length=200)] = "",
        before: Index = None,
        after: Index = None,
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 50,
    ) -> EntryPage:
        """List entries, newest first."""
        found = ledger.entries(
            subject=subject, kind=kind, actor=actor, search=search, before=before, after=after, limit=limit
        )
        last = found[-1].index if len(found) == limit else None
        return EntryPage(items=[EntryView.of(entry) for entry in found], before=last)

    @get("/entries/{entry_id:str}", sync_to_thread=True, guards=[requires("ledger.read")], responses=problems(NotFound))
    def get_entry(self, ledger: NamedDependency[Ledger], entry_id: Id) -> EntryView:
        """Return one entry."""
        return EntryView.of(ledger.entry(entry_id))

    @get(
        "/entries/{entry_id:str}/proof",
        sync_to_thread=True,
        guards=[requires("ledger.read")],
        responses=problems(NotFound, Conflict),
        media_type=_TEXT,
    )
    def get_proof(self, ledger: NamedDependency[Ledger], entry_id: Id) -> Response[bytes]:
        """Return a self-contained proof of one entry (C2SP tlog-proof)."""
        return attachment(ledger.prove(entry_id), f"{entry_id}.tlog-proof")

    @post(
        "/entries/{entry_id:str}/erase",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("ledger.erase")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def erase(
        self, ledger: NamedDependency[Ledger], by: NamedDependency[Actor], entry_id: Id, data: JSONBody[EraseEntry]
    ) -> Erased:
        """Erase the personal data of an entry; its proof stands."""
        return Erased(entry=entry_id, remembered_as=ledger.erase(entry_id, reason=data.reason, by=by))

    @get(
        "/checkpoint",
        sync_to_thread=True,
        guards=[_LOG_IS_PUBLIC],
        security=NO_TOKEN,
        responses=public_problems(NotFound),
    )
    def get_checkpoint(self, ledger: NamedDependency[Ledger]) -> CheckpointView:
        """Return the newest signed checkpoint, and the keys that sign for this log."""
        checkpoint = ledger.checkpoint()
        if checkpoint is None:
            raise refusals.nothing_published()
        return CheckpointView(
            origin=checkpoint.origin,
            size=checkpoint.size,
            root=base64.b64encode(checkpoint.root).decode(),
            note=checkpoint.note,
            keys=[str(key) for key in ledger.verifier_keys()],
        )

    @get(
        "/consistency",
        sync_to_thread=True,
        guards=[_LOG_IS_PUBLIC],
        security=NO_TOKEN,
        responses=public_problems(NotFound, Invalid),
        media_type=_TEXT,
    )
    def get_consistency(
        self,
        ledger: NamedDependency[Ledger],
        old: Annotated[int, QueryParameter(ge=1, le=_MAX_INDEX, description="Size of an earlier checkpoint.")],
        new: Annotated[int | None, QueryParameter(ge=1, le=_MAX_INDEX, description="Size of a later one.")] = None,
    ) -> Response[bytes]:
        """Return a self-contained proof that the log only grew between two checkpoints."""
        return attachment(ledger.consistency(old, new), f"consistency-{old}-{new or 'newest'}.txt")

    @post(
        "/check",
        sync_to_thread=True,
        status_code=200,
        guards=[_PROOF_IS_PUBLIC],
        security=NO_TOKEN,
        responses=public_problems(Invalid, has_body=True),
    )
    def check(self, data: JSONBody[CheckProof]) -> Verdict:
        """Check a proof with nothing but the keys given; this ledger's own data is not looked at."""
        policy = read_policy(data.policy.encode("utf-8", errors="surrogatepass")) if data.policy else None
        return Verdict.of(check(data.proof, read_keys(data.key), policy))

    @post(
        "/check-consistency",
        sync_to_thread=True,
        status_code=200,
        guards=[_PROOF_IS_PUBLIC],
        security=NO_TOKEN,
        responses=public_problems(Invalid, has_body=True),
    )
    def check_consistency(self, data: JSONBody[CheckProof]) -> Verdict:
        """Check a proof of consistency with nothing but the keys given."""
        return Verdict.of(check_consistency(data.proof, read_keys(data.key)))


class StaticLog(Controller):
    """`/log`: the same files any web server could serve, as monitors and witnesses read them."""

    path = "/log"
    include_in_schema = False

    @get("/checkpoint", sync_to_thread=True, guards=[_LOG_IS_PUBLIC])
    def checkpoint(self, ledger: NamedDependency[Ledger]) -> Response[bytes]:
        """Return the newest checkpoint."""
        return _static(ledger.public_file("checkpoint"), _TEXT, "public, max-age=1")

    @get("/tile/{tile:path}", sync_to_thread=True, guards=[_LOG_IS_PUBLIC])
    def tile(self, ledger: NamedDependency[Ledger], tile: Annotated[str, PathParameter()]) -> Response[bytes]:
        """Return a tile or an entry bundle."""
        data = ledger.public_file(f"tile{tile}")
        return _static(data, "application/octet-stream", "public, max-age=31536000, immutable")


class WitnessDoors(Controller):
    """`/witness`: where other logs ask us to cosign their checkpoints (C2SP tlog-witness), and what we cosigned last.

    Its address, its bodies and its answers are those of the protocol, which any log speaks.
    """

    path = "/witness"
    include_in_schema = False

    @post(
        "/add-checkpoint",
        sync_to_thread=True,
        status_code=200,
        guards=[_WITNESS_IS_PUBLIC],
        request_max_body_size=MAX_SUBMISSION_BYTES,
    )
    def add_checkpoint(self, ledger: NamedDependency[Ledger], body: RawBody) -> Response[bytes]:
        """Cosign a checkpoint that only adds to what was cosigned before; 409 tells the size that was."""
        try:
            answer = ledger.witnessing.add_checkpoint(body)
        except Malformed as error:
            raise BadRequest(**said("bad-request")) from error
        if isinstance(answer, Stale):
            return Response(f"{answer.size}\n".encode(), status_code=409, media_type=SIZE_MEDIA_TYPE)
        return Response(answer.lines.encode(), media_type=_TEXT)

    @get("/{origin_hash:str}/checkpoint", sync_to_thread=True, guards=[_WITNESS_IS_PUBLIC])
    def latest(
        self, ledger: NamedDependency[Ledger], origin_hash: Annotated[str, PathParameter(max_length=64)]
    ) -> Response[bytes]:
        """Return the newest checkpoint that we cosigned for a log, by the SHA-256 of its origin."""
        return _static(ledger.witnessing.latest(origin_hash).encode(), _TEXT, "public, max-age=1")


def _static(data: bytes, media_type: str, cache: str) -> Response[bytes]:
    headers = {"cache-control": cache, "access-control-allow-origin": "*"}
    return Response(data, media_type=media_type, headers=headers)
