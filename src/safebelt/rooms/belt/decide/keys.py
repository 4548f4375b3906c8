"""Judgments about keys: whether terms can be kept, and whether a key still opens."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import SCOPES, Key, KeyTerms, Limit, Measure, Span

MAX_CALLER_CHARS = 120
MAX_LIMIT = 2**53
"""JSON's largest whole number that every reader reads alike (RFC 8259 section 6)."""
WORD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
"""What purpose, user class, region and data class are named by: rules compare them letter by letter."""
_SERVER = re.compile(r"mcp:[A-Za-z0-9_-]{1,60}")
ATTRIBUTES = ("purpose", "user_class", "region", "data_class")


def hold_terms(terms: KeyTerms) -> None:
    """Hold that terms can be kept.

    Raises:
        Invalid: One cannot; the field is named.
    """
    for field, what, hint in _wrong(terms):
        raise Invalid(what=what, hint=hint, details={"field": field})


def _wrong(terms: KeyTerms) -> Iterator[tuple[str, Text, Text]]:
    if len(terms.caller) > MAX_CALLER_CHARS:
        shorter = Text(zh="请写得更短一些。", en="Say it in fewer words.")
        most = Text(
            zh=f"调用方超过 {MAX_CALLER_CHARS} 个字符。", en=f"The caller has more than {MAX_CALLER_CHARS} characters."
        )
        yield "caller", most, shorter
    for scope in terms.scopes:
        if scope not in SCOPES and not _SERVER.fullmatch(scope):
            known = ", ".join(SCOPES)
            yield (
                "scopes",
                Text(zh=f"没有“{scope[:40]}”这个用途范围。", en=f"There is no scope {scope[:40]!r}."),
                Text(zh=f"可用：{known}、mcp:<名称>。", en=f"There are: {known}, and mcp:<name>."),
            )
    yield from _wrong_limits(terms.limits)
    for name in ATTRIBUTES:
        if (value := getattr(terms, name)) and not WORD.fullmatch(value):
            yield (
                name,
                Text(zh=f"“{value[:40]}”不能用作 {name}。", en=f"{value[:40]!r} cannot be a {name}."),
                Text(
                    zh="请用小写字母、数字、点、横线或下划线，至多 60 个字符。",
                    en="Use lower-case letters, digits, dots, dashes or underscores, at most 60.",
                ),
            )


def _wrong_limits(limits: tuple[Limit, ...]) -> Iterator[tuple[str, Text, Text]]:
    once = Text(zh="每种只写一次，且为正整数。", en="Give each once, as a whole number above zero.")
    counts = Counter((limit.measure, limit.span) for limit in limits)
    for limit in limits:
        name = f"{limit.measure.value}/{limit.span.value}"
        if not 1 <= limit.most <= MAX_LIMIT:
            yield (
                "limits",
                Text(
                    zh=f"限额 {name} 不是 1 至 {MAX_LIMIT} 的整数。",
                    en=f"The limit {name} is no whole number from 1 to {MAX_LIMIT}.",
                ),
                once,
            )
        if counts[limit.measure, limit.span] > 1:
            yield "limits", Text(zh=f"限额 {name} 出现多次。", en=f"The limit {name} stands more than once."), once


def read_limits(text: str) -> tuple[Limit, ...]:
    """Read limits as people write them: `requests/minute=60 tokens/day=100000`.

    Raises:
        Invalid: One cannot be read.
    """
    return tuple(_limit(part) for part in re.split(r"[\s,;，；]+", text.strip()) if part)


def _limit(part: str) -> Limit:
    name, _, most = part.partition("=")
    measure, _, span = name.partition("/")
    if measure not in set(Measure) or span not in set(Span) or not (most.isascii() and most.isdecimal()):
        raise Invalid(
            what=Text(zh=f"无法读懂限额“{part[:40]}”。", en=f"The limit {part[:40]!r} cannot be read."),
            hint=Text(
                zh="请写成 requests/minute=60 或 tokens/day=100000；时段：minute、hour、day、month。",
                en="Write it like requests/minute=60 or tokens/day=100000; spans: minute, hour, day, month.",
            ),
            details={"field": "limits"},
        )
    return Limit(measure=Measure(measure), span=Span(span), most=int(most[:17]))


def written_limits(limits: tuple[Limit, ...]) -> str:
    """Return limits as `read_limits` reads them."""
    return " ".join(f"{limit.measure.value}/{limit.span.value}={limit.most}" for limit in limits)


def scope_of(path: str) -> str:
    """Return which scope a path of the belt's port is in: the word after `/v1`, or `mcp:<name>`."""
    _, _, rest = path.partition("/")
    front, _, rest = rest.partition("/")
    word = rest.partition("/")[0]
    return f"mcp:{rest}" if front == "mcp" else word


def opens(key: Key, scope: str) -> bool:
    """Whether a key can be used for a scope."""
    scopes = key.terms.scopes
    return not scopes or scope in scopes or (scope.startswith("mcp:") and "mcp" in scopes)


def is_over(key: Key, now: datetime) -> bool:
    """Whether a key's time is over."""
    return key.expires_at is not None and key.expires_at <= now
