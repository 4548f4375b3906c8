"""A house out of a backup is the house that was backed up: every row, every file, every receipt, on either database."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
import sqlalchemy as sa
from tests.run.keeping.conftest import Kept
from tests.run.keeping.furnished import (
    AUDITOR,
    EARLIER,
    LIMIT,
    ORIGINAL,
    PASSWORD,
    SEALED,
    emptied,
    files_of,
    house_at,
    record_some,
    register,
    rows_of,
    typed,
)
from tests.run.keeping.repacked import repack

from safebelt.app import every_table
from safebelt.engines.archive_age import Keys, Lock
from safebelt.engines.archive_rows import dump
from safebelt.engines.signing import VerifierKey
from safebelt.engines.supervisor import OnlyOne
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem
from safebelt.rooms.belt.control.orders import State
from safebelt.rooms.belt.model import Command, TwoPeople
from safebelt.rooms.belt.records.reader import Reader
from safebelt.rooms.belt.records.sealing import sealed_in, unseal
from safebelt.rooms.ledger.model import PersonalErased
from safebelt.rooms.ledger.service import check
from safebelt.run.keeping.backup import back_up
from safebelt.run.keeping.restore import Restored, Target, restore
from safebelt.settings import Settings


def hush(_: object) -> None:
    """What is said on the way is no part of these trials."""


def restored(file: Path, home: Path, database: str = "", keys: Keys | None = None, **allowed: bool) -> Restored:
    target = Target(home=home, database=database, **allowed)
    return restore(Settings(home=home, log_origin="example.org/log"), file, keys or Keys(), target, hush)


def test_every_row_file_and_receipt_is_there_again(kept: Kept, tmp_path: Path) -> None:
    done = restored(kept.file, tmp_path / "home", is_same_moment=True)

    house = house_at(tmp_path / "home")
    assert done.seen.holds is Truth.TRUE
    assert done.seen.problems == ()
    assert rows_of(house) == kept.rows
    assert files_of(tmp_path / "home") == files_of(kept.home)
    for proof in kept.receipts.values():
        assert check(proof, [VerifierKey.parse(key) for key in kept.keys])[0].holds is Truth.TRUE
    assert [str(key) for key in house.ledger.verifier_keys()] == list(kept.keys)
    assert house.ledger.public_file("checkpoint") == (kept.home / "ledger" / "checkpoint").read_bytes()
    house.close()


def test_the_house_goes_on_where_it_was(kept: Kept, tmp_path: Path) -> None:
    restored(kept.file, tmp_path / "home")
    house = house_at(tmp_path / "home")
    before = house.ledger.checkpoint()

    record_some(house, 2)
    house.access.sign_in("kim", PASSWORD)
    after = house.ledger.advance()

    assert before is not None and after is not None and after.size > before.size
    assert house.ledger.verify().holds is Truth.TRUE
    assert house.belt.verify().holds is Truth.TRUE
    assert house.box.state().orders[kept.system].command.value == "pause", "a stopped system stays stopped"
    assert {entry.id for entry in house.ledger.entries(limit=200)} > set(kept.receipts)
    house.close()


def test_what_persons_ordered_and_who_must_lift_it_is_there_again(kept: Kept, tmp_path: Path) -> None:
    restored(kept.file, tmp_path / "home")
    house = house_at(tmp_path / "home")
    now = house.belt.state()

    assert house.box.two_people() == house.belt.two_people() == {kept.system: TwoPeople(lifting=True)}
    assert house.belt.takes_two(Command.RUN, kept.system) and house.belt.takes_two(Command.UNLIMIT, kept.system)
    assert not house.box.may_obey_file(Command.RUN, kept.system), "nor does the stop file lift it"
    assert house.box.state().orders[kept.system].terms.hold_seconds == 9
    assert [(each.order_id, each.terms.per_minute) for each in now.limits] == [(LIMIT, 10)]
    assert now.limits[0].used is not None, "what a limit has counted travels"
    assert [(each.terms.to, each.terms.model) for each in now.versions] == [("v1", "old")]
    assert not (tmp_path / "home" / "belt" / "news").exists() or not house.box.news().is_behind()
    house.close()


def test_a_version_that_a_roll_back_leads_to_is_asked_for_where_the_settings_do_not_name_it(
    kept: Kept, tmp_path: Path
) -> None:
    plain = {"home": tmp_path / "home", "log_origin": "example.org/log"}
    without, named = Settings(**plain), Settings.model_validate(plain | {"earlier_versions": EARLIER})

    seen = {}
    for name, settings in (("without", without), ("named", named)):
        _, said = typed(["restore", str(kept.file), "--home", str(tmp_path / name), "--format", "json"], settings)
        _, told = typed(["restore", str(kept.file), "--home", str(tmp_path / f"{name}-again")], settings)
        seen[name] = json.loads(said)["unnamed_versions"], told

    unnamed, told = seen["without"]
    then = told.partition("it was ")[2].partition(") and its keys")[0]
    house = house_at(tmp_path / "without", earlier_versions=json.loads(then))
    assert unnamed == ["v1"] and "is refused" in told
    assert json.loads(then) == EARLIER
    assert [version.name for version in house.belt.earlier()] == [house.belt.state().versions[0].terms.to] == ["v1"]
    assert seen["named"][0] == [] and "is refused" not in seen["named"][1]
    house.close()


def test_without_the_copy_of_the_rules_the_restored_house_is_laxer_until_its_job_puts_it_right(
    kept: Kept, tmp_path: Path
) -> None:
    restored(kept.file, tmp_path / "home")
    house = house_at(tmp_path / "home")
    (tmp_path / "home" / "belt" / "two-people.json").unlink()

    assert not house.belt.takes_two(Command.RUN, kept.system), "so the copy must be in every backup"
    assert house.belt.keep_two_people() == 1 and house.belt.takes_two(Command.RUN, kept.system)
    house.close()


def test_a_sealed_original_travels_sealed_and_opens_for_the_auditor_alone(kept: Kept, tmp_path: Path) -> None:
    restored(kept.file, tmp_path / "home")
    house = house_at(tmp_path / "home")
    record = next(
        line.record()
        for segment in Reader(house.records).segments()
        for _, line in Reader(house.records).lines(segment)
        if line is not None and line.core.id == SEALED
    )
    files = b"".join(path.read_bytes() for path in house.records.rglob("*") if path.is_file())
    box = sealed_in(record.content)

    assert box is not None and house.belt.verify().holds is Truth.TRUE
    assert SEALED.encode() in files and ORIGINAL.encode() not in files
    assert unseal(box, SEALED, "intent", Keys(identities=(str(AUDITOR),))) == {"messages[0]": ORIGINAL}
    with pytest.raises(Problem):
        unseal(box, SEALED, "intent", Keys(identities=(str(pyrage.x25519.Identity.generate()),)))
    house.close()


def test_from_one_database_to_the_other_and_back_nothing_is_different(
    kept: Kept, tmp_path: Path, postgres_url: str
) -> None:
    there = emptied(postgres_url)
    restored(kept.file, tmp_path / "there", there, is_same_moment=True)
    house = house_at(tmp_path / "there", there)
    assert rows_of(house) == kept.rows
    back_up(house, tmp_path / "there.sbk", Lock(), hush)
    house.close()

    restored(tmp_path / "there.sbk", tmp_path / "back", is_same_moment=True)

    house = house_at(tmp_path / "back")
    assert rows_of(house) == kept.rows
    assert files_of(tmp_path / "back") == files_of(kept.home)
    house.close()


def test_segments_that_were_removed_by_rule_stay_removed_and_are_told_so(tmp_path: Path) -> None:
    house = house_at(tmp_path / "before", records_days=200)
    register(house)
    long_ago = house.clock() - timedelta(days=400)
    for exchanges in (3, 2):
        record_some(house, exchanges, clock=lambda: long_ago)
    record_some(house, 4)
    house.belt.index()
    removed = house.belt.let_go()
    seen = house.belt.verify()
    left = [path.name for path in sorted(house.records.glob("seg-*.log"))]
    back_up(house, tmp_path / "kept.sbk", Lock(), hush)
    house.close()

    done = restored(tmp_path / "kept.sbk", tmp_path / "after")

    again = house_at(tmp_path / "after", records_days=200)
    found = again.belt.verify()
    assert (removed, len(left)) == (2, 1), "something was removed, and something stays"
    assert done.seen.holds is Truth.TRUE, done.seen.problems
    assert (found.holds, found.removed, found.records) == (seen.holds, 2, seen.records) == (Truth.TRUE, 2, 8)
    assert [path.name for path in sorted(again.records.glob("seg-*.log"))] == left
    (again.records / left[0]).unlink()
    assert again.belt.verify().holds is Truth.FALSE, "one taken away by hand is still missing"
    again.close()


# --- what does not come along ------------------------------------------------------------------------------------


def test_sessions_end_and_the_witness_does_not_cosign_again_with_the_old_key(kept: Kept, tmp_path: Path) -> None:
    done = restored(kept.file, tmp_path / "home")

    house = house_at(tmp_path / "home")
    with house.sql.read() as tx:
        assert tx.execute(sa.text("select count(*) from access_session")).scalar() == 0
    old = {str(key) for key in house_at(kept.home).ledger.witnessing.cosigner_keys()}
    new = {str(key) for key in house.ledger.witnessing.cosigner_keys()}
    house.close()
    assert done.is_witness_retired
    assert old & new == set()
    assert (tmp_path / "home" / "keys" / "witness.key.before-restore").read_bytes() == (
        kept.home / "keys" / "witness.key"
    ).read_bytes()


@pytest.mark.soak
def test_who_knows_that_nothing_was_cosigned_since_keeps_the_key(kept: Kept, tmp_path: Path) -> None:
    done = restored(kept.file, tmp_path / "home", is_same_moment=True)

    assert not done.is_witness_retired
    assert (tmp_path / "home/keys/witness.key").read_bytes() == (kept.home / "keys/witness.key").read_bytes()


def test_a_witness_key_that_lies_elsewhere_is_not_used_again_unseen(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "witness.key").write_text("secret")
    settings = Settings(home=tmp_path / "home", witness_key=tmp_path / "witness.key")

    with pytest.raises(Conflict, match="cosigned"):
        restore(settings, kept.file, Keys(), Target(home=tmp_path / "home"), hush)
    assert not (tmp_path / "home").exists()


@pytest.mark.soak
def test_a_stop_file_that_was_obeyed_stays_and_one_that_was_not_travels(kept: Kept, tmp_path: Path) -> None:
    for text, is_obeyed in (("cut", False), ("run", True)):
        home = tmp_path / f"from-{text}"
        restored(kept.file, home)
        house = house_at(home)
        house.box.stop_file.write_text(text)
        if is_obeyed:
            house.box.keep(State(orders=house.box.state().orders, stop_file=house.box.stop_file_identity()))
        back_up(house, tmp_path / f"{text}.sbk", Lock(), hush)
        house.close()

        restored(tmp_path / f"{text}.sbk", tmp_path / f"to-{text}")

        assert (tmp_path / f"to-{text}" / "belt" / "stop").exists() is not is_obeyed


# --- refusals: nothing is touched, nothing is left ---------------------------------------------------------------


def test_a_house_that_is_there_or_runs_is_not_overwritten(kept: Kept, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "precious").write_text("mine")

    with pytest.raises(Conflict, match="not empty"):
        restored(kept.file, home)
    running = OnlyOne(home / "safebelt.pid")
    with pytest.raises(Conflict, match="running"):
        restored(kept.file, home, is_replace=True)
    running.release()
    assert {path.name for path in tmp_path.iterdir()} == {"home"}

    done = restored(kept.file, home, is_replace=True)

    assert done.kept is not None
    assert (done.kept / "precious").read_text() == "mine"
    assert (home / "safebelt.db").exists()


@pytest.mark.soak
def test_a_database_that_holds_rows_is_emptied_only_when_told(kept: Kept, tmp_path: Path, postgres_url: str) -> None:
    there = emptied(postgres_url)
    restored(kept.file, tmp_path / "first", there)
    house = house_at(tmp_path / "first", there)
    house.access.add_user("later", ["operator"], password="another long password", by=OWNER)
    house.close()

    with pytest.raises(Conflict, match="holds data"):
        restored(kept.file, tmp_path / "second", there)
    house = house_at(tmp_path / "first", there)
    assert "later" in {user.name for user in house.access.users()}
    house.close()
    assert not (tmp_path / "second").exists()

    restored(kept.file, tmp_path / "second", there, is_replace=True)

    house = house_at(tmp_path / "second", there)
    assert rows_of(house) == kept.rows
    house.close()


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.soak)])
def test_a_damaged_backup_leaves_nothing_behind(
    kept: Kept, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = emptied(request.getfixturevalue("postgres_url")) if engine == "postgres" else ""
    whole = kept.file.read_bytes()
    damaged = tmp_path / "damaged.sbk"
    for place in (len(whole) // 3, 2 * len(whole) // 3):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        damaged.write_bytes(changed)
        with pytest.raises(Invalid):
            restored(damaged, tmp_path / "home", database)
    damaged.write_bytes(whole[:-1000])
    with pytest.raises(Invalid):
        restored(damaged, tmp_path / "home", database)

    assert {path.name for path in tmp_path.iterdir()} == {"damaged.sbk"}
    restored(kept.file, tmp_path / "home", database)


def _one_row_less(name: str, data: bytes) -> bytes:
    return data[: data.rstrip(b"\n").rfind(b"\n") + 1] if name == "database/belt_key/000001.jsonl" else data


def test_rows_or_files_that_are_missing_are_noticed_though_the_sums_fit(kept: Kept, tmp_path: Path) -> None:
    changes: list[tuple[Callable[[str, bytes], bytes | None], str]] = [
        (_one_row_less, "belt_key"),
        (lambda name, data: None if name.startswith("home/blobs") else data, "files"),
        (lambda name, data: data if name != "backup.json" else None, "no backup"),
    ]
    for change, why in changes:
        with pytest.raises(Invalid, match=why):
            restored(repack(kept.file, tmp_path / "less.sbk", change), tmp_path / "home")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "changes",
    [{"tables": {"nobody": 0}}, {"tables": []}, {"files": "many"}, {"checkpoint": {"size": 1}}, {"settings": None}],
)
def test_a_manifest_that_says_nonsense_is_damage(kept: Kept, changes: dict[str, object], tmp_path: Path) -> None:
    nonsense = repack(kept.file, tmp_path / "nonsense.sbk", lambda _, data: data, lambda said: said | changes)

    with pytest.raises(Invalid, match="damaged"):
        restored(nonsense, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_what_is_no_backup_or_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")

    with pytest.raises(Invalid):
        restored(tmp_path / "text", tmp_path / "home")
    with pytest.raises(NotFound, match="nowhere"):
        restored(tmp_path / "nowhere", tmp_path / "home")
    assert {path.name for path in tmp_path.iterdir()} == {"text"}


# --- older and newer ---------------------------------------------------------------------------------------------


def _head(**changes: str) -> Callable[[str, bytes], bytes]:
    return lambda name, data: json.dumps(json.loads(data) | changes).encode() if name == "backup.json" else data


NEWER = {
    "belt_key": {"expires_at", "replaced_by", "terms", "version"},
    "belt_exchange": {"tokens", "is_estimated", "ended_at"},
    "belt_harness": {"content", "recipients", "content_days"},
    "belt_segment": {"removed_at", "removed_entry"},
    "belt_stop": {"terms"},
}
"""Columns that later releases added to tables of the first."""


LATER = (
    "certificates_",
    "labelling_",
    "portal_",
    "belt_policy",
    "belt_call",
    "belt_admission",
    "belt_strike",
    "belt_two",
)
"""Tables that later releases added."""


def _older(name: str, data: bytes) -> bytes | None:
    """Return a part as a release wrote it that did not know the newer columns, nor the newer tables."""
    if name.startswith(tuple(f"database/{each}" for each in LATER)):
        return None
    first, *lines = data.removesuffix(b"\n").split(b"\n")
    if not first.startswith(b'{"table":'):
        return _head(revision="0004")(name, data)
    head = json.loads(first)
    kept = [place for place, (column, _) in enumerate(head["columns"]) if column not in NEWER.get(head["table"], ())]
    head["columns"] = [head["columns"][place] for place in kept]
    rows = ([json.loads(line)[place] for place in kept] for line in lines)
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in (head, *rows))


def test_a_backup_of_an_older_shape_is_restored_and_brought_up_to_date(kept: Kept, tmp_path: Path) -> None:
    """What a Safebelt before the certificates would have written: its revision, and no table that came later."""
    without = repack(
        kept.file,
        tmp_path / "older.sbk",
        _older,
        lambda said: (
            said | {"tables": {name: rows for name, rows in said["tables"].items() if not name.startswith(LATER)}}
        ),
    )

    done = restored(without, tmp_path / "home", is_same_moment=True)

    house = house_at(tmp_path / "home")
    assert done.seen.holds is Truth.TRUE
    index = {"belt_exchange": ""}  # made again from the records, which fills its newer columns
    lost = {"belt_two_people": ""}  # the only newer table with rows: an older Safebelt had no such rules
    assert {**rows_of(house), **index, **lost} == {**kept.rows, **index, **lost}, (
        "and the newer tables are there, empty"
    )
    assert house.belt.two_people() == {}
    house.close()


@pytest.mark.parametrize("changes", [{"revision": "9999"}, {"format": "safebelt-backup/2"}])
def test_a_backup_of_a_newer_safebelt_is_refused_by_name(kept: Kept, changes: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="newer Safebelt"):
        restored(repack(kept.file, tmp_path / "newer.sbk", _head(**changes)), tmp_path / "home")
    assert {path.name for path in tmp_path.iterdir()} == {"newer.sbk"}


# --- looking without keeping -------------------------------------------------------------------------------------


def test_a_check_proves_everything_and_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    done = restored(kept.file, tmp_path / "home", is_check=True)

    assert done.seen.holds is Truth.TRUE
    assert len(done.seen.receipts) > 10
    assert list(tmp_path.iterdir()) == []


def test_a_check_signs_nothing_even_where_entries_wait(kept: Kept, tmp_path: Path) -> None:
    restored(kept.file, tmp_path / "home")
    house = house_at(tmp_path / "home")
    last, table = house.ledger.checkpoint(), every_table().tables["ledger_entry"]
    with house.sql.begin() as tx:
        house.ledger.append(tx, PersonalErased(subject="waits", reason="test"), by=OWNER)
    with house.sql.snapshot() as tx:
        (rows, count), *_ = dump(tx, table)
    house.close()
    waiting = repack(
        kept.file,
        tmp_path / "waiting.sbk",
        lambda name, data: rows if name == "database/ledger_entry/000001.jsonl" else data,
        lambda said: said | {"tables": said["tables"] | {"ledger_entry": count}},
    )

    done = restored(waiting, tmp_path / "other", is_check=True)

    assert last is not None and done.seen.log is not None
    assert (done.seen.holds, done.seen.log.waiting, done.seen.log.entries) == (Truth.TRUE, 1, last.size)


def test_a_backup_of_a_changed_house_is_restored_and_what_was_changed_is_named(kept: Kept, tmp_path: Path) -> None:
    done = restored(repack(kept.file, tmp_path / "forged.sbk", forged), tmp_path / "home")

    assert done.seen.holds is Truth.FALSE
    assert done.seen.problems or (done.seen.log is not None and done.seen.log.faults)
    assert (tmp_path / "home" / "safebelt.db").exists(), "it is all there is: it is given back, and named"


def forged(name: str, data: bytes) -> bytes:
    """Let an entry have been made by somebody else."""
    if name != "database/ledger_entry/000001.jsonl":
        return data
    head, *rows = data.rstrip(b"\n").split(b"\n")
    row = json.loads(rows[5])
    row[[column for column, _ in json.loads(head)["columns"]].index("actor")] = "somebody-else"
    return b"\n".join([head, *rows[:5], json.dumps(row).encode(), *rows[6:]]) + b"\n"
