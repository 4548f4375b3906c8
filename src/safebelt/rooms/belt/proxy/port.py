"""The belt's port: listening, the pulse of the loop, and an end that lets running work finish."""

import asyncio
import contextlib
import ssl

from safebelt.rooms.belt.control.heartbeat import LOOP, Heartbeat
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.server import ClientConnection, Handler

_BEAT_SECONDS = 0.1
_BACKLOG = 1024
_LAST_WORDS_SECONDS = 2.0
"""How long exchanges that were broken off at the end have for writing down how they ended."""


class BeltPort:
    """Serves a handler on one port.

    Args:
        handler: Answers requests.
        limits: What a client may ask.
        switch: For how much is still running at the end.
        heartbeat: The pulse page.
    """

    def __init__(self, handler: Handler, *, limits: Limits, switch: Switch, heartbeat: Heartbeat) -> None:
        self._handler, self._limits, self._switch, self._heartbeat = handler, limits, switch, heartbeat
        self._connections: set[ClientConnection] = set()

    async def serve(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        until: asyncio.Event,
        drain_seconds: float = 10.0,
        is_shared: bool = False,
    ) -> None:
        """Listen until told to end, then let running exchanges finish for `drain_seconds`.

        Args:
            host: Address to listen on.
            port: Its port.
            tls: For HTTPS.
            until: Set when it is to end.
            drain_seconds: What running exchanges are given.
            is_shared: Whether other workers listen on the same port (SO_REUSEPORT).

        Raises:
            OSError: The port is taken.
        """
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: ClientConnection(self._handler, self._limits, self._connections),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=self._limits.head_seconds if tls else None,
            backlog=_BACKLOG,
            reuse_port=is_shared or None,
        )
        beat = loop.create_task(self._beat())
        try:
            await until.wait()
        finally:
            server.close()
            await self._drain(drain_seconds)
            for connection in list(self._connections):
                connection.abort()
            await self._drain(_LAST_WORDS_SECONDS)
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat

    async def _drain(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while self._switch.running() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_BEAT_SECONDS)

    async def _beat(self) -> None:
        while True:
            self._heartbeat.beat(LOOP)
            await asyncio.sleep(_BEAT_SECONDS)
