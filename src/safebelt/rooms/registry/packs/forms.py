"""Forms and filings as data: `registry/forms/*.yaml`, read once and held to the law."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.forms import Field, FormSpec
from safebelt.rooms.registry.packs.plain import read_plain


@dataclass(frozen=True, kw_only=True)
class _Field:
    id: str
    title: Text
    source: list[str]
    required: bool = True
    help: Text | None = None
    unsure: Text | None = None
    missing: Text | None = None
    cites: list[str] = field(default_factory=list)
    max: int = 0
    values: dict[str, str] = field(default_factory=dict)
    allowed: list[str] = field(default_factory=list)
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class _Doc:
    safebelt: Literal["form/1"]
    id: str
    title: Text
    to: Text
    about: Text
    fields: list[_Field]
    lang: Literal["zh", "en"] = "en"
    cites: list[str] = field(default_factory=list)
    evidence: str = ""
    official: Literal["", "nl"] = ""


@lru_cache(maxsize=8)
def read_forms(folder: Path) -> Mapping[str, FormSpec]:
    """Return every form of a folder by its id, in the order of their ids.

    Raises:
        Invalid: A file cannot be read; it says which.
    """
    return {one.id: one for one in map(_read, sorted(folder.glob("*.yaml")))}


def _read(path: Path) -> FormSpec:
    what = Text(zh=f"表单 {path.name}", en=f"the form {path.name}")
    data = read_plain(path.read_text(encoding="utf-8"), what)
    try:
        doc = msgspec.convert(data, _Doc)
    except msgspec.ValidationError as error:
        raise Invalid(
            what=Text(zh=f"{what.zh} 有误：{error}", en=f"{what.en} is wrong: {error}"),
            hint=Text(zh="请改正该文件。", en="Correct the file."),
        ) from error
    return FormSpec(
        id=doc.id,
        title=doc.title,
        to=doc.to,
        about=doc.about,
        lang=doc.lang,
        fields=tuple(_field(one) for one in doc.fields),
        cites=tuple(doc.cites),
        evidence=doc.evidence,
        official=doc.official,
    )


def _field(doc: _Field) -> Field:
    return Field(
        id=doc.id,
        title=doc.title,
        help=doc.help,
        cites=tuple(doc.cites),
        unsure=doc.unsure,
        source=tuple(doc.source),
        is_required=doc.required,
        max=doc.max,
        values=doc.values,
        allowed=tuple(doc.allowed),
        is_many=doc.many,
        missing=doc.missing,
    )
