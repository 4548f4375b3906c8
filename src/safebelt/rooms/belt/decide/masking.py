"""Passing a text on without what must not be passed on.

One `Redactor` serves the whole text and the stream: the whole text is a stream of one piece, so the two cannot differ.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

PLACEHOLDERS = {
    "email": "⟦邮箱 email⟧",
    "cn_mobile": "⟦手机号 mobile⟧",
    "cn_landline": "⟦座机号 landline⟧",
    "phone_international": "⟦国际电话 phone⟧",
    "us_phone": "⟦美国电话 US phone⟧",
    "cn_id": "⟦身份证号 ID⟧",
    "us_ssn": "⟦美国社保号 SSN⟧",
    "bank_card": "⟦银行卡号 bank card⟧",
    "iban": "⟦国际银行账号 IBAN⟧",
    "cn_uscc": "⟦统一社会信用代码 USCC⟧",
    "cn_passport": "⟦护照号 passport⟧",
    "cn_plate": "⟦车牌号 plate⟧",
    "ipv4": "⟦网络地址 IP⟧",
    "ipv6": "⟦网络地址 IP⟧",
    "mac": "⟦硬件地址 MAC⟧",
    "openai_key": "⟦接口密钥 API key⟧",
    "aws_key": "⟦云密钥 AWS key⟧",
    "aliyun_key": "⟦云密钥 Aliyun key⟧",
    "github_token": "⟦令牌 GitHub token⟧",
    "slack_token": "⟦令牌 Slack token⟧",
    "google_key": "⟦接口密钥 Google key⟧",
    "jwt": "⟦令牌 JWT⟧",
    "safebelt_key": "⟦密钥 Safebelt key⟧",
    "private_key": "⟦私钥 private key⟧",
    "invisible_run": "⟦不可见字符 invisible⟧",
}
"""What stands for a masked span, by detector.  Stable, short, in both languages, without quotes, backslashes or digits:
so JSON stays valid and a placeholder is never found again."""
MASKED = "⟦已遮盖 masked⟧"
"""What stands for a masked word or phrase, and for a detector that has no placeholder of its own."""

_NUMBER = frozenset("0123456789+-.eE")


def placeholder(detector: str) -> str:
    """Return what stands for a span that `detector` found."""
    return PLACEHOLDERS.get(detector, MASKED)


class Spanned(Protocol):
    """Anything with a detector and a span: a raw finding or a judged one."""

    @property
    def detector(self) -> str:
        """Name of the detector."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last character."""


class Redactor:
    """Passes text on piece by piece, a placeholder in place of every masked span.

    Overlapping spans, and touching ones of one detector, become one placeholder, that of the first.  With `as_json`
    the text is JSON source: a span in a bare number takes the whole number and is put in quotes, so JSON stays valid.

    Example:
        >>> Redactor().pass_on("tel 13812345678.", 0, [RawHit("p", "cn_mobile", 4, 15)])
        'tel ⟦手机号 mobile⟧.'
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json
        self._masked_until = 0
        self._last = ""
        self._is_in_string = False
        self._is_escaped = False
        self._is_bare = False

    def pass_on(self, text: str, at: int, spans: Sequence[Spanned]) -> str:
        """Return what of the next piece may be passed on.

        Args:
            text: The next piece.
            at: Offset of the piece in the whole text.
            spans: Spans that begin in this piece, by start; they may reach past its end.
        """
        if not (spans or self._as_json) and self._masked_until <= at:
            return text
        out: list[str] = []
        here, end = at, at + len(text)
        for span in spans:
            self._copy(out, text, at, here, min(span.start, end))
            here = max(here, min(span.start, end))
            touches = span.start == self._masked_until and span.detector == self._last
            if span.start >= self._masked_until and not touches:
                self._open(out, span)
            self._masked_until, self._last = max(self._masked_until, span.end), span.detector
        self._copy(out, text, at, here, end)
        return "".join(out)

    def is_idle(self, at: int) -> bool:
        """Whether text from a place on is passed on as it is, as long as no further span begins."""
        return not self._as_json and self._masked_until <= at

    def extend(self, until: int) -> None:
        """Let the span last opened reach on to `until`: its end was not yet seen when it was opened."""
        self._masked_until = max(self._masked_until, until)

    def _open(self, out: list[str], span: Spanned) -> None:
        shown = placeholder(span.detector)
        self._is_bare = self._as_json and not self._is_in_string
        if self._is_bare:
            joined = "".join(out)
            out[:] = [joined.rstrip("0123456789+-.eE")]
            shown = f'"{shown}"'
        out.append(shown)

    def _copy(self, out: list[str], text: str, at: int, start: int, end: int) -> None:
        """Copy `[start, end)` but for what is masked, keeping count of JSON strings."""
        if self._as_json:
            self._watch(text[start - at : end - at])
        start = max(start, min(self._masked_until, end))
        if self._is_bare and start == self._masked_until:
            while start < end and text[start - at] in _NUMBER:
                start += 1
            self._masked_until = max(self._masked_until, start)
            self._is_bare = start == end
        out.append(text[start - at : end - at])

    def _watch(self, piece: str) -> None:
        for char in piece:
            if self._is_escaped:
                self._is_escaped = False
            elif char == "\\":
                self._is_escaped = True
            elif char == '"':
                self._is_in_string = not self._is_in_string


def mask(text: str, spans: Iterable[Spanned], *, as_json: bool = False) -> str:
    """Return the text with a placeholder in place of every span given.

    Args:
        text: The original text.
        spans: What to mask: raw findings, or hits whose `done` is `mask`.  The caller chooses.
        as_json: The text is JSON source, and must stay valid JSON.
    """
    return Redactor(as_json=as_json).pass_on(text, 0, sorted(spans, key=lambda span: (span.start, -span.end)))
