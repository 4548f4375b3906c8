"""What people type, held to its bounds: lines, texts in two languages, digests, addresses."""

import re
import unicodedata
from datetime import date
from urllib.parse import urlsplit

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

LINE_LIMIT = 200
"""Characters of a line: longer than any registered name."""
TEXT_LIMIT = 4000
"""Characters of a text."""
URL_LIMIT = 2000
"""Characters of an address: what every browser takes."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEPT = "\n\r\t"


def invalid(field: str, what: Text, hint: Text | None = None) -> Invalid:
    """Return the problem with one field."""
    again = Text(zh="请更正后重新提交。", en="Correct it and send it again.")
    return Invalid(what=what, hint=hint or again, details={"field": field})


def line(value: str, field: str, label: Text, *, limit: int = LINE_LIMIT, is_required: bool = False) -> str:
    """Return a text without the blanks around it.

    Raises:
        Invalid: It is missing, too long, or holds control characters.
    """
    text = value.strip()
    if is_required and not text:
        raise invalid(field, Text(zh=f"请填写{label.zh}。", en=f"Enter: {label.en}."))
    if len(text) > limit:
        raise invalid(
            field,
            Text(zh=f"{label.zh}不能超过 {limit} 个字符。", en=f"{label.en}: no more than {limit} characters, please."),
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in _KEPT for char in text):
        raise invalid(field, Text(zh=f"{label.zh}含有不可见的控制字符。", en=f"{label.en} holds control characters."))
    return text


def both(zh: str, en: str, field: str, label: Text, *, limit: int = LINE_LIMIT, is_required: bool = False) -> Text:
    """Return a text in two languages; where one is missing the other stands for both.

    Raises:
        Invalid: Both are missing though one is required, one is too long, or holds control characters.
    """
    chinese = line(zh, f"{field}_zh", label, limit=limit)
    english = line(en, f"{field}_en", label, limit=limit)
    if is_required and not (chinese or english):
        raise invalid(f"{field}_zh", Text(zh=f"请填写{label.zh}。", en=f"Enter: {label.en}."))
    return Text(zh=chinese or english, en=english or chinese)


def digest(value: str, field: str) -> str:
    """Return a SHA-256 in lower case, or nothing where nothing was given.

    Raises:
        Invalid: It is not 64 hex digits.
    """
    text = value.strip().lower().removeprefix("sha256:")
    if text and not _DIGEST.fullmatch(text):
        raise invalid(
            field,
            Text(zh="SHA-256 摘要应为 64 位十六进制字符。", en="A SHA-256 digest is 64 hexadecimal digits."),
            Text(zh="可用 sha256sum 文件名 计算。", en="Compute it with: sha256sum FILE"),
        )
    return text


def address(value: str, field: str, label: Text) -> str:
    """Return an http or https address, or nothing where nothing was given.

    Raises:
        Invalid: It is none, or carries a password.
    """
    text = line(value, field, label, limit=URL_LIMIT)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_good = False
    if not is_good or re.search(r"[\s\x00-\x20\\]", text):
        raise invalid(
            field,
            Text(
                zh=f"{label.zh}不是完整的网址（以 http:// 或 https:// 开头，不含口令）。",
                en=f"{label.en}: not a whole address (it begins with http:// or https:// and carries no password).",
            ),
        )
    return text


def day(value: str, field: str, label: Text) -> date | None:
    """Return a date, or None where nothing was given.

    Raises:
        Invalid: It is none.
    """
    text = value.strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(
            field,
            Text(zh=f"{label.zh}不是日期，例如 2026-11-21。", en=f"{label.en}: not a date; for example 2026-11-21."),
        ) from None
