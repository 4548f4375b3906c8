"""New samples in an old file: what the file says of itself beside them stays, chunk by chunk and tag by tag."""

import struct

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import mp3 as mp3_file
from safebelt.rooms.labelling.formats import ogg as ogg_file
from safebelt.rooms.labelling.formats import riff
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Unwritable

_ID3V1_BYTES = 128
_STREAM_INFO, _SEEK_TABLE = 0, 3
"""Blocks of FLAC (RFC 9639, 8.1) that tell of the samples, and are the new file's."""
_LAST = 0x80
_PAGE, _BEGINS = b"OggS\x00", 0x02
_WAVE_HEAD = 12
_FACT = b"fact"
"""Chunk that says how many samples there are (Multimedia Programming Interface and Data Specifications 1.0, 1991)."""


def wave(old: Buffer, samples: bytes, length: int) -> bytes:
    """Return a WAVE file with other samples, coded as those it has.

    Args:
        old: The file.
        samples: The new ones.
        length: How many of each channel.

    Raises:
        Unwritable: It is no plain RIFF file whose sizes are as they are.
        Broken: It has no samples.
    """
    head = bytes(old[:_WAVE_HEAD])
    if head[:4] != b"RIFF" or head[8:] != b"WAVE" or struct.unpack_from("<I", head, 4)[0] + 8 > len(old):
        raise Unwritable(
            Text(zh="WAV 文件不是大小完整的普通 RIFF 文件。", en="The WAV file is no plain RIFF file of a stated size.")
        )
    end = struct.unpack_from("<I", head, 4)[0] + 8
    pieces, is_there = [b"WAVE"], False
    for chunk in riff.chunks(old, _WAVE_HEAD, end):
        if chunk.kind == b"data" and not is_there:
            pieces.append(riff.made(b"data", samples))
            is_there = True
        elif chunk.kind == _FACT and chunk.stop - chunk.body >= 4:
            pieces.append(riff.made(_FACT, struct.pack("<I", length) + bytes(old[chunk.body + 4 : chunk.stop])))
        else:
            pieces.append(bytes(old[chunk.start : chunk.end]))
    if not is_there:
        raise Broken("a WAVE file without samples")
    whole = b"".join(pieces)
    if len(whole) >= 1 << 32:
        raise Unwritable(Text(zh="声音文件过大。", en="The sound is too large."))
    return b"RIFF" + struct.pack("<I", len(whole)) + whole + bytes(old[end:])


def mp3(old: Buffer, new: bytes) -> bytes:
    """Return new frames with the old file's tags: ID3v2 before them, ID3v2.4 and ID3v1 after them."""
    tags = mp3_file.tags(old)
    before = [tag for number, tag in enumerate(tags) if tag.start == (tags[number - 1].end if number else 0)]
    after = [tag for tag in tags if tag not in before]
    has_v1 = len(old) >= _ID3V1_BYTES and bytes(old[len(old) - _ID3V1_BYTES :][:3]) == b"TAG"
    last = bytes(old[len(old) - _ID3V1_BYTES :]) if has_v1 else b""
    return b"".join(
        [
            *(bytes(old[tag.start : tag.end]) for tag in before),
            _without_tags(new),
            *(bytes(old[tag.start : tag.end]) for tag in after),
            last,
        ]
    )


def _without_tags(new: bytes) -> bytes:
    tags = mp3_file.tags(new)
    start = tags[0].end if tags and tags[0].start == 0 else 0
    end = len(new) - _ID3V1_BYTES if new[-_ID3V1_BYTES:][:3] == b"TAG" else len(new)
    return new[start:end]


def flac(old: Buffer, new: bytes) -> bytes:
    """Return new frames with the old file's blocks, but for what tells of the samples.

    Raises:
        Broken: The old file's blocks do not add up.
    """
    at = next((tag.end for tag in mp3_file.tags(old)[:1] if tag.start == 0), 0)
    kept = [block for block in _blocks(old, at)[0] if block[0] & ~_LAST not in (_STREAM_INFO, _SEEK_TABLE)]
    mine, frames = _blocks(new, 0)
    blocks = [mine[0], *kept]
    marked = [bytes([block[0] & ~_LAST]) + block[1:] for block in blocks]
    marked[-1] = bytes([marked[-1][0] | _LAST]) + marked[-1][1:]
    return bytes(old[:at]) + b"fLaC" + b"".join(marked) + new[frames:]


def _blocks(data: Buffer, start: int) -> tuple[list[bytes], int]:
    """Return the metadata blocks with their heads, and where the frames begin."""
    if bytes(data[start : start + 4]) != b"fLaC":
        raise Broken("a FLAC file that does not begin as one")
    at, blocks = start + 4, list[bytes]()
    while not blocks or not blocks[-1][0] & _LAST:
        end = at + 4 + int.from_bytes(data[at + 1 : at + 4])
        if at + 4 > len(data) or end > len(data):
            raise Broken("a FLAC block that ends beyond the file")
        blocks.append(bytes(data[at:end]))
        at = end
    return blocks, at


def ogg_streams(data: Buffer) -> int:
    """Return how many streams begin in an Ogg file (RFC 3533, 6: flag 0x02 of a page); two are enough to know."""
    count, at = 0, data.find(_PAGE)
    while at >= 0 and count < 2:
        count += bool(bytes(data[at + 5 : at + 6]) and data[at + 5] & _BEGINS)
        at = data.find(_PAGE, at + 4)
    return count


def ogg(old: Buffer, new: bytes) -> Edit:
    """Return the edit that puts the old file's comments into the new one."""
    return ogg_file.with_comments_of(new, old)
