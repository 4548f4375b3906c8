"""What a belt's process holds: the scanners of the policies in use, and none of those before them."""

import weakref
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.rooms.belt.scanner.samples import policy, rule

from safebelt.rooms.belt.model import Action, Policy, Side
from safebelt.rooms.belt.proxy import screens as screens_module
from safebelt.rooms.belt.proxy.screens import Screens

TODAY = date(2026, 11, 23)
NOW = replace(policy(rule("words", Action.MASK, ("whale",))), digest="1" * 64)
BEFORE = replace(policy(rule("words", Action.MASK, ("elephant",))), digest="2" * 64)


def used(screens: Screens, one: Policy) -> "weakref.ref[Any]":
    """Let a scanner work as exchanges do, so that every cache has met it."""
    scanner = screens.of(one, TODAY)
    scanner.scan("an elephant and a whale, 13812345678", Side.INPUT)
    screens_module._find(scanner, Side.INPUT, "user")
    screens_module.masks_all_that_records_do(scanner, Side.INPUT)
    return weakref.ref(scanner)


@pytest.mark.interpreted
def test_a_policy_that_is_no_longer_in_use_leaves_memory_at_once() -> None:
    screens = Screens()
    before, now = used(screens, BEFORE), used(screens, NOW)

    screens.keep([NOW])

    assert before() is None, "no look for garbage is needed: what a start froze is never looked at"
    assert screens.of(NOW, TODAY) is now()


@pytest.mark.interpreted
def test_a_policy_that_is_in_use_stays_with_all_that_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a belt that lets go of everything twice a second would be seen here."""
    screens = Screens()
    before, now = used(screens, BEFORE), used(screens, NOW)
    cleared: list[bool] = []
    monkeypatch.setattr(screens_module._find_short, "cache_clear", lambda: cleared.append(True), raising=False)

    screens.keep([NOW, BEFORE])

    assert before() is not None and now() is not None
    assert not cleared
