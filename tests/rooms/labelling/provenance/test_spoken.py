"""A notice that somebody recorded stands before a sound, if it can be heard as one; what cannot is turned away."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from tests.rooms.labelling.watermark.sounds import RATE, chords, talk

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.provenance import spoken
from safebelt.rooms.labelling.service import MarkFile

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
WORDS = talk(2.4, seed=3)
"""Stands for a voice: what a recording says is not judged, only how it is heard."""


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.wav"
    soundfile.write(path, WORDS, RATE)
    return path


def wish(words) -> MarkFile:
    return MarkFile(marks=frozenset({Mark.EXPLICIT, Mark.AIGC}), spoken=words)


def alike(one, other) -> float:
    """Return how alike two sounds are: the correlation at the best of all shifts, as codecs delay."""
    size = len(one) + len(other)
    found = np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size).conj(), size)
    return float(found.max() / np.sqrt(np.square(one).sum() * np.square(other).sum()))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.opus"])
def test_recorded_words_stand_before_a_sound_in_the_rhythms_place(
    labelling, certificates, tmp_path, words, name
) -> None:
    rate, music = 48_000, np.repeat(chords(5.0, seed=2, rate=48_000)[:, None], 2, axis=1)
    source, out = tmp_path / name, tmp_path / f"marked-{name}"
    soundfile.write(source, music, rate, **({"format": "OGG", "subtype": "OPUS"} if name == "a.opus" else {}))
    before, _ = soundfile.read(source)

    made = labelling.mark(source, out, wish(words), by=OWNER)
    samples, new_rate = soundfile.read(out)
    start = samples[: round(2.4 * rate), 0]

    assert made.put[Mark.EXPLICIT] == "spoken notice: beginning"
    assert new_rate == rate and abs(len(samples) - len(before) - round(2.9 * rate)) < 0.1 * rate
    assert alike(start, spoken.recorded(words).played(rate, 1)[:, 0]) > 0.9
    assert alike(start, before[: len(start), 0]) < 0.5
    assert labelling.verify(out).axes[Axis.AIGC].verdict is Verdict.OK


@needs_ffmpeg
def test_words_stand_before_aac_too(labelling, certificates, tmp_path, words) -> None:
    source, out, heard = tmp_path / "a.m4a", tmp_path / "b.m4a", tmp_path / "b.wav"
    soundfile.write(tmp_path / "a.wav", chords(5.0, seed=2), RATE)
    for one, other in ((tmp_path / "a.wav", source), (out, heard)):
        if other is heard:
            made = labelling.mark(source, out, wish(words), by=OWNER)
        subprocess.run(["ffmpeg", "-y", "-v", "error", "-nostdin", "-i", str(one), str(other)], check=True)
    samples, rate = soundfile.read(heard)

    assert made.put[Mark.EXPLICIT] == "spoken notice: beginning"
    assert alike(samples[: round(2.4 * rate)], WORDS) > 0.9


def tone(seconds: float, peak: float) -> np.ndarray:
    return peak * np.sin(2 * np.pi * 300 * np.arange(round(seconds * RATE)) / RATE)


BAD = {
    "silence": (np.zeros(3 * RATE), "can be heard"),
    "a second": (tone(1.0, 0.3), "lasts 1.0 s"),
    "half a minute": (tone(30.0, 0.3), "lasts 30.0 s"),
    "words in a long silence": (np.concatenate([np.zeros(5 * RATE), tone(0.6, 0.3)]), "0.6 s of it"),
    "a whisper": (tone(3.0, 0.02), "too soft"),
    "distorted": (np.clip(tone(3.0, 4.0), -1, 1), "clipped"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_cannot_be_heard_as_a_notice_is_turned_away_with_why(labelling, certificates, tmp_path, fault) -> None:
    samples, why = BAD[fault]
    path, source, out = (tmp_path / one for one in ("words.wav", "a.wav", "b.wav"))
    soundfile.write(path, samples, RATE)
    soundfile.write(source, chords(5.0, seed=2), RATE)

    with pytest.raises(Invalid) as problem:
        labelling.mark(source, out, wish(path), by=OWNER)

    assert why in problem.value.in_("en") and not out.exists()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound", b"RIFF\x10\0\0\0WAVEfmt "])
def test_what_is_no_wav_file_is_turned_away(tmp_path, content) -> None:
    (path := tmp_path / "words.wav").write_bytes(content)

    with pytest.raises(Invalid, match="WAV"):
        spoken.recorded(path)
    with pytest.raises(Invalid, match="read"):
        spoken.recorded(tmp_path / "none.wav")


def test_a_picture_takes_no_words(labelling, certificates, tmp_path, words) -> None:
    from tests.rooms.certificates.test_pki_c2pa import POINT

    (source := tmp_path / "a.jpg").write_bytes(POINT)

    with pytest.raises(Invalid, match="Only a sound"):
        labelling.mark(source, tmp_path / "b.jpg", wish(words), by=OWNER)


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
def test_another_rate_keeps_pitch_length_and_loudness(rate) -> None:
    made = spoken.Spoken(tone(2.0, 0.3).astype(np.float32), RATE).played(rate, 2)
    sound = made[: 2 * rate, 0]

    assert made.shape == (round(2.5 * rate), 2)
    assert abs(np.abs(np.fft.rfft(sound)).argmax() / 2 - 300) < 1
    assert abs(np.abs(sound[rate // 2 : rate]).max() - 0.3) < 0.01
