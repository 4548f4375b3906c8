"""The agent of a live service keeps its identity alive by itself, and says so where it cannot."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.rooms.certificates.house import csr
from tests.rooms.registry.lifecycle_house import move

from safebelt.engines.clock import real_chance
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.cli import agents as cli
from safebelt.rooms.certificates.cli.agents import agent_group
from safebelt.rooms.certificates.model import Bearing, Carried, Filter, Issue, Renewal, Standing, Why
from safebelt.rooms.certificates.service import Agent, AtHome, Certificates, pem_of, read_note
from safebelt.rooms.registry.model import Status

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NONCE = "n" * 32
PLACE = "https://api.example.org"
_NOBODY = {"what": Text(zh="无人应答", en="Nobody answers."), "hint": Text(zh="请重试", en="Try again.")}


class Fickle:
    """The house's authority behind a line that can be cut, before it hears or before it is heard."""

    can_begin = True

    def __init__(self, certificates: Certificates) -> None:
        self.home, self.is_cut, self.is_deaf, self.above_is = AtHome(certificates), False, False, ""
        self.asked = 0

    def _through(self, deed: Callable[[], str]) -> str:
        self.asked += 1
        if self.is_cut:
            raise Unavailable(**_NOBODY)
        said = deed()
        if self.is_deaf:
            raise Unavailable(**_NOBODY)
        return said

    def first(self, cmd: Issue, *, after: str) -> str:
        return self._through(lambda: self.home.first(cmd, after=after))

    def renew(self, cmd: Renewal) -> str:
        return self._through(lambda: self.home.renew(cmd))

    def stands(self, chain: str, *, on: datetime, nonce: bytes) -> Standing | None:
        if self.is_cut:
            raise Unavailable(**_NOBODY)
        return self.home.stands(chain, on=on, nonce=nonce)

    def above(self) -> str:
        return self.above_is or self.home.above()


@pytest.fixture
def line(certificates) -> Fickle:
    return Fickle(certificates)


@pytest.fixture
def new_agent(line, served, clock, tmp_path: Path) -> Callable[..., Agent]:
    def build(**other) -> Agent:
        wanted = Carried(**{"system_id": served.id, "place": PLACE, "authority": "", "days": 90, **other})
        return Agent(tmp_path / "identity", wanted, line, clock=clock, chance=real_chance)

    return build


def proven(agent: Agent) -> x509.Certificate:
    """Hold a proof to what it says, and return the certificate it rests on."""
    said = agent.identity("", NONCE)
    leaf = x509.load_pem_x509_certificates(said.chain.encode())[0]
    leaf.public_key().verify(base64.b64decode(said.signature), said.text.encode(), ec.ECDSA(hashes.SHA256()))
    assert f"place {PLACE}\nnonce {NONCE}\n" in said.text
    return leaf


def test_a_first_look_certifies_a_key_made_here_and_later_ones_renew_it_in_time(
    new_agent, certificates, clock, ledger, served, tmp_path: Path
) -> None:
    agent = new_agent()
    with pytest.raises(NotFound):
        agent.identity("", NONCE)

    assert agent.look() is True and agent.bearing() is Bearing.GOOD
    first = proven(agent)
    assert agent.look() is False  # nothing is due
    serials = [first.serial_number]
    for _ in range(150):  # 300 days, one look every two
        clock.move(days=2)
        if agent.look():
            serials.append(proven(agent).serial_number)
        leaf = proven(agent)
        assert leaf.not_valid_before_utc <= clock() <= leaf.not_valid_after_utc

    assert len(serials) == len(set(serials)) in (5, 6)
    assert {entry.actor for entry in ledger.entries(kind="certificates.issued.v1")} == {
        "safebelt",
        *(f"crt_{serial:x}" for serial in serials[:-1]),
    }
    keys = [*(tmp_path / "identity").glob("*.key")]
    assert len(keys) == 1 and oct(keys[0].stat().st_mode)[-3:] == "600"  # former keys are erased


def test_an_agent_that_starts_again_goes_on_with_what_it_had(new_agent, clock) -> None:
    first = new_agent()
    first.look()

    again = new_agent()
    assert again.look() is False and proven(again) == proven(first)
    moved = new_agent(place="https://elsewhere.example")
    moved.look()
    assert "place https://elsewhere.example\n" in moved.identity("", NONCE).text


def test_failures_are_shown_and_tried_again_ever_more_rarely_until_it_is_over(new_agent, line, clock) -> None:
    agent = new_agent()
    agent.look()
    leaf, line.is_cut, line.asked = proven(agent), True, 0

    clock.move(days=61)
    gaps, before = [], clock()
    while clock() <= leaf.not_valid_after_utc:
        agent.look()
        if agent.carried.tried_at == clock():
            gaps.append(clock() - before)
            before = clock()
        assert proven(agent) == leaf  # it still counts, and is still proven
        assert agent.bearing() is Bearing.DUE and "Nobody answers" in agent.carried.problem.en
        clock.move(minutes=10)

    assert gaps[1] < timedelta(minutes=20) < timedelta(hours=4) < max(gaps) <= timedelta(hours=8)
    assert 100 < line.asked < 300  # in four weeks: neither given up nor hammered
    assert agent.bearing() is Bearing.OVER
    with pytest.raises(Conflict, match="is over"):
        agent.identity("", NONCE)

    line.is_cut = False
    clock.move(hours=8)
    assert agent.look() is True  # in its own house it begins again by itself
    assert agent.carried.problem is None and agent.carried.failures == 0
    proven(agent)


def test_an_answer_that_got_lost_leaves_no_second_certificate(new_agent, line, certificates, clock, served) -> None:
    agent = new_agent()
    agent.look()
    clock.move(days=61)
    line.is_deaf = True
    for _ in range(3):
        agent.look()
        clock.move(minutes=10)

    line.is_deaf = False
    other = new_agent()  # and the process was started anew meanwhile
    clock.move(hours=1)
    other.look()

    assert other.bearing() is Bearing.GOOD
    assert certificates.certificates(Filter(system_id=served.id)).total == 2


def test_what_a_person_took_back_no_machine_asks_for_again(new_agent, certificates, clock) -> None:
    agent = new_agent()
    agent.look()
    certificates.revoke(agent.carried.serial, Why.PRIVILEGE_WITHDRAWN, reason="misused", by=OWNER)

    agent.look()
    assert agent.bearing() is Bearing.TAKEN_BACK
    with pytest.raises(Conflict, match="is revoked"):
        agent.identity("", NONCE)
    clock.move(days=61)
    agent.look()
    assert agent.bearing() is Bearing.TAKEN_BACK and agent.carried.failures == 0  # nor is a renewal asked for
    clock.move(days=40)
    agent.look()

    assert agent.bearing() is Bearing.OVER and "taken back" in agent.carried.problem.en
    assert agent.begin().serial  # a person does
    proven(agent)


def test_a_suspended_identity_proves_nothing_until_it_is_resumed_and_a_silent_house_changes_nothing(
    new_agent, line, certificates, clock
) -> None:
    agent = new_agent()
    agent.look()
    certificates.suspend(agent.carried.serial, reason="a complaint", by=OWNER)
    line.is_cut = True
    clock.move(minutes=2)
    agent.look()
    proven(agent)  # nobody told

    line.is_cut = False
    agent.look()
    with pytest.raises(Conflict, match="is suspended"):
        agent.identity("", NONCE)
    line.is_cut = True
    again = new_agent()  # started anew while nobody answers: what was said last is written down
    clock.move(minutes=2)
    again.look()
    with pytest.raises(Conflict, match="is suspended"):
        again.identity("", NONCE)

    line.is_cut = False
    certificates.resume(agent.carried.serial, reason="unfounded", by=OWNER)
    clock.move(minutes=2)
    again.look()
    proven(again)


def test_a_system_out_of_service_is_not_renewed_and_the_agent_says_why(new_agent, registry, served, clock) -> None:
    agent = new_agent()
    agent.look()
    move(registry, served.id, Status.SUSPENDED)
    clock.move(days=61)
    agent.look()
    assert "in service" in agent.carried.problem.en and agent.bearing() is Bearing.DUE


def test_a_certificate_that_is_not_what_was_asked_for_is_never_taken(new_agent, line, certificates, served) -> None:
    agent = new_agent()
    others = certificates.issue(Issue(system_id=served.id, request=csr()), by=OWNER)
    line.home.first = lambda _cmd, **_: pem_of(others.der)
    agent.look()
    assert "another key" in agent.carried.problem.en and agent.bearing() is Bearing.NONE

    del line.home.first
    line.above_is = pem_of(certificates.part("root"))
    agent = new_agent()
    agent._carried = read_note(agent._folder)
    with pytest.raises(Unavailable, match="not signed by"):
        agent.begin()
    line.above_is = ""
    agent.begin()
    proven(agent)


def test_a_folder_that_cannot_be_used_proves_nothing_and_says_why(new_agent, tmp_path: Path) -> None:
    agent = new_agent()
    agent.look()
    (key,) = (tmp_path / "identity").glob("*.key")
    key.chmod(0o644)
    open_to_others = new_agent()
    open_to_others.look()
    assert "chmod" in open_to_others.carried.problem.en and open_to_others.bearing() is Bearing.NONE
    key.chmod(0o600)
    open_to_others.look()
    proven(open_to_others)

    (tmp_path / "identity" / "identity.json").write_text('{"serial": ')
    broken = new_agent()
    broken.look()
    with pytest.raises(NotFound):
        broken.identity("", NONCE)
    assert "identity.json" in broken.carried.problem.en


def test_a_shell_beside_the_service_is_seen_at_the_next_look(new_agent) -> None:
    service, shell = new_agent(), new_agent()
    service.look()
    before = proven(service)

    shell.begin()
    service.look()

    assert proven(service) == proven(shell) != before


def test_an_asker_who_expects_another_system_or_draws_no_nonce_gets_nothing(new_agent, served) -> None:
    agent = new_agent()
    agent.look()
    assert agent.identity(served.id, NONCE).system_id == served.id
    with pytest.raises(NotFound):
        agent.identity("sys_another", NONCE)
    with pytest.raises(Invalid):
        agent.identity("", "short")


def test_no_private_key_is_in_the_note_or_in_how_an_agent_is_written_out(new_agent, tmp_path: Path) -> None:
    agent = new_agent()
    agent.look()

    note = json.loads((tmp_path / "identity" / "identity.json").read_text())

    assert "PRIVATE" not in json.dumps(note) and "key=" not in repr(agent._prover)


# ---- by hand


def run(*args: str):
    command, bound, _ = agent_group().parse_args(list(args), print_error=False, exit_on_error=False)
    return command(*bound.args, **bound.kwargs)


def test_the_shell_tells_how_an_identity_stands_by_words_and_exit_code(
    new_agent, line, clock, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(cli, "wall_clock", clock)
    folder = str(tmp_path / "identity")
    with pytest.raises(NotFound, match="enrol"):
        run("status", "--folder", folder)

    agent = new_agent()
    agent.look()
    good = run("status", "--folder", folder)
    assert good.exit_code == 0 and agent.carried.serial in good.says.en and "renewed from 20" in good.says.en
    assert good.data["state"] == "good" and "PRIVATE" not in json.dumps(good.data)
    with pytest.raises(Conflict, match="this very house"):  # the belt does it
        run("renew", "--folder", folder)

    line.is_cut = True
    clock.move(days=61)
    agent.look()
    due = run("status", "--folder", folder)
    assert due.exit_code == 3 and "Nobody answers" in due.says.en and "无人应答" in due.says.zh
    clock.move(days=40)
    assert run("status", "--folder", folder).exit_code == 1
