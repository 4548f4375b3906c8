"""Every carrier of sound, film and boxed pictures: one label in its place, and all else as it was."""

import json
import mmap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.labelling.formats.media import (
    LABEL,
    LONGER,
    SAMPLES,
    carrier,
    decoded,
    exiftool,
    label,
    labelled,
    mutations,
    needs_exiftool,
    needs_ffmpeg,
    outcome,
    sample,
)

from safebelt.rooms.labelling.formats import kinds
from safebelt.rooms.labelling.formats.carrier import MAX_LABEL_BYTES, Broken, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.formats.values import as_line

SHOWN = label("x" * 30)
"""A label whose number is seen in the base64 of unknown bytes too, and that ffmpeg prints whole (255 characters)."""
QUICK = ("a.wav", "a.avi", "end.mp4", "front.mp4", "frag.mp4", "a.mkv", "front.mkv", "live.webm", "index.flv", "three.mp3",
         "a.flac", "a.ogg", "alpha.webp", "xmp.avif")  # fmt: skip
NO_TAGS_IN_FFMPEG = ("wav", "webp", "avif")
"""Formats whose label ffmpeg does not show: a chunk of its own, and XMP."""
NOT_IN_EXIFTOOL = ("a.mkv", "a.webm", "live.webm")
"""Tags at the end of a Matroska file, which exiftool does not go to."""


def _in_turn() -> list[object]:
    """One file of each way to write; the others too where there is time."""
    decoded_ = [name for name in SAMPLES if name not in ("anim.webp", "anim.avif")]  # which this ffmpeg does not decode
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.soak) for name in decoded_]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_without_a_label_has_none_and_with_one_has_just_that(name) -> None:
    assert carrier(name).read(sample(name)) == []

    made = labelled(sample(name), carrier(name))

    found = carrier(name).read(made)[0]
    assert found.at is not None
    assert b"rec_1" in made[found.at : found.at + found.length]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_label_is_replaced_by_a_longer_and_by_a_shorter_one(name) -> None:
    made = labelled(sample(name), carrier(name))

    for value in (LONGER, label("r"), LABEL, label("x" * 300)):
        made = labelled(made, carrier(name), value)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mapped_file_reads_and_writes_as_one_in_memory(name, tmp_path) -> None:
    data, by = labelled(sample(name), carrier(name)), carrier(name)
    (tmp_path / "file").write_bytes(data)

    with (tmp_path / "file").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert by.read(mapped) == by.read(data)
        assert applied(mapped, by.write(mapped, LONGER)) == applied(data, by.write(data, LONGER))


@needs_ffmpeg
@pytest.mark.parametrize("name", _in_turn())
def test_every_frame_decodes_to_the_same_bits_and_ffmpeg_reads_the_label(name, tmp_path) -> None:
    old, new = tmp_path / f"old-{name}", tmp_path / name
    old.write_bytes(sample(name))
    new.write_bytes(labelled(sample(name), carrier(name), SHOWN))

    before, after = decoded(old, new)

    assert after.frames == before.frames
    assert sum(map(len, before.frames))
    assert (SHOWN in after.says) == (new.suffix[1:] not in NO_TAGS_IN_FFMPEG)
    assert SHOWN not in before.says
    assert after.says.count("Kept") == before.says.count("Kept")


@needs_exiftool
def test_exiftool_reads_the_label_of_every_file_and_warns_of_nothing_it_did_not_warn_of_before(tmp_path) -> None:
    for name in SAMPLES:
        (tmp_path / name).write_bytes(labelled(sample(name), carrier(name), SHOWN))
        (tmp_path / f"before-{name}").write_bytes(sample(name))

    seen = exiftool(*(tmp_path / one for name in SAMPLES for one in (name, f"before-{name}")))

    for name in SAMPLES:
        assert _shows(seen[name]) == (name not in NOT_IN_EXIFTOOL), name
        assert not _shows(seen[f"before-{name}"])
        assert ("Warning" in seen[name]) <= ("Warning" in seen[f"before-{name}"]), seen[name]


def _shows(said: str) -> bool:
    """Whether the label's number is shown, as text or as the bytes of a chunk that is not known."""
    return "x" * 30 in said or "eHh4" * 9 in said


def test_a_label_of_the_longest_kind_fits_everywhere_and_a_longer_one_is_refused() -> None:
    longest = label("x" * (MAX_LABEL_BYTES - len(LABEL) + len("rec_1")))

    for name in SAMPLES:
        labelled(sample(name), carrier(name), longest)
        for wrong in (longest + " " * 1 + "x", '{"Label":\n"1"}'):
            with pytest.raises(Unwritable):
                carrier(name).write(sample(name), wrong)


ONE_OF_EACH = ("a.wav", "a.avi", "front.mp4", "a.mkv", "a.flv", "three.mp3", "four.mp3", "a.flac", "a.ogg", "a.opus",
               "lossy.webp", "xmp.avif")  # fmt: skip


@pytest.mark.parametrize("name", ONE_OF_EACH)
@given(
    fields=st.dictionaries(st.sampled_from(["Label", "ProduceID", "ReservedCode1"]), st.text(max_size=300), min_size=1)
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_label_is_read_as_it_was_written(name, fields) -> None:
    value = json.dumps(fields, ensure_ascii=False)
    for control in (*map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"):
        value = value.replace(control, "")

    made = applied(sample(name), carrier(name).write(sample(name), value))

    assert [found.value for found in carrier(name).read(made)] == [as_line(value)]


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_no_beginning_of_a_file_is_taken_for_more_than_broken(name) -> None:
    data = labelled(sample(name), carrier(name))

    for end in sorted({*range(0, min(len(data), 600), 7), len(data) // 2, len(data) - 1}):
        try:
            carrier(name).read(data[:end])
            carrier(name).write(data[:end], LABEL)
        except (Broken, Unwritable):
            continue


def _trial(seed: int, count: int) -> set[str]:
    seen = set[str]()
    for number, name in enumerate(SAMPLES):
        by = carrier(name)
        files = [sample(name), labelled(sample(name), by), sample(SAMPLES[number - 1])]
        seen |= {outcome(data, by) for data in mutations(seed + number, count, files)}
    return seen


def test_mutated_files_are_broken_unwritable_or_come_out_with_one_label() -> None:
    assert _trial(1, 25) == {"broken", "unwritable", "labelled"}


def test_a_general_brand_is_told_apart_by_the_compatible_ones_and_bw64_is_a_wav() -> None:
    def brands(*names: bytes) -> bytes:
        body = b"ftyp" + names[0] + bytes(4) + b"".join(names)
        return (len(body) + 4).to_bytes(4) + body

    assert kinds.sniff(brands(b"mif1", b"avif", b"miaf")) is Kind.AVIF
    assert kinds.sniff(brands(b"mif1", b"heic")) is Kind.HEIC
    assert kinds.sniff(brands(b"msf1", b"avis")) is Kind.AVIF
    assert kinds.sniff(brands(b"isom", b"mp41")) is Kind.MP4
    assert kinds.sniff(b"BW64" + sample("rf64.wav")[4:]) is Kind.WAV
    labelled(b"BW64" + sample("rf64.wav")[4:], carrier("rf64.wav"))


@pytest.mark.soak
def test_twelve_thousand_mutated_files_are_broken_unwritable_or_come_out_with_one_label() -> None:
    assert _trial(1_000, 400) == {"broken", "unwritable", "labelled"}
