"""Ask Safebelt before you train, report while you do, end when you are told.  Standard library only; copy it freely.

    safebelt = Safebelt("http://127.0.0.1:8800", token)
    job = safebelt.ask("training", "sys_…", "new quarter", datasets=[digest("data.csv")], flop=1e12, steps=1000)
    with job.wait():                                  # blocks until a person grants it; raises Refused otherwise
        for batch in job.steps(batches):              # raises Stopped when somebody stops it
            job.measure(loss=train_on(batch))
        job.made("model.npz")                         # its digest becomes a proposed version

It fails closed: if Safebelt cannot be reached for as long as the grant's lease, `Stopped` is raised.
Around any other program:  python safebelt_runner.py --system sys_… --purpose "…" --flop 1e12 -- python train.py
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Refused(Exception):  # noqa: N818
    """A person refused the job, or nobody granted it in time."""


class Stopped(BaseException):
    """The job must end now.  Not an `Exception`, so that `except Exception` in a training loop cannot swallow it."""


class Unreachable(Exception):  # noqa: N818
    """Safebelt did not answer; a repeated call does no harm."""


def digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Safebelt:
    """A Safebelt and the token of a job runner."""

    def __init__(self, url: str = "", token: str = "", timeout_seconds: float = 10.0) -> None:
        self.url = (url or os.environ.get("SAFEBELT_URL", "http://127.0.0.1:8800")).rstrip("/")
        self._token = token or os.environ["SAFEBELT_TOKEN"]
        self._timeout = timeout_seconds
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"not an address of Safebelt: {self.url}")

    def call(self, path: str, body: object = None, timeout: float | None = None) -> Any:
        """Ask the API; raise `Unreachable` where asking again may help, `Refused` where it will not."""
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/registry/jobs{path}", data, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=timeout or self._timeout) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")
            if error.code == 429 or error.code >= 500:
                raise Unreachable(said) from error
            raise Refused(f"{error.code}: {said}") from error
        except (OSError, ValueError) as error:
            raise Unreachable(str(error)) from error

    def ask(self, kind: str, system: str, purpose: str, *, model: str = "", version: str = "", **plan: Any) -> Job:
        """Ask for a job; `plan` takes base_model, datasets, flop, steps, config and target."""
        body = {"kind": kind, "system_id": system, "purpose": purpose, "model_id": model, "version_id": version}
        return Job(self, self.call("", {**body, "plan": plan}))

    def gated(
        self, kind: str, system: str, purpose: str, **plan: Any
    ) -> Callable[[Callable[[Job], T]], Callable[[], T]]:
        """Decorate a function that trains: it gets the job, and runs only once a person has granted it."""

        def decorate(train: Callable[[Job], T]) -> Callable[[], T]:
            @wraps(train)
            def gated() -> T:
                with self.ask(kind, system, purpose, **plan).wait() as job:
                    return train(job)

            return gated

        return decorate


class Job:
    """A job: wait for its grant, run it as a context, count its steps, say what it made."""

    def __init__(self, safebelt: Safebelt, asked: dict[str, Any]) -> None:
        self.id: str = asked["id"]
        self.state: str = asked["state"]
        self._safebelt, self._plan = safebelt, asked["plan"]
        self._lock, self._over = threading.RLock(), threading.Event()
        self._number, self._step, self._flop, self._lease = 0, 0, 0.0, 60.0
        self._metrics: dict[str, float] = {}
        self._order, self._why, self._artefact = "run", "", ""
        self._heard = self._sent = time.monotonic()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def wait(self, every_seconds: float = 2.0) -> Job:
        """Block until a person grants it.  A promotion comes back finished: its grant carries it out."""
        while self.state == "asked":
            with contextlib.suppress(Unreachable):  # nothing runs yet, and the question still stands
                self.state = self._safebelt.call(f"/{self.id}")["job"]["state"]
            if self.state == "asked":
                time.sleep(every_seconds)
        if self.state not in ("granted", "finished"):
            raise Refused(f"{self.id} is {self.state}")
        return self

    def __enter__(self) -> Job:
        body = {"datasets": self._plan["datasets"], "config": self._plan["config"]}
        self._heard = time.monotonic()
        self._take(self._safebelt.call(f"/{self.id}/start", body), self._heard)
        self._heart.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._heart.join()
        if kind is None and self._order == "stop":
            self._end("stopped")
            raise Stopped(self._why)
        self._end("finished" if kind is None else "stopped" if kind is Stopped else "failed", str(error or ""))

    def steps(self, items: Iterable[T], *, flop_each: float = 0.0, report_every_seconds: float = 1.0) -> Iterator[T]:
        """Yield the items while the job may go on; report at most every so often, and at the end."""
        for item in items:
            self.check()
            yield item
            self._step, self._flop = self._step + 1, self._flop + flop_each
            if time.monotonic() - self._sent >= report_every_seconds:
                self.report()
        self.report()
        self.check()

    def measure(self, **metrics: float) -> None:
        """Keep measures for the next report."""
        self._metrics = {name: float(value) for name, value in metrics.items()}

    def made(self, path: str) -> str:
        """Say which file came of it; its digest becomes a proposed version."""
        self._artefact = digest(path)
        return self._artefact

    def check(self) -> None:
        """Return if the job may go on; wait while it is paused; raise `Stopped` if it must end."""
        while self._order == "pause" and time.monotonic() - self._heard < self._lease:
            time.sleep(min(0.2, self._lease / 10))
        if self._order != "stop" and time.monotonic() - self._heard >= self._lease:
            self._order, self._why = "stop", "Safebelt could not be reached for as long as the lease"
        if self._order == "stop":
            raise Stopped(self._why)

    def report(self) -> None:
        """Report once.  A failed call is repeated with the same number: nothing is ever counted twice."""
        with self._lock:
            if self._order == "stop":
                return
            number = self._number + 1
            body = {"number": number, "step": self._step, "flop": self._flop, "metrics": dict(self._metrics)}
            self._sent = time.monotonic()
            while self._order != "stop":
                began = time.monotonic()
                left = self._lease - (began - self._heard)
                if left <= 0:
                    self._order, self._why = "stop", "Safebelt could not be reached for as long as the lease"
                    return
                try:
                    answer = self._safebelt.call(f"/{self.id}/reports", body, timeout=max(0.1, min(10.0, left)))
                except Unreachable:
                    time.sleep(min(0.5, left))
                    continue
                except Refused as error:
                    self._order, self._why = "stop", str(error)
                    return
                self._number = number
                self._take(answer, began)
                return

    def _take(self, answer: dict[str, Any], sent: float) -> None:
        self._heard = sent  # counted from sending, not from the answer: never later than Safebelt counts it
        self._order, self._why = answer["order"], f"{answer['by']}: {answer['why']['en']}"
        self._lease = float(answer["report_again_within_seconds"] or self._lease)

    def _beat(self) -> None:
        while not self._over.wait(self._lease / 3) and self._order != "stop":
            self.report()

    def _end(self, outcome: str, note: str = "") -> None:
        body = {"outcome": outcome, "artefact": self._artefact if outcome == "finished" else "", "note": note[:200]}
        for pause in (0.5, 1.0, 2.0, 0.0):
            try:
                self.state = self._safebelt.call(f"/{self.id}/finish", body)["state"]
                return
            except Unreachable:
                time.sleep(pause)
            except Refused:
                if outcome == "finished":  # what was made is not taken: whoever made it must know
                    self._end("stopped")
                    raise
                return
        if outcome == "finished":
            raise Unreachable("Safebelt does not know that the job finished: what it made is not proposed")


def _run(job: Job, command: list[str]) -> None:
    """Run a program as a job, and end its whole process group when the job must end."""
    child = subprocess.Popen(command, start_new_session=True)  # noqa: S603  the caller's own program
    try:
        while child.poll() is None:
            job.check()
            time.sleep(0.1)
    finally:
        for order in (signal.SIGTERM, signal.SIGKILL):
            if child.poll() is None:
                os.killpg(child.pid, order)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(5)
    if child.returncode:
        raise RuntimeError(f"the program ended with {child.returncode}")


def main() -> int:
    """Ask, wait, run, report.  Exit 0 done, 1 the program failed, 2 refused, 3 stopped."""
    options = argparse.ArgumentParser(description="Run a program as a Safebelt job.")
    options.add_argument("--system", required=True)
    options.add_argument("--purpose", required=True)
    options.add_argument("--kind", default="training", choices=("training", "fine_tuning", "promotion", "self_update"))
    options.add_argument("--version", default="", help="what a promotion makes current")
    options.add_argument("--data", action="append", default=[], help="a dat_… id, or a file (its digest is sent)")
    options.add_argument("--flop", type=float, default=0.0)
    options.add_argument("--artefact", default="", help="the file the program makes")
    options.add_argument("command", nargs=argparse.REMAINDER, help="-- and the program")
    said = options.parse_args()
    data = [one if one.startswith("dat_") else digest(one) for one in said.data]
    command = said.command[1:] if said.command[:1] == ["--"] else said.command
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the program is ended with us
    plan = {"datasets": data, "flop": said.flop, "steps": 1} if said.kind in ("training", "fine_tuning") else {}
    plan |= {"target": digest(said.artefact)} if said.kind == "self_update" else {}
    try:
        job = Safebelt().ask(said.kind, said.system, said.purpose, version=said.version, **plan)
        print(f"{job.id} waits for a person", flush=True)  # noqa: T201
        if job.wait().state == "finished":
            return 0
        with job:
            for _ in job.steps([0], flop_each=said.flop):
                _run(job, command)
            if said.artefact:
                job.made(said.artefact)
    except (Stopped, Refused, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 3 if isinstance(error, Stopped) else 2 if isinstance(error, Refused) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
