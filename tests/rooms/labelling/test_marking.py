"""A file is marked, checked and traced; whatever is changed afterwards is seen."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.rooms.certificates.test_pki_c2pa import POINT, signed
from tests.rooms.labelling.watermark.pictures import photographed

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.rooms.certificates.model import Why
from safebelt.rooms.labelling.model import Axis, Checked, Mark, Verdict
from safebelt.rooms.labelling.service import SIDECAR, CannotMark, MarkFile
from safebelt.rooms.registry.model.identity import Identify, Scheme

HOLDING = (
    *(Axis.AIGC, Axis.CONFORMANCE, Axis.INTEGRITY, Axis.C2PA, Axis.SIGNATURE, Axis.CHAIN, Axis.REVOCATION),
    *(Axis.IDENTITY, Axis.CERTIFICATE, Axis.LEDGER),
)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "point.jpg"
    path.write_bytes(POINT)
    return path


@pytest.fixture
def marked(labelling, served, ledger, picture, tmp_path: Path) -> Path:
    path = tmp_path / "marked.jpg"
    labelling.mark(picture, path, MarkFile(system_id=served.id), by=OWNER)
    ledger.advance()
    return path


def verdict(found: Checked, axis: Axis) -> Verdict:
    return found.axes[axis].verdict


def test_a_picture_is_marked_and_every_mark_holds(labelling, marked) -> None:
    found = labelling.verify(marked)

    for axis in HOLDING:
        assert verdict(found, axis) is Verdict.OK, (axis, found.axes[axis].reason.as_text("en"))
    assert verdict(found, Axis.TIME) is Verdict.ABSENT  # nobody stamped it
    assert verdict(found, Axis.EXPLICIT) is Verdict.UNKNOWN  # nobody looked at the picture
    assert found.is_marked and not found.is_bad
    assert "AI made this content" in found.sentence.en and "registered system" in found.sentence.en


def test_what_was_put_and_what_was_left_out_is_said(labelling, served, picture, tmp_path) -> None:
    made = labelling.mark(picture, tmp_path / "marked.jpg", MarkFile(system_id=served.id), by=OWNER)

    assert set(made.put) == {Mark.AIGC, Mark.C2PA}
    assert set(made.left_out) == {Mark.EXPLICIT}  # one point has no room for words


def test_an_unmarked_picture_cannot_be_told_and_is_never_called_human(labelling, certificates, picture) -> None:
    found = labelling.verify(picture)

    assert {verdict(found, axis) for axis in Axis} <= {Verdict.ABSENT, Verdict.UNKNOWN}
    assert not found.is_marked and not found.is_bad
    assert "does not mean that a human made it" in found.sentence.en
    assert "不表示内容出自人手" in found.sentence.zh


def test_a_changed_picture_is_no_longer_what_was_signed(labelling, marked) -> None:
    data = bytearray(marked.read_bytes())
    data[-3] ^= 1
    marked.write_bytes(data)

    found = labelling.verify(marked)

    assert verdict(found, Axis.C2PA) is Verdict.BAD
    assert verdict(found, Axis.SIGNATURE) is Verdict.OK
    assert verdict(found, Axis.LEDGER) is Verdict.ABSENT
    assert "cannot be relied upon" in found.sentence.en


def test_a_changed_label_fails_its_own_signature_and_the_manifests_hash(labelling, marked) -> None:
    produce_id = labelling.verify(marked).labels[0].fields["ProduceID"]
    other = produce_id[:-1] + ("1" if produce_id[-1] != "1" else "2")
    data = marked.read_bytes()
    at = data.index(produce_id.encode(), data.index(b"TC260:AIGC"))  # the manifest repeats it
    marked.write_bytes(data[:at] + other.encode() + data[at + len(other) :])

    found = labelling.verify(marked)

    assert verdict(found, Axis.AIGC) is Verdict.OK  # it still says so
    assert verdict(found, Axis.INTEGRITY) is Verdict.BAD
    assert verdict(found, Axis.C2PA) is Verdict.BAD


@pytest.mark.parametrize("deed", ["suspend", "revoke"])
def test_a_certificate_that_was_taken_back_shows_at_once(labelling, certificates, marked, deed) -> None:
    serial = labelling.verify(marked).facts["serial"]
    if deed == "suspend":
        certificates.suspend(serial, reason="looking into it", by=OWNER)
    else:
        certificates.revoke(serial, why=Why.KEY_COMPROMISE, reason="stolen", by=OWNER)

    found = labelling.verify(marked)

    assert verdict(found, Axis.REVOCATION) is Verdict.BAD
    assert verdict(found, Axis.C2PA) is Verdict.OK
    assert "cannot be relied upon" in found.sentence.en


def test_a_picture_that_others_signed_is_whole_and_vouched_for_by_nobody(labelling, certificates, tmp_path) -> None:
    path = tmp_path / "theirs.jpg"
    path.write_bytes(signed("es256", "al1"))

    found = labelling.verify(path)

    assert verdict(found, Axis.C2PA) is Verdict.OK
    assert verdict(found, Axis.SIGNATURE) is Verdict.OK
    for axis in (Axis.CHAIN, Axis.REVOCATION, Axis.IDENTITY):
        assert verdict(found, axis) is Verdict.UNKNOWN
    assert verdict(found, Axis.CERTIFICATE) is Verdict.ABSENT
    assert "not known in full" in found.sentence.en


def test_a_system_that_is_not_in_service_signs_nothing_and_the_label_is_still_put(
    labelling, certificates, registry, picture, tmp_path
) -> None:
    from tests.rooms.registry.lifecycle_house import DESCRIBED, enter

    made = labelling.mark(picture, tmp_path / "out.jpg", MarkFile(system_id=enter(registry, DESCRIBED).id), by=OWNER)

    assert set(made.put) == {Mark.AIGC}
    assert "Nothing can be signed" in made.left_out[Mark.C2PA].en
    assert verdict(labelling.verify(tmp_path / "out.jpg"), Axis.INTEGRITY) is Verdict.ABSENT


def test_a_text_gets_its_notice_and_the_label_a_file_of_its_own(labelling, certificates, tmp_path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("天气很好。", "utf-8")

    made = labelling.mark(text, tmp_path / "b.txt", MarkFile(), by=OWNER)

    assert (tmp_path / "b.txt").read_text("utf-8") == "本内容由人工智能生成。\n\n天气很好。"
    label = json.loads((tmp_path / f"b.txt{SIDECAR}").read_text("utf-8"))["AIGC"]
    assert label["Label"] == "1" and label["ProduceID"].startswith("mrk_")
    assert made.put[Mark.AIGC] == f"b.txt{SIDECAR}"
    assert verdict(labelling.verify(tmp_path / "b.txt"), Axis.EXPLICIT) is Verdict.OK


def test_the_file_may_be_marked_in_its_place(labelling, served, picture) -> None:
    labelling.mark(picture, picture, MarkFile(system_id=served.id), by=OWNER)

    assert verdict(labelling.verify(picture), Axis.C2PA) is Verdict.OK


def test_every_mark_is_an_entry_that_names_the_finished_file(labelling, ledger, marked) -> None:
    found = labelling.verify(marked)

    entries = ledger.entries(subject=found.labels[0].fields["ProduceID"])
    assert [one.data["sha256"] for one in entries] == [found.facts["sha256"]]
    assert entries[0].data["marks"] == ["aigc", "c2pa"]


@pytest.mark.parametrize("data", [b"", b"\x00" * 64, b"%!PS-Adobe", b"MZ" + b"\0" * 100])
def test_a_file_of_no_known_format_is_refused_and_leaves_nothing(labelling, certificates, tmp_path, data) -> None:
    odd = tmp_path / "odd.bin"
    odd.write_bytes(data)

    with pytest.raises(Invalid, match="no format"):
        labelling.mark(odd, tmp_path / "out.bin", MarkFile(), by=OWNER)

    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file() and "out" in one.name) == []


def test_a_damaged_picture_is_refused_and_leaves_nothing(labelling, certificates, picture, tmp_path) -> None:
    picture.write_bytes(POINT[:30])

    with pytest.raises(Invalid, match="damaged"):
        labelling.mark(picture, tmp_path / "out.jpg", MarkFile(), by=OWNER)

    assert not list(tmp_path.glob("*out.jpg*"))


def test_what_is_not_there_is_not_found(labelling, certificates, tmp_path) -> None:
    with pytest.raises(NotFound):
        labelling.mark(tmp_path / "none.jpg", tmp_path / "out.jpg", MarkFile(), by=OWNER)
    with pytest.raises(NotFound):
        labelling.verify(tmp_path / "none.jpg")
    with pytest.raises(Invalid):
        labelling.verify(tmp_path)


def test_a_content_on_its_way_is_signed_where_the_hand_lies_ready(labelling, served, tmp_path) -> None:
    before = labelling.mark_bytes(POINT, "rec_0", served.id)
    labelling.desk.hand(served.id)
    labelling._at_hand.clear()  # a minute later
    after = labelling.mark_bytes(POINT, "rec_1", served.id)
    (tmp_path / "passed.jpg").write_bytes(after.data)

    assert before.put == {"aigc"}
    assert after.put == {"aigc", "c2pa"}
    found = labelling.verify(tmp_path / "passed.jpg")
    for axis in HOLDING:
        if axis not in (Axis.LEDGER, Axis.CERTIFICATE):  # the belt's record is the memory of it; nothing was sequenced
            assert verdict(found, axis) is Verdict.OK, (axis, found.axes[axis].reason.as_text("en"))
    assert found.labels[0].fields["ProduceID"] == "rec_1"


@pytest.mark.parametrize("data", [b"", b"nothing", POINT[:30]])
def test_a_content_that_takes_no_mark_is_not_passed_off_as_marked(labelling, data) -> None:
    with pytest.raises(CannotMark):
        labelling.mark_bytes(data, "rec_0", "sys_1")


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A real one, of scikit-learn's own."""
    path = tmp_path / "china.jpg"
    Image.fromarray(photographed("china.jpg")).save(path, quality=90)
    return path


def test_a_watermark_leads_back_to_the_mark_after_everything_else_is_lost(labelling, served, photograph) -> None:
    marked = photograph.with_name("marked.jpg")
    wish = MarkFile(system_id=served.id, marks=frozenset(Mark) - {Mark.EXPLICIT})
    made = labelling.mark(photograph, marked, wish, by=OWNER)
    whole = labelling.verify(marked)
    copy = photograph.with_name("copy.png")
    with Image.open(marked) as picture:
        smaller = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))
    Image.fromarray(np.asarray(smaller)).save(copy)  # the pixels alone

    found = labelling.verify(copy)

    assert set(made.put) == {Mark.AIGC, Mark.C2PA, Mark.WATERMARK}
    assert verdict(whole, Axis.WATERMARK) is Verdict.OK and verdict(whole, Axis.C2PA) is Verdict.OK
    assert verdict(found, Axis.WATERMARK) is Verdict.OK
    assert verdict(found, Axis.AIGC) is Verdict.ABSENT
    assert whole.labels[0].fields["ProduceID"] in found.axes[Axis.WATERMARK].reason.says.en
    assert "other marks were lost" in found.sentence.en
    assert verdict(labelling.verify(photograph), Axis.WATERMARK) is Verdict.ABSENT


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_visible_notice_is_high_enough_and_leaves_the_rest_of_the_picture(
    labelling, certificates, photograph, lang, kind
) -> None:
    source = photograph.with_name(f"in.{kind}")
    with Image.open(photograph) as picture:
        picture.save(source, quality=95)
    marked = photograph.with_name(f"out.{kind}")

    made = labelling.mark(source, marked, MarkFile(marks=frozenset({Mark.EXPLICIT}), lang=lang), by=OWNER)

    with Image.open(source) as before, Image.open(marked) as after:
        assert before.size == after.size
        changed = np.abs(np.asarray(before.convert("L"), int) - np.asarray(after.convert("L"), int)) > 60
    rows, _ = np.nonzero(changed)
    assert made.put[Mark.EXPLICIT] in {"bottom right", "bottom left", "top right", "top left"}
    assert np.ptp(rows) + 1 >= 0.05 * min(changed.shape)
    assert (
        changed[changed.shape[0] // 4 : -(changed.shape[0] // 4)].sum() == 0
    )  # an edge or corner, as the standard asks


def test_a_picture_too_small_for_a_watermark_says_so(labelling, certificates, picture, tmp_path) -> None:
    made = labelling.mark(picture, tmp_path / "o.jpg", MarkFile(marks=frozenset({Mark.WATERMARK})), by=OWNER)

    assert Mark.WATERMARK in made.left_out and Mark.WATERMARK not in made.put


def test_a_label_names_the_systems_provider_by_its_credit_code(labelling, registry, served, picture, tmp_path) -> None:
    labelling.provider_code = ""
    registry.identify(served.provider_id, Identify(scheme=Scheme.USCC, value="91310104MACE0YX639"), by=OWNER)

    labelling.mark(picture, tmp_path / "out.jpg", MarkFile(system_id=served.id, marks=frozenset({Mark.AIGC})), by=OWNER)

    found = labelling.verify(tmp_path / "out.jpg")
    assert found.labels[0].fields["ContentProducer"] == "001191310104MACE0YX63900000"
    assert verdict(found, Axis.CONFORMANCE) is Verdict.OK


def test_a_label_beside_a_text_is_read_with_it_and_said_to_be_beside(labelling, served, tmp_path) -> None:
    text, marked = tmp_path / "a.txt", tmp_path / "b.txt"
    text.write_text("天气很好。", "utf-8")
    labelling.mark(text, marked, MarkFile(system_id=served.id), by=OWNER)

    found = labelling.verify(marked)

    assert [one.place for one in found.labels] == [f"b.txt{SIDECAR}"] and not found.labels[0].is_native
    for axis in (Axis.AIGC, Axis.CONFORMANCE, Axis.INTEGRITY):
        assert verdict(found, axis) is Verdict.OK
    assert "file of its own beside" in found.axes[Axis.AIGC].reason.as_text("en")
    assert verdict(labelling.verify(text), Axis.AIGC) is Verdict.ABSENT
    (tmp_path / f"b.txt{SIDECAR}").write_text("{}", "utf-8")
    assert verdict(labelling.verify(marked), Axis.AIGC) is Verdict.BAD


def test_a_label_beside_may_go_on_where_the_one_within_is_empty_and_may_not_contradict_it(
    labelling, served, marked
) -> None:
    beside = marked.with_name(marked.name + SIDECAR)
    own = dict(labelling.verify(marked).labels[0].fields)

    beside.write_text(json.dumps({"AIGC": own | {"ContentPropagator": "p", "PropagateID": "1"}}), "utf-8")
    assert verdict(labelling.verify(marked), Axis.AIGC) is Verdict.OK
    assert verdict(labelling.verify(marked), Axis.CONFORMANCE) is Verdict.OK
    beside.write_text(json.dumps({"AIGC": own | {"ProduceID": "another"}}), "utf-8")
    assert verdict(labelling.verify(marked), Axis.AIGC) is Verdict.BAD


def test_what_lies_beside_and_is_no_plain_file_of_its_size_is_passed_over(labelling, certificates, picture) -> None:
    beside = picture.with_name(picture.name + SIDECAR)
    os.mkfifo(beside)
    assert verdict(labelling.verify(picture), Axis.AIGC) is Verdict.ABSENT
    beside.unlink()
    beside.symlink_to("/etc/passwd")
    assert verdict(labelling.verify(picture), Axis.AIGC) is Verdict.ABSENT
    beside.unlink()
    beside.write_bytes(b"x" * 100_000)
    assert verdict(labelling.verify(picture), Axis.AIGC) is Verdict.BAD
