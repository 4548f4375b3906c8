"""An upstream's answer before it may pass: its JSON, its errors, and the few header fields that mean something."""

import re
from http import HTTPStatus
from typing import Any

import msgspec

from safebelt.rooms.belt.proxy.client import Answer, UpstreamBroke
from safebelt.rooms.belt.proxy.wire import Headers
from safebelt.rooms.belt.scanner.engine import mask_all

_PASSED_ON = re.compile(
    rb"retry-after(?:-ms)?|openai-(?:processing-ms|version)|x-(?:request-id|should-retry)|x-ratelimit-[a-z-]+"
)
"""What client libraries act on or show.  Anything else could lead round the belt (`location`), speak for another site
(`set-cookie`), or carry text that nobody screened."""
_is_passed_on = _PASSED_ON.fullmatch
PASSED_ON = "passed on"
"""Under which name a known head of JSON keeps the lines that are passed on."""
_PLAIN = re.compile(rb"[\w.:+-]{1,128}", re.ASCII)


def must_have_body(status: int) -> None:
    """Hold that something follows the head of an answer: behind 204 and 304 a client reads the next answer.

    Raises:
        UpstreamBroke: Nothing does, or the answer only points elsewhere.
    """
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise UpstreamBroke("the upstream answers with a redirect")
    if status == HTTPStatus.NO_CONTENT:
        raise UpstreamBroke("the upstream answers that it has nothing to say")


def answer_body(answer: Answer, raw: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        UpstreamBroke: It is none, or the answer only points elsewhere; neither can be screened.
    """
    must_have_body(answer.status)
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroke("an answer that is not JSON cannot be screened") from error
    if not isinstance(body, dict):
        raise UpstreamBroke("an answer that is no JSON object cannot be screened")
    return body


def masked_tree(node: Any) -> Any:
    """Mask personal data in every string of an upstream's error, which may echo the input."""
    match node:
        case str():
            return mask_all(node)
        case dict():
            return {mask_all(name): masked_tree(value) for name, value in node.items()}
        case list():
            return [masked_tree(item) for item in node]
    return node


def passed_on(answer: Answer) -> Headers:
    """Return the upstream's fields that mean the same behind us, where their values are plain and not personal."""
    return tuple([(name, value) for name, value in answer.headers if _is_passed_on(name) and _is_plain(value)])


def passed_lines(answer: Answer, known: dict[str, bytes] | None) -> bytes:
    """Return the lines of an answer's head that are passed on; of a known head of JSON they are remembered."""
    lines = None if known is None else known.get(PASSED_ON)
    if lines is None:
        lines = b"".join([b"%b: %b\r\n" % pair for pair in passed_on(answer)])
        if known is not None:
            known[PASSED_ON] = lines
    return lines


def _is_plain(value: bytes) -> bool:
    return _PLAIN.fullmatch(value) is not None and mask_all(text := value.decode("ascii")) == text
