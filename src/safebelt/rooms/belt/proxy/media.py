"""Pictures and speech that pass the belt: marked before they leave, or they do not leave.

What they show and say is not screened: the request's texts are, and so is every text beside the content.  Each content
is put on record by its digest, before and after.
"""

import asyncio
import base64
import binascii
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from safebelt.rooms.belt.model import Action, NoticeMode
from safebelt.rooms.belt.proxy.answers import answer_body
from safebelt.rooms.belt.proxy.client import Answer
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.tools import Unmarked
from safebelt.rooms.belt.proxy.wire import Headers

if TYPE_CHECKING:
    from safebelt.rooms.labelling.service import LetOut, MarkedBytes

_ITEM_FIELDS = ("b64_json", "url")
_DATA_URL = "data:"
_BYTES = "application/octet-stream"
_MAX_ITEMS = 16  # ten is the most that the interface allows
_AT_ONCE = 2
"""Answers whose contents are marked at the same time; the others wait, and nobody else for them."""
_ASKED_IN = ("prompt", "input")
"""Fields of a request that say what the content is to show or say."""


class _Media(Exchange):
    """An exchange that generates contents which are no texts."""

    _marked: "tuple[tuple[str, MarkedBytes], ...]" = ()
    _types: tuple[str, ...] = ()
    """How the media types begin that this endpoint may answer with: a page that asks to sign in is no picture."""

    async def _stream(self, answer: Answer) -> None:
        raise Unmarked("a stream of pictures or sound is not marked piece by piece")

    async def _mark(self, contents: list[bytes]) -> "list[MarkedBytes]":
        """Mark the contents, beside the event loop: a picture takes milliseconds, a film with a notice minutes."""
        ident, many = self._recording.id, len(contents) > 1
        named = [(f"{ident}-{at}" if many else ident, content) for at, content in enumerate(contents, 1)]
        from safebelt.rooms.labelling.service import CannotMark  # noqa: PLC0415  heavy, and most belts pass texts alone

        work = asyncio.get_running_loop().run_in_executor(_hands(), self._marked_all, named)
        try:
            before, marked = await work
        except CannotMark as why:
            raise Unmarked(str(why)) from why
        for one in marked:
            if not one.media_type.startswith(self._types):
                raise Unmarked(f"the endpoint does not generate {one.media_type}")
        self._marked = tuple(zip(before, marked, strict=True))
        return marked

    def _marked_all(self, named: list[tuple[str, bytes]]) -> "tuple[list[str], list[MarkedBytes]]":
        """Return the contents' digests as they came, and the contents marked: of a film both take long."""
        return [sha256(content).hexdigest() for _, content in named], self._tools.labelling.let_out(
            named, self._let_out()
        )

    def _let_out(self) -> "LetOut":
        """Return whose contents these are, and what of the marks that the law asks may be put into them."""
        from safebelt.rooms.labelling.service import LetOut  # noqa: PLC0415  as above

        notice = self._caller.harness.notice
        return LetOut(
            system_id=self._caller.key.system_id,
            uscc=self._caller.provider,
            may_show=notice is NoticeMode.END,
            may_hide=notice is not NoticeMode.OFF,
            asked=next((said for name in _ASKED_IN if isinstance(said := self._body.get(name), str)), ""),
        )

    def _made(self) -> dict[str, Any]:
        made = [
            {"kind": one.kind, "sha256": one.sha256, "made_sha256": before, **_marks_of(one), **_watermark_of(one)}
            for before, one in self._marked
        ]
        return {"contents": made} if made else {}

    def _field(self, done: Action) -> dict[str, Any]:
        told = [_marks_of(one) for _, one in self._marked]
        return {**super()._field(done), **({"contents": told} if told else {})}


class Pictures(_Media):
    """`/v1/images/generations`: pictures in base64, or at addresses: those that hold them, and those that are fetched.

    A fetched picture leaves within its address (`data:`): at the place it came from lies the one without a mark.
    """

    _types = ("image/",)
    _contents: list[tuple[int, str, bytes | str]]

    def _opened(self, answer: Answer, raw: bytes) -> dict[str, Any]:
        """Take the pictures out of the answer, so that what is left is text."""
        body = answer_body(answer, raw)
        self._contents = []
        items = body.get("data")
        if not isinstance(items, list):
            return body
        if len(items) > _MAX_ITEMS:
            raise Unmarked("more pictures than the interface allows")
        return {**body, "data": [self._without(at, item) for at, item in enumerate(items)]}

    def _without(self, at: int, item: Any) -> Any:
        if not isinstance(item, dict):
            raise Unmarked("an item that is no picture")
        for field in _ITEM_FIELDS:
            if isinstance(value := item.get(field), str) and value:
                self._contents.append((at, field, _decoded(value, field)))
        return {name: value for name, value in item.items() if name not in _ITEM_FIELDS}

    async def _finished(self, body: dict[str, Any]) -> dict[str, Any]:
        """Put the marked pictures back; where a rule refuses, there are none."""
        items = body.get("data")
        if not isinstance(items, list) or self._done() is Action.REFUSE:
            return {**body, "data": []} if isinstance(items, list) else body
        marked = await self._mark([await self._fetched(content) for _, _, content in self._contents])
        items = [dict(item) for item in items]
        for (at, field, _), one in zip(self._contents, marked, strict=True):
            text = base64.b64encode(one.data).decode("ascii")
            items[at][field] = text if field == "b64_json" else f"{_DATA_URL}{one.media_type};base64,{text}"
        return {**body, "data": items}

    async def _fetched(self, content: bytes | str) -> bytes:
        return content if isinstance(content, bytes) else await self._tools.fetch(content)


class WholeBody(_Media):
    """An exchange whose answer is the content itself, as the whole body."""

    _got: bytes | None = None
    _media_type = b""

    def _opened(self, answer: Answer, raw: bytes) -> dict[str, Any]:
        kind = answer.header(b"content-type").partition(b";")[0].strip().lower().decode("latin-1")
        if answer.status >= HTTPStatus.BAD_REQUEST or not kind.startswith((*self._types, _BYTES)):
            return answer_body(answer, raw)
        self._got = raw
        return {}

    async def _finished(self, body: dict[str, Any]) -> dict[str, Any]:
        if self._got is None:
            raise Unmarked("an answer that is none of what the endpoint generates")
        marked = (await self._mark([self._got]))[0]
        self._got, self._media_type = marked.data, marked.media_type.encode("ascii")
        return body

    def _content(self, body: dict[str, Any]) -> tuple[bytes, bytes]:
        if self._got is not None and self._media_type:
            return self._media_type, self._got
        return super()._content(body)

    def _headers(self, done: Action) -> Headers:
        """Return our header fields; which marks are on the content stands where no body can say it."""
        return (*super()._headers(done), *((b"x-safebelt-marks", _as_header(one)) for _, one in self._marked))


class Speech(WholeBody):
    """`/v1/audio/speech`: sound."""

    _types = ("audio/", "video/")  # a container of films may hold sound alone


@cache
def _hands() -> ThreadPoolExecutor:
    """Threads of their own: long work on films must not keep the short work on texts waiting."""
    return ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="safebelt-marking")


def _marks_of(one: "MarkedBytes") -> dict[str, Any]:
    """Return which marks are on a content, and which that it should carry are not, with why."""
    left = {name: why.en for name, why in sorted(one.left_out.items())}
    return {"marks": sorted(one.put), **({"left_out": left} if left else {})}


def _watermark_of(one: "MarkedBytes") -> dict[str, Any]:
    return {} if one.ident is None else {"watermark": f"{one.ident:016x}"}


def _as_header(one: "MarkedBytes") -> bytes:
    """Return the same as compact ASCII JSON."""
    return json.dumps(_marks_of(one), ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _decoded(value: str, field: str) -> bytes | str:
    """Return a picture's bytes, or the address where it lies; raises Unmarked where what it holds is no base64."""
    if field == "url":
        if not value.startswith(_DATA_URL):
            return value
        head, _, value = value.partition(",")
        if not head.endswith(";base64"):
            raise Unmarked("a picture that is no base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unmarked("a picture that is no base64") from error
