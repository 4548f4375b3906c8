"""A belt elsewhere keeps its identity alive across every expiry: real console, real belt, months in seconds.

The belt has a home of its own and no token: its first certificate was asked for by a person, every other by the key of
the one before.  Then the house falls silent, and the belt says so, and finally that its time is over.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.browser.conftest import Serving
from tests.journeys.fast import SharedClock
from tests.journeys.home import PLAIN, Home, wait_for
from tests.rooms.certificates.house import spare_keys
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service
from tests.rooms.rulebook.house import law

from safebelt.app import House
from safebelt.kernel.actors import OWNER, Role
from safebelt.rooms.certificates.model import Filter, Found
from safebelt.rooms.certificates.service import read_note
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.run.doors import web
from safebelt.settings import Settings

BEGIN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AXES = ("chain", "validity", "purpose", "revocation", "registration", "log")
LOOKS = 0.1
"""Seconds of real time between two looks of the belt."""
HANG_SECONDS = 120.0
"""Waits here only bound a hang."""


class World:
    """A house with an authority and a system in service, and a belt elsewhere that guards it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SharedClock(folder / "clock")
        self.clock.set(BEGIN)
        self.house = House(Settings(home=folder / "house", database_url=f"sqlite:///{folder / 'house.db'}"))
        self.house.clock = self.clock
        self.house.rulebook.__dict__["law"] = law()
        self.system = into_service(self.house.registry, enter(self.house.registry, DESCRIBED).id)
        self.certificates._makes_key = spare_keys()
        self.certificates.found(Found(organization="Mingli", country="CN", issuer=Issuer.SELF), by=OWNER)
        self.console = Serving(web(self.house))
        self.belt = Home(
            folder / "belt",
            identity_system=self.system.id,
            identity_authority=self.console.url,
            identity_seconds=str(LOOKS),
        )
        self.calls = httpx2.Client(verify=PLAIN, timeout=HANG_SECONDS)
        self.line: HTTPConnection | None = None
        self.challenges, self.is_silent = 0, False

    def move_in(self) -> None:
        """Let the belt live in the house itself, as `up` has it: the settings name the system, and that is all."""
        settings = self.house.settings
        named = {"identity_system": self.system.id, "database_url": settings.database_url}
        self.belt = Home(settings.home, identity_seconds=str(LOOKS), **named)
        here = House(settings.model_copy(update={**named, "belt_url": self.belt.belt}))
        here.clock = self.clock
        here.__dict__["sql"] = self.house.sql
        self.console.stop()
        self.console = Serving(web(here))

    @property
    def folder(self) -> Path:
        """Where the belt keeps its identity."""
        return self.belt.folder / "keys" / "identities" / self.system.id

    @property
    def certificates(self) -> Any:
        return self.house.certificates

    def enrol(self, folder: Path) -> dict[str, Any]:
        """What a person does once, with a token of theirs."""
        user = self.house.access.add_user("olga", [Role.OPERATOR], password="a long enough password 7", by=OWNER).user
        token = folder / "token"
        token.write_text(self.house.access.issue_token(user.name, name="belt", days=30, by=OWNER).secret + "\n")
        said = self.belt.json(
            "certificates", "agent", "enrol", self.system.id,
            "--authority", self.console.url, "--place", self.belt.belt,
            "--folder", str(self.folder), "--token-file", str(token),
        )  # fmt: skip
        token.unlink()
        return said

    @contextmanager
    def serving(self, folder: Path) -> Iterator[None]:
        """Keep the belt's process running meanwhile."""
        with (folder / "belt.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.journeys.fast", str(folder / "clock")],
                env=self.belt.env, cwd=Path(__file__).parents[2], stdout=log, stderr=log,
            )  # fmt: skip
        try:
            wait_for(f"{self.belt.belt}/health", process)
            yield
        finally:
            process.terminate()
            process.wait(30)

    def health(self) -> dict[str, Any]:
        return self.calls.get(f"{self.belt.belt}/health").json()["identity"]

    def challenge(self) -> tuple[int, dict[str, Any]]:
        """Ask the belt who it is, always on one and the same connection: it is not made anew where it was dropped."""
        self.challenges += 1
        if self.line is None:
            self.line = HTTPConnection("127.0.0.1", self.belt.belt_port, timeout=HANG_SECONDS)
            self.line.connect()
            self.line.auto_open = 0
        self.line.request("GET", f"/.well-known/safebelt/identity?nonce={self.challenges:032}")
        answer = self.line.getresponse()
        return answer.status, json.loads(answer.read())

    def checked(self) -> str:
        """Challenge the belt, have its certificate checked at this moment, and return its serial number."""
        status, said = self.challenge()
        assert status == 200, said
        text = said["text"].splitlines()
        assert text[2:4] == [f"place {self.belt.belt}", f"nonce {self.challenges:032}"]
        found = self.calls.post(f"{self.console.url}/api/certificates/check", json={"certificate": said["chain"]})
        axes = {axis: answer["verdict"] for axis, answer in found.json()["axes"].items()}
        assert axes == dict.fromkeys(AXES, "ok"), f"{self.clock()}: {axes}"
        return str(found.json()["serial"])

    def until(self, holds: Callable[[], bool], seconds: float = HANG_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.health()
            time.sleep(0.01)

    def keep_house(self) -> None:
        """What the work process does by itself."""
        self.certificates.keep_parts()
        self.house.ledger.advance()

    def live(self, days: int, *, step: int) -> list[str]:
        """Let that many days pass, and look at every step; return the serial numbers in the order they came."""
        serials = [self.checked()]
        for _ in range(0, days, step):
            self.clock.move(days=step)
            self.keep_house()
            self.until(lambda: self.health()["state"] == "good")
            if (serial := self.checked()) != serials[-1]:
                serials.append(serial)
        return serials


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.calls.close()
    if found.line:
        found.line.close()
    if not found.is_silent:
        found.console.stop()
    found.house.close()


def test_a_belt_renews_itself_across_expiries_says_when_nobody_answers_and_ends_in_the_open(
    world: World, tmp_path: Path
) -> None:
    first = world.enrol(tmp_path)
    world.house.ledger.advance()
    with world.serving(tmp_path):
        world.until(lambda: world.health()["state"] == "good")

        serials = world.live(280, step=14)

        assert len(serials) == len(set(serials)) >= 5 and serials[0] == first["serial"]
        _the_log_tells(world, serials)
        _is_suspended_and_resumed(world, serials[-1])
        _falls_silent(world, serials[-1])
    log = (tmp_path / "belt.log").read_text()
    assert "belt.identity_not_renewed" in log and serials[1] in log
    assert "Traceback" not in log, log


def _the_log_tells(world: World, serials: list[str]) -> None:
    """One entry for each, and each but the first by the key of the one before."""
    entries = world.house.ledger.entries(kind="certificates.issued.v1", limit=200)[::-1]
    assert [entry.data["serial"] for entry in entries] == serials
    assert [entry.actor for entry in entries[1:]] == [f"crt_{serial}" for serial in serials[:-1]]
    assert world.certificates.certificates(Filter()).total == len(serials)


def _is_suspended_and_resumed(world: World, last: str) -> None:
    """What the house suspends, the belt proves no more, told by a signed answer over the line; and again when resumed."""
    world.certificates.suspend(last, reason="a complaint", by=OWNER)
    world.clock.move(minutes=2)
    world.until(lambda: world.health()["state"] == "taken-back")
    status, refused = world.challenge()
    assert status == 409 and "is suspended" in refused["en"]["detail"]
    world.certificates.resume(last, reason="unfounded", by=OWNER)
    world.clock.move(minutes=2)
    world.until(lambda: world.challenge()[0] == 200)


def _falls_silent(world: World, last: str) -> None:
    """The house is gone: the belt goes on proving what still counts, says that it is due, and then that it is over."""
    world.console.stop()
    world.is_silent = True
    said = set[str]()
    ends = datetime.fromisoformat(world.health()["until"])
    while world.clock() < ends:
        health, (status, _) = world.health(), world.challenge()
        said.add(health["state"])
        assert status == 200 and health["serial"] == last
        world.clock.move(days=10)
        world.until(lambda: world.clock() > ends or world.health()["state"] != "due" or world.health()["failures"] > 0)
    status, refused = world.challenge()

    assert said == {"good", "due"} and world.health()["state"] == "over"
    assert status == 409 and "is over" in refused["en"]["detail"] and "signature" not in refused
    noted = read_note(world.folder)
    assert noted and noted.serial == last and noted.failures > 0 and noted.problem and noted.problem.zh


def test_a_belt_in_its_own_house_needs_no_token_and_the_console_shows_its_identity(
    world: World, tmp_path: Path
) -> None:
    world.move_in()
    with world.serving(tmp_path):
        world.until(lambda: world.health()["state"] == "good")
        world.house.ledger.advance()
        first = world.checked()
        world.clock.move(days=61)
        world.keep_house()
        world.until(lambda: world.health()["state"] == "good" and world.health()["serial"] != first)
        world.house.ledger.advance()
        second = world.checked()
        shown = {lang: _console(world, lang) for lang in ("zh", "en")}
    world.clock.move(days=91)  # only now: a belt that still runs would renew itself

    assert second[:12] in shown["en"] and "in its time" in shown["en"] and "有效" in shown["zh"]
    assert "/en/certificates/challenge?address=" in shown["en"]
    assert "over" in _console(world, "en")  # told from what the belt wrote down, though it runs no more


def _console(world: World, lang: str) -> str:
    """The belt's page as its reader sees it, without all that has no identity in it."""
    user = f"reader-{lang}"
    if user not in {each.name for each in world.house.access.users()}:
        world.house.access.add_user(user, [Role.OVERSEER], password="a long enough password 7", by=OWNER)
    token = world.house.access.issue_token(user, name="page", days=30, by=OWNER).secret
    page = world.calls.get(f"{world.console.url}/{lang}/belt", headers={"authorization": f"Bearer {token}"})
    assert page.status_code == 200, page.text
    return page.text.partition('id="identity-title"')[2].partition("</section>")[0]


@pytest.mark.soak
def test_four_years_of_a_belt_pass_without_a_gap(world: World, tmp_path: Path) -> None:
    world.enrol(tmp_path)
    world.house.ledger.advance()
    with world.serving(tmp_path):
        world.until(lambda: world.health()["state"] == "good")
        serials = list[str]()
        for _ in range(4):
            serials += world.live(360, step=6)
            world.certificates.renew_root_list(by=OWNER)
        distinct = list(dict.fromkeys(serials))

        assert len(distinct) >= 22
        _the_log_tells(world, distinct)
