"""What the supervisor does about a belt that does not obey within a second: kill it, and prove that."""

import time

from safebelt.engines.clock import Clock
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.control.crew import Crew
from safebelt.rooms.belt.control.heartbeat import KEEPER, WATCHER, Heartbeat
from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.orders import OrderBox, State, id_of_file, parse_stop_line
from safebelt.rooms.belt.control.switch import key_of, put_in_force
from safebelt.rooms.belt.model import Command, Order, StopProof

OBEY_SECONDS = 0.8
"""With the supervisor's 50 ms rhythm, and the kill itself, an order is in force within one second."""


class Watchdog:
    """Holds the belt to its orders, from outside.

    Args:
        box: Orders and proofs.
        heartbeat: The belt's pulse.
        clock: Time for the proof.
        crew: The workers of this machine.
        worker: Which of them is watched.
    """

    def __init__(
        self,
        *,
        box: OrderBox,
        heartbeat: Heartbeat,
        clock: Clock,
        crew: Crew | None = None,
        worker: int = 1,
    ) -> None:
        self._crew, self._worker = crew or Crew(box), worker
        self._box, self._heartbeat, self._clock = box, heartbeat, clock
        self._since: dict[str, float] = {}
        self._pid = 0

    def watch(self, pid: int) -> str:
        """Return why the belt must be killed, or nothing.

        A worker that is still starting serves nobody yet, so it has nothing to stop: it obeys before it opens its port.
        One whose pulse is younger than an order has carried it out, though it may not be able to write the proof.
        """
        if pid != self._pid:
            self._pid = pid
            self._heartbeat.clear()
        self._heartbeat.beat(KEEPER)
        if self._heartbeat.age_seconds(WATCHER) == float("inf"):
            self._since.clear()
            return ""
        waiting = {order.id for order in self._mine()}
        identity = self._box.stop_file_identity()
        if identity and identity != self._box.state().stop_file:
            waiting.add(f"stop file {identity}")
        now = time.monotonic()
        self._since = {key: self._since.get(key, now) for key in waiting}
        pulse = self._heartbeat.age_seconds(WATCHER)
        late = [key for key, since in self._since.items() if OBEY_SECONDS < now - since < pulse]
        return f"did not carry out {late[0]} within {OBEY_SECONDS} s" if late else ""

    def on_killed(self, pid: int) -> None:
        """Put the waiting orders in force for the next worker, and keep their proofs."""
        state = self._box.state()
        orders, stop_file, numbers = dict(state.orders), state.stop_file, dict(state.numbers)
        self._heartbeat.clear()  # it is not at work any more: nobody waits for it
        for order in self._all_waiting():
            ordered = InForce(command=order.command, order_id=order.id, terms=order.terms)
            key = key_of(order.system_id, order.layer, order.command.matter)
            put_in_force(ordered, key, order.number, orders, numbers)
            now = self._clock()
            proof = StopProof(
                order=order,
                seen_at=now,
                effective_at=now,
                streams_cut=-1,
                streams_held=0,
                bytes_after=0,
                killed_by_supervisor=True,
                worker=pid,
            )
            seen = self._box.stop_file_identity() or stop_file
            self._box.keep(State(orders=orders, stop_file=seen, numbers=numbers))
            self._crew.confirm(self._worker, proof)
        self._since.clear()

    def _all_waiting(self) -> list[Order]:
        identity = self._box.stop_file_identity()
        by_hand: list[Order] = []
        if identity and identity != self._box.state().stop_file:
            try:
                command, system_id = parse_stop_line(self._box.stop_line())
            except (Invalid, OSError):
                command, system_id = Command.PAUSE, ""
            if self._box.may_obey_file(command, system_id):
                by_hand = [self._order(command, system_id)]
        return [*by_hand, *self._mine()]

    def _mine(self) -> list[Order]:
        """Return the orders that the watched worker has not confirmed."""
        return [order for order in self._box.waiting() if self._worker not in self._box.confirmed(order.id)]

    def _order(self, command: Command, system_id: str) -> Order:
        identity = self._box.stop_file_identity()
        return Order(
            id=id_of_file(identity, self._clock()),
            command=command,
            system_id=system_id,
            at=self._clock(),
            by="file",
            reason="",
        )
