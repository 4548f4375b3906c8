"""Logs for machines (JSON) or people (console), from which secrets are taken out before anything is written.

Every line of ours and of the libraries below us passes the same redactor.  It is a safety net: no code is to hand a
secret to the log in the first place.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token|authorization|cookie|credential|private.?key|api.?key|access.?key"
    r"|upstream.?key|signing.?key|session.?id|^key$|^pem$|^otp$|^pin$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    "|".join(
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            r"PRIVATE\+KEY\+\S+",  # signed-note keys (C2SP)
            r"(?i:\b(?:bearer|basic))\s+[A-Za-z0-9._~+/=-]{6,}",
            r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",  # JSON Web Tokens (RFC 7519)
            r"\b(?:sk|sbk|sbt|sb|pat|gh[pousr]|xox[abprs]|hf|AKIA)[-_]?[A-Za-z0-9_-]{16,}\b",
            r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",  # user:password@ in a URL
            r"(?i:\b(?:password|passwd|secret|token|api[_-]?key)\s*[=:]\s*)[^\s,;&'\"]+",
        )
    )
)


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of a line, by the name of a field and by the look of a value, however deep."""
    for name in list(line):
        line[name] = _clean(name, line[name])
    return line


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    if _SECRET_NAME.search(name):
        return REDACTED
    match value:
        case bytes() | bytearray():
            return f"<{len(value)} bytes>"
        case Mapping():
            return {str(k): _clean(str(k), v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean("", item) for item in value]
    return _SECRET_VALUE.sub(REDACTED, str(value))


_TALKATIVE = ("alembic", "httpx2", "httpcore2")
"""Libraries that report every call as information; their warnings still come through."""


def configure(*, is_json: bool, level: str = "INFO", to: TextIO | None = None) -> None:
    """Send every log line, ours and the libraries', to one place.

    Args:
        is_json: One JSON object per line; else aligned text for people.
        level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
        to: Where; standard error if None, so that a command's output stays clean.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    draw: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if is_json else _console()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,  # last, so that traces are cleaned too
            draw,
        ],
    )
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
