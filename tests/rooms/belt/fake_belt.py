"""An OpenAI-compatible server of a dozen lines, in the belt's place: the doors are under test here, not the belt."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeBelt:
    """Answers `hello there`, or an error, as the belt would."""

    def __init__(self, *, record: str, status: int = 200) -> None:
        self.keys: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(200, "application/json", json.dumps({"data": [{"id": "smollm2"}]}).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.keys.append(self.headers["authorization"])
                if status != 200:
                    error = {
                        "message": "The input was refused by a rule of this class: Prompt injection.",
                        "code": "content_filter",
                    }
                    self._send(status, "application/json", json.dumps({"error": error}).encode())
                elif body["stream"]:
                    pieces = [{"choices": [{"delta": {"content": piece}}]} for piece in ("hello", " there")]
                    lines = [f"data: {json.dumps(piece)}\n\n" for piece in pieces]
                    self._send(200, "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]).encode())
                else:
                    answer = {"choices": [{"message": {"content": "hello there"}}]}
                    self._send(200, "application/json", json.dumps(answer).encode())

            def _send(self, code: int, kind: str, body: bytes) -> None:
                self.send_response(code)
                for name, value in (
                    ("content-type", kind),
                    ("content-length", str(len(body))),
                    ("x-safebelt-record", record),
                ):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
