"""An XMP packet takes the label in and keeps everything else, byte by byte; what is no XMP is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.rooms.labelling.formats.still_files import OTHER, VALUE

from safebelt.rooms.labelling.formats import xmp
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.xmp_scan import Label, Scan

PLAIN = '{"Label":"1","ContentProducer":"","ProduceID":"rec-01"}'
NAMESPACE = "{http://www.tc260.org.cn/ns/AIGC/1.0/}"
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
TC = 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
FOREIGN = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Other">\n'
    f' <rdf:RDF {RDF}>\n  <rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/"\n   {TC} '
    'TC260:Other="kept">\n   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">题 &amp; b</rdf:li></rdf:Alt></dc:title>\n'
    '  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n' + " " * 200 + "\n" + '<?xpacket end="w"?>'
)  # fmt: skip


def element(text: str, *, tag: str = "TC260:AIGC", more: str = TC) -> bytes:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" {more}>'
        f"<{tag}>{text}</{tag}></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def test_a_new_packet_holds_the_element_of_the_guide_with_a_bare_start_tag() -> None:
    packet = xmp.merged(None, VALUE)

    root = etree.fromstring(packet)
    assert [one.text for one in root.iter(NAMESPACE + "AIGC")] == [VALUE]
    assert packet.count(b"<TC260:AIGC>") == 1
    assert packet.startswith(b'<?xpacket begin="\xef\xbb\xbf"') and packet.endswith(b"?>")


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_was_there_stays_byte_by_byte_around_the_label(codec: str) -> None:
    packet = FOREIGN.encode(codec)

    made = xmp.merged(packet, VALUE)

    text = made.decode(codec)
    added = re.search(r"<rdf:Description rdf:about=\"uuid:1\" xmlns:TC260.*?</rdf:Description>", text)
    assert added is not None
    assert text.replace(added.group(), "") == packet.decode(codec)
    assert xmp.labels(made) == [VALUE]
    assert xmp.merged(made, VALUE) == made


def test_another_label_takes_the_place_of_the_first_and_nothing_else_changes() -> None:
    made = xmp.merged(FOREIGN.encode(), VALUE)

    again = xmp.merged(made, OTHER)

    assert xmp.labels(again) == [OTHER]
    assert xmp.merged(again, VALUE) == made


@pytest.mark.parametrize(
    "packet",
    [
        element("{}"),
        element('<![CDATA[{"Label":"1"}]]>'),
        element("<rdf:Alt><rdf:li>{}</rdf:li></rdf:Alt>"),
        element("{}", tag="q:AIGC", more='xmlns:q="http://www.tc260.org.cn/ns/AIGC/1.0/"'),
        element("{}", tag="AIGC", more='xmlns="http://www.tc260.org.cn/ns/AIGC/1.0/"'),
        element("{}", more=""),
        element('{"Label":"1"}', tag="own:AIGC", more='xmlns:own="urn:own"'),
        element("", tag="a", more=f'{TC} TC260:AIGC="{{&quot;Label&quot;:&quot;1&quot;}}"'),
    ],
)
def test_a_label_in_any_form_is_found_and_replaced_by_the_one_of_the_guide(packet: bytes) -> None:
    assert len(xmp.labels(packet)) == 1

    made = xmp.merged(packet, VALUE)

    assert [(one.value, one.is_element) for one in xmp.labels_of(made)] == [(VALUE, True)]
    assert len(list(etree.fromstring(made, etree.XMLParser(recover=True)).iter(NAMESPACE + "AIGC"))) == 1


def test_an_attribute_is_read_with_its_entities_decoded() -> None:
    packet = element("", tag="a", more=f'{TC} TC260:AIGC="{{&quot;Label&quot;:&quot;&#49;&quot;}}"')

    assert xmp.labels(packet) == ['{"Label":"1"}']


@pytest.mark.parametrize(
    "packet",
    [
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>",
        b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>",
        b"<RDF xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>",
    ],
)
def test_a_packet_without_properties_gets_its_first(packet: bytes) -> None:
    assert xmp.labels(xmp.merged(packet, VALUE)) == [VALUE]


@pytest.mark.parametrize(
    "packet",
    [
        b"<x:xmpmeta",
        b"<a/>",
        b"no XML at all",
        b"\xff\xfe<\0a",
        b"<!DOCTYPE a><x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&b;</x:xmpmeta>",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b"<a/>" * 200_001 + b"</x:xmpmeta>",
        b" " * (17 << 20),
    ],
    ids=["cut", "other", "text", "half", "doctype", "entity", "many", "long"],
)
def test_what_is_no_xmp_is_refused_when_written(packet: bytes) -> None:
    if packet.strip():
        with pytest.raises(Broken):
            xmp.merged(packet, VALUE)
    else:
        assert xmp.merged(packet, VALUE) == xmp.merged(None, VALUE)


def test_a_broken_packet_is_still_read() -> None:
    packet = b'<x:xmpmeta><TC260:AIGC>{"Label":&quot;1"}</TC260:AIGC><b TC260:AIGC="{&quot;Label&quot;:2}">'

    assert xmp.labels(packet) == ['{"Label":"1"}', '{"Label":2}']
    assert xmp.labels(packet.replace(b"AIGC", b"AIGX")) == []


def test_without_takes_every_label_out_and_only_those() -> None:
    made = xmp.merged(FOREIGN.encode(), VALUE)

    rest = xmp.without(made)

    assert xmp.labels(rest) == []
    assert "题 &amp; b".encode() in rest and b'TC260:Other="kept"' in rest
    assert xmp.without(FOREIGN.encode()) == FOREIGN.encode()


def test_padding_shrinks_only_as_much_as_it_must() -> None:
    packet = FOREIGN.encode()

    assert xmp.shrunk(packet, len(packet)) == packet
    assert len(xmp.shrunk(packet, len(packet) - 50)) == len(packet) - 50
    assert xmp.shrunk(packet, 10).count(b" " * 50) == 0
    assert xmp.labels(xmp.shrunk(xmp.merged(packet, VALUE), 0)) == [VALUE]


@pytest.mark.parametrize("value", ["{\n}", "\x07", "x" * 70_000])
def test_a_value_that_is_no_line_of_json_is_not_written(value: str) -> None:
    with pytest.raises(Unwritable):
        xmp.merged(None, value)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp", "Cs"], exclude_characters="\ufffe\uffff"), max_size=80)
)
def test_any_line_comes_back_as_it_was(text: str) -> None:
    line = "{" + text + "}"

    packet = xmp.merged(FOREIGN.encode(), line)

    assert xmp.labels(packet)[:1] == [line.strip()] or re.search("[\ufdd0-\ufdef]", text)
    assert xmp.merged(packet, line) == packet


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int) -> None:
    packet = xmp.merged(FOREIGN.encode(), VALUE)
    packet = packet[:at] + noise + packet[at:]

    xmp.labels(packet)
    try:
        made = xmp.merged(packet, OTHER)
    except Broken:
        return
    assert xmp.labels(made) == [OTHER]


@given(st.text(st.sampled_from("aZ{}\":,\\ &<>'é\t\n"), max_size=30) | st.just(PLAIN))
def test_what_is_read_of_our_own_packet_at_a_glance_is_what_a_parser_finds_in_it(inner: str) -> None:
    packet = xmp._BEFORE + inner.encode() + xmp._AFTER
    at_a_glance = xmp._own(packet)
    try:
        parsed = [mark.label for mark in Scan(packet).marks]
    except Broken:
        parsed = []

    assert at_a_glance is None or [at_a_glance] == parsed
    if inner.isascii() and inner.isprintable() and not set(inner) & set("&<>"):
        assert at_a_glance is not None


def test_a_packet_that_is_almost_ours_is_the_parsers() -> None:
    packet = xmp.merged(None, PLAIN)
    assert xmp._own(packet) == Label(PLAIN, is_element=True)

    for other in (packet + b" ", packet[1:], packet.replace(b"TC260:AIGC>", b"TC260:AIGX>"), xmp._BEFORE, xmp._AFTER):
        assert xmp._own(other) is None
    twice = packet.replace(b"</rdf:RDF>", b"<rdf:Description/></rdf:RDF>")
    assert xmp._own(twice) is None
    assert xmp.labels(twice) == [PLAIN]
