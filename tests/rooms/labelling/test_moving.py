"""Sound and films are marked in what is heard and seen, and found again when everything else is lost."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from tests.rooms.labelling.watermark.pictures import photograph
from tests.rooms.labelling.watermark.sounds import RATE, talk

from safebelt.kernel.actors import OWNER
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.service import MarkFile

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
EVERY = frozenset(Mark)


@pytest.fixture
def speech(tmp_path) -> Path:
    path = tmp_path / "speech.wav"
    soundfile.write(path, talk(7.0, seed=6), RATE)
    return path


@pytest.fixture
def film(tmp_path) -> Path:
    """Three and a half seconds, a pan over a photograph, with sound."""
    scene = cv2.resize(photograph("china.jpg"), None, fx=1.2, fy=1.2, interpolation=cv2.INTER_CUBIC)
    frames = [np.ascontiguousarray(scene[2 * i :][:352, 3 * i :][:, :480]) for i in range(42)]
    path, tone = tmp_path / "film.mp4", tmp_path / "tone.wav"
    soundfile.write(tone, talk(3.5, seed=6), RATE)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "480x352", "-r", "12", "-i", "pipe:0", "-i", str(tone)]
    how = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    _ffmpeg(*raw, *how, "-metadata", "title=A pan", str(path), sent=b"".join(one.tobytes() for one in frames))
    return path


def _ffmpeg(*arguments: str, sent: bytes | None = None) -> bytes:
    command = ["ffmpeg", "-y", "-v", "error", *([] if sent else ["-nostdin"]), *arguments]
    return subprocess.run(command, input=sent, capture_output=True, check=True).stdout


def _verdicts(found, *axes):
    return [found.axes[axis].verdict for axis in axes]


def test_speech_carries_every_mark_and_its_id_when_only_the_sound_is_left(labelling, served, speech) -> None:
    marked, copy = speech.with_name("marked.wav"), speech.with_name("copy.flac")
    made = labelling.mark(speech, marked, MarkFile(system_id=served.id, marks=EVERY), by=OWNER)
    samples, _ = soundfile.read(marked)
    soundfile.write(copy, samples[5 * RATE // 2 :] * 0.4, RATE)  # without the rhythm, softer, in another format

    whole, left = labelling.verify(marked), labelling.verify(copy)

    assert set(made.put) == EVERY and made.put[Mark.EXPLICIT] == "rhythm: beginning"
    assert _verdicts(whole, Axis.EXPLICIT, Axis.WATERMARK, Axis.C2PA) == [Verdict.OK] * 3
    assert _verdicts(left, Axis.WATERMARK, Axis.AIGC) == [Verdict.OK, Verdict.ABSENT]
    assert _verdicts(left, Axis.EXPLICIT) == [Verdict.UNKNOWN]  # somebody may say it in words
    assert _verdicts(labelling.verify(speech), Axis.WATERMARK) == [Verdict.ABSENT]


def test_the_rhythm_is_put_once(labelling, certificates, speech) -> None:
    once, twice = speech.with_name("once.wav"), speech.with_name("twice.wav")
    wish = MarkFile(marks=frozenset({Mark.EXPLICIT}))

    labelling.mark(speech, once, wish, by=OWNER)
    labelling.mark(once, twice, wish, by=OWNER)

    assert soundfile.info(once).frames > soundfile.info(speech).frames
    assert soundfile.info(twice).frames == soundfile.info(once).frames


def test_a_sound_too_short_for_an_id_says_so_and_keeps_its_samples(labelling, certificates, tmp_path) -> None:
    short, marked = tmp_path / "short.wav", tmp_path / "marked.wav"
    soundfile.write(short, talk(0.8, seed=6), RATE)

    made = labelling.mark(short, marked, MarkFile(marks=frozenset({Mark.AIGC, Mark.WATERMARK})), by=OWNER)

    assert set(made.put) == {Mark.AIGC}
    assert "read back" in made.left_out[Mark.WATERMARK].en
    assert np.array_equal(soundfile.read(short)[0], soundfile.read(marked)[0])


@needs_ffmpeg
def test_a_film_shows_the_notice_from_its_first_frame_and_carries_its_id_after_half_the_size(
    labelling, served, film
) -> None:
    marked, copy = film.with_name("marked.mp4"), film.with_name("copy.mkv")
    made = labelling.mark(film, marked, MarkFile(system_id=served.id, marks=EVERY, lang="zh"), by=OWNER)
    _ffmpeg("-i", str(marked), "-map_metadata", "-1", "-vf", "scale=iw*2/3:-2", "-crf", "24", "-an", str(copy))

    whole, left = labelling.verify(marked), labelling.verify(copy)

    assert set(made.put) == EVERY, made.left_out
    assert _verdicts(whole, Axis.WATERMARK, Axis.C2PA, Axis.AIGC) == [Verdict.OK] * 3
    assert _verdicts(left, Axis.WATERMARK, Axis.AIGC) == [Verdict.OK, Verdict.ABSENT]
    assert _sound(marked) == _sound(film)
    changed = [_changed(film, marked, frame) for frame in (0, 24, 35, 37, 41)]
    assert min(changed[:3]) >= 0.05 * 352 and max(changed[3:]) == 0  # three seconds of twelve frames


@needs_ffmpeg
@pytest.mark.soak
def test_sound_in_mp4_is_marked_too(labelling, certificates, speech) -> None:
    source, marked = speech.with_name("in.m4a"), speech.with_name("out.m4a")
    _ffmpeg("-i", str(speech), "-c:a", "aac", "-b:a", "64k", str(source))

    made = labelling.mark(source, marked, MarkFile(marks=EVERY - {Mark.C2PA}), by=OWNER)

    assert set(made.put) == EVERY - {Mark.C2PA}
    assert _verdicts(labelling.verify(marked), Axis.EXPLICIT, Axis.WATERMARK) == [Verdict.OK] * 2


@needs_ffmpeg
def test_without_the_program_films_keep_their_pictures_and_it_is_said_why(
    labelling, certificates, film, monkeypatch
) -> None:
    marked = film.with_name("marked.mp4")
    monkeypatch.setenv("PATH", str(film.parent))

    made = labelling.mark(film, marked, MarkFile(marks=EVERY), by=OWNER)

    assert set(made.put) == {Mark.AIGC}
    assert "ffmpeg" in made.left_out[Mark.WATERMARK].en and "ffmpeg" in made.left_out[Mark.EXPLICIT].zh


@needs_ffmpeg
def test_a_film_that_is_none_is_not_looked_into_and_breaks_nothing(labelling, certificates, film, speech) -> None:
    torn = film.with_name("torn.mp4")
    data = bytearray(film.read_bytes())
    data[data.index(b"moov") + 40 : data.index(b"moov") + 400] = bytes(360)
    torn.write_bytes(bytes(data))
    labelling.mark(
        speech, speech.with_name("any.wav"), MarkFile(marks=frozenset({Mark.WATERMARK})), by=OWNER
    )  # makes a key

    assert _verdicts(labelling.verify(torn), Axis.WATERMARK) == [Verdict.UNKNOWN]


def _sound(path: Path) -> bytes:
    """Return the packets of the sound, as they are."""
    return _ffmpeg("-i", str(path), "-map", "0:a", "-c", "copy", "-f", "adts", "pipe:1")


def _changed(before: Path, after: Path, frame: int) -> int:
    """Return over how many rows a frame was changed by more than a codec changes it."""
    shown = []
    for path in (before, after):
        raw = _ffmpeg("-i", str(path), "-vf", f"select=eq(n\\,{frame})", "-vsync", "0", "-f", "rawvideo",
                      "-pix_fmt", "gray", "pipe:1")  # fmt: skip
        shown.append(np.frombuffer(raw, np.uint8).reshape(352, 480).astype(int))
    rows, _ = np.nonzero(np.abs(shown[0] - shown[1]) > 70)
    return int(np.ptp(rows)) + 1 if len(rows) else 0
