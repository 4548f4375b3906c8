"""MP4 and QuickTime: the label among the film's metadata; other metadata stays, and no offset points elsewhere."""

import struct

import pytest
from tests.rooms.labelling.formats.media import LABEL, LONGER, copied, labelled, sample

from safebelt.rooms.labelling.formats import boxes as boxes_
from safebelt.rooms.labelling.formats import mp4, offsets
from safebelt.rooms.labelling.formats.boxes import Box, boxes, made
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable, applied
from safebelt.rooms.labelling.formats.patches import Change, Moves

XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">'
    b'<TC260:AIGC>{"Label":"3"}</TC260:AIGC><TC260:Other>kept</TC260:Other></rdf:Description></rdf:RDF></x:xmpmeta>'
)
FRAMES = b"frames, which stay as they are"


def full(kind: bytes, body: bytes, flags: int = 0, version: int = 0) -> bytes:
    return made(kind, bytes((version,)) + flags.to_bytes(3) + body)


def handler(kind: bytes) -> bytes:
    return full(b"hdlr", bytes(4) + kind + bytes(13))


def listed(key: bytes | int, value: str) -> bytes:
    kind = key if isinstance(key, bytes) else struct.pack(">I", key)
    return made(kind, made(b"data", struct.pack(">II", 1, 0) + value.encode()))


def keys(*names: bytes) -> bytes:
    entries = b"".join(struct.pack(">I", 8 + len(name)) + b"mdta" + name for name in names)
    return full(b"keys", struct.pack(">I", len(names)) + entries)


def mdta(names: list[bytes], values: list[tuple[int, str]]) -> bytes:
    return full(b"meta", handler(b"mdta") + keys(*names) + made(b"ilst", b"".join(listed(*one) for one in values)))


def mdir(*entries: bytes) -> bytes:
    return full(b"meta", handler(b"mdir") + made(b"ilst", b"".join(entries)))


def film(*in_moov: bytes, between: bytes = b"", table: bytes = b"stco", front: bool = True, tail: bytes = b"") -> bytes:
    """A film of one chunk: its table holds the offset of FRAMES."""

    def moov(offset: int) -> bytes:
        entry = struct.pack(">I", offset) if table == b"stco" else struct.pack(">Q", offset)
        stbl = made(b"stbl", full(table, struct.pack(">I", 1) + entry))
        return made(b"moov", made(b"trak", made(b"mdia", made(b"minf", stbl))) + b"".join(in_moov))

    ftyp, mdat = made(b"ftyp", b"isom\0\0\0\0"), made(b"mdat", FRAMES)
    if front:
        at = len(ftyp) + len(moov(0)) + len(between) + 8
        return ftyp + moov(at) + between + mdat + tail
    return ftyp + mdat + between + moov(len(ftyp) + 8) + tail


def find(data: bytes, *path: bytes) -> Box:
    at, end, found = 0, len(data), None
    for kind in path:
        found = next(box for box in boxes(data, at, end, is_file=found is None) if box.kind == kind)
        at, end = found.body + (4 if kind == b"meta" else 0), found.end
    assert found is not None
    return found


def chunk(data: bytes, table: bytes = b"stco") -> bytes:
    """What the film's table of chunks points to."""
    box = find(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", table)
    at = int.from_bytes(data[box.body + 8 : box.end])
    return data[at : at + len(FRAMES)]


@pytest.mark.parametrize("table", [b"stco", b"co64"])
@pytest.mark.parametrize("front", [True, False])
def test_the_table_of_chunks_points_to_the_same_bytes(table, front) -> None:
    data = film(table=table, front=front)
    assert chunk(data, table) == FRAMES

    assert chunk(labelled(data, mp4), table) == FRAMES
    assert chunk(labelled(data, mp4, LONGER), table) == FRAMES


def test_a_table_of_another_file_is_left_alone() -> None:
    elsewhere = full(b"dref", struct.pack(">I", 1) + full(b"url ", b"file:other\0"))
    stbl = made(b"stbl", full(b"stco", struct.pack(">II", 1, 4000)))
    data = film(made(b"trak", made(b"mdia", made(b"minf", made(b"dinf", elsewhere) + stbl))))

    new = labelled(data, mp4)

    assert stbl in new
    assert chunk(new) == FRAMES


@pytest.mark.parametrize("spare", [0, 8, 50])
def test_free_space_behind_the_film_takes_up_the_label_so_that_nothing_moves(spare) -> None:
    needed = len(labelled(film(), mp4)) - len(film())
    data = film(between=struct.pack(">I4s", needed + spare, b"free") + b"x" * (needed + spare - 8))

    new = labelled(data, mp4)

    assert len(new) == len(data)
    assert data.index(FRAMES) == new.index(FRAMES)
    assert copied(mp4.write(data, LABEL)) < 400


def test_free_space_that_would_leave_a_box_shorter_than_its_header_is_not_used() -> None:
    needed = len(labelled(film(), mp4)) - len(film())

    new = labelled(film(between=made(b"free", bytes(needed + 4 - 8))), mp4)

    assert chunk(new) == FRAMES
    assert made(b"free", bytes(needed - 4)) in new


def test_what_a_shorter_label_frees_becomes_free_space() -> None:
    data = labelled(film(), mp4, LONGER)

    new = labelled(data, mp4, LABEL)

    assert len(new) == len(data)
    assert chunk(new) == FRAMES


def test_other_keys_stay_and_keep_their_values_when_a_label_between_them_goes() -> None:
    data = film(
        made(b"udta", mdta([b"one", b"aigc", b"three"], [(1, "1"), (2, '{"Label":"3"}'), (3, "3"), (1, "again")]))
    )
    assert [found.is_native for found in mp4.read(data)] == [False]

    new = labelled(data, mp4)

    assert keys(b"one", b"three", b"AIGC") in new
    assert made(b"ilst", listed(1, "1") + listed(2, "3") + listed(1, "again") + listed(3, LABEL)) in new


def test_an_itunes_list_and_other_user_data_stay_as_they_are_beside_ours() -> None:
    kept = mdir(listed(b"\xa9nam", "Kept"), listed(b"\xa9too", "somebody")) + made(b"\xa9xyz", b"\0\x05\x15\xc7+1-2/")
    data = film(made(b"udta", kept))

    new = labelled(data, mp4)

    user_data = find(new, b"moov", b"udta")
    assert new[user_data.body :].startswith(kept)
    assert [box.kind for box in boxes_.inside(new, user_data)] == [b"meta", b"\xa9xyz", b"meta"]


def test_the_zero_that_ends_user_data_in_quicktime_stays_its_end() -> None:
    new = labelled(film(made(b"udta", made(b"\xa9nam", b"\0\x04\0\0Kept") + bytes(4))), mp4)

    user_data = find(new, b"moov", b"udta")
    assert new[user_data.end - 4 : user_data.end] == bytes(4)


def test_a_meta_of_quicktime_without_version_is_read_and_kept_so() -> None:
    old = made(b"meta", handler(b"mdta") + keys(b"AIGC") + made(b"ilst", listed(1, '{"Label":"2"}')))
    data = film(made(b"udta", old))

    new = labelled(data, mp4)

    assert new[find(new, b"moov", b"udta", b"meta").body :][4:8] == b"hdlr"


def wild() -> dict[str, tuple[bytes, bytes]]:
    """Labels as others left them, and what of each must stay."""
    packet = made(b"uuid", XMP_BOX + PACKET)
    freeform = made(b"----", full(b"mean", b"com.apple.iTunes") + full(b"name", b"AIGC") + listed(0, LABEL)[8:])
    comment = listed(b"\xa9cmt", '{"AIGC":' + LABEL + "}")
    return {
        "a bare list under moov, without keys": (film(mdir(listed(b"AIGC", LABEL), listed(b"\xa9nam", "Kept"))), b"Kept"),
        "a wrapped label in a comment": (film(mdir(comment, listed(b"\xa9nam", "Kept"))), b"Kept"),
        "a free-form name": (film(made(b"udta", mdir(freeform, listed(b"\xa9nam", "Kept")))), b"Kept"),
        "keys under moov": (film(mdta([b"com.x.AIGC", b"k"], [(1, LABEL), (2, "Kept")])), b"Kept"),
        "classic user data": (film(made(b"udta", made(b"AIGC", b"\0\x0d\x15\xc7" + b'{"Label":"1"}'))), b"moov"),
        "a track's user data": (film(made(b"trak", made(b"udta", made(b"aigc", LABEL.encode())))), b"trak"),
        "XMP beside the film": (film(tail=packet), b"<TC260:Other>kept"),
        "XMP before the frames": (film(between=packet), b"<TC260:Other>kept"),
        "XMP in user data": (film(made(b"udta", made(b"XMP_", PACKET))), b"<TC260:Other>kept"),
        "metadata of the file": (film(between=mdta([b"AIGC", b"k"], [(1, LABEL), (2, "Kept")])), b"Kept"),
    }  # fmt: skip


@pytest.mark.parametrize("variant", wild())
def test_a_label_that_others_put_elsewhere_is_read_and_gives_way_to_ours(variant) -> None:
    data, kept = wild()[variant]
    found = mp4.read(data)
    assert [one.is_native for one in found] == [False]
    assert "Label" in found[0].value

    new = labelled(data, mp4)

    assert kept in new
    assert chunk(new) == FRAMES


def test_of_several_labels_each_is_read_and_one_is_left() -> None:
    parts = made(b"udta", mdta([b"AIGC"], [(1, LABEL), (1, LONGER)])) + mdir(listed(b"AIGC", LABEL))
    data = film(parts, tail=made(b"uuid", XMP_BOX + PACKET))

    assert [one.is_native for one in mp4.read(data)] == [True, True, False, False]
    labelled(data, mp4)


def test_a_long_length_of_the_film_and_frames_that_reach_to_the_end_are_kept() -> None:
    data = film()
    moov = find(data, b"moov")
    grown = data[: moov.start] + struct.pack(">I4sQ", 1, b"moov", moov.end - moov.start + 8) + data[moov.body :]
    entry = find(grown, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco").body + 8
    moved = struct.pack(">I", int.from_bytes(grown[entry : entry + 4]) + 8)
    long = grown[:entry] + moved + grown[entry + 4 :]
    mdat = long.index(b"mdat") - 4
    open_ = long[:mdat] + bytes(4) + long[mdat + 4 :]

    new = labelled(open_, mp4)

    assert find(new, b"moov").is_long
    assert find(new, b"mdat").is_open
    assert chunk(new) == FRAMES


def test_fragments_their_index_and_the_table_at_the_end_point_to_the_same_bytes() -> None:
    def built(base: int, moof: int) -> bytes:
        tfhd = full(b"tfhd", struct.pack(">IQ", 1, base), flags=1)
        head = made(b"ftyp", b"isom\0\0\0\0") + made(b"moov", made(b"trak", b""))
        part = made(b"moof", made(b"traf", tfhd)) + made(b"mdat", FRAMES)
        tfra = full(b"tfra", struct.pack(">IIIIIBBB", 1, 0, 1, 0, moof, 1, 1, 1))
        return head + part + made(b"mfra", tfra + full(b"mfro", struct.pack(">I", 0)))

    whole = built(0, 0)
    data = built(whole.index(FRAMES), whole.index(b"moof") - 4)

    new = labelled(data, mp4)

    tfhd, tfra = find(new, b"moof", b"traf", b"tfhd"), find(new, b"mfra", b"tfra")
    base = int.from_bytes(new[tfhd.body + 8 : tfhd.body + 16])
    moof = int.from_bytes(new[tfra.body + 20 : tfra.body + 24])
    assert new[base : base + len(FRAMES)] == FRAMES
    assert new[moof + 4 : moof + 8] == b"moof"


def test_an_index_before_the_film_still_ends_where_its_fragments_begin() -> None:
    def built(distance: int) -> bytes:
        sidx = full(b"sidx", struct.pack(">IIIIHH", 1, 1, 0, distance, 0, 0))
        moov, moof = made(b"moov", made(b"trak", b"")), made(b"moof", b"") + made(b"mdat", FRAMES)
        return made(b"ftyp", b"isom\0\0\0\0") + sidx + moov + moof

    data = built(len(made(b"moov", made(b"trak", b""))))

    new = labelled(data, mp4)

    sidx = find(new, b"sidx")
    assert new[sidx.end + int.from_bytes(new[sidx.body + 16 : sidx.body + 20]) :][4:8] == b"moof"


def test_offsets_of_auxiliary_information_move_with_it() -> None:
    saio = full(b"saio", struct.pack(">III", 0x63656E63, 0, 1) + struct.pack(">I", 5000), flags=1)
    data = made(b"moov", made(b"trak", made(b"mdia", made(b"minf", made(b"stbl", saio)))))

    changes = list(offsets.moved(data, list(boxes(data, 0, len(data))), Moves([Change(100, 100, b"1234567")])))

    assert changes == [Change(len(data) - 4, len(data), struct.pack(">I", 5007))]


def test_an_offset_that_would_not_fit_its_field_is_refused() -> None:
    stco = full(b"stco", struct.pack(">II", 1, 0xFFFFFFF0))
    data = film(made(b"trak", made(b"mdia", made(b"minf", made(b"stbl", stco)))))

    with pytest.raises(Unwritable) as refused:
        mp4.write(data, LABEL)

    assert "偏移" in refused.value.why.zh


def test_a_file_without_a_film_or_with_a_compressed_one_is_refused_and_says_why() -> None:
    lone = made(b"styp", b"msdh\0\0\0\0") + made(b"moof", b"") + made(b"mdat", FRAMES)
    compressed = made(b"moov", made(b"cmov", b"\0" * 20)) + made(b"mdat", FRAMES)

    for data, word in ((lone, "moov"), (compressed, "cmov")):
        with pytest.raises(Unwritable) as refused:
            mp4.write(data, LABEL)
        assert word in refused.value.why.zh
        assert word in refused.value.why.en


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\x07moov",
        struct.pack(">I4sQ", 1, b"moov", 15) + bytes(20),
        made(b"ftyp", b"isom"),
        film()[:-5],
        film(made(b"udta", full(b"meta", handler(b"mdta") + full(b"keys", b"\xff\xff\xff\xff") + made(b"ilst", b"")))),
    ],
)
def test_boxes_that_end_beyond_what_holds_them_are_broken(data) -> None:
    with pytest.raises(Broken):
        mp4.read(data)


def test_a_table_that_says_it_is_longer_than_its_box_is_broken() -> None:
    stco = full(b"stco", struct.pack(">II", 0x7FFFFFFF, 1))

    with pytest.raises(Broken):
        mp4.write(film(made(b"trak", made(b"mdia", made(b"minf", made(b"stbl", stco))))), LABEL)


def test_boxes_in_boxes_without_end_do_not_hang_or_crash() -> None:
    for kind in (b"moov", b"trak", b"udta", b"traf", b"meta"):
        data = b""
        for _depth in range(20_000):
            data = made(kind, data) if len(data) < 60_000 else data
        whole = film(data)
        try:
            labelled(whole, mp4)
        except Broken:
            continue


def test_one_label_more_costs_a_film_of_many_chunks_one_table_and_the_rest_is_spans() -> None:
    edit = mp4.write(sample("front.mp4"), LABEL)

    assert copied(edit) < 400
    assert len(edit) < 20
    assert applied(sample("front.mp4"), edit).endswith(sample("front.mp4")[-150:])
