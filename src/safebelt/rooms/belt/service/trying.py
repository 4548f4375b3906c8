"""Try it: a person's prompt goes through the belt like anybody's, and comes back with what the belt did."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog

from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text

MAX_PROMPT_CHARS = 4000
"""A try-out is a sentence or a page; the belt itself takes far more."""
_MAX_TOKENS = 256
_TIMEOUT = httpx2.Timeout(120.0, connect=5.0)
"""A small model on two cores writes its 256 tokens in well under two minutes."""

_log = structlog.get_logger("safebelt.belt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came back.

    Attributes:
        status: HTTP status of the belt's answer.
        text: The answer, or why there is none.
        record_id: The exchange's record; empty where there is none.
        verdict: `X-Safebelt-Verdict`.
        label: `X-Safebelt-AIGC`, the label.
        code: The error's code; empty for an answer.
    """

    status: int
    text: str
    record_id: str = ""
    verdict: str = ""
    label: str = ""
    code: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether the model answered."""
        return self.status == 200


class TryIt:
    """Calls the belt as any client would.

    Args:
        belt_url: Where the belt listens, for example `http://127.0.0.1:8801`.
        try_key: Returns the key to call it with; empty where there is none.
        verify: What TLS certificates to trust, as httpx2 takes it.
    """

    def __init__(self, *, belt_url: str, try_key: Callable[[], str], verify: Any = True) -> None:
        self._url, self._try_key, self._verify, self._model = belt_url.rstrip("/"), try_key, verify, ""

    async def ask(self, prompt: str) -> Tried:
        """Ask and wait for the whole answer.

        Raises:
            Unavailable: The belt does not answer, or there is no key to try with.
        """
        async with self._client() as client:
            try:
                response = await client.post("/v1/chat/completions", json=await self._body(client, prompt, False))
            except httpx2.HTTPError as error:
                raise _no_belt() from error
            return _tried(response, _content(_json(response.content)))

    async def stream(self, prompt: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Ask and yield what comes: `text` with a piece, at the end `end` or `refused` with the headers' facts."""
        try:
            async with self._client() as client:
                body = await self._body(client, prompt, True)
                async with client.stream("POST", "/v1/chat/completions", json=body) as response:
                    async for event in self._events(response):
                        yield event
        except httpx2.HTTPError:
            _log.info("belt.try_broke_off")
            yield "refused", _event(Tried(status=503, text="", code="broke_off"))
        except Unavailable as problem:
            yield "refused", _event(Tried(status=503, text=str(problem), code=problem.code))

    async def _events(self, response: httpx2.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        if response.status_code != 200:
            tried = _tried(response, _content(_json(await response.aread())))
            yield "refused", _event(tried)
            return
        async for line in response.aiter_lines():
            data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
            if piece := _content(_json(data.encode())):
                yield "text", {"text": piece}
        yield "end", _event(_tried(response, ""))

    def _client(self) -> httpx2.AsyncClient:
        key = self._try_key()
        if not key:
            raise Unavailable(
                what=Text(zh="没有可供试用的密钥。", en="There is no key to try with."),
                hint=Text(
                    zh="请为某个系统签发密钥，或重新运行 make up。",
                    en="Issue a key for a system, or run `make up` again.",
                ),
            )
        headers = {"authorization": f"Bearer {key}"}
        return httpx2.AsyncClient(
            base_url=self._url, headers=headers, timeout=_TIMEOUT, verify=self._verify, trust_env=False
        )

    async def _body(self, client: httpx2.AsyncClient, prompt: str, is_stream: bool) -> dict[str, Any]:
        self._model = self._model or await _first_model(client)
        messages = [{"role": "user", "content": prompt}]
        return {"model": self._model, "messages": messages, "stream": is_stream, "max_tokens": _MAX_TOKENS}


async def _first_model(client: httpx2.AsyncClient) -> str:
    """Return the first model the upstream offers; an upstream that lists none gets the word `default`."""
    try:
        async with asyncio.timeout(5):
            listed = _json((await client.get("/v1/models")).content)
    except (httpx2.HTTPError, TimeoutError):
        return "default"
    models = listed.get("data")
    first = models[0] if isinstance(models, list) and models else {}
    return str(first.get("id", "")) or "default" if isinstance(first, dict) else "default"


def _json(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _content(answer: dict[str, Any]) -> str:
    """Return the text of an answer, of a chunk of one, or of an error."""
    error = answer.get("error")
    if isinstance(error, dict):
        return str(error.get("message", ""))
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = first.get("message") or first.get("delta") or {}
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _tried(response: httpx2.Response, text: str) -> Tried:
    error = _json(response.content).get("error") if response.is_closed and response.status_code != 200 else None
    return Tried(
        status=response.status_code,
        text=text,
        record_id=response.headers.get("x-safebelt-record", ""),
        verdict=response.headers.get("x-safebelt-verdict", ""),
        label=response.headers.get("x-safebelt-aigc", ""),
        code=str(error.get("code", "")) if isinstance(error, dict) else "",
    )


def _event(tried: Tried) -> dict[str, Any]:
    return {"status": tried.status, "text": tried.text, "record": tried.record_id, "code": tried.code}


def _no_belt() -> Unavailable:
    return Unavailable(
        what=Text(zh="安全带没有应答。", en="The belt does not answer."),
        hint=Text(zh="请确认安全带正在运行，然后重试。", en="See that the belt is running, then try again."),
    )
