"""The thread that obeys: it is woken when the stop file or an order is written, and carries it out itself.

It shares nothing with HTTP and does not need the event loop: a loop that is busy in Python code is overtaken at
the interpreter's next switch; a loop stuck in native code is killed by the supervisor within a second.  Each call into
the system gives the interpreter away, and getting it back beside busy threads costs a switch: so it sleeps until the
system wakes it (`waking.py`), and what takes longer, the proofs' way to the disk, is a thread of its own.  Where the
system does not tell, it glances every 5 ms, which is two calls.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from safebelt.engines.clock import Clock
from safebelt.kernel.errors import Invalid
from safebelt.kernel.ids import NewId
from safebelt.rooms.belt.control.crew import Crew
from safebelt.rooms.belt.control.heartbeat import EFFECTIVE, SEEN, WATCHER, Heartbeat
from safebelt.rooms.belt.control.in_force import Applied
from safebelt.rooms.belt.control.lease import LAPSED, REGAINED, Lease
from safebelt.rooms.belt.control.news import News
from safebelt.rooms.belt.control.orders import OrderBox, State, id_of_file, not_by_one, parse_stop_line, unknown_system
from safebelt.rooms.belt.control.switch import ALL, Switch, key_of
from safebelt.rooms.belt.model import Command, Layer, Matter, Order, StopProof

POLL_SECONDS = 0.005
"""Where nobody wakes us: two stat calls every 5 ms cost about 0.4 % of a core and keep an order's way under 10 ms."""
_LOOK_SECONDS = 0.025
"""How long a glance may stand for a look: what a glance cannot see (`OrderBox.marks`) waits no longer."""
_PROVE_AGAIN_SECONDS = 0.25
"""Proofs that a full disk did not take are tried again this often."""
_PROVE_LATER_SECONDS = 0.01
"""Workers that have not obeyed yet come first: where there are more of them than cores, their proofs' way to the disk
would take the cores from those."""
_SETTLE_SECONDS = 0.05
"""How long the proof waits for the loop to end its tasks before it counts; it counts in any case."""


class Watcher:
    """Carries out orders.

    Args:
        box: Where orders come from and proofs go.
        switch: What they act on.
        clock: Time for the proof.
        new_id: Mints ids for orders that come by the stop file.
        loop: The worker's event loop, told afterwards to end the tasks.
        heartbeat: The pulse page.
        complain: Told of a stop file nobody can understand.
        knows: Whether there is such a system: a slip in a name must not leave everything running.
        crew: The workers of this machine; an order has taken effect when all of them have confirmed it.
        worker: Which of them this one is.
        lease: How long the command bus may be silent; None where there is none.
        page: Says that there is an order; the switch looks at the same.
    """

    def __init__(
        self,
        *,
        box: OrderBox,
        switch: Switch,
        clock: Clock,
        new_id: NewId,
        loop: asyncio.AbstractEventLoop,
        heartbeat: Heartbeat,
        complain: Callable[[str], None],
        knows: Callable[[str], bool] = lambda _system_id: True,
        crew: Crew | None = None,
        worker: int = 1,
        lease: Lease | None = None,
        page: News | None = None,
    ) -> None:
        self._lease, self._is_lapsed = lease, key_of(ALL, Layer.LEASE) in switch.orders()
        self._crew, self._worker = crew or Crew(box), worker
        self._obeyed: dict[str, int] = {}
        self._by_file: dict[str, str] = {}
        self._box, self._switch, self._clock, self._new_id = box, switch, clock, new_id
        self._loop, self._heartbeat, self._complain, self._knows = loop, heartbeat, complain, knows
        self._stop_file = box.state().stop_file
        self._unwritten: deque[tuple[State, StopProof | None]] = deque()
        self._to_share: deque[Order] = deque()
        self._marks: tuple[object, object] | None = None
        self._look_at = 0.0
        self._turning: list[tuple[Order, datetime, Applied, threading.Event]] = []
        self._spoken: deque[tuple[Command, str, str]] = deque()
        self._ending, self._bell = threading.Event(), threading.Event()
        self._page = page or box.news()
        self._said, self._wake = self._page.said(), box.wake()
        self._news, self._is_told = 0, self._wake.tells
        self._thread = threading.Thread(target=self._run, name="belt-watcher", daemon=True)
        self._prover = threading.Thread(target=self._prove, name="belt-prover", daemon=True)

    def start(self) -> None:
        """Obey whatever waits already, then keep watching."""
        self.look()
        self._thread.start()
        self._prover.start()

    def stop(self) -> None:
        """Stop watching, with what was proven on disk."""
        self._ending.set()
        self._bell.set()
        self._wake.ring()
        for thread in (self._thread, self._prover):
            thread.join(timeout=2)
        if not self._thread.is_alive():
            self._wake.close()
        if not self._prover.is_alive():  # else a disk that does not answer has it, and two may not write
            self._try_to_prove()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._look_once(self._wake.wait(_LOOK_SECONDS if self._is_told else POLL_SECONDS))
            except Exception as error:  # noqa: BLE001  nothing whatever may end the thread that stops things
                self._complain(repr(error))
                time.sleep(POLL_SECONDS)  # what fails at once for ever must not take the core

    def _look_once(self, is_woken: bool) -> None:
        """Obey what there is; once there was something that the system did not tell of, ask by ourselves."""
        if not is_woken and not self._has_news():
            return
        before = self._news
        self._obey_all()
        if self._is_told and not is_woken and self._news > before:
            self._is_told = self._wake.was_told()
            self._obey_all()  # what it told just now may be newer than what was read

    def _has_news(self) -> bool:
        """Glance: has anybody written, or is a look due?"""
        marks, now = self._box.marks(), time.monotonic()
        is_lapsed = self._lease is not None and self._lease.is_lapsed()
        if marks == self._marks and now < self._look_at and not self._spoken and is_lapsed == self._is_lapsed:
            return False
        self._marks, self._look_at = marks, now + _LOOK_SECONDS
        self._switch.mark()
        return True

    def _prove(self) -> None:
        """Bring proofs to the disk.  Nothing that stops anything waits for this thread."""
        while not self._ending.is_set():
            self._bell.wait(_PROVE_AGAIN_SECONDS)
            self._bell.clear()
            self._ending.wait(_PROVE_LATER_SECONDS)
            self._try_to_prove()

    def _try_to_prove(self) -> None:
        try:
            self._write_proofs()
        except Exception as error:  # noqa: BLE001  without this thread orders would be carried out, and not believed
            self._complain(repr(error))

    def order(self, command: Command, by: str, reason: str = "") -> None:
        """Take an order for everything from inside this process; safe in a signal handler, needs no disk."""
        self._spoken.append((command, by, reason))
        self._wake.ring()

    def look(self) -> None:
        """Carry out what is new; then prove it, on disk on return unless the disk is full."""
        self._obey_all()
        self._write_proofs()

    def _obey_all(self) -> None:
        """Carry out what is new, the person's stop file first.

        The pulse is marked before anything goes to disk: it says that whatever was ordered before has been done, so a
        slow disk gets nobody killed.
        """
        while self._spoken:
            command, by, reason = self._spoken.popleft()
            self._obey(command, "", by, reason)
        self._obey_lease()
        self._prove_turned()
        self._said = self._page.said()
        identity = self._box.stop_file_identity()
        if identity and identity != self._stop_file:
            self._news += 1
            self._obey_stop_file()
        self._obey_box()
        if self._page.catch_up(self._said):
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._switch.heard)
        self._heartbeat.beat(WATCHER)

    def _obey_lease(self) -> None:
        """Stop by itself once the bus is silent for too long, and go on when it is heard again."""
        lease, was_lapsed = self._lease, self._is_lapsed
        self._is_lapsed = lease is not None and lease.is_lapsed()
        if self._is_lapsed == was_lapsed:
            return
        reason = REGAINED if lease is None or not self._is_lapsed else LAPSED.format(seconds=lease.seconds)
        order = Order(
            id=lease.order_id(is_lapsed=self._is_lapsed) if lease else self._new_id("ord"),
            command=Command.CUT if self._is_lapsed else Command.RUN,
            system_id=ALL,
            at=self._clock(),
            by=Layer.LEASE.value,
            reason=reason,
            layer=Layer.LEASE.value,
        )
        self.carry_out(order)

    def _obey_box(self) -> None:
        """Carry out what waits in the box; what this worker has done already waits there for the others.

        An order that was obeyed before it had a number (a person's stop file) is put in its place among the others.
        """
        # Asked first: a proof leaves this list after its order has left the disk, so no order is taken for a new one.
        unwritten = {proof.order.id for _, proof in tuple(self._unwritten) if proof}
        waiting = self._box.waiting()
        for order in waiting:
            if order.id not in self._obeyed and order.id not in unwritten:
                self._news += 1
                self.carry_out(order)
            elif self._obeyed.get(order.id) == 0 < order.number:
                self._apply(order)
                self._obeyed[order.id] = order.number
                self._keep(None)
        there = unwritten | {order.id for order in waiting} | {order.id for order in tuple(self._to_share)}
        self._obeyed = {id_: number for id_, number in self._obeyed.items() if id_ in there}

    def _obey_stop_file(self) -> None:
        """Obey the person's line; what nobody can read or understand pauses everything: somebody meant to stop."""
        try:
            text = self._steady_line()
            if not text.strip():  # a shell truncates before it writes: the line comes in a moment
                self._keep(None)
                return
            self._say_stop_file()
            command, system_id = parse_stop_line(text)
            if system_id and not self._knows(system_id):
                raise unknown_system(system_id)
            if not self._box.may_obey_file(command, system_id):
                self._complain(str(not_by_one()))
                self._keep(None)  # the file has been read: what was ordered stands
                return
        except FileNotFoundError:
            return  # taken away between two looks
        except (Invalid, OSError) as error:
            self._complain(str(error))
            self._obey(Command.PAUSE, "", "file", str(error), self._file_order())
        else:
            self._obey(command, system_id, "file", "", self._file_order())

    def _say_stop_file(self) -> None:
        """Let the other workers know before this one has done it."""
        self._page.stop_file(self._stop_file)
        self._said = self._said[0], self._page.said()[1]

    def _file_order(self) -> str:
        """Return the id of the order that the stop file is now: the same for every worker that reads it."""
        return id_of_file(self._stop_file, self._clock())

    def _steady_line(self) -> str:
        """Read the stop file with the identity of what was read: a line written meanwhile must not be obeyed twice."""
        text = ""
        for _ in range(_STEADY_TRIES):
            self._stop_file = self._box.stop_file_identity()
            text = self._box.stop_line()
            if self._box.stop_file_identity() == self._stop_file:
                break
        return text

    def _obey(self, command: Command, system_id: str, by: str, reason: str, order_id: str = "") -> None:
        """Obey an order that did not come by the box, and share it with the other workers, if there are any."""
        id_, at = order_id or self._new_id("ord"), self._clock()
        order = Order(id=id_, command=command, system_id=system_id, at=at, by=by, reason=reason)
        if order_id:
            self._by_file[key_of(system_id, "", command.matter)] = order_id
        if self._others() or self._box.sends:
            self._to_share.append(order)  # before it is proven: else a slower worker might take it for a new one
        self.carry_out(order)

    def _others(self) -> bool:
        return bool(self._crew.at_work().keys() - {self._worker})

    def carry_out(self, order: Order) -> None:
        """Put an order in force, end what it ends, and have the proof kept."""
        seen_at = self._clock()
        self._heartbeat.beat(SEEN)
        applied = self._apply(order)
        self._obeyed[order.id] = order.number
        effective_at = self._clock()
        ended = self._end_tasks(applied)
        is_ended = ended.wait(_SETTLE_SECONDS)
        if order.command.matter is Matter.VERSION:
            # A stop closes gates; this one turns what comes, and what the loop had begun to send it has sent by now.
            effective_at = self._clock()
            if not is_ended:
                self._turning.append((order, seen_at, applied, ended))
                return
        self._prove_that(order, seen_at, effective_at, applied)

    def _prove_turned(self) -> None:
        """Prove what a busy loop had not turned yet when it was ordered."""
        for each in tuple(self._turning):
            order, seen_at, applied, ended = each
            if ended.is_set():
                self._turning.remove(each)
                self._prove_that(order, seen_at, self._clock(), applied)

    def _prove_that(self, order: Order, seen_at: datetime, effective_at: datetime, applied: Applied) -> None:
        proof = StopProof(
            order=order,
            seen_at=seen_at,
            effective_at=effective_at,
            streams_cut=len(applied.cut),
            streams_held=applied.held,
            bytes_after=sum(line.bytes_after() for line in applied.touched if line.order in _SILENT),
            killed_by_supervisor=False,
            worker=os.getpid(),
        )
        self._heartbeat.beat(EFFECTIVE)
        self._keep(proof)

    def _keep(self, proof: StopProof | None) -> None:
        """Have the state of this moment kept, and a proof with it."""
        state = State(orders=self._switch.orders(), stop_file=self._stop_file, numbers=self._switch.numbers())
        self._unwritten.append((state, proof))
        self._bell.set()

    def _write_proofs(self) -> None:
        """Keep state and proofs; on a full disk they wait in memory, and the order holds meanwhile."""
        with contextlib.suppress(OSError):
            while self._to_share:
                self._box.give(self._to_share[0])
                self._to_share.popleft()
            while self._unwritten:
                state, proof = self._unwritten[0]
                if proof or len(self._unwritten) == 1:  # else the next says it all
                    self._box.keep(state)
                if proof:
                    self._crew.confirm(self._worker, proof)
                self._unwritten.popleft()
            self._crew.settle()

    def _apply(self, order: Order) -> Applied:
        if self._is_rewritten(order):
            return Applied(touched=(), cut=(), held=0)
        return self._switch.carry_out(order)

    def _is_rewritten(self, order: Order) -> bool:
        """Whether an order is an earlier text of the stop file, which this worker has read since.

        A slower worker may share what the file said before; what it says now gets its number only after that, and
        work that runs again must not be cut meanwhile.  The ids of the file's orders are as old as its texts; a system
        signal, and a text nobody understood, have a reason and are obeyed in any case.
        """
        read = self._by_file.get(key_of(order.system_id, order.layer, order.command.matter), "")
        return order.by == "file" and not order.reason and order.id < read

    def _end_tasks(self, applied: Applied) -> threading.Event:
        ended = threading.Event()

        def end() -> None:
            for line in applied.cut:
                line.end()
            self._switch.heard()
            # One turn later: what an exchange put off to the end of its turn (`proxy/quick.py`) is done by then.
            self._loop.call_soon(ended.set)

        with contextlib.suppress(RuntimeError):  # the loop is closed already: nothing is left to end
            self._loop.call_soon_threadsafe(end)
        return ended


_STEADY_TRIES = 3
"""Readings of a stop file that is being written; then the last one counts, so that no writer can hold off a stop."""

_SILENT = (Command.CUT, Command.PAUSE)
"""Orders after which not a byte may pass."""
