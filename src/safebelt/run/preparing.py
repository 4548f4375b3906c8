"""What is done before a belt's worker serves: what served only for that is gone by then.

Reading settings, bringing the database's shape up to date, reading and compiling policies take libraries and memory
that no exchange needs, and a process does not give them back.  `handing` puts the worker in this process's place.
"""

from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

from safebelt.app import House
from safebelt.rooms.belt.scanner.engine import Scanner
from safebelt.rooms.belt.scanner.fold import make_ready
from safebelt.rooms.belt.scanner.keeping import lacks
from safebelt.run.handing import Prepared, shelf_of
from safebelt.settings import Settings


def prepare(house: House) -> Prepared:
    """Do what must be done before a belt serves.

    Raises:
        Invalid: A policy of the folder, or the rules of admission, cannot be read.
        Refused: A policy in use lacks a red line of the house: the belt must not start.
    """
    house.belt.open_policies()
    house.belt.open_admission()
    shelf = shelf_of(house)
    for policy in house.belt.snapshot().policies.values():
        if lacks(policy, shelf):
            Scanner(policy, shelf=shelf)  # so that it lies compiled on the shelf
    make_ready(shelf)
    folder = house.belt.house_policies()
    same = {policy.digest: policy for policy in folder.values()}
    return Prepared(
        settings=said_by(house.settings),
        policies=folder,
        kept=tuple(same.get(policy.digest, policy) for policy in house.belt.policies()),
        usages=dict(house.belt.usages_on_disk()),
    )


def said_by(settings: Settings) -> dict[str, Any]:
    """Return every knob, and every property that follows from them, by name."""
    kind = type(settings)
    derived = [name for each in kind.__mro__[:-1] for name, value in vars(each).items() if _is_ours(each, value)]
    return {name: _plain(getattr(settings, name)) for name in (*kind.model_fields, *derived)}


def _plain(value: Any) -> Any:
    """Return a value without the library that read it: who unpacks it would load that again."""
    if isinstance(value, BaseModel):
        return SimpleNamespace(**{name: _plain(getattr(value, name)) for name in type(value).model_fields})
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def _is_ours(kind: type, value: object) -> bool:
    return kind.__module__ == Settings.__module__ and isinstance(value, property)
