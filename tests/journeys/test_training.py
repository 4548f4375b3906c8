"""A real training asks, is refused, is granted by a named person, reports, and is stopped; another one is put into service."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.journeys.home import PLAIN, Home, scripted_upstream
from tests.rooms.registry.training_cases import forecast

from safebelt.app import House
from safebelt.kernel.actors import OWNER, Role
from safebelt.rooms.registry.model import PersonRole
from safebelt.rooms.registry.model.lifecycle import Attest
from safebelt.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples" / "training"
LEASE = 20
"""Seconds a runner may be silent; a stop is heard with the next heartbeat, after a third of it at the latest."""


@dataclass
class Training:
    """One start of the example, as a process of its own."""

    process: subprocess.Popen[str]
    job: str = ""
    errors: list[str] = field(default_factory=list)

    def ended(self, seconds: float = 60) -> int:
        _, said = self.process.communicate(timeout=seconds)
        self.errors.append(said)
        return self.process.returncode


class Site:
    """A running house with a forecasting system, a runner and an overseer, each with a token of their own."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.folder = home, folder
        house = House(Settings(home=home.folder))
        system = forecast(house.registry)
        self.system = system.id
        self.person = system.current(PersonRole.OVERSEER)[0].id
        tomorrow = date.today() + timedelta(days=1)  # noqa: DTZ011  whichever day it is: it only must not be over
        attest = Attest(
            kind="stop_control_test", statement="停过一次 stopped once", expires_on=tomorrow, person_id=self.person
        )
        house.registry.attest(self.system, attest, by=OWNER)
        self.tokens = {}
        for name, role in (("runner", Role.RUNNER), ("overseer", Role.OVERSEER)):
            user = house.access.add_user(name, [role], by=OWNER).user
            self.tokens[name] = house.access.issue_token(user.id, name="journey", days=1, by=OWNER).secret
        house.close()

    def as_(self, name: str, path: str, body: object = None) -> Any:
        """Ask the API as one of the two."""
        headers = {"authorization": f"Bearer {self.tokens[name]}"}
        url = f"{self.home.console}/api/registry{path}"
        with httpx2.Client(headers=headers, verify=PLAIN) as calls:
            answer = calls.get(url) if body is None else calls.post(url, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def job(self, job: str) -> dict[str, Any]:
        return self.as_("overseer", f"/jobs/{job}")["job"]

    def train(self, *arguments: str, out: str = "model.npz", program: tuple[str, ...] = ("train.py",)) -> Training:
        """Start a program that asks, and return once its question is here."""
        env = os.environ | {"SAFEBELT_URL": self.home.console, "SAFEBELT_TOKEN": self.tokens["runner"]}
        command = [sys.executable, str(EXAMPLES / program[0]), *program[1:], "--system", self.system, *arguments]
        if program == ("train.py",):
            command += ["--out", str(self.folder / out)]
        process = subprocess.Popen(
            command, env=env, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("job_"), process.communicate()[1]
        return Training(process, said.split()[0])

    def grant(self, job: str) -> dict[str, Any]:
        body = {
            "person_id": self.person,
            "reason": "数据与目的已核对",
            "looked_at": "留出集准确率",
            "lease_seconds": LEASE,
        }
        return self.as_("overseer", f"/jobs/{job}/grant", body)

    def until(self, job: str, holds: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        """Return the job once it is as wanted."""
        deadline = time.monotonic() + seconds
        while not holds(found := self.job(job)):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, prepared: Callable[[Path], Path]) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("training")
    with scripted_upstream() as (upstream, _):
        home = Home(prepared(folder / "home"), upstream=upstream)
        with home.up():
            yield Site(home, folder)


def is_learning(job: dict[str, Any]) -> bool:
    return job["state"] == "running" and job["progress"]["number"] >= 2 and "accuracy" in job["progress"]["metrics"]


def test_a_training_that_is_refused_does_not_train(site: Site) -> None:
    training = site.train(out="refused.npz")

    site.as_("overseer", f"/jobs/{training.job}/refuse", {"reason": "目的不清 the purpose is not clear"})

    assert training.ended() == 2
    assert (site.job(training.job)["state"], list(site.folder.glob("refused*"))) == ("refused", [])


def test_a_person_stops_a_training_and_its_process_ends_by_itself(site: Site) -> None:
    training = site.train("--epochs", "100000", out="stopped.npz")
    assert site.grant(training.job)["state"] == "granted"
    learning = site.until(training.job, is_learning)

    site.as_("overseer", f"/jobs/{training.job}/stop", {"reason": "准确率异常 odd accuracy"})

    assert training.ended(LEASE + 10) == 3
    stopped = site.job(training.job)
    assert "odd accuracy" in training.errors[0]
    assert learning["progress"]["metrics"]["accuracy"] > 0.5
    assert (stopped["state"], stopped["stop"]["heeded_at"] is not None, stopped["stop"]["disobeyed"]) == (
        "stopped",
        True,
        0,
    )
    assert (stopped["version_id"], (site.folder / "stopped.npz").exists()) == ("", False)


def test_the_stop_control_stops_a_training_too(site: Site) -> None:
    training = site.train("--epochs", "100000", out="cut.npz")
    site.grant(training.job)
    site.until(training.job, is_learning)

    site.home.json("belt", "stop", "--reason", "everything")

    assert training.ended(LEASE + 10) == 3
    assert site.job(training.job)["stop"]["halt"]["cause"] == "control"
    site.home.json("belt", "resume", "--reason", "next test")


def test_what_a_finished_training_made_is_put_into_service_by_a_named_person(site: Site) -> None:
    training = site.train("--epochs", "3", out="good.npz")
    site.grant(training.job)

    assert training.ended() == 0, training.errors
    done = site.job(training.job)
    assert (done["state"], (site.folder / "good.npz").exists()) == ("finished", True)
    promotion = site.train(
        "--kind", "promotion", "--version", done["version_id"], "--purpose", "上线", program=("safebelt_runner.py",)
    )
    assert site.grant(promotion.job)["state"] == "finished"
    assert promotion.ended() == 0
    ledger = json.dumps(site.home.json("ledger", "list", "--subject", site.system))
    assert "registry.version_promoted.v1" in ledger
