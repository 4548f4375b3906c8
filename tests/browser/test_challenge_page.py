"""A visitor's browser challenges a live service: a real belt on another port, and many that are none."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.browser.conftest import Serving, assert_accessible
from tests.browser.furnished import build_house
from tests.journeys.home import PLAIN
from tests.rooms.belt.proxy.bench import Belt, answering
from tests.rooms.certificates.house import spare_keys
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service

from safebelt.engines.clock import real_chance, wall_clock
from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.cli import commands
from safebelt.rooms.certificates.model import Carried, Found, Identity, Role, Why
from safebelt.rooms.certificates.pki import keys
from safebelt.rooms.certificates.service import Agent, AtHome
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.run.doors import web

pytestmark = pytest.mark.browser
PATH = "/.well-known/safebelt/identity"
AXES = {"Chain", "Validity", "Purpose", "Revocation", "Registration", "Log"}
CORS = {"access-control-allow-origin": "*"}
Answer = tuple[int, dict[str, str], bytes]


class Site:
    """A console with an authority, a system in service, and a belt that guards it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.house = folder, build_house(folder)
        self.system = into_service(self.house.registry, enter(self.house.registry, DESCRIBED).id)
        self.console = Serving(web(self.house))
        certificates = self.house.certificates
        certificates._makes_key, certificates._base = spare_keys(), self.console.url  # lists are fetched from there
        certificates.found(Found(organization="明理 Mingli", country="CN", issuer=Issuer.SELF), by=OWNER)
        self.agent: Agent | None = None

    def agent_at(self, place: str) -> Agent:
        """A service of this system at a place of its own."""
        wanted = Carried(system_id=self.system.id, place=place, authority="", days=90)
        kept = self.folder / place.rpartition(":")[2]
        made = Agent(kept, wanted, AtHome(self.house.certificates), clock=wall_clock, chance=real_chance)
        made.look()
        self.house.ledger.advance()
        return made

    def prove(self, system: str, nonce: str) -> Identity:
        assert self.agent is not None
        return self.agent.identity(system, nonce)


@contextmanager
def belt_of(site: Site) -> Iterator[str]:
    """A real belt's port in a thread of its own."""
    started, until = threading.Event(), asyncio.Event()
    held: dict[str, Any] = {}

    async def run() -> None:
        async with Belt(site.folder / "belt", answering(), prove=site.prove) as belt:
            held.update(url=f"http://127.0.0.1:{belt.port}", loop=asyncio.get_running_loop())
            started.set()
            await until.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(30)
    site.agent = site.agent_at(held["url"])
    yield held["url"]
    held["loop"].call_soon_threadsafe(until.set)
    thread.join(30)


@contextmanager
def impostor(answer: Callable[[str, str], Answer]) -> Iterator[str]:
    """A service that answers as a test says: `(nonce, its own address) → status, fields, body`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            nonce = parse_qs(urlsplit(self.path).query)["nonce"][0]
            status, fields, body = answer(nonce, f"http://127.0.0.1:{self.server.server_port}")
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **fields}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def sent(identity: Identity, **other: str) -> Answer:
    said = {name: getattr(identity, name) for name in ("system_id", "text", "signature", "chain")}
    return 200, {"content-type": "application/json", **CORS}, json.dumps({**said, **other}).encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(tmp_path_factory.mktemp("challenge"))
    yield found
    found.console.stop()
    found.house.close()


@pytest.fixture(scope="module")
def belt(site: Site) -> Iterator[str]:
    with belt_of(site) as url:
        yield url


@pytest.fixture
def ask(browser_page: Any, site: Site) -> Callable[..., dict[str, Any]]:
    """Challenge an address on the page, by keyboard, and return what it shows."""

    def challenge(address: str, lang: str = "en", seconds: float = 15) -> dict[str, Any]:
        browser_page.goto(f"{site.console.url}/{lang}/certificates/challenge")
        browser_page.evaluate("n => { document.getElementById('challenge').dataset.seconds = n }", seconds)
        browser_page.focus("#address")
        browser_page.keyboard.type(address)
        browser_page.keyboard.press("Enter")
        browser_page.wait_for_selector("#result:not([hidden])")
        rows = browser_page.eval_on_selector_all(
            "#result dl > div",
            "all => all.map(row => [row.querySelector('dt').textContent, row.querySelector('dd > .sb-tag').innerText.trim(), "
            "[...row.querySelectorAll('li')].map(li => li.innerText)])",
        )
        return {
            "rows": {name: tag.lower() for name, tag, _ in rows},
            "failed": [each for each in rows[0][2][1:] if not each.lower().startswith("holds")],
            "text": browser_page.inner_text("#result"),
            "progress": browser_page.inner_text("#progress"),
        }

    return challenge


def run(site: Site, *args: str) -> Any:
    command, bound, _ = commands(site.house.certificates).parse_args(list(args), print_error=False, exit_on_error=False)
    return command(*bound.args, **bound.kwargs)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_real_belt_is_proven_and_said_who_it_is_and_what_is_not_shown(ask, site, belt, browser_page, lang) -> None:
    found = ask(belt, lang)

    holds = "成立" if lang == "zh" else "holds"
    assert set(found["rows"].values()) == {holds} and len(found["rows"]) == 7
    assert site.system.id in found["text"] and belt in found["text"]
    told = ("自行签发", "暂行", "不表明") if lang == "zh" else ("self-issued", "rovisional", "does not show")
    assert all(word in found["text"] for word in told)
    assert browser_page.evaluate("document.activeElement.id") == "result-title"
    assert_accessible(browser_page)
    browser_page.set_viewport_size({"width": 320, "height": 720})
    for fold in browser_page.query_selector_all("#result details:not([open]) > summary"):
        fold.click()
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 320
    assert_accessible(browser_page)


def test_an_answer_passed_on_replayed_or_signed_by_another_does_not_hold(ask, site, belt) -> None:
    own = keys.make_key("p-256")

    def passed_on(nonce: str, _own_place: str) -> Answer:
        answer = httpx2.get(f"{belt}{PATH}", params={"nonce": nonce}, verify=PLAIN)
        return 200, {"content-type": "application/json", **CORS}, answer.content

    def forged(nonce: str, place: str) -> Answer:
        text = site.prove("", nonce).text.replace(belt, place)
        signature = base64.b64encode(keys.sign(own, text.encode())).decode()
        return sent(site.prove("", nonce), text=text, signature=signature)

    def another_system(nonce: str, place: str) -> Answer:
        mine = site.agent_at(place)
        text = mine.identity("", nonce).text.replace(site.system.id, "sys_somebody")
        assert mine._prover is not None
        signature = base64.b64encode(keys.sign(mine._prover.key, text.encode())).decode()
        return sent(mine.identity("", nonce), text=text, signature=signature)

    agents: dict[str, Agent] = {}

    def replayed(_nonce: str, place: str) -> Answer:
        agents[place] = agents.get(place) or site.agent_at(place)
        return sent(agents[place].identity("", "o" * 32))

    expected = {
        passed_on: "is the one that was asked",
        forged: "The signature is by the key",
        another_system: "names the system of its certificate",
        replayed: "signed the number drawn for this challenge",
    }
    for answer, why in expected.items():
        with impostor(answer) as url:
            found = ask(url)
        assert found["rows"]["Live proof"] == "does not hold", answer.__name__
        assert len(found["failed"]) == 1 and why in found["failed"][0], (answer.__name__, found["failed"])
        assert {found["rows"][axis] for axis in AXES} == {"holds"}, "the certificate itself is good, and said so apart"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>", b"{}", b"null", b'{"text": 1, "signature": 2, "chain": 3}', b"x" * 100_000,
        b'{"text": "safebelt identity v1\\nsystem a\\nplace b\\nnonce c\\nat d\\n", "signature": "AAAA", '
        b'"chain": "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----"}',
    ],
)  # fmt: skip
def test_rubbish_is_no_proof_and_is_shown_as_nothing_more(ask, body: bytes) -> None:
    with impostor(lambda *_: (200, CORS, body)) as url:
        found = ask(url)
    assert found["rows"] == {"Live proof": "does not hold"} and "no proof of identity" in found["text"]


def test_silence_is_not_evaluated_and_never_bad(ask, browser_page, belt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as quiet:
        nobody = f"http://127.0.0.1:{quiet.getsockname()[1]}"
        slow = ask(nobody, seconds=0.5)
    gone = ask(nobody)
    with impostor(
        lambda nonce, _: (200, {}, httpx2.get(f"{belt}{PATH}", params={"nonce": nonce}, verify=PLAIN).content)
    ) as url:
        shut = ask(url)  # a door that lets no other site's page in
    with impostor(lambda *_: (302, {**CORS, "location": f"{belt}{PATH}?nonce={'n' * 32}"}, b"")) as url:
        led = ask(url)
    odd = ask("ftp://127.0.0.1")

    for found in (slow, gone, shut, led, odd):
        assert found["rows"] == {"Live proof": "not evaluated"}, found
    assert "in time" in slow["text"] and "does not answer" in gone["text"] and "http://" in odd["text"]
    assert all("says nothing about its certificate" in each["text"] for each in (slow, gone, shut, led))
    browser_page.wrong.clear()  # a browser logs each of these by itself


def test_a_service_that_says_why_it_proves_nothing_is_quoted(ask, browser_page) -> None:
    said = {"code": "conflict", "en": {"detail": "The certificate of this system is over."}, "zh": {"detail": "已过期"}}
    with impostor(lambda *_: (409, CORS, json.dumps(said).encode())) as url:
        found = ask(url)
    assert found["rows"] == {"Live proof": "not evaluated"} and "is over" in found["text"]
    browser_page.wrong.clear()


def test_what_a_service_says_is_never_run_as_part_of_the_page(ask, browser_page) -> None:
    evil = "<img src=x onerror=document.title='taken'>"
    said = {
        "text": f"safebelt identity v1\nsystem a\nplace {evil}\nnonce c\nat {evil}\n",
        "signature": "AAAA",
        "chain": evil,
    }
    with impostor(lambda *_: (200, CORS, json.dumps(said).encode())) as url:
        ask(url)
    with impostor(lambda *_: (409, CORS, json.dumps({"en": {"detail": evil}}).encode())) as url:
        found = ask(url)
    assert evil in found["text"] and "taken" not in browser_page.title()
    browser_page.wrong.clear()


def test_only_this_page_may_ask_services_elsewhere(site) -> None:
    with httpx2.Client(base_url=site.console.url, verify=PLAIN) as calls:
        policy, other = (
            calls.get(f"/en/certificates/{path}").headers["content-security-policy"] for path in ("challenge", "check")
        )
    assert policy == f"{other}; connect-src 'self' http: https:" and "connect-src" not in other


def test_the_shell_comes_to_the_same_and_a_certificate_taken_back_is_seen_by_both(ask, site, belt, tmp_path) -> None:
    ok = run(site, "challenge", belt)
    (tmp_path / "root.cer").write_bytes(site.house.certificates.part(Role.ROOT))
    offline = run(site, "challenge", belt, "--root", str(tmp_path / "root.cer"))
    with impostor(lambda nonce, _: sent(site.prove("", nonce))) as url:
        passed_on = run(site, "challenge", url)
    with impostor(lambda *_: (200, {}, b"rubbish")) as url:
        rubbish = run(site, "challenge", url)
    with impostor(lambda *_: (404, {}, b"{}")) as url:
        nothing = run(site, "challenge", url)

    assert [each.exit_code for each in (ok, offline, passed_on, rubbish, nothing)] == [0, 3, 1, 1, 3]
    assert ok.data["proof"]["verdict"] == offline.data["proof"]["verdict"] == "ok"
    assert {axis: each["verdict"] for axis, each in offline.data["axes"].items()} == {
        "chain": "ok", "validity": "ok", "purpose": "ok", "revocation": "ok", "registration": "unknown", "log": "unknown",
    }  # fmt: skip
    assert (passed_on.data["proof"]["verdict"], nothing.data["proof"]["verdict"]) == ("bad", "unknown")
    json.dumps(ok.data)

    other = site.agent_at("http://127.0.0.1:1")
    site.house.certificates.revoke(other.carried.serial, Why.SUPERSEDED, reason="a trial", by=OWNER)
    site.house.ledger.advance()

    def revoked(nonce: str, place: str) -> Answer:
        assert other._prover is not None  # a service that does not want to know
        return sent(replace(other._prover, place=place).prove(nonce, wall_clock()))

    with impostor(revoked) as url:
        found, shell = ask(url), run(site, "challenge", url)
    assert (found["rows"]["Live proof"], found["rows"]["Revocation"], found["rows"]["Log"]) == (
        "holds",
        "does not hold",
        "does not hold",
    )
    assert shell.exit_code == 1 and shell.data["proof"]["verdict"] == "ok"
