"""Files made to keep a reader busy are given up after bounded work: counted in what is looked at, not in seconds."""

import struct
from types import ModuleType

import pytest
from tests.rooms.labelling.formats import test_flac as flacs
from tests.rooms.labelling.formats import test_flv as flvs
from tests.rooms.labelling.formats import test_heif as heifs
from tests.rooms.labelling.formats import test_matroska as films
from tests.rooms.labelling.formats import test_mp3 as mp3s
from tests.rooms.labelling.formats import test_mp4 as mp4s
from tests.rooms.labelling.formats import test_ogg as oggs
from tests.rooms.labelling.formats.media import LABEL, LONGER, labelled, mutations, outcome
from tests.rooms.labelling.formats.test_riff import FORMAT, info, made, opendml, riffed

from safebelt.rooms.labelling.formats import ebml, flac, flv, heif, id3, matroska, mp3, mp4, ogg, riff, xmp
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Unwritable


def test_many_empty_elements_together_are_one_room() -> None:
    data = films.film(front=ebml.void(2) * 40_000, wide=4)

    assert len(labelled(data, matroska)) == len(data)


def test_script_data_of_more_values_than_anybody_writes_are_broken() -> None:
    nulls = b"\x0a" + struct.pack(">I", 300_000) + b"\x05" * 300_000

    with pytest.raises(Broken):
        flv.read(flvs.HEAD + flvs.tag(18, flvs.array(flvs.named("a", nulls))))
    with pytest.raises(Broken):
        flv.read(flvs.HEAD + flvs.tag(18, flvs.array()) * 20)


def test_a_long_list_of_offsets_is_one_value() -> None:
    places = flvs.named("keyframes", b"\x03" + flvs.named("filepositions", flvs.numbers(*[1] * 300_000)) + b"\0\0\x09")

    assert flv.read(flvs.HEAD + flvs.tag(18, flvs.array(places)) + flvs.FRAMES) == []


def test_items_that_share_one_large_packet_are_not_read_one_by_one() -> None:
    packet = heifs.KEPT + b" " * (MAX_METADATA_BYTES // 4)
    data = heifs.image(packet=packet)
    one = heifs.entry(0, 0x4400, 2, data.index(packet), len(packet))
    many = b"".join(struct.pack(">H", number) + one[2:] for number in range(2, 12))
    infes = b"".join(heifs.infe(number, b"mime", b"XMP\0application/rdf+xml\0") for number in range(2, 12))
    hdlr = heifs.full(b"hdlr", bytes(4) + b"pict" + bytes(13))
    iloc = heifs.full(b"iloc", struct.pack(">HH", 0x4400, 10) + many)
    iinf = heifs.full(b"iinf", struct.pack(">H", 10) + infes)
    meta = heifs.full(b"meta", hdlr + heifs.full(b"pitm", b"\0\1") + iloc + iinf)

    with pytest.raises(Broken):
        heif.read(data[:20] + meta + data)


def test_comments_are_not_looked_for_behind_thousands_of_foreign_pages() -> None:
    begins = b"".join(oggs.page(0, oggs.HEADS["opus"][0], flags=2, serial=number) for number in range(200))
    data = begins + oggs.page(9, b"", serial=999) * 5000

    with pytest.raises(Broken):
        ogg.read(data)


def test_an_index_of_indexes_of_indexes_is_not_followed() -> None:
    def index(target: int) -> bytes:
        entries = struct.pack("<QII", target, 40, 1) * 1000
        return made(b"indx", struct.pack("<HBBI4s12x", 4, 0, 0, 1000, b"00dc") + entries)

    strl = made(b"LIST", b"strl" + index(12 + 24))
    data = riffed(b"AVI ", made(b"LIST", b"hdrl" + strl), made(b"LIST", b"movi"))

    try:
        labelled(data, riff)
    except (Broken, Unwritable) as refused:
        assert LABEL not in str(refused)


def built() -> dict[ModuleType, list[bytes]]:
    """Files of many parts, with labels in several places, for each carrier."""
    tagged = [
        mp3s.tag(version, mp3s.title(version) + mp3s.user(version, "aigc", LABEL) + bytes(40)) + mp3s.SOUND
        + mp3s.ape(("AIGC", LABEL), ("a", "b")) + mp3s.V1
        for version in (2, 3, 4)
    ]  # fmt: skip
    footed = mp3s.tag(4, mp3s.title(4), 0x10) + mp3s.SOUND + mp3s.tag(4, mp3s.user(4, "AIGC", LABEL), 0x10)
    tags = films.made(films.TAGS, films.tag(films.simple("aigc", LABEL), films.simple("A", "b")))
    waves = riffed(b"WAVE", FORMAT, made(b"AIGC", b"{}"), made(b"_PMX", xmp.merged(None, LABEL)), made(b"data", b"odd"),
                   info(aigc=LABEL, INAM="Kept"), made(b"id3 ", id3.fresh(LABEL)))  # fmt: skip
    avi = riffed(b"AVI ", info(ISFT="x", AIGC=LABEL), made(b"JUNK", bytes(99)), made(b"LIST", b"movi"), info(AIGC="{}"))
    blocks = flacs.block(4, flacs.comments("aigc=" + LABEL)) + flacs.block(1, bytes(300), last=True)
    return {
        mp4: [data for data, _kept in mp4s.wild().values()],
        heif: [heifs.image(), heifs.image(packet=heifs.KEPT, version=1, in_idat=True),
               heifs.image(packet=xmp.merged(heifs.KEPT, LABEL), version=2, between=heifs.made(b"free", bytes(500)))],
        matroska: [films.film(**options) for options, _place in films.CASES.values()]
        + [films.film(front=tags + ebml.void(30) + tags, back=tags, checked=True, room=40)],
        riff: [waves, avi, opendml()],
        mp3: [*tagged, footed, mp3s.tag(3, mp3s.user(3, "AIGC", LABEL) + bytes(20), 0x80) + mp3s.SOUND],
        ogg: [b"".join(oggs.stream("opus", "A=b") + oggs.stream("vorbis", "AIGC=" + LABEL, setup=b"\5x"))],
        flv: [flvs.film(flvs.named("AIGC", flvs.text(LABEL)), flvs.named("title", flvs.text("x")))],
        flac: [id3.fresh(LABEL) + b"fLaC" + flacs.block(0, flacs.STREAM) + blocks + flacs.SOUND],
    }  # fmt: skip


def _trial(seed: int, count: int) -> None:
    for number, (by, files) in enumerate(built().items()):
        for data in files:
            labelled(labelled(data, by, LONGER), by)
        for data in mutations(seed + number, count, files):
            assert outcome(data, by) in ("broken", "unwritable", "labelled")


def test_files_of_many_parts_that_are_mutated_are_given_up_or_come_out_with_one_label() -> None:
    _trial(1, 60)


@pytest.mark.soak
def test_ten_thousand_files_of_many_parts_that_are_mutated_are_given_up_or_come_out_with_one_label() -> None:
    _trial(1_000, 1_300)
