"""YAML that remembers its lines, and refuses what a foreign file must not do."""

import json
import time
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from safebelt.rooms.rulebook.packs.documents import MAX_BYTES, MAX_DEPTH, read_document, scalar


def rules(text: str | bytes, name: str = "a.yaml") -> list[tuple[str, int]]:
    return [(one.rule, one.line) for one in read_document(text, name).findings]


def test_words_of_older_yaml_are_the_words_they_are() -> None:
    document = read_document("on: 2026-11-22\nyes: no\nno: on\noff: {y: n}\n", "a.yaml")

    assert document.data == {"on": date(2026, 11, 22), "yes": "no", "no": "on", "off": {"y": "n"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e25", 1e25), ("1.0e+25", 1e25), ("-3", -3), ("007", 7), ("1.10", 1.1), ("true", True), ("null", None), ("", None),
        ("2026-02-30", "2026-02-30"), ("1_000", "1_000"), ("0x10", "0x10"), ("12:30", "12:30"), (".inf", ".inf"), ("1e999", "1e999"),
        ("9" * 50, "9" * 50), ("-", "-"), ("None", "None"),
    ],
)  # fmt: skip
def test_an_unquoted_word_is_read_as_yaml_1_2_reads_it(text, value) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_quotes_make_text_of_anything() -> None:
    assert read_document("a: '1'\nb: \"true\"\nc: |\n  2026-01-01\n", "a.yaml").data == {
        "a": "1",
        "b": "true",
        "c": "2026-01-01\n",
    }


def test_every_part_knows_its_line() -> None:
    document = read_document("a:\n  b:\n    - x\n    - {c: 1,\n       d: 2}\n", "f.yaml")

    assert document.where(("a",)) == ("f.yaml", 1)
    assert document.where(("a", "b", 1, "d")) == ("f.yaml", 5)
    assert document.where(("a", "b", 1, "nothing", "there")) == ("f.yaml", 4)


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "duplicate-keys", 3), ("a: &x 1\nb: 2\n", "aliases", 1), ("a: 1\nb: *x\n", "aliases", 2),
        ("a: !!python/object:os.system x\n", "tags", 1), ("a: 1\n---\nb: 2\n", "one-document", 2), ("a: 1\n? [x, y]\n: 2\n", "keys", 2),
        ("a: b: c\n", "syntax", 1), ("a: 1\n\tb: 2\n", "syntax", 2), ("a: \x00\n", "syntax", 1), (b"a: 1\nb: \xff\n", "encoding", 2),
        ("a: '\n", "syntax", 2), ("x" * (MAX_BYTES + 1), "size", 1), ("a: " + "[" * (MAX_DEPTH + 5), "depth", 1), ("\ud800", "encoding", 1),
    ],
    ids=lambda part: str(part)[:20],
)  # fmt: skip
def test_what_a_file_must_not_do_is_refused_with_its_line(text, rule, line) -> None:
    assert (rule, line) in rules(text)


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    begun = time.process_time()

    found = rules(bomb)

    assert ("aliases", 1) in found
    assert time.process_time() - begun < 1


def test_json_is_read_with_lines_tabs_and_escaped_pairs() -> None:
    text = '{\n\t"a": "\\ud83d\\ude00\\/",\n\t"b": [1e25, null, "\\\\ud83d"]\n}'

    document = read_document(text, "a.json")

    assert document.findings == ()
    assert document.data == json.loads(text)
    assert document.where(("b", 2)) == ("a.json", 3)


@pytest.mark.parametrize("text", ['{"a": 1,}', "{'a': 1}", '{"a": NaN', "[" * 100_000])
def test_bad_json_is_said_to_be_bad(text) -> None:
    assert rules("{" + text[1:] if text[0] == "{" else text, "a.json")


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8) | st.dates(date(1000, 1, 1)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_what_is_written_by_a_yaml_writer_is_read_back(data) -> None:
    text = yaml.safe_dump({"root": data}, allow_unicode=True)
    words = [one for one in _strings(data) if one != one.strip() or not one.isprintable()]

    document = read_document(text, "a.yaml")

    if "&id" not in text and not words:
        assert document.data == {"root": data}


def _strings(data):
    if isinstance(data, str):
        yield data
    for one in data if isinstance(data, list) else [*data, *data.values()] if isinstance(data, dict) else ():
        yield from _strings(one)


@given(st.binary(max_size=400) | st.text(max_size=400))
def test_no_bytes_raise(raw) -> None:
    read_document(raw, "a.yaml")
    read_document(raw, "a.json")
