"""Markdown: the label as a map `AIGC` in the YAML front matter; all other lines stay as they are.

Sources: TC260-PG-20258A (a map with the seven keys, `Label: '1'`); YAML 1.2.2, 7.3 (quoting).  Front matter is between
a first line `---` and a line `---` or `...`, as the common processors (Jekyll, Hugo, Pandoc) read it.
"""

import json
import re
from typing import Any

import yaml

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import MAX_LABEL_BYTES, Buffer, Edit, Found, Unwritable
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.values import as_line, is_label_object

MAX_FRONT_MATTER = 1 << 18
"""Longest front matter looked for, in bytes."""
_FENCE = re.compile(rb"---[ \t]*(\r\n|\n)")
_CLOSING = re.compile(rb"^(?:---|\.\.\.)[ \t]*(?:\r\n|\n|\Z)", re.MULTILINE)
_KEY = re.compile(rb"^(?:AIGC|'AIGC'|\"AIGC\")[ \t]*:(?=[ \t\r\n]|\Z)", re.MULTILINE)
_NEXT = re.compile(rb"^(?![ \t]|#|\r|\n|\})[^\r\n]", re.MULTILINE)
"""A line that begins another key: neither indented nor blank nor a comment."""
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_MAX_BRACKETS = 100
"""Brackets in a label, those in its texts included: deeper nesting costs the parser more than it is worth."""
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML (5.1, 5.4) does not let stand for itself within a line."""
_MAX_NODES = 1000
"""Nodes of a label, aliases counted as often as they are used."""


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    text = TextFile.of(data, "a Markdown file", limit=2 * MAX_FRONT_MATTER)
    matter = front_matter(text.utf8)
    if matter is None:
        return []
    return [
        Found(place="front matter AIGC", value=value, is_native=True, at=text.offset(start), length=end - start)
        for start, end, value in blocks(text.utf8, *matter)
    ]


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the front matter; raises `Broken` and `Unwritable`."""
    text = TextFile.of(data, "a Markdown file", limit=2 * MAX_FRONT_MATTER)
    matter = front_matter(text.utf8)
    newline = _newline(text.utf8)
    block = _block(as_line(value), newline)
    if matter is None:
        return text.edit([(0, 0, newline.join([b"---", block + b"---", b""]) + (newline if text.utf8 else b""))])
    old = blocks(text.utf8, *matter)
    at = old[0][0] if old else matter[1]
    ended = b"" if at == matter[0] or text.utf8[at - 1 : at] == b"\n" else newline
    return text.edit([(at, at, ended + block), *((start, end, b"") for start, end, _value in old)])


def front_matter(text: bytes) -> tuple[int, int] | None:
    """Return where the lines between the fences are, or None where there is no front matter."""
    opening = _FENCE.match(text)
    if opening is None:
        return None
    closing = _CLOSING.search(text, opening.end(), opening.end() + MAX_FRONT_MATTER)
    return (opening.end(), closing.start()) if closing else None


def blocks(text: bytes, start: int, end: int) -> list[tuple[int, int, str]]:
    """Return the labels among top-level keys: where each begins and ends, and its value as JSON.

    Args:
        text: The file, in UTF-8.
        start: Where the front matter begins.
        end: Where it ends.
    """
    found, at = list[tuple[int, int, str]](), start
    while (key := _KEY.search(text, at, end)) and len(found) < 64:
        following = _NEXT.search(text, _line_end(text, key.end(), end), end)
        at = _trimmed(text, key.end(), following.start() if following else end)
        value = _value(text[key.end() : min(at, key.end() + 2 * MAX_LABEL_BYTES)])
        if value is not None:
            found.append((key.start(), at, value))
    return found


def _line_end(text: bytes, at: int, end: int) -> int:
    newline = text.find(b"\n", at, end)
    return end if newline < 0 else newline + 1


def _trimmed(text: bytes, start: int, end: int) -> int:
    """Leave blank lines and comments before the next key to what follows."""
    lines = text[start:end].splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].startswith(b"#")):
        end -= len(lines.pop())
    return end


def _value(block: bytes) -> str | None:
    """Return a block's value as JSON, or None where it is no label."""
    try:
        if block.count(b"[") + block.count(b"{") > _MAX_BRACKETS:
            raise ValueError("too many brackets for a label")
        node = yaml.compose("AIGC:" + block.decode(errors="replace"), Loader=yaml.SafeLoader)
        value = _plain(node.value[0][1], []) if isinstance(node, yaml.MappingNode) and node.value else None
    except (yaml.YAMLError, RecursionError, ValueError):
        value = block.decode(errors="replace").strip()
    if not is_label_object(value):
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(node: yaml.Node, seen: list[yaml.Node]) -> Any:
    """Return what a node says, texts as they are written: a number that could be mistaken for one stays a number.

    Args:
        node: The node.
        seen: Nodes so far.

    Raises:
        ValueError: They are too many.
    """
    seen.append(node)
    if len(seen) > _MAX_NODES:
        raise ValueError("too many nodes for a label")
    if isinstance(node, yaml.MappingNode):
        return {str(_plain(key, seen)): _plain(value, seen) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, seen) for item in node.value]
    if node.tag == "tag:yaml.org,2002:int" and _INTEGER.fullmatch(node.value):
        return int(node.value)
    return node.value


def _newline(text: bytes) -> bytes:
    line = re.search(rb"\r?\n", text[:65536])
    return line.group() if line else b"\n"


def _block(line: str, newline: bytes) -> bytes:
    """Return the map with its keys, each value in single quotes as the guide writes them."""
    try:
        label = json.loads(line)
    except (ValueError, RecursionError):
        label = None
    if not isinstance(label, dict) or not label:
        raise Unwritable(
            Text(
                zh="写入文本标识需要一个 JSON 对象。",
                en="The label's value must be a JSON object with the label's keys.",
            )
        )
    lines = ["AIGC:", *(f"  {_quoted(key)}: {_text(value)}" for key, value in label.items())]
    return newline.join([*(one.encode() for one in lines), b""])


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key) else _text(key)


def _text(value: Any) -> str:
    """Write a value: texts in single quotes, in double ones where a character needs it; all else as JSON is written."""
    if not isinstance(value, str):
        return json.dumps(value)
    if not _UNPRINTABLE.search(value):
        return "'" + value.replace("'", "''") + "'"
    return '"' + _UNPRINTABLE.sub(_escaped, value.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"
