"""The public register is counted by one visitor at a time; who comes meanwhile gets the last numbers."""

from tests.rooms.portal.conftest import House


def test_who_comes_while_another_counts_gets_the_last_numbers_of_the_day(public: House) -> None:
    first = public.portal.statistics()
    public.clock.move(minutes=6)

    with public.portal._lock:
        meanwhile = public.portal.statistics()
    after = public.portal.statistics()

    assert meanwhile is first
    assert after is not first
    assert public.portal.statistics() is after
