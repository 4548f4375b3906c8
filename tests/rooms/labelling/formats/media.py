"""Samples of sound, film and pictures, labels to put into them, and programs we did not write to read them."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from safebelt.rooms.labelling.formats import kinds
from safebelt.rooms.labelling.formats.carrier import Broken, Edit, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Carrier

DATA = Path(__file__).parents[3] / "data" / "labelling"
ENDINGS = ("wav", "avi", "webp", "mp4", "mov", "m4a", "avif", "mkv", "webm", "flv", "mp3", "flac", "ogg", "opus")
SAMPLES = (
    "a.wav", "rf64.wav", "stream.wav", "a.avi", "end.mp4", "front.mp4", "frag.mp4", "keys.mp4", "a.mov", "a.m4a",
    "a.mkv", "front.mkv", "a.webm", "live.webm", "a.flv", "index.flv", "nometa.flv", "three.mp3", "four.mp3",
    "bare.mp3", "a.flac", "flac.ogg", "a.ogg", "a.opus", "lossy.webp", "lossless.webp", "alpha.webp", "anim.webp",
    "a.avif", "anim.avif", "xmp.avif",
)  # fmt: skip


def label(produce_id: str = "rec_1") -> str:
    """A label's bare object."""
    fields = ("ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2")
    first = {"Label": "1", "ContentProducer": "001191310104MACE0YX63918020", "ProduceID": produce_id}
    return json.dumps(first | dict.fromkeys(fields, ""), separators=(",", ":"))


LABEL = label()
LONGER = label("rec_" + "x" * 900)
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not here to read the file")
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not here to read the file")


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


def carrier(name: str) -> Carrier:
    """The carrier of a sample, by what the file shows."""
    kind = kinds.sniff(sample(name), name)
    assert kind is not None
    return kinds.carrier_of(kind)


def labelled(data: bytes, by: Carrier, value: str = LABEL) -> bytes:
    """A file with a label, read back: it is there alone, in its place, and written twice it is the same."""
    made = applied(data, by.write(data, value))
    found = by.read(made)
    assert [one.value for one in found] == [value]
    assert found[0].is_native
    assert applied(made, by.write(made, value)) == made
    return made


def copied(edit: Edit) -> int:
    """How many bytes of an edit are new."""
    return sum(len(piece) for piece in edit if isinstance(piece, bytes))


@dataclass(frozen=True)
class Decoded:
    """What ffmpeg makes of a file: a digest of every frame, stream by stream, and what it says of the file."""

    frames: list[list[str]]
    says: str


def decoded(*paths: Path) -> list[Decoded]:
    """Decode files that have as many streams as each other, with one start of ffmpeg."""
    run = subprocess.run(
        ["ffmpeg", "-hide_banner", "-nostdin", "-threads", "1", *(part for path in paths for part in ("-i", path)),
         *(part for number in range(len(paths)) for part in ("-map", str(number))), "-f", "framemd5", "-"],
        capture_output=True, text=True, errors="replace", check=False, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    lines = [line.replace(" ", "").split(",") for line in run.stdout.splitlines() if not line.startswith("#")]
    count = 1 + max(int(line[0]) for line in lines)
    streams = [[",".join(line[1:]) for line in lines if int(line[0]) == number] for number in range(count)]
    says = re.split(r"^(?:Input #\d|Stream mapping)", run.stderr, flags=re.MULTILINE)[1:]
    each = count // len(paths)
    return [Decoded(streams[each * number : each * (number + 1)], says[number]) for number in range(len(paths))]


def exiftool(*paths: Path) -> dict[str, str]:
    """What exiftool shows of files, unknown chunks with their bytes, as text by name."""
    run = subprocess.run(
        ["exiftool", "-a", "-u", "-b", "-G1", "-j", *paths], capture_output=True, check=False, timeout=60
    )
    return {Path(one["SourceFile"]).name: json.dumps(one, ensure_ascii=False) for one in json.loads(run.stdout)}


_SIZES = (b"\0\0\0\0", b"\0\0\0\1", b"\1\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")


def mutations(seed: int, count: int, files: list[bytes]) -> Iterator[bytes]:
    """Files with something wrong: bits, sizes, pieces doubled, dropped, moved, cut off, and spliced with others."""
    chance = random.Random(seed)
    for _number in range(count):
        data = chance.choice(files)
        for _change in range(chance.choice((1, 1, 1, 2, 3, 8))):
            if len(data) >= 20:
                data = _mutated(chance, data, chance.choice(files))
        yield data


def _mutated(chance: random.Random, data: bytes, other: bytes) -> bytes:
    def place() -> int:
        near = min(len(data), 1200)  # what is not sound or picture is at the ends
        return chance.choice(
            (chance.randrange(near), len(data) - 1 - chance.randrange(near), chance.randrange(len(data)))
        )

    at, source, length = place(), place(), chance.randrange(1, 100)
    piece, flipped = data[source : source + length], bytes((data[at] ^ 1 << chance.randrange(8),))
    head, tail = data[:at], data[at:]
    return chance.choice(
        (
            head + bytes((chance.randrange(256),)) + tail[1:],
            head + flipped + tail[1:],
            head + chance.choice(_SIZES) + tail[4:],
            head,
            head + piece + tail,
            head + tail[length:],
            head + piece + tail[length:],
            head + other[chance.randrange(len(other)) :],
        )
    )


def outcome(data: bytes, by: Carrier) -> str:
    """What becomes of a file that may be broken: a word, or the assertion that it comes out as it must."""
    try:
        by.read(data)
        made = applied(data, by.write(data, LABEL))
    except Broken:
        return "broken"
    except Unwritable:
        return "unwritable"
    labelled(data, by)
    assert len(made) < len(data) + 70_000
    return "labelled"
