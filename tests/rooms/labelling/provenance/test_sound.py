"""Sound in its own format: other samples go in, and what the file says of itself stays."""

import io
import random

import numpy as np
import pytest
import soundfile
from tests.rooms.labelling.watermark.sounds import RATE, talk

from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of, sniff
from safebelt.rooms.labelling.provenance import sound

LABEL = '{"Label":"1","ProduceID":"mrk_1"}'
FORMS = [
    (Kind.WAV, "PCM_16"),
    (Kind.WAV, "PCM_U8"),
    (Kind.WAV, "FLOAT"),
    (Kind.FLAC, "PCM_24"),
    (Kind.MP3, "MPEG_LAYER_III"),
    (Kind.OGG, "VORBIS"),
    (Kind.OPUS, "OPUS"),
]


def _file(kind, subtype, samples, *, is_labelled=True):
    out = io.BytesIO()
    container = "OGG" if kind in (Kind.OGG, Kind.OPUS) else kind.name
    soundfile.write(out, samples, RATE, subtype=subtype, format=container)
    data = out.getvalue()
    return applied(data, carrier_of(kind).write(data, LABEL)) if is_labelled else data


def _louder(data, kind, by):
    with sound.Opened(data, kind) as opened:
        sound.hold_writable(opened, data)
        return sound.encoded((block * by for block in opened.blocks()), opened, data, kind)


def _samples(data, kind):
    with sound.Opened(data, kind) as opened:
        return np.concatenate(list(opened.blocks())), opened.sound


@pytest.mark.parametrize(("kind", "subtype"), FORMS, ids=[f"{kind}-{subtype}" for kind, subtype in FORMS])
@pytest.mark.parametrize("channels", [1, 2])
def test_other_samples_go_in_and_format_settings_and_tags_stay(kind, subtype, channels):
    plain = np.repeat(talk(1.5, seed=3)[:, None], channels, axis=1)
    data = _file(kind, subtype, plain)

    made = _louder(data, kind, 0.5)

    before, was = _samples(data, kind)
    after, now = _samples(made, kind)
    assert sniff(made) is kind
    assert [one.value for one in carrier_of(kind).read(made)] == [LABEL]
    assert (now.rate, now.channels) == (was.rate, was.channels)
    assert abs(len(after) - len(before)) <= 2400  # an encoder of frames may fill its last one
    power = [float((one[: len(after)] ** 2).mean()) for one in (before, after)]
    assert power[1] / power[0] == pytest.approx(0.25, rel=0.1)


def test_wave_files_keep_every_other_chunk_and_what_stands_behind_them():
    data = _file(Kind.WAV, "PCM_16", talk(0.5, seed=3))
    odd = data[:12] + b"bext\x03\x00\x00\x00abc\x00" + data[12:]
    odd = odd[:4] + (len(odd) - 8).to_bytes(4, "little") + odd[8:] + b"behind"

    made = _louder(odd, Kind.WAV, 1.0)

    assert made == odd


def test_a_form_that_would_come_out_as_less_is_refused():
    data = _file(Kind.WAV, "IMA_ADPCM", talk(0.5, seed=3), is_labelled=False)

    with pytest.raises(Unwritable, match="IMA_ADPCM"):
        _louder(data, Kind.WAV, 1.0)


def test_a_torn_file_does_not_pass_for_the_whole():
    data = _file(Kind.FLAC, "PCM_16", talk(3.0, seed=3))

    with pytest.raises(Broken):
        _louder(data[: len(data) // 2], Kind.FLAC, 1.0)


def test_an_ogg_file_of_two_streams_loses_neither():
    data = _file(Kind.OGG, "VORBIS", talk(0.5, seed=3))

    with pytest.raises(Unwritable, match="several streams"):
        _louder(data + data, Kind.OGG, 1.0)


@pytest.mark.parametrize("rate", [1, 20, 4_000_000])
def test_sample_rates_that_no_sound_has_are_broken(rate):
    data = bytearray(_file(Kind.WAV, "PCM_16", talk(0.5, seed=3), is_labelled=False))
    data[24:28] = rate.to_bytes(4, "little")

    with pytest.raises(Broken):
        sound.Opened(bytes(data), Kind.WAV)


def test_a_long_sound_is_listened_to_in_windows_spread_over_it():
    data = _file(Kind.FLAC, "PCM_16", np.arange(20 * RATE) / (20 * RATE))

    with sound.Opened(data, Kind.FLAC) as opened:
        windows = list(opened.windows(1.0, 5))

    assert [round(second) for second, _ in windows] == [0, 4, 8, 12, 16]
    assert all(round(20 * float(part[0, 0])) == round(second) for second, part in windows)


@pytest.mark.parametrize(("kind", "subtype"), FORMS[3:] + FORMS[:1], ids=str)
def test_damaged_files_are_broken_or_unwritable_and_nothing_else(kind, subtype):
    data = _file(kind, subtype, talk(0.4, seed=3))
    rng = random.Random(kind.value)
    ends = 0
    for _ in range(60):
        worse = bytearray(data[: rng.randrange(4, len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.randrange(1, 12)):
            worse[rng.randrange(min(len(worse), 400) if rng.random() < 0.6 else len(worse))] = rng.randrange(256)
        try:
            _louder(bytes(worse), kind, 0.9)
        except (Broken, Unwritable):
            ends += 1
    assert ends > 0
