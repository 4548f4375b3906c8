"""What a platform says of what it passes on; the producer's part of a label is never touched."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.certificates.test_pki_c2pa import POINT

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.rooms.labelling.decide.propagation import duty, passed_on
from safebelt.rooms.labelling.model import KEYS, Axis, Duty, Mark, Verdict
from safebelt.rooms.labelling.service import SIDECAR, Labelling, MarkFile, PassOn

CMD = PassOn(propagator="platform.example", propagate_id="post-7")
PRODUCER = {"Label": "1", "ContentProducer": "p", "ProduceID": "x", "ReservedCode1": "sig"}


@pytest.fixture
def alone() -> Labelling:
    """What decides nothing by house or register."""
    return Labelling("")


@pytest.mark.parametrize(
    ("label", "is_declared", "is_detected", "wanted"),
    [
        ("1", False, False, Duty.CONFIRMED),
        ("1", True, True, Duty.CONFIRMED),
        ("2", False, False, Duty.POSSIBLE),
        ("3", False, False, Duty.SUSPECTED),
        ("3", True, False, Duty.POSSIBLE),
        ("", True, True, Duty.POSSIBLE),
        ("", False, True, Duty.SUSPECTED),
        ("", False, False, Duty.NONE),
        ("7", False, False, Duty.NONE),
    ],
)
def test_the_label_decides_before_the_user_and_the_user_before_a_detector(
    label, is_declared, is_detected, wanted
) -> None:
    found, reason = duty({"Label": label} if label else {}, is_declared=is_declared, is_detected=is_detected)

    assert found is wanted
    assert reason.cites


def test_that_nothing_is_owed_is_never_said_to_mean_a_human_made_it() -> None:
    _, reason = duty({}, is_declared=False, is_detected=False)

    assert "a human need not have made it" in reason.says.en and "不表示内容出自人手" in reason.says.zh


@given(st.dictionaries(st.sampled_from(list(KEYS.values())), st.text(max_size=20)), st.booleans(), st.booleans())
def test_the_producers_part_is_what_it_was_and_what_it_says_is_never_less(fields, is_declared, is_detected) -> None:
    found, _ = duty(fields, is_declared=is_declared, is_detected=is_detected)
    if found is Duty.NONE:
        return

    label = passed_on(fields, found, propagator="me", propagate_id="7")

    for key in ("ContentProducer", "ProduceID", "ReservedCode1", "ReservedCode2"):
        assert label[key] == fields.get(key, "")
    if fields.get("Label") in ("1", "2", "3"):
        assert label["Label"] == fields["Label"]
    assert (label["ContentPropagator"], label["PropagateID"]) == ("me", "7")


def test_the_platforms_pair_is_written_into_the_files_own_label(labelling, certificates, tmp_path: Path) -> None:
    plain, marked, passed = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg"))
    plain.write_bytes(POINT)
    labelling.mark(plain, marked, MarkFile(marks=frozenset({Mark.AIGC})), by=OWNER)
    before = labelling.verify(marked).labels[0].fields

    made = labelling.pass_on(marked, passed, CMD)

    found = labelling.verify(passed)
    assert made.duty is Duty.CONFIRMED and made.notice is not None
    assert found.labels[0].fields == {**before, "ContentPropagator": "platform.example", "PropagateID": "post-7"}
    assert found.axes[Axis.AIGC].verdict is Verdict.OK
    assert found.axes[Axis.CONFORMANCE].verdict is Verdict.OK


def test_a_signed_file_is_passed_on_as_it_is_and_the_pair_stands_beside_it(labelling, served, tmp_path: Path) -> None:
    plain, marked, passed = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg"))
    plain.write_bytes(POINT)
    labelling.mark(plain, marked, MarkFile(system_id=served.id), by=OWNER)

    made = labelling.pass_on(marked, passed, CMD)

    assert passed.read_bytes() == marked.read_bytes()
    assert made.place == f"c.jpg{SIDECAR}"
    beside = json.loads((tmp_path / made.place).read_text("utf-8"))["AIGC"]
    assert beside["ContentPropagator"] == "platform.example" and beside["Label"] == "1"


def test_nothing_is_written_where_nothing_says_so_and_a_declaration_writes_may_be(
    labelling, certificates, tmp_path: Path
) -> None:
    plain, passed = tmp_path / "a.jpg", tmp_path / "b.jpg"
    plain.write_bytes(POINT)

    assert labelling.pass_on(plain, passed, CMD).duty is Duty.NONE
    assert not passed.exists()
    declared = PassOn(propagator="p", propagate_id="1", is_declared=True)
    assert labelling.pass_on(plain, passed, declared).duty is Duty.POSSIBLE
    fields = labelling.verify(passed).labels[0].fields
    assert fields["Label"] == "2" and fields["ContentProducer"] == ""  # nobody is named who is not known


@pytest.mark.parametrize("value", ["", "with blank", "平台", "a" * 3000])
def test_a_name_the_standard_has_no_room_for_is_refused(alone, tmp_path: Path, value) -> None:
    with pytest.raises(Invalid):
        alone.pass_on(tmp_path / "a", tmp_path / "b", PassOn(propagator=value, propagate_id="1"))


def test_labels_that_contradict_each_other_are_not_added_to(labelling, certificates, tmp_path: Path) -> None:
    text = tmp_path / "a.md"
    text.write_text("---\nAIGC:\n  Label: 'AIGC'\n  ContentProducer: 'x'\n  ProduceID: '1'\n---\nHi.\n", "utf-8")

    with pytest.raises(Conflict):
        labelling.pass_on(text, tmp_path / "b.md", CMD)
