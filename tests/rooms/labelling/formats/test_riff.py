"""WAV and AVI: a chunk of its own, and no index that points elsewhere."""

import struct

import pytest
from tests.rooms.labelling.formats.media import LABEL, LONGER, label, labelled, sample

from safebelt.rooms.labelling.formats import id3, riff, xmp
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.riff import chunks, made

FORMAT = made(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8))


def riffed(form: bytes, *inside: bytes) -> bytes:
    return made(b"RIFF", form + b"".join(inside))


def info(**fields: str) -> bytes:
    return made(
        b"LIST", b"INFO" + b"".join(made(name.encode(), text.encode() + b"\0") for name, text in fields.items())
    )


def inner(data: bytes) -> list[bytes]:
    return [chunk.kind for chunk in chunks(data, 12, 8 + struct.unpack_from("<I", data, 4)[0])]


def test_the_chunk_of_a_wav_stands_behind_the_sound_and_the_lengths_agree() -> None:
    data = sample("a.wav")

    new = labelled(data, riff)

    assert inner(new) == [*inner(data), b"AIGC"]
    assert struct.unpack_from("<I", new, 4)[0] == len(new) - 8
    assert new[8 : len(data)] == data[8:]


def test_a_sound_of_odd_length_without_its_padding_gets_it_before_another_chunk() -> None:
    data = riffed(b"WAVE", FORMAT, made(b"data", b"odd")[:-1])
    data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]

    new = labelled(data, riff)

    assert inner(new) == [b"fmt ", b"data", b"AIGC"]
    assert struct.unpack_from("<I", new, 4)[0] == len(new) - 8


def test_a_stream_without_lengths_gets_its_chunk_before_the_sound() -> None:
    new = labelled(sample("stream.wav"), riff)

    assert new.index(b"AIGC") < new.index(b"data")
    assert struct.unpack_from("<I", new, 4)[0] == 0xFFFFFFFF


def test_the_long_length_of_an_rf64_grows_and_its_short_one_stays_open() -> None:
    data = sample("rf64.wav")

    new = labelled(data, riff)

    assert new[:8] == b"RF64\xff\xff\xff\xff"
    assert struct.unpack_from("<Q", new, 20)[0] == len(new) - 8
    assert struct.unpack_from("<Q", new, 28) == struct.unpack_from("<Q", data, 28)


def test_labels_anywhere_else_in_a_wav_are_read_and_give_way_while_their_neighbours_stay() -> None:
    tag = id3.fresh(LABEL)
    data = riffed(
        b"WAVE", FORMAT, made(b"AIGC", LABEL.encode()), info(INAM="Kept", aigc=LABEL), made(b"aigc", b"{}"),
        made(b"_PMX", xmp.merged(None, LABEL)), made(b"data", b"sound!"), made(b"id3 ", tag), made(b"LIST", b"adtl"),
    )  # fmt: skip
    assert [found.is_native for found in riff.read(data)] == [True, False, False, False, False]

    new = labelled(data, riff)

    assert inner(new) == [b"fmt ", b"INFO", b"_PMX", b"data", b"id3 ", b"adtl", b"AIGC"]
    assert made(b"INAM", b"Kept\0") in new


def test_an_avi_takes_the_label_out_of_the_junk_before_its_frames_which_stay_where_they_are() -> None:
    data = sample("a.avi")

    new = labelled(data, riff)

    assert len(new) == len(data)
    assert new[new.index(b"movi") :] == data[data.index(b"movi") :]
    assert data.index(b"movi") == new.index(b"movi")


def test_an_avi_without_room_gets_a_list_behind_its_index() -> None:
    data = riffed(
        b"AVI ", made(b"LIST", b"hdrl"), info(ISFT="Kept"), made(b"LIST", b"movi00dc"), made(b"idx1", b"1234")
    )

    new = labelled(data, riff)

    assert inner(new) == [b"hdrl", b"INFO", b"movi", b"idx1", b"INFO"]
    assert new.startswith(data[8 : len(data)], 8)
    assert inner(labelled(new, riff, LONGER)) == [b"hdrl", b"INFO", b"movi", b"idx1", b"INFO"]


def test_a_label_that_leaves_a_list_before_the_frames_leaves_junk_of_its_length() -> None:
    data = riffed(b"AVI ", info(ISFT="Kept", AIGC=label("r")), made(b"LIST", b"movi00dc"))

    new = labelled(data, riff, LONGER)

    assert inner(new) == [b"INFO", b"JUNK", b"movi", b"INFO"]
    assert new.index(b"movi") == data.index(b"movi")
    assert b"Kept" in new


def opendml(grown: int = 0) -> bytes:
    """An AVI of two parts: the index of the stream names that of the second part, which counts from its frames."""

    def built(second: int, base: int) -> bytes:
        index = struct.pack("<HBBI4s12x", 4, 0, 0, 1, b"00dc") + struct.pack("<QII", second, 40, 1)
        strl = made(b"LIST", b"strl" + made(b"indx", index))
        first = riffed(b"AVI ", made(b"LIST", b"hdrl" + strl), made(b"LIST", b"movi"), made(b"idx1", bytes(16)))
        standard = struct.pack("<HBBI4sQI", 2, 0, 1, 1, b"00dc", base, 0) + struct.pack("<II", 12, 4)
        return first + riffed(b"AVIX", made(b"LIST", b"movi" + made(b"ix00", standard) + made(b"00dc", b"kept")))

    data = built(0, 0)
    return built(data.index(b"ix00"), data.rindex(b"movi"))


def test_indexes_of_later_parts_point_to_the_same_bytes() -> None:
    def pointed(data: bytes) -> tuple[bytes, bytes]:
        second = struct.unpack_from("<Q", data, data.index(b"indx") + 32)[0]
        base = struct.unpack_from("<Q", data, data.index(b"ix00") + 20)[0]
        return data[second : second + 4], data[base : base + 4]

    assert pointed(opendml()) == (b"ix00", b"movi")

    new = labelled(opendml(), riff)

    assert len(new) > len(opendml())
    assert pointed(new) == (b"ix00", b"movi")
    assert new[12 : 12 + 40] == opendml()[12 : 12 + 40]


def test_an_unfinished_avi_without_room_is_refused() -> None:
    data = riffed(b"AVI ", made(b"LIST", b"hdrl"))
    data = b"RIFF\xff\xff\xff\xff" + data[8:] + b"LIST\xff\xff\xff\xffmovi00dc"

    with pytest.raises(Unwritable):
        riff.write(data, LABEL)


def test_a_file_at_the_limit_of_four_gigabytes_is_refused() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return 0xFFFFFFF0 + 8

    head = b"RIFF" + struct.pack("<I", 0xFFFFFFF0) + b"WAVE" + FORMAT
    head += b"data" + struct.pack("<I", 0xFFFFFFF0 - len(head))

    with pytest.raises(Unwritable) as refused:
        riff.write(Long(head), LABEL)

    assert "RF64" in refused.value.why.en


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", riffed(b"WAVE", FORMAT)[:-1], riffed(b"WAVE", made(b"fmt ", b"")[:4] + b"\xff\xff\xff\x7f"),
     b"RF64\xff\xff\xff\xffWAVEfmt "],
)  # fmt: skip
def test_chunks_that_end_beyond_what_holds_them_are_broken(data) -> None:
    with pytest.raises(Broken):
        riff.write(data, LABEL)


def test_more_chunks_than_anybody_writes_are_broken() -> None:
    with pytest.raises(Broken):
        riff.read(riffed(b"WAVE", made(b"abcd", b"") * (riff.MAX_CHUNKS + 1)))
