"""The belt's deeds, on both databases, with real records, a real ledger and a real watcher."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import StillClock
from tests.rooms.belt.house import ORIGIN, OTHER, POLICY, REASON, House, build, intent, outcome

from safebelt.engines.clock import real_chance
from safebelt.engines.loop import meanwhile
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from safebelt.rooms.belt.control.heartbeat import KEEPER, Heartbeat
from safebelt.rooms.belt.jobs import habits
from safebelt.rooms.belt.model import Command, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.records.disk import path_of
from safebelt.rooms.belt.records.proof import check
from safebelt.rooms.belt.service import Search
from safebelt.rooms.belt.service.exchanges import percentile
from safebelt.rooms.registry.model.identity import Identify, Scheme

OVERSEER = Actor(id="usr_overseer", roles=frozenset({Role.OVERSEER}), door="web")


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> House:
    ticks = iter(range(10**6))

    def moving_ids(prefix: str) -> str:
        return f"{prefix}_{next(ticks):026d}"

    return build(sql, tmp_path, clock=clock, new_id=moving_ids, chance=real_chance)


@contextmanager
def stuck(sql: Sql) -> Iterator[None]:
    """Make every transaction fail, as a lost database does."""

    def refuse(_connection: object) -> None:
        raise sa.exc.OperationalError("begin", {}, Exception("the database is gone"))

    sa.event.listen(sql.engine, "begin", refuse)
    yield
    sa.event.remove(sql.engine, "begin", refuse)


# ---------------------------------------------------------------------- harnesses


def test_a_system_is_fitted_in_observe_and_the_ledger_remembers_the_policy_by_its_digest(house: House) -> None:
    harness = house.belt.fit(house.system_id, by=OWNER)

    assert harness.stance is Stance.OBSERVE
    assert house.belt.harness(house.system_id) == harness
    assert house.entries("harness_set", 2) == [
        {
            "policy": POLICY.id,
            "policy_version": 3,
            "policy_digest": POLICY.digest,
            "stance": "observe",
            "record_mode": "strict",
            "notice": "end",
            "content": "masked",
            "recipients": [],
            "content_days": 0,
            "proposal": "",
        }
    ]


def test_a_version_that_is_loaded_is_in_the_next_snapshot_on_both_databases(house: House) -> None:
    shipped = (Path(__file__).parents[3] / "screening" / "safebelt-baseline.yaml").read_bytes()

    loaded = house.belt.load_policy(shipped, "from elsewhere", by=OWNER)
    house.belt.load_policy(shipped.replace(b"\nversion: 1\n", b"\nversion: 2\n"), "renumbered", by=OWNER)
    house.belt.roll_back_policy("safebelt/baseline", "back", by=OWNER)

    assert loaded.adoption is not None and loaded.adoption.number == 1
    assert house.belt.snapshot().policies["safebelt/baseline"] == loaded.policy
    assert [each.number for each in house.belt.policy_versions()] == [3, 2, 1]


def test_fitting_twice_or_an_unknown_system_or_policy_is_told(house: House) -> None:
    house.belt.fit(house.system_id, by=OWNER)

    with pytest.raises(Conflict):
        house.belt.fit(house.system_id, by=OWNER)
    with pytest.raises(NotFound):
        house.belt.fit("sys_nobody", by=OWNER)
    with pytest.raises(NotFound):
        house.belt.change(house.system_id, by=OWNER, version=1, policy="house/none")
    assert len(house.entries("harness_set", 2)) == 1


def test_records_cannot_be_switched_off_and_nothing_is_changed(house: House) -> None:
    with pytest.raises(Refused) as refused:
        house.belt.fit(house.system_id, record_mode=RecordMode.OFF, by=OWNER)

    assert "rulebook" in refused.value.what.en
    with pytest.raises(NotFound):
        house.belt.harness(house.system_id)


def test_a_change_names_the_version_it_was_made_on(house: House) -> None:
    house.belt.fit(house.system_id, by=OWNER)

    changed = house.belt.change(
        house.system_id, by=OVERSEER, version=1, stance=Stance.ENFORCE, policy=OTHER.id, notice=NoticeMode.OFF
    )

    assert (changed.version, changed.stance, changed.policy) == (2, Stance.ENFORCE, OTHER.id)
    with pytest.raises(Conflict):
        house.belt.change(house.system_id, by=OVERSEER, version=1, stance=Stance.OBSERVE)
    assert house.belt.harness(house.system_id).stance is Stance.ENFORCE
    assert len(house.entries("harness_set", 2)) == 2


# ---------------------------------------------------------------------- keys


def test_a_key_is_256_bits_shown_once_and_only_its_digest_is_kept(house: House, sql: Sql) -> None:
    key, secret = house.belt.issue_key(house.system_id, "app", OWNER)

    assert secret.startswith("sbk_")
    assert len(bytes.fromhex(secret.removeprefix("sbk_"))) == 32
    assert key.digest == sha256(secret.encode()).hexdigest()
    with sql.read() as tx:
        dump = [
            str(tuple(row))
            for table in ("belt_key", "ledger_entry")
            for row in tx.execute(sa.text(f"select * from {table}"))
        ]
    assert not any(secret in row for row in dump)


def test_a_key_for_an_unfitted_system_fits_the_belt_in_observe(house: House) -> None:
    house.belt.issue_key(house.system_id, "app", OWNER)

    assert house.belt.harness(house.system_id).stance is Stance.OBSERVE
    assert (len(house.entries("harness_set", 2)), len(house.entries("key_issued", 2))) == (1, 1)


def test_a_revoked_key_leaves_the_snapshot_and_a_living_one_stays(house: House) -> None:
    gone, secret = house.belt.issue_key(house.system_id, "old", OWNER)
    kept, other = house.belt.issue_key(house.system_id, "new", OWNER)

    house.belt.revoke_key(gone.id, "lost laptop", OWNER)

    keys = house.belt.snapshot().keys
    assert sha256(secret.encode()).hexdigest() not in keys
    assert keys[sha256(other.encode()).hexdigest()] == kept
    with pytest.raises(Conflict):
        house.belt.revoke_key(gone.id, "again", OWNER)
    with pytest.raises(NotFound):
        house.belt.revoke_key("key_none", "why", OWNER)
    assert [data["reason"] for data in house.entries("key_revoked")] == ["lost laptop"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_key_needs_a_name_of_bearable_length(house: House, name: str) -> None:
    with pytest.raises(Invalid) as invalid:
        house.belt.issue_key(house.system_id, name, OWNER)

    assert invalid.value.details["field"] == "name"
    assert house.belt.keys(house.system_id) == ()


def test_the_snapshot_holds_harnesses_and_policies(house: House) -> None:
    harness = house.belt.fit(house.system_id, stance=Stance.ENFORCE, by=OWNER)

    snapshot = house.belt.snapshot()

    assert snapshot.harnesses == {house.system_id: harness}
    assert snapshot.policies[POLICY.id] == POLICY
    assert snapshot.providers == {}


def test_the_snapshot_knows_the_credit_code_of_a_systems_provider(house: House) -> None:
    house.belt.fit(house.system_id, stance=Stance.ENFORCE, by=OWNER)
    provider = house.registry.system(house.system_id).provider_id

    house.registry.identify(provider, Identify(scheme=Scheme.USCC, value="91310104MACE0YX639"), by=OWNER)

    assert house.belt.snapshot().providers == {house.system_id: "91310104MACE0YX639"}


# ---------------------------------------------------------------------- orders


def test_an_order_is_carried_out_proven_and_remembered(house: House) -> None:
    with house.watcher():
        order = house.belt.order(Command.CUT, house.system_id, "harmful answers", OVERSEER)
        proof = house.belt.wait_effective(order.id, 5)
        assert proof is not None
        assert proof.bytes_after == 0
        assert house.belt.in_force(house.system_id).command is Command.CUT
        assert house.belt.state().is_alive

    assert house.belt.collect_proofs() == 1
    assert house.belt.collect_proofs() == 0
    stop = house.belt.stop(order.id)
    assert stop.proof == proof
    assert stop.ordered_entry and stop.effective_entry
    assert [data["reason"] for data in house.entries("stop_ordered")] == ["harmful answers"]
    assert [data["order_id"] for data in house.entries("stop_effective")] == [order.id]
    assert house.box.proofs() == []


def test_stopping_works_while_the_database_is_gone_and_the_ledger_learns_of_it_later(house: House, sql: Sql) -> None:
    with house.watcher(), stuck(sql):
        order = house.belt.order(Command.CUT, "", "database lost", OWNER)
        proof = house.belt.wait_effective(order.id, 5)
        assert proof is not None
        assert not house.belt.is_remembered(order.id)
        assert house.belt.in_force(house.system_id).command is Command.CUT

    house.belt.collect_proofs()
    assert house.belt.is_remembered(order.id)
    assert house.belt.stop(order.id).order == order
    assert len(house.entries("stop_ordered")) == len(house.entries("stop_effective")) == 1


def test_the_habits_bring_in_proofs_and_new_records(house: House) -> None:
    with house.watcher():
        house.belt.wait_effective(house.belt.order(Command.PAUSE, "", "drill", OWNER).id, 5)
    with house.writing() as put:
        put(intent("rec_1", house.system_id))

    for habit in habits(house.belt):
        habit.step()

    assert len(house.entries("stop_effective")) == 1
    assert house.belt.exchanges().count == 1


def test_an_order_without_a_reason_is_not_given(house: House) -> None:
    with pytest.raises(Invalid) as invalid:
        house.belt.order(Command.CUT, "", "  ", OWNER)

    assert invalid.value.details["field"] == "reason"
    assert house.box.waiting() == []


def test_a_slip_in_the_system_id_never_looks_like_a_stop(house: House) -> None:
    with pytest.raises(NotFound) as missing:
        house.belt.order(Command.CUT, "sys_slip", "typing error", OWNER)

    assert "sys_slip" in str(missing.value)
    assert [order.system_id for order in house.box.waiting()] == ["sys_slip"]


def test_an_order_nobody_answers_stays_in_the_box_and_is_listed_as_not_yet_effective(house: House) -> None:
    order = house.belt.order(Command.PAUSE, "", "maintenance", OWNER)

    assert house.belt.wait_effective(order.id, 0.05) is None
    assert not house.belt.state().is_alive
    assert [waiting.id for waiting in house.belt.state().waiting] == [order.id]
    assert house.belt.stop(order.id).proof is None
    with house.watcher():
        assert house.belt.wait_effective(order.id, 5) is not None


def test_an_order_is_waited_for_longer_where_somebody_keeps_the_belt(house: House) -> None:
    heartbeat = Heartbeat(house.box.folder / "pulse")
    order = house.belt.order(Command.PAUSE, "", "while it starts", OWNER)
    assert house.belt.wait_effective(order.id, 0.05, kept_seconds=60) is None  # nobody keeps one: nothing to wait for

    def start_late() -> None:
        heartbeat.clear()  # as a worker does that comes to work, between two beats of its keeper
        time.sleep(0.3)
        with house.watcher():
            pass

    heartbeat.beat(KEEPER)
    late = threading.Thread(target=start_late)
    late.start()
    proof = house.belt.wait_effective(order.id, 0.05, kept_seconds=60)

    late.join()
    heartbeat.close()
    assert proof is not None and proof.order.id == order.id


def test_an_order_is_waited_for_as_long_as_its_keeper_lives(house: House) -> None:
    heartbeat = Heartbeat(house.box.folder / "pulse")
    order = house.belt.order(Command.PAUSE, "", "while it starts", OWNER)

    def start_late() -> None:
        time.sleep(2.5)  # longer than one beat is believed
        with house.watcher():
            pass

    late = threading.Thread(target=start_late)
    with meanwhile(lambda: heartbeat.beat(KEEPER), every_seconds=0.02):
        time.sleep(0.1)
        late.start()
        proof = house.belt.wait_effective(order.id, 0.05, kept_seconds=60)

    late.join()
    heartbeat.close()
    assert proof is not None and proof.order.id == order.id


def test_a_stop_by_file_is_remembered_with_both_entries(house: House) -> None:
    with house.watcher():
        house.box.stop_file.write_text("drain\n")
        while not house.box.proofs():
            pass

    assert house.belt.collect_proofs() == 1
    (stop,) = house.belt.stops().items
    assert (stop.order.by, stop.order.command) == ("file", Command.DRAIN)
    assert len(house.entries("stop_ordered")) == len(house.entries("stop_effective")) == 1


def test_a_resume_of_all_leaves_a_system_stopped_by_its_own_order(house: House) -> None:
    with house.watcher():
        for command, system in ((Command.CUT, house.system_id), (Command.PAUSE, ""), (Command.RUN, "")):
            order = house.belt.order(command, system, "drill", OVERSEER)
            assert house.belt.wait_effective(order.id, 5) is not None

    now = house.belt.state()
    assert now.everything.command is Command.RUN
    assert set(now.systems) == {house.system_id}
    assert house.belt.in_force(house.system_id).command is Command.CUT
    assert house.belt.in_force("sys_other").command is Command.RUN


def test_stops_are_paged_newest_first_and_narrowed_to_a_system_with_those_for_all(
    house: House, clock: StillClock
) -> None:
    for count, system in enumerate(["", house.system_id, ""]):
        clock.move(seconds=count + 1)
        house.belt.order(Command.PAUSE, system, f"reason {count}", OWNER)

    page = house.belt.stops(page=1, per_page=2)
    assert [stop.order.reason for stop in page.items] == ["reason 2", "reason 1"]
    assert (page.count, page.pages) == (3, 2)
    assert house.belt.stops(system_id="sys_other").count == 2
    with pytest.raises(NotFound):
        house.belt.stop("ord_none")


# ---------------------------------------------------------------------- exchanges


def test_exchanges_are_indexed_searched_and_shown_with_their_reason(house: House, clock: StillClock) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        put(outcome("rec_1"))
        clock.move(minutes=1)
        put(intent("rec_2", house.system_id, done="allow", would="allow", rules=[], reason=None))

    assert house.belt.index() == 2
    assert house.belt.index() == 0
    found = house.belt.exchanges()
    assert [exchange.id for exchange in found.items] == ["rec_2", "rec_1"]
    assert [e.id for e in house.belt.exchanges(Search(text="cn_id")).items] == ["rec_1"]
    assert [e.id for e in house.belt.exchanges(Search(done="allow")).items] == ["rec_2"]
    assert [e.id for e in house.belt.exchanges(Search(finish="open")).items] == ["rec_2"]
    assert [e.id for e in house.belt.exchanges(Search(since=clock() - timedelta(seconds=30))).items] == ["rec_2"]
    assert house.belt.exchanges(Search(text="%")).count == 0
    assert house.belt.exchanges(Search(system="sys_none")).count == 0
    full = house.belt.exchange("rec_1")
    assert full.reasons == (REASON,)
    assert full.intent is not None and full.outcome is not None
    assert full.outcome.content == {"texts": {"choices[0].message.content": "好的，已收到。"}}
    with pytest.raises(NotFound):
        house.belt.exchange("rec_none")


def test_an_exchange_is_found_in_the_files_before_the_index_has_it(house: House) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        put(outcome("rec_1"))

    full = house.belt.exchange("rec_1")

    assert full.exchange.finish == "complete"
    assert full.intent is not None


def test_a_live_page_gets_what_is_new_and_what_changed(house: House) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        house.belt.index()
        first, rows = house.belt.newer(0)
        assert [row.finish for row in rows] == [""]
        put(outcome("rec_1"))
        house.belt.index()

    second, rows = house.belt.newer(first)
    assert [(row.id, row.finish) for row in rows] == [("rec_1", "complete")]
    assert house.belt.newer(second) == (second, ())
    assert house.belt.newer(0, Search(system="sys_none"))[1] == ()


def test_the_index_can_be_thrown_away_and_rebuilt(house: House) -> None:
    with house.writing() as put:
        for n in range(5):
            put(intent(f"rec_{n}", house.system_id))
            put(outcome(f"rec_{n}"))
    house.belt.index()
    before = house.belt.exchanges()

    house.belt.reindex()

    assert house.belt.exchanges() == before


def test_traffic_counts_by_minute_rule_and_action_and_ranks_times(house: House, clock: StillClock) -> None:
    with house.writing() as put:
        for n in range(4):
            put(intent(f"rec_{n}", house.system_id, done="flag", would="refuse"))
            put(outcome(f"rec_{n}", added_ms=float(n + 1)))
        put(intent("rec_open", house.system_id))
        clock.move(minutes=2)
        put(intent("rec_new", house.system_id, rules=[]))
    house.belt.index()

    traffic = house.belt.traffic(house.system_id, 10)

    assert len(traffic.minutes) == 10
    assert [minute.total for minute in traffic.minutes[-3:]] == [5, 0, 1]
    assert traffic.minutes[-1].at == clock().astimezone(UTC).replace(second=0, microsecond=0)
    assert traffic.total == 6
    assert traffic.by_would == {"refuse": 4, "mask": 2}
    assert traffic.by_rule == (("personal.cn_id", 5),)
    assert (traffic.added_p50_ms, traffic.added_p95_ms) == (2.0, 4.0)
    quiet = house.belt.traffic("sys_none", 10)
    assert (quiet.total, quiet.added_p50_ms) == (0, None)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_the_nearest_rank_percentile_is_a_value_with_that_share_at_or_below_it(
    values: list[float], share: float
) -> None:
    ordered = sorted(values)

    found = percentile(ordered, share)

    assert found in ordered
    assert sum(value <= found for value in ordered) >= math.floor(share * len(ordered))


# ---------------------------------------------------------------------- evidence


def test_a_sealed_segment_is_one_ledger_entry_however_often_it_is_told(house: House) -> None:
    first = house.belt.sealed("seg-00000001", 2, "aa" * 32)

    assert house.belt.sealed("seg-00000001", 2, "aa" * 32) == first
    assert house.belt.sealed("seg-00000001", 2, "bb" * 32) == first
    assert house.belt.sealed_segments()["seg-00000001"].root == "aa" * 32
    assert len(house.entries("segment_sealed")) == 1


def test_nothing_to_verify_is_unknown_and_whole_records_hold_until_one_byte_is_changed(house: House) -> None:
    assert house.belt.verify().holds is Truth.UNKNOWN
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        put(outcome("rec_1"))
    assert house.belt.verify().holds is Truth.TRUE

    path = path_of(house.records, "seg-00000001")
    path.write_bytes(path.read_bytes().replace(b'"status":200', b'"status":500'))

    assert house.belt.verify().holds is Truth.FALSE


def test_a_record_is_proven_with_the_ledger_entry_of_its_segment(house: House) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        put(outcome("rec_1"))
    house.belt.index()

    proof = house.belt.prove("rec_1")

    opened = check(proof.text, open_note=house.belt._t.open_note, log_origin=ORIGIN)
    assert b'"rec_1"' in opened
    assert house.ledger.entry(proof.sealed_entry).subject == proof.segment
    with pytest.raises(NotFound):
        house.belt.prove("rec_none")


def test_erased_content_is_gone_the_proof_stands_and_the_ledger_says_why(house: House) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id, text="private words"))
        put(outcome("rec_1"))
    house.belt.index()

    assert house.belt.erase("rec_1", "asked by the person", OWNER) == 2

    assert b"private words" not in path_of(house.records, "seg-00000001").read_bytes()
    full = house.belt.exchange("rec_1")
    assert full.intent is not None and full.intent.content is None
    assert house.belt.verify().holds is Truth.TRUE
    assert house.belt.prove("rec_1").text
    assert [data["contents"] for data in house.entries("record_erased")] == [2]
    assert house.belt.erase("rec_1", "again", OWNER) == 0
    with pytest.raises(NotFound):
        house.belt.erase("rec_none", "why", OWNER)


def test_changed_content_is_refused_rather_than_shown(house: House) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id, text="honest words"))
    path = path_of(house.records, "seg-00000001")
    path.write_bytes(path.read_bytes().replace(b"honest", b"forged"))

    with pytest.raises(Unavailable):
        house.belt.exchange("rec_1")
