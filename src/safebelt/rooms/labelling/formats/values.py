"""The value of a label as it goes into a file, and what a label looks like where nothing but its text says so."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_LABEL_BYTES, Broken, Found, Unwritable

_FIELDS = frozenset(
    {"Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"}
    | {"ServiceProvider", "ServiceUser", "ContentId"}
)
"""Keys by which an object shows that it is a label: those of GB 45438-2025 annex E, and those of one cloud's own."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNWRITTEN = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What neither UTF-8 (surrogates) nor XML 1.0 (production 2, noncharacters) carries safely."""
_NAMED = re.compile(
    r'"AIGC\\{0,8}"\s{0,64}:\s{0,64}(?=(?:\\{0,8}")?\{)|AIGC[=:]?\s{0,4}(?=\{)|(?=\{\s{0,64}\\{0,8}"Label\\{0,8}"\s{0,64}:)'
)
"""Where a label begins in loose text: `"AIGC": {`, `\\"AIGC\\": {`, `"AIGC": "{`, the `AIGC{` glued by some; bare."""
_TRIES = 4 * MAX_LABEL_BYTES
"""Characters read in vain before a text is given up, beside a quarter of it: what keeps the search fast."""
_WRAPS = re.compile(r"\{\s{0,64}\\*$")
_UNWRAPS = re.compile(r"(?:\\*\")?\s{0,64}\}")


@dataclass(frozen=True, slots=True)
class Loose:
    """A label in loose text.

    Attributes:
        start: Where it begins, with its wrapper, in characters.
        end: Where it ends.
        value: What stands between.
    """

    start: int
    end: int
    value: str


def as_line(value: str) -> str:
    r"""Return a label's value such that every format can hold it.

    Args:
        value: One line of JSON.

    Returns:
        The same JSON; what is no character (lone surrogates, noncharacters) stands as `\uXXXX`.

    Raises:
        Unwritable: It is too long, or more than one line.
    """
    line = _UNWRITTEN.sub(lambda found: f"\\u{ord(found.group()):04x}", value).strip(" ")
    if _CONTROL.search(line):
        raise Unwritable(
            Text(
                zh="标识的取值必须是一行 JSON，不能含有控制字符。",
                en="The label's value must be one line of JSON without control characters.",
            )
        )
    if len(line.encode()) > MAX_LABEL_BYTES:
        raise Unwritable(
            Text(
                zh=f"标识的取值超过 {MAX_LABEL_BYTES} 字节；请缩短各字段。",
                en=f"The label's value is longer than {MAX_LABEL_BYTES} bytes; shorten its fields.",
            )
        )
    return line


def is_label(value: str) -> bool:
    """Whether a text is a label by its keys: bare or wrapped, and whatever was escaped once too often."""
    return len(value) <= MAX_LABEL_BYTES and "{" in value and any(field in value for field in _FIELDS)


def is_label_object(value: Any) -> bool:
    """Whether parsed JSON or YAML is a label: an object with its keys, one around it, or a text with one."""
    if isinstance(value, dict):
        inner = value.get("AIGC")
        return bool(_FIELDS & value.keys()) or (isinstance(inner, dict) and bool(_FIELDS & inner.keys()))
    return isinstance(value, str) and is_label(value)


def in_text(text: str) -> list[Loose]:
    r"""Return the labels that stand somewhere in a text, as `{"AIGC":{…}}` or as `AIGC{…}`.

    Args:
        text: What a comment, a description or a segment holds.
    """
    found = list[Loose]()
    for loose in _each(text):
        if not found or loose.start >= found[-1].end:
            found.append(loose)
        if len(found) >= MAX_FOUND:
            break
    return found


def in_bytes(data: bytes) -> list[Loose]:
    """Return the labels that stand somewhere in bytes, at offsets in bytes, as UTF-8."""
    if b"AIGC" not in data and b"Label" not in data:
        return []
    return [
        Loose(loose.start, loose.end, loose.value.encode("latin-1").decode(errors="replace"))
        for loose in in_text(data.decode("latin-1"))
    ]


def collected(findings: Iterable[Found]) -> list[Found]:
    """Return what a reader found before it was done, or before the file turned out to be broken.

    Raises:
        Broken: It is broken, and nothing was found before.
    """
    kept = list[Found]()
    try:
        for one in findings:
            kept.append(one)
            if len(kept) >= MAX_FOUND:
                break
    except Broken:
        if not kept:
            raise
    except Unwritable as error:  # encrypted: it cannot be read either
        if not kept:
            raise Broken(str(error)) from error
    return kept


def _each(text: str) -> Iterator[Loose]:
    at, budget = 0, _TRIES + len(text) // 4
    while budget > 0 and (name := _NAMED.search(text, at)):
        at = name.end()
        opening = text.index("{", at)
        end = object_end(text, opening)
        if end is None or not is_label(text[opening:end]):
            at = max(at, opening + 1)
            budget -= min(len(text) - opening, MAX_LABEL_BYTES)
            continue
        yield _wrapped(text, name.start(), opening, end)
        at = end


def _wrapped(text: str, start: int, opening: int, end: int) -> Loose:
    """Take in the outer braces where there are some and nothing else is in them."""
    if start == opening:
        return Loose(opening, end, text[opening:end])
    before, after = _WRAPS.search(text[max(0, start - 128) : start]), _UNWRAPS.match(text, end)
    if text[start] == '"' and before is not None and after is not None:
        start, end = start - len(before.group()), after.end()
        return Loose(start, end, text[start:end])
    return Loose(start, end, text[opening:end])


def object_end(text: str, opening: int) -> int | None:
    """Return where the object ends whose brace opens at `opening`, or None where that is not within a label's length.

    Braces in its strings do not count, unless the quotes are escaped themselves: then all braces count.
    """
    piece = text[opening : opening + MAX_LABEL_BYTES]
    try:
        return opening + json.JSONDecoder().raw_decode(piece)[1]
    except (ValueError, RecursionError):
        return _braces_end(piece, opening)


def _braces_end(piece: str, opening: int) -> int | None:
    depth = 0
    for brace in re.finditer(r"[{}]", piece):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return opening + brace.end()
    return None
