"""Sound in MP4 (`.m4a`), which an external ffmpeg decodes and encodes: AAC again as AAC, Apple Lossless as itself.

Tags and the cover are copied as they are.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.provenance import ffmpeg
from safebelt.rooms.labelling.provenance.sound import RATES, WHOLE

MAX_SECONDS = 4 * 3600.0
"""Longest sound that is encoded again."""
MAX_CHANNELS = 8
LOOK_SECONDS = 12.0
"""Longest that ffmpeg may take to give what is listened to."""
_LEAST_KBPS, _SPARE = 32, 1.15
"""Bit rate at least, and over the old one's: a second encoding adds less noise then than the first."""
_START_SECONDS, _SLOWEST = 30.0, 2.0
_BLOCK = 1 << 16
_CODECS = ("aac", "alac")
_MAX_FILE_BYTES = 1 << 30

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A sound as ffprobe describes it.

    Attributes:
        rate, channels, seconds: As of any sound.
        audio: All that is said of it.
    """

    rate: int
    channels: int
    seconds: float
    audio: dict[str, Any]


def probed(path: Path) -> Track:
    """Return what the sound of a file is.

    Raises:
        Unwritable: There is no ffprobe here, or the file has no sound, or more than one.
        Broken: It cannot be read.
    """
    said = ffmpeg.described(path, Kind.M4A)
    tracks = [one for one in said["streams"] if isinstance(one, dict) and one.get("codec_type") == "audio"]
    if len(tracks) != 1:
        raise Unwritable(Text(zh="文件中没有声音，或有多路声音。", en="The file has no sound, or more than one."))
    try:
        rate, channels = int(tracks[0]["sample_rate"]), int(tracks[0]["channels"])
        seconds = float((said.get("format") or {}).get("duration") or 0)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken("a sound that ffprobe does not describe") from error
    if not RATES[0] <= rate <= RATES[1] or not 0 < channels <= MAX_CHANNELS:
        raise Broken("a sound without rate or channels")
    return Track(rate=rate, channels=channels, seconds=seconds, audio=tracks[0])


def blocks(path: Path, track: Track, *, seconds: float, most: float | None = None) -> Iterator[Samples]:
    """Yield the samples of a file, shape (length, channels).

    Args:
        path: The file.
        track: What it is.
        seconds: Longest that ffmpeg may take.
        most: Seconds of sound that are asked for; None for all.

    Raises:
        Unwritable: There is no ffmpeg here.
    """
    wanted = [*ffmpeg.source(path, Kind.M4A), "-map", f"0:{int(track.audio['index'])}", "-vn"]
    wanted += ["-ac", str(track.channels), "-ar", str(track.rate), *(["-t", str(most)] if most else [])]
    width = 4 * track.channels
    with ffmpeg.running("ffmpeg", [*wanted, "-f", "f32le", "pipe:1"], seconds=seconds) as process:
        assert process.stdout is not None  # noqa: S101  a pipe
        while raw := process.stdout.read(_BLOCK * width):
            whole = np.frombuffer(raw[: len(raw) // width * width], dtype="<f4").reshape(-1, track.channels)
            yield np.nan_to_num(whole.astype(np.float32))


def _whole(path: Path, track: Track, seconds: float) -> Iterator[Samples]:
    """Yield all samples; raises Broken where there are clearly fewer than the file says."""
    count = 0
    for block in blocks(path, track, seconds=seconds):
        count += len(block)
        yield block
    if count < WHOLE * track.seconds * track.rate - track.rate / 10:
        raise Broken("a sound that ends before it says")


def windows(path: Path, track: Track, seconds: float, most: int) -> Iterator[tuple[float, Samples]]:
    """Yield stretches of so many seconds from the sound's beginning on, at most so many."""
    size, begun, at = round(seconds * track.rate), np.empty((0, track.channels), dtype=np.float32), 0
    for block in blocks(path, track, seconds=LOOK_SECONDS, most=seconds * most):
        begun = np.concatenate([begun, block])
        while len(begun) >= size:
            yield at / track.rate, begun[:size]
            begun, at = begun[size:], at + size
    if len(begun) >= size // 2 or not at:
        yield at / track.rate, begun


def encoded(path: Path, track: Track, changed: Callable[[Iterator[Samples]], Iterator[Samples]], out: Path) -> None:
    """Write a file with other samples; tags and cover are copied.

    Args:
        path: The file.
        track: What it is.
        changed: What happens to its samples.
        out: Where the new one goes.

    Raises:
        Unwritable: ffmpeg is not here or did not come to an end, or the sound is coded in another way.
    """
    codec = str(track.audio.get("codec_name"))
    if codec not in _CODECS or track.seconds > MAX_SECONDS or shutil.which("ffmpeg") is None:
        raise Unwritable(
            Text(
                zh=f"声音（{codec}）过长或不能原样重新编码，或本系统没有 ffmpeg。",
                en=f"Sound coded as {codec} is too long or not encoded again here, or there is no ffmpeg.",
            )
        )
    seconds = _START_SECONDS + _SLOWEST * track.seconds
    rate = max(_LEAST_KBPS * 1000, round(_SPARE * float(track.audio.get("bit_rate") or 128_000)))
    wanted = ["-f", "f32le", "-ac", str(track.channels), "-ar", str(track.rate), "-i", "pipe:0"]
    wanted += [*ffmpeg.source(path, Kind.M4A), "-map", "0:a", "-map", "1:v?", "-map_metadata", "1", "-c:v", "copy"]
    wanted += ["-map_chapters", "1", "-disposition:v", "attached_pic", "-c:a", codec]
    wanted += (["-b:a", str(rate)] if codec == "aac" else []) + ["-fs", str(_MAX_FILE_BYTES)]
    wanted += ["-f", ffmpeg.MUXERS[Kind.M4A], f"file:{out}"]
    with ffmpeg.running("ffmpeg", wanted, seconds=seconds, sent=PIPE) as encoder:
        assert encoder.stdin is not None  # noqa: S101  a pipe
        try:
            for block in changed(_whole(path, track, seconds)):
                encoder.stdin.write(np.ascontiguousarray(block, dtype="<f4").data)
        except BrokenPipeError:
            pass
        if not ffmpeg.finished(encoder) or not out.is_file():
            raise Unwritable(Text(zh="ffmpeg 未能重新编码该声音。", en="ffmpeg could not encode the sound again."))
