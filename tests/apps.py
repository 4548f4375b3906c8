"""An application is lent to one test after another: making one takes half a second of a core, serving another house none.

def build_app(house):
    return lent("belt", make, house=house)   # make(desk) builds it once; its doors ask `desk.house` at each request
"""

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from litestar import Litestar

_Made = tuple[Litestar, SimpleNamespace]
_free: dict[str, list[_Made]] = defaultdict(list)
_out: list[tuple[str, _Made]] = []


def lent(kind: str, make: Callable[[SimpleNamespace], Litestar], **serving: Any) -> Litestar:
    """Return an application of a kind that nobody else has in this test, serving what is named here."""
    made = _free[kind].pop() if _free[kind] else _new(make)
    vars(made[1]).update(serving)
    _out.append((kind, made))
    return made[0]


def all_back() -> None:
    """Take back what a test had.  Whoever still asks there finds an empty desk, never another test's house."""
    while _out:
        kind, made = _out.pop()
        vars(made[1]).clear()
        _free[kind].append(made)


def _new(make: Callable[[SimpleNamespace], Litestar]) -> _Made:
    desk = SimpleNamespace()
    return make(desk), desk
