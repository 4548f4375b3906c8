"""The embedded bus: handlers are called in the publisher's thread, before `publish` returns.

So the relay's cursor moves only after every handler has had the message, and a crash in between repeats it:
at least once, without a file of its own.
"""

import threading
from collections import OrderedDict

import structlog

from safebelt.engines.bus.port import (
    DEDUP_MESSAGES,
    MAX_DELIVERIES,
    Handler,
    Message,
    check_subject,
    check_subscription,
    matches,
)

_log = structlog.get_logger(__name__)


class InProcess:
    """A bus for one process."""

    def __init__(self) -> None:
        self._listeners: dict[str, tuple[str, Handler]] = {}
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def publish(self, subject: str, id: str, data: bytes) -> None:
        """See `Bus.publish`."""
        check_subject(subject)
        with self._lock:
            if id in self._recent:
                return
            self._recent[id] = None
            if len(self._recent) > DEDUP_MESSAGES:
                self._recent.popitem(last=False)
            listeners = list(self._listeners.items())
        message = Message(id=id, subject=subject, data=data)
        for name, (pattern, handler) in listeners:
            if matches(pattern, subject):
                _deliver(name, handler, message)

    def subscribe(self, pattern: str, handler: Handler, *, name: str) -> None:
        """See `Bus.subscribe`."""
        check_subscription(pattern, name)
        with self._lock:
            if name in self._listeners:
                raise ValueError(f"{name!r} already listens in this process")
            self._listeners[name] = (pattern, handler)

    def close(self) -> None:
        """See `Bus.close`."""
        with self._lock:
            self._listeners.clear()


def _deliver(name: str, handler: Handler, message: Message) -> None:
    for delivery in range(1, MAX_DELIVERIES + 1):
        try:
            handler(message)
        except Exception as error:  # noqa: BLE001  one listener's bug must not silence the others
            _log.warning("bus.handler_failed", listener=name, id=message.id, delivery=delivery, error=str(error))
        else:
            return
    _log.error("bus.message_passed_over", listener=name, id=message.id, subject=message.subject)
