"""Files that a person names."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text

File = Path
Output = Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write to this file.")]
Files = Annotated[list[Path] | None, Parameter(negative="")]
_MAX_FILE = 4 * 1024 * 1024


def read(path: Path) -> bytes:
    """Return a file a person named."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except FileNotFoundError:
        raise NotFound(
            what=Text(zh=f"没有文件“{path}”。", en=f"There is no file {str(path)!r}."),
            hint=Text(zh="请核对路径。", en="Check the path."),
        ) from None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if len(data) > _MAX_FILE:
        raise _unreadable(path, f"more than {_MAX_FILE} bytes")
    return data


def write(path: Path, text: str) -> None:
    """Write a file a person named."""
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _unreadable(path: Path, why: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"“{path}”无法使用：{why}。", en=f"{str(path)!r} cannot be used: {why}."),
        hint=Text(zh="请指定另一个文件。", en="Name another file."),
    )
