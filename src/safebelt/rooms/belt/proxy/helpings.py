"""A body that arrives, in helpings: a stream passes one, and for the next it waits its turn behind the others.

A module of its own, because the modules around it are compiled and an async generator cannot be.
"""

from collections.abc import AsyncIterator, Callable

from safebelt.rooms.belt.proxy.connection import Connection, UpstreamBroke
from safebelt.rooms.belt.proxy.turns import Turns

HELPING = 1024
"""Bytes of a body that a stream hands on before it is the next one's turn: some eight tokens, 2 ms of screening."""


async def helpings(
    connection: Connection, turns: Turns, seconds: float, ended: Callable[[bool], None]
) -> AsyncIterator[bytes]:
    """Yield a body as it arrives.

    Args:
        connection: Where from.
        turns: The line to wait in.
        seconds: Longest silence.
        ended: Told once whether it came whole.

    Raises:
        UpstreamBroke: It broke off.
        UpstreamSlow: It stalled.
    """
    while True:
        left = 0 if turns.is_crowded else HELPING
        while connection.body:
            if left <= 0:
                await turns.mine()
                left = HELPING
            piece = connection.take()
            left -= len(piece)
            yield piece
        if connection.is_complete:
            break
        if connection.error or connection.is_lost:
            ended(False)
            raise connection.error or UpstreamBroke("the connection closed in the middle of an answer")
        await connection.news(seconds)
    ended(True)
