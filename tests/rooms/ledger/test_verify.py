"""Whatever is changed in the stored log is found and named; nothing is never called intact."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.ledger.conftest import Desk

from safebelt.engines.canonical import canonical
from safebelt.engines.signing import Signer, sign_note
from safebelt.kernel import merkle
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.decide import stretches
from safebelt.rooms.ledger.model import MAX_FAULTS


@pytest.fixture
def log(desk: Desk) -> Desk:
    """Seven entries under two checkpoints, one with personal data."""
    desk.note("a", "b", "c")
    desk.ledger.advance()
    desk.note("d", "e", "f")
    desk.note("g", name="张三")
    desk.ledger.advance()
    return desk


def faults(desk: Desk) -> list[tuple[str, int | None]]:
    verification = desk.ledger.verify()
    assert verification.holds is Truth.of(not verification.faults)
    assert all(fault.where and fault.says.zh and fault.says.en for fault in verification.faults)
    return [(fault.code, fault.index) for fault in verification.faults]


def change(desk: Desk, place: int, /, **values: object) -> None:
    with desk.sql.begin() as tx:
        tx.execute(sa.update(store.entry).where(store.entry.c.index == place).values(**values))


def body(desk: Desk, index: int) -> bytes:
    return next(entry.body for entry in desk.ledger.entries() if entry.index == index)


def test_a_whole_log_is_intact_and_says_what_was_read(log: Desk) -> None:
    verification = log.ledger.verify()

    assert faults(log) == []
    assert (verification.holds, verification.entries, verification.checkpoints, verification.waiting) == (
        Truth.TRUE,
        7,
        2,
        0,
    )


def test_an_empty_log_is_never_intact(desk: Desk) -> None:
    assert desk.ledger.verify().holds is Truth.UNKNOWN


def test_entries_without_a_checkpoint_are_not_verified_but_counted(desk: Desk) -> None:
    desk.note("a")

    verification = desk.ledger.verify()

    assert (verification.holds, verification.waiting) == (Truth.UNKNOWN, 1)


def test_a_flipped_byte_in_a_body_is_named(log: Desk) -> None:
    change(log, 4, body=body(log, 4).replace(b'"text":"e"', b'"text":"x"'))

    assert {("leaf", 4), ("column", 4), ("root", None)} <= set(faults(log))
    assert {index for _, index in faults(log)} == {4, None}


def test_every_byte_of_a_body_counts(log: Desk) -> None:
    original = body(log, 1)
    for at in range(0, len(original), 7):
        flipped = bytearray(original)
        flipped[at] ^= 1
        change(log, 1, body=bytes(flipped))
        assert ("leaf", 1) in faults(log)


def test_an_entry_rewritten_with_all_its_columns_is_named_by_its_tile_and_its_checkpoint(log: Desk) -> None:
    forged = body(log, 4).replace(b'"text":"e"', b'"text":"x"')
    change(log, 4, body=forged, leaf=merkle.leaf_hash(forged), words="x")

    verification = log.ledger.verify()

    assert set(faults(log)) == {("tile", 4), ("root", None)}
    assert any("index 3 to 6" in fault.says.en for fault in verification.faults)


def test_bytes_that_mean_the_same_but_are_spelled_otherwise_are_named(log: Desk) -> None:
    respelled = body(log, 2).replace(b'","', b'", "')
    change(log, 2, body=respelled, leaf=merkle.leaf_hash(respelled))

    assert ("body", 2) in faults(log)


@pytest.mark.parametrize("column", ["actor", "kind", "subject", "words"])
def test_a_column_that_disagrees_with_its_body_is_named(log: Desk, column: str) -> None:
    change(log, 2, **{column: "other"})

    assert faults(log) == [("column", 2)]


def test_a_moved_time_is_named(log: Desk, clock: Callable[[], object]) -> None:
    clock.move(seconds=1)  # type: ignore[attr-defined]
    change(log, 2, at=clock())

    assert faults(log) == [("column", 2)]


@pytest.mark.parametrize("index", [0, 3, 5])
def test_a_dropped_row_is_named(log: Desk, index: int) -> None:
    with log.sql.begin() as tx:
        tx.execute(sa.delete(store.entry).where(store.entry.c.index == index))

    assert ("gap", index) in faults(log)


def test_a_truncated_log_is_named_entry_by_entry(log: Desk) -> None:
    with log.sql.begin() as tx:
        tx.execute(sa.delete(store.personal))
        tx.execute(sa.delete(store.entry).where(store.entry.c.index >= 5))

    assert [fault for fault in faults(log) if fault[0] == "gap"] == [("gap", 5), ("gap", 6)]


def test_two_swapped_entries_are_both_named(log: Desk) -> None:
    change(log, 1, index=100)
    change(log, 2, index=1)
    change(log, 100, index=2)

    assert {("tile", 1), ("tile", 2)} <= set(faults(log))


def test_a_changed_checkpoint_is_named(log: Desk) -> None:
    with log.sql.begin() as tx:
        (_, note), *_ = store.notes(tx)
        signature_changed = note[:-8] + ("A" if note[-8] != "A" else "B") + note[-7:]
        tx.execute(sa.update(store.checkpoint).where(store.checkpoint.c.size == 3).values(note=signature_changed))

    assert faults(log) == [("signature", None)]


def test_a_checkpoint_signed_anew_by_another_key_is_named(log: Desk) -> None:
    thief = Signer.of("example.org/log", b"t" * 32)
    note = sign_note(decide.checkpoint_text("example.org/log", 3, bytes(32)), thief)
    with log.sql.begin() as tx:
        tx.execute(sa.update(store.checkpoint).where(store.checkpoint.c.size == 3).values(note=note))

    assert sorted(faults(log)) == [("root", None), ("signature", None)]


def test_a_checkpoint_signed_by_the_right_key_over_a_wrong_root_is_named(log: Desk) -> None:
    note = sign_note(decide.checkpoint_text("example.org/log", 3, bytes(32)), log.keys.current())
    with log.sql.begin() as tx:
        tx.execute(sa.update(store.checkpoint).where(store.checkpoint.c.size == 3).values(note=note))

    assert faults(log) == [("root", None)]


def test_a_checkpoint_signed_by_a_key_already_retired_is_named(log: Desk) -> None:
    old = log.keys.current()
    log.ledger.rotate_key(reason="stolen", by=OWNER)
    checkpoint = log.ledger.checkpoint()
    assert checkpoint is not None
    note = sign_note(checkpoint.note.partition("\n\n")[0] + "\n", old)
    with log.sql.begin() as tx:
        tx.execute(sa.update(store.checkpoint).where(store.checkpoint.c.size == checkpoint.size).values(note=note))
    (log.folder / "checkpoint").write_text(note)

    assert faults(log) == [("signature", None)]


def test_a_verifier_key_slipped_in_beside_the_log_is_named(log: Desk) -> None:
    slipped = Signer.of("example.org/log", b"t" * 32).verifier
    Path(f"{log.keys.path}.retired").write_text(f"{slipped}\n")

    assert ("rotation", None) in faults(log)


def test_a_rotation_not_vouched_for_by_the_old_key_is_named(log: Desk) -> None:
    log.ledger.rotate_key(reason="yearly", by=OWNER)
    retired = Path(f"{log.keys.path}.retired")
    retired.write_text(f"{Signer.of('example.org/log', b't' * 32).verifier}\n")

    assert "rotation" in {code for code, _ in faults(log)}


@pytest.mark.parametrize(("path", "code"), [("tile/0/000.p/7", "tile"), ("tile/entries/000.p/7", "bundle")])
def test_a_changed_tile_is_named(log: Desk, path: str, code: str) -> None:
    tile = log.folder / path
    data = bytearray(tile.read_bytes())
    data[40] ^= 1
    tile.write_bytes(bytes(data))

    assert code in {found for found, _ in faults(log)}
    assert {found for found, _ in faults(log)} == {code}


@pytest.mark.parametrize("path", ["tile/0/000.p/7", "tile/entries/000.p/7"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda tile: tile.unlink(),
        lambda tile: tile.write_bytes(tile.read_bytes() + b"x"),
        lambda tile: tile.write_bytes(b""),
    ],
)
def test_a_tile_missing_or_of_another_length_is_named(log: Desk, path: str, spoil: Callable[[Path], object]) -> None:
    spoil(log.folder / path)

    assert len(faults(log)) == 1


def test_a_changed_upper_tile_is_named(desk: Desk) -> None:
    desk.note(*map(str, range(300)))
    desk.ledger.advance()
    (desk.folder / "tile/1/000.p/1").write_bytes(bytes(32))

    assert faults(desk) == [("tile", None)]


def test_a_changed_public_checkpoint_is_named(log: Desk) -> None:
    (log.folder / "checkpoint").write_text("hello\n")
    assert faults(log) == [("checkpoint", None)]
    (log.folder / "checkpoint").unlink()
    assert faults(log) == [("checkpoint", None)]


@pytest.mark.parametrize("values", [{"data": {"name": "李四"}}, {"salt": b"0" * 16}, {"data": None}, {"salt": None}])
def test_changed_personal_data_is_named(log: Desk, values: dict[str, object]) -> None:
    with log.sql.begin() as tx:
        tx.execute(sa.update(store.personal).values(**values))

    assert faults(log) == [("personal", 6)]


def test_personal_data_removed_without_a_trace_or_still_there_after_erasing_is_named(
    log: Desk, clock: Callable[[], object]
) -> None:
    with log.sql.begin() as tx:
        tx.execute(sa.update(store.personal).values(erased_at=clock()))
    assert faults(log) == [("personal", 6)]
    with log.sql.begin() as tx:
        tx.execute(sa.delete(store.personal))
    assert faults(log) == [("personal", 6)]


def test_a_waiting_row_is_held_against_its_bytes_too(log: Desk) -> None:
    log.note("h")
    with log.sql.begin() as tx:
        tx.execute(sa.update(store.entry).where(store.entry.c.index.is_(None)).values(subject="other"))

    assert faults(log) == [("column", None)]
    assert log.ledger.verify().waiting == 1


def test_a_log_broken_everywhere_is_reported_by_its_first_faults_and_a_count(desk: Desk) -> None:
    desk.note(*map(str, range(MAX_FAULTS + 50)))
    desk.ledger.advance()
    with desk.sql.begin() as tx:
        tx.execute(sa.update(store.entry).values(kind="x"))

    verification = desk.ledger.verify()

    assert (len(verification.faults), verification.more) == (MAX_FAULTS, 50)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.booleans())
def test_what_the_quick_encoder_calls_canonical_is(value: dict[str, object], is_spaced: bool) -> None:
    written = json.dumps(
        value, ensure_ascii=False, sort_keys=not is_spaced, separators=None if is_spaced else (",", ":")
    )
    with contextlib.suppress(ValueError, UnicodeEncodeError, Invalid):
        data = written.encode()
        if stretches._is_canonical(data, json.loads(data)):
            assert canonical(json.loads(data)) == data


def test_the_quick_encoder_tells_of_what_entries_are_made_of() -> None:
    plain = {"a": [1, -7, 999_999_999_999_999, True, None, '字\n\x01"\\é'], "b": {}}

    assert stretches._is_canonical(canonical(plain), plain)
    for body in (b'{"a":1.0}', b'{"a":NaN}', b'{"a":9007199254740993}', b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":-0}'):
        assert not stretches._is_canonical(body, json.loads(body))


def test_bodies_are_canonical(log: Desk) -> None:
    assert all(stretches._is_canonical(entry.body, decide.parse_body(entry.body)) for entry in log.ledger.entries())
    assert all(canonical(decide.parse_body(entry.body)) == entry.body for entry in log.ledger.entries())
