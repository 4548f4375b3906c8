"""What a field can have wrong with it, in both languages: msgspec's English messages, said properly."""

import re
from collections.abc import Callable

from safebelt.kernel.text import Text

_TYPES = {
    "int": ("整数", "a whole number"),
    "float": ("数字", "a number"),
    "bool": ("是或否", "yes or no"),
    "date": ("日期，例如 2026-11-21", "a date such as 2026-11-21"),
    "datetime": ("带时区的时间，例如 2026-11-21T12:00:00Z", "a time with its zone, such as 2026-11-21T12:00:00Z"),
    "str": ("文字", "text"),
    "array": ("列表", "a list"),
    "object": ("对象", "an object"),
}

_SAYINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Text]], ...] = (
    (
        re.compile(r"Invalid enum value '?(?P<value>[^']*)'?"),
        lambda m: Text(zh=f"没有“{m['value']}”这个选项", en=f"“{m['value']}” is not one of the choices"),
    ),
    (
        re.compile(r"Invalid RFC3339 encoded (?P<type>\w+)|Invalid (?P<other>date|datetime)"),
        lambda m: _expected(m["type"] or m["other"] or "date"),
    ),
    (
        re.compile(r"of length <= (?P<limit>\d+)"),
        lambda m: Text(zh=f"不能超过 {m['limit']} 个字符", en=f"must be {m['limit']} characters or fewer"),
    ),
    (
        re.compile(r"of length >= (?P<limit>\d+)"),
        lambda m: Text(zh=f"至少 {m['limit']} 个字符", en=f"must be {m['limit']} characters or more"),
    ),
    (
        re.compile(r"(?P<sign><=|>=|<|>) (?P<limit>-?[\d.]+)"),
        lambda m: Text(zh=f"须 {m['sign']} {m['limit']}", en=f"must be {m['sign']} {m['limit']}"),
    ),
    (
        re.compile(r"missing required field `(?P<field>\w+)`"),
        lambda m: Text(zh=f"缺少 {m['field']}", en=f"{m['field']} is missing"),
    ),
    (
        re.compile(r"unknown field `(?P<field>\w+)`"),
        lambda m: Text(zh=f"没有 {m['field']} 这个字段", en=f"there is no field {m['field']}"),
    ),
    (re.compile(r"Expected `(?P<type>\w+)"), lambda m: _expected(m["type"])),
)


def _expected(word: str) -> Text:
    zh, en = _TYPES.get(word, (f"“{word}”类型的值", f"a value of type {word}"))
    return Text(zh=f"须填写{zh}", en=f"must be {en}")


def said_of(message: str) -> Text:
    """Say a msgspec message for people in both languages; one we do not know is passed on as it is."""
    for pattern, say in _SAYINGS:
        if match := pattern.search(message):
            return say(match)
    return Text(zh=f"无法识别（{message}）", en=f"cannot be read ({message})")
