"""No door without a guard; no guard that asks for what no policy knows."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from litestar import Controller, get
from tests.architecture.house import ROOT, controller_handlers, guards, handlers

from safebelt.web.security import open_to_all, requires

SCHEMA = ROOT / "access" / "schema.cedarschema"
HANDLERS = handlers()


def actions_of_the_schema() -> set[str]:
    return set(re.findall(r'^action "([a-z_]+\.[a-z_]+)"', SCHEMA.read_text(), re.MULTILINE))


def is_guarded(of: Iterable[Any]) -> bool:
    """Exactly one of our guards: two could contradict each other."""
    ours = [g for g in of if hasattr(g, "safebelt_action") or getattr(g, "safebelt_open", "").strip()]
    return len(ours) == 1


def test_there_are_doors_to_look_at() -> None:
    assert len(HANDLERS) > 20


@pytest.mark.parametrize("name", HANDLERS)
def test_every_door_has_a_guard_and_every_action_is_known_to_cedar(name: str) -> None:
    found = guards(name, HANDLERS[name])

    assert is_guarded(found), f"{name}: guards=[requires('<room>.<verb>')] or guards=[open_to_all('why')]"
    wanted = {guard.safebelt_action for guard in found if hasattr(guard, "safebelt_action")}
    assert wanted <= actions_of_the_schema()


MAY_POST_UNKNOWN = {
    "sign_in",
    "sign_out",
    "check",
    "check_consistency",
    "check_policy",
    "status",
    "stamp",
    "add_checkpoint",
    "renew",
    "verify_content",
}
"""Doors open to all that take a body: they begin or end a session, or answer a question and keep nothing; a witness
keeps what a key of a log it accepts has signed, and an authority renews for the key of a certificate that counts:
neither asks for another proof of who sends it."""


def test_a_door_that_changes_something_is_never_open_to_all() -> None:
    changing = {
        name
        for name, handler in HANDLERS.items()
        if getattr(handler, "http_methods", set()) - {"GET", "HEAD", "OPTIONS"}
    }
    opened = {
        name for name in changing if any(hasattr(guard, "safebelt_open") for guard in guards(name, HANDLERS[name]))
    }

    assert len(changing) > 10
    assert {name for name in opened if name.rpartition(".")[2] not in MAY_POST_UNKNOWN} == set()


def test_a_door_without_a_guard_or_with_an_empty_reason_or_with_two_is_noticed() -> None:
    class Doors(Controller):
        @get("/a")
        async def bare(self) -> None: ...

        @get("/b", guards=[open_to_all(" ")])
        async def unexplained(self) -> None: ...

        @get("/c", guards=[open_to_all("public"), requires("ledger.read")])
        async def double(self) -> None: ...

        @get("/d", guards=[requires("ledger.read")])
        async def good(self) -> None: ...

    judged = {name: is_guarded(handler.guards or ()) for name, handler in controller_handlers(Doors).items()}

    assert judged == {"bare": False, "unexplained": False, "double": False, "good": True}


def test_an_action_the_schema_does_not_know_is_noticed() -> None:
    assert "ledger.read" in actions_of_the_schema()
    assert "ledger.burn" not in actions_of_the_schema()
