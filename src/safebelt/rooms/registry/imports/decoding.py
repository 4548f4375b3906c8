"""Bytes to raw records: JSON, tables, and model cards, each with bounds and the place of every fault."""

import csv
import io
import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.imports.bounds import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_DEPTH,
    MAX_FILE_BYTES,
    Unfit,
    unfit,
)
from safebelt.rooms.registry.model.imports import File, Raw
from safebelt.rooms.registry.packs.plain import read_plain

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL knows no NUL, and no encoding knows half a surrogate."""
_SUMMARY_CHARS = 500
"""What a model card says of itself at its beginning; the rest is at its source."""
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)(?:\r?\n)?---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_MARKUP = re.compile(r"<[^>]*>|!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def text_of(file: File) -> str:
    """Return a file's text.

    Raises:
        Unfit: It is too long or not UTF-8, or holds what no database keeps.
    """
    if len(file.content) > MAX_FILE_BYTES:
        raise unfit(
            file.name,
            Text(zh=f"文件超过 {MAX_FILE_BYTES} 字节。", en=f"The file has more than {MAX_FILE_BYTES} bytes."),
            Text(zh="请拆成几个文件。", en="Split it into several files."),
        )
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.content[: error.start].count(b"\n") + 1
        raise unfit(
            f"{file.name}:{line}",
            Text(zh="不是 UTF-8 文本。", en="This is not UTF-8 text."),
            Text(zh="请另存为 UTF-8。", en="Save it as UTF-8."),
        ) from error
    return text


def json_records(file: File) -> Iterator[Raw | Unfit]:
    """Yield the records of a JSON file: one object, a list, or an object whose `records` is the list.

    Raises:
        Unfit: It is no JSON, or holds no records.
    """
    data = _json(file)
    for number, one in enumerate(_listed(data, file.name), start=1):
        where = f"{file.name}#{number}"
        yield Raw(where=where, values=one) if isinstance(one, dict) and _is_sound(one) else _no_record(where)


def _json(file: File) -> Any:
    try:
        return json.loads(text_of(file))
    except RecursionError as error:
        raise unfit(file.name, Text(zh="嵌套过深。", en="It is nested too deeply.")) from error
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        says = Text(zh=f"不是正确的 JSON：{error}。", en=f"Not valid JSON: {error}.")
        raise unfit(f"{file.name}:{line}", says) from error


def _listed(data: Any, name: str) -> list[Any]:
    if isinstance(data, dict):
        inner = data.get("records")
        data = inner if isinstance(inner, list) else [data]
    if not isinstance(data, list):
        raise unfit(name, Text(zh="文件中没有记录。", en="The file holds no records."))
    return data


def table_records(file: File) -> Iterator[Raw | Unfit]:
    """Yield the rows of a table with headings; commas, semicolons and tabs are told apart by the first line.

    Raises:
        Unfit: It has no headings, two alike, or too many.
    """
    text = text_of(file)
    head = text.split("\n", 1)[0]
    mark = max(("\t", ",", ";"), key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    columns = _columns(rows, file.name)
    is_kept = _is_sound(columns) and not _NO_TEXT.search(text)  # of the whole file at once: then of every cell in it
    try:
        for row in rows:
            if any(map(str.strip, row)):
                yield _row(f"{file.name}:{rows.line_num}", columns, row, is_kept=is_kept)
    except csv.Error as error:
        yield unfit(
            f"{file.name}:{rows.line_num}", Text(zh=f"表格有误：{error}。", en=f"The table is broken: {error}.")
        )


def headings_of(file: File) -> tuple[str, ...]:
    """Return the headings of a table.

    Raises:
        Unfit: It has none, two alike, or too many.
    """
    text = text_of(file)
    head = text.split("\n", 1)[0]
    mark = max(("\t", ",", ";"), key=head.count)
    return tuple(_columns(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True), file.name))


def _columns(rows: Iterator[list[str]], name: str) -> list[str]:
    try:
        columns = [one.strip() for one in next(rows, [])]
    except csv.Error as error:
        raise unfit(f"{name}:1", Text(zh=f"表格有误：{error}。", en=f"The table is broken: {error}.")) from error
    if not any(columns):
        raise unfit(f"{name}:1", Text(zh="表格没有标题行。", en="The table has no headings."))
    if len(columns) > MAX_COLUMNS:
        raise unfit(f"{name}:1", Text(zh=f"超过 {MAX_COLUMNS} 列。", en=f"More than {MAX_COLUMNS} columns."))
    twice = next((one for one in columns if one and columns.count(one) > 1), None)
    if twice:
        raise unfit(f"{name}:1", Text(zh=f"标题“{twice}”重复。", en=f"The heading {twice!r} stands twice."))
    return columns


def _row(where: str, columns: list[str], row: list[str], *, is_kept: bool) -> Raw | Unfit:
    """Return one row; `is_kept` says that databases keep all its characters, so that only lengths are left to ask."""
    if len(row) > len(columns):
        many = f"{len(row)} > {len(columns)}"
        return unfit(where, Text(zh=f"单元格多于标题（{many}）。", en=f"More cells than headings ({many})."))
    values = {name: cell for name, cell in zip(columns, row, strict=False) if name and cell and not cell.isspace()}
    is_sound = (is_kept and max(map(len, row)) <= MAX_CELL) or _is_sound(values)
    return Raw(where=where, values=values) if is_sound else _no_record(where)


def card_record(file: File) -> Raw:
    """Return a model card: its front matter, and what its name and its first words say.

    The name of the file says whose it is where it is `<publisher>/<model>/README.md` or `<publisher>--<model>.md`.

    Raises:
        Unfit: It has no front matter, or that cannot be read.
    """
    text = text_of(file)
    found = _FRONT.match(text)
    if found is None:
        raise unfit(
            f"{file.name}:1",
            Text(zh="没有 YAML 头部（--- 之间的部分）。", en="There is no front matter (between two lines of ---)."),
            Text(zh="模型卡须以 --- 开头。", en="A model card starts with a line of ---."),
        )
    try:
        front = read_plain(found[1], Text(zh="模型卡头部", en="the front matter")) if found[1].strip() else {}
    except Invalid as error:
        raise unfit(f"{file.name}:1", error.what) from error
    values = {**_plain(front), **_about(file.name), **_told(text[found.end() :])}
    if not _is_sound(values):
        raise _no_record(file.name)
    return Raw(where=file.name, values=values)


def _about(name: str) -> dict[str, str]:
    """Whose model it is, from the path."""
    parts = [one for one in name.replace("\\", "/").split("/") if one not in ("", ".", "..")]
    last = parts[-1] if parts else ""
    stem = last.rsplit(".", 1)[0]
    if stem.lower() != "readme":
        parts = [*parts[:-1], *stem.removeprefix("models--").split("--", 1)] if "--" in stem else [stem]
    else:
        parts = parts[:-1]
    pair = parts[-2:]
    if len(pair) == 2:
        return {"publisher": pair[0], "model": pair[1], "repo": f"{pair[0]}/{pair[1]}"}
    return {"model": pair[0]} if pair else {}


def _told(body: str) -> dict[str, str]:
    """The first heading and the first paragraph of prose."""
    heading, lines = "", list[str]()
    for line in body.split("```", 1)[0].splitlines():
        words = _LINK.sub(r"\1", _MARKUP.sub("", line)).strip()
        if words.startswith("#"):
            heading = heading or words.lstrip("# ").strip()
        elif words and not words.startswith(("|", "---")):
            lines.append(words)
        elif lines:
            break
    told = {"heading": heading, "summary": " ".join(lines)[:_SUMMARY_CHARS]}
    return {name: one for name, one in told.items() if one}


def _plain(value: Any) -> Any:
    """Make dates text, and keys too: what is kept beside a registration is JSON."""
    match value:
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple() | set():
            return [_plain(one) for one in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def _is_sound(value: Any, depth: int = 0) -> bool:
    """Whether a record is of bounded depth and length, and of text that databases keep."""
    match value:
        case str():
            return len(value) <= MAX_CELL and not _NO_TEXT.search(value)
        case dict():
            return depth < MAX_DEPTH and all(
                _is_sound(k, depth + 1) and _is_sound(v, depth + 1) for k, v in value.items()
            )
        case list():
            return depth < MAX_DEPTH and all(_is_sound(one, depth + 1) for one in value)
        case float():
            return isfinite(value)
        case int() if not isinstance(value, bool):
            return abs(value) < 1 << 53
    return True


def _no_record(where: str) -> Unfit:
    return unfit(
        where,
        Text(
            zh=f"这不是可用的记录：应为“键: 值”，嵌套不超过 {MAX_DEPTH} 层，每项不超过 {MAX_CELL} 字符。",
            en=f"This is no record that can be used: keys with values, at most {MAX_DEPTH} deep, "
            f"at most {MAX_CELL} characters each.",
        ),
    )
