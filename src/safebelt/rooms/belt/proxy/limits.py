"""What one client may ask of the server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may ask of the server.

    Attributes:
        head_bytes: All header fields together; 32 KiB holds any honest bearer token and cookie set.
        body_bytes: The body.
        head_seconds: From a request's first byte to the end of its head: ends a slow-loris.
        body_seconds: From the end of the head to the end of the body.
        idle_seconds: Between two requests on one connection.
        write_seconds: How long a client may refuse to read before it is given up.
        connections: Open connections; one more is told to come back later.
    """

    head_bytes: int = 32 * 1024
    body_bytes: int = 10 * 1024 * 1024
    head_seconds: float = 10.0
    body_seconds: float = 60.0
    idle_seconds: float = 75.0
    write_seconds: float = 60.0
    connections: int = 2048
