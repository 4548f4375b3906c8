"""After the watermarks' key is changed, old marks are still read, new ones carry the new key, and no key is lost."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image
from tests.rooms.labelling.watermark.pictures import photographed

from safebelt.engines.clock import real_chance
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from safebelt.rooms.labelling.cli import commands
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.service import MarkFile, inspecting
from safebelt.rooms.labelling.service.keyring import MAX_RETIRED, Keyring


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(newest=tmp_path / "watermark.key", retired=tmp_path / "watermark-retired", chance=real_chance)


def test_a_mark_of_the_old_key_and_one_of_the_new_are_both_read(labelling, certificates, ledger, tmp_path):
    plain, before, after = (tmp_path / f"{name}.png" for name in ("plain", "before", "after"))
    Image.fromarray(photographed("china.jpg")[:320, :400]).save(plain)
    wish = MarkFile(marks=frozenset({Mark.WATERMARK}))
    labelling.mark(plain, before, wish, by=OWNER)
    old = labelling.desk.keyring.key()

    told = commands(labelling)(["rotate-watermark-key", "--reason", "yearly"], result_action="return_value")
    labelling.mark(plain, after, wish, by=OWNER)
    verdicts = [labelling.verify(one).axes[Axis.WATERMARK].verdict for one in (before, after, plain)]

    entry = next(one for one in ledger.entries(limit=20) if one.kind == "labelling.watermark_key_rotated.v1")
    assert verdicts == [Verdict.OK, Verdict.OK, Verdict.ABSENT]
    assert told.data == {"retired": 1}
    assert labelling.desk.keyring.key() != old
    assert entry.data == {"retired": 1, "commitment": hashlib.sha256(old).hexdigest()}
    with pytest.raises(Invalid):
        labelling.rotate_watermark_key(reason=" ", by=OWNER)


def test_keys_are_given_newest_first_and_for_their_owner_alone(keyring):
    made = [keyring.key(is_made=True)]
    for _ in range(3):
        keyring.rotate()
        made.append(keyring.key())

    assert keyring.keys() == tuple(reversed(made))
    assert all(path.stat().st_mode & 0o077 == 0 for path in keyring.retired.iterdir())


def test_a_key_that_others_could_have_read_marks_nothing_and_still_reads(keyring):
    made = keyring.key(is_made=True)
    keyring.newest.chmod(0o644)

    with pytest.raises(Refused):
        keyring.key(is_made=True)
    assert keyring.keys() == (made,)


def test_without_a_key_there_is_nothing_to_change_and_too_many_are_refused(keyring):
    with pytest.raises(NotFound):
        keyring.rotate()
    keyring.key(is_made=True)
    for _ in range(MAX_RETIRED):
        keyring.rotate()
    before = keyring.keys()

    with pytest.raises(Conflict):
        keyring.rotate()

    assert keyring.keys() == before and len(before) == MAX_RETIRED + 1


def test_a_change_that_was_cut_off_loses_no_key(keyring, monkeypatch):
    first = keyring.key(is_made=True)
    keyring.retired.mkdir()
    (keyring.retired / "0001.key").write_text(first.hex())  # kept already; the new one was not written

    keyring.rotate()

    assert keyring.keys()[1:] == (first,)
    (keyring.retired / "0001.key").write_text("no key")
    with pytest.raises(Unavailable):
        keyring.keys()


def test_keys_that_there_was_no_time_for_are_said(monkeypatch, tmp_path):
    ticks = iter(range(0, 100, 4))
    monkeypatch.setattr(inspecting, "monotonic", lambda: next(ticks))
    tried = list[bytes]()

    def nothing(_path: Path, _kind: Kind, _data: bytes, key: bytes) -> tuple[None, None]:
        tried.append(key)

        return None, None

    monkeypatch.setattr(inspecting, "_watermark", nothing)

    ident, why = inspecting._by_all(tmp_path, Kind.PNG, b"", (b"1", b"2", b"3", b"4"))
    assert ident is None and why is not None and "no time to try all keys" in why.en
    assert tried == [b"1"]
