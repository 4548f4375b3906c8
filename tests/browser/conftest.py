"""A real headless Chromium, axe, and a server on a free port for whatever application a test builds.

def test_it(browser_page, serve):
    browser_page.goto(serve(app) + "/zh/")
    assert_accessible(browser_page)
"""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from tests.ports import free_port

CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
"""The same engine twice.  The first has no windows, toolbars and profiles around it: a page costs it half."""
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_START_SECONDS = 15


def assert_accessible(page: Any) -> None:
    """Run axe on the page as it stands and fail with what it finds, rule by rule."""
    # `evaluate` goes past the page's content security policy, which forbids any script but its own.
    page.evaluate(AXE.read_text("utf-8"))
    # Of what passes, that it passed is enough: telling every node of it takes longer than looking.
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    assert found["passes"], "axe looked at nothing"
    lines = [
        f"{each['id']} ({each['impact']}): {each['help']}\n    " + "\n    ".join(n["html"][:200] for n in each["nodes"])
        for each in found["violations"]
    ]
    assert not lines, f"{page.url}\n" + "\n".join(lines)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser, started once a module.  Missing: skipped loudly, and in CI a failure.

    Not once a session: while Playwright runs, this thread has a running event loop, and later tests need one of their own.
    """
    chromium = next((each for each in CHROMIUMS if each.exists()), None)
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail(f"no browser: {CHROMIUMS[-1]} is missing, and in CI that is an error")
        pytest.skip("skipped: no browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def browser_page(browser: Any, serve: Any) -> Iterator[Any]:
    """A fresh page, closed before the servers it reads from; the test fails if the page logs an error, breaks its policy, or asks anybody else for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    context.set_default_timeout(40000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if not _is_ours(request.url) else None)
    page.wrong = wrong
    yield page
    context.close()
    assert not wrong, "the page complained:\n" + "\n".join(wrong)


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "about:"))


class Serving:
    """One application behind a real HTTP server, in a thread of its own."""

    def __init__(self, app: Any) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._server = Server(app, address="127.0.0.1", port=self.port, interface=Interfaces.ASGI, log_enabled=False)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the test server did not start")

    def stop(self) -> None:
        """End the server and its thread."""
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the test server did not stop"
        self._loop.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve applications until the test is over; returns the address."""
    servings: list[Serving] = []

    def start(app: Any) -> str:
        servings.append(Serving(app))
        return servings[-1].url

    yield start
    for each in servings:
        each.stop()
