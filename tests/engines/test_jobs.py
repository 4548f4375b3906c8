"""Work is done once, survives kills, is never lost, and is late or dead in plain sight."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import StillClock

from safebelt.engines.clock import real_chance, wall_clock
from safebelt.engines.jobs import Job, Jobs, State, Worker, retry_delay_seconds
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.errors import Conflict
from safebelt.kernel.ids import id_maker


@pytest.fixture
def jobs(sql: Sql, clock, new_id) -> Jobs:
    return Jobs(sql, clock=clock, new_id=new_id)


def ask(jobs: Jobs, kind: str = "test.do", **options) -> str | None:
    with jobs.sql.begin() as tx:
        return jobs.enqueue(tx, kind, {"n": 1}, **options)


def must(job: Job | None) -> Job:
    assert job is not None
    return job


def refuse(job: Job) -> None:
    raise ValueError("the printer is on fire")


def test_a_job_is_done_once_and_then_no_more(jobs) -> None:
    done: list[Job] = []
    job_id = ask(jobs)
    worker = Worker(jobs, {"test.do": done.append})

    assert worker.run_once()
    assert not worker.run_once()

    assert [(job.id, job.payload) for job in done] == [(job_id, {"n": 1})]
    assert must(jobs.find(job_id)).state is State.DONE


def test_a_job_lives_and_dies_with_the_deed_that_asked_for_it(jobs) -> None:
    with pytest.raises(RuntimeError), jobs.sql.begin() as tx:
        jobs.enqueue(tx, "test.do", {})
        raise RuntimeError

    assert jobs.in_state(State.WAITING) == []


def test_a_job_waits_for_its_time(jobs, clock) -> None:
    ask(jobs, run_at=clock() + timedelta(minutes=1))
    worker = Worker(jobs, {"test.do": lambda job: None})

    assert not worker.run_once()
    clock.move(minutes=1)
    assert worker.run_once()


def test_a_job_of_an_unknown_kind_is_left_waiting(jobs) -> None:
    job_id = ask(jobs, "test.unknown")

    assert not Worker(jobs, {"test.do": lambda job: None}).run_once()
    assert must(jobs.find(job_id)).state is State.WAITING


def test_at_most_one_job_waits_per_key(jobs) -> None:
    first, second = ask(jobs, key="k"), ask(jobs, key="k")

    assert (first is None, second is None) == (False, True)
    assert ask(jobs, key="other") is not None
    assert len(jobs.in_state(State.WAITING)) == 2


def test_a_running_job_does_not_swallow_a_wish_that_came_after_it_looked(jobs) -> None:
    again = []
    ask(jobs, key="k")
    worker = Worker(jobs, {"test.do": lambda job: again.append(ask(jobs, key="k")) if not again else None})

    worker.run_once()

    assert again[0] is not None
    assert worker.run_once()


def test_a_failing_job_whose_key_was_taken_meanwhile_is_not_lost(jobs, clock) -> None:
    seen = []

    def handle(job: Job) -> None:
        seen.append(job.id)
        if len(seen) == 1:
            ask(jobs, key="k")
            raise ValueError

    ask(jobs, key="k")
    worker = Worker(jobs, {"test.do": handle})
    worker.run_once()
    clock.move(seconds=5)
    while worker.run_once():
        pass

    assert len(jobs.in_state(State.DONE)) == 2
    assert sorted(Counter(seen).values()) == [1, 2]


def test_a_failing_job_is_tried_again_later_and_later_and_then_lies_in_plain_sight(jobs, clock) -> None:
    job_id = ask(jobs, max_attempts=3)
    worker = Worker(jobs, {"test.do": refuse})
    waits = []
    for _ in range(3):
        assert worker.run_once()
        waits.append((must(jobs.find(job_id)).run_at - clock()).total_seconds())
        assert not worker.run_once()
        clock.move(hours=1)

    assert waits[:2] == [1.0, 2.0]
    [dead] = jobs.in_state(State.DEAD)
    assert (dead.id, dead.attempts, dead.last_error) == (job_id, 3, "ValueError: the printer is on fire")
    assert not worker.run_once()


def test_a_dead_job_is_revived_by_a_person_and_only_then(jobs, clock) -> None:
    job_id = ask(jobs, max_attempts=1)
    Worker(jobs, {"test.do": refuse}).run_once()

    with jobs.sql.begin() as tx:
        jobs.revive(tx, job_id)
    Worker(jobs, {"test.do": lambda job: None}).run_once()

    assert must(jobs.find(job_id)).state is State.DONE
    with pytest.raises(Conflict), jobs.sql.begin() as tx:
        jobs.revive(tx, job_id)


@given(st.integers(1, 200))
def test_delays_grow_and_stay_within_an_hour(attempts: int) -> None:
    assert 1.0 <= retry_delay_seconds(attempts) <= retry_delay_seconds(attempts + 1) <= 3600.0


def test_a_missed_deadline_is_seen_survives_a_restart_and_the_job_is_still_done(jobs, clock, new_id) -> None:
    job_id = ask(jobs, deadline=clock() + timedelta(hours=1), run_at=clock() + timedelta(minutes=30))
    assert jobs.late() == []
    clock.move(hours=2)

    restarted = Sql(jobs.sql.engine.url.render_as_string(hide_password=False))
    queue = Jobs(restarted, clock=clock, new_id=new_id)
    assert [job.id for job in queue.late()] == [job_id]
    Worker(queue, {"test.do": lambda job: None}).run_once()

    done = must(queue.find(job_id))
    assert (done.state, done.is_late(clock()), queue.late()) == (State.DONE, True, [])
    restarted.close()


def test_a_job_done_in_time_is_not_late_however_long_ago_that_was(jobs, clock) -> None:
    job_id = ask(jobs, deadline=clock() + timedelta(hours=1))
    Worker(jobs, {"test.do": lambda job: None}).run_once()
    clock.move(days=1)

    assert not must(jobs.find(job_id)).is_late(clock())


def test_a_schedule_goes_on_after_success_failure_and_death_and_exists_once(jobs, clock) -> None:
    ran = []

    def handle(job: Job) -> None:
        ran.append(job.id)
        if len(ran) % 2:
            raise ValueError

    for _ in range(3):
        with jobs.sql.begin() as tx:
            jobs.schedule(tx, "test.tick", every_seconds=60)
    worker = Worker(jobs, {"test.tick": handle})
    for _ in range(12):
        worker.run_once()
        clock.move(seconds=30)

    assert len(set(ran)) >= 4
    assert len(jobs.in_state(State.WAITING)) == 1


def test_a_schedule_does_not_make_up_for_missed_turns(jobs, clock) -> None:
    with jobs.sql.begin() as tx:
        jobs.schedule(tx, "test.tick", every_seconds=60)
    clock.move(hours=5)
    worker = Worker(jobs, {"test.tick": lambda job: None})

    assert worker.run_once()
    assert not worker.run_once()
    assert (jobs.in_state(State.WAITING)[0].run_at - clock()).total_seconds() <= 60


def test_done_jobs_are_forgotten_after_a_week_and_dead_ones_are_not(jobs, clock) -> None:
    done, dead = ask(jobs), ask(jobs, "test.bad", max_attempts=1)
    handlers = {"test.do": lambda job: None, "test.bad": refuse, "test.tick": lambda job: None}
    worker = Worker(jobs, handlers)
    while worker.run_once():
        pass
    clock.move(days=8)
    with jobs.sql.begin() as tx:
        jobs.schedule(tx, "test.tick", every_seconds=60)
    worker.run_once()

    assert jobs.find(done) is None
    assert must(jobs.find(dead)).state is State.DEAD


def test_four_workers_share_the_work_and_each_effect_happens_exactly_once(sql, new_id) -> None:
    jobs = Jobs(sql, clock=wall_clock, new_id=id_maker(lambda: time.time_ns() // 1_000_000, real_chance))
    with sql.begin() as tx:
        wanted = {jobs.enqueue(tx, "test.do", {"n": n}) for n in range(60)}
    effects: list[str] = []
    names: set[str] = set()
    lock, all_in = threading.Lock(), threading.Barrier(4)

    def run(name: str) -> None:
        def handle(job: Job) -> None:
            with lock:
                effects.append(job.id)
                names.add(name)
            time.sleep(0.001)

        worker = Worker(jobs, {"test.do": handle}, name=name)
        all_in.wait()
        while worker.run_once() or jobs.in_state(State.WAITING, limit=1):
            pass

    threads = [threading.Thread(target=run, args=(f"w{i}",)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert Counter(effects) == Counter(wanted)
    assert len(names) > 1
    assert len(jobs.in_state(State.DONE)) == 60


def test_a_job_whose_lease_ran_out_is_taken_over_and_the_first_worker_cannot_end_it(jobs, clock) -> None:
    job_id = ask(jobs)
    second = Worker(jobs, {"test.do": lambda job: None}, name="second", lease_seconds=30)

    def stall(job: Job) -> None:
        clock.move(seconds=31)
        second.run_once()
        raise ValueError("I am not dead yet")

    Worker(jobs, {"test.do": stall}, name="first", lease_seconds=30).run_once()

    job = must(jobs.find(job_id))
    assert (job.state, job.claimed_by, job.attempts, job.last_error) == (State.DONE, "second", 2, None)


def test_a_living_worker_keeps_its_lease_however_long_it_takes(sql, new_id) -> None:
    jobs = Jobs(sql, clock=wall_clock, new_id=new_id)
    job_id = ask(jobs)
    thief = Worker(jobs, {"test.do": refuse}, name="thief", lease_seconds=0.3)
    stolen = []

    def slow(job: Job) -> None:
        until = time.monotonic() + 0.9
        while time.monotonic() < until:
            stolen.append(thief.run_once())
            time.sleep(0.05)

    Worker(jobs, {"test.do": slow}, name="slow", lease_seconds=0.3).run_once()

    assert not any(stolen)
    assert must(jobs.find(job_id)).state is State.DONE


class Crash(BaseException):
    """The process dies: nothing after it happens."""


def crash(job: Job) -> None:
    raise Crash


class Trial:
    """A queue of its own, to which anything may happen."""

    def __init__(self) -> None:
        self.sql, self.clock, ids = Sql("sqlite://"), StillClock(), iter(range(10**6))
        metadata.tables["engine_job"].create(self.sql.engine)
        self.jobs = Jobs(self.sql, clock=self.clock, new_id=lambda prefix: f"{prefix}_{next(ids):06}")
        self.asked: set[str | None] = set()

    def ask(self, key: str | None) -> None:
        self.asked.add(ask(self.jobs, key=key, max_attempts=3))

    def work(self, handler) -> None:
        with contextlib.suppress(Crash):
            Worker(self.jobs, {"test.do": handler}).run_once()


OPERATIONS = {
    "enqueue": lambda trial: trial.ask(None),
    "enqueue with a key": lambda trial: trial.ask("k"),
    "succeed": lambda trial: trial.work(lambda job: None),
    "fail": lambda trial: trial.work(refuse),
    "crash": lambda trial: trial.work(crash),
    "wait": lambda trial: trial.clock.move(seconds=20),
}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(list(OPERATIONS)), max_size=25))
def test_whatever_happens_no_job_is_lost_and_each_ends_done_or_dead(operations) -> None:
    trial = Trial()
    for operation in operations:
        OPERATIONS[operation](trial)
    for _ in range(60):
        trial.clock.move(seconds=60)
        trial.work(lambda job: None)

    ended = {job.id for state in (State.DONE, State.DEAD) for job in trial.jobs.in_state(state)}
    assert ended == trial.asked - {None}
    trial.sql.close()


VICTIM = """
import sys, time
from safebelt.engines.clock import wall_clock, real_ids
from safebelt.engines.jobs import Jobs, Worker
from safebelt.engines.sql import Sql, metadata
def hang(job):
    print(job.id, flush=True)
    time.sleep(60)
Worker(Jobs(Sql(sys.argv[1]), clock=wall_clock, new_id=real_ids()), {"test.do": hang}, name="victim", lease_seconds=0.6).run_once()
"""


def kill_a_worker_at_work(url: str) -> str:
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, url], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "src"}
    ) as victim:
        assert victim.stdout is not None
        job_id = victim.stdout.readline().strip()
        victim.send_signal(signal.SIGKILL)
    return job_id


def test_a_worker_killed_in_the_middle_loses_its_job_to_the_next_one_after_the_lease(sql, new_id) -> None:
    jobs = Jobs(sql, clock=wall_clock, new_id=new_id)
    job_id = ask(jobs)
    assert kill_a_worker_at_work(sql.engine.url.render_as_string(hide_password=False)) == job_id
    done: list[str] = []
    heir = Worker(jobs, {"test.do": lambda job: done.append(job.id)}, name="heir")

    assert not heir.run_once()
    time.sleep(0.7)
    assert heir.run_once()

    assert done == [job_id]
    assert must(jobs.find(job_id)).attempts == 2


def test_a_job_that_kills_every_worker_is_given_up_and_named(jobs, clock) -> None:
    job_id = ask(jobs, max_attempts=2)
    vanish = sa.text("update engine_job set state='running', attempts=2, claimed_by='gone', claimed_until=:past")
    with jobs.sql.begin() as tx:
        tx.execute(vanish, {"past": clock() - timedelta(minutes=1)})
    called = []

    Worker(jobs, {"test.do": called.append}).run_once()

    assert (called, must(jobs.find(job_id)).state) == ([], State.DEAD)
    assert "vanished" in (must(jobs.find(job_id)).last_error or "")


def test_a_started_worker_works_by_itself_wakes_when_called_and_stops_gracefully(sql, new_id) -> None:
    jobs = Jobs(sql, clock=wall_clock, new_id=new_id)
    begun, ended = threading.Event(), []

    def handle(job: Job) -> None:
        begun.set()
        time.sleep(0.2)
        ended.append(job.id)

    worker = Worker(jobs, {"test.do": handle}, idle_seconds=60)
    worker.start()
    time.sleep(0.1)
    job_id = ask(jobs)
    worker.wake()

    assert begun.wait(5)
    assert worker.stop()
    assert ended == [job_id]
    assert must(jobs.find(job_id)).state is State.DONE
