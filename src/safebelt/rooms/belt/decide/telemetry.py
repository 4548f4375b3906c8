"""What an exchange's records say to other people's tools: one table from recorded facts to OpenTelemetry's names.

Names are those of the semantic conventions for generative AI, version 1.37.0 (status: development), of HTTP and of
errors; what has no name there is `safebelt.…`.  Only facts are read, never content, and a fact of a wrong kind counts
as none: a changed record must stop nothing.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
"""Of the conventions' version whose names are used here."""
COMPLETE, OTHER = "complete", "other"
UNKNOWN_ERROR = "_OTHER"
"""The conventions' own word for an error without a name."""
FINISHES = frozenset(
    {
        "complete",
        "refused",
        "not_admitted",
        "cut",
        "upstream_error",
        "client_gone",
        "records_failed",
        "belt_error",
        "lost",
    }
)
FAILURES = frozenset({"upstream_error", "records_failed", "belt_error", "lost"})
"""Ends at which a span has failed; a refusal is what the belt is for, and a client may go when it likes."""
ACTIONS = frozenset({"allow", "flag", "mask", "refuse"})
UNGUARDED = "unguarded"
"""Told as what was done where nobody screened anything."""
_STANCES = frozenset({"observe", "enforce"})
_MAX_MS, _MAX_TOKENS, _MAX_RULES = 1e10, 2**53, 50
_OPENAI, _ANTHROPIC = "openai", "anthropic"
_ENDPOINTS: Mapping[str, tuple[str, str]] = {
    "/v1/chat/completions": ("chat", _OPENAI),
    "/v1/responses": ("chat", _OPENAI),
    "/v1/messages": ("chat", _ANTHROPIC),
    "/v1/messages/count_tokens": ("count_tokens", _ANTHROPIC),
    "/v1/completions": ("text_completion", _OPENAI),
    "/v1/embeddings": ("embeddings", _OPENAI),
    "/v1/moderations": ("moderation", _OPENAI),
    "/v1/images/generations": ("generate_content", _OPENAI),
    "/v1/audio/speech": ("generate_content", _OPENAI),
    "/v1/audio/transcriptions": ("generate_content", _OPENAI),
    "/v1/audio/translations": ("generate_content", _OPENAI),
    "/v1/videos": ("generate_content", _OPENAI),
    "/mcp": ("execute_tool", ""),
}
"""Operation and provider.  The provider tells the form of the interface, as the conventions want it, not whose model
answers; a path that is not here is *other*, because a caller may write anything there."""
_FAMILIES = ("/v1/videos/", "/mcp/")
"""Paths with a name behind them that does not matter here."""

Value = str | int | float | bool | tuple[str, ...] | None


class Told(NamedTuple):
    """One ended exchange, as far as other tools are told of it.

    Attributes:
        id: `rec_…`.
        ended_ns: When its outcome was written, nanoseconds since 1970.
        system, key: Whose it is; the key's id stands for nobody outside this house.
        endpoint: One of the known interfaces, or *other*.
        model: As recorded, personal data masked.
        is_stream: Whether the answer was streamed.
        done, would: Strictest action (`unguarded` where nothing was screened), and what the policy asked for.
        stance: Observe or enforce.
        rules: Ids of the rules that hit.
        status, finish: As the caller saw it end.
        total_ms, added_ms, upstream_ms: In all, the belt's own part, the model's; what was waited for a person is only
            in the first.
        before_ms: Until the model was asked, all of it where it never was; None where an older record does not say.
        first_byte_ms: Until the model's first byte; 0 where none came.
        tokens_in, tokens_out: By the upstream's own count; None where it gave none.
        upstream: Host and port of who answered.
    """

    id: str
    ended_ns: int
    system: str
    key: str
    endpoint: str
    model: str
    is_stream: bool
    done: str
    would: str
    stance: str
    rules: tuple[str, ...]
    status: int
    finish: str
    total_ms: float
    added_ms: float
    upstream_ms: float
    before_ms: float | None
    first_byte_ms: float
    tokens_in: int | None
    tokens_out: int | None
    upstream: str

    @property
    def operation(self) -> str:
        """The conventions' word for what was asked for."""
        return _ENDPOINTS.get(self.endpoint, (OTHER, ""))[0]

    @property
    def provider(self) -> str:
        """The form of the interface, as the conventions name providers; empty where it has none."""
        return _ENDPOINTS.get(self.endpoint, (OTHER, ""))[1]

    @property
    def error(self) -> str:
        """Why it did not end as it should; empty where it did."""
        return "" if self.finish == COMPLETE else self.finish if self.finish in FINISHES else UNKNOWN_ERROR


def told(record_id: str, intent: Mapping[str, Any], outcome: Mapping[str, Any], at: str) -> Told:
    """Read the facts of both halves; `at` is when the outcome was written."""
    both = (intent, outcome)
    tokens_in, tokens_out = _tokens(outcome.get("usage"))
    return Told(
        id=_text(record_id, 80),
        ended_ns=_nanoseconds(at),
        system=_text(intent.get("system_id"), 80),
        key=_text(intent.get("key_id"), 80),
        endpoint=_endpoint(intent.get("endpoint")),
        model=_text(intent.get("model"), 200),
        is_stream=intent.get("is_stream") is True,
        done=UNGUARDED if UNGUARDED in intent else _strictest([half.get("done") for half in both]),
        would=_strictest([half.get("would") for half in both]),
        stance=_one_of(intent.get("stance"), _STANCES, ""),
        rules=tuple(dict.fromkeys(rule for half in both for rule in _texts(half.get("rules"))))[:_MAX_RULES],
        status=int(_number(outcome.get("status"), 999) or 0),
        finish=_one_of(outcome.get("finish"), FINISHES, OTHER),
        total_ms=_ms(outcome, "total_ms") or 0.0,
        added_ms=_ms(outcome, "added_ms") or 0.0,
        upstream_ms=_ms(outcome, "upstream_ms") or 0.0,
        before_ms=_ms(outcome, "before_ms"),
        first_byte_ms=_ms(outcome, "first_byte_ms") or 0.0,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        upstream=_text(outcome.get("upstream"), 200),
    )


def trace_id(record_id: str) -> str:
    """Return the trace of a record: what is sent twice is the same trace."""
    return _digest("trace", record_id)[:32]


def span_id(record_id: str, which: str) -> str:
    """Return the span of a record: `belt` for the whole exchange, `upstream` for the model's part."""
    return _digest(which, record_id)[:16]


class Attribute(NamedTuple):
    """One row of the table.

    Attributes:
        name: In OpenTelemetry.
        spans: On which spans it stands.
        of: Reads it off an exchange; empty and None are left out.
    """

    name: str
    spans: frozenset[str]
    of: Callable[[Told], Value]


BELT, UPSTREAM = "belt", "upstream"
_BELT, _UPSTREAM, _BOTH = frozenset({BELT}), frozenset({UPSTREAM}), frozenset({BELT, UPSTREAM})
ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("gen_ai.operation.name", _BOTH, lambda t: t.operation),
    Attribute("gen_ai.provider.name", _BOTH, lambda t: t.provider),
    Attribute("gen_ai.request.model", _BOTH, lambda t: t.model),
    # Once only: whoever adds tokens up over spans must not count them twice.
    Attribute("gen_ai.usage.input_tokens", _BELT, lambda t: t.tokens_in),
    Attribute("gen_ai.usage.output_tokens", _BELT, lambda t: t.tokens_out),
    Attribute("http.route", _BELT, lambda t: t.endpoint),
    Attribute("http.response.status_code", _BELT, lambda t: t.status or None),
    Attribute("error.type", _BELT, lambda t: t.error),
    Attribute("error.type", _UPSTREAM, lambda t: t.error if t.finish == "upstream_error" else ""),
    Attribute("server.address", _UPSTREAM, lambda t: server(t)[0]),
    Attribute("server.port", _UPSTREAM, lambda t: server(t)[1]),
    Attribute("safebelt.record", _BELT, lambda t: t.id),
    Attribute("safebelt.system", _BELT, lambda t: t.system),
    Attribute("safebelt.key", _BELT, lambda t: t.key),
    Attribute("safebelt.stream", _BELT, lambda t: t.is_stream),
    Attribute("safebelt.verdict.done", _BELT, lambda t: t.done),
    Attribute("safebelt.verdict.would", _BELT, lambda t: t.would),
    Attribute("safebelt.rules", _BELT, lambda t: t.rules),
    Attribute("safebelt.stance", _BELT, lambda t: t.stance),
    Attribute("safebelt.finish", _BELT, lambda t: t.finish),
    Attribute("safebelt.added_ms", _BELT, lambda t: t.added_ms),
    Attribute("safebelt.before_ms", _BELT, lambda t: t.before_ms),
    Attribute("safebelt.upstream_ms", _BELT, lambda t: t.upstream_ms),
    Attribute("safebelt.first_byte_ms", _BELT, lambda t: t.first_byte_ms),
)


def attributes(of: Told, span: str) -> list[tuple[str, Value]]:
    """Return what one span says of an exchange."""
    found = ((each.name, each.of(of)) for each in ATTRIBUTES if span in each.spans)
    return [(name, value) for name, value in found if value not in ("", (), None)]


def server(of: Told) -> tuple[str, int | None]:
    """Return host and port of who answered."""
    host, colon, port = of.upstream.rpartition(":")
    if colon and port.isascii() and port.isdecimal() and int(port) < 2**16:
        return host.strip("[]"), int(port)
    return of.upstream, None


def status_class(status: int) -> str:
    """Return `2xx` and the like; `none` where the caller got no answer."""
    return f"{status // 100}xx" if 100 <= status <= 599 else "none"


def _digest(which: str, record_id: str) -> str:
    return sha256(f"safebelt/opentelemetry/v1/{which}/{record_id}".encode("utf-8", "replace")).hexdigest()


def _endpoint(value: object) -> str:
    path = _text(value, 200)
    path = next((family.rstrip("/") for family in _FAMILIES if path.startswith(family)), path)
    return path if path in _ENDPOINTS else OTHER


def _tokens(usage: object) -> tuple[int | None, int | None]:
    """Return tokens in and out; Anthropic counts what its cache read and wrote apart, the others within."""
    if not isinstance(usage, Mapping):
        return None, None
    read = [_number(usage.get(name), _MAX_TOKENS) for name in ("prompt_tokens", "input_tokens")]
    cached = [_number(usage.get(f"cache_{what}_input_tokens"), _MAX_TOKENS) or 0 for what in ("creation", "read")]
    written = [_number(usage.get(name), _MAX_TOKENS) for name in ("completion_tokens", "output_tokens")]
    known = [next((int(n) for n in some if n is not None), None) for some in (read, written)]
    return None if known[0] is None else known[0] + int(sum(cached)), known[1]


def _text(value: object, most: int) -> str:
    return value[:most].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [text for each in value if (text := _text(each, 120))] if isinstance(value, list) else []


def _number(value: object, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= most else None  # not so for what is not finite


def _ms(facts: Mapping[str, Any], name: str) -> float | None:
    found = _number(facts.get(name), _MAX_MS)
    return None if found is None else float(found)


def _one_of(value: object, known: frozenset[str], otherwise: str) -> str:
    return value if isinstance(value, str) and value in known else otherwise


_ORDER = ("allow", "flag", "mask", "refuse")


def _strictest(values: list[object]) -> str:
    known = [value for value in values if isinstance(value, str) and value in ACTIONS]
    return max(known, key=_ORDER.index, default=_ORDER[0])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _nanoseconds(at: str) -> int:
    try:
        since = datetime.fromisoformat(at).astimezone(UTC) - _EPOCH
    except (ValueError, OverflowError):
        return 0
    return max(0, (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000)
