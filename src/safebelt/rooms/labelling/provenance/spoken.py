"""A spoken notice that an operator recorded: held to be heard, and played before a sound as the rhythm is.

GB 45438-2025 5.3 takes words or the rhythm.  What a recording says cannot be judged here: its length, that somebody
speaks for long enough, and how loud, can be.  Four characters (AI 生成) at the 160 a minute that note 4 names as the
quickest take 1.5 seconds.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.provenance.sound import Opened

SECONDS = 1.5, 20.0
"""Shortest and longest recording."""
LEAST_HEARD_SECONDS = 1.0
"""Of sound in it: the words without their pauses."""
LOUDNESS = -32.0
"""Least power of what is heard, in dB of full scale: 6 dB below the nominal level of speech (ITU-T P.56: -26 dBov)."""
MAX_BYTES = 32 << 20
_HEARD = -45.0  # dB of full scale above which a frame of 20 ms is sound, not the room's noise
_FRAME_SECONDS, _PAUSE_SECONDS = 0.02, 0.5
_CLIPPED, _MOST_CLIPPED = 0.999, 0.001  # of full scale; part of the samples

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recorded notice.

    Attributes:
        samples: One channel.
        rate: Samples each second.
    """

    samples: Samples
    rate: int

    def played(self, rate: int, channels: int) -> Samples:
        """Return it as samples of another rate, all channels alike, with a pause behind it.

        Args:
            rate: Samples each second.
            channels: How many.
        """
        made = self.samples if rate == self.rate else _resampled(self.samples, self.rate, rate)
        whole = np.concatenate([made, np.zeros(round(_PAUSE_SECONDS * rate), dtype=np.float32)])
        return np.repeat(whole[:, None], channels, axis=1)


def recorded(path: Path) -> Spoken:
    """Return the notice in a file.

    Args:
        path: A WAV file.

    Raises:
        Invalid: It is none, or cannot be heard as a notice, with why.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES or data[:4] != b"RIFF":
            raise Broken("no WAV file of at most 32 MiB")
        with Opened(data, Kind.WAV) as opened:
            if not SECONDS[0] <= opened.sound.seconds <= SECONDS[1]:
                raise _no(
                    f"时长 {opened.sound.seconds:.1f} 秒，应在 {SECONDS[0]} 至 {SECONDS[1]:.0f} 秒之间",
                    f"it lasts {opened.sound.seconds:.1f} s, and should between {SECONDS[0]} and {SECONDS[1]:.0f} s",
                )
            samples = np.concatenate(list(opened.blocks())).mean(axis=1)
            made = Spoken(samples.astype(np.float32), opened.sound.rate)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _no(f"无法读取：{why}", f"it cannot be read: {why}") from error
    except Broken as broken:
        raise _no(f"不是可用的 WAV 文件：{broken}", f"it is no WAV file that can be used: {broken}") from broken
    _hold_heard(made)
    return made


def _hold_heard(made: Spoken) -> None:
    """Hold that somebody can be heard in it, long and loud enough, and not distorted."""
    size = round(_FRAME_SECONDS * made.rate)
    frames = made.samples[: len(made.samples) // size * size].reshape(-1, size).astype(np.float64)
    power = (frames**2).mean(axis=1)
    is_heard = power > 10 ** (_HEARD / 10)
    seconds = float(is_heard.sum()) * _FRAME_SECONDS
    if seconds < LEAST_HEARD_SECONDS:
        raise _no(
            f"只有 {seconds:.1f} 秒听得到声音，至少应有 {LEAST_HEARD_SECONDS} 秒",
            f"only {seconds:.1f} s of it can be heard, and {LEAST_HEARD_SECONDS} s should be",
        )
    level = 10 * float(np.log10(power[is_heard].mean()))
    if level < LOUDNESS:
        raise _no(
            f"音量 {level:.0f} dBFS，低于 {LOUDNESS:.0f} dBFS",
            f"it is too soft: {level:.0f} dB of full scale, and {LOUDNESS:.0f} or more should be",
        )
    if float((np.abs(made.samples) >= _CLIPPED).mean()) > _MOST_CLIPPED:
        raise _no("录音削波失真", "it is distorted: the recording was clipped")


def _resampled(samples: Samples, old: int, new: int) -> Samples:
    """Return a short sound at another rate: its spectrum, cut or filled up with nothing."""
    count = round(len(samples) * new / old)
    spectrum = np.fft.rfft(samples.astype(np.float64))
    kept = np.zeros(count // 2 + 1, dtype=np.complex128)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    made: Samples = (np.fft.irfft(kept, n=count) * (count / len(samples))).astype(np.float32)
    return made


def _no(zh: str, en: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"这段录音不能用作语音提示：{zh}。", en=f"This recording cannot be a spoken notice: {en}."),
        hint=Text(
            zh="请录一段 WAV：清楚地说出“人工智能”或“AI”，以及“生成”或“合成”，每分钟 120 至 160 字。",
            en="Record a WAV that clearly says both, AI or artificial intelligence, and generated or synthesised, at a "
            "usual pace (in Chinese 120 to 160 characters a minute).",
        ),
        details={"field": "spoken"},
    )
