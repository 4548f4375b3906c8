"""What persons limited stays within the limit, whoever counts: at most so many in any minute, and so many at once."""

import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.control.rations import Ration, Rations, Used, used_now
from safebelt.rooms.belt.control.switch import Switch, key_of, matter_of, parts_of
from safebelt.rooms.belt.model import Command, Layer, Matter, OrderTerms

ORDER = "ord_1"


class Ticks:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.floats(0, 40, allow_nan=False), st.integers(1, 3)), min_size=1, max_size=40),
)
def test_never_more_than_was_ordered_begin_in_any_minute_whichever_workers_let_them_in(
    most: int, arrivals: list[tuple[float, int]]
) -> None:
    ticks, page = Ticks(), bytearray(64 * 512)
    hands = {
        worker: Ration(ORDER, OrderTerms(per_minute=most), page, worker=worker, workers=3, ticks=ticks)
        for worker in (1, 2, 3)
    }
    let_in: list[float] = []
    for after, worker in arrivals:
        ticks.now += after
        recent = [at for at in let_in if ticks.now - at < 60]
        wait = hands[worker].take()
        if wait == 0:
            let_in.append(ticks.now)
        assert len(recent) < most or wait, "one more than was ordered"
        assert wait == 0 or len([at for at in let_in if ticks.now - at < 62]) >= most, "refused for nothing"
        assert 0 <= wait <= 61


@given(st.integers(1, 5), st.integers(0, 30))
def test_whoever_comes_back_when_told_is_let_in(most: int, apart: int) -> None:
    ticks, page = Ticks(), bytearray(64 * 512)
    ration = Ration(ORDER, OrderTerms(per_minute=most), page, ticks=ticks)
    for _ in range(most):
        assert ration.take() == 0
        ticks.now += apart / most
    wait = ration.take()
    ticks.now += wait

    assert wait > 0 and ration.take() == 0


def _hammer(folder: str, worker: int, seconds: float) -> int:
    ration = Rations(Path(folder), worker=worker, workers=3).open(ORDER, OrderTerms(per_minute=500))
    let_in, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        let_in += ration.take() == 0
    return let_in


def test_three_processes_let_in_what_was_ordered_together_and_not_each(tmp_path: Path) -> None:
    with get_context("spawn").Pool(3) as pool:
        let_in = pool.starmap(_hammer, [(str(tmp_path), worker, 2.0) for worker in (1, 2, 3)])

    used = used_now(tmp_path, ORDER)
    assert sum(let_in) == 500 and used is not None and used.in_minute == 500 and used.refused > 0


def test_what_runs_in_a_worker_that_gave_no_sign_is_not_counted_and_what_it_let_in_is(tmp_path: Path) -> None:
    ticks = Ticks()
    first, second = (
        Rations(tmp_path, worker=worker, workers=2, ticks=ticks).open(ORDER, OrderTerms(per_minute=3, at_once=1))
        for worker in (1, 2)
    )

    assert first.take() == 0 and second.take() > 0, "one runs, on another worker"
    ticks.now += 3  # the first was killed
    assert second.take() == 0
    second.leave()
    again = Rations(tmp_path, worker=1, workers=2, ticks=ticks).open(ORDER, OrderTerms(per_minute=3, at_once=1))
    assert again.take() == 0, "what ran in it before runs no more"
    again.leave()
    assert again.take() > 0 and again.used().in_minute == 3, "and what it let in counts still"


def test_where_the_disk_refuses_a_worker_takes_its_share(tmp_path: Path) -> None:
    (tmp_path / "limits").write_text("no folder")
    ration = Rations(tmp_path / "limits", worker=2, workers=2).open(ORDER, OrderTerms(per_minute=4, at_once=1))

    assert [ration.take() == 0 for _ in range(2)] == [True, False]  # one at once at least
    ration.leave()
    assert [ration.take() == 0, ration.leave(), ration.take() == 0] == [True, None, False]


def test_nobody_has_begun_to_count_is_told_from_nothing_used(tmp_path: Path) -> None:
    assert used_now(tmp_path, ORDER) is None
    Rations(tmp_path).open(ORDER, OrderTerms(per_minute=1))
    assert used_now(tmp_path, ORDER) == Used()


# ------------------------------------------------------------------ the switch


def _taken(switch: Switch, *lines: Line) -> list[bool]:
    return [switch.take(line) is None for line in lines]


def test_a_limit_and_a_stop_stand_beside_one_another_and_neither_lifts_the_other() -> None:
    switch = Switch()
    switch.apply(Command.CUT, "sys_1", "ord_1")
    switch.apply(Command.LIMIT, "sys_1", "ord_2", terms=OrderTerms(per_minute=1))

    assert switch.open("sys_1").order is Command.CUT
    switch.apply(Command.UNLIMIT, "sys_1", "ord_3")
    assert switch.open("sys_1").order is Command.CUT, "lifting a limit lifts no stop"
    switch.apply(Command.LIMIT, "sys_1", "ord_4", terms=OrderTerms(per_minute=1))
    switch.apply(Command.RUN, "sys_1", "ord_5")
    line = switch.open("sys_1")
    assert line.order is Command.LIMIT and _taken(switch, line, switch.open("sys_1")) == [True, False]
    switch.apply(Command.UNLIMIT, "sys_1", "ord_6")
    assert switch.open("sys_1").order is Command.RUN


def test_limits_of_house_and_bus_both_hold_and_each_is_lifted_by_its_own() -> None:
    switch = Switch()
    switch.apply(Command.LIMIT, "sys_1", "ord_1", terms=OrderTerms(per_minute=2))
    switch.apply(Command.LIMIT, "sys_1", "ord_2", layer="bus", terms=OrderTerms(per_minute=1))

    assert _taken(switch, switch.open("sys_1"), switch.open("sys_1")) == [True, False]
    switch.apply(Command.UNLIMIT, "sys_1", "ord_3")
    assert _taken(switch, switch.open("sys_1")) == [False], "the bus's holds"
    switch.apply(Command.UNLIMIT, "sys_1", "ord_4", layer="bus")
    assert switch.open("sys_1").order is Command.RUN


def test_what_is_refused_by_one_limit_counts_in_none() -> None:
    switch = Switch()
    switch.apply(Command.LIMIT, "", "ord_1", terms=OrderTerms(per_minute=2))
    switch.apply(Command.LIMIT, "sys_1", "ord_2", terms=OrderTerms(per_minute=1))

    assert _taken(switch, switch.open("sys_1"), switch.open("sys_1")) == [True, False]
    assert _taken(switch, switch.open("sys_2"), switch.open("sys_2")) == [True, False], "two for all, not three"


def test_what_runs_when_a_limit_is_ordered_counts_among_what_runs() -> None:
    switch = Switch()
    first = switch.open("sys_1")
    switch.apply(Command.LIMIT, "sys_1", "ord_1", terms=OrderTerms(at_once=1))

    assert _taken(switch, switch.open("sys_1")) == [False]
    switch.close(first)
    assert _taken(switch, switch.open("sys_1")) == [True]


def test_a_limit_for_one_thing_does_not_bind_another() -> None:
    switch = Switch()
    switch.apply(Command.LIMIT, "sys_2", "ord_1", terms=OrderTerms(per_minute=1))
    switch.apply(Command.LIMIT, "key:key_2", "ord_2", terms=OrderTerms(per_minute=1))

    assert switch.open("sys_1", "key_1").order is Command.RUN, "not even asked"
    assert switch.open("sys_2", "key_1").order is switch.open("sys_1", "key_2").order is Command.LIMIT


def test_a_restart_counts_on_with_the_same_limit(tmp_path: Path) -> None:
    before = Switch(rations=Rations(tmp_path))
    before.apply(Command.LIMIT, "sys_1", ORDER, terms=OrderTerms(per_minute=1))
    assert _taken(before, before.open("sys_1")) == [True]
    after = Switch(before.orders(), before.numbers(), Rations(tmp_path))

    assert _taken(after, after.open("sys_1")) == [False]
    after.apply(Command.UNLIMIT, "sys_1", "ord_2")
    assert list(tmp_path.iterdir()) == [], "and nothing is left of it"


@pytest.mark.parametrize("layer", list(Layer))
@pytest.mark.parametrize("matter", list(Matter))
def test_a_key_says_its_matter_its_layer_and_what_it_names(layer: Layer, matter: Matter) -> None:
    key = key_of("model:a|b/c", layer.value, matter)

    assert (matter_of(key), parts_of(key)) == (matter, (layer.value, "model:a|b/c"))
