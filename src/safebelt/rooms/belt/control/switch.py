"""The switch of one worker: which order is in force for which system, and every running line."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.model import Command, Layer, Scope

ALL = ""
"""The key of an order for every system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """An order in force."""

    command: Command
    order_id: str


RUNNING = InForce(command=Command.RUN, order_id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What applying an order did.

    Attributes:
        touched: Running lines the order concerns.
        cut: Those it ended.
        held: How many it holds.
    """

    touched: tuple[Line, ...]
    cut: tuple[Line, ...]
    held: int


class Switch:
    """Holds the orders and the lines; thread-safe."""

    def __init__(self, orders: Mapping[str, InForce] | None = None, numbers: Mapping[str, int] | None = None) -> None:
        self.lock = threading.Lock()
        self._orders, self._numbers = dict(orders or {}), dict(numbers or {})
        self._lines: set[Line] = set()

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
            if self._orders:
                order = strictest(self._orders, *line.scopes())
                line.order, line.order_id = order.command, order.order_id
            self._lines.add(line)
        return line

    def close(self, line: Line) -> None:
        """Close a line, once or again."""
        with self.lock:
            self._lines.discard(line)

    def running(self) -> int:
        """Return how many lines are open."""
        with self.lock:
            return len(self._lines)

    def apply(self, command: Command, system_id: str, order_id: str, number: int = 0, layer: str = "") -> Applied:
        """Put an order in force and end what it ends.  Safe from any thread; needs no event loop.

        An order with a lower number than the newest of its system has been overtaken and changes nothing.
        """
        ordered = InForce(command=command, order_id=order_id)
        with self.lock:
            if not put_in_force(ordered, key_of(system_id, layer), number, self._orders, self._numbers):
                return Applied(touched=(), cut=(), held=0)
            touched = tuple(line for line in self._lines if not line.is_cut and system_id in (ALL, *line.scopes()))
            for line in touched:
                now = strictest(self._orders, *line.scopes())
                line.command(now.command, now.order_id)
            cut = tuple(line for line in touched if line.is_cut)
            return Applied(touched=touched, cut=cut, held=sum(line.order is Command.PAUSE for line in touched))


def key_of(system_id: str, layer: str = "") -> str:
    """Return under which key an order is kept: each layer has its own, so that none lifts another's."""
    return f"{layer}/{system_id}" if layer else system_id


def parts_of(key: str) -> tuple[str, str]:
    """Return the layer of a key and what the order names."""
    for layer in Layer:
        if layer and key.startswith(f"{layer}/"):
            return layer.value, key.removeprefix(f"{layer}/")
    return "", key


def strictest(orders: Mapping[str, InForce], *scopes: str) -> InForce:
    """Return the order that holds for what is named so: the strictest of theirs and those for all, of every layer."""
    keys = [key_of(each, layer) for layer in Layer for each in (ALL, *scopes)]
    return max((orders.get(key, RUNNING) for key in keys), key=lambda order: order.command.weight)


def put_in_force(ordered: InForce, key: str, number: int, orders: dict[str, InForce], numbers: dict[str, int]) -> bool:
    """Note an order among those in force, by key; return whether it was not overtaken by one of a higher number."""
    if 0 < number < numbers.get(key, 0):
        return False
    if number:
        numbers[key] = number
    if ordered.command is Command.RUN:
        orders.pop(key, None)
    else:
        orders[key] = ordered
    return True
