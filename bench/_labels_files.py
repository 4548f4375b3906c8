"""Files of every format with some megabytes of content, made by the programs that usually make them."""

import io
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
from PIL import Image
from tests.rooms.labelling.formats import still_files

from safebelt.rooms.labelling.formats.kinds import Kind

LEAST_BYTES = 4_000_000
_SECONDS = {"wav": 26, "mp3": 110, "flac": 30, "ogg": 100, "opus": 85, "m4a": 140}
_SOUND = {
    Kind.WAV: ["-c:a", "pcm_s16le"],
    Kind.MP3: ["-c:a", "libmp3lame", "-b:a", "320k"],
    Kind.FLAC: ["-c:a", "flac"],
    Kind.OGG: ["-c:a", "libvorbis", "-q:a", "10"],
    Kind.OPUS: ["-c:a", "libopus", "-b:a", "500k"],
    Kind.M4A: ["-c:a", "aac", "-b:a", "320k"],
}
_FILM = {
    Kind.MP4: ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "20"],
    Kind.MOV: ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "20"],
    Kind.MKV: ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "20"],
    Kind.WEBM: ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "60M", "-qmax", "10"],
    Kind.AVI: ["-c:v", "mpeg4", "-q:v", "2"],
    Kind.FLV: ["-c:v", "flv", "-q:v", "2"],
}


def noise(side: int) -> Image.Image:
    """A picture that no format makes small."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8))


def make(kind: Kind, path: Path) -> None:
    """Make a file of a format.

    Raises:
        RuntimeError: The program that makes such files is not here, or made less than four megabytes.
    """
    if kind in _SOUND:
        seconds = str(_SECONDS[kind.value])
        _ffmpeg(["-f", "lavfi", "-i", f"anoisesrc=r=48000:d={seconds}:c=white", "-ac", "2", *_SOUND[kind]], path)
    elif kind in _FILM:
        raw = np.random.default_rng(2).integers(0, 256, 18 * 640 * 360 * 3 // 2, dtype=np.uint8).tobytes()
        what = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "640x360", "-r", "25", "-i", "-"]
        _ffmpeg([*what, *_FILM[kind]], path, raw)
    elif kind is Kind.HEIC:
        _heic(path)
    else:
        path.write_bytes(_STILL[kind]())
    if path.stat().st_size < LEAST_BYTES:
        raise RuntimeError(f"{kind.value}: {path.stat().st_size} bytes are too few")


def _ffmpeg(arguments: list[str], path: Path, given: bytes = b"") -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments, str(path)]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-300:])


def _heic(path: Path) -> None:
    """By libheif's own program where it is here, else the same boxes around AV1: the carrier reads no picture."""
    source = path.with_suffix(".png")
    noise(1900).save(source)
    program = shutil.which("heif-enc")
    if (
        program is None
        or subprocess.run(
            [program, "-q", "95", "-o", str(path), str(source)], capture_output=True, check=False
        ).returncode
    ):
        path.write_bytes(_STILL[Kind.AVIF]().replace(b"ftypavif", b"ftypheic", 1))
    source.unlink()


def _packed(package: bytes, name: str) -> bytes:
    out = io.BytesIO(package)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as packed:
        packed.writestr(name, os.urandom(5_000_000))
    return out.getvalue()


def _pdf() -> bytes:
    made = pikepdf.open(io.BytesIO(still_files.pdf()))
    made.Root.Big = pikepdf.Stream(made, os.urandom(5_000_000))
    return still_files.saved(made.save)


_STILL: dict[Kind, Callable[[], bytes]] = {
    Kind.JPEG: lambda: still_files.image("JPEG", noise(1900), quality=95),
    Kind.PNG: lambda: still_files.image("PNG", noise(1300)),
    Kind.WEBP: lambda: still_files.image("WEBP", noise(1300), lossless=True, method=0),
    Kind.GIF: lambda: still_files.image("GIF", noise(2300).convert("L")),
    Kind.TIFF: lambda: still_files.image("TIFF", noise(1300)),
    Kind.AVIF: lambda: still_files.image("AVIF", noise(2000), quality=97, speed=10),
    Kind.SVG: lambda: still_files.SVG.encode()[:-7] + b'<path d="M 1 2 3 4 5 6 7 8"/>\n' * 160_000 + b"</svg>",
    Kind.PDF: _pdf,
    Kind.DOCX: lambda: _packed(still_files.document(), "word/media/a.bin"),
    Kind.XLSX: lambda: _packed(still_files.workbook(), "xl/media/a.bin"),
    Kind.PPTX: lambda: _packed(still_files.slides(), "ppt/media/a.bin"),
    Kind.EPUB: lambda: _packed(still_files.book(), "a.bin"),
    Kind.MARKDOWN: lambda: still_files.MARKDOWN.encode() + b"text text text\n" * 300_000,
    Kind.HTML: lambda: still_files.HTML.encode() + b"<p>text text text</p>\n" * 200_000,
    Kind.TXT: lambda: b"text text text\n" * 300_000,
    Kind.JSON: lambda: b'{"x":' + json.dumps([{"a": n, "b": "text " * 5} for n in range(100_000)]).encode() + b"}",
}
