"""What a process builds at its start is not looked through for garbage, and all that comes after is."""

import gc
import weakref

import pytest

from safebelt.engines.garbage import building


class Round:
    """Refers to itself: only a look for garbage finds it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def looking():
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_looked_for_while_building_and_what_was_built_is_left_alone():
    before = gc.get_freeze_count()

    with building():
        assert not gc.isenabled()
        built = [Round() for _ in range(1000)]

    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + 1000
    assert not {id(one) for one in built} & {id(one) for one in gc.get_objects()}


def test_garbage_made_afterwards_is_found():
    with building():
        pass
    gone = weakref.ref(Round())

    gc.collect()

    assert gone() is None


def test_building_that_fails_begins_looking_again():
    with pytest.raises(ZeroDivisionError), building():
        1 / 0  # noqa: B018

    assert gc.isenabled()
