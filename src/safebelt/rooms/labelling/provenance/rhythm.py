"""The rhythm that says *AI* in sound: short long, short short (GB 45438-2025 5.3), put before a sound, and heard again.

It is Morse code for the letters A and I, in the lengths of ITU-R M.1677-1: a dash is three dots, the gap within a
letter one dot, between letters three.  The standard gives the rhythm and asks that it be clearly heard; pitch, tempo
and loudness are our choice.
"""

import numpy as np
from numpy.typing import NDArray

DOT_SECONDS = 0.15
"""8 words a minute: slow enough that long and short are told apart by who knows no Morse code."""
TONE_HERTZ = 800.0
"""Passes every telephone, and is where small loudspeakers still sound."""
LEVEL = 0.25
"""Peak of the tone, -12 dB of full scale: speech has about that in its loud syllables (ITU-T P.56: -26 dBov on the
whole, peaks 12 to 15 dB above)."""
_RHYTHM = ((1, 1), (3, 3), (1, 1), (1, 4))
"""Dots of tone, then of silence: the last pause is before the sound begins."""
_RAMP_SECONDS = 0.01  # a tone that is switched on at once clicks
HEARD_SECONDS = 8.0
"""Beginning of a sound in which the rhythm is looked for."""
_FRAME_SECONDS = 0.02
_PURE = 0.6
"""Part of a tone's power within two lines of its strongest: speech and music have less."""
_QUIET = 0.1
"""Power of a pause over that of the tones: 10 dB below is heard as one."""
_UNSURE = 0.3
"""How far a length may be from its number of dots, in dots: other makers' timing, and frames of 20 ms."""
_TONES = 4
"""Pitches that are tried: those that the most frames have."""
_DOTS = np.array([1.0, 1.0, 3.0, 3.0, 1.0, 1.0, 1.0])
"""Tones and the pauses between them, in dots."""
_DOT_SECONDS = (0.06, 0.4)
"""Shortest and longest dot that is taken for one: 20 to 3 words a minute."""

Samples = NDArray[np.float32]


def played(rate: int, channels: int) -> Samples:
    """Return the rhythm as samples.

    Args:
        rate: Samples each second.
        channels: How many; all alike.
    """
    pieces = list[NDArray[np.float64]]()
    for tone, pause in _RHYTHM:
        seconds = np.arange(round(tone * DOT_SECONDS * rate)) / rate
        ramp = np.minimum(1.0, np.minimum(seconds, seconds[::-1]) / _RAMP_SECONDS)
        pieces += [LEVEL * ramp * np.sin(2 * np.pi * TONE_HERTZ * seconds), np.zeros(round(pause * DOT_SECONDS * rate))]
    return np.repeat(np.concatenate(pieces).astype(np.float32)[:, None], channels, axis=1)


def is_heard(samples: Samples, rate: int) -> bool:
    """Return whether the beginning of a sound holds the rhythm, in any pitch and tempo.

    Args:
        samples: The first `HEARD_SECONDS`, shape (length, channels).
        rate: Samples each second.
    """
    size = round(_FRAME_SECONDS * rate)
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    count = len(mono) // size
    if count < 2 or not np.isfinite(mono).all():
        return False
    frames = mono[: count * size].reshape(count, size) * np.hanning(size + 2)[1:-1]
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    total, line, is_pure = _described(power)
    usual = np.bincount(line[is_pure], minlength=1).argsort()[::-1][:_TONES]
    return any(_has_rhythm(total, is_pure & (np.abs(line - one) <= 1)) for one in usual if one > 0)


def _described(power: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return of each frame its power, its strongest line, and whether it is a tone."""
    total, line = power.sum(axis=1), power.argmax(axis=1)
    near = np.abs(np.arange(power.shape[1]) - line[:, None]) <= 2
    return total, line, (np.where(near, power, 0.0).sum(axis=1) > _PURE * total) & (total > 0)


def _has_rhythm(total: NDArray[np.float64], is_tone: NDArray[np.bool_]) -> bool:
    """Return whether frames with one tone, and those that are quiet beside it, follow each other as the rhythm does."""
    if not is_tone.any():
        return False
    quiet = _QUIET * float(np.percentile(total[is_tone], 75))  # codecs let a tone ring on, softly: that is a pause
    is_tone, is_pause = is_tone & (total > quiet), total <= quiet
    said = np.where(is_tone, 1, np.where(is_pause, 0, -1))
    ends = np.flatnonzero(np.diff(said)) + 1
    starts = np.concatenate([[0], ends])
    lengths = np.diff(np.concatenate([starts, [len(said)]]))
    kinds = said[starts]
    return any(_is_rhythm(kinds[at : at + 7], lengths[at : at + 7]) for at in range(len(kinds) - 6))


def _is_rhythm(kinds: NDArray[np.int64], lengths: NDArray[np.int64]) -> bool:
    """Return whether runs of frames, 1 for tone and 0 for pause, have the rhythm's lengths."""
    if (kinds != np.array([1, 0, 1, 0, 1, 0, 1])).any():
        return False
    dot = float(lengths.sum() / _DOTS.sum())
    is_in_time = bool((np.abs(lengths / dot - _DOTS) <= max(_UNSURE, 1.5 / dot) + 0.1 * _DOTS).all())
    return is_in_time and _DOT_SECONDS[0] <= dot * _FRAME_SECONDS <= _DOT_SECONDS[1]
