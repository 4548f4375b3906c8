"""Reading `registry/publication.yaml`: what decides about the public register, as data."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.publication import Counted, PublicationRules

FILE = "publication.yaml"

_Id = Annotated[str, Field(pattern=r"^[a-z0-9_.\-/#]+$", max_length=120)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Counted(_Strict):
    fact: _Id
    by_group: bool = False


class _Form(_Strict):
    safebelt: Literal["publication/1"]
    restricted_by: tuple[_Id, ...]
    counted_by: dict[_Id, _Counted]
    places: tuple[_Id, ...]
    everywhere: tuple[_Id, ...]
    silent_classes: tuple[_Id, ...]


def read_publication(source: str) -> PublicationRules:
    """Read the rules of the public register.

    Args:
        source: YAML in the form `publication/1`.

    Raises:
        Invalid: It cannot be read; every mistake is named.
    """
    try:
        form = _Form.model_validate(yaml.safe_load(source))
    except (yaml.YAMLError, ValidationError, RecursionError) as error:
        raise Invalid(
            what=Text(zh=f"{FILE} 无法读取：{error}", en=f"{FILE} cannot be read: {error}"),
            hint=Text(zh="请按 publication/1 的格式更正。", en="Correct it to the form publication/1."),
        ) from error
    return PublicationRules(
        restricted_by=form.restricted_by,
        counted_by={name: Counted(fact=one.fact, by_group=one.by_group) for name, one in form.counted_by.items()},
        places=form.places,
        everywhere=frozenset(form.everywhere),
        silent_classes=frozenset(form.silent_classes),
    )


def open_publication(folder: Path) -> PublicationRules:
    """Read the rules of the public register from the registry's data.

    Raises:
        Invalid: The file is not there, or cannot be read.
    """
    try:
        return read_publication((folder / FILE).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            what=Text(zh=f"无法打开 {folder / FILE}。", en=f"{folder / FILE} cannot be opened."),
            hint=Text(zh="请恢复 registry/ 目录。", en="Restore the folder registry/."),
        ) from error
