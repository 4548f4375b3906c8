"""Sound as samples, and back into its own format with its own settings: for marks that are in the sound itself.

Such a mark costs one more encoding where the format loses something.  Sample rate, channels, depth, bit rate and what
the file says of itself (tags, pictures, other chunks) stay.  Coding is libsndfile's, in this process, for WAV, FLAC,
MP3, Ogg Vorbis and Opus; AAC is an external ffmpeg's (`sound_aac`).
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.provenance import grafts

SOUNDS = frozenset({Kind.WAV, Kind.FLAC, Kind.MP3, Kind.OGG, Kind.OPUS})
"""What is decoded and encoded again in this process."""
MAX_SOUND_BYTES = 1 << 30
"""Largest file that is encoded again: the new one is put together in memory."""
MAX_SECONDS = 4 * 3600.0
"""Longest sound that is encoded again."""
RATES = 1_000, 1_000_000
"""Sample rates that are decoded, in hertz."""
WHOLE = 0.98
"""Part of the length that a file states which must be there: MP3 without a count of frames is a guess."""
_BLOCK = 1 << 16
_FORMATS = {Kind.WAV: "WAV", Kind.FLAC: "FLAC", Kind.MP3: "MP3", Kind.OGG: "OGG", Kind.OPUS: "OGG"}
_READ_AS = {Kind.WAV: ("WAV", "WAVEX", "RF64"), Kind.FLAC: ("FLAC",), Kind.MP3: ("MP3", "MPEG")}
_DEPTHS = frozenset({"PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})
"""Sample formats of WAV and FLAC that keep what they are when they are written again."""
_MP3_KBPS = {True: (32, 320), False: (8, 160)}
"""Least and largest bit rate of layer III of MPEG-1 (32 kHz and above) and of MPEG-2 and 2.5 (ISO/IEC 13818-3)."""
_MPEG_1_RATE = 32_000
_VORBIS_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 250)
"""Nominal bit rate of one channel at 44.1 kHz for the qualities 0 to 10 (Vorbis I encoder, libvorbis' own table)."""
_VORBIS_RATE = 44_100
_OPUS_KBPS = (6, 256)
"""Bit rate of one channel that libsndfile's compression levels 1 and 0 stand for (RFC 6716, 2.1.1: 6 to 510)."""
_SPARE = 1.15
"""Bit rate over the old one's, so that a second encoding does not add as much noise as the first."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound that was opened.

    Attributes:
        rate: Samples each second.
        channels: How many.
        seconds: How long it is.
    """

    rate: int
    channels: int
    seconds: float


class Opened:
    """A sound's samples, one block after the other.

    Args:
        data: The file.
        kind: Its format.

    Raises:
        Broken: It cannot be decoded.
    """

    def __init__(self, data: Buffer, kind: Kind) -> None:
        import soundfile  # type: ignore[import-untyped]  # noqa: PLC0415  only where sound is marked or heard

        try:
            self._file: Any = soundfile.SoundFile(io.BytesIO(data) if isinstance(data, bytes) else _Mapped(data))
        except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
            raise Broken(f"a sound that cannot be decoded: {type(error).__name__}") from error
        is_right = self._file.format in _READ_AS.get(kind, ("OGG",))
        if not is_right or self._file.frames <= 0 or not RATES[0] <= self._file.samplerate <= RATES[1]:
            self._file.close()
            raise Broken("a sound of another format than it seems, of no length, or of no usual sample rate")
        self.sound = Sound(
            rate=self._file.samplerate,
            channels=self._file.channels,
            seconds=self._file.frames / self._file.samplerate,
        )
        self.subtype: str = self._file.subtype
        self.endian: str = self._file.endian
        self.frames: int = self._file.frames

    def blocks(self) -> Iterator[Samples]:
        """Yield all samples from where nothing was read yet, shape (length, channels).

        Raises:
            Broken: There are clearly fewer than the file says: what is left of it must not pass for the whole.
        """
        count = 0
        while len(block := self._read(_BLOCK)):
            count += len(block)
            yield block
        if count < WHOLE * self.frames:
            raise Broken("a sound that ends before it says")

    def windows(self, seconds: float, most: int) -> Iterator[tuple[float, Samples]]:
        """Yield stretches of so many seconds, at most so many, spread over the sound from its beginning on."""
        size = round(seconds * self.sound.rate)
        every = max(size, self.frames // most)
        for start in range(0, max(1, self.frames - size // 2), every)[:most]:
            if every != size and start:  # an MP3 reader has lost its reservoir for some frames after a jump
                self._jump(start)
            yield start / self.sound.rate, self._read(size)

    def _jump(self, start: int) -> None:
        try:
            self._file.seek(start)
        except RuntimeError as error:  # soundfile's errors are of that class
            raise Broken("a sound that ends before it says") from error

    def _read(self, count: int) -> Samples:
        try:
            samples: Samples = self._file.read(count, dtype="float32", always_2d=True)
        except RuntimeError as error:  # as above
            raise Broken("a sound that cannot be decoded to its end") from error
        return np.nan_to_num(samples, posinf=1.0, neginf=-1.0)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Mapped(io.RawIOBase):
    """A mapped file with a place of its own: several may read one map."""

    def __init__(self, data: Buffer) -> None:
        self._data, self._at = data, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        piece = self._data[self._at : self._at + len(into)]
        into[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at


def hold_writable(opened: Opened, data: Buffer) -> None:
    """Hold that a sound comes out as what it was when it is encoded again.

    Args:
        opened: The sound.
        data: Its file.

    Raises:
        Unwritable: It does not.
    """
    if len(data) > MAX_SOUND_BYTES or opened.sound.seconds > MAX_SECONDS:
        raise Unwritable(Text(zh="声音文件过大或过长。", en="The sound is too large or too long."))
    known = _DEPTHS | {"MPEG_LAYER_III", "VORBIS", "OPUS"}
    if opened.subtype not in known:
        raise Unwritable(
            Text(
                zh=f"声音的编码方式（{opened.subtype}）不能原样重新编码。",
                en=f"Sound coded as {opened.subtype} is not encoded again here.",
            )
        )
    if opened.subtype in ("VORBIS", "OPUS") and grafts.ogg_streams(data) != 1:
        raise Unwritable(
            Text(
                zh="Ogg 文件中有多路或前后相接的流，不重新编码。",
                en="An Ogg file with several streams, beside or after each other, is not encoded again here.",
            )
        )


def encoded(blocks: Iterator[Samples], opened: Opened, data: Buffer, kind: Kind) -> bytes:
    """Return a file of the same format, settings and tags with other samples.

    Args:
        blocks: The samples, shape (length, channels).
        opened: What they come from.
        data: Its file.
        kind: Its format.

    Raises:
        Unwritable: The file's frame cannot be kept around them.
        Broken: What they come from cannot be decoded to its end.
    """
    if kind is Kind.WAV:
        samples, length = _coded(blocks, opened, {"format": "RAW", "endian": "LITTLE"})
        return grafts.wave(data, samples, length)
    how = {"format": _FORMATS[kind]} | _settings(opened, len(data), kind)
    made, _ = _coded(blocks, opened, how)
    if kind is Kind.MP3:
        return grafts.mp3(data, made)
    if kind is Kind.FLAC:
        return grafts.flac(data, made)
    return applied(made, grafts.ogg(data, made))


def _coded(blocks: Iterator[Samples], opened: Opened, how: dict[str, Any]) -> tuple[bytes, int]:
    import soundfile  # noqa: PLC0415  as above

    out, length = io.BytesIO(), 0
    try:
        with soundfile.SoundFile(
            out, "w", samplerate=opened.sound.rate, channels=opened.sound.channels, subtype=opened.subtype, **how
        ) as file:
            for block in blocks:
                file.write(block)
                length += len(block)
    except (soundfile.SoundFileError, ValueError) as error:
        raise Unwritable(
            Text(zh=f"声音无法按原设置重新编码：{error}", en=f"The sound cannot be encoded as it was: {error}")
        ) from error
    return out.getvalue(), length


def _settings(opened: Opened, size: int, kind: Kind) -> dict[str, Any]:
    """Return with what a lossy format is encoded: about the bit rate it had, never less."""
    kbps = _SPARE * size * 8 / 1000 / opened.sound.seconds
    each = kbps / opened.sound.channels
    if kind is Kind.MP3:
        low, high = _MP3_KBPS[opened.sound.rate >= _MPEG_1_RATE]
        return {"bitrate_mode": "CONSTANT", "compression_level": _level(kbps, low, high)}
    if kind is Kind.OGG and opened.subtype == "VORBIS":
        quality = float(np.interp(each * _VORBIS_RATE / opened.sound.rate, _VORBIS_KBPS, range(len(_VORBIS_KBPS))))
        return {"compression_level": 1 - quality / (len(_VORBIS_KBPS) - 1)}
    if opened.subtype == "OPUS":
        return {"compression_level": _level(each, *_OPUS_KBPS)}
    return {}


def _level(kbps: float, low: int, high: int) -> float:
    """Return libsndfile's compression level for a bit rate: 1 for the least, 0 for the largest."""
    return min(1.0, max(0.0, (high - kbps) / (high - low)))
