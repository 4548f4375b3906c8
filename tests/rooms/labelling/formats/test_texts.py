"""Markdown, HTML, JSON and plain text: every other byte stays, and a second parser reads what was written."""

import html.parser
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html
from tests.rooms.labelling.formats.still_files import (
    HTML,
    JSON,
    MARKDOWN,
    OTHER,
    VALUE,
    WRAPPED,
    alone,
    label,
    marked,
    values,
)

from safebelt.rooms.labelling.formats import html as page
from safebelt.rooms.labelling.formats import jsonfile, markdown, txt
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind

BLOCK = """AIGC:
  Label: '1'
  ContentProducer: '001191110102MACQD9K64010000'
  ProduceID: 'rec-01'
  ReservedCode1: '<&>''\\"();'
  ContentPropagator: ''
  PropagateID: ''
  ReservedCode2: ''
"""
labels = st.builds(label, st.text(max_size=30), st.text(max_size=30), st.sampled_from("123"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "---\n" + BLOCK + "---\n"),
        ("# 题\n", "---\n" + BLOCK + "---\n\n# 题\n"),
        ("---\n---\n", "---\n" + BLOCK + "---\n"),
        (MARKDOWN, MARKDOWN.replace("b]\n---", "b]\n" + BLOCK + "---")),
        ("---\na: 1\n...\nx", "---\na: 1\n" + BLOCK + "...\nx"),
        ('---\nAIGC: \'{"Label":"3"}\'\nb: |\n  AIGC: x\n---\n', "---\n" + BLOCK + "b: |\n  AIGC: x\n---\n"),
        (
            "---\n# c\nAIGC:\n    Label: 1\n    # in\n\n# of b\nb: 1\n---\n",
            "---\n# c\n" + BLOCK + "\n# of b\nb: 1\n---\n",
        ),
        (
            "---\nAIGC: {Label: '1',\n  ProduceID: x\n}\nb: 1\nAIGC: {Label: '2'}\n---\n",
            "---\n" + BLOCK + "b: 1\n---\n",
        ),
        ("---\nAIGC: my essay\n---\n", "---\nAIGC: my essay\n" + BLOCK + "---\n"),
        ("----\nno front matter\n", "---\n" + BLOCK + "---\n\n----\nno front matter\n"),
    ],
)
def test_markdown_gets_the_map_of_the_guide_and_keeps_all_other_lines(before: str, after: str) -> None:
    made = marked(before.encode(), VALUE, Kind.MARKDOWN)

    assert made.decode() == after
    assert alone(markdown.read(made), VALUE)
    assert marked(made, VALUE, Kind.MARKDOWN) == made
    assert marked(marked(made, OTHER, Kind.MARKDOWN), VALUE, Kind.MARKDOWN) == made


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_markdown_keeps_its_encoding_and_its_ends_of_line(codec: str) -> None:
    made = marked(MARKDOWN.replace("\n", "\r\n").encode(codec), VALUE, Kind.MARKDOWN)

    assert made.decode(codec) == MARKDOWN.replace("b]\n---", "b]\n" + BLOCK + "---").replace("\n", "\r\n")


@settings(max_examples=25, deadline=None)
@given(labels)
def test_a_second_parser_reads_the_same_label_in_markdown(value: str) -> None:
    made = marked(MARKDOWN.encode(), value, Kind.MARKDOWN)

    front = yaml.safe_load(made.decode().split("---\n")[1])
    assert front.pop("AIGC") == json.loads(value)
    assert front == {"title": "标题", "tags": ["a", "b"]}
    assert [json.loads(one) for one, _native in values(made, Kind.MARKDOWN)] == [json.loads(value)]


def test_a_number_in_front_matter_stays_a_number_so_that_its_fault_is_seen() -> None:
    found = markdown.read(b"---\nAIGC:\n  Label: 1\n  ProduceID: 0012\n---\n")

    assert [one.value for one in found] == ['{"Label":1,"ProduceID":"0012"}']


class Metas(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = list[dict[str, str | None]]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            self.found.append(dict(attrs))


PAGES = [
    HTML,
    "<p>no head at all",
    "",
    "<!doctype html><script>'</head>'</script><style>a</style><body>",
    "<html><head><title>a<b></title><!-- </head> --></head><body>",
    '<html><HEAD><META NAME=AIGC CONTENT="{}"><meta property="TC260:AIGC" content="a>b"></HEAD><body>',
    f"<head><!-- {WRAPPED} --><!-- kept --></head>",
    f'<head><script type="application/ld+json">{WRAPPED}</script></head>',
    '<html lang="a>b"><body><meta name="AIGC" content="in the body">',
    "\ufeff<!DOCTYPE html>\n<link rel=x href=y/>\n<h1>",
]


@pytest.mark.parametrize("text", PAGES)
def test_a_page_gets_one_meta_in_its_head_and_keeps_its_text(text: str) -> None:
    data = text.encode()

    made = marked(data, VALUE, Kind.HTML)

    assert alone(page.read(made), VALUE)
    assert marked(made, VALUE, Kind.HTML) == made
    assert alone(page.read(marked(made, OTHER, Kind.HTML)), OTHER)
    parser = Metas()
    parser.feed(made.decode("utf-8-sig"))
    assert {"name": "AIGC", "content": VALUE} in parser.found
    tree = lxml_html.document_fromstring(made.removeprefix(b"\xef\xbb\xbf"))
    assert VALUE in tree.xpath("//head/meta[@name='AIGC']/@content")
    if b"AIGC" not in data:
        new = made[made.index(b'<meta name="AIGC"') :].partition(b">")[0] + b">"
        assert made.replace(new, b"").replace(b"<head></head>", b"") == data.replace(b"<head></head>", b"")


def test_the_declaration_of_the_encoding_stays_before_the_label() -> None:
    made = marked(HTML.encode(), OTHER, Kind.HTML)

    assert made.index(b"charset") < 1024 < made.index(b"</head>")


@pytest.mark.parametrize("codec", ["gbk", "big5", "utf-16", "windows-1252"])
def test_a_page_in_another_encoding_is_kept_and_labelled(codec: str) -> None:
    text = HTML.replace("utf-8", codec).replace("页", "e").replace("正文", "a")

    made = marked(text.encode(codec), label("编号"), Kind.HTML)

    assert [json.loads(one)["ProduceID"] for one, _native in values(made, Kind.HTML)] == ["编号"]
    assert made.decode(codec).partition("<meta name")[0] == text.partition("</head>")[0]


@settings(max_examples=25, deadline=None)
@given(labels)
def test_a_second_parser_reads_the_same_label_in_a_page(value: str) -> None:
    made = marked(HTML.encode(), value, Kind.HTML)

    content = lxml_html.document_fromstring(made).xpath("//meta[@name='AIGC']/@content")
    assert [json.loads(one) for one in content] == [json.loads(value)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{"AIGC":%s}'),
        (" {\n}", ' {"AIGC":%s\n}'),
        (JSON, JSON.replace("{\n", '{\n  "AIGC":%s,\n', 1)),
        ('{"a":1,"AIGC":{"Label":"3"}}', '{"a":1,"AIGC":%s}'),
        ('{"AIGC":"{\\"Label\\":\\"1\\"}" ,"b":"}"}', '{"AIGC":%s ,"b":"}"}'),
        ('{"\\u0041IGC":{"Label":1}, "z":0, "AIGC":{}}', '{"\\u0041IGC":%s, "z":0}'),
        ("\ufeff{\"a\":[{}]}", '\ufeff{"AIGC":%s,"a":[{}]}'),
    ],
)  # fmt: skip
def test_json_gets_the_member_and_keeps_every_other_byte(before: str, after: str) -> None:
    made = marked(before.encode(), VALUE, Kind.JSON)

    assert made.decode() == after.replace("%s", VALUE)
    assert json.loads(made.decode("utf-8-sig"))["AIGC"] == json.loads(VALUE)
    assert alone(jsonfile.read(made), VALUE)
    assert marked(marked(made, OTHER, Kind.JSON), VALUE, Kind.JSON) == made


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=9), st.lists(st.none() | st.integers() | st.text(max_size=9), max_size=3), max_size=4
    )
)
def test_any_object_keeps_its_members(content: dict[str, object]) -> None:
    for text in (json.dumps(content), json.dumps(content, ensure_ascii=False, indent=2)):
        data = text.encode("utf-8", errors="ignore")
        made = json.loads(marked(data, VALUE, Kind.JSON))

        assert made.pop("AIGC") == json.loads(VALUE)
        assert made == {key: value for key, value in json.loads(data).items() if key != "AIGC"}


@pytest.mark.parametrize("data", [b"[]", b'"x"', b"1", b"null", b" [{}]"])
def test_json_without_members_asks_for_a_file_beside_it(data: bytes) -> None:
    with pytest.raises(Unwritable) as refused:
        marked(data, VALUE, Kind.JSON)

    assert ".aigc.json" in refused.value.why.zh and ".aigc.json" in refused.value.why.en
    assert jsonfile.read(data) == []


@pytest.mark.parametrize(
    "data", [b"", b"{", b"{'a':1}", b'{"a":NaN}', b"{} x", b'{"a":"\xff"}', b"{" + b'"a":[' * 5000]
)
def test_what_is_no_json_is_broken(data: bytes) -> None:
    with pytest.raises(Broken):
        jsonfile.read(data)


def test_plain_text_takes_no_label_and_says_what_to_do() -> None:
    with pytest.raises(Unwritable) as refused:
        txt.write("正文".encode(), VALUE)

    assert ".aigc.json" in refused.value.why.zh and "notice" in refused.value.why.en


@pytest.mark.parametrize(
    "text",
    [
        "---\n" + BLOCK + "---\nbody",
        "body\n" + VALUE + "\n",
        "body\n\n" + VALUE + " \n\n",
        "body\n<!-- " + VALUE + " -->",
        VALUE,
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_others_put_into_plain_text_is_found(text: str, codec: str) -> None:
    assert values(text.encode(codec), Kind.TXT) == [(VALUE, False)]


@pytest.mark.parametrize(
    "text", ["", "AIGC", "about " + VALUE + " in a sentence", VALUE + "\nmore", "---\ntitle: AIGC\n---\n"]
)
def test_a_text_that_only_speaks_of_labels_has_none(text: str) -> None:
    assert txt.read(text.encode()) == []
