"""A label as it stands in a file."""

import json

from safebelt.rooms.labelling.model.label import AigcLabel

_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
"""Put together once: that takes longer than to write a label."""


def value_of(label: AigcLabel) -> str:
    """Return a label as one line of ASCII: the bare object, as containers hold it under a key named AIGC."""
    return _JSON.encode(label.as_object())
