"""How callers hear that their records are durable: one by one, or a whole group with one wake-up."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

WhenDurable = Callable[[Exception | None], None]
"""Called once, from another thread: with None when the record is durable, or with why it never will be."""

Deliver = Callable[[Sequence[tuple[WhenDurable, Exception | None]]], None]
"""Hands a whole group's callbacks on."""


def inline(acks: Sequence[tuple[WhenDurable, Exception | None]]) -> None:
    """Call each callback in turn.  One that raises does not keep the next from being called."""
    for when_durable, error in acks:
        try:
            when_durable(error)
        except Exception:  # noqa: BLE001  a broken caller must not stop the records of the others
            structlog.get_logger().exception("belt.record_callback_failed")


def on_loop(loop: asyncio.AbstractEventLoop) -> Deliver:
    """Deliver a whole group inside an event loop with a single wake-up."""

    def deliver(acks: Sequence[tuple[WhenDurable, Exception | None]]) -> None:
        loop.call_soon_threadsafe(inline, acks)

    return deliver
