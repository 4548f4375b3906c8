"""A person's order: given first, remembered second, proven third."""

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing

import sqlalchemy as sa
import structlog

from safebelt.kernel.actors import MACHINE, Actor, Role
from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.control.crew import Crew
from safebelt.rooms.belt.control.heartbeat import KEEPER, WATCHER
from safebelt.rooms.belt.control.in_force import RUNNING, InForce
from safebelt.rooms.belt.control.rations import used_now
from safebelt.rooms.belt.control.switch import ALL, key_of, matter_of, parts_of, strictest
from safebelt.rooms.belt.model import (
    NO_TERMS,
    Command,
    HoldOrdered,
    Layer,
    LimitOrdered,
    Matter,
    Order,
    OrderTerms,
    StopEffective,
    StopOrdered,
    StopProof,
    VersionOrdered,
    named,
)
from safebelt.rooms.belt.service.base import REASON, given, missing, pages_of
from safebelt.rooms.belt.service.commanding import EVERYTHING, Commanding
from safebelt.rooms.belt.service.holding import Wanted, checked_hold
from safebelt.rooms.belt.service.meant import cleaned, unknown
from safebelt.rooms.belt.service.words import BeltNow, Holds, LimitNow, Stop, Stops, VersionNow, WorkerNow

ALIVE_SECONDS = 2.0
"""The watcher beats every 5 ms; hundreds of missed beats are no hiccup."""
_REMEMBER_SECONDS = 2.0
"""How long an order waits for a stuck database before it answers; the order itself holds already."""
_POLL_SECONDS = 0.02

_log = structlog.get_logger("safebelt.belt")


class StopOrders(Commanding):
    """Stops, resumes, and the proofs of both."""

    _remembering: tuple[str, threading.Thread | None, list[Problem | None]] = ("", None, [])

    # ------------------------------------------------------------------ ordering

    def order(self, command: Command, system_id: str, reason: str, by: Actor, terms: OrderTerms = NO_TERMS) -> Order:
        """Order run, pause, drain or cut, for one system or (empty id) for all; terms as `hold` returns them.

        Raises:
            Invalid: No reason is given, or this is no id; nothing was ordered.
            NotFound: The register knows no such system; the order holds for that id nevertheless.
            ValueError: It is no order to stop or run.
        """
        if command.matter is not Matter.STOP:
            raise ValueError(f"{command} is no order to stop or run")
        return self._give_alone(self.to_stop(command, system_id, terms), reason, by)

    def to_stop(self, command: Command, target: str, terms: OrderTerms = NO_TERMS) -> Wanted:
        """Return an order to stop or run as it would be given; raises Invalid."""
        return Wanted(command=command, target=target, terms=checked_hold(command, target, terms))

    def _give_alone(self, wanted: Wanted, reason: str, by: Actor) -> Order:
        """Give what one person may give; `TwoPersonOrders` refuses what takes two."""
        return self._give(wanted.command, wanted.target, reason, by, wanted.terms)

    def hold(self, seconds: int = 0, most: int = 0) -> OrderTerms:
        """Return the terms of a pause that lets new requests wait; 0 takes what the settings say."""
        seconds, most = seconds or self._t.hold_seconds, most or self._t.hold_most
        return OrderTerms(hold_seconds=seconds, hold_most=most)

    def _give(self, command: Command, target: str, reason: str, by: Actor, terms: OrderTerms = NO_TERMS) -> Order:
        """Give an order.

        INVARIANT: the order is in the box before anything else is asked: stopping works even when the database is
        stuck or gone.  What the ledger could not take now, `collect_proofs` brings in later (`is_remembered`).
        """
        reason = given(reason, field="reason", what=REASON)
        given_order = Order(
            id=self._t.new_id("ord"),
            command=command,
            system_id=named(cleaned(target)),
            at=self._t.clock(),
            by=by.id,
            reason=reason,
            terms=terms,
        )
        self._t.box.give(given_order)
        problem = self._remember_soon(given_order, by)
        if problem is not None:
            raise problem
        return given_order

    def wait_effective(self, order_id: str, seconds: float, *, kept_seconds: float = 0.0) -> StopProof | None:
        """Wait for the proof of an order; None where no belt answered in time (the order holds all the same).

        Args:
            order_id: The order.
            seconds: How long to wait in any case.
            kept_seconds: How long where a supervisor keeps the belt: then it runs, or is being started again and
                obeys before it opens its port.
        """
        begun = time.monotonic()
        while (proof := self._t.box.proof(order_id)) is None and (proof := self._kept_proof(order_id)) is None:
            waited = time.monotonic() - begun
            if waited >= seconds and (waited >= kept_seconds or self._pulse(KEEPER) >= ALIVE_SECONDS):
                return None
            time.sleep(_POLL_SECONDS)
        return proof

    def _kept_proof(self, order_id: str) -> StopProof | None:
        """Look whether the proof went to the ledger meanwhile; a database that fails has nothing to say here."""
        try:
            with self._t.sql.read() as tx:
                row = tx.execute(sa.select(store.stop).where(store.stop.c.id == order_id)).mappings().first()
        except (Unavailable, sa.exc.SQLAlchemyError):
            return None
        return None if row is None else store.to_proof(row)

    # ------------------------------------------------------------------ remembering

    def _remember_soon(self, order: Order, by: Actor) -> Problem | None:
        """Write the order to the ledger, but do not wait for a stuck database; return what a person must hear."""
        heard: list[Problem | None] = []

        def remember() -> None:
            try:
                self._remember(order, by)
                heard.append(unknown(self._t, order))
            except Exception:  # noqa: BLE001  the order holds whatever the database says; see collect_proofs
                _log.exception("belt.order_not_remembered_yet", order=order.id)

        thread = threading.Thread(target=remember, name="belt-remember", daemon=True)
        thread.start()
        thread.join(_REMEMBER_SECONDS)
        self._remembering = (order.id, thread, heard)
        return heard[0] if heard else None

    def heard_of(self, order_id: str, seconds: float) -> Problem | None:
        """Return what a person must hear of the last order, where that was not known when it was given.

        Args:
            order_id: The order.
            seconds: How long to wait for a register that is slow to answer; the order holds all the same.
        """
        last_id, thread, heard = self._remembering
        if last_id != order_id or thread is None:
            return None
        thread.join(seconds)
        return heard[0] if heard else None

    def _remember(self, order: Order, by: Actor) -> None:
        with self._t.sql.begin() as tx:
            self._insert_order(tx, order, by)

    def _insert_order(self, tx: sa.Connection, order: Order, by: Actor) -> None:
        """Write that it was ordered once, whoever comes first: the deed, or the proof that already came back."""
        self._t.sql.exclusive(tx, "belt_stop")
        if tx.execute(sa.select(store.stop.c.id).where(store.stop.c.id == order.id)).first() is None:
            entry_id = self._t.ledger.append(tx, _ordered(order), by=by)
            tx.execute(sa.insert(store.stop).values(**store.from_order(order, entry_id)))

    def is_remembered(self, order_id: str) -> bool:
        """Whether the ledger has the order already; false too while the database does not answer."""
        try:
            with self._t.sql.read() as tx:
                return tx.execute(sa.select(store.stop.c.id).where(store.stop.c.id == order_id)).first() is not None
        except (Unavailable, sa.exc.SQLAlchemyError):
            return False

    def collect_proofs(self) -> int:
        """Bring every proof in the box to the ledger, each in one transaction, then forget it.

        Called every moment by a job; calling it twice changes nothing.

        Returns:
            How many proofs were brought in.
        """
        proofs = self._t.box.proofs()
        for proof in proofs:
            with self._t.sql.begin() as tx:
                self._keep(tx, proof)
            self._t.box.forget(proof.order.id)
        return len(proofs)

    def _keep(self, tx: sa.Connection, proof: StopProof) -> None:
        order = proof.order
        self._insert_order(tx, order, _who(order))
        where = store.stop.c.id == order.id
        if tx.execute(sa.select(store.stop.c.effective_at).where(where)).scalar_one() is not None:
            return
        event = StopEffective(
            subject=order.system_id or EVERYTHING,
            order_id=order.id,
            command=order.command.value,
            ordered_at=order.at.isoformat(),
            seen_at=proof.seen_at.isoformat(),
            effective_at=proof.effective_at.isoformat(),
            streams_cut=proof.streams_cut,
            streams_held=proof.streams_held,
            bytes_after=proof.bytes_after,
            killed_by_supervisor=proof.killed_by_supervisor,
        )
        entry_id = self._t.ledger.append(tx, event, by=MACHINE)
        tx.execute(sa.update(store.stop).where(where).values(**store.from_proof(proof, entry_id)))

    # ------------------------------------------------------------------ looking

    def stops(self, page: int = 1, per_page: int = 50, system_id: str = "") -> Stops:
        """Return one page of stops, newest first; with a system, those that concern it (its own and those for all)."""
        where = store.stop.c.system_id.in_(["", system_id]) if system_id else sa.true()
        query = sa.select(store.stop).where(where).order_by(store.stop.c.at.desc(), store.stop.c.id.desc())
        with self._t.sql.read() as tx:
            count = tx.execute(sa.select(sa.func.count()).select_from(store.stop).where(where)).scalar_one()
            rows = tx.execute(query.limit(per_page).offset((page - 1) * per_page)).mappings().all()
        return Stops(
            items=tuple(self._stop(row) for row in rows), count=count, page=page, pages=pages_of(count, per_page)
        )

    def stop(self, order_id: str) -> Stop:
        """Return one order and what became of it, from the ledger's table or, if it is not there yet, from the box.

        Raises:
            NotFound: Nobody gave such an order.
        """
        with self._t.sql.read() as tx:
            row = tx.execute(sa.select(store.stop).where(store.stop.c.id == order_id)).mappings().first()
        if row is not None:
            return self._stop(row)
        waiting = {order.id: order for order in self._t.box.waiting()}
        proofs = {proof.order.id: proof for proof in self._t.box.proofs()}
        if order_id in proofs:
            return Stop(order=proofs[order_id].order, proof=proofs[order_id])
        if order_id in waiting:
            return Stop(order=waiting[order_id])
        raise missing(
            Text(zh="命令", en="order"), order_id, Text(zh="请查看停止记录。", en="See `safebelt belt stops`.")
        )

    def _stop(self, row: sa.RowMapping) -> Stop:
        proof = store.to_proof(row) or self._t.box.proof(row["id"])
        return Stop(
            order=store.to_order(row),
            proof=proof,
            ordered_entry=row["ordered_entry"],
            effective_entry=row["effective_entry"] or "",
        )

    def in_force(self, system_id: str) -> Holds:
        """Return the order that holds for a system: the stricter of its own and the one for all."""
        now = self.state()
        own = now.systems.get(system_id, Holds(command=Command.RUN))
        return max((now.everything, own), key=lambda holds: holds.command.weight)

    def state(self) -> BeltNow:
        """Return what holds now, without asking the database."""
        orders = self._t.box.state().orders
        everything, waiting = strictest(orders, ALL), tuple(self._t.box.waiting())
        stopped = sorted({parts_of(key)[1] for key in orders if matter_of(key) is Matter.STOP} - {ALL})
        own = {
            name: max((orders.get(key_of(name, layer), RUNNING) for layer in Layer), key=_weight) for name in stopped
        }
        return BeltNow(
            everything=Holds(command=everything.command, order_id=everything.order_id),
            systems={
                system_id: Holds(command=each.command, order_id=each.order_id, system_id=system_id)
                for system_id, each in own.items()
                if each.command is not Command.RUN
            },
            waiting=waiting,
            is_alive=0 <= self._pulse(WATCHER) < ALIVE_SECONDS,
            workers=self._workers(waiting),
            bus=self.bus(),
            limits=self._limits(orders),
            versions=_versions(orders),
        )

    def _limits(self, orders: Mapping[str, InForce]) -> tuple[LimitNow, ...]:
        bound = sorted(key for key, each in orders.items() if each.command is Command.LIMIT)
        return tuple(
            LimitNow(
                target=parts_of(key)[1],
                order_id=orders[key].order_id,
                terms=orders[key].terms,
                layer=parts_of(key)[0],
                used=used_now(self._t.box.limits, orders[key].order_id),
            )
            for key in bound
        )

    def _workers(self, waiting: Iterable[Order]) -> tuple[WorkerNow, ...]:
        """Return the belt's processes, and which orders each has not confirmed."""
        with closing(Crew(self._t.box)) as crew:
            pids = crew.at_work()
            return tuple(
                WorkerNow(
                    number=number,
                    pid=pids.get(number, 0),
                    is_alive=0 <= crew.page(number).age_seconds(WATCHER) < ALIVE_SECONDS,
                    owes=owes,
                )
                for number, owes in crew.owing(waiting).items()
            )

    def _pulse(self, field: int) -> float:
        """Return how long ago the liveliest worker's page was marked."""
        with closing(Crew(self._t.box)) as crew:
            return min((crew.page(number).age_seconds(field) for number in crew.known()), default=float("inf"))


def _ordered(order: Order) -> Event:
    """Return what the ledger remembers of an order."""
    subject, command = order.system_id or EVERYTHING, order.command.value
    if order.terms.hold_seconds:
        return HoldOrdered(
            subject=subject,
            order_id=order.id,
            command=command,
            hold_seconds=order.terms.hold_seconds,
            hold_most=order.terms.hold_most,
            reason=order.reason,
        )
    if order.command.matter is Matter.STOP:
        return StopOrdered(subject=subject, order_id=order.id, command=command, reason=order.reason)
    if order.command.matter is Matter.VERSION:
        return VersionOrdered(
            subject=subject,
            order_id=order.id,
            command=command,
            to=order.terms.to,
            model=order.terms.model,
            upstream=order.terms.upstream,
            ends_running=order.terms.ends_running,
            reason=order.reason,
        )
    return LimitOrdered(
        subject=subject,
        order_id=order.id,
        command=command,
        per_minute=order.terms.per_minute,
        at_once=order.terms.at_once,
        basis=order.terms.basis,
        reason=order.reason,
    )


def _versions(orders: Mapping[str, InForce]) -> tuple[VersionNow, ...]:
    back = sorted(key for key, each in orders.items() if each.command is Command.ROLL_BACK)
    return tuple(
        VersionNow(
            target=parts_of(key)[1], order_id=orders[key].order_id, terms=orders[key].terms, layer=parts_of(key)[0]
        )
        for key in back
    )


def _weight(order: InForce) -> int:
    return order.command.weight


def _who(order: Order) -> Actor:
    """Return who gave an order that comes back from the box."""
    roles = frozenset({Role.OWNER}) if order.by == "file" else frozenset()
    return Actor(id=order.by, roles=roles, door="file")
