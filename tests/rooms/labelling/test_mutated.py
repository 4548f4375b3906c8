"""Whatever is done to a marked file, no answer says *ok* of what no longer holds, and the check comes to its end."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.rooms.labelling.mutated import BINDING, Truth, ended_badly, faults, marked_by, tampered

from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Verdict
from safebelt.rooms.labelling.provenance.manifests import SIGNED_KINDS

FEW = {Kind.JPEG: 3, Kind.PNG: 3, Kind.MP3: 2, Kind.MP4: 2, Kind.PDF: 2, Kind.DOCX: 2, Kind.HTML: 3}


@pytest.fixture
def truth(labelling, served, ledger, tmp_path, request) -> Truth:
    made = marked_by(labelling, served.id, tmp_path, request.param)
    ledger.advance()
    return made


def trial(labelling, truth: Truth, folder, count: int, seed: int) -> tuple[Counter, list[str]]:
    """Check tampered files; return how often each answer was *ok*, and what was wrong."""
    ok, wrong = Counter[str](), list[str]()
    for number, (kind, data) in enumerate(tampered(truth, count, seed)):
        path = folder / f"tampered.{kind.value}"
        path.write_bytes(data)
        found = labelling.verify(path, is_scanned=number % 50 == 0)
        found_wrong = [*faults(found, data, truth), *filter(None, [ended_badly(found)])]
        ok.update(axis.value for axis, one in found.axes.items() if one.verdict is Verdict.OK)
        ok["files"] += 1
        if found_wrong:
            wrong.append(f"{number} of seed {seed} ({kind.value}): {found_wrong}")
            if kept := os.environ.get("SAFEBELT_KEEP"):  # a folder to look at them in
                (Path(kept) / f"{seed}-{number}.{kind.value}").write_bytes(data)
    return ok, wrong


@pytest.mark.parametrize("truth", [FEW], indirect=True)
def test_tampered_files_are_told_from_marked_ones_by_a_check_that_the_judge_can_fault(
    labelling, truth, tmp_path
) -> None:
    hold_marked(labelling, truth, tmp_path)
    hold_judge(labelling, truth, tmp_path)

    ok, wrong = trial(labelling, truth, tmp_path, 200, seed=1)

    assert not wrong
    assert ok["aigc"] > 20  # labels that can still be read are still read: the trial is not about rubbish alone


def hold_marked(labelling, truth: Truth, folder) -> None:
    """What was marked and left alone is *ok* in every answer, and the judge has nothing to say."""
    for kind, files in truth.files.items():
        path = folder / f"file.{kind.value}"
        for number, data in enumerate(files):
            path.write_bytes(data)
            found = labelling.verify(path, is_scanned=False)
            is_signed = number > 0 and kind in SIGNED_KINDS
            assert faults(found, data, truth) == []
            assert all((found.axes[axis].verdict is Verdict.OK) is is_signed for axis in BINDING), kind
            assert found.axes[Axis.LEDGER].verdict is Verdict.OK


def hold_judge(labelling, truth: Truth, folder) -> None:
    """Had a changed file been called good, the judge would say so."""
    data, jpeg = truth.files[Kind.JPEG][1], folder / "good.jpg"
    jpeg.write_bytes(data)
    good = labelling.verify(jpeg, is_scanned=False)
    changed = data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]
    relabelled = replace(good.labels[0], fields={**good.labels[0].fields, "ProduceID": "mrk_other"})
    unsigned = {**good.axes, Axis.SIGNATURE: replace(good.axes[Axis.SIGNATURE], verdict=Verdict.BAD)}

    assert len(faults(good, changed, truth)) == 2  # ledger and binding
    assert faults(replace(good, labels=(relabelled,)), data, truth) == ["a label is signed that nobody signed"]
    assert faults(replace(good, axes=unsigned), data, truth) == ["a signer is vouched for without a signature"]


@pytest.mark.soak
@pytest.mark.parametrize("truth", [dict.fromkeys(Kind, 4)], indirect=True)
def test_ten_thousand_tampered_files_of_every_format_are_told_from_marked_ones(labelling, truth, tmp_path) -> None:
    ok, wrong = trial(labelling, truth, tmp_path, 10_500, seed=20261122)

    print(dict(ok))
    assert not wrong
