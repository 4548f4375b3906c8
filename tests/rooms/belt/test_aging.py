"""What is too old goes: texts by their system's rule, whole segments by the house's, and every proof stays."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import StillClock
from tests.rooms.belt.house import House, build, held_call, intent, outcome

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Refused
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import ContentMode
from safebelt.rooms.belt.records.disk import path_of, segments
from safebelt.rooms.belt.service import Search
from safebelt.settings import Settings

DAYS = 200


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> Iterator[House]:
    return build(sql, tmp_path, clock=clock, records_days=DAYS)


def say(house: House, *ids: str, system: str = "", **facts: Any) -> str:
    """Record exchanges in a segment of their own; return its name."""
    with house.writing() as put:
        for id_ in ids:
            put(intent(id_, system or house.system_id, **facts))
            put(outcome(id_))
    house.belt.index()
    return segments(house.records)[-1]


def keep_texts(house: House, days: int) -> None:
    belt = house.belt
    if house.system_id not in {each.system_id for each in belt.harnesses()}:
        belt.fit(house.system_id, by=OWNER)
    belt.change(house.system_id, by=OWNER, version=belt.harness(house.system_id).version, content_days=days)


def texts(house: House, id_: str) -> list[Any]:
    full = house.belt.exchange(id_)
    return [half.content for half in (full.intent, full.outcome) if half]


# ---------------------------------------------------------------- texts


def test_texts_older_than_their_system_keeps_them_are_blank_and_every_proof_stands(
    house: House, clock: StillClock
) -> None:
    keep_texts(house, 30)
    say(house, "rec_old")
    clock.now += timedelta(days=28, hours=23)
    say(house, "rec_young")
    kept = texts(house, "rec_old"), texts(house, "rec_young")

    early = house.belt.sweep()
    clock.now += timedelta(days=1)
    swept = house.belt.sweep()

    assert all(each for each in kept[0]), "there was something to lose"
    assert (early, swept) == (0, 2)
    assert texts(house, "rec_old") == [None, None]
    assert texts(house, "rec_young") == kept[1]
    assert house.belt.exchange("rec_old").exchange.rules == ("personal.cn_id",), "the facts stay"
    found = house.belt.verify()
    assert (found.holds, found.erased) == (Truth.TRUE, 2)
    assert [entry["contents"] for entry in house.entries("content_swept")] == [{house.system_id: 2}]


def test_a_system_without_the_rule_keeps_its_texts_and_another_systems_rule_does_not_reach_it(
    house: House, clock: StillClock
) -> None:
    keep_texts(house, 30)
    say(house, "rec_other", system="sys_other")
    say(house, "rec_ours")
    clock.now += timedelta(days=100)

    assert house.belt.sweep() == 2
    assert all(texts(house, "rec_other"))


def test_a_second_sweep_finds_nothing_and_writes_nothing(house: House, clock: StillClock) -> None:
    keep_texts(house, 30)
    say(house, "rec_1")
    clock.now += timedelta(days=100)
    house.belt.sweep()

    again = [house.belt.sweep() for _ in range(2)]

    assert again == [0, 0]
    assert len(house.entries("content_swept")) == 1


def test_a_sweep_that_was_stopped_anywhere_comes_to_the_same_end(
    house: House, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_texts(house, 30)
    for number in range(4):
        say(house, f"rec_{number}")
    clock.now += timedelta(days=100)
    from safebelt.rooms.belt.service import aging

    real, left = aging.blank, [0]

    def failing(path: Path, places: list[int]) -> None:
        left[0] += 1
        if left[0] % 2:
            real(path, places[:1])  # half of it reached the disk
            raise OSError(28, "No space left on device")
        real(path, places)

    monkeypatch.setattr(aging, "blank", failing)
    tries = 0
    while tries < 20:
        tries += 1
        try:
            house.belt.sweep()
            break
        except OSError:
            continue

    assert tries > 3
    assert all(texts(house, f"rec_{number}") == [None, None] for number in range(4))
    assert [entry["contents"] for entry in house.entries("content_swept")] == [{house.system_id: 8}]


def test_what_a_waiting_call_said_goes_with_the_texts(house: House, clock: StillClock) -> None:
    keep_texts(house, 30)
    held = held_call(house.new_id, clock, system_id=house.system_id)
    with house.belt._t.sql.begin() as tx:
        tx.execute(sa.insert(store.call).values(**store.from_held(held, "ent_1")))
    say(house, "rec_1")
    clock.now += timedelta(days=100)

    house.belt.sweep()

    with house.belt._t.sql.read() as tx:
        row = json.loads(tx.execute(sa.select(store.call.c.held)).scalar_one())
    assert (row["arguments"], row["said"], row["tool"]) == ("", "", "pay")


def test_what_recovery_cut_off_is_swept_too(house: House, clock: StillClock) -> None:
    keep_texts(house, 30)
    name = say(house, "rec_1")
    torn = path_of(house.records, name).with_suffix(".log.torn")
    torn.write_bytes(path_of(house.records, name).read_bytes().splitlines(keepends=True)[0].rstrip(b"\n"))
    clock.now += timedelta(days=100)

    swept = house.belt.sweep()

    assert swept == 3
    assert "身份证号".encode() not in torn.read_bytes().partition(b"\t")[2]


@pytest.mark.parametrize("days", [-1, 100_000])
def test_a_number_of_days_that_is_none_is_refused(house: House, days: int) -> None:
    with pytest.raises(Invalid, match="days"):
        keep_texts(house, days)


# ---------------------------------------------------------------- segments


def test_a_segment_older_than_the_house_keeps_records_is_removed_by_rule_and_not_missing(
    house: House, clock: StillClock
) -> None:
    old = [say(house, "rec_1"), say(house, "rec_2")]
    clock.now += timedelta(days=DAYS - 1)
    say(house, "rec_3")
    early = house.belt.let_go()
    clock.now += timedelta(days=2)
    say(house, "rec_4")

    removed = house.belt.let_go()

    assert (early, removed) == (0, 2)
    assert not any(path_of(house.records, name).exists() for name in old)
    found = house.belt.verify()
    assert (found.holds, found.faults, found.removed) == (Truth.TRUE, 0, 2)
    told = found.reason.as_text("en")
    assert f"{old[0]} – {old[1]}: 2 segments were removed by rule" in told
    sealed = house.belt.sealed_segments()
    entries = {entry["segment"]: entry for entry in house.entries("segment_removed")}
    assert {name: (e["records"], e["root"]) for name, e in entries.items()} == {
        name: (sealed[name].records, sealed[name].root) for name in old
    }


def test_a_segment_removed_by_hand_is_still_missing(house: House, clock: StillClock) -> None:
    say(house, "rec_1")
    by_hand = say(house, "rec_2")
    clock.now += timedelta(days=DAYS + 1)
    say(house, "rec_3")
    house.belt.let_go()
    with_rule = house.belt.verify()
    say(house, "rec_4")
    path_of(house.records, segments(house.records)[0]).unlink()

    found = house.belt.verify()

    assert with_rule.faults == 0
    assert found.holds is Truth.FALSE
    assert "segment_missing" in {each.kind for each in found.findings}
    assert by_hand not in {each.segment for each in found.findings if each.kind == "segment_missing"}


def test_a_row_that_says_removed_without_an_entry_in_the_ledger_excuses_nothing(
    house: House, clock: StillClock
) -> None:
    name = say(house, "rec_1")
    say(house, "rec_2")
    row = house.belt.sealed_segments()[name]
    with house.belt._t.sql.begin() as tx:
        values = {"removed_at": clock(), "removed_entry": row.entry_id}
        tx.execute(sa.update(store.segment).where(store.segment.c.segment == name).values(**values))
    path_of(house.records, name).unlink()

    found = house.belt.verify()

    assert found.holds is Truth.FALSE
    assert [each.segment for each in found.findings if each.kind == "segment_missing"] == [name]


def test_a_changed_segment_is_not_tidied_away(house: House, clock: StillClock) -> None:
    name = say(house, "rec_1")
    path = path_of(house.records, name)
    path.write_bytes(path.read_bytes().replace(b'"status":200', b'"status":201'))
    clock.now += timedelta(days=DAYS + 1)
    say(house, "rec_2")

    assert house.belt.let_go() == 0
    assert path.exists()
    assert house.belt.verify().holds is Truth.FALSE


def test_the_chain_is_held_across_what_was_removed(house: House, clock: StillClock) -> None:
    say(house, "rec_1")
    clock.now += timedelta(days=DAYS + 1)
    name = say(house, "rec_2")
    house.belt.let_go()
    path = path_of(house.records, name)
    sealed = house.belt.sealed_segments()
    assert house.belt.verify().faults == 0
    first = path.read_bytes().splitlines(keepends=True)[0]
    prev = json.loads(first.partition(b"\t")[0])["prev"]

    path.write_bytes(path.read_bytes().replace(prev.encode(), b"0" * 64, 1))

    assert name in sealed
    assert "segment_not_continuing" in {each.kind for each in house.belt.verify().findings}


def test_the_index_forgets_what_was_removed_and_says_from_when_records_are_there(
    house: House, clock: StillClock
) -> None:
    say(house, "rec_1")
    before = house.belt.exchanges().kept_from
    clock.now += timedelta(days=DAYS + 1)
    say(house, "rec_2")

    house.belt.let_go()

    found = house.belt.exchanges(Search())
    assert before is None
    assert [each.id for each in found.items] == ["rec_2"]
    assert found.kept_from == found.items[0].at
    house.belt.reindex()
    assert [each.id for each in house.belt.exchanges().items] == ["rec_2"]


def test_the_newest_segment_stays_so_that_the_next_continues_it(house: House, clock: StillClock) -> None:
    name = say(house, "rec_1")
    clock.now += timedelta(days=10 * DAYS)

    assert house.belt.let_go() == 0
    assert segments(house.records) == [name]
    say(house, "rec_2")
    assert house.belt.verify().faults == 0


def test_an_exchange_whose_intent_was_removed_is_shown_without_it(house: House, clock: StillClock) -> None:
    with house.writing() as put:
        put(intent("rec_long", house.system_id))
        put(outcome("rec_short"))
        log_end = segments(house.records)[-1]
    clock.now += timedelta(days=DAYS + 1)
    with house.writing() as put:
        put(outcome("rec_late"))
    house.belt.index()
    house.belt.let_go()

    assert log_end not in segments(house.records)
    full = house.belt.exchange("rec_long")
    assert full.intent is None
    assert full.exchange.finish == "lost"
    house.belt.reindex()
    assert house.belt.exchange("rec_long").exchange.finish == "lost"


def test_a_file_left_by_a_kill_between_entry_and_removal_is_taken_away(
    house: House, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = say(house, "rec_1")
    clock.now += timedelta(days=DAYS + 1)
    say(house, "rec_2")
    from safebelt.rooms.belt.service import aging

    with monkeypatch.context() as patched:
        patched.setattr(aging, "take_away", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            house.belt.let_go()
    assert path_of(house.records, name).exists()
    assert house.belt.verify().faults == 0

    assert house.belt.let_go() == 1
    assert not path_of(house.records, name).exists()
    assert len(house.entries("segment_removed")) == 1


# ---------------------------------------------------------------- killed for real


VICTIM = """
import sys, time
from pathlib import Path
from datetime import timedelta
from tests.conftest import StillClock
from tests.rooms.belt.house import build
from safebelt.engines.sql import Sql
from safebelt.rooms.belt.service import aging

home, later, days = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
clock = StillClock()
clock.move(days=later)
real = aging.blank

def slow(path, places):
    print("at", path.name, flush=True)
    for place in places:
        real(path, [place])
        time.sleep(0.002)

aging.blank = slow
belt = build(Sql(f"sqlite:///{home / 'safebelt.db'}"), home, clock=clock, records_days=days).belt
belt.sweep()
belt.let_go()
print("done", flush=True)
"""


def test_a_sweep_killed_again_and_again_comes_to_the_same_end(tmp_path: Path, clock: StillClock) -> None:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    house = build(sql, tmp_path, clock=clock, records_days=DAYS)
    keep_texts(house, 30)
    for number in range(3):
        say(house, *(f"rec_{number}_{each}" for each in range(10)))
    clock.now += timedelta(days=DAYS + 5)
    say(house, "rec_new")
    kills = 0
    for _ in range(6):
        victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, str(tmp_path), str(DAYS + 5), str(DAYS)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ},
        )
        assert victim.stdout is not None
        line = victim.stdout.readline()
        if line.startswith("at") and kills < 2:
            victim.send_signal(signal.SIGKILL)
            kills += 1
        rest = victim.stdout.read()
        victim.wait()
        victim.stdout.close()
        if "done" in line + rest:
            break

    assert kills == 2
    assert [entry["contents"] for entry in house.entries("content_swept")] == [{house.system_id: 60}]
    assert len(house.entries("segment_removed")) == 3
    assert house.belt.verify().holds is Truth.TRUE
    sql.close()


# ---------------------------------------------------------------- settings


def test_records_may_not_go_sooner_than_the_house_keeps_them_at_least() -> None:
    assert Settings(records_days=183).records_days == 183
    assert Settings(records_days="").records_days == 0  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="shorter than records_min_days=183"):
        Settings(records_days=182)


def test_one_person_does_not_have_originals_sealed(house: House) -> None:
    keep_texts(house, 0)

    with pytest.raises(Refused, match="two people"):
        house.belt.change(house.system_id, by=OWNER, version=2, content=ContentMode.SEALED)

    assert house.belt.harness(house.system_id).content is ContentMode.MASKED
