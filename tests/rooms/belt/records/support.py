"""What these tests share: a signer that is a real MAC, a writer on a folder, a log with known content."""

import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from safebelt.engines.clock import real_chance, real_ids
from safebelt.kernel.errors import Refused
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records.limits import Limits
from safebelt.rooms.belt.records.verify import Verification, verify
from safebelt.rooms.belt.records.writer import Writer

ORIGIN = "example.org/log"


def sign(text: str, key: bytes = b"ours") -> str:
    return f"{text}\n— test {hmac.new(key, text.encode(), sha256).hexdigest()}\n"


def open_note(note: str) -> str:
    text = note.partition("\n\n")[0] + "\n"
    if not hmac.compare_digest(sign(text).encode(), note.encode()):
        raise Refused(what=Text(zh="签名不符。", en="Not signed."), hint=Text(zh="", en=""))
    return text


class Moving:
    """A clock that moves on by a fixed step at every look."""

    def __init__(self, step_ms: float = 0.0) -> None:
        self.now, self.step = datetime(2026, 11, 21, 12, 0, tzinfo=UTC), timedelta(milliseconds=step_ms)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@dataclass
class Ledger:
    """Remembers what was sealed, as the real one does."""

    sealed: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __call__(self, segment: str, records: int, root: str) -> None:
        assert self.sealed.get(segment, (records, root)) == (records, root)
        self.sealed[segment] = (records, root)


def writer(folder: Path, ledger: Ledger | None = None, **kwargs: Any) -> Writer:
    ledger = ledger if ledger is not None else Ledger()
    defaults: dict[str, Any] = {
        "sign": sign,
        "log_origin": ORIGIN,
        "clock": Moving(),
        "chance": real_chance,
        "new_id": real_ids(),
        "on_sealed": ledger,
        "sealed": ledger.sealed,
    }
    return Writer(folder, **{**defaults, **kwargs})


def intent(n: int, text: str = "你好 hello") -> Record:
    facts = {
        "system_id": "sys_1",
        "endpoint": "/v1/chat/completions",
        "model": "m",
        "is_stream": n % 2 == 0,
        "done": "flag",
    }
    return Record(type="intent", id=f"rec_{n}", core=facts, content={"messages": [{"content": text}]})


def outcome(n: int, text: str | None = "bonjour") -> Record:
    facts = {"status": 200, "finish": "complete", "total_ms": 12.5, "done": "mask", "rules": ["personal.cn_id"]}
    return Record(type="outcome", id=f"rec_{n}", core=facts, content=None if text is None else {"text": text})


class Acks:
    """Collects callbacks, and waits for them."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Exception | None]] = []
        self._changed = threading.Condition()

    def of(self, name: str) -> Callable[[Exception | None], None]:
        def ack(error: Exception | None) -> None:
            with self._changed:
                self.done.append((name, error))
                self._changed.notify_all()

        return ack

    def wait(self, count: int, seconds: float = 20.0) -> list[tuple[str, Exception | None]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.done) >= count, seconds), f"{len(self.done)} of {count}"
            return list(self.done)


def put_one(log: Writer, record: Record) -> Exception | None:
    """Put one record and wait until it is durable or refused: one group each."""
    acks = Acks()
    log.put(record, acks.of(record.id))
    return acks.wait(1)[0][1]


def write(folder: Path, exchanges: int, *, ledger: Ledger | None = None, step_ms: float = 0.0, **limits: Any) -> None:
    """Write whole exchanges and close."""
    log = writer(folder, ledger, clock=Moving(step_ms), limits=Limits(**limits))
    log.start()
    for n in range(exchanges):
        assert put_one(log, intent(n)) is None
        assert put_one(log, outcome(n)) is None
    log.close()


def check(folder: Path, ledger: Ledger | None = None) -> Verification:
    return verify(folder, open_note=open_note, sealed=ledger.sealed if ledger else {}, log_origin=ORIGIN)
