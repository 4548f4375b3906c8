"""The shell says each answer by itself, and its exit code says what to do about it."""

import json
from pathlib import Path

import pytest
import soundfile
from tests.rooms.certificates.test_pki_c2pa import POINT
from tests.rooms.labelling.watermark.sounds import RATE, talk

from safebelt.kernel.errors import Invalid
from safebelt.rooms.labelling.cli import commands
from safebelt.rooms.labelling.model import AXES
from safebelt.web.terminal import Answer


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "point.jpg"
    path.write_bytes(POINT)
    return path


@pytest.fixture
def run(labelling):
    app = commands(labelling)

    def go(*words: object) -> Answer:
        return app([str(word) for word in words], result_action="return_value")

    return go


def test_mark_then_verify_then_audit(run, served, picture, tmp_path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    made = run("mark", picture, "-o", folder / "marked.jpg", "--system", served.id, "--no-explicit")
    found = run("verify", folder / "marked.jpg")
    (folder / "plain.jpg").write_bytes(POINT)

    assert made.exit_code == 0 and set(made.data["put"]) == {"aigc", "c2pa"}
    assert found.exit_code == 0
    assert set(found.data[0]) >= {"file", "axes", "aigc", "sentence"}
    assert set(found.data[0]["axes"]) == {axis.value for axis in AXES}
    assert found.data[0]["aigc"]["Label"] == "1"
    report = run("audit", folder)
    assert report.exit_code == 0
    assert report.data["marked"] == 1 and report.data["without_a_mark"] == ["plain.jpg"]
    assert run("audit", folder, "--publish").exit_code == 1
    json.dumps(report.data)


def test_a_mark_that_had_to_be_left_out_is_said_and_exits_3(run, certificates, picture, tmp_path) -> None:
    made = run("mark", picture, "-o", tmp_path / "out.jpg")

    assert made.exit_code == 3
    assert set(made.data["left_out"]) == {"c2pa", "explicit"}


def test_recorded_words_are_put_before_a_sound_and_before_nothing_else(run, certificates, picture, tmp_path) -> None:
    for name, seconds, seed in (("words.wav", 2.4, 3), ("a.wav", 3.0, 1)):
        soundfile.write(tmp_path / name, talk(seconds, seed=seed), RATE)
    said = "--no-explicit", "--spoken", tmp_path / "words.wav"
    made = run("mark", tmp_path / "a.wav", "-o", tmp_path / "b.wav", *said)

    assert made.data["put"]["explicit"] == "spoken notice: beginning"
    with pytest.raises(Invalid, match="Only a sound"):
        run("mark", picture, "-o", tmp_path / "b.jpg", *said)


def test_a_label_without_a_provider_code_is_said_to_be_incomplete_with_what_to_do(
    run, labelling, picture, tmp_path
) -> None:
    whole = run("mark", picture, "-o", tmp_path / "whole.jpg")
    labelling.provider_code = ""
    made = run("mark", picture, "-o", tmp_path / "out.jpg")

    says = made.data["label"].pop("says")
    assert made.data["label"] == {"status": "incomplete", "missing": ["ContentProducer"]}
    assert "SAFEBELT_PROVIDER_CODE" in made.says.en and "SAFEBELT_PROVIDER_CODE" in made.says.zh
    assert says["en"] in made.says.en and says["zh"] in made.says.zh
    assert "exits 1" in says["en"] and run("verify", tmp_path / "out.jpg").exit_code == 1
    assert run("verify", tmp_path / "whole.jpg").exit_code == 0
    assert "label" not in whole.data and "SAFEBELT_PROVIDER_CODE" not in whole.says.en


def test_a_changed_file_exits_1_and_an_unmarked_one_3(run, served, picture, tmp_path) -> None:
    run("mark", picture, "-o", tmp_path / "m.jpg", "--system", served.id)
    data = bytearray((tmp_path / "m.jpg").read_bytes())
    data[-3] ^= 1
    (tmp_path / "m.jpg").write_bytes(data)

    assert run("verify", tmp_path / "m.jpg").exit_code == 1
    assert run("verify", picture).exit_code == 3


def test_an_empty_folder_is_nothing_to_check(run, certificates, tmp_path) -> None:
    (tmp_path / "empty").mkdir()

    assert run("audit", tmp_path / "empty").exit_code == 3


@pytest.mark.parametrize("regime", [",", "us", "cn,xx"])
def test_a_regime_nobody_knows_is_refused(run, certificates, picture, tmp_path, regime) -> None:
    with pytest.raises(Invalid, match="regime"):
        run("mark", picture, "-o", tmp_path / "out.jpg", "--regime", regime)


def test_the_formats_are_listed_with_what_they_carry(run, certificates) -> None:
    rows = {row["format"]: row for row in run("formats").data}

    assert rows["jpg"]["c2pa"] == "write" and rows["docx"]["c2pa"] == "read" and rows["mkv"]["c2pa"] == "none"


def test_an_audit_reads_a_label_beside_with_its_file_and_not_as_one_more(run, certificates, tmp_path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    (tmp_path / "a.txt").write_text("x", "utf-8")
    run("mark", tmp_path / "a.txt", "-o", folder / "a.txt")
    (folder / "alone.aigc.json").write_text("{}", "utf-8")

    report = run("audit", folder)

    assert report.data["files"] == 2 and report.data["marked"] == 1
