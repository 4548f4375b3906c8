"""Raw records to records, by a mapping: what the source states, with source and day, and what was assumed."""

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from safebelt.kernel.text import Text
from safebelt.rooms.registry.imports import facts as cells
from safebelt.rooms.registry.imports.bounds import Unfit, unfit
from safebelt.rooms.registry.model.imports import Mapped, Raw, Record
from safebelt.rooms.rulebook.model import Fact, FactValue, Source

SOURCE_ID = "source"
NO_PURPOSE = Text(zh="来源未说明用途。", en="The source states no purpose.")
NOBODY = Text(
    zh="来源没有写明任何主体；这里的名称只是占位，请查明后更正。",
    en="The source names no body at all; the name here only holds its place until somebody finds out.",
)
_KNOWN_PURPOSE_CHARS = 2000
_OF_TEXTS = msgspec.json.Encoder(order="sorted")
_OF_ANYTHING = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
_CONTROL = {code: " " for code in (*range(9), 11, 12, *range(14, 32), 127)}


class Applying:
    """One mapping at work on many records.

    Args:
        mapping: What stands where.
        vocabulary: Fact id to the fact.
        provider: The party that stands where a record names none.

    Raises:
        KeyError: The mapping names a fact that the rulebook does not know.
    """

    def __init__(self, mapping: Mapped, vocabulary: Mapping[str, Fact], provider: str) -> None:
        self._mapping, self._provider = mapping, provider
        self._readers = [cells.Reader(vocabulary[name], rule) for name, rule in mapping.facts.items()]
        self._source: tuple[str, date | None, Source] | None = None

    def record(self, raw: Raw) -> Record | Unfit:
        """Return what a raw record states, or what is wrong with it."""
        name = self._both(raw, "name")
        if name is None:
            return unfit(raw.where, Text(zh="没有写明系统名称。", en="It names no system."))
        purpose = self._both(raw, "purpose")
        provider, notes = self._named(raw)
        notes = notes if purpose else (*notes, NO_PURPOSE)
        day = self._day(raw)
        found = self._facts(raw, day)
        if isinstance(found, Unfit):
            return found
        return Record(
            where=raw.where,
            origin=self._mapping.source.title or raw.where.rsplit(":", 1)[0],
            ref=self._text(raw, "ref")[:500],
            name=name,
            purpose=purpose or NO_PURPOSE,
            provider=provider,
            deployer=self._text(raw, "deployer"),
            party_kind=self._mapping.party_kind,
            said=self._text(raw, "said")[:200],
            facts=found,
            sources={SOURCE_ID: self._source_of(raw, day)},
            extras=raw.values,
            notes=notes,
            sha256=digest_of(raw.values),
        )

    def _named(self, raw: Raw) -> tuple[str, tuple[Text, ...]]:
        stated = self._text(raw, "provider")
        if stated:
            return stated, ()
        assumed = self._text(raw, "provider_assumed")
        if assumed and self._mapping.provider_assumed is not None:
            return assumed, (self._mapping.provider_assumed,)
        if self._provider or not self._mapping.provider_otherwise:
            return self._provider, ()
        return self._mapping.provider_otherwise, (NOBODY,)

    def _facts(self, raw: Raw, day: date | None) -> dict[str, FactValue] | Unfit:
        found: dict[str, FactValue] = {}
        for reader in self._readers:
            try:
                known = reader.known(raw.values.get(reader.rule.column), SOURCE_ID, day)
            except (ValueError, OverflowError, TypeError) as error:
                wrong = error if isinstance(error, ValueError) else ValueError(str(error))
                return unfit(raw.where, cells.misfit(reader.fact, wrong))
            if known is not None:
                found[reader.fact.id] = known
        return found

    def _source_of(self, raw: Raw, day: date | None) -> Source:
        """The source with the record's address in it and its day: the same object while those stay the same."""
        stated = self._mapping.source
        url = self._text(raw, "url") or stated.url
        if self._source is None or self._source[:2] != (url, day):
            title = stated.title or self._mapping.title.en
            self._source = (url, day, Source(title=title, url=url[:500], as_of=day))
        return self._source[2]

    def _day(self, raw: Raw) -> date | None:
        """The day the source gives, where it gives a whole one."""
        text = self._text(raw, "as_of")[:10]
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            return None

    def _both(self, raw: Raw, field: str) -> Text | None:
        zh, en = self._text(raw, f"{field}_zh"), self._text(raw, f"{field}_en")
        if not (zh and en):
            any_ = self._text(raw, field)
            zh, en = zh or any_ or en, en or any_ or zh
        limit = _KNOWN_PURPOSE_CHARS
        return Text(zh=zh[:limit], en=en[:limit]) if zh else None

    def _text(self, raw: Raw, field: str) -> str:
        """The first column that is filled, as one text."""
        for column in self._mapping.fields.get(field, ()):
            text = _as_text(raw.values.get(column))
            if text:
                return text
        return self._mapping.constants.get(field, "")


def _as_text(value: Any) -> str:
    match value:
        case str():
            return (value if value.isprintable() else value.translate(_CONTROL)).strip()
        case list():
            return "; ".join(filter(None, map(_as_text, value)))
        case bool() | None | dict():
            return ""
    return str(value)


def digest_of(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record, whatever the order of its keys."""
    return sha256(_in_order(values)).hexdigest()


def _in_order(values: Mapping[str, Any]) -> bytes:
    """Return a record as JSON with its keys in order, always the same: by it a record is known again years later.

    Of texts alone both writers write the same, one of them in a fifth of the time; they differ in numbers.
    """
    if all(type(one) is str for one in values.values()):
        try:
            return _OF_TEXTS.encode(values)
        except UnicodeEncodeError:  # half a surrogate, which only the other writer keeps
            pass
    return _OF_ANYTHING.encode(values).encode("utf-8", "surrogatepass")
