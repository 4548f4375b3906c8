"""An answer is held only while nothing was changed, and only for a moment."""

import pytest

from safebelt.kernel.errors import Unavailable
from safebelt.rooms.labelling.service import holding
from safebelt.rooms.labelling.service.holding import Held


class House:
    """Records that are asked, and how often they were."""

    def __init__(self) -> None:
        self.state, self.asked = "1", 0

    def ask(self) -> int:
        self.asked += 1
        return self.asked


def test_what_was_said_is_said_again_until_anything_changes() -> None:
    house = House()
    held = Held[int](lambda: house.state)

    assert [held.get("a", house.ask), held.get("a", house.ask)] == [1, 1]
    assert held.get("b", house.ask) == 2
    house.state = "2"
    assert held.get("a", house.ask) == 3


def test_a_change_while_it_is_asked_is_not_missed() -> None:
    house = House()
    held = Held[int](lambda: house.state)

    def changed_meanwhile() -> int:
        house.state = "2"
        return house.ask()

    held.get("a", changed_meanwhile)
    assert held.get("a", house.ask) == 2


def test_nothing_is_held_for_longer_than_a_moment(monkeypatch) -> None:
    house, now = House(), [100.0]
    monkeypatch.setattr(holding, "monotonic", lambda: now[0])
    held = Held[int](lambda: house.state)
    held.get("a", house.ask)

    now[0] += holding.SECONDS

    assert held.get("a", house.ask) == 2


def test_who_does_not_answer_is_not_answered_for() -> None:
    house = House()

    def silent() -> str:
        if house.asked:
            raise Unavailable(what=None, hint=None)  # type: ignore[arg-type]
        return "1"

    held = Held[int](silent)
    held.get("a", house.ask)

    with pytest.raises(Unavailable):
        held.get("a", house.ask)


def test_however_many_are_asked_about_few_are_held(monkeypatch) -> None:
    monkeypatch.setattr(holding, "_MOST", 3)
    held = Held[int](lambda: "1")
    for number in range(10):
        held.get(number, lambda: 1)

    assert len(held._answers) <= 3
