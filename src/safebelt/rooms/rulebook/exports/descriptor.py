"""Write a description as a file in the form `system/1`, which reads back as the same."""

from datetime import date
from typing import Any

import yaml

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import FORMAT, Description, FactValue, Source


def descriptor_yaml(description: Description) -> str:
    """Return the file, in YAML."""
    data: dict[str, Any] = {"safebelt": FORMAT, "id": description.id, "name": _words(description.name)}
    if description.purpose is not None:
        data["purpose"] = _words(description.purpose)
    data["sources"] = {name: _source(one) for name, one in description.sources.items()}
    data["facts"] = {name: _fact(one) for name, one in description.facts.items()}
    return as_yaml(data)


def as_yaml(data: Any) -> str:
    """Return plain data as YAML that the reader of this room reads back: words that look like no word are quoted."""
    return yaml.dump(data, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


class _Plain(yaml.SafeDumper):
    """No anchors: the reader refuses them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _source(source: Source) -> dict[str, Any]:
    known = {"title": source.title, "url": source.url, "as_of": source.as_of}
    return {name: value for name, value in known.items() if value}


def _fact(known: FactValue) -> dict[str, Any]:
    value = list(known.value) if isinstance(known.value, tuple) else known.value
    about: dict[str, str | date | None] = {"source": known.source, "as_of": known.as_of, "note": known.note}
    return {"value": value, **{name: one for name, one in about.items() if one}}
