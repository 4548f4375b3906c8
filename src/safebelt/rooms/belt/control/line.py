"""The gate of one running exchange: after an order is seen, not one byte passes.

INVARIANT: writes and the closing of gates exclude each other by one lock, so *seen* is a point in time:
every write either happened before it or is refused.  The closing thread ends the sockets itself; it needs
neither the event loop nor HTTP.
"""

import asyncio
import contextlib
import ctypes
import socket
import sys
import threading
import time
from functools import lru_cache
from typing import Protocol

from safebelt.rooms.belt.control.rations import Ration
from safebelt.rooms.belt.model import Command, Scope

_HOLD_SECONDS = 300.0
"""How long a pause holds a stream before it is ended: most clients and proxies have given up by then."""
_HOLD_POLL_SECONDS = 0.02
_CUT, _PAUSE = Command.CUT, Command.PAUSE
"""Asked for at every piece of every stream."""
_UNSPECIFIED = bytes(16)
"""A `struct sockaddr` of family AF_UNSPEC (0)."""


class Stopped(Exception):  # noqa: N818  not an error: a person's order
    """The exchange was ended by a person's order."""


class ClientSide(Protocol):
    """What a line needs of the client's connection (the proxy's server, and a double in tests)."""

    sent: int
    socket: socket.socket | None

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be written."""

    def write(self, data: bytes) -> None:
        """Hand bytes to the client's socket and count them in `sent`."""

    def abort(self) -> None:
        """Close now.  Call on the event loop."""


class Line:
    """One exchange between a client and a model.

    Args:
        system_id: Whose exchange it is.
        lock: The lock shared by all lines of the worker.
        key_id: Whose key was shown; empty where that is not known.
        client: Whom it is tied to already, where callbacks serve it.

    Attributes:
        model: Which model was asked for, once that is known.
        rations: Limits that count it, and in which second each did.
    """

    rations: tuple[tuple[Ration, int], ...] = ()

    def __init__(
        self, system_id: str, lock: threading.Lock, key_id: str = "", client: ClientSide | None = None
    ) -> None:
        self.system_id, self._lock, self._key_id, self.model = system_id, lock, key_id, ""
        self.order, self.order_id = Command.RUN, ""
        self._client = client
        self._task: asyncio.Task[None] | None = None
        self._sent_when_seen = 0

    def attach(self, client: ClientSide) -> None:
        """Tie the line to the client's connection and to the task that serves it."""
        self._client, self._task = client, asyncio.current_task()

    def attach_alone(self, client: ClientSide) -> None:
        """Tie the line to the client's connection; callbacks serve it."""
        self._client = client

    def detach(self) -> None:
        """Let the client's connection go: what is said to it does not pass this gate."""
        with self._lock:
            self._client = self._task = None

    def scopes(self, model: str = "") -> tuple[str, ...]:
        """Return what orders can name to mean this exchange; worked out only where there is an order."""
        model = model or self.model
        named = [Scope.MODEL.of(model)] if model else []
        return self.system_id, *([Scope.KEY.of(self._key_id)] if self._key_id else []), *named

    @property
    def is_cut(self) -> bool:
        """Whether a person has ended this exchange."""
        return self.order is Command.CUT

    @property
    def is_in(self) -> bool:
        """Whether an order can mean it: it was let in, or is held; what waits for an order to be read is neither."""
        return not self.is_cut and (self.order is not Command.PAUSE or bool(self.order_id))

    async def send(self, data: bytes) -> None:
        """Write to the client, or wait while a pause holds the line.

        Raises:
            Stopped: An order has ended the exchange, or held it too long.
            ConnectionResetError: The client has gone.
        """
        deadline = time.monotonic() + _HOLD_SECONDS
        while not self.send_now(data):
            if time.monotonic() > deadline:
                raise Stopped
            await asyncio.sleep(_HOLD_POLL_SECONDS)

    def send_now(self, data: bytes) -> bool:
        """Write if the gate is open; say whether it was.

        Raises:
            Stopped: An order has ended the exchange.
            ConnectionResetError: The client has gone.
        """
        with self._lock:
            order, client = self.order, self._client
            if order is _CUT:
                raise Stopped
            if client is None or client.is_closing:
                raise ConnectionResetError("the client has gone")
            if order is _PAUSE:
                return False
            client.write(data)
            return True

    def command(self, order: Command, order_id: str) -> None:
        """Set the order in force; a cut ends the socket at once.  The caller holds the lock."""
        self.order, self.order_id = order, order_id
        if self._client is not None:
            self._sent_when_seen = self._client.sent
            if order is Command.CUT and self._client.socket is not None:
                _dissolve(self._client.socket)

    def bytes_after(self) -> int:
        """Return how many bytes were handed to the client's socket since the order was seen."""
        return self._client.sent - self._sent_when_seen if self._client is not None else 0

    def end(self) -> None:
        """Tell the serving task that it is over.  Call on the event loop."""
        if self._task:
            self._task.cancel()
        if self._client:
            self._client.abort()


def own_handle(transport: asyncio.Transport) -> socket.socket | None:
    """Return a second handle on the socket, so that the stop thread can shut it without the event loop."""
    inner = transport.get_extra_info("socket")
    with contextlib.suppress(OSError, ValueError):
        return socket.socket(fileno=socket.dup(inner.fileno()))
    return None


def _dissolve(handle: socket.socket) -> None:
    """End a TCP connection from any thread, throwing away what the kernel still buffers.

    On Linux a TCP socket is dissolved by connecting it to AF_UNSPEC (connect(2)): the peer gets a reset and the
    send queue is purged.  Elsewhere the socket is shut both ways, which stops new data but may deliver the queue.
    """
    if sys.platform == "linux":
        address = ctypes.create_string_buffer(_UNSPECIFIED, len(_UNSPECIFIED))
        if _libc().connect(handle.fileno(), address, len(_UNSPECIFIED)) == 0:
            return
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def _libc() -> ctypes.PyDLL:
    """Return the C library, called without giving the interpreter away.

    The call does not wait.  Giving the interpreter away at each of a thousand streams would let a busy event loop in
    between every two of them, for an interpreter's switch each time.
    """
    return ctypes.PyDLL(None)
