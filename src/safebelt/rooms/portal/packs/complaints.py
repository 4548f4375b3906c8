"""Reading `registry/complaints.yaml`: what complaints are taken for, how much, and by when an answer is owed."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.portal.model.complaint_rules import ComplaintRules

FILE = "complaints.yaml"

_Id = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
_Words = Annotated[str, Field(min_length=1, max_length=200)]
_Days = Annotated[int, Field(ge=1, le=3660)]
_Count = Annotated[int, Field(ge=1, le=100_000)]
_Bytes = Annotated[int, Field(ge=1, le=100_000_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Both(_Strict):
    zh: _Words
    en: _Words

    def text(self) -> Text:
        return Text(zh=self.zh, en=self.en)


class _Form(_Strict):
    safebelt: Literal["complaints/1"]
    basis: _Both
    answer_days: _Days
    retention_days: _Days
    kinds: Annotated[dict[_Id, _Both], Field(min_length=1, max_length=40)]
    text_chars: _Count
    contact_chars: _Count
    files: Annotated[int, Field(ge=0, le=20)]
    file_bytes: _Bytes
    files_bytes: _Bytes
    additions: _Count
    filings_per_hour: _Count
    attempts_per_hour: _Count
    codes_per_hour: _Count
    house_filings_per_hour: _Count


def read_complaints(source: str) -> ComplaintRules:
    """Read the rules of complaints.

    Args:
        source: YAML in the form `complaints/1`.

    Raises:
        Invalid: It cannot be read; every mistake is named.
    """
    try:
        form = _Form.model_validate(yaml.safe_load(source))
    except (yaml.YAMLError, ValidationError, RecursionError) as error:
        raise Invalid(
            what=Text(zh=f"{FILE} 无法读取：{error}", en=f"{FILE} cannot be read: {error}"),
            hint=Text(zh="请按 complaints/1 的格式更正。", en="Correct it to the form complaints/1."),
        ) from error
    numbers = form.model_dump(exclude={"safebelt", "basis", "kinds"})
    return ComplaintRules(
        basis=form.basis.text(), kinds={id_: each.text() for id_, each in form.kinds.items()}, **numbers
    )


def open_complaints(folder: Path) -> ComplaintRules:
    """Read the rules of complaints from the data folder.

    Raises:
        Invalid: The file is not there, or cannot be read.
    """
    try:
        return read_complaints((folder / FILE).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            what=Text(zh=f"无法打开 {folder / FILE}。", en=f"{folder / FILE} cannot be opened."),
            hint=Text(zh="请恢复 registry/ 目录。", en="Restore the folder registry/."),
        ) from error
