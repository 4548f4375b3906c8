"""The scaled-out bus: NATS JetStream.  Its asyncio loop lives in a thread of its own; the house stays synchronous."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

import structlog
from nats import errors as nats_errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js import errors as js_errors

from safebelt.engines.bus.port import (
    DEDUP_SECONDS,
    MAX_DELIVERIES,
    Handler,
    Message,
    check_subject,
    check_subscription,
)
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text

_STREAM, _SUBJECTS = "SAFEBELT", "events.>"
_KEEP_SECONDS = 7 * 24 * 3600.0
"""The stream is a relay, not the memory: whoever was away longer reads the ledger."""
_FORGET_LISTENER_SECONDS = _KEEP_SECONDS
_ANSWER_SECONDS = 5.0
_FETCH_SECONDS, _BATCH = 1.0, 32
_ACK_SECONDS = 60.0
"""A listener that has not answered for a batch within this gets it again."""
_RETRY_SECONDS = 0.2
_TROUBLE = (nats_errors.Error, OSError, TimeoutError, FutureTimeout)

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Nats:
    """A bus on a NATS server with JetStream.

    Args:
        url: `nats://host:4222`.
        answer_seconds: How long to wait for the server before saying it is unavailable.

    Raises:
        Unavailable: The server is not there or has no JetStream.
    """

    def __init__(self, url: str, *, answer_seconds: float = _ANSWER_SECONDS) -> None:
        self._url, self._answer = url, answer_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bus-nats", daemon=True)
        self._client, self._listeners = Client(), dict[str, asyncio.Task[None]]()
        self._is_closed = False
        self._thread.start()
        try:
            self._stream: JetStreamContext = self._call(self._connect())
        except BaseException:
            self.close()
            raise

    def publish(self, subject: str, id: str, data: bytes) -> None:
        """See `Bus.publish`: returns when the server has stored the message."""
        check_subject(subject)
        headers = {api.Header.MSG_ID.value: id}
        self._call(self._stream.publish(subject, data, timeout=self._answer, stream=_STREAM, headers=headers))

    def subscribe(self, pattern: str, handler: Handler, *, name: str) -> None:
        """See `Bus.subscribe`: a durable consumer, so that a listener that comes back hears what it missed."""
        check_subscription(pattern, name)
        if name in self._listeners:
            raise ValueError(f"{name!r} already listens in this process")
        self._listeners[name] = self._call(self._listen(pattern, handler, name))

    def close(self) -> None:
        """See `Bus.close`."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(self._answer + 1)
        except _TROUBLE as error:
            _log.warning("bus.close_failed", error=str(error))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        if self._is_closed:
            coroutine.close()
            raise _unavailable(self._url, "closed")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(self._answer + 1)
        except _TROUBLE as error:
            future.cancel()
            raise _unavailable(self._url, str(error) or type(error).__name__) from error

    async def _connect(self) -> JetStreamContext:
        await asyncio.wait_for(
            self._client.connect(
                self._url,
                name="safebelt",
                connect_timeout=2,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                error_cb=_say_error,
                disconnected_cb=_say_disconnected,
                reconnected_cb=_say_reconnected,
            ),
            self._answer,
        )
        stream = self._client.jetstream(timeout=self._answer)
        config = api.StreamConfig(
            name=_STREAM,
            subjects=[_SUBJECTS],
            storage=api.StorageType.FILE,
            max_age=_KEEP_SECONDS,
            duplicate_window=DEDUP_SECONDS,
        )
        try:
            await stream.stream_info(_STREAM)
        except js_errors.NotFoundError:
            await stream.add_stream(config)
        return stream

    async def _listen(self, pattern: str, handler: Handler, name: str) -> asyncio.Task[None]:
        config = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.NEW,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=_ACK_SECONDS,
            max_deliver=MAX_DELIVERIES,
            inactive_threshold=_FORGET_LISTENER_SECONDS,
        )
        pull = await self._stream.pull_subscribe(pattern, durable=name, stream=_STREAM, config=config)
        return asyncio.create_task(self._pull(pull, handler, name), name=f"bus-{name}")

    async def _pull(self, pull: JetStreamContext.PullSubscription, handler: Handler, name: str) -> None:
        while not self._is_closed:
            try:
                for received in await pull.fetch(_BATCH, timeout=_FETCH_SECONDS):
                    await self._hand_over(received, handler, name)
            except nats_errors.TimeoutError:
                continue  # nothing new
            except _TROUBLE as error:
                _log.warning("bus.fetch_failed", listener=name, error=str(error) or type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _hand_over(self, received: Msg, handler: Handler, name: str) -> None:
        message = Message(
            id=(received.headers or {}).get(api.Header.MSG_ID.value, ""), subject=received.subject, data=received.data
        )
        delivery = received.metadata.num_delivered or 1
        try:
            await asyncio.to_thread(handler, message)
        except Exception as error:  # noqa: BLE001  whatever it was, the message comes again or is named as passed over
            _log.warning("bus.handler_failed", listener=name, id=message.id, delivery=delivery, error=str(error))
            if delivery >= MAX_DELIVERIES:
                _log.error("bus.message_passed_over", listener=name, id=message.id, subject=message.subject)
            await received.nak(delay=_RETRY_SECONDS)
        else:
            await received.ack()

    async def _shut(self) -> None:
        pending = set(self._listeners.values())
        while pending:  # a wait that ends just as it is cancelled forgets the cancelling (bpo-37658), so ask again
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)
        await self._client.close()
        await self._loop.shutdown_default_executor()


async def _say_error(error: Exception) -> None:
    _log.warning("bus.error", error=str(error) or type(error).__name__)


async def _say_disconnected() -> None:
    _log.warning("bus.disconnected")


async def _say_reconnected() -> None:
    _log.info("bus.reconnected")


def _unavailable(url: str, why: str) -> Unavailable:
    host = url.rpartition("@")[2].removeprefix("nats://")  # a password in the URL stays out of messages
    return Unavailable(
        what=Text(zh=f"消息总线 {host} 无法使用：{why}。", en=f"The message bus at {host} cannot be used: {why}."),
        hint=Text(
            zh="请检查 NATS 服务是否已启动并启用 JetStream，以及 SAFEBELT_BUS 设置；清空该设置即改用进程内总线。",
            en="Check that the NATS server runs with JetStream and that SAFEBELT_BUS names it; "
            "leave that setting empty to use the in-process bus.",
        ),
    )
