"""A whole Safebelt in a test: real processes, real ports, real files, in a home of its own."""

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
from tests.ports import free_port

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For calls over plain HTTP: else each reads all the world's authorities first, which takes longer than the call."""


class Home:
    """A `SAFEBELT_HOME` with its own ports, and the command line to work on it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.console_port, self.belt_port, self.model_port = free_port(), free_port(), free_port()
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SAFEBELT_")},
            "SAFEBELT_HOME": str(folder),
            "SAFEBELT_CONSOLE_PORT": str(self.console_port),
            "SAFEBELT_BELT_PORT": str(self.belt_port),
            "SAFEBELT_MODEL_PORT": str(self.model_port),
            "SAFEBELT_ADMIN_PASSWORD": "test-password-of-the-admin",
            **{f"SAFEBELT_{name.upper()}": value for name, value in settings.items()},
        }

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def belt(self) -> str:
        return f"http://127.0.0.1:{self.belt_port}"

    @property
    def key(self) -> str:
        return (self.folder / "keys" / "demo.key").read_text().strip()

    def run(self, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run one command of the command line."""
        command = [sys.executable, "-m", "safebelt", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=timeout, check=False)

    def json(self, *arguments: str) -> Any:
        """Run one command with `--format json` and return what it says."""
        done = self.run(*arguments, "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a process of the house and return at once."""
        log = (self.folder.parent / f"{arguments[-1]}.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "safebelt", *arguments], env=self.env, stdout=log, stderr=log
            )

    @contextlib.contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        """Keep everything running meanwhile."""
        process = self.start("up")
        try:
            wait_for(f"{self.console}/health", process)
            wait_for(f"{self.belt}/health", process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    """Wait until an address answers; fail where the process ends before."""
    deadline = time.monotonic() + seconds
    with httpx2.Client(timeout=2, verify=PLAIN) as calls:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.HTTPError):
                if calls.get(url).status_code == 200:
                    return
            assert process.poll() is None, f"the process ended with {process.returncode}"
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer in {seconds} s")


class _Upstream(BaseHTTPRequestHandler):
    """Says what the last message asks for after `SAY `, streamed one character per chunk where asked."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._json({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append(body)  # type: ignore[attr-defined]
        said = body["messages"][-1]["content"].partition("SAY ")[2] or "ok"
        if not body.get("stream"):
            message = {"role": "assistant", "content": said}
            self._json(
                {
                    "id": "c",
                    "object": "chat.completion",
                    "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                }
            )
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(OSError):
            endless = said.startswith("FOREVER")
            for char in iter(lambda: "word ", "") if endless else said:
                self._event({"index": 0, "delta": {"content": char}, "finish_reason": None})
                if endless:
                    time.sleep(0.01)
            self._event({"index": 0, "delta": {}, "finish_reason": "stop"})
            self._chunk(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

    def _event(self, choice: dict[str, Any]) -> None:
        data = {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}
        self._chunk(b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _json(self, data: Any) -> None:
        payload = json.dumps(data, ensure_ascii=False).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A caller that is killed is what these trials are about."""


@contextlib.contextmanager
def scripted_upstream() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An OpenAI-compatible server that says what it is told; yields its address and what it was sent."""
    server = _QuietServer(("127.0.0.1", 0), _Upstream)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", server.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
