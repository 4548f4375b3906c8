"""What recurs of the head of every request to an upstream."""

from functools import lru_cache


@lru_cache(maxsize=256)
def request_head(method: str, target: str, authority: bytes, accept: bytes, key: bytes) -> bytes:
    """Return what recurs of a request's head, each field with its line end."""
    lines = [
        f"{method} {target} HTTP/1.1".encode("ascii", "replace"),
        b"host: " + authority,
        b"accept: " + accept,
        b"accept-encoding: identity",  # a compressed answer could not be screened as it streams
        b"user-agent: safebelt",
        *((b"authorization: Bearer " + key,) if key else ()),
        *(_anthropic(key) if "/messages" in target else ()),
    ]
    return b"".join(line + b"\r\n" for line in lines)


def _anthropic(key: bytes) -> list[bytes]:
    """Return what Anthropic's interface wants beside: its version, and the key under its own name."""
    return [b"anthropic-version: 2023-06-01", *([b"x-api-key: " + key] if key else [])]
