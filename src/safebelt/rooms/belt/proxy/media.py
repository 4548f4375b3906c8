"""Pictures and speech that pass the belt: marked before they leave, or they do not leave.

What they show and say is not screened: the request's texts are, and so is every text beside the content.  Each content
is put on record by its digest, before and after.
"""

import asyncio
import base64
import binascii
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from safebelt.rooms.belt.model import Action
from safebelt.rooms.belt.proxy.answers import answer_body
from safebelt.rooms.belt.proxy.client import Answer
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.tools import Unmarked
from safebelt.rooms.labelling.service import CannotMark, MarkedBytes

_ITEM_FIELDS = ("b64_json", "url")
_DATA_URL = "data:"
_BYTES = "application/octet-stream"
_MAX_ITEMS = 16  # ten is the most that the interface allows


class _Media(Exchange):
    """An exchange that generates contents which are no texts."""

    _marked: tuple[tuple[str, MarkedBytes], ...] = ()
    _types: tuple[str, ...] = ()
    """How the media types begin that this endpoint may answer with: a page that asks to sign in is no picture."""

    async def _stream(self, answer: Answer) -> None:
        raise Unmarked("a stream of pictures or sound is not marked piece by piece")

    async def _mark(self, contents: list[bytes]) -> list[MarkedBytes]:
        """Mark each content, in a thread; a picture may take milliseconds."""
        marked = []
        for number, content in enumerate(contents, 1):
            ident = self._recording.id if len(contents) == 1 else f"{self._recording.id}-{number}"
            system_id, provider = self._caller.key.system_id, self._caller.provider
            work = partial(self._tools.labelling.mark_bytes, content, ident, system_id, provider)
            try:
                marked.append(await asyncio.to_thread(work))
            except CannotMark as why:
                raise Unmarked(str(why)) from why
            if not marked[-1].media_type.startswith(self._types):
                raise Unmarked(f"the endpoint does not generate {marked[-1].media_type}")
        self._marked = tuple(zip((sha256(one).hexdigest() for one in contents), marked, strict=True))
        return marked

    def _made(self) -> dict[str, Any]:
        made = [
            {"kind": one.kind, "sha256": one.sha256, "made_sha256": before, "marks": sorted(one.put)}
            for before, one in self._marked
        ]
        return {"contents": made} if made else {}


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


class Speech(WholeBody):
    """`/v1/audio/speech`: sound."""

    _types = ("audio/", "video/")  # a container of films may hold sound alone


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
