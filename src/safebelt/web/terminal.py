"""The command-line kit: a command returns an `Answer`; `__main__` prints it as text or JSON and exits with its code.

Exit codes: 0 done or holds · 1 a negative verdict · 2 bad use or unreadable input ·
3 not evaluated, nothing to verify, or unavailable.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Lang, Text

DONE, NEGATIVE, BAD_USE, NOT_EVALUATED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command has to say.

    Attributes:
        data: JSON-ready values, printed with `--format json`.
        says: What a person reads, in both languages; may hold several lines.
        exit_code: 0, 1, 2 or 3, as the module's head says.
    """

    data: Any
    says: Text
    exit_code: int = DONE

    def as_text(self, lang: Lang) -> str:
        """Return the text for a reader of `lang`."""
        return self.says.in_(lang)


def read_text(path: Path, *, limit: int = 1_000_000) -> str:
    """Return the text of a file a person named, or of standard input where the name is `-`.

    Args:
        path: Which.
        limit: Most bytes that are read.

    Raises:
        NotFound: There is no such file.
        Invalid: It is a folder, too long, or not UTF-8.
    """
    try:
        body = sys.stdin.buffer.read(limit + 1) if str(path) == "-" else _read(path, limit + 1)
    except FileNotFoundError:
        raise NotFound(
            what=Text(zh=f"没有文件“{path}”。", en=f"There is no file {str(path)!r}."),
            hint=Text(zh="请核对路径；用 - 表示标准输入。", en="Check the path; - means standard input."),
        ) from None
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法读取“{path}”：{error.strerror}。", en=f"Cannot read {str(path)!r}: {error.strerror}."),
            hint=Text(zh="请给出一个可读的文件。", en="Name a file that can be read."),
        ) from error
    if len(body) > limit:
        raise Invalid(
            what=Text(zh=f"“{path}”超过 {limit} 字节。", en=f"{str(path)!r} has more than {limit} bytes."),
            hint=Text(zh="请给出较小的文件。", en="Name a smaller file."),
        )
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            what=Text(zh=f"“{path}”不是 UTF-8 文本。", en=f"{str(path)!r} is not UTF-8 text (byte {error.start})."),
            hint=Text(zh="请以 UTF-8 保存。", en="Save it as UTF-8."),
        ) from error


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit)
