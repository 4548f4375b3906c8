"""The client for job runners: fails closed, never counts twice, lets no stop be swallowed."""

import contextlib
import importlib.util
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "examples" / "training" / "safebelt_runner.py"
PLAN = {"datasets": [], "config": ""}


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("safebelt_runner", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner = loaded()


class Scripted:
    """An API that answers reports as a test says; None closes the connection without an answer."""

    def __init__(self, report: Callable[[int, dict[str, Any]], dict[str, Any] | None], lease: int) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.reports, self.report, self.lease, self.state = 0, report, lease, "granted"
        self.lock = threading.Lock()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        with self.lock:
            self.seen.append((path.rpartition("/")[2], body))
            if path.endswith("/reports"):
                self.reports += 1
                return self.report(self.reports, body)
        if path.endswith("/start"):
            return going(self.lease)
        return {"id": "job_x", "state": self.state, "plan": PLAN, "job": {"state": self.state}}

    def said(self, what: str) -> list[dict[str, Any]]:
        return [body for name, body in self.seen if name == what]


def going(lease: int, order: str = "run", why: str = "It may go on.") -> dict[str, Any]:
    return {
        "go_on": order == "run",
        "order": order,
        "why": {"en": why},
        "by": "usr_1",
        "report_again_within_seconds": lease,
    }


@contextlib.contextmanager
def serving(script: Scripted) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._do({})

        def do_POST(self) -> None:
            self._do(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _do(self, body: dict[str, Any]) -> None:
            found = script.answer(self.path, body)
            if found is None:
                self.close_connection = True
                return
            data = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def asked(url: str):
    return runner.Safebelt(url, "token").ask("training", "sys_x", "test", flop=1.0, steps=1)


def test_a_run_counts_its_steps_and_says_what_it_made(tmp_path: Path) -> None:
    made = tmp_path / "model"
    made.write_bytes(b"weights")
    script = Scripted(lambda _n, _b: going(60), lease=60)
    with serving(script) as url, asked(url).wait() as job:
        for step in job.steps(range(5), flop_each=2.0, report_every_seconds=0.0):
            job.measure(loss=1 / (step + 1))
        job.made(str(made))

    told = script.said("reports")
    assert [one["number"] for one in told] == list(range(1, 7))
    assert (told[-1]["step"], told[-1]["flop"], told[-1]["metrics"]) == (5, 10.0, {"loss": 0.2})
    assert script.said("finish") == [{"outcome": "finished", "artefact": runner.digest(str(made)), "note": ""}]


def test_a_report_whose_answer_was_lost_is_sent_again_with_its_number() -> None:
    script = Scripted(lambda n, _b: None if n <= 2 else going(60), lease=60)
    with serving(script) as url, asked(url).wait() as job:
        for _ in job.steps(range(1)):
            pass

    assert [one["number"] for one in script.said("reports")] == [1, 1, 1]


def test_a_stop_is_raised_and_not_swallowed_and_the_end_is_told() -> None:
    script = Scripted(lambda n, _b: going(60, "stop", "odd accuracy") if n == 3 else going(60), lease=60)
    done = 0
    with serving(script) as url, pytest.raises(runner.Stopped, match="usr_1: odd accuracy"), asked(url).wait() as job:
        for _ in job.steps(range(100), report_every_seconds=0.0):
            with contextlib.suppress(Exception):
                done += 1

    assert (done, len(script.said("reports")), script.said("finish")[0]["outcome"]) == (3, 3, "stopped")


def test_a_safebelt_that_cannot_be_reached_for_the_lease_stops_the_job() -> None:
    script = Scripted(lambda _n, _b: None, lease=1)
    with serving(script) as url, pytest.raises(runner.Stopped, match="could not be reached"), asked(url).wait() as job:
        for _ in job.steps(iter(int, 1), report_every_seconds=0.0):
            pass


def test_silence_alone_ends_a_loop_that_never_reports() -> None:
    script = Scripted(lambda _n, _b: None, lease=1)
    with serving(script) as url, pytest.raises(runner.Stopped), asked(url).wait() as job:
        while True:
            job.check()
            time.sleep(0.02)


def test_the_heartbeat_reports_while_a_step_takes_long() -> None:
    heard = threading.Event()
    script = Scripted(lambda n, _b: (heard.set() if n == 2 else None) or going(1), lease=1)
    with serving(script) as url, asked(url).wait():
        assert heard.wait(20)

    assert {one["step"] for one in script.said("reports")} == {0}


def test_a_pause_holds_the_loop_until_it_may_go_on() -> None:
    script = Scripted(lambda n, _b: going(1, "pause") if n in (2, 3) else going(1), lease=1)
    with serving(script) as url, asked(url).wait() as job:
        steps = [(step, script.reports) for step in job.steps(range(4), report_every_seconds=0.0)]

    assert [step for step, _ in steps] == [0, 1, 2, 3]
    assert steps[2][1] >= 4  # the third step waited until the fourth report had lifted the pause


def test_a_decorated_function_runs_only_after_a_grant() -> None:
    script, ran = Scripted(lambda _n, _b: going(60), lease=60), []
    script.state = "refused"
    with serving(script) as url:
        train = runner.Safebelt(url, "token").gated("training", "sys_x", "test", flop=1.0, steps=1)(ran.append)
        with pytest.raises(runner.Refused, match="refused"):
            train()
        assert ran == []
        script.state = "granted"
        train()

    assert [job.id for job in ran] == ["job_x"]


def test_a_wrapped_program_is_killed_with_everything_it_started_when_the_job_is_stopped(tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    child = f"import time, pathlib\nwhile True:\n    pathlib.Path({str(beat)!r}).write_text(str(time.time())); time.sleep(0.05)"
    script = Scripted(lambda n, _b: going(1, "stop", "enough") if beat.exists() else going(1), lease=1)
    command = [
        sys.executable,
        str(FILE),
        "--system",
        "sys_x",
        "--purpose",
        "x",
        "--flop",
        "1",
        "--",
        sys.executable,
        "-c",
    ]
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    with serving(script) as url:
        env = {"SAFEBELT_URL": url, "SAFEBELT_TOKEN": "token"}
        done = subprocess.run([*command, parent], env=env, capture_output=True, text=True, timeout=60, check=False)
    last = beat.read_text()

    assert (done.returncode, "enough" in done.stderr) == (3, True), done.stderr
    time.sleep(0.3)
    assert beat.read_text() == last
