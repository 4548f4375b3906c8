"""Broken and hostile pictures, documents and texts: a result, or a named refusal, and never much work for few bytes."""

import io
import os
import random
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from mmap import ACCESS_READ, mmap

import pikepdf
import pytest
from tests.rooms.labelling.formats.still_files import (
    FILES,
    OTHER,
    SVG,
    VALUE,
    WRAPPED,
    alone,
    image,
    marked,
    mutated,
    pdf,
)

from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, Broken, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of

each = pytest.mark.parametrize("kind", FILES, ids=[kind.value for kind in FILES])


def bases(kind: Kind) -> list[bytes]:
    """What is mutated: a plain file, a labelled one, and what else the format has of shapes."""
    plain = FILES[kind]()
    more: dict[Kind, Callable[[], list[bytes]]] = {
        Kind.PDF: lambda: [pdf(mode=pikepdf.ObjectStreamMode.generate, xmp=VALUE)],
        Kind.TIFF: lambda: [image("TIFF", big_tiff=True), image("TIFF", description="AIGC" + VALUE)],
        Kind.JPEG: lambda: [image("JPEG", comment=WRAPPED.encode(), progressive=True)],
    }
    return [plain, marked(plain, OTHER, kind), *more.get(kind, list)()]


def tried(kind: Kind, data: bytes) -> None:
    """Read and write a file; what was written is read back, alone, and is what it stays."""
    carrier = carrier_of(kind)
    try:
        assert len(carrier.read(data)) <= MAX_FOUND
    except Broken as refused:
        assert str(refused)
    try:
        made = applied(data, carrier.write(data, VALUE))
    except (Broken, Unwritable) as refused:
        assert str(refused)
        return
    assert alone(carrier.read(made), VALUE)
    assert applied(made, carrier.write(made, VALUE)) == made


@each
def test_a_mutated_file_gives_a_result_or_a_named_refusal(kind: Kind) -> None:
    chance, files = random.Random(f"7-{kind}"), bases(kind)

    for _number in range(60):
        tried(kind, mutated(chance.choice(files), chance))


@pytest.mark.soak
@each
def test_many_mutated_files_give_a_result_or_a_named_refusal(kind: Kind) -> None:
    chance, files = random.Random(os.urandom(8)), bases(kind)

    for _number in range(4000):
        data = mutated(chance.choice(files), chance)
        try:
            tried(kind, data)
        except Exception as error:
            raise AssertionError(f"{kind}: {data.hex()}") from error


@each
def test_a_file_cut_anywhere_gives_a_result_or_a_named_refusal(kind: Kind) -> None:
    data = marked(FILES[kind](), VALUE, kind)

    for at in range(0, len(data), max(1, len(data) // 30)):
        tried(kind, data[:at])


@each
def test_a_mapped_file_is_read_and_written_like_one_in_memory(kind: Kind) -> None:
    data = FILES[kind]()

    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        with mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
            made = applied(mapped, carrier_of(kind).write(mapped, VALUE))

    assert made == marked(data, VALUE, kind)


@each
def test_a_file_of_another_format_is_refused(kind: Kind) -> None:
    if kind in (Kind.MARKDOWN, Kind.HTML):
        pytest.skip("any text is one")

    for data in (b"", b"\0", b"\xff" * 100, b"%!PS", b"text"):
        with pytest.raises(Broken):
            carrier_of(kind).read(data)


def chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + kind + payload + zlib.crc32(kind + payload).to_bytes(4)


def segment(payload: bytes, marker: int = 0xE1) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2) + payload


def png(middle: bytes) -> bytes:
    plain = image("PNG")
    return plain[:33] + middle + plain[33:]


def jpeg(middle: bytes) -> bytes:
    plain = image("JPEG")
    return plain[:2] + middle + plain[2:]


def gif(middle: bytes) -> bytes:
    plain = image("GIF")
    at = 13 + (3 << (plain[10] & 7) + 1)
    return plain[:at] + middle + plain[at:]


def overlapping_exif() -> bytes:
    entries = struct.pack("<HHII", 0x010E, 2, 60_000, 100) * 4000
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 4000) + entries + b"Label{" * 1000


def loop(kind: bytes) -> bytes:
    return kind + (8).to_bytes(4, "little") + struct.pack("<HHHII", 1, 256, 4, 1, 1) + (8).to_bytes(4, "little")


def laughs(tail: str) -> bytes:
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + one)} "{f"&{chr(97 + one)};" * 10}">' for one in range(12)
    )
    return f"<!DOCTYPE svg [{entities}]>{tail}".encode()


def package(relations: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr("_rels/.rels", relations)
        packed.writestr("word/document.xml", "<a/>")
    return out.getvalue()


def backwards(number: int) -> bytes:
    made, before = bytearray(b"%PDF-1.4\n"), b""
    for _one in range(number):
        at = len(made)
        made += b"xref\n0 0\ntrailer\n<</Size 3" + before + b">>\n"
        before = b"/Prev %d" % at
    return bytes(made) + b"startxref\n%d\n%%%%EOF" % at


def trailer(content: bytes) -> bytes:
    return b"%PDF-1.4\nxref\n0 0\ntrailer\n" + content + b"\nstartxref\n9\n%%EOF"


ALIASES = "".join(f"  {chr(98 + one)}: &{chr(98 + one)} [{','.join([f'*{chr(97 + one)}'] * 9)}]\n" for one in range(20))
HOSTILE: dict[str, tuple[Kind, Callable[[int], bytes]]] = {
    "many chunks": (Kind.PNG, lambda n: png(chunk(b"zzZz", b"") * n)),
    "texts without end": (Kind.PNG, lambda n: png(chunk(b"tEXt", b"a\0AIGC{") * n)),
    "labels without end": (Kind.PNG, lambda n: png(chunk(b"tEXt", b"AIGC\0" + VALUE.encode()) * 5000)),
    "texts that inflate": (Kind.PNG, lambda n: png(chunk(b"zTXt", b"a\0\0" + zlib.compress(b"AIGC{" * n)) * 5)),
    "many segments": (Kind.JPEG, lambda n: jpeg(segment(b"x") * n)),
    "fill bytes": (Kind.JPEG, lambda n: jpeg(b"\xff" * n)),
    "overlapping exif": (Kind.JPEG, lambda n: jpeg(segment(overlapping_exif()) * 20)),
    "a loop of directories": (Kind.TIFF, lambda n: loop(b"II*\0")),
    "many extensions": (Kind.GIF, lambda n: gif(b"\x21\xfe\x01a\0" * n)),
    "many sub-blocks": (Kind.GIF, lambda n: gif(b"\x21\xfe" + b"\x01a" * n + b"\0")),
    "many elements": (Kind.SVG, lambda n: SVG[:-7].encode() + b"<g>" * n + b"AIGC"),
    "half comments": (Kind.SVG, lambda n: b"<!DOCTYPE " + b'<!-- " -->' * n + b"<svg>"),
    "entities": (Kind.SVG, lambda n: laughs("<svg><desc>&m;AIGC</desc></svg>")),
    "many beginnings": (Kind.SVG, lambda n: SVG[:-7].encode() + b"<!-- AIGC{ -->" * 20_000 + b"</svg>"),
    "open comments": (Kind.HTML, lambda n: b"<!doctype html>" + b"<!--" * n),
    "many attributes": (Kind.HTML, lambda n: b"<meta " + b"a= " * n),
    "metas without end": (Kind.HTML, lambda n: b"<meta name=AIGC content=1>" * n),
    "aliases": (Kind.MARKDOWN, lambda n: f"---\nAIGC:\n  a: &a [1,1,1]\n{ALIASES}---\n".encode()),
    "deep yaml": (Kind.MARKDOWN, lambda n: b"---\nAIGC: " + b"[" * 20_000 + b"\n---\n"),
    "front matter without end": (Kind.MARKDOWN, lambda n: b"---\n" + b"--- x\n" * n),
    "deep json": (Kind.JSON, lambda n: b'{"AIGC":' + b"[" * n + b"]" * n + b"}"),
    "one name ten thousand times": (Kind.JSON, lambda n: b"{" + b",".join([b'"AIGC":{"Label":1}'] * 10**4) + b"}"),
    "deep relations": (Kind.DOCX, lambda n: package(b"<a>" * 20_000 + b"t" * 1000 + b"</a>" * 20_000)),
    "relations that inflate": (Kind.DOCX, lambda n: package(b"<a>" + b" " * (32 << 20) + b"</a>")),
    "updates without end": (Kind.PDF, lambda n: backwards(5000)),
    "deep values": (Kind.PDF, lambda n: trailer(b"[" * n)),
    "open parentheses": (Kind.PDF, lambda n: trailer(b"<</A " + b"(" * n)),
    "values without end": (Kind.PDF, lambda n: trailer(b"<<" + b"/AIGC(a)" * n + b">>")),
    "sections without end": (Kind.PDF, lambda n: b"%PDF-1.4\nxref\n" + b"0 0\n" * n + b"startxref\n9\n%%EOF"),
}


def bounded(kind: Kind, data: bytes) -> None:
    """Read and write a file made to keep a reader busy."""
    try:
        assert len(carrier_of(kind).read(data)) <= MAX_FOUND
    except Broken as refused:
        assert str(refused)
    try:
        made = applied(data, carrier_of(kind).write(data, VALUE))
    except (Broken, Unwritable) as refused:
        assert str(refused)
    else:
        assert len(made) < len(data) + 10_000


@pytest.mark.parametrize(("kind", "make"), HOSTILE.values(), ids=HOSTILE)
def test_a_file_made_to_keep_a_reader_busy_is_bounded(kind: Kind, make: Callable[[int], bytes]) -> None:
    bounded(kind, make(2 * 10**4))


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "make"), HOSTILE.values(), ids=HOSTILE)
def test_a_file_with_a_million_parts_is_bounded_too(kind: Kind, make: Callable[[int], bytes]) -> None:
    bounded(kind, make(10**6))
