"""A time-stamping authority for the C2PA engine, which asks one over HTTP and in no other way.

For as long as one manifest is made, an address of this machine alone answers its query, out of this very process; then
it is gone.  Nothing leaves the machine, and nobody else is asked.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

Stamp = Callable[[bytes], bytes]
"""Answers a time-stamp query (RFC 3161, DER); may raise a `Problem`."""
_MAX_QUERY = 4096
"""A query has under two hundred octets."""
_SECONDS = 10.0
_KIND = "application/timestamp-reply"  # RFC 3161, 3.4


@contextmanager
def answering(stamp: Stamp | None) -> Iterator[str | None]:
    """Give an address at which time-stamp queries are answered while the block runs; None where there is no stamper.

    Raises:
        Exception: Whatever the stamper raised, once the block has ended: without a stamp nothing is to be signed.
    """
    if stamp is None:
        yield None
        return
    failed = list[Exception]()
    path = f"/{secrets.token_urlsafe(16)}"
    server = HTTPServer(("127.0.0.1", 0), _handler(stamp, path, failed))
    server.timeout = _SECONDS
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{path}"
    except Exception as error:
        raise (failed[0] if failed else error) from error
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    if failed:
        raise failed[0]


def _handler(stamp: Stamp, path: str, failed: list[Exception]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_POST(self) -> None:
            size = self.headers.get("content-length", "")
            if self.path != path or not size.isdecimal() or int(size) > _MAX_QUERY:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            try:
                answer = stamp(self.rfile.read(int(size)))
            except Exception as error:  # noqa: BLE001  whoever signs is told, in the other thread
                failed.append(error)
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("content-type", _KIND)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing: a terminal is for people."""

    return Handler
