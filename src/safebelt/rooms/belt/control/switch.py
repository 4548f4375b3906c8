"""The switch of one worker: which order is in force for which system, and every running line."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from safebelt.rooms.belt.control.in_force import RUNNING, Applied, InForce, Over
from safebelt.rooms.belt.control.line import ClientSide, Line
from safebelt.rooms.belt.control.rations import Ration, Rations
from safebelt.rooms.belt.model import LIFTING, NO_TERMS, Command, Layer, Matter, Order, OrderTerms, Scope, scope_of

ALL = ""
"""The key of an order for every system."""


class Switch:
    """Holds the orders and the lines; thread-safe.

    Args:
        orders: Those in force, by `key_of`.
        numbers: Number of the newest order, by the same.
        rations: Where limits are counted.
        is_behind: Whether an order was given that was not carried out here yet.

    Attributes:
        heard: Called on the event loop when an order was carried out: whoever waits for that looks.
    """

    def __init__(
        self,
        orders: Mapping[str, InForce] | None = None,
        numbers: Mapping[str, int] | None = None,
        rations: Rations | None = None,
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_behind = is_behind
        self.heard: Callable[[], None] = lambda: None
        self.lock = threading.Lock()
        self._orders, self._numbers = dict(orders or {}), dict(numbers or {})
        self._lines: set[Line] = set()
        self._pages = rations or Rations()
        self._rations: dict[str, Ration] = {}
        self._has_versions = any(matter_of(key) is Matter.VERSION for key in self._orders)
        for key, ordered in self._orders.items():
            if matter_of(key) is Matter.LIMIT:
                self._rations[key] = self._pages.open(ordered.order_id, ordered.terms)

    def orders(self) -> dict[str, InForce]:
        """Return the orders in force, by `key_of` (`ALL` for every system)."""
        with self.lock:
            return dict(self._orders)

    def numbers(self) -> dict[str, int]:
        """Return the number of the newest order, by system: a run has one too."""
        with self.lock:
            return dict(self._numbers)

    def in_force(self, system_id: str) -> InForce:
        """Return the order that holds for a system: the stricter of its own and the one for all."""
        with self.lock:
            return self._in_force(system_id)

    def _in_force(self, system_id: str) -> InForce:
        return strictest(self._orders, system_id)

    def in_force_for(self, line: Line, model: str) -> InForce:
        """Say whether an exchange may ask a model; where it may, orders for the model mean it too from now on."""
        if not self._orders:  # read without the lock: whoever sets an order looks at every line afterwards
            line.model = model
            if not self._orders:
                return RUNNING
        with self.lock:
            now = strictest(self._orders, *line.scopes(model))
            line.model = model if now.command is Command.RUN else ""
            return now

    def tool(self, name: str) -> InForce:
        """Return the order that holds for a tool."""
        return strictest(self._orders, Scope.TOOL.of(name)) if self._orders else RUNNING

    @property
    def has_orders(self) -> bool:
        """Whether any order is in force."""
        return bool(self._orders)

    @property
    def has_tool_orders(self) -> bool:
        """Whether any tool is stopped."""
        return any(f"{Scope.TOOL.value}:" in key for key in tuple(self._orders))

    @contextmanager
    def line(self, system_id: str, key_id: str = "") -> Iterator[Line]:
        """Open a line for one exchange; its `order` says whether new work is let in."""
        line = self.open(system_id, key_id)
        try:
            yield line
        finally:
            self.close(line)

    def open(self, system_id: str, key_id: str = "") -> Line:
        """Open a line; whoever does closes it."""
        line = Line(system_id, self.lock, key_id)
        with self.lock:
            if self._orders or self._is_behind():
                order = self._at_entry(line)
                line.order, line.order_id = order.command, order.order_id
            self._lines.add(line)
        return line

    def open_at_once(self, system_id: str, key_id: str, model: object, client: ClientSide) -> Line | None:
        """Open a line, for a model and tied to its client, where no order and no limit concerns anybody; else None.

        What `open`, `in_force_for`, `take` and `Line.attach_alone` do one after the other, under one lock.
        """
        with self.lock:
            if self._orders or self._rations or self._is_behind():
                return None
            line = Line(system_id, self.lock, key_id, client)
            if type(model) is str:
                line.model = model
            self._lines.add(line)
            return line

    def entering(self, line: Line) -> InForce:
        """Return what holds for a line that was not let in yet, and note it there."""
        with self.lock:
            order = self._at_entry(line)
            line.order, line.order_id = order.command, order.order_id
            return order

    def _at_entry(self, line: Line) -> InForce:
        """Return the stop that holds for a line; where there is none, but a limit may concern it, that it is bound."""
        scopes = line.scopes()
        stop = strictest(self._orders, *scopes)
        if self._is_behind() and stop.command.weight < Command.DRAIN.weight:
            return UNREAD
        is_bound = stop.command is Command.RUN and any(_may_bind(key, scopes) for key in self._orders)
        return _BOUND if is_bound else stop

    def close(self, line: Line) -> None:
        """Close a line, once or again."""
        with self.lock:
            self._lines.discard(line)
            if line.rations:
                self._leave(line)

    def _leave(self, line: Line) -> None:
        for ration, _ in line.rations:
            ration.leave()
        line.rations = ()

    # ------------------------------------------------------------------ versions

    def version(self, line: Line | None, model: str = "") -> InForce | None:
        """Return the order that sends an exchange to an earlier version; None where it goes where it always goes.

        An order from elsewhere comes before the house's own, and of one layer the narrowest counts.
        """
        if not self._has_versions or line is None:
            return None
        with self.lock:
            system, *parts = line.scopes(model)
            for layer in (Layer.BUS, Layer.HOUSE):
                for target in (*parts, system, ALL):
                    found = self._orders.get(key_of(target, layer, Matter.VERSION))
                    if found is not None:
                        return found
        return None

    # ------------------------------------------------------------------ limits

    def take(self, line: Line, model: str = "") -> Over | None:
        """Count an exchange in every limit that concerns it, each once; return the one it would go beyond, if any.

        Then it counts nowhere.
        """
        if not self._rations:
            return None
        with self.lock:
            return self._take(line, ("", *line.scopes(model)))

    def _take(self, line: Line, scopes: tuple[str, ...]) -> Over | None:
        known = {id(ration) for ration, _ in line.rations}
        for key, ration in self._rations.items():
            target = parts_of(key)[1]
            if target in scopes and id(ration) not in known:
                second = ration.count()
                if seconds := ration.take():
                    self._give_back(line)
                    return Over(order_id=ration.order_id, target=target, terms=ration.terms, seconds=seconds)
                line.rations += ((ration, second),)
        return None

    def give_back(self, line: Line) -> None:
        """Count an exchange nowhere: it was not let in."""
        with self.lock:
            self._give_back(line)

    def _give_back(self, line: Line) -> None:
        for ration, second in line.rations:
            ration.give_back(second)
        line.rations = ()

    def take_tool(self, name: str) -> Over | None:
        """Count a call in every limit for its tool; return the one it would go beyond, if any."""
        if not self._rations:
            return None
        with self.lock:
            line = Line("", self.lock)
            over = self._take(line, (Scope.TOOL.of(name),))
            self._leave(line)  # a call is over for the belt once it was let through
            return over

    @property
    def limits_models(self) -> bool:
        """Whether a limit is for a model, so that an exchange's must be known."""
        return any(f"{Scope.MODEL.value}:" in key for key in tuple(self._rations))

    def mark(self) -> None:
        """Tell the other workers that what this one counts as running does run."""
        if self._rations:
            with self.lock:
                for ration in self._rations.values():
                    ration.mark()

    def running(self) -> int:
        """Return how many lines are open."""
        with self.lock:
            return len(self._lines)

    def carry_out(self, order: Order) -> Applied:
        """Put an order in force, as `apply`."""
        return self.apply(order.command, order.system_id, order.id, order.number, order.layer, terms=order.terms)

    def apply(
        self,
        command: Command,
        system_id: str,
        order_id: str,
        number: int = 0,
        layer: str = "",
        *,
        terms: OrderTerms = NO_TERMS,
    ) -> Applied:
        """Put an order in force and end what it ends.  Safe from any thread; needs no event loop.

        An order with a lower number than the newest of its system has been overtaken and changes nothing.
        """
        ordered = InForce(command=command, order_id=order_id, terms=terms)
        ration = self._pages.open(order_id, terms) if command is Command.LIMIT else None
        with self.lock:
            key = key_of(system_id, layer, command.matter)
            if not put_in_force(ordered, key, number, self._orders, self._numbers):
                return Applied(touched=(), cut=(), held=0)
            if command.matter is Matter.LIMIT:
                self._limit(key, system_id, ration)
                return Applied(touched=(), cut=(), held=0)
            if command.matter is Matter.VERSION:
                self._has_versions = any(matter_of(each) is Matter.VERSION for each in self._orders)
            touched = tuple(line for line in self._lines if line.is_in and _concerns(system_id, line.scopes()))
            for line in touched:
                now = strictest(self._orders, *line.scopes())
                if command.matter is Matter.STOP:
                    line.command(now.command, now.order_id)
                elif terms.ends_running:  # what is asked of the newer version ends; whoever asks again asks the earlier
                    line.command(Command.CUT, order_id)
            cut = tuple(line for line in touched if line.is_cut)
            return Applied(touched=touched, cut=cut, held=sum(line.order is Command.PAUSE for line in touched))

    def _limit(self, key: str, target: str, ration: Ration | None) -> None:
        """Count from now on by a new limit, or no longer; what runs already counts among what runs."""
        replaced = self._rations.pop(key, None)
        if replaced is not None:
            for line in self._lines:
                line.rations = tuple(each for each in line.rations if each[0] is not replaced)
            self._pages.forget(replaced.order_id)
        if ration is None:
            return
        self._rations[key] = ration
        for line in self._lines:
            if _concerns(target, line.scopes()):
                ration.join()
                line.rations += ((ration, 0),)


UNREAD = InForce(command=Command.PAUSE, order_id="", terms=OrderTerms(hold_seconds=1, hold_most=1_000_000))
"""While an order was given that this worker has not carried out: what is new waits, for a few milliseconds."""
_BOUND = InForce(command=Command.LIMIT, order_id="")
"""Of a line that no order stops, and that must be asked about limits before it goes on."""


def _may_bind(key: str, scopes: tuple[str, ...]) -> bool:
    """Whether an order that does not stop concerns a line, or may, once its model and tools are known."""
    if matter_of(key) is Matter.STOP:
        return False
    target = parts_of(key)[1]
    return _concerns(target, scopes) or scope_of(target) in (Scope.MODEL, Scope.TOOL)


def _concerns(target: str, scopes: tuple[str, ...]) -> bool:
    return target == ALL or target in scopes


def key_of(target: str, layer: str = "", matter: Matter = Matter.STOP) -> str:
    """Return under which key an order is kept: each layer and matter has its own, so that none lifts another's."""
    key = f"{layer}/{target}" if layer else target
    return f"{matter.value}|{key}" if matter else key


def matter_of(key: str) -> Matter:
    """Return what the order under a key is about."""
    return next((each for each in Matter if each and key.startswith(f"{each.value}|")), Matter.STOP)


def parts_of(key: str) -> tuple[str, str]:
    """Return the layer of a key and what the order names."""
    matter = matter_of(key)
    key = key.removeprefix(f"{matter.value}|") if matter else key
    for layer in Layer:
        if layer and key.startswith(f"{layer}/"):
            return layer.value, key.removeprefix(f"{layer}/")
    return "", key


def strictest(orders: Mapping[str, InForce], *scopes: str) -> InForce:
    """Return the order that holds for what is named so: the strictest of theirs and those for all, of every layer."""
    keys = [key_of(each, layer) for layer in Layer for each in [ALL, *scopes]]
    return max((orders.get(key, RUNNING) for key in keys), key=severity)


def severity(order: InForce) -> tuple[int, bool]:
    """Place of an order among those that hold: of two pauses the one that lets nothing wait is stricter."""
    return order.command.weight, not order.terms.hold_seconds


def put_in_force(ordered: InForce, key: str, number: int, orders: dict[str, InForce], numbers: dict[str, int]) -> bool:
    """Note an order among those in force, by key; return whether it was not overtaken by one of a higher number."""
    if 0 < number < numbers.get(key, 0):
        return False
    if number:
        numbers[key] = number
    if ordered.command is LIFTING[ordered.command.matter]:
        orders.pop(key, None)
    else:
        orders[key] = ordered
    return True
