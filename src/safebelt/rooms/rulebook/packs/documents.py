"""YAML that remembers its lines: one pass over the parser's events gives the data and the line of every part.

Read as YAML 1.2 reads it, plus ISO dates: `no`, `yes` and `on` are words, `1e25` is a number, a key is always text.
Anchors, aliases, tags, several documents in one file and keys that stand twice are refused, each with its line.
Bytes and depth are bounded before anything is built, so that a foreign file cannot exhaust the reader.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from typing import Any

import yaml

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.packs.findings import Finding, finding

MAX_BYTES = 1_000_000
"""A file of law or a description larger than this is no text a person wrote."""

MAX_DEPTH = 40
"""Deepest nesting; a condition of law rarely passes ten."""

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL knows no NUL, and no encoding knows half a surrogate."""

_MAX_DIGITS = 40
"""Longer runs of digits are an identifier, not a quantity."""


@dataclass(slots=True)
class Spot:
    """The line of one node, and the spots of what is in it."""

    line: int
    parts: dict[str | int, "Spot"] = field(default_factory=dict)

    def at(self, path: Path) -> int:
        """Return the line of the nearest node on the path that is really in the file."""
        here = self
        for step in path:
            inner = here.parts.get(step)
            if inner is None:
                break
            here = inner
        return here.line


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file as plain data, with its lines.

    Attributes:
        file: Name for messages.
        data: Mappings, lists, text, numbers, dates, booleans and None; None where nothing could be read.
        spot: Lines.
        findings: What is wrong with the file as YAML.
    """

    file: str
    data: Any
    spot: Spot
    findings: tuple[Finding, ...] = ()

    def where(self, path: Path = ()) -> tuple[str, int]:
        """Return file and line of a part."""
        return self.file, self.spot.at(path)


def read_document(raw: bytes | str, file: str) -> Document:
    """Read a YAML (or JSON) file of at most `MAX_BYTES`; never raises, whatever the bytes are."""
    text, wrong = _decoded(raw, file)
    if wrong:
        return Document(file=file, data=None, spot=Spot(1), findings=(wrong,))
    if text.lstrip()[:1] in ("{", "[") and file.endswith(".json"):
        return _read_json(text, file)
    return _read_yaml(text, file)


def _decoded(raw: bytes | str, file: str) -> tuple[str, Finding | None]:
    size = len(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return "", finding(
            (file, 1),
            "size",
            Text(
                zh=f"文件有 {size} 字节，超过上限 {MAX_BYTES}。",
                en=f"The file has {size} bytes; the limit is {MAX_BYTES}.",
            ),
            Text(zh="请拆成几个文件，或删去无关内容。", en="Split it, or take out what does not belong."),
        )
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        text.encode("utf-8")
    except UnicodeError as error:
        line = (
            raw[: error.start].count(b"\n") + 1
            if isinstance(raw, bytes) and isinstance(error, UnicodeDecodeError)
            else 1
        )
        return "", finding(
            (file, line),
            "encoding",
            Text(zh="文件不是 UTF-8 编码。", en="The file is not UTF-8 text."),
            Text(zh="请用编辑器另存为 UTF-8。", en="Save it as UTF-8 in your editor."),
        )
    return text, None


def _read_json(text: str, file: str) -> Document:
    """Read JSON: its grammar is checked by a JSON parser, its lines come from the YAML one."""
    try:
        json.loads(text)
    except RecursionError:
        return Document(file=file, data=None, spot=Spot(1), findings=(_too_deep((file, 1)),))
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        what = Text(zh=f"不是正确的 JSON：{error}。", en=f"Not valid JSON: {error}.")
        hint = Text(zh="请检查该行的逗号、引号和括号。", en="Check commas, quotes and brackets in that line.")
        return Document(file=file, data=None, spot=Spot(1), findings=(finding((file, line), "syntax", what, hint),))
    # A tab can only stand between the tokens of valid JSON, where YAML would not have it.
    return _read_yaml(_SURROGATES.sub(_joined, text.replace("\t", " ")), file)


_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def _joined(pair: re.Match[str]) -> str:
    """Join two escaped surrogates, which JSON allows and YAML does not."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return pair[1] + chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _read_yaml(text: str, file: str) -> Document:
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if not builder.take(event):
                break
    except yaml.YAMLError as error:
        builder.findings.append(_syntax(error, file))
        return Document(file=file, data=None, spot=Spot(1), findings=tuple(builder.findings))
    return Document(file=file, data=builder.root, spot=builder.spot, findings=tuple(builder.findings))


def scalar(text: str) -> Any:
    """Read an unquoted word: YAML 1.2 core schema, and ISO dates.

    >>> scalar("1e25"), scalar("no"), scalar("2026-07-27")
    (1e+25, 'no', datetime.date(2026, 7, 27))
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-." or len(text) > _MAX_DIGITS:
        return text
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(text) if text.lstrip("+-").isdigit() else number if isfinite(number) else text


def _line(event: yaml.Event) -> int:
    """The line an event starts in, from 1."""
    return event.start_mark.line + 1 if event.start_mark else 1


class _Builder:
    """Builds data and lines from the parser's events, with an explicit stack: depth cannot exhaust Python's."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Any = None
        self.spot = Spot(1)
        self.findings: list[Finding] = []
        self._stack: list[tuple[Any, Spot]] = []
        self._key: list[tuple[str, int] | None] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> bool:
        """Take one event; False ends the reading."""
        match event:
            case yaml.ScalarEvent():
                self._refuse_extras(event)
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._refuse_extras(event)
                return self._open({}, event)
            case yaml.SequenceStartEvent():
                self._refuse_extras(event)
                return self._open([], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()
                self._key.pop()
            case yaml.AliasEvent():
                self._say(event, "aliases", *_ALIAS)
                self._put(None, _line(event))
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._say(event, "one-document", *_SEVERAL)
                    return False
        return True

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line = _line(event)
        if _NO_TEXT.search(event.value):
            self._say(event, "encoding", *_UNPRINTABLE)
        if self._stack and isinstance(self._stack[-1][0], dict) and self._key[-1] is None:
            self._name(event.value, line)
            return
        is_plain = (event.implicit[0] and event.style is None) or event.style == ""
        self._put(scalar(event.value) if is_plain else event.value, line)

    def _name(self, name: str, line: int) -> None:
        if name in self._stack[-1][0]:
            what = Text(zh=f"键 {name} 重复出现。", en=f"The key {name} stands more than once.")
            hint = Text(zh="请合并为一处。", en="Keep one of them.")
            self.findings.append(finding((self.file, line), "duplicate-keys", what, hint))
        self._key[-1] = (name, line)

    def _put(self, value: Any, line: int) -> Spot:
        spot = Spot(line)
        if not self._stack:
            self.root, self.spot = value, spot
            return spot
        holder, around = self._stack[-1]
        if isinstance(holder, list):
            around.parts[len(holder)] = spot
            holder.append(value)
            return spot
        named = self._key[-1]
        if named is None:  # an alias or a collection as a key
            self._key[-1] = ("", line)
            return spot
        spot.line = named[1]
        holder[named[0]] = value
        around.parts[named[0]] = spot
        self._key[-1] = None
        return spot

    def _open(self, value: Any, event: yaml.Event) -> bool:
        line = _line(event)
        if len(self._stack) >= MAX_DEPTH:
            self.findings.append(_too_deep((self.file, line)))
            return False
        if self._stack and isinstance(self._stack[-1][0], dict) and self._key[-1] is None:
            self._say(event, "keys", *_ODD_KEY)
        self._stack.append((value, self._put(value, line)))
        self._key.append(None)
        return True

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            self._say(event, "aliases", *_ALIAS)
        if event.tag not in (None, "!"):
            self._say(event, "tags", *_TAG)

    def _say(self, event: yaml.Event, rule: str, what: Text, hint: Text) -> None:
        self.findings.append(finding((self.file, _line(event)), rule, what, hint))


_UNPRINTABLE = (
    Text(zh="这里有空字符或残缺字符。", en="A NUL or half a character stands here."),
    Text(zh="请删去 \\0、\\uD800 之类的转义。", en="Take escapes such as \\0 or \\uD800 away."),
)
_ALIAS = (
    Text(zh="这里用了 YAML 锚点或别名（& 或 *）。", en="An anchor or alias (& or *) stands here."),
    Text(
        zh="请把内容写全；以 & 或 * 开头的文字要加引号。",
        en="Write the content out; put text that starts with & or * in quotes.",
    ),
)
_TAG = (
    Text(zh="这里用了 YAML 标签（!…）。", en="A YAML tag (!…) stands here."),
    Text(zh="请去掉标签；以 ! 开头的文字要加引号。", en="Take it away; put text that starts with ! in quotes."),
)
_SEVERAL = (
    Text(zh="一个文件里有多份 YAML 文档（---）。", en="The file holds several YAML documents (---)."),
    Text(zh="请拆成几个文件。", en="Put each into a file of its own."),
)
_ODD_KEY = (
    Text(zh="键必须是文字。", en="A key must be text."),
    Text(zh="请检查该行的缩进和括号。", en="Check the indentation and the brackets in this line."),
)


def _too_deep(where: tuple[str, int]) -> Finding:
    return finding(
        where,
        "depth",
        Text(zh=f"嵌套超过 {MAX_DEPTH} 层。", en=f"More than {MAX_DEPTH} levels are nested here."),
        Text(zh="请拆分，例如用命名条件（terms）。", en="Split it, for example with named conditions (terms)."),
    )


_ADVICE: tuple[tuple[str, Text], ...] = (
    (
        "mapping values are not allowed",
        Text(
            zh="多半是一段文字里有“: ”，请给整段文字加引号；或者缩进不齐。",
            en='Most likely a text holds ": "; put the whole text in quotes. Or the indentation is uneven.',
        ),
    ),
    (
        "cannot start any token",
        Text(
            zh="文字以特殊字符开头时请加引号；缩进用空格，不用制表符。",
            en="Quote a text that starts with a special character; indent with spaces, not tabs.",
        ),
    ),
    (
        "did not find expected ',' or",
        Text(
            zh="花括号或方括号里：文字含逗号、冒号或括号时请加引号，并检查括号是否闭合。",
            en="Inside { } or [ ]: quote a text that holds a comma, colon or bracket, and close every bracket.",
        ),
    ),
    (
        "did not find expected",
        Text(zh="请检查该行及上一行的缩进和引号。", en="Check indentation and quotes in this line and the one before."),
    ),
    ("could not find expected ':'", Text(zh="请检查是否漏了冒号或引号。", en="Check for a missing colon or quote.")),
)
_ADVICE_ELSE = Text(zh="请检查该行的缩进、引号和括号。", en="Check indentation, quotes and brackets in this line.")


def _syntax(error: yaml.YAMLError, file: str) -> Finding:
    """Say a syntax error of the parser with the advice that usually helps."""
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable")
    hint = next((advice for needle, advice in _ADVICE if needle in problem), _ADVICE_ELSE)
    what = Text(zh=f"不是正确的 YAML：{problem}。", en=f"Not valid YAML: {problem}.")
    return finding((file, mark.line + 1 if mark else 1), "syntax", what, hint)


def strings(data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text in plain data with its path."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from strings(value, (*path, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from strings(value, (*path, place))
