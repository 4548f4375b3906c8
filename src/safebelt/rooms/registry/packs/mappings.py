"""How records of other registers become registrations: mappings as data, ours and those that people write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.imports import FactRule, Form, Mapped
from safebelt.rooms.registry.model.register import PartyKind, folded
from safebelt.rooms.registry.packs.plain import read_plain
from safebelt.rooms.rulebook.model import Source

FORMAT = "import/1"
FIELDS = (
    "ref",
    "url",
    "as_of",
    "name",
    "name_zh",
    "name_en",
    "purpose",
    "purpose_zh",
    "purpose_en",
    "provider",
    "deployer",
    "said",
)
"""What a registration takes from a record."""

_WHAT = Text(zh="对应表", en="the mapping")
_TABLE = Text(zh="表格", en="table")
Columns = str | list[str]


@dataclass(frozen=True, kw_only=True)
class _Fact:
    column: str = ""
    constant: Any = None
    values: dict[str, Any] = field(default_factory=dict)
    separator: str = ";"
    otherwise: Literal["", "unknown"] = ""


@dataclass(frozen=True, kw_only=True)
class _Assumed:
    column: str
    says: Text
    otherwise: str = ""


@dataclass(frozen=True, kw_only=True)
class _Source:
    title: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class _Doc:
    safebelt: Literal["import/1"]
    form: Form
    fields: dict[str, Columns]
    title: Text = _TABLE
    source: _Source = field(default_factory=lambda: _Source(title=""))
    party: PartyKind = PartyKind.ORGANISATION
    constants: dict[str, str] = field(default_factory=dict)
    facts: dict[str, _Fact | str] = field(default_factory=dict)
    provider_assumed: _Assumed | None = None


def read_mapping(text: str) -> Mapped:
    """Read a mapping.

    Raises:
        Invalid: It cannot be read, or names a field that registrations do not have.
    """
    data = read_plain(text, _WHAT)
    try:
        doc = msgspec.convert(data, _Doc)
    except msgspec.ValidationError as error:
        raise _wrong(Text(zh=str(error), en=str(error))) from error
    unknown = [name for name in (*doc.fields, *doc.constants) if name not in FIELDS]
    if unknown:
        raise _wrong(
            Text(
                zh=f"没有这些栏目：{'、'.join(unknown)}；可用：{'、'.join(FIELDS)}",
                en=f"there are no such fields: {', '.join(unknown)}; use {', '.join(FIELDS)}",
            )
        )
    if not any(name in doc.fields or name in doc.constants for name in ("name", "name_zh", "name_en")):
        raise _wrong(Text(zh="没有写明系统名称在哪一列", en="it does not say in which column the system's name stands"))
    return _mapped(doc)


def shipped(folder: Path, form: Form) -> Mapped:
    """Return the mapping that comes with the program for one kind of source."""
    return read_mapping((folder / f"{form.value}.yaml").read_text(encoding="utf-8"))


def headings(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return field to the headings it is recognised by."""
    data = read_plain((folder / "headings.yaml").read_text(encoding="utf-8"), _WHAT)
    return {name: tuple(folded(str(one)) for one in found) for name, found in data["fields"].items()}


def proposal(columns: tuple[str, ...], known: Mapping[str, tuple[str, ...]], facts: frozenset[str]) -> str:
    """Return a mapping guessed from the headings of a table, to be looked at before it is used.

    Args:
        columns: The headings.
        known: Field to the headings it is recognised by, folded.
        facts: Fact ids; a column called like a fact is that fact.
    """
    fields: dict[str, str] = {}
    taken: set[str] = set()
    for name, words in known.items():
        found = next((one for one in columns if folded(one.strip()) in words and one not in taken), None)
        if found is not None:
            fields[name] = found
            taken.add(found)
    stated = {one.strip(): {"column": one} for one in columns if one.strip() in facts}
    data: dict[str, Any] = {"safebelt": FORMAT, "form": Form.CSV.value, "source": {"title": ""}, "fields": fields}
    if stated:
        data["facts"] = stated
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def _mapped(doc: _Doc) -> Mapped:
    fields = {name: (one,) if isinstance(one, str) else tuple(one) for name, one in doc.fields.items()}
    if doc.provider_assumed is not None:
        fields["provider_assumed"] = (doc.provider_assumed.column,)
    return Mapped(
        form=doc.form,
        title=doc.title,
        fields=fields,
        constants=doc.constants,
        facts={name: _rule(one) for name, one in doc.facts.items()},
        party_kind=doc.party,
        provider_assumed=doc.provider_assumed.says if doc.provider_assumed else None,
        provider_otherwise=doc.provider_assumed.otherwise if doc.provider_assumed else "",
        source=Source(title=doc.source.title, url=doc.source.url),
    )


def _rule(doc: _Fact | str) -> FactRule:
    if isinstance(doc, str):
        return FactRule(column=doc)
    return FactRule(
        column=doc.column,
        constant=doc.constant,
        values=doc.values,
        separator=doc.separator,
        is_lenient=doc.otherwise == "unknown",
    )


def _wrong(why: Text) -> Invalid:
    return Invalid(
        what=Text(zh=f"对应表有误：{why.zh}。", en=f"The mapping is wrong: {why.en}."),
        hint=Text(
            zh="写法见“如何导入系统”；不带对应表预览一次，会得到一份建议。",
            en="See “How to import systems”; a preview without a mapping proposes one.",
        ),
        details={"field": "mapping"},
    )
