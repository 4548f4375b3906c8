"""Films frame by frame, and back into their own format and codec: for marks that are in the moving picture.

Only brightness is changed.  Sound, subtitles, chapters and tags are copied as they are.  A codec that loses something
loses it once more; quality is set so high that what the film was worth stays, at the price of a larger file.
Decoding and encoding is an external ffmpeg's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.provenance import ffmpeg

FILMS = frozenset({Kind.MP4, Kind.MOV, Kind.MKV, Kind.WEBM})
"""What is decoded and encoded again."""
MAX_PIXELS = 4096 * 2304
MAX_SECONDS = 3600.0
"""Longest film that is encoded again."""
MAX_FILM_BYTES = 1 << 30
"""Largest file that comes of it: it is put together in memory with its label and manifest."""
_LEAST_PER_SECOND, MAX_LOOKED_AT = 4, 96
"""Frames that are looked at for a mark: all of a short film; of a longer one some of the first 24 seconds, since
neighbours show the same."""
_OPENING_PER_SECOND = 2
"""Frames a second in which a notice's place is looked for: who is filmed moves little in half a second."""
LOOK_SECONDS = 12.0
"""Longest that ffmpeg may take to give these frames."""
_START_SECONDS, _SLOWEST = 60.0, 60.0
"""An encoder may take so long, and so many times the film's own length beyond."""
_ENCODERS = {
    "h264": ("libx264", "-preset", "veryfast", "-crf", "17"),
    "hevc": ("libx265", "-preset", "veryfast", "-crf", "19", "-x265-params", "log-level=none"),
    "vp8": ("libvpx", "-deadline", "realtime", "-cpu-used", "6", "-crf", "6", "-b:v", "20M"),
    "vp9": ("libvpx-vp9", "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1", "-crf", "20", "-b:v", "0"),
    "av1": ("libsvtav1", "-preset", "9", "-crf", "22"),
    "mpeg4": ("mpeg4", "-q:v", "2"),
}
"""For each codec its encoder, at a quality that their makers call visually lossless or nearly so."""
_PIXELS = ("yuv420p", "yuvj420p")
"""8 bits, colour at half size: what nearly all films are.  Others would come out as less than they were."""
_COLOURS = {
    "color_range": "-color_range",
    "color_space": "-colorspace",
    "color_transfer": "-color_trc",
    "color_primaries": "-color_primaries",
}
_COPIED, _CHAPTERS = ("audio", "subtitle", "attachment"), "text"
"""Streams that go along; chapters are a stream of text in MP4 (QuickTime File Format, chapter lists)."""
_WHOLE = 0.95
"""Part of the frames that a film's stated length comes to which must be there: a torn film must not pass for whole."""
_STEADY = 0.005
"""How far the mean frame rate may be from the nominal one, as a part: more is a rate that varies."""

Luma = NDArray[np.uint8]
Change = Callable[[int, Luma], Luma]
"""Takes the number of a frame and its brightness, shape (height, width), and returns it changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A film as ffprobe describes it.

    Attributes:
        width, height: Of a frame as it is shown, before its pixels are stretched.
        rate: Frames each second.
        seconds: How long it is; 0 where that is not said.
        video: All that is said of its picture.
        is_steady: Whether frames follow each other at one rate.
        delay: Seconds by which its picture begins after the film.
        has_more: Whether the file holds what would be lost: other pictures, or data of no known kind.
    """

    width: int
    height: int
    rate: Fraction
    seconds: float
    video: dict[str, Any]
    is_steady: bool
    delay: float
    has_more: bool


def probed(path: Path, kind: Kind) -> Film:
    """Return what a film is.

    Raises:
        Unwritable: There is no ffprobe here, or the file has no moving picture.
        Broken: It cannot be read.
    """
    said = ffmpeg.described(path, kind)
    pictures = [one for one in said["streams"] if isinstance(one, dict) and one.get("codec_type") == "video"]
    moving = [one for one in pictures if not one.get("disposition", {}).get("attached_pic")]
    if len(moving) != 1:
        raise Unwritable(
            Text(zh="文件中没有画面，或有多路画面。", en="The file has no moving picture, or more than one of them.")
        )
    try:
        return _film(moving[0], said)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        raise Broken("a film that ffprobe does not describe") from error


def _film(video: dict[str, Any], said: dict[str, Any]) -> Film:
    whole = said.get("format") or {}
    others = [one for one in said["streams"] if one is not video]
    width, height = int(video["width"]), int(video["height"])
    if any(abs(int(one.get("rotation", 0))) % 180 == 90 for one in video.get("side_data_list", ())):
        width, height = height, width
    rate, mean = Fraction(video["r_frame_rate"]), Fraction(video.get("avg_frame_rate") or "0/1")
    if width <= 0 or height <= 0 or not 0 < rate <= 1000:
        raise ValueError(video)
    return Film(
        width=width,
        height=height,
        rate=rate,
        seconds=float(whole.get("duration") or 0),
        video=video,
        is_steady=abs(mean / rate - 1) <= _STEADY,
        delay=max(0.0, float(video.get("start_time") or 0) - float(whole.get("start_time") or 0)),
        has_more=any(
            one.get("codec_type") not in _COPIED and one.get("codec_tag_string") != _CHAPTERS for one in others
        ),
    )


def looked_at(path: Path, kind: Kind, film: Film, size: tuple[int, int]) -> Iterator[Luma]:
    """Yield frames of a film's beginning: four a second, and more of a short film.

    Args:
        path: The file.
        kind: Its format.
        film: What it is.
        size: Rows and columns that they are resized to, each pixel the mean of what it covers.

    Raises:
        Unwritable: There is no ffmpeg here.
    """
    each = min(film.rate, max(Fraction(_LEAST_PER_SECOND), Fraction(MAX_LOOKED_AT) / max(1, round(film.seconds))))
    yield from _frames(path, kind, film, size, (each, MAX_LOOKED_AT))


def _frames(path: Path, kind: Kind, film: Film, size: tuple[int, int], pace: tuple[Fraction, int]) -> Iterator[Luma]:
    """Yield frames of a film's beginning: so many a second, and no more than so many."""
    (rows, columns), (each, most) = size, pace
    scaled = f"fps={each},scale={columns}:{rows}:flags=area,format=gray"
    wanted = ["-threads", "2", *ffmpeg.source(path, kind), "-map", f"0:{int(film.video['index'])}", "-vf", scaled]
    wanted += ["-frames:v", str(most), "-f", "rawvideo", "pipe:1"]
    with ffmpeg.running("ffmpeg", wanted, seconds=LOOK_SECONDS) as process:
        assert process.stdout is not None  # noqa: S101  a pipe
        while (raw := _exactly(process.stdout, rows * columns)) is not None:
            yield np.frombuffer(raw, dtype=np.uint8).reshape(rows, columns)


def opening(path: Path, kind: Kind, film: Film, seconds: float, shortest: int) -> list[Luma]:
    """Return some frames of a film's first seconds, reduced.

    Args:
        path: The file.
        kind: Its format.
        film: What it is.
        seconds: How many of them.
        shortest: Shortest side in pixels to which larger ones are reduced.

    Raises:
        Unwritable: There is no ffmpeg here.
    """
    ratio = max(1.0, min(film.height, film.width) / shortest)
    size = max(1, round(film.height / ratio)), max(1, round(film.width / ratio))
    each = min(film.rate, Fraction(_OPENING_PER_SECOND))
    return list(_frames(path, kind, film, size, (each, round(seconds * each) + 1)))


def begun(path: Path, kind: Kind, film: Film, size: tuple[int, int]) -> Iterator[Luma]:
    """Yield some of the first frames of a film; arguments and errors as of `looked_at`."""
    yield from islice(looked_at(path, kind, film, size), _LEAST_PER_SECOND)


def hold_writable(film: Film) -> None:
    """Hold that a film comes out as what it was when it is encoded again.

    Raises:
        Unwritable: It does not, with why.
    """
    why = None
    if film.video.get("codec_name") not in _ENCODERS or film.video.get("pix_fmt") not in _PIXELS:
        what = f"{film.video.get('codec_name')}, {film.video.get('pix_fmt')}"
        why = Text(
            zh=f"画面的编码（{what}）不能原样重新编码。", en=f"Films coded as {what} are not encoded again here."
        )
    elif film.video.get("field_order", "progressive") not in ("progressive", "unknown"):
        why = Text(zh="隔行扫描的画面不能原样重新编码。", en="Interlaced films are not encoded again here.")
    elif film.has_more:
        why = Text(
            zh="视频中还有会丢失的内容（其他画面或数据），不重新编码。",
            en="The film holds more than would be kept (other pictures, or data): it is not encoded again.",
        )
    elif not film.is_steady:
        why = Text(
            zh="帧率不固定的画面不能原样重新编码。", en="Films whose frame rate varies are not encoded again here."
        )
    elif film.width % 2 or film.height % 2 or film.width * film.height > MAX_PIXELS or film.seconds > MAX_SECONDS:
        why = Text(
            zh="画面过大、边长为奇数，或视频过长。", en="The film is too large, too long, or has sides of odd length."
        )
    if why is not None:
        raise Unwritable(why)


def encoded(path: Path, kind: Kind, film: Film, change: Change, out: Path) -> None:
    """Write a film with every frame changed; sound and all else is copied.

    Args:
        path: The file.
        kind: Its format.
        film: What it is; `hold_writable` held.
        change: What happens to each frame.
        out: Where the new one goes.

    Raises:
        Unwritable: ffmpeg is not here, has no such encoder, or did not come to an end.
    """
    seconds = _START_SECONDS + _SLOWEST * max(film.seconds, 1.0)
    decode = [*ffmpeg.source(path, kind), "-map", f"0:{int(film.video['index'])}", "-r", str(film.rate)]
    decode += ["-pix_fmt", str(film.video["pix_fmt"]), "-f", "rawvideo", "pipe:1"]
    encode = _encoding(path, kind, film, out)
    with (
        ffmpeg.running("ffmpeg", decode, seconds=seconds) as decoder,
        ffmpeg.running("ffmpeg", encode, seconds=seconds, sent=PIPE) as encoder,
    ):
        assert decoder.stdout is not None and encoder.stdin is not None  # noqa: S101  pipes
        count = _passed(decoder.stdout, encoder.stdin, film, change)
        stated = float(film.video.get("duration") or 0) * film.rate
        if count < _WHOLE * stated or not (
            count and ffmpeg.finished(decoder) and ffmpeg.finished(encoder) and out.is_file()
        ):
            raise Unwritable(
                Text(
                    zh="ffmpeg 未能重新编码该视频（可能缺少编码器）。",
                    en="ffmpeg could not encode the film again; it may lack an encoder for it.",
                )
            )


def _encoding(path: Path, kind: Kind, film: Film, out: Path) -> list[str]:
    """Return the arguments with which frames that come in become a film again, with the old one's other streams."""
    raw = ["-f", "rawvideo", "-pix_fmt", str(film.video["pix_fmt"]), "-s", f"{film.width}x{film.height}"]
    raw += ["-r", str(film.rate), "-itsoffset", f"{film.delay:.6f}", "-i", "pipe:0", *ffmpeg.source(path, kind)]
    kept = [
        "-map",
        "0:v",
        "-map",
        "1:a?",
        "-map",
        "1:s?",
        "-map",
        "1:t?",
        "-map_metadata",
        "1",
        "-map_chapters",
        "1",
        "-c",
        "copy",
    ]
    codec = ["-c:v", *_ENCODERS[film.video["codec_name"]], "-pix_fmt", str(film.video["pix_fmt"])]
    tags = [
        part
        for name, option in _COLOURS.items()
        if film.video.get(name, "unknown") not in ("unknown", "reserved", None)
        for part in (option, str(film.video[name]))
    ]
    shape = str(film.video.get("sample_aspect_ratio", "1:1")).replace(":", "/")
    stretched = ["-vf", f"setsar={shape}"] if shape not in ("1/1", "0/1", "N/A") else []
    tag = ["-tag:v", "hvc1"] if film.video.get("codec_tag_string") == "hvc1" else []
    size = ["-fs", str(MAX_FILM_BYTES), "-f", ffmpeg.MUXERS[kind], f"file:{out}"]
    return [*raw, *kept, *codec, *tags, *stretched, *tag, *size]


def _passed(frames: IO[bytes], encoder: IO[bytes], film: Film, change: Change) -> int:
    """Change frames as they pass, and return how many did."""
    luma = film.width * film.height
    count = 0
    while (raw := _exactly(frames, luma * 3 // 2)) is not None:
        frame = np.frombuffer(raw, dtype=np.uint8, count=luma).reshape(film.height, film.width)
        try:
            encoder.write(np.ascontiguousarray(change(count, frame)).data)
            encoder.write(memoryview(raw)[luma:])
        except BrokenPipeError:
            return 0
        count += 1
    return count


def _exactly(pipe: IO[bytes], size: int) -> bytes | None:
    """Return so many bytes; None where there are no more."""
    raw = pipe.read(size)
    return raw if len(raw) == size else None
