"""Orders on disk: they work when HTTP, the database and the event loop do not.

Folder `<home>/belt/`:

* `stop`             a person's hand: one line `run|pause|drain|cut [system]`; writing it again repeats the order;
                     what cannot be read or understood pauses everything, because somebody meant to stop
* `orders/<id>.json` orders of console and CLI, one file each, so that none overwrites another
* `acks/<id>.<n>`    what worker *n* can prove of an order, until all have confirmed it
* `proofs/<id>.json` what came of each order, kept until the ledger has it
* `state.json`       the orders in force, so that a restart stays stopped
* `outbox/<id>.json` orders that other machines are to obey too, until they were told
* `limits/<id>`      what a limit has counted, shared by the workers (`rations.py`)
* `two-people.json`  which orders take two people: a copy of what the database says
* `news`             the number of the newest order, in shared memory: nothing new is let in by who has not read it
* `numbers`          the number of the last order: every worker ends with the order of the highest number in force
"""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import msgspec

from safebelt.kernel.errors import Invalid
from safebelt.kernel.ids import encode, uuid7
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.news import News
from safebelt.rooms.belt.control.numbers import Numbers
from safebelt.rooms.belt.control.switch import strictest
from safebelt.rooms.belt.control.waking import Wake
from safebelt.rooms.belt.decide.two_people import needs_two
from safebelt.rooms.belt.model import STOPS, Command, Order, StopProof, TwoPeople

_MAX_STOP_FILE = 4096
"""Bytes of the stop file that are read: one line needs a hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a restart must know.

    Attributes:
        orders: Orders in force, by system id (empty: all).
        stop_file: Identity of the stop file last obeyed (`inode:mtime:size`).
        numbers: Number of the newest order, by system id.
    """

    orders: dict[str, InForce]
    stop_file: str = ""
    numbers: dict[str, int] = field(default_factory=dict)


class OrderBox:
    """The folder of orders.

    Args:
        folder: `<home>/belt`; made on first use, mode 0700.
        sends: Whether other machines obey this house: then each of its orders is also laid out for them.
    """

    def __init__(self, folder: Path, *, sends: bool = False) -> None:
        self.folder, self.sends = folder, sends
        self._outbox, self.limits = folder / "outbox", folder / "limits"
        self.stop_file = folder / "stop"
        self._orders, self._proofs, self._state = folder / "orders", folder / "proofs", folder / "state.json"
        self._two_people = folder / "two-people.json"
        self._acks, self._numbers = folder / "acks", Numbers(folder / "numbers")
        for place in (folder, self._orders, self._proofs, self._acks):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)

    def give(self, order: Order) -> None:
        """Put an order, with its number, where the belt sees it within a few milliseconds."""
        path = self._orders / f"{order.id}.json"
        with self._numbers.next() as number:
            if path.exists():  # several workers give what they all read in the stop file
                return
            numbered = msgspec.json.encode(replace(order, number=number))
            _write(path, numbered, then=partial(self._say, number))
        if self.sends and not order.layer:
            self._outbox.mkdir(mode=0o700, exist_ok=True)
            _write(self._outbox / f"{order.id}.json", numbered)

    def news(self) -> News:
        """Return the page that says that there is an order."""
        return News(self.folder / "news")

    def _say(self, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):  # without the page the workers find the order all the same
            self.news().order(number)

    def to_send(self) -> list[Order]:
        """Return this house's orders that are not with the other machines yet, in their order."""
        return _orders_in(self._outbox)

    def sent(self, order_id: str) -> None:
        """Take an order away from those to be sent."""
        (self._outbox / f"{order_id}.json").unlink(missing_ok=True)

    def waiting(self) -> list[Order]:
        """Return orders that some worker has not carried out yet, in their order."""
        return _orders_in(self._orders)

    def wake(self) -> Wake:
        """Return what waits until the stop file or an order is written."""
        return Wake(self.folder, self.stop_file.name, self._orders)

    def marks(self) -> tuple[object, object]:
        """Return what changes when the stop file is written or an order comes, for the price of two calls.

        Not certain: where a file system's clock stands still between two changes, the second looks like the first.
        """
        return _mark(self.stop_file), _mark(self._orders)

    def stop_file_identity(self) -> str:
        """Return what changes whenever a person writes the stop file; empty where there is none.

        What it says is part of it: a file system's clock may stand still for some milliseconds between `run` and `cut`.
        """
        try:
            status = self.stop_file.stat()
            mark = crc32(self.stop_line().encode())
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"unreadable:{error.errno}"
        return f"{status.st_ino}:{status.st_mtime_ns}:{status.st_size}:{mark}"

    def stop_line(self) -> str:
        """Return what the stop file says.

        Raises:
            OSError: It cannot be read, or is no file.
        """
        handle = os.open(self.stop_file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # never wait for a pipe's writer
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise IsADirectoryError(errno.EISDIR, "the stop file is no file", str(self.stop_file))
            return file.read(_MAX_STOP_FILE).decode("utf-8-sig", "replace")

    def done(self, proof: StopProof) -> None:
        """Keep what came of an order, then take the order away: in this order, so that none is lost."""
        _write(self._proofs / f"{proof.order.id}.json", msgspec.json.encode(proof))
        (self._orders / f"{proof.order.id}.json").unlink(missing_ok=True)

    def confirm(self, worker: int, proof: StopProof) -> None:
        """Keep what one of several workers can prove of an order."""
        _write(self._acks / f"{proof.order.id}.{worker}", msgspec.json.encode(proof))

    def confirmed(self, order_id: str) -> dict[int, StopProof]:
        """Return which workers have confirmed an order, and their parts of its proof."""
        found = {}
        for path in self._acks.iterdir():
            id_, _, worker = path.name.rpartition(".")
            if id_ == order_id and worker.isdigit():
                with contextlib.suppress(OSError, msgspec.DecodeError):  # another worker has added it up meanwhile
                    found[int(worker)] = msgspec.json.decode(path.read_bytes(), type=StopProof)
        return found

    def oldest_confirmation(self, order_id: str) -> float:
        """Return how many seconds ago the first worker confirmed an order; 0 where none did."""
        ages = [0.0]
        for path in self._acks.glob(f"{order_id}.*"):
            with contextlib.suppress(OSError):
                ages.append(time.time() - path.stat().st_mtime)
        return max(ages)

    def is_waiting(self, order_id: str) -> bool:
        """Whether an order is in the box for every worker to carry out."""
        return (self._orders / f"{order_id}.json").exists()

    def unsettled(self) -> list[str]:
        """Return the orders that some worker has confirmed and that are not proven yet."""
        return sorted({path.name.rpartition(".")[0] for path in self._acks.iterdir() if path.name[:1] != "."})

    def forget_confirmations(self, order_id: str) -> None:
        """Take the parts of a proof away once they are added up."""
        for worker in self.confirmed(order_id):
            (self._acks / f"{order_id}.{worker}").unlink(missing_ok=True)

    def proof(self, order_id: str) -> StopProof | None:
        """Return the proof of an order, once there is one."""
        try:
            return msgspec.json.decode((self._proofs / f"{order_id}.json").read_bytes(), type=StopProof)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def proofs(self) -> list[StopProof]:
        """Return the proofs still here, oldest first."""
        ids = (path.stem for path in sorted(self._proofs.glob("*.json")))
        return [proof for order_id in ids if (proof := self.proof(order_id))]

    def forget(self, order_id: str) -> None:
        """Take a proof away once the ledger has it."""
        (self._proofs / f"{order_id}.json").unlink(missing_ok=True)

    def state(self) -> State:
        """Return the orders in force; an unreadable file means *everything is cut*, never *run*."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=State)
        except FileNotFoundError:
            return State(orders={})
        except (OSError, msgspec.DecodeError):
            return State(orders={"": InForce(command=Command.CUT, order_id="ord_unreadable_state")})

    def stopping(self, system_id: str) -> str:
        """Return which order stops a system now; empty while it may run."""
        found = strictest(self.state().orders, system_id).command
        return "" if found is Command.RUN else found.value

    def two_people(self) -> dict[str, TwoPeople]:
        """Return which orders take two people, by system; where that cannot be read, every lifting does."""
        try:
            return msgspec.json.decode(self._two_people.read_bytes(), type=dict[str, TwoPeople])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError):
            return {"": TwoPeople(lifting=True)}

    def keep_two_people(self, rules: Mapping[str, TwoPeople]) -> None:
        """Keep which orders take two people, durably."""
        _write(self._two_people, msgspec.json.encode(rules))

    def may_obey_file(self, command: Command, target: str) -> bool:
        """Whether one person's line in the stop file may be obeyed: it always stops, and lifts what one may lift."""
        standing = self.state().orders.get(target)
        now = standing.command if standing else Command.RUN
        rules = {each: TwoPeople(lifting=rule.lifting) for each, rule in self.two_people().items()}
        return not needs_two(rules, command, target, now)

    def keep(self, state: State) -> None:
        """Keep the orders in force, durably."""
        _write(self._state, msgspec.json.encode(state))


def _orders_in(folder: Path) -> list[Order]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Order))
        except (OSError, msgspec.DecodeError):
            continue  # taken by another worker meanwhile, or not ours; `_write` never leaves half a file
    return sorted(found, key=lambda order: order.number)


def _mark(path: Path) -> object:
    try:
        status = path.stat()
    except OSError as error:
        return error.errno
    return status.st_ino, status.st_mtime_ns, status.st_size


def parse_stop_line(text: str) -> tuple[Command, str]:
    """Read `run|pause|drain|cut [system]`.

    Returns:
        The command and the system's id, empty for all.

    Raises:
        Invalid: The line is something else.
    """
    words = text.split()
    is_one_line = len(text.strip().splitlines()) == 1  # a second line is an order of its own, never a system's id
    if is_one_line and 1 <= len(words) <= 2 and words[0].lower() in STOPS:
        return Command(words[0].lower()), words[1] if len(words) == 2 else ""
    raise Invalid(
        what=Text(
            zh=f"停止文件的内容无法理解：{text[:80]!r}。", en=f"The stop file cannot be understood: {text[:80]!r}."
        ),
        hint=Text(
            zh="写一行：run、pause、drain 或 cut，后面可加系统编号。",
            en="Write one line: run, pause, drain or cut, then perhaps a system's id.",
        ),
    )


def id_of_file(identity: str, now: datetime) -> str:
    """Return the id of the order that a stop file is: every worker that reads it finds the same.

    Args:
        identity: As `OrderBox.stop_file_identity`.
        now: For a file that cannot be read, and so has no time of its own: those of ten seconds are one order.
    """
    _, _, changed = identity.partition(":")
    at, _, rest = changed.partition(":")
    millis = int(at) // 1_000_000 if rest and at.isdigit() else int(now.timestamp()) // 10 * 10_000
    return f"ord_{encode(uuid7(millis, sha256(identity.encode()).digest()[:10]))}"


def not_by_one() -> Invalid:
    """Say that a stop file lifts what two people must lift."""
    return Invalid(
        what=Text(
            zh="停止文件要恢复运行，而这须由两人作出。",
            en="The stop file lets something run again, which takes two people here.",
        ),
        hint=Text(
            zh="原命令继续有效；请在控制台或命令行提出恢复。",
            en="What was ordered stands; propose the resume in the console or the shell.",
        ),
    )


def unknown_system(system_id: str) -> Invalid:
    """Say that a stop file names a system that this belt does not carry."""
    return Invalid(
        what=Text(
            zh=f"停止文件所指的系统不在本安全带上：{system_id[:80]!r}。",
            en=f"The stop file names a system that is not on this belt: {system_id[:80]!r}.",
        ),
        hint=Text(
            zh="为安全起见已暂停全部系统；请核对系统编号后重写。",
            en="Everything was paused to be safe; check the system's id and write the file again.",
        ),
    )


def _write(path: Path, data: bytes, then: Callable[[], None] = lambda: None) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a half; tell as soon as it is there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    then()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a renamed file's name durable too, where a folder can be opened (not on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
